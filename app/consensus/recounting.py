"""What members voted on before their votes counted is looked at again once they do.

Whoever decides on a candidate holds its page, so whoever makes somebody's votes count only notes it with the member: to
hold all they voted on would lock both out. The follower goes from one to the next.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from app.accounts.models import User
from app.consensus.models import Candidate, Vote
from app.database import now


def list_members(session: Session) -> Sequence[int]:
    """The ids of those whose votes begin to count, so that what they voted on is to be looked at."""
    return session.exec(select(User.id).where(col(User.recounts)).order_by(col(User.id))).all()


def list_voted_on(session: Session, member_id: int) -> Sequence[int]:
    """The ids of the open candidates they voted on that are not looked at as early as their votes count."""
    later = or_(col(Candidate.due_at).is_(None), col(Candidate.due_at) > _from_when(session, member_id))
    query = select(Candidate.id).join(Vote, col(Vote.candidate_id) == Candidate.id)
    query = query.where(Vote.member_id == member_id, col(Candidate.closed).is_(None), later)
    return session.exec(query.order_by(col(Candidate.id))).all()


def make_due(session: Session, candidate: Candidate, member_id: int) -> None:
    """Have an open candidate looked at as soon as the member's votes count. The caller holds the page's lock."""
    at = _from_when(session, member_id)
    if candidate.closed is None and (candidate.due_at is None or candidate.due_at > at):
        candidate.due_at = at
        session.add(candidate)


def finish(session: Session, member_id: int) -> None:
    """All they voted on is to be looked at by now."""
    session.exec(update(User).where(col(User.id) == member_id).values(recounts=False))


def _from_when(session: Session, member_id: int) -> datetime:
    seasoned_at = session.get_one(User, member_id).seasoned_at
    return max(now(session), seasoned_at) if seasoned_at is not None else now(session)
