"""Settle a candidate after anything that may decide it, and promote it when it carries."""

from collections.abc import Collection
from itertools import groupby

from sqlmodel import Session, col, select

from app.accounts import chapters
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals.models import ApprovalKind
from app.consensus import ledger
from app.consensus.carrying import bring_up_to_date
from app.consensus.decisions import NO_VOTES, count_votes, decide_on, rule_in_force
from app.consensus.models import Candidate, WrittenSentence
from app.consensus.ranking import note_rank
from app.consensus.rule import Decision, Electorate, State, promotion_order
from app.consensus.spots import sentences_written
from app.database import now
from app.drafts import merging
from app.drafts import service as drafts
from app.drafts.models import DraftKind, DraftState
from app.ledger.models import EntryKind
from app.pages import service as pages
from app.revisions import service as revisions


def open_vote(session: Session, candidate: Candidate) -> None:
    """Count the electorate and keep the rule in force, once: the goal does not move afterwards."""
    rule = rule_in_force(session)
    candidate.opened_at = now(session)
    candidate.electorate = Electorate(chapters.count_active(session, days=rule.active_days)).to_json()
    candidate.rule = rule.to_json()
    session.add(candidate)
    session.flush()


def settle(session: Session, candidate: Candidate) -> Decision:
    """Decide, remember what the rule wants remembered, and promote when nothing is left to wait for.

    Newer approved text is carried into first. The caller holds the page's lock.
    """
    bring_up_to_date(session, candidate)
    ballot = count_votes(session, [candidate.id]).get(candidate.id, NO_VOTES)
    if candidate.closed is None and not candidate.stale and candidate.opened_at is None and ballot.tally:
        open_vote(session, candidate)
    decision = decide_on(session, candidate, ballot=ballot)
    if candidate.closed is not None or candidate.stale:
        return decision
    leads_now = decision.passing_since is not None and candidate.passing_since is None
    moments = [at for at in (decision.due_at, ballot.changes_at) if at is not None]
    candidate.passing_since, candidate.due_at = decision.passing_since, min(moments, default=None)
    note_rank(candidate, decision)
    session.add(candidate)
    if decision.state is State.EXPIRED:
        candidate.closed, candidate.closed_at = State.EXPIRED, now(session)
        return decision
    if decision.promotes:
        _promote(session, candidate, decision)
        return decide_on(session, candidate)
    if leads_now:
        record(session, Kind.CANDIDATE_LEADING, None, page_id=candidate.page_id, subject_id=candidate.revision_id)
    return decision


def _promote(session: Session, candidate: Candidate, decision: Decision) -> None:
    """Make the candidate's revision the approved text, exactly the bytes that were voted on."""
    page, revision = pages.get_by_id(session, candidate.page_id), revisions.get(session, candidate.revision_id)
    base = revisions.text_by_id(session, candidate.base_revision_id) if candidate.base_revision_id else None
    approval = approvals.approve(
        session, revision, kind=ApprovalKind.PROMOTED, basis="consensus", candidate_id=candidate.id
    )
    session.add_all(
        WrittenSentence(approval_id=approval.id, page_id=page.id, hash=hash_, score=str(decision.score), at=approval.at)
        for hash_ in sorted(sentences_written(base, revisions.text_of(session, revision)))
    )
    candidate.closed, candidate.closed_at, candidate.due_at = "approved", approval.at, None
    session.add(candidate)
    draft = drafts.get_draft(session, candidate.draft_id)
    if draft.kind == DraftKind.FORK and draft.head_id == revision.id:
        drafts.close(session, draft, DraftState.APPROVED)
    merging.take_approved_in(session, page, revision)
    session.flush()
    ledger.append(
        session,
        EntryKind.PROMOTED,
        page,
        at=approval.at,
        text=revision.sha256,
        basis="consensus",
        decision=decision,
        candidate=candidate,
        approval_id=approval.id,
    )
    record(
        session,
        Kind.PAGE_PROMOTED,
        None,
        page_id=page.id,
        subject_id=revision.id,
        data={"approval": approval.id, "sha256": revision.sha256},
    )


def list_due(session: Session) -> list[list[int]]:
    """The ids of the candidates whose waiting has ended, those of one moment together, the earliest first."""
    due = session.exec(
        select(Candidate.due_at, Candidate.id)
        .where(col(Candidate.due_at) <= now(session), col(Candidate.closed).is_(None))
        .order_by(col(Candidate.due_at), col(Candidate.id))
    )
    return [[id_ for _, id_ in rows] for _, rows in groupby(due, lambda row: row[0])]


def first_of(session: Session, candidate_ids: Collection[int]) -> Candidate:
    """The one that comes first in the rule's order of those that are due at one moment."""
    due = [session.get_one(Candidate, id_) for id_ in candidate_ids]
    return due[0] if len(due) == 1 else min(due, key=lambda candidate: _order(session, candidate))


def _order(session: Session, candidate: Candidate) -> tuple[object, ...]:
    sha256 = revisions.get(session, candidate.revision_id).sha256
    return promotion_order(decide_on(session, candidate), sha256)
