"""Carry candidates forward onto newer approved text, with their votes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals.models import Approval
from app.consensus import candidates
from app.consensus.carry import Carried, Stale, carry
from app.consensus.models import Candidate, Dependency
from app.consensus.decisions import rule_of
from app.consensus.spots import hashes_of
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
            seen_by = approval.at + timedelta(seconds=rule_of(session, candidate).neighbour_wait)
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


def _move(
    session: Session, candidate: Candidate, text: Text, approval: Approval, not_before: datetime | None
) -> None:
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


def list_behind(session: Session) -> list[tuple[int, list[int]]]:
    """Per page, the open candidates to carry onto its newest approved text: all with votes, and all it concerns.

    The rest lose nothing by waiting: they are carried when somebody next touches them.
    """
    newest = select(func.max(Approval.id)).group_by(col(Approval.page_id)).scalar_subquery()
    rows = session.exec(
        select(Candidate.page_id, Candidate.id, Candidate.opened_at, Candidate.base_approval_id, Approval.revision_id)
        .join(Approval, col(Approval.page_id) == Candidate.page_id)
        .where(
            col(Approval.id).in_(newest),
            col(Candidate.closed).is_(None),
            col(Candidate.stale).is_(False),
            func.coalesce(Candidate.base_approval_id, 0) < Approval.id,
        )
        .order_by(col(Candidate.id))
    ).all()
    behind: dict[int, set[int]] = {}
    for page_id, candidate_id, opened_at, base_approval_id, _ in rows:
        if opened_at is not None or base_approval_id is None:
            behind.setdefault(page_id, set()).add(candidate_id)
    for page_id, base_approval_id, revision_id in sorted({(row[0], row[3], row[4]) for row in rows if row[3] is not None}):
        behind.setdefault(page_id, set()).update(_concerned(session, page_id, base_approval_id, revision_id))
    return [(page_id, sorted(ids)) for page_id, ids in behind.items() if ids]


def _concerned(session: Session, page_id: int, base_approval_id: int, revision_id: int) -> Sequence[int]:
    """Candidates standing on this approval whose change depends on something the newer text no longer has."""
    base = revisions.text_by_id(session, approvals.get(session, base_approval_id).revision_id)
    gone = hashes_of(base) - hashes_of(revisions.text_by_id(session, revision_id))
    query = (
        select(Dependency.candidate_id)
        .join(Candidate)
        .where(
            Dependency.page_id == page_id,
            col(Dependency.hash).in_(gone),
            Candidate.base_approval_id == base_approval_id,
            col(Candidate.closed).is_(None),
            col(Candidate.stale).is_(False),
        )
        .distinct()
    )
    return session.exec(query).all()
