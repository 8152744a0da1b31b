"""Pages in requests and answers."""

from typing import Annotated

from pydantic import Field

from app.approvals.schemas import ApprovedRevisionOut, PageStatus
from app.web.schemas import Id, In, Out, Slug, SummaryIn, TextIn

TitleIn = Annotated[str, Field(max_length=500, examples=["Housing"])]
SlugIn = Annotated[str, Field(max_length=200, examples=["housing"])]
TagsIn = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50, examples=[["homes", "cost"]])]


class PageIn(In):
    """A new page with its first text. Its address is made of the title unless `slug` is given."""

    title: TitleIn
    text: TextIn
    slug: SlugIn | None = None
    summary: SummaryIn = ""
    tags: TagsIn = Field(default=[], examples=[["homes", "cost"]])


class PageChangeIn(In):
    """What to change of a page; what is left out stays."""

    title: TitleIn | None = None
    slug: SlugIn | None = None
    tags: TagsIn | None = None


class SharedDraftOut(Out):
    """The draft that every member edits, and its newest revision."""

    id: Id
    head: Id


class PageCountsOut(Out):
    revisions: int = Field(examples=[12])
    open_drafts: int = Field(examples=[3], description="Open forks; the shared draft is not counted.")
    candidates: int = Field(examples=[2], description="Texts put to the vote that are not decided yet.")


class PageOut(Out):
    """The lasting identity of one talking point."""

    slug: Slug
    title: str = Field(examples=["Housing"])
    tags: list[str] = Field(examples=[["cost", "homes"]])
    status: PageStatus = Field(examples=["approved"])
    approved: ApprovedRevisionOut | None
    shared_draft: SharedDraftOut
    counts: PageCountsOut
