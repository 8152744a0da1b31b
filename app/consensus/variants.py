"""What screens show of candidates that say nearly the same: only how each differs from the one on top."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.consensus import joined, stacks
from app.consensus.models import Candidate, Value, Vote
from app.consensus.panel import show_change
from app.consensus.stacks import Stack
from app.drafts import joining
from app.drafts import service as drafts
from app.drafts.joining import Origin
from app.drafts.models import Draft, DraftState
from app.permissions import Action, Actor, allows
from app.revisions import service as revisions
from app.revisions.models import Revision

SHOWN, SHOWN_IN_LIST = 10, 3
"""So many others are shown with their differences, beside a candidate and in a list of many."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A candidate beside the one on top of its stack. `excerpts` mark what is other in it; none: no word is.

    `may_vote`: the viewer has not voted on it and may. `may_join`: both drafts are open.
    """

    revision: Revision
    draft_id: int
    draft_name: str
    author: str | None
    sentence: str
    excerpts: Sequence[Markup]
    more_excerpts: int
    may_vote: bool
    may_join: bool


@dataclass(frozen=True, slots=True)
class Alike:
    """Those that say nearly the same as one candidate: some of them, and how many there are."""

    draft_id: int
    variants: list[Variant]
    count: int
    supported: bool = False

    @property
    def to_vote_on(self) -> int:
        """How many of those shown the viewer can still vote on."""
        return sum(variant.may_vote for variant in self.variants)


@dataclass(frozen=True, slots=True)
class Joined:
    """What a draft was joined from, and the drafts that a text went into."""

    origins: list[Origin]
    into: Sequence[Draft]


def alike_in_stacks(session: Session, viewer: Actor | None, listed: Iterable[Stack]) -> dict[int, Alike]:
    """Of the stacks that hold more than one, the others by the revision of the one on top."""
    stacked = [stack for stack in listed if stack.others]
    members = [candidate for stack in stacked for candidate in (stack.top, *stack.others)]
    rows = revisions.get_many(session, (candidate.revision_id for candidate in members))
    texts = revisions.texts_of(session, rows.values())
    by_draft = drafts.get_many(session, (candidate.draft_id for candidate in members))
    people = [draft.owner_id for draft in by_draft.values()] + [row.author_id for row in rows.values()]
    names = accounts.names_of(session, people)
    own = _votes_of(session, viewer, [candidate.id for candidate in members])
    may_vote = allows(viewer, Action.VOTE)
    found = {}
    for stack in stacked:
        top, top_draft = texts[stack.top.revision_id], by_draft[stack.top.draft_id]
        variants = []
        for candidate in stack.others:
            row, draft = rows[candidate.revision_id], by_draft[candidate.draft_id]
            change = show_change(top, texts[row.id])
            variants.append(
                Variant(
                    revision=row,
                    draft_id=draft.id,
                    draft_name=draft.name,
                    author=names.get(draft.owner_id or row.author_id or 0),
                    sentence=change.sentence,
                    excerpts=change.excerpts,
                    more_excerpts=change.more,
                    may_vote=may_vote and not candidate.stale and candidate.id not in own,
                    may_join=draft.id != top_draft.id and draft.state == top_draft.state == DraftState.OPEN,
                )
            )
        found[stack.top.revision_id] = Alike(
            top_draft.id, variants, stack.size - 1, supported=own.get(stack.top.id) == Value.SUPPORT
        )
    return found


def alike_of(session: Session, viewer: Actor | None, candidate: Candidate | None) -> Alike | None:
    """The open candidates that say nearly the same as this one, if it is open and there are any."""
    if candidate is None or candidate.closed is not None:
        return None
    alike = stacks.look_alikes_of(session, [candidate], limit=None)[candidate.id]
    others = stacks.get_in_order(session, [other.id for other in alike[:SHOWN]])
    stack = Stack(candidate, others, len(alike) + 1)
    return alike_in_stacks(session, viewer, [stack]).get(candidate.revision_id)


def joined_of(session: Session, draft: Draft, candidate: Candidate | None) -> Joined:
    """What the draft was joined from, and what the candidate's text was joined into."""
    into = joined.list_joined_into(session, candidate) if candidate else []
    return Joined(joining.origins_of(session, draft.id), into)


def _votes_of(session: Session, viewer: Actor | None, candidate_ids: Collection[int]) -> dict[int, str]:
    if viewer is None:
        return {}
    query = select(Vote.candidate_id, Vote.value)
    rows = session.exec(query.where(col(Vote.candidate_id).in_(candidate_ids), Vote.member_id == viewer.id))
    return {candidate_id: value for candidate_id, value in rows}
