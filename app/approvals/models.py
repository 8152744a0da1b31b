"""Which revision is approved: a row for every time that changed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.database import UtcDateTime


class ApprovalKind(StrEnum):
    PROMOTED = "promoted"
    IMPORTED = "imported"


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
        CheckConstraint("kind IN ('promoted', 'imported')", name="kind"),
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
