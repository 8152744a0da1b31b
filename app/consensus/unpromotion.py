"""Take the approval of the text in force back: its voters turned against it, or its rapid approval ran out."""

from datetime import datetime

from sqlmodel import Session

from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals import stops
from app.approvals.models import Approval, ApprovalKind
from app.consensus import candidates, ledger
from app.consensus.models import Candidate
from app.consensus.rule import Decision
from app.database import now
from app.drafts import merging
from app.ledger.models import EntryKind
from app.pages import service as pages
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.words import N_

OPPOSED = N_("Too many were against it for the waiting time.")
NOT_CONFIRMED = N_("It was approved in rapid mode and did not pass for the routine waiting time.")


def take_back(session: Session, candidate: Candidate, decision: Decision, *, mode: str) -> Approval:
    """Serve the newest earlier text again that nobody took back; without one the same text stands as contested.

    `mode` says which waiting time was waited. The caller holds the page's lock and has asked the rule.
    """
    page = pages.get_by_id(session, candidate.page_id)
    earlier = stops.list_usable(session, page.id)
    revision = earlier[-1] if earlier else revisions.get(session, candidate.revision_id)
    close_tally(session, candidate)
    candidate.closed, candidate.closed_at = "unpromoted" if earlier else "contested", now(session)
    session.add(candidate)
    reason = NOT_CONFIRMED if decision.goes_back else OPPOSED
    approval = approvals.approve(
        session,
        revision,
        kind=ApprovalKind.UNPROMOTED,
        basis="consensus",
        reason=reason,
        contested=not earlier,
    )
    if earlier:
        serve_again(session, revision, since=approval.at)
        merging.take_approved_in(session, page, revision)
    session.flush()
    ledger.append(
        session,
        EntryKind.UNPROMOTED,
        page,
        at=approval.at,
        text=revision.sha256,
        basis="rapid" if decision.goes_back else "consensus",
        decision=decision,
        candidate=candidate,
        approval_id=approval.id,
        mode=mode,
        reason=reason,
        since=decision.failing_since,
        has_rivals=False,
    )
    record(
        session,
        Kind.PAGE_UNPROMOTED,
        None,
        page_id=page.id,
        subject_id=revision.id,
        data={"approval": approval.id, "sha256": revision.sha256, "removed": candidate.revision_id},
    )
    return approval


def close_tally(session: Session, candidate: Candidate | None) -> None:
    """What is no longer in force has nothing left to wait for; its votes are kept."""
    if candidate is not None:
        candidate.due_at = candidate.failing_since = candidate.unconfirmed_until = None
        session.add(candidate)


def serve_again(session: Session, revision: Revision, *, since: datetime) -> None:
    """Open the tally of an earlier text that is in force again; its clocks begin anew."""
    candidate = candidates.find_by_revision(session, revision.id)
    if candidate is not None:
        candidate.closed, candidate.changed_at = "approved", since
        candidate.passing_since = candidate.failing_since = candidate.unconfirmed_until = None
        session.add(candidate)
