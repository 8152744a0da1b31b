"""Which revision is approved, and whether a moderator stopped it: a row for every time that changed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from app.database import UtcDateTime


class ApprovalKind(StrEnum):
    """How a text came to be the approved one."""

    PROMOTED = "promoted"
    IMPORTED = "imported"
    UNPROMOTED = "unpromoted"
    CORRECTED = "corrected"


class Approval(SQLModel, table=True):
    """The newest row of a page names its approved text. Rows are only ever added."""

    __table_args__ = (
        UniqueConstraint("page_id", "supersedes_id"),  # each approved text has one successor
        Index(
            "uq_approval_first",
            "page_id",
            unique=True,
            sqlite_where=text("supersedes_id IS NULL"),
            postgresql_where=text("supersedes_id IS NULL"),
        ),
        CheckConstraint("kind IN ('promoted', 'imported', 'unpromoted', 'corrected')", name="kind"),
    )

    id: int = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id", index=True)
    kind: str
    revision_id: int = Field(foreign_key="revision.id", index=True)
    supersedes_id: int | None = Field(default=None, foreign_key="approval.id")
    at: datetime = Field(sa_type=UtcDateTime)
    basis: str = Field(description="What it rests on: consensus or import.")
    reason: str = ""
    candidate_id: int | None = Field(default=None, description="A plain integer: consensus stands above approvals.")
    mode: str = Field(default="routine", sa_column_kwargs={"server_default": "routine"})
    contested: bool = Field(
        default=False, sa_column_kwargs={"server_default": false()}, description="It stands for want of an earlier one."
    )
    actor_id: int | None = Field(default=None, foreign_key="member.id", description="The moderator who corrected it.")


class StopKind(StrEnum):
    """What moderators can do to a text: never approve one."""

    HELD = "held"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    RESTORED = "restored"


class Stop(SQLModel, table=True):
    """A moderator's stop, or its end. The newest that took effect counts, as long as its approval is in force.

    `approval_id` is None on a page without approved text, where a hold stops a first approval. Rows are only ever
    added.
    """

    __table_args__ = (CheckConstraint("kind IN ('held', 'released', 'withdrawn', 'restored')", name="kind"),)

    id: int = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id", index=True)
    kind: str
    approval_id: int | None = Field(default=None, foreign_key="approval.id")
    at: datetime = Field(sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime, description="When a hold ends by itself.")
    actor_id: int | None = Field(default=None, foreign_key="member.id", description="None: it ended by itself.")
    reason: str = ""
    replacement: str | None = Field(default=None, description="Address of the page to use instead.")
    takes_effect: bool = Field(default=True, description="False: a second moderator has yet to do the same.")
