"""Votes, candidates and decisions in requests and answers."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field

from app.approvals.schemas import RevisionRef
from app.consensus.facts import Decision, Rule, State
from app.consensus.models import Value, Vote
from app.consensus.tallies import AT_LARGE, ChapterCount, Electorate
from app.revisions.models import Revision
from app.revisions.schemas import DiffCountsOut, OpOut, RevisionRow
from app.web.schemas import A_SHA256, Id, In, Moment, Out, Slug

Slugs = Mapping[int, str]
"""Chapters' addresses by id."""

MOST_ALIKE = 20
MOST_ASKED = 20

Fraction = Annotated[str, Field(description="An exact fraction.")]


class VoteIn(In):
    """A vote on exactly the text with this hash."""

    value: Literal["support", "oppose", "pass"]
    sha256: Annotated[str, Field(max_length=200, examples=[A_SHA256], description="Of the text as the voter read it.")]
    reason: Annotated[str, Field(max_length=2_000, examples=["It names a number"])] = ""


class AnswerIn(In):
    """What becomes of the caller's vote on a text that went stale: the same value keeps it, null takes it back."""

    value: Literal["support", "oppose"] | None


class VoteOut(Out):
    """The caller's own vote; nobody else's is ever shown."""

    value: Value
    revision: RevisionRef
    reason: str = Field(examples=["It names a number"])
    cast_at: Moment

    @classmethod
    def of(cls, vote: Vote, revision: Revision) -> "VoteOut":
        return cls(value=Value(vote.value), revision=RevisionRef.of(revision), reason=vote.reason, cast_at=vote.cast_at)


class MissingOut(Out):
    """The smallest change that would make it pass: further supporters from these chapters, or seconds to wait."""

    what: Literal["supporters", "time"]
    count: int = Field(examples=[2])
    chapters: list[str] = Field(alias="from", examples=[["north", "at large"]])


class TallyOut(Out):
    """The votes of one chapter; small ones and members without one are together as “at large”.

    At most `cap` of its supporters count towards the number needed: `counted`.
    """

    chapter: str = Field(examples=["north"])
    members: int = Field(examples=[12])
    cap: int = Field(examples=[3])
    support: int = Field(examples=[4])
    oppose: int = Field(examples=[1])
    passes: int = Field(alias="pass", examples=[0])
    counted: int = Field(examples=[3])

    @classmethod
    def of(cls, line: ChapterCount, slugs: Slugs) -> "TallyOut":
        return _tally_of(line, name_chapter(line.chapter, slugs))


@lru_cache(maxsize=2_000)
def _tally_of(line: ChapterCount, chapter: str) -> TallyOut:
    """Of the hundreds of lines in a list most are alike: of a chapter from which nobody has voted yet."""
    votes = line.votes
    return TallyOut(
        chapter=chapter,
        members=line.members,
        cap=line.cap,
        support=votes.support,
        oppose=votes.oppose,
        passes=votes.passes,
        counted=line.counted,
    )


class ElectorateOut(Out):
    """The active members when the vote opened, or now if it has not."""

    active: int = Field(examples=[30])
    chapters: dict[str, int] = Field(examples=[{"north": 12, "south": 15, "at large": 3}])

    @classmethod
    def of(cls, electorate: Electorate, slugs: Slugs) -> "ElectorateOut":
        chapters = {name_chapter(chapter, slugs): count for chapter, count in electorate.members.items()}
        return cls(active=electorate.active, chapters=dict(sorted(chapters.items())))


class RuleOut(Out):
    """The rule in force when the vote opened, or now if it has not. Times are seconds, `active_days` days."""

    name: str = Field(examples=["three to one"])
    wait_routine: int = Field(examples=[43_200])
    wait_rapid: int | None = Field(examples=[None])
    vote_lasts: int = Field(examples=[1_209_600])
    rival_window: int = Field(examples=[86_400])
    neighbour_wait: int = Field(examples=[3_600])
    active_days: int = Field(examples=[14])
    rapid_lasts: int = Field(examples=[172_800])

    @classmethod
    def of(cls, rule: Rule) -> "RuleOut":
        return cls(**{name: getattr(rule, name) for name in cls.model_fields})


class DecisionOut(Out):
    """How a text stands, why, and what would change it."""

    state: State
    reach: int = Field(examples=[5], description="Supporters counted under the caps.")
    need: int = Field(examples=[6], description="Supporters needed.")
    support: Fraction = Field(examples=["5"])
    oppose: Fraction = Field(examples=["3/4"])
    score: Fraction = Field(examples=["20/31"])
    to_beat: Fraction | None = Field(examples=[None])
    waits_until: Moment | None = Field(examples=[None])
    reasons: list[str] = Field(examples=[["Collecting votes.", "It needs 1 more supporter from any chapter."]])
    missing: list[MissingOut]

    @classmethod
    def fields_of(cls, decision: Decision, slugs: Slugs) -> dict[str, Any]:
        missing = [
            MissingOut(
                what=entry.what,
                count=entry.count,
                chapters=[name_chapter(chapter, slugs) for chapter in entry.chapters],
            )
            for entry in decision.missing
        ]
        return {
            "state": decision.state,
            "reach": decision.reach,
            "need": decision.need,
            "support": str(decision.support),
            "oppose": str(decision.oppose),
            "score": str(decision.score),
            "to_beat": None if decision.to_beat is None else str(decision.to_beat),
            "waits_until": decision.waits_until,
            "reasons": list(decision.reasons),
            "missing": missing,
        }


class FullDecisionOut(DecisionOut):
    """A decision with all that it rests on.

    `revision` is the text that is voted on now; `carried_to` is its id where that is not the one asked for.
    """

    revision: RevisionRef
    carried_to: Id | None = Field(examples=[None])
    tallies: list[TallyOut]
    electorate: ElectorateOut
    rule: RuleOut


class CastOut(Out):
    """The caller's vote, null when taken back, and how the text stands now."""

    vote: VoteOut | None
    decision: FullDecisionOut


class CandidateOut(Out):
    """A text put to the vote. `base` is the approved text that it changes; null: the whole text is new."""

    page: Slug
    draft: Id
    revision: RevisionRow
    base: Id | None
    put_forward_at: Moment
    opened_at: Moment | None = Field(description="When the first vote counted.")
    score: Fraction = Field(examples=["20/31"])
    tallies: list[TallyOut]
    decision: DecisionOut
    look_alikes: list[Id] = Field(
        examples=[[41, 57]],
        description=f"Open candidates that say nearly the same, as revisions: the best {MOST_ALIKE}, best first.",
    )


class ReviewDiffOut(Out):
    """What a candidate changes, as `/diff` has it; `from` is null where the whole text is new."""

    from_revision: Id | None = Field(alias="from")
    to: Id
    ops: list[OpOut]
    counts: DiffCountsOut
    sentence: str = Field(examples=["1 change: 1 word replaced by 2 in Topline."])


class ProgressOut(Out):
    """Texts the caller voted on today (in UTC), and open ones that are left."""

    today: int = Field(examples=[14])
    left: int = Field(examples=[3])


class PageRef(Out):
    """The page of a text."""

    slug: Slug
    title: str = Field(examples=["Housing"])


class AskedAgainOut(Out):
    """A vote of the caller's on a text that went stale since, when `approved` took the place of its sentences."""

    page: Slug
    revision: Id = Field(description="The text they voted on.")
    value: Value
    approved: Id = Field(description="The text that was approved meanwhile.")


class ReviewOut(Out):
    """What the caller is asked next. All but `progress`, `done` and `asked_again` are null once nothing is left."""

    candidate: CandidateOut | None
    page: PageRef | None
    diff: ReviewDiffOut | None
    why: str | None = Field(examples=["It is near a decision: few votes settle it, yours among them."])
    progress: ProgressOut
    done: str | None = Field(examples=[None], description="A sentence that says so when nothing is left.")
    asked_again: list[AskedAgainOut] = Field(
        description=f"Votes of the caller's of which they have not said whether they still stand, {MOST_ASKED} at most."
    )


def name_chapter(chapter_id: int | None, slugs: Slugs) -> str:
    """A chapter's address; “at large” for those without one."""
    return AT_LARGE if chapter_id is None else slugs.get(chapter_id, str(chapter_id))
