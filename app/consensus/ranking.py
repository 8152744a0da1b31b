"""In which order open candidates are read: a page's best first, and over all pages those that need somebody now."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func
from sqlmodel import Session, col, select

from app.consensus import nearness
from app.consensus.facts import Decision
from app.consensus.models import Candidate, LookAlike, Vote
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

_UNVOTED = col(Candidate.score).is_(None)
_RANK = (
    _UNVOTED,
    case((_UNVOTED, false()), else_=col(Candidate.stale)),
    col(Candidate.score).desc(),
    col(Candidate.supporters).desc(),
    case((_UNVOTED, ""), else_=col(Revision.sha256)),
    col(Candidate.id).desc(),
)


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
    return session.exec(_ranked(select(Candidate), page_id, stand).offset(skip).limit(limit)).all()


def list_with_stacks(session: Session, page_id: int, *, stand: Stand | None = None) -> list[tuple[int, int]]:
    """The ids of the page's open candidates, best first, each with its stack's."""
    query = select(Candidate.id, func.coalesce(LookAlike.stack_id, Candidate.id)).select_from(Candidate)
    query = query.outerjoin(LookAlike, col(LookAlike.candidate_id) == Candidate.id)
    return [(candidate_id, stack_id) for candidate_id, stack_id in session.exec(_ranked(query, page_id, stand))]


def list_best_of_stacks(
    session: Session, stack_ids: Collection[int], *, most: int | None
) -> list[tuple[int, int, int]]:
    """Stack, candidate and revision of open candidates, by rank: the best `most` of each of some stacks."""
    place = func.row_number().over(partition_by=col(LookAlike.stack_id), order_by=_RANK).label("place")
    ranked = (
        select(LookAlike.stack_id, Candidate.id, Candidate.revision_id, place)
        .join(Candidate, col(LookAlike.candidate_id) == Candidate.id)
        .join(Revision, col(Revision.id) == Candidate.revision_id)
        .where(col(LookAlike.stack_id).in_(stack_ids), _LISTED)
        .subquery()
    )
    query = select(ranked.c.stack_id, ranked.c.id, ranked.c.revision_id).order_by(ranked.c.place)
    if most is not None:
        query = query.where(ranked.c.place <= most)
    return [(stack_id, candidate_id, revision_id) for stack_id, candidate_id, revision_id in session.exec(query)]


def find_place(session: Session, page_id: int, candidate_id: int) -> int | None:
    """How many of the page's open candidates are ranked before this one; None if it is not among them."""
    ranked = session.exec(_ranked(select(Candidate.id), page_id)).all()
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


def _ranked(query: Query, page_id: int, stand: Stand | None = None) -> Query:
    return (
        query.join(Revision, col(Revision.id) == Candidate.revision_id)
        .where(col(Candidate.page_id) == page_id, _LISTED)
        .where(*([] if stand is None else [_WITH[stand]]))
        .order_by(*_RANK)
    )
