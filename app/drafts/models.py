"""A named line of revisions of a page, whose head moves, and the words that members have not sent to it yet."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.database import UtcDateTime
from app.words import N_


class DraftKind(StrEnum):
    SHARED = "shared"
    FORK = "fork"


class DraftState(StrEnum):
    OPEN = "open"
    APPROVED = N_("approved")
    WITHDRAWN = N_("withdrawn")
    CLOSED = N_("closed")


class Draft(SQLModel, table=True):
    """The shared draft of a page, edited by all, or a fork, edited by its owner alone."""

    __table_args__ = (
        CheckConstraint("kind IN ('shared', 'fork')", name="kind"),
        CheckConstraint("state IN ('open', 'approved', 'withdrawn', 'closed')", name="state"),
        Index(
            "uq_draft_shared_page",
            "page_id",
            unique=True,
            sqlite_where=text("kind = 'shared'"),
            postgresql_where=text("kind = 'shared'"),
        ),
        Index("ix_draft_page_state", "page_id", "state", "id"),
    )

    id: int = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id")
    name: str
    kind: str
    state: str = DraftState.OPEN
    owner_id: int | None = Field(default=None, foreign_key="member.id", index=True)
    base_id: int | None = Field(default=None, foreign_key="revision.id", description="The revision it was forked from.")
    head_id: int | None = Field(default=None, foreign_key="revision.id")
    clean: bool = Field(default=True, description="For the shared draft: whether it holds the approved text.")
    created_at: datetime = Field(sa_type=UtcDateTime)
    import_key: str | None = Field(default=None, unique=True, description="Where an import found it.")


class Autosave(SQLModel, table=True):
    """What a member typed into a draft's editor and has not sent: theirs alone, one row, no part of any history.

    The id is large because each autosave of a row that is there already takes a number of the sequence, too.
    """

    __table_args__ = (
        UniqueConstraint("member_id", "draft_id"),
        Index("ix_autosave_draft_updated", "draft_id", "updated_at"),
    )

    id: int = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    member_id: int = Field(foreign_key="member.id")
    draft_id: int = Field(foreign_key="draft.id")
    base_id: int = Field(foreign_key="revision.id", description="The revision that the editor was opened on.")
    section: str = Field(description="The key of the base's section that was being edited; empty: the whole text.")
    text: str = Field(description="That section with its heading, or the whole text: exactly as typed, not normalised.")
    updated_at: datetime = Field(sa_type=UtcDateTime)


class DraftJoin(SQLModel, table=True):
    """A draft that another one was joined from, and the revision of it that went in."""

    __tablename__ = "draft_join"

    draft_id: int = Field(foreign_key="draft.id", primary_key=True)
    from_id: int = Field(foreign_key="draft.id", primary_key=True, index=True)
    revision_id: int = Field(foreign_key="revision.id", index=True)
