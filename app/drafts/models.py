"""A named line of revisions of a page, whose head moves."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from app.database import UtcDateTime


class DraftKind(StrEnum):
    SHARED = "shared"
    FORK = "fork"


class DraftState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


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
