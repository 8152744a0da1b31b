"""What a replay is tried with: orders in which members are asked, and how many of them would support a text."""

import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import exists
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.consensus import queue
from app.consensus.models import Candidate, Vote
from app.permissions import Actor

Supports = Callable[[random.Random], float]


def _clear(order: random.Random) -> float:
    return order.betavariate(9, 1) if order.random() < 0.5 else order.betavariate(2, 8)


def _measured(order: random.Random) -> float:
    return order.betavariate(1.78, 0.94)


SUPPORT: dict[str, tuple[Supports, str]] = {
    "clear": (_clear, "half of the texts Beta(9, 1) with mean .90, half Beta(2, 8) with mean .20"),
    "measured": (_measured, "Beta(1.78, 0.94), as of 593 texts of seven real conversations; 29 % between 1/2 and 3/4"),
}


def by_queue(session: Session, actor: Actor) -> Candidate | None:
    """Where the member's vote moves most; none where it would hardly move anything."""
    found = queue.find_next(session, actor)
    return None if found.why is queue.Why.REST else found.candidate


def by_newest(session: Session, actor: Actor) -> Candidate | None:
    """The newest that the member has not voted on."""
    return _first(session, actor, col(Candidate.id).desc())


def by_popularity(session: Session, actor: Actor) -> Candidate | None:
    """The one with the best score that the member has not voted on, then the newest."""
    return _first(session, actor, col(Candidate.score).desc().nulls_last(), col(Candidate.id).desc())


def _first(session: Session, actor: Actor, *order: Any) -> Candidate | None:
    own = exists().where(col(Vote.candidate_id) == col(Candidate.id), col(Vote.member_id) == actor.id)
    unvoted = sql_select(col(Candidate.id)).where(
        col(Candidate.closed).is_(None), col(Candidate.stale).is_(False), ~own
    )
    found = session.execute(unvoted.order_by(*order).limit(1)).scalar()
    return None if found is None else session.get_one(Candidate, found)


ORDERINGS: dict[str, Callable[[Session, Actor], Candidate | None]] = {
    "queue": by_queue,
    "newest first": by_newest,
    "most popular first": by_popularity,
}
