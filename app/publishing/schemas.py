"""The approved text as JSON: what consumers are built against."""

from typing import Literal

from pydantic import Field

from app.approvals.schemas import ApprovedRevisionOut, PageStatus
from app.web.schemas import Moment, Out, Slug


class SectionTextOut(Out):
    """A level-2 heading of the text and the Markdown under it; what stands before the first is `intro`."""

    key: str = Field(examples=["topline"])
    title: str = Field(examples=["Topline"])
    text: str = Field(examples=["Everyone needs a home they can afford."])


class SectionRow(Out):
    """A section, and how many characters its plain text has."""

    key: str = Field(examples=["topline"])
    title: str = Field(examples=["Topline"])
    chars: int = Field(examples=[38], description="Characters of the section's `.txt`.")


class LinksOut(Out):
    """Where to go on from here, as whole addresses."""

    self: str = Field(examples=["https://workshop.example/api/v1/pages/housing/approved"])
    html: str = Field(examples=["https://workshop.example/pages/housing"])
    history: str = Field(examples=["https://workshop.example/api/v1/pages/housing/revisions"])
    ledger: str = Field(examples=["https://workshop.example/api/v1/ledger/41"])


class ApprovedOut(Out):
    """The approved text of a page. `scope` is the chapter whose own text it is, null for the common one."""

    slug: Slug
    title: str = Field(examples=["Housing"])
    status: PageStatus = Field(examples=["approved"])
    scope: str | None = Field(examples=[None])
    revision: ApprovedRevisionOut
    text: str = Field(examples=["## Topline\n\nEveryone needs a home they can afford.\n"], description="Markdown.")
    sections: list[SectionTextOut]
    links: LinksOut


class SectionOut(SectionTextOut):
    """One section of the approved text of a page."""

    chars: int = Field(examples=[38], description="Characters of the section's `.txt`.")
    slug: Slug
    status: PageStatus = Field(examples=["approved"])
    scope: str | None = Field(examples=[None])
    revision: ApprovedRevisionOut
    links: LinksOut


class StoppedOut(Out):
    """A page whose text is not to be used: `held` for now, or `withdrawn` for good. It has no text.

    `last_safe` is the newest text that was approved before and not taken back, null where there is none; it is there
    only when it was asked for.
    """

    slug: Slug
    title: str = Field(examples=["Housing"])
    status: Literal["held", "withdrawn"]
    scope: str | None = Field(examples=[None])
    use: Literal["stop"]
    reason: str = Field(examples=["The figure is being checked."])
    stopped_at: Moment
    until: Moment | None = Field(description="When the hold ends by itself, unless a second moderator confirms it.")
    replacement: Slug | None = Field(examples=[None], description="The page to use instead of a withdrawn text.")
    revision: ApprovedRevisionOut | None
    last_safe: ApprovedOut | None = None
    links: LinksOut
