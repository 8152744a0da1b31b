"""Drafts and edits in requests and answers."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from app.drafts.autosave import MAX_AUTOSAVED, MAX_COUNTED, MAX_KEY, AtWork, Unsent
from app.drafts.models import Draft, DraftKind, DraftState
from app.drafts.service import head_of
from app.drafts.standing import Standing
from app.revisions.schemas import ConflictOut, RevisionOut, RevisionRow
from app.web.schemas import MAX_TEXT, Id, In, Moment, Out, Problem, Slug, SummaryIn, TextIn

MAX_RESOLUTIONS = 2_000

SectionKey = Annotated[str, Field(max_length=MAX_KEY, examples=["key-points"])]


class EditIn(In):
    """An edit: the whole new text, and the revision that its author had in front of them."""

    base: Id
    text: TextIn
    summary: SummaryIn = ""


class ForkIn(In):
    """A draft of one's own. `from` is a revision of the page; left out, the approved text, else the shared draft's."""

    from_: Id | None = Field(default=None, alias="from")
    name: Annotated[str, Field(max_length=500, examples=["Shorter topline"])] = ""
    text: TextIn | None = None
    summary: SummaryIn = ""


class UpdateIn(In):
    """A wording for each conflict, in their order: one of its sides, or another."""

    resolutions: Annotated[list[Annotated[str, Field(max_length=MAX_TEXT)]], Field(max_length=MAX_RESOLUTIONS)] = Field(
        default=[], examples=[["Everyone needs a decent home they can afford."]]
    )


class JoinIn(UpdateIn):
    """The draft to join with, and a wording for each conflict where the two clash."""

    with_: Id = Field(alias="with")


class AutosaveIn(In):
    """What stands in the editor, the whole text or one section's, and the revision that the editor was opened on."""

    base: Id
    text: Annotated[TextIn, Field(description=f"Kept exactly as typed, at most {MAX_AUTOSAVED:,} bytes of UTF-8.")]
    section: SectionKey | None = Field(
        default=None, description="The section of the base that `text` is, heading included; null: the whole text."
    )


class AutosaveOut(Out):
    """What you typed and have not sent, and where the draft has got to since."""

    base: Id
    section: SectionKey | None
    text: str = Field(examples=["# Housing\n\nEveryone needs a decent home they can affo"])
    saved_at: Moment
    head: Id = Field(description="The draft's newest revision.")
    behind: int = Field(
        examples=[2], description=f"Revisions of the draft since `base`; {MAX_COUNTED} is that or more."
    )

    @classmethod
    def of(cls, unsent: Unsent) -> "AutosaveOut":
        return cls(
            base=unsent.base_id,
            section=unsent.section or None,
            text=unsent.text,
            saved_at=unsent.saved_at,
            head=unsent.head_id,
            behind=unsent.behind,
        )


class AtWorkOut(Out):
    """A member who is changing this draft just now, and the first section that they changed."""

    name: str = Field(examples=["bob"])
    section: str | None = Field(examples=["key-points"])
    title: str | None = Field(examples=["Key points"])


class AutosavedOut(Out):
    """When it was kept, where the draft has got to, and who else is at work on it."""

    saved_at: Moment
    base: Id
    section: SectionKey | None
    head: Id = Field(description="The draft's newest revision.")
    behind: int = Field(
        examples=[2], description=f"Revisions of the draft since `base`; {MAX_COUNTED} is that or more."
    )
    others: list[AtWorkOut]

    @classmethod
    def of(cls, unsent: Unsent, others: Iterable[AtWork]) -> "AutosavedOut":
        return cls(
            saved_at=unsent.saved_at,
            base=unsent.base_id,
            section=unsent.section or None,
            head=unsent.head_id,
            behind=unsent.behind,
            others=[AtWorkOut(name=other.name, section=other.section, title=other.title) for other in others],
        )


class DraftOut(Out):
    """A line of revisions of a page. `ahead` and `behind` count revisions against the approved text.

    Before a first text is approved they count against the shared draft. `clean`: the draft and that text go together
    without a person.
    """

    id: Id
    page: Slug
    name: str = Field(examples=["Shorter topline"])
    kind: DraftKind
    owner: str | None = Field(examples=["anna"], description="Null for the shared draft.")
    state: DraftState
    base: Id | None = Field(description="The revision it was forked from.")
    head: Id
    behind: int = Field(examples=[0])
    ahead: int = Field(examples=[2])
    clean: bool

    @classmethod
    def of(cls, draft: Draft, page: str, owner: str | None, standing: Standing) -> "DraftOut":
        return cls(
            id=draft.id,
            page=page,
            name=draft.name,
            kind=DraftKind(draft.kind),
            owner=owner,
            state=DraftState(draft.state),
            base=draft.base_id,
            head=head_of(draft),
            behind=standing.behind,
            ahead=standing.ahead,
            clean=standing.clean,
        )


class SavedOut(Out):
    """The revision that holds the edit; `merged` if it was joined with what others had saved meanwhile."""

    revision: RevisionOut
    merged: bool = Field(examples=[False])


class SideOut(Out):
    """One of the texts of a clash."""

    revision: RevisionRow
    text: str = Field(examples=["Everyone needs a decent home."])


class SavedAsOut(Out):
    """The draft in which the author's text was kept, and its revision."""

    id: Id
    head: Id


class ClashOut(Out):
    """What a merge could not decide: the text both sides started from, both sides, and the sentences."""

    base: SideOut | None
    ours: SideOut
    theirs: SideOut
    conflicts: list[ConflictOut]


class EditClashOut(ClashOut):
    """A clash of an edit, whose text was kept all the same."""

    saved_as: SavedAsOut


class MergeProblem(Problem, ClashOut):
    """The problem document of a clash."""

    status: Literal[409]


class EditProblem(Problem, EditClashOut):
    """The problem document of an edit that clashes."""

    status: Literal[409]
