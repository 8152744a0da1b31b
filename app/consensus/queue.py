"""The queue: the next text for a member, where their vote moves most."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Integer, Select, and_, bindparam, cast, exists, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.consensus import nearness
from app.consensus.models import Candidate, Vote
from app.database import UtcDateTime, now
from app.permissions import Action, Actor, require
from app.words import N_

LOOK = 300
"""How many of the most urgent candidates are looked at for one that still lacks the member's chapter."""

_FIRST_LOOK = 20
"""So many are read first, as mostly one of them is it."""

UNDO = timedelta(seconds=30)
"""How long a screen offers to take the last vote back."""

_RANDOM_ONE_IN = 10
_PRIME = 2_147_483_647


_Rows = Select[int, dict[str, bool] | None]

# Put together once: that takes longer than to run them.
_ACTOR: BindParameter[int] = bindparam("actor", type_=Integer())
_OF_ACTOR = col(Vote.member_id) == _ACTOR
_IS_OPEN = and_(col(Candidate.closed).is_(None), col(Candidate.stale).is_(False))
_UNVOTED: _Rows = sql_select(col(Candidate.id), col(Candidate.room)).where(
    _IS_OPEN, ~exists().where(col(Vote.candidate_id) == col(Candidate.id), _OF_ACTOR)
)
_MOST_URGENT = _UNVOTED.order_by(col(Candidate.urgency).desc(), col(Candidate.id).desc())
_COUNT = sql_select(func.count())
_VOTED = _COUNT.select_from(Vote).where(_OF_ACTOR)
_PROGRESS = sql_select(
    _VOTED.where(col(Vote.cast_at) >= bindparam("midnight", type_=UtcDateTime())).scalar_subquery(),
    _COUNT.select_from(Candidate).where(_IS_OPEN).scalar_subquery(),
    _VOTED.join(Candidate, col(Candidate.id) == Vote.candidate_id).where(_IS_OPEN).scalar_subquery(),
)


class Why(StrEnum):
    """Why the queue offers a text, in words that tell nothing about how others voted."""

    RANDOM = N_("It was picked at random, so that no text is forgotten.")
    NEW = N_("Nobody has voted on it yet.")
    NEAR = N_("It is near a decision: few votes settle it, yours among them.")
    OPEN = N_("It needs more votes, your chapter’s among them.")
    REST = N_("Little is left to decide about it, and you have not read it yet.")
    ASKED = N_("You asked for this one.")


@dataclass(frozen=True, slots=True)
class Next:
    """What a member is asked next, and why. Of no candidate: nothing is left."""

    candidate: Candidate | None
    why: Why


@dataclass(frozen=True, slots=True)
class Progress:
    """Texts the member voted on today (a day in UTC), and open ones that are left."""

    today: int
    left: int


def find_next(session: Session, actor: Actor | None, *, chapter_id: int | None = None) -> Next:
    """The open candidate on which the actor's vote moves most, of those they have not voted or passed on.

    Near a decision first, of those that still lack the actor's chapter; the newest among equals. One in ten is any of
    them. Who asks again without having voted gets the same answer, as long as nothing else changed. With `chapter_id`
    only those that still lack votes of that chapter, whoever asks. Raises `NotAllowed` for nobody.
    """
    actor = require(actor, Action.REVIEW)
    so_far = session.execute(_VOTED, {"actor": actor.id}).scalar_one()
    draw = random.Random(f"{actor.id} {so_far}")
    at_random = draw.randrange(_RANDOM_ONE_IN) == 0
    in_any_order = (cast(Candidate.id, BigInteger) * draw.randrange(1, _PRIME)) % _PRIME
    if at_random and chapter_id is None:
        found = _draw(session, actor, in_any_order)
    else:
        query = _UNVOTED.order_by(in_any_order) if at_random else _MOST_URGENT
        found = _first(session, query, actor, chapter_id)
    if found is None:
        return Next(None, Why.REST)
    candidate = session.get_one(Candidate, found)
    return Next(candidate, Why.RANDOM if at_random else why_of(candidate, actor.chapter_id))


def list_next(session: Session, actor: Actor, *, limit: int) -> list[Candidate]:
    """The head of the actor’s queue in order, none at random: what lacks their chapter’s votes comes first."""
    rows = session.execute(_MOST_URGENT.limit(max(limit, _FIRST_LOOK)), {"actor": actor.id}).all()
    rows = sorted(rows, key=lambda row: not nearness.has_room(row.room, actor.chapter_id))
    return [session.get_one(Candidate, row.id) for row in rows[:limit]]


def why_of(candidate: Candidate, chapter_id: int | None) -> Why:
    """Why a member of this chapter is asked about the candidate."""
    if candidate.room is None:
        return Why.NEW
    if candidate.urgency <= nearness.HOPELESS or not nearness.has_room(candidate.room, chapter_id):
        return Why.REST
    return Why.NEAR if candidate.urgency >= 50 else Why.OPEN


def _draw(session: Session, actor: Actor, order: ColumnElement[int]) -> int | None:
    """The first in this order that the actor has not voted on. Among the first of all there is one nearly always."""
    first = sql_select(col(Candidate.id), order.label("place")).where(_IS_OPEN).order_by(order).limit(_FIRST_LOOK)
    drawn = first.subquery()
    unvoted = ~exists().where(col(Vote.candidate_id) == drawn.c.id, _OF_ACTOR)
    for query in (
        sql_select(drawn.c.id).where(unvoted).order_by(drawn.c.place),
        _UNVOTED.with_only_columns(col(Candidate.id)).order_by(order),
    ):
        row = session.execute(query.limit(1), {"actor": actor.id}).first()
        if row is not None:
            return int(row.id)
    return None


def _first(session: Session, query: _Rows, actor: Actor, chapter_id: int | None) -> int | None:
    """The first that has room for this chapter, or for the actor's own; without a chapter else the first of all."""
    strictly, given = chapter_id is not None, {"actor": actor.id}
    chapter_id = chapter_id or actor.chapter_id
    first, seen, limit = None, 0, _FIRST_LOOK
    while strictly or seen < LOOK:
        rows = session.execute(query.offset(seen).limit(limit), given).all()
        for row in rows:
            first = first or row.id
            if nearness.has_room(row.room, chapter_id):
                return int(row.id)
        if len(rows) < limit:
            break
        seen, limit = seen + limit, LOOK
    return None if strictly else first


def find_asked(session: Session, actor: Actor | None, candidate: Candidate | None) -> Next | None:
    """The candidate that was asked for, if it is open and the actor has not voted on it."""
    actor = require(actor, Action.REVIEW)
    if candidate is None or candidate.closed is not None or candidate.stale:
        return None
    voted = session.exec(select(Vote.id).where(Vote.candidate_id == candidate.id, Vote.member_id == actor.id)).first()
    return None if voted else Next(candidate, Why.ASKED)


def progress_of(session: Session, actor: Actor) -> Progress:
    """How far the actor got today, and what is left."""
    midnight = now(session).replace(hour=0, minute=0, second=0, microsecond=0)
    today, open_, voted = session.execute(_PROGRESS, {"actor": actor.id, "midnight": midnight}).one()
    return Progress(today, open_ - voted)


def last_vote(session: Session, actor: Actor) -> tuple[Vote, datetime] | None:
    """The vote that the actor cast last and can still take back with one tap, and until when."""
    at = now(session)
    query = select(Vote).where(Vote.member_id == actor.id, col(Vote.cast_at) > at - UNDO)
    found: Sequence[Vote] = session.exec(query.order_by(col(Vote.cast_at).desc(), col(Vote.id).desc()).limit(1)).all()
    return (found[0], found[0].cast_at + UNDO) if found else None
