"""The lasting identity of a talking point: its address, title and tags."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.database import UtcDateTime


class Page(SQLModel, table=True):
    """One talking point. Its texts are revisions; which of them is approved, the newest approval says."""

    id: int = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    title: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    import_key: str | None = Field(default=None, unique=True, description="Where an import found it.")


class PageTag(SQLModel, table=True):
    """A word people sort pages by."""

    __tablename__ = "page_tag"

    page_id: int = Field(foreign_key="page.id", primary_key=True)
    tag: str = Field(primary_key=True, index=True)


class PageRedirect(SQLModel, table=True):
    """A former address, which goes on leading to its page."""

    __tablename__ = "page_redirect"

    slug: str = Field(primary_key=True)
    page_id: int = Field(foreign_key="page.id", index=True)
