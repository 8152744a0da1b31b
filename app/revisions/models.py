"""One saved text, immutable, that knows its parents."""

from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.database import UtcDateTime


class Revision(SQLModel, table=True):
    """Triggers refuse every update and delete. `payload` is a keyframe or the delta to the first parent's text."""

    __table_args__ = (
        UniqueConstraint("draft_id", "first_parent_id"),  # a lost update becomes an error
        UniqueConstraint("page_id", "number"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint("steps BETWEEN 0 AND 50", name="steps"),
    )

    id: int = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id")
    draft_id: int = Field(description="A plain integer: drafts stand above revisions.")
    number: int
    first_parent_id: int | None = Field(default=None, foreign_key="revision.id", index=True)
    second_parent_id: int | None = Field(default=None, foreign_key="revision.id", index=True)
    author_id: int | None = Field(default=None, foreign_key="member.id", index=True, description="None: the system.")
    created_at: datetime = Field(sa_type=UtcDateTime)
    summary: str
    sha256: str
    size: int = Field(description="Bytes of the text in UTF-8.")
    steps: int = Field(description="Deltas between this text and its keyframe; 0 is a keyframe itself.")
    payload: bytes
    import_key: str | None = Field(default=None, unique=True, description="Where an import found it.")
