"""Settle a candidate after anything that may decide it, and promote it when it carries."""

from collections.abc import Collection
from datetime import timedelta
from itertools import groupby

from sqlalchemy import and_, update
from sqlmodel import Session, col, select

from app.accounts import chapters
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals.models import Approval, ApprovalKind
from app.consensus import decisions, ledger, unpromotion, voided
from app.consensus.carrying import bring_up_to_date
from app.consensus.circumstances import circumstances_of, find_approved, is_in_force
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
from app.pages.models import Page
from app.permissions import Actor
from app.revisions import service as revisions
from app.revisions.models import Revision


def open_vote(session: Session, candidate: Candidate) -> None:
    """Count the electorate and keep the rule in force, once: the goal does not move afterwards."""
    rule = rule_in_force(session)
    candidate.opened_at = now(session)
    candidate.electorate = Electorate(chapters.count_active(session, days=rule.active_days)).to_json()
    candidate.voidings_seen = voided.newest_confirmed(session)
    candidate.rule = rule.to_json()
    session.add(candidate)
    session.flush()
    ledger.note_rule(session)


def settle(session: Session, candidate: Candidate) -> Decision:
    """Decide, remember what the rule wants remembered, and do what nothing is left to wait for.

    Newer approved text is carried into first. The caller holds the page's lock.
    """
    bring_up_to_date(session, candidate)
    ballot = count_votes(session, [candidate.id]).get(candidate.id, NO_VOTES)
    if stays_open(session, candidate) and candidate.opened_at is None and ballot.tally:
        open_vote(session, candidate)
    decision = decide_on(session, candidate, ballot=ballot)
    if not stays_open(session, candidate):
        return decision
    moments = [at for at in (decision.due_at, ballot.changes_at) if at is not None]
    leads_now = decision.passing_since is not None and candidate.passing_since is None and candidate.closed is None
    calms_down = decision.failing_since is None and candidate.failing_since is not None
    candidate.passing_since, candidate.failing_since = decision.passing_since, decision.failing_since
    candidate.due_at = min(moments, default=None)
    note_rank(candidate, decision)
    session.add(candidate)
    if candidate.closed is not None:
        return _settle_in_force(session, candidate, decision, calms_down=calms_down)
    if decision.state in (State.EXPIRED, State.DECLINED):
        _close(session, candidate, decision.state)
        return decision
    if decision.promotes:
        return _promote_unless_the_approved_falls(session, candidate, decision)
    if leads_now:
        record(session, Kind.CANDIDATE_LEADING, None, page_id=candidate.page_id, subject_id=candidate.revision_id)
    return decision


def _close(session: Session, candidate: Candidate, state: State) -> None:
    """End its vote, and say so: nobody did it, so nobody would hear of it otherwise."""
    candidate.closed, candidate.closed_at, candidate.due_at = state, now(session), None
    kind = Kind.CANDIDATE_DECLINED if state is State.DECLINED else Kind.CANDIDATE_EXPIRED
    record(session, kind, None, page_id=candidate.page_id, subject_id=candidate.revision_id)


def stays_open(session: Session, candidate: Candidate) -> bool:
    """Whether its votes still decide something: it is open, or stale but about to be declined, or in force."""
    if candidate.closed is None:
        return not candidate.stale or candidate.failing_since is not None
    return is_in_force(session, candidate)


def _settle_in_force(session: Session, candidate: Candidate, decision: Decision, *, calms_down: bool) -> Decision:
    """Let the approved text fall, go back, be confirmed or, contested, be approved again."""
    if decision.is_confirmed:
        candidate.unconfirmed_until = None
        session.add(candidate)
        return settle(session, candidate)
    if decision.falls or decision.goes_back:
        mode = circumstances_of(session, [candidate.page_id])[candidate.page_id].mode
        unpromotion.take_back(session, candidate, decision, mode=mode)
        _settle_what_is_in_force(session, candidate.page_id)
        return decide_on(session, candidate)
    if decision.promotes:
        promote(session, candidate, decision)
        return decide_on(session, candidate)
    if calms_down:
        wake_waiting(session, candidate.page_id)
    return decision


def _settle_what_is_in_force(session: Session, page_id: int) -> None:
    """The tally of the text that is served again is open again."""
    approved = find_approved(session, page_id)
    if approved is not None and approved.closed == "approved":
        settle(session, approved)


def _promote_unless_the_approved_falls(session: Session, candidate: Candidate, decision: Decision) -> Decision:
    """What loses its approval at the same moment does so first; the candidate is then carried and judged anew."""
    approved = find_approved(session, candidate.page_id)
    if approved is not None and approved.due_at is not None and approved.due_at <= now(session):
        before = approved.closed
        settle(session, approved)
        if approved.closed != before:
            return settle(session, candidate)
    promote(session, candidate, decision)
    return decide_on(session, candidate)


def promote(
    session: Session,
    candidate: Candidate,
    decision: Decision,
    *,
    kind: ApprovalKind = ApprovalKind.PROMOTED,
    reason: str = "",
    actor: Actor | None = None,
) -> Approval:
    """Make the candidate's revision the approved text, exactly the bytes that were voted on.

    The caller has asked the rule. `kind`, `reason` and `actor` tell of a correction, which cuts its waiting short.
    """
    page, revision = pages.get_by_id(session, candidate.page_id), revisions.get(session, candidate.revision_id)
    base = revisions.text_by_id(session, candidate.base_revision_id) if candidate.base_revision_id else None
    around = circumstances_of(session, [page.id])[page.id]
    unpromotion.close_tally(session, around.approved)
    approval = approvals.approve(
        session,
        revision,
        kind=kind,
        basis="consensus",
        candidate_id=candidate.id,
        mode=around.mode if candidate.closed is None else "routine",
        reason=reason,
        actor_id=actor.id if actor else None,
    )
    session.add_all(
        WrittenSentence(approval_id=approval.id, page_id=page.id, hash=hash_, score=str(decision.score), at=approval.at)
        for hash_ in sorted(sentences_written(base, revisions.text_of(session, revision)))
    )
    is_regained = candidate.closed is not None
    candidate.closed, candidate.closed_at, candidate.due_at = "approved", approval.at, None
    if approval.mode == "rapid":
        lasts = timedelta(seconds=decisions.rule_of(session, candidate).rapid_lasts)
        candidate.unconfirmed_until = candidate.due_at = approval.at + lasts
    session.add(candidate)
    _close_its_fork(session, candidate, revision)
    merging.take_approved_in(session, page, revision)
    session.flush()
    _publish(session, page, candidate, approval, decision, revision.sha256, actor, is_regained=is_regained)
    if approval.mode == "rapid":
        settle(session, candidate)
    return approval


def _close_its_fork(session: Session, candidate: Candidate, revision: Revision) -> None:
    draft = drafts.get_draft(session, candidate.draft_id)
    if draft.kind == DraftKind.FORK and draft.head_id == revision.id and draft.state == DraftState.OPEN:
        drafts.close(session, draft, DraftState.APPROVED)


def _publish(
    session: Session,
    page: Page,
    candidate: Candidate,
    approval: Approval,
    decision: Decision,
    sha256: str,
    actor: Actor | None,
    *,
    is_regained: bool,
) -> None:
    """Enter the approval into the ledger, then into the log; both come last, as others wait for their turn there."""
    ledger.append(
        session,
        EntryKind(approval.kind),
        page,
        at=approval.at,
        text=sha256,
        basis="moderators" if actor else "consensus",
        decision=decision,
        candidate=candidate,
        approval_id=approval.id,
        mode=approval.mode,
        reason=approval.reason,
        by=[actor.chapter_id] if actor else [],
        has_rivals=not is_regained,
    )
    record(
        session,
        Kind.PAGE_CORRECTED if approval.kind == ApprovalKind.CORRECTED else Kind.PAGE_PROMOTED,
        actor,
        page_id=page.id,
        subject_id=approval.revision_id,
        data={"approval": approval.id, "sha256": sha256} | ({"reason": approval.reason} if approval.reason else {}),
    )


def wake_waiting(session: Session, page_id: int) -> None:
    """Have everything on the page that waits, and what is in force, looked at again now."""
    at = now(session)
    waits = and_(
        col(Candidate.closed).is_(None), col(Candidate.stale).is_(False), col(Candidate.opened_at).is_not(None)
    )
    session.exec(update(Candidate).where(col(Candidate.page_id) == page_id, waits).values(due_at=at))
    approved = find_approved(session, page_id)
    if approved is not None and approved.opened_at is not None:
        approved.due_at = at
        session.add(approved)


def list_due(session: Session) -> list[list[int]]:
    """The ids of the candidates whose waiting has ended, those of one moment together, the earliest first."""
    due = session.exec(
        select(Candidate.due_at, Candidate.id)
        .where(col(Candidate.due_at) <= now(session))
        .order_by(col(Candidate.due_at), col(Candidate.id))
    )
    return [[id_ for _, id_ in rows] for _, rows in groupby(due, lambda row: row[0])]


def first_of(session: Session, candidate_ids: Collection[int]) -> Candidate:
    """The one that comes first in the rule's order of those that are due at one moment."""
    due = [session.get_one(Candidate, id_) for id_ in candidate_ids]
    return due[0] if len(due) == 1 else min(due, key=lambda candidate: _order(session, candidate))


def _order(session: Session, candidate: Candidate) -> tuple[object, ...]:
    sha256 = revisions.get(session, candidate.revision_id).sha256
    return candidate.closed is None, *promotion_order(decide_on(session, candidate), sha256)
