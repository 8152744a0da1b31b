"""Take a fork back with its candidates, and open both again."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.consensus import promotion
from app.consensus.models import Candidate
from app.database import now
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.permissions import Actor


def withdraw_draft(session: Session, actor: Actor | None, draft_id: int, *, joined_into: int | None = None) -> Draft:
    """Withdraw a fork; what of it was put to the vote is withdrawn too, its votes kept.

    `joined_into` names the draft that its words went into, if that is why.
    """
    draft = drafts.withdraw(session, actor, draft_id, joined_into=joined_into)
    for candidate in _candidates_of(session, draft, closed=None):
        candidate.closed, candidate.closed_at, candidate.due_at = "withdrawn", now(session), None
        candidate.passing_since = candidate.failing_since = None  # nobody can vote meanwhile, so no time passes
        candidate.changed_at = now(session)
        session.add(candidate)
    return draft


def reopen_draft(session: Session, actor: Actor | None, draft_id: int) -> Draft:
    """Open a withdrawn fork again. Its candidates go on as they were: votes, electorate, rule and the end of the vote.

    Were the electorate counted anew, authors could choose a moment at which few are active.
    """
    draft = drafts.reopen(session, actor, draft_id)
    for candidate in _candidates_of(session, draft, closed="withdrawn"):
        candidate.closed, candidate.closed_at, candidate.changed_at = None, None, now(session)
        session.add(candidate)
        promotion.settle(session, candidate)
    return draft


def _candidates_of(session: Session, draft: Draft, *, closed: str | None) -> Sequence[Candidate]:
    query = select(Candidate).where(Candidate.draft_id == draft.id, col(Candidate.closed) == closed)
    return session.exec(query.order_by(col(Candidate.id))).all()
