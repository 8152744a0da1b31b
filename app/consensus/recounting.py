"""What members voted on before their votes counted is looked at again once they do.

Whoever decides on a candidate holds its page, so whoever makes somebody's votes count only notes it with the member: to
hold all they voted on would lock both out. The follower goes from one to the next.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from app.accounts.models import User
from app.consensus import promotion
from app.consensus.circumstances import IN_FORCE
from app.consensus.models import Candidate, Vote
from app.database import now


def list_members(session: Session) -> Sequence[tuple[int, int]]:
    """The ids of those whose votes begin to count, each with how often they have by now: for `finish`."""
    query = select(User.id, User.recounts_asked).where(col(User.recounts_asked) > col(User.recounts_done))
    return session.exec(query.order_by(col(User.id))).all()


def list_voted_on(session: Session, member_id: int) -> Sequence[int]:
    """The ids of the candidates they voted on whose votes may still decide something."""
    undecided = and_(
        col(Candidate.closed).is_(None),
        or_(col(Candidate.stale).is_(False), col(Candidate.failing_since).is_not(None)),
    )
    query = select(Candidate.id).join(Vote, col(Vote.candidate_id) == Candidate.id)
    query = query.where(Vote.member_id == member_id, or_(undecided, col(Candidate.closed).in_(IN_FORCE)))
    return session.exec(query.order_by(col(Candidate.id))).all()


def make_due(session: Session, candidate: Candidate, member_id: int) -> None:
    """Have it looked at as soon as the member's votes count, if votes decide anything there.

    The caller holds the page's lock.
    """
    at = _from_when(session, member_id)
    if promotion.stays_open(session, candidate) and (candidate.due_at is None or candidate.due_at > at):
        candidate.due_at = at
        session.add(candidate)


def finish(session: Session, member_id: int, asked: int) -> None:
    """All they voted on is to be looked at by now, unless their votes began to count once more meanwhile."""
    later = col(User.recounts_done) < asked
    session.exec(update(User).where(col(User.id) == member_id, later).values(recounts_done=asked))


def _from_when(session: Session, member_id: int) -> datetime:
    seasoned_at = session.get_one(User, member_id).seasoned_at
    return max(now(session), seasoned_at) if seasoned_at is not None else now(session)
