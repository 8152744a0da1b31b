"""Search results in answers."""

from typing import Annotated, Literal

from pydantic import Field

from app.approvals.schemas import RevisionRef
from app.search.engine import Group
from app.search.service import Result, Results
from app.search.snippets import Passage
from app.web.schemas import Id, Listing, Out, Slug

Title = Annotated[str, Field(examples=["Housing"])]


class PassageOut(Out):
    """The snippet as plain text, and the pairs of start and end, in characters, of what to mark."""

    text: str = Field(examples=["Everyone needs a home they can afford. …"])
    marks: list[tuple[int, int]] = Field(examples=[[[17, 21]]])

    @classmethod
    def of(cls, passage: Passage) -> "PassageOut":
        return cls(text=passage.text, marks=list(passage.marks))


class SearchRow(Out):
    """A page, by its text that fits best: the approved one if that fits, else a draft.

    Only a text with status `approved` is for use; `replaced` ones were approved once, `held` and `withdrawn` ones were
    stopped by a moderator, and `contested` ones lost their approval without an earlier text to go back to.
    """

    page: Slug
    title: Title
    revision: RevisionRef
    draft: Id | None = Field(description="The draft it is the newest text of; null unless the status is `draft`.")
    status: Literal["approved", "draft", "replaced", "held", "withdrawn", "contested"]
    score: float = Field(
        examples=[3.1416], description="To compare within one answer; rows of one status are in order."
    )
    snippet: str = Field(
        examples=["Everyone needs a <mark>home</mark> they can afford. …"],
        description="HTML: escaped, with `<mark>` around the words found.",
    )
    passage: PassageOut
    other_drafts: int = Field(examples=[2], description="How many further drafts of the page fit.")

    @classmethod
    def of(cls, result: Result) -> "SearchRow":
        source = result.source
        return cls.model_construct(
            page=source.slug,
            title=source.title,
            revision=RevisionRef.model_construct(id=source.revision_id, number=source.number, sha256=source.sha256),
            draft=source.draft_id,
            status=result.doubt or result.status,
            score=round(result.score, 4),
            snippet=result.passage.html,
            passage=PassageOut.of(result.passage),
            other_drafts=result.other_drafts,
        )


class GroupCounts(Out):
    """How many pages have such a text that fits, also where `in` asked for others."""

    approved: int = Field(examples=[3])
    drafts: int = Field(examples=[5])
    history: int = Field(examples=[1])


class Facets(Out):
    """How the search could be narrowed, and how many pages each way would leave."""

    in_: GroupCounts = Field(alias="in")
    tags: dict[str, int] = Field(examples=[{"rents": 2}], description="The commonest tags among what was found.")


class SearchOut(Listing[SearchRow]):
    """What was found, what was perhaps meant, and in `notes` how the search differs from what was typed."""

    facets: Facets
    suggestion: str | None = Field(examples=[None], description="The query, spelt so that it finds something.")
    notes: list[str] = Field(examples=[[]])

    @classmethod
    def of(cls, rows: Listing[SearchRow], results: Results) -> "SearchOut":
        counts = results.found.by_group
        return cls(
            data=rows.data,
            next=rows.next,
            facets=Facets(
                in_=GroupCounts(
                    approved=counts.get(Group.APPROVED, 0),
                    drafts=counts.get(Group.DRAFTS, 0),
                    history=counts.get(Group.REPLACED, 0),
                ),
                tags=dict(results.found.by_tag),
            ),
            suggestion=results.suggestion,
            notes=list(results.notes),
        )


class TitleRow(Out):
    """A page whose title may be what is being typed."""

    page: Slug
    title: Title
    status: Literal["approved", "none"] = Field(description="Whether the page has approved text.")
