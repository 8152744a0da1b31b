"""Carry candidates forward onto newer approved text, with their votes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, or_
from sqlmodel import Session, col, select

from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals.models import Approval, ApprovalKind
from app.consensus import candidates
from app.consensus.carry import Carried, Stale, Superseded, carry
from app.consensus.decisions import rule_of
from app.consensus.models import Candidate, Dependency
from app.consensus.spots import concerns
from app.database import now
from app.drafts import service as drafts
from app.pages.text import Text, sha256_of
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.cache import Kept

_WORDINGS: Kept[tuple[str, str, str], Text] = Kept(500)
"""By the hashes of base, candidate and approved text, so that no rollback can make one wrong."""


def bring_up_to_date(session: Session, candidate: Candidate) -> None:
    """Carry the candidate over every approval since its base, in their order; it may end stale or superseded.

    Votes, electorate and a running wait stay; where a neighbouring sentence was approved, it waits an hour from then.
    The caller holds the page's lock.
    """
    if candidate.closed is not None or candidate.stale:
        return
    newer = _changes_since(session, candidate)
    if not newer:
        return
    outcome, approval = _step_over(session, candidate.revision_id, candidate.base_revision_id, newer)
    if isinstance(outcome, CarriedOver):
        _move(session, candidate, outcome, approval)
    else:
        _end(session, candidate, stale_by=approval if isinstance(outcome, Stale) else None)


def _changes_since(session: Session, candidate: Candidate) -> list[Approval]:
    """The approvals since its base that each put another text in force than the one before."""
    rows, before = approvals.list_since(session, candidate.page_id, candidate.base_approval_id or 0), None
    if candidate.base_approval_id is not None:
        before = candidate.base_revision_id
    changes = []
    for row in rows:
        if row.revision_id != before:
            changes.append(row)
        before = row.revision_id
    return changes


def revive(session: Session, candidate: Candidate) -> bool:
    """Open a stale candidate again, with its votes, if its change fits the text that is in force now.

    It was stale only against a text that is so no longer. One that was merged meanwhile stays as it is. One that was
    declined while it was stale has its time once more, as nobody else could vote. The caller holds the page's lock.
    """
    approval = approvals.find_current(session, candidate.page_id)
    is_merged = drafts.get_draft(session, candidate.draft_id).head_id != candidate.revision_id
    if approval is None or is_merged or not candidate.stale or candidate.closed not in (None, "declined"):
        return False
    base = revisions.text_by_id(session, candidate.base_revision_id) if candidate.base_revision_id else None
    text, newer = (revisions.text_by_id(session, id_) for id_ in (candidate.revision_id, approval.revision_id))
    outcome = Carried(text, neighbour=False) if base == newer else carry(base, text, newer)
    if not isinstance(outcome, Carried):
        return False
    candidate.stale, candidate.stale_by_id, candidate.closed, candidate.closed_at = False, None, None, None
    candidate.changed_at, candidate.passing_since, candidate.failing_since = now(session), None, None
    _move(session, candidate, CarriedOver(Text(outcome.text), approval.at if outcome.neighbour else None), approval)
    return True


def list_given_back(session: Session) -> Sequence[Candidate]:
    """Stale candidates of pages that went back to a text from before since: what they clashed with may be gone.

    It may be another text by now that is approved, even one approved in the same transaction.
    """
    back = exists().where(
        col(Approval.page_id) == col(Candidate.page_id),
        col(Approval.kind).in_((ApprovalKind.UNPROMOTED, ApprovalKind.CORRECTED)),
        col(Approval.id) > func.coalesce(Candidate.stale_by_id, 0),
    )
    stale = and_(col(Candidate.stale), or_(col(Candidate.closed).is_(None), col(Candidate.closed) == "declined"))
    return session.exec(select(Candidate).where(stale, back).order_by(col(Candidate.id))).all()


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """The candidate's text on the newest approval; `neighbour_at` is when a neighbouring sentence was approved last."""

    text: Text
    neighbour_at: datetime | None


def carry_over(
    session: Session, revision_id: int, base_id: int | None, newer: Sequence[Approval]
) -> CarriedOver | Stale | Superseded:
    """Re-apply a revision's change to each approval in turn; the first that it cannot stand on ends it."""
    return _step_over(session, revision_id, base_id, newer)[0]


def _step_over(
    session: Session, revision_id: int, base_id: int | None, newer: Sequence[Approval]
) -> tuple[CarriedOver | Stale | Superseded, Approval]:
    """What becomes of a revision's change, and the approval that it stands on then or that ended it."""
    text, neighbour_at = revisions.text_by_id(session, revision_id), None
    for approval in newer:
        approved = revisions.text_by_id(session, approval.revision_id)
        outcome = carry(_base_text(session, revision_id, approval, base_id), text, approved)
        if not isinstance(outcome, Carried):
            return outcome, approval
        text, base_id = Text(outcome.text), approval.revision_id
        neighbour_at = approval.at if outcome.neighbour else neighbour_at
    return CarriedOver(text, neighbour_at), newer[-1]


def wording_on(session: Session, candidate: Candidate, approval: Approval) -> Text:
    """The text of this approval with the stale candidate's words for the sentences that clash, and nothing else of it.

    The approval's own text, where that says the same by now. Writes nothing.
    """
    text, newer = (revisions.text_by_id(session, id_) for id_ in (candidate.revision_id, approval.revision_id))
    base = _base_text(session, candidate.revision_id, approval, candidate.base_revision_id)
    key = sha256_of(Text(base or "")), sha256_of(text), sha256_of(newer)
    found = _WORDINGS.get(key)
    if found is None:
        outcome = carry(base, text, newer)
        words = outcome.kept if isinstance(outcome, Stale) else outcome.text if isinstance(outcome, Carried) else newer
        found = Text(words)
        _WORDINGS.put(key, found)
    return found


def _base_text(session: Session, revision_id: int, approval: Approval, base_id: int | None) -> str | None:
    """What the candidate changes, as this approval sees it.

    Normally the approved text it stands on. One that goes on from the text just approved changes that. One from
    before any approval changes the nearest ancestor it shares with the approved text, or nothing at all.
    """
    ancestry = Ancestry(session)
    if approval.candidate_id is not None and approval.kind != ApprovalKind.UNPROMOTED:
        promoted = session.get_one(Candidate, approval.candidate_id)
        for revision in reversed(candidates.revisions_stood_on(session, promoted)):
            if ancestry.is_ancestor(revision.id, of=revision_id):
                return revisions.text_of(session, revision)
    if base_id is None:
        base_id = ancestry.nearest_common(revision_id, approval.revision_id)
    return revisions.text_by_id(session, base_id) if base_id is not None else None


def _end(session: Session, candidate: Candidate, *, stale_by: Approval | None) -> None:
    stale = stale_by is not None
    candidate.stale, candidate.passing_since = stale, None
    if not stale or candidate.failing_since is None:  # what is being declined goes on to be
        candidate.failing_since = candidate.due_at = None
    candidate.stale_by_id = stale_by.id if stale_by else None
    candidate.changed_at = now(session)
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


def _move(session: Session, candidate: Candidate, carried: CarriedOver, approval: Approval) -> None:
    was = candidate.revision_id
    candidates.stand_on(session, candidate, carried.text, approval)
    candidate.base_approval_id, candidate.base_revision_id = approval.id, approval.revision_id
    if carried.neighbour_at is not None:
        seen_by = carried.neighbour_at + timedelta(seconds=rule_of(session, candidate).neighbour_wait)
        candidate.not_before = max(seen_by, candidate.not_before or seen_by)
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
        select(Candidate, Approval)
        .join(Approval, col(Approval.page_id) == Candidate.page_id)
        .where(
            col(Approval.id).in_(newest),
            col(Candidate.closed).is_(None),
            col(Candidate.stale).is_(False),
            func.coalesce(Candidate.base_approval_id, 0) < Approval.id,
        )
    ).all()
    behind: dict[int, set[int]] = {}
    bases: set[tuple[int, int, int]] = set()
    for candidate, approval in rows:
        if candidate.opened_at is not None or candidate.base_approval_id is None:
            behind.setdefault(candidate.page_id, set()).add(candidate.id)
        else:
            bases.add((candidate.page_id, candidate.base_approval_id, approval.revision_id))
    for page_id, base_approval_id, revision_id in sorted(bases):
        behind.setdefault(page_id, set()).update(_concerned(session, page_id, base_approval_id, revision_id))
    return [(page_id, sorted(ids)) for page_id, ids in behind.items() if ids]


def _concerned(session: Session, page_id: int, base_approval_id: int, revision_id: int) -> Sequence[int]:
    """Candidates standing on this approval whose change depends on something the newer text no longer has."""
    base = revisions.text_by_id(session, approvals.get(session, base_approval_id).revision_id)
    hashes = concerns(base, revisions.text_by_id(session, revision_id))
    query = (
        select(Dependency.candidate_id)
        .join(Candidate)
        .where(
            Dependency.page_id == page_id,
            col(Dependency.hash).in_(hashes),
            Candidate.base_approval_id == base_approval_id,
            col(Candidate.closed).is_(None),
            col(Candidate.stale).is_(False),
        )
        .distinct()
    )
    return session.exec(query).all()
