"""In which order open candidates are read: a page's best first, and over all pages those that need somebody now."""

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func
from sqlmodel import Session, col, select

from app.consensus import nearness
from app.consensus.facts import Decision
from app.consensus.models import Candidate, Vote
from app.consensus.tallies import Counts
from app.drafts.models import Draft
from app.revisions.models import Revision

Query = TypeVar("Query", bound="Select[*tuple[Any, ...]]")


class Stand(StrEnum):
    """How an open candidate stands, in the words of an address."""

    WAITING = "waiting"
    VOTING = "voting"
    NEW = "new"
    STALE = "stale"


# One that went stale and was merged since has a newer version, which is put to the vote by itself.
_MERGED = and_(
    col(Candidate.stale),
    ~exists().where(col(Draft.id) == col(Candidate.draft_id), col(Draft.head_id) == col(Candidate.revision_id)),
)
_OPEN = col(Candidate.closed).is_(None)
_LISTED = and_(_OPEN, ~_MERGED)
_FRESH = col(Candidate.stale).is_(False)
_WITH: dict[Stand, ColumnElement[bool]] = {
    Stand.WAITING: and_(_FRESH, col(Candidate.passing_since).is_not(None)),
    Stand.VOTING: and_(_FRESH, col(Candidate.passing_since).is_(None), col(Candidate.opened_at).is_not(None)),
    Stand.NEW: and_(_FRESH, col(Candidate.opened_at).is_(None)),
    Stand.STALE: col(Candidate.stale).is_(True),
}

# A list is these two, one after the other: together they could not be read along an index.
_VOTED = col(Candidate.score).is_not(None)
_UNVOTED = col(Candidate.score).is_(None)
_BEST_FIRST = (
    col(Candidate.stale),
    col(Candidate.score).desc(),
    col(Candidate.supporters).desc(),
    col(Revision.sha256),
    col(Candidate.id).desc(),
)
_NEWEST_FIRST = (col(Candidate.id).desc(),)


def note_rank(candidate: Candidate, decision: Decision) -> None:
    """Keep what the candidate is ranked by, here and in the queue; it changes with its votes alone.

    Without any votes it has no score. The score is rounded to 53 bits: for the order of a list, never for a decision.
    """
    voted = any(line.votes != Counts() for line in decision.count.chapters)
    candidate.score = float(decision.score) if voted else None
    candidate.supporters = decision.count.supporters
    candidate.urgency = nearness.urgency_of(decision.count, decision.to_beat)
    candidate.room = nearness.room_of(decision.count) if voted else None


def list_ranked(
    session: Session, page_id: int, *, stand: Stand | None = None, skip: int = 0, limit: int | None = None
) -> Sequence[Candidate]:
    """The page's open candidates, best first; those without votes after all others, newest first."""
    query = select(Candidate)
    found = [*session.exec(_voted(query, page_id, stand).offset(skip).limit(limit))]
    if limit is not None and len(found) >= limit:
        return found
    voted = 0 if found or not skip else _count_voted(session, page_id, stand)
    left = None if limit is None else limit - len(found)
    further = _unvoted(query, page_id, stand).offset(0 if found else max(0, skip - voted))
    return [*found, *session.exec(further.limit(left))]


def list_with_stacks(session: Session, page_id: int, *, stand: Stand | None = None) -> list[tuple[int, int]]:
    """The ids of the page's open candidates, best first, each with its stack's."""
    query = select(Candidate.id, Candidate.stack_id)
    rows = (*session.exec(_voted(query, page_id, stand)), *session.exec(_unvoted(query, page_id, stand)))
    return [(candidate_id, stack_id or candidate_id) for candidate_id, stack_id in rows]


def list_best_of_stacks(
    session: Session, stack_ids: Collection[int], *, most: int | None
) -> list[tuple[int, int, int]]:
    """Stack, candidate and revision of open candidates, by rank: of each of some stacks at least the best `most`."""
    enough = sys.maxsize if most is None else most
    found: list[tuple[int, int, int]] = []
    left = set(stack_ids)
    for query in (_BEST_VOTED, _NEWEST_UNVOTED):
        rows = session.execute(query, {"stacks": list(left), "most": enough}) if left else ()
        found += [(stack_id, candidate_id, revision_id) for stack_id, candidate_id, revision_id in rows]
        counted = Counter(stack_id for stack_id, _, _ in found)
        left = {stack_id for stack_id in left if counted[stack_id] < enough}
    return found


def _of_stacks(place: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    ranked = select(Candidate.stack_id, Candidate.id, Candidate.revision_id, place.label("place"))
    return ranked.where(col(Candidate.stack_id).in_(bindparam("stacks", expanding=True)), _LISTED)


def _first_of_each(ranked: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    rows = ranked.subquery()
    first = select(rows.c.stack_id, rows.c.id, rows.c.revision_id).where(rows.c.place <= bindparam("most"))
    return first.order_by(rows.c.place)


_IN_STACK = func.row_number()
_BEST_VOTED = _first_of_each(
    _of_stacks(_IN_STACK.over(partition_by=col(Candidate.stack_id), order_by=_BEST_FIRST))
    .join(Revision, col(Revision.id) == Candidate.revision_id)
    .where(_VOTED)
)
_NEWEST_UNVOTED = _first_of_each(
    _of_stacks(_IN_STACK.over(partition_by=col(Candidate.stack_id), order_by=_NEWEST_FIRST)).where(_UNVOTED)
)


def find_place(session: Session, page_id: int, candidate_id: int) -> int | None:
    """How many of the page's open candidates are ranked before this one; None if it is not among them."""
    query = select(Candidate.id)
    ranked = [*session.exec(_voted(query, page_id)), *session.exec(_unvoted(query, page_id))]
    return ranked.index(candidate_id) if candidate_id in ranked else None


def count_better(session: Session, candidate: Candidate) -> int:
    """How many open candidates of its page have a higher score; stale ones stand behind all others."""
    higher = and_(_FRESH, col(Candidate.score) > candidate.score)
    better = and_(col(Candidate.page_id) == candidate.page_id, _OPEN, higher)
    return session.exec(select(func.count()).select_from(Candidate).where(better)).one()


def count_stands(session: Session, page_id: int) -> Counter[Stand]:
    """How many of the page's open candidates stand in each way."""
    stands = case(*((with_it, stand.value) for stand, with_it in _WITH.items()))
    counted = select(stands, func.count()).where(col(Candidate.page_id) == page_id, _LISTED).group_by(stands)
    return Counter({Stand(stand): number for stand, number in session.exec(counted)})


def count_open(session: Session, page_ids: Iterable[int]) -> dict[int, int]:
    """How many candidates each page lists."""
    rows = session.exec(
        select(Candidate.page_id, func.count())
        .where(col(Candidate.page_id).in_(list(page_ids)), _LISTED)
        .group_by(col(Candidate.page_id))
    )
    return {page_id: count for page_id, count in rows}


def list_nearest_decision(session: Session, *, limit: int) -> Sequence[Candidate]:
    """Candidates over all pages whose waiting ends soonest, then those whose vote opened last."""
    query = select(Candidate).where(_OPEN, _FRESH)
    waiting = query.where(col(Candidate.passing_since).is_not(None)).order_by(col(Candidate.due_at), col(Candidate.id))
    found = [*session.exec(waiting.limit(limit))]
    if len(found) < limit:
        collecting = query.where(col(Candidate.opened_at).is_not(None), col(Candidate.passing_since).is_(None))
        latest = collecting.order_by(col(Candidate.opened_at).desc(), col(Candidate.id).desc())
        found += session.exec(latest.limit(limit - len(found)))
    return found


def list_lacking_chapter(session: Session, chapter_id: int, *, limit: int = 20) -> Sequence[Candidate]:
    """Open candidates with votes, but none from this chapter yet; the ones opened last come first."""
    from_here = select(Vote.id).where(Vote.candidate_id == Candidate.id, Vote.chapter_id == chapter_id)
    query = select(Candidate).where(_OPEN, _FRESH, col(Candidate.opened_at).is_not(None), ~from_here.exists())
    return session.exec(query.order_by(col(Candidate.opened_at).desc(), col(Candidate.id).desc()).limit(limit)).all()


def _count_voted(session: Session, page_id: int, stand: Stand | None) -> int:
    return session.exec(_of_page(select(func.count()).select_from(Candidate), page_id, stand).where(_VOTED)).one()


def _voted(query: Query, page_id: int, stand: Stand | None = None) -> Query:
    joined = query.join(Revision, col(Revision.id) == Candidate.revision_id)
    return _of_page(joined, page_id, stand).where(_VOTED).order_by(*_BEST_FIRST)


def _unvoted(query: Query, page_id: int, stand: Stand | None = None) -> Query:
    return _of_page(query, page_id, stand).where(_UNVOTED).order_by(*_NEWEST_FIRST)


def _of_page(query: Query, page_id: int, stand: Stand | None) -> Query:
    listed = query.where(col(Candidate.page_id) == page_id, _LISTED)
    return listed if stand is None else listed.where(_WITH[stand])
