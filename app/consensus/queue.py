"""The queue: the next text for a member, where their vote moves most."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, Select, cast, exists, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.consensus import nearness
from app.consensus.models import Candidate, Vote
from app.database import now
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
    so_far = session.exec(select(func.count()).where(Vote.member_id == actor.id)).one()
    draw = random.Random(f"{actor.id} {so_far}")
    at_random = draw.randrange(_RANDOM_ONE_IN) == 0
    query = _unvoted_by(actor)
    if at_random:
        query = query.order_by((cast(Candidate.id, BigInteger) * draw.randrange(1, _PRIME)) % _PRIME)
    else:
        query = query.order_by(col(Candidate.urgency).desc(), col(Candidate.id).desc())
    found = _first(session, query, chapter_id or actor.chapter_id, strictly=chapter_id is not None, any_=at_random)
    if found is None:
        return Next(None, Why.REST)
    candidate = session.get_one(Candidate, found)
    return Next(candidate, Why.RANDOM if at_random else why_of(candidate, actor.chapter_id))


def list_next(session: Session, actor: Actor, *, limit: int) -> list[Candidate]:
    """The head of the actor’s queue in order, none at random: what lacks their chapter’s votes comes first."""
    query = _unvoted_by(actor).order_by(col(Candidate.urgency).desc(), col(Candidate.id).desc())
    rows = session.execute(query.limit(max(limit, _FIRST_LOOK))).all()
    rows = sorted(rows, key=lambda row: not nearness.has_room(row.room, actor.chapter_id))
    return [session.get_one(Candidate, row.id) for row in rows[:limit]]


def why_of(candidate: Candidate, chapter_id: int | None) -> Why:
    """Why a member of this chapter is asked about the candidate."""
    if candidate.room is None:
        return Why.NEW
    if candidate.urgency <= nearness.HOPELESS or not nearness.has_room(candidate.room, chapter_id):
        return Why.REST
    return Why.NEAR if candidate.urgency >= 50 else Why.OPEN


def _unvoted_by(actor: Actor) -> _Rows:
    own = exists().where(col(Vote.candidate_id) == col(Candidate.id), col(Vote.member_id) == actor.id)
    return sql_select(col(Candidate.id), col(Candidate.room)).where(
        col(Candidate.closed).is_(None), col(Candidate.stale).is_(False), ~own
    )


def _first(session: Session, query: _Rows, chapter_id: int | None, *, strictly: bool, any_: bool) -> int | None:
    """The first that has room for the chapter, else, unless it must have, the first of all."""
    if any_ and not strictly:
        row = session.execute(query.with_only_columns(col(Candidate.id)).limit(1)).first()
        return row.id if row else None
    first, seen, limit = None, 0, _FIRST_LOOK
    while strictly or seen < LOOK:
        rows = session.execute(query.offset(seen).limit(limit)).all()
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
    today = select(func.count()).where(Vote.member_id == actor.id, col(Vote.cast_at) >= midnight)
    is_open = (col(Candidate.closed).is_(None), col(Candidate.stale).is_(False))
    everything = select(func.count()).select_from(Candidate).where(*is_open)
    voted = select(func.count()).select_from(Vote).join(Candidate).where(Vote.member_id == actor.id, *is_open)
    return Progress(session.exec(today).one(), session.exec(everything).one() - session.exec(voted).one())


def last_vote(session: Session, actor: Actor) -> tuple[Vote, datetime] | None:
    """The vote that the actor cast last and can still take back with one tap, and until when."""
    at = now(session)
    query = select(Vote).where(Vote.member_id == actor.id, col(Vote.cast_at) > at - UNDO)
    found: Sequence[Vote] = session.exec(query.order_by(col(Vote.cast_at).desc(), col(Vote.id).desc()).limit(1)).all()
    return (found[0], found[0].cast_at + UNDO) if found else None
