"""Newcomers' votes: kept from the first day, counted once somebody vouched for them."""

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from app.accounts import seasoning
from app.accounts import service as accounts
from app.accounts.models import User
from app.consensus.models import Candidate, Vote
from app.permissions import Actor


def vouch(session: Session, actor: Actor | None, name: str) -> User:
    """Vouch for a newcomer; what they voted on is decided anew when their votes begin to count."""
    user = accounts.get_user(session, name)
    seasoning.vouch(session, actor, user)
    if user.seasoned_at is not None:
        session.exec(
            update(Candidate)
            .where(
                col(Candidate.id).in_(select(Vote.candidate_id).where(Vote.member_id == user.id)),
                col(Candidate.closed).is_(None),
                or_(col(Candidate.due_at).is_(None), col(Candidate.due_at) > user.seasoned_at),
            )
            .values(due_at=user.seasoned_at)
        )
    return user
