"""The approved text as JSON: what consumers are built against."""

from typing import Annotated, Literal

from pydantic import Field

from app.approvals.schemas import ApprovedRevisionOut, PageStatus
from app.channels.schemas import ChannelOut
from app.web.schemas import A_SHA256, In, Moment, Out, Slug

Counted = Annotated[
    ChannelOut | None,
    Field(description="What it costs to send or say, where its heading says that it is made for that; else null."),
]


class SectionTextOut(Out):
    """A level-2 heading of the text and the Markdown under it; what stands before the first is `intro`."""

    key: str = Field(examples=["topline"])
    title: str = Field(examples=["Topline"])
    text: str = Field(examples=["Everyone needs a home they can afford."])
    channel: Counted


class SectionRow(Out):
    """A section, and how many characters its plain text has."""

    key: str = Field(examples=["topline"])
    title: str = Field(examples=["Topline"])
    chars: int = Field(examples=[38], description="Characters of the section's `.txt`.")
    channel: Counted


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


Address = Annotated[str, Field(min_length=1, max_length=200, examples=["housing"])]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=[A_SHA256])]


class BatchIn(In):
    """The pages somebody follows, and the hash of the text that they hold of each, where they hold one."""

    slugs: list[Address] = Field(min_length=1, max_length=200, examples=[["housing", "bus-fares", "nowhere"]])
    known: dict[Address, Hash] = Field(default_factory=dict, max_length=200, examples=[{"bus-fares": A_SHA256}])


class BatchOut(Out):
    """What differs from what was known. Every address that was asked for is in one of the first four.

    `changed`: texts to use from now on, what is contested, whatever you hold of it, and what is held: do not use it
    until it is released. `gone`: withdrawn, never use it. `missing`: no such page, or no approved text. `renamed` leads
    from former addresses to present ones, which stand in `changed` and `gone`.
    """

    changed: list[ApprovedOut | StoppedOut]
    unchanged: list[str] = Field(examples=[["bus-fares"]])
    gone: list[StoppedOut]
    missing: list[str] = Field(examples=[["nowhere"]])
    renamed: dict[str, str] = Field(examples=[{}])
