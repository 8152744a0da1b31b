"""Carry candidates forward onto newer approved text, with their votes."""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import Session

from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals.models import Approval
from app.consensus import candidates
from app.consensus.carry import Carried, Stale, carry
from app.consensus.models import Candidate
from app.consensus.rule import Rule
from app.database import now
from app.pages.text import Text
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry


def bring_up_to_date(session: Session, candidate: Candidate) -> None:
    """Carry the candidate over every approval since its base, in their order; it may end stale or superseded.

    Votes, electorate and a running wait stay; where a neighbouring sentence was approved, it waits an hour from then.
    The caller holds the page's lock.
    """
    if candidate.closed is not None or candidate.stale:
        return
    newer = approvals.list_since(session, candidate.page_id, candidate.base_approval_id or 0)
    if not newer:
        return
    text = revisions.text_by_id(session, candidate.revision_id)
    base_id, not_before = candidate.base_revision_id, candidate.not_before
    for approval in newer:
        outcome = carry(
            _base_text(session, candidate, approval, base_id), text, revisions.text_by_id(session, approval.revision_id)
        )
        if not isinstance(outcome, Carried):
            _end(session, candidate, stale=isinstance(outcome, Stale))
            return
        text, base_id = Text(outcome.text), approval.revision_id
        if outcome.neighbour:
            seen_by = approval.at + timedelta(seconds=_rule(session, candidate).neighbour_wait)
            not_before = max(seen_by, not_before or seen_by)
    _move(session, candidate, text, newer[-1], not_before)


def _base_text(session: Session, candidate: Candidate, approval: Approval, base_id: int | None) -> str | None:
    """What the candidate changes, as this approval sees it.

    Normally the approved text it stands on. One that goes on from the text just approved changes that. One from
    before any approval changes the nearest ancestor it shares with the approved text, or nothing at all.
    """
    ancestry = Ancestry(session)
    if approval.candidate_id is not None:
        promoted = session.get_one(Candidate, approval.candidate_id)
        for revision in reversed(candidates.revisions_stood_on(session, promoted)):
            if ancestry.is_ancestor(revision.id, of=candidate.revision_id):
                return revisions.text_of(session, revision)
    if base_id is None:
        base_id = ancestry.nearest_common(candidate.revision_id, approval.revision_id)
    return revisions.text_by_id(session, base_id) if base_id is not None else None


def _end(session: Session, candidate: Candidate, *, stale: bool) -> None:
    candidate.stale, candidate.passing_since, candidate.due_at = stale, None, None
    if not stale:
        candidate.closed, candidate.closed_at = "superseded", now(session)
    session.add(candidate)
    record(
        session,
        Kind.CANDIDATE_STALE,
        None,
        page_id=candidate.page_id,
        subject_id=candidate.revision_id,
        data={"state": "stale" if stale else "superseded"},
    )


def _move(session: Session, candidate: Candidate, text: Text, approval: Approval, not_before: object) -> None:
    was = candidate.revision_id
    candidates.stand_on(session, candidate, text, revisions.get(session, approval.revision_id))
    candidate.base_approval_id, candidate.base_revision_id = approval.id, approval.revision_id
    candidate.not_before = not_before
    session.add(candidate)
    session.flush()
    candidates.note_dependencies(session, candidate)
    record(
        session,
        Kind.CANDIDATE_CARRIED,
        None,
        page_id=candidate.page_id,
        subject_id=candidate.revision_id,
        data={"from": was, "to": candidate.revision_id},
    )
