"""Candidates: put a revision to the vote, find the one that a revision belongs to, list a page's."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.approvals import service as approvals
from app.approvals.models import Approval
from app.consensus.carry import Carried, Stale, carry
from app.consensus.models import Candidate, CandidateRevision, Dependency, Vote
from app.consensus.spots import change_between
from app.database import now
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftKind, DraftState
from app.errors import Conflict
from app.pages import service as pages
from app.pages.text import Text
from app.permissions import Action, Actor, require
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.models import Revision


class NeedsMerge(Conflict):
    """Its sentences were changed in the approved text meanwhile, so nobody can vote on it as it is."""

    slug = "needs-merge"
    title = "Someone has to merge this first"


class NothingToDecide(Conflict):
    slug = "nothing-to-decide"
    title = "This changes nothing"


class VotingClosed(Conflict):
    slug = "voting-closed"
    title = "Voting on this is over"


def put_forward(session: Session, actor: Actor | None, draft_id: int) -> Candidate:
    """Make the draft's head a candidate, before anybody voted on it."""
    draft = drafts.get_draft(session, draft_id)
    actor = require(actor, Action.PUT_FORWARD, draft)
    pages.lock_page(session, draft.page_id)
    session.refresh(draft)
    accounts.touch(session, actor)
    head = revisions.get(session, drafts.head_of(draft))
    return find_by_revision(session, head.id) or open_candidate(session, head)


def find_by_revision(session: Session, revision_id: int) -> Candidate | None:
    """The candidate that stands, or once stood, on the revision."""
    return session.exec(
        select(Candidate).join(CandidateRevision).where(CandidateRevision.revision_id == revision_id)
    ).first()


def open_candidate(session: Session, revision: Revision) -> Candidate:
    """A candidate for the revision, brought onto the approved text first. The caller holds the page's lock.

    Raises `NeedsMerge` where the two clash, `NothingToDecide` where the approved text says the same already and
    `VotingClosed` when the draft is not open.
    """
    draft = drafts.get_draft(session, revision.draft_id)
    if draft.state != DraftState.OPEN:
        raise VotingClosed(f"This draft is {draft.state}, so it cannot be voted on. Its owner can reopen a withdrawn one.")
    approved = approvals.find_current(session, revision.page_id)
    base = revisions.get(session, approved.revision_id) if approved else None
    if base is not None and revision.sha256 == base.sha256:
        raise NothingToDecide("This is the approved text already, word for word. There is nothing to decide.")
    candidate = Candidate(
        page_id=revision.page_id,
        draft_id=draft.id,
        revision_id=revision.id,
        base_approval_id=approved.id if approved else None,
        base_revision_id=base.id if base else None,
        put_forward_at=now(session),
    )
    session.add(candidate)
    session.flush()
    session.add(CandidateRevision(revision_id=revision.id, candidate_id=candidate.id))
    if base is not None and not Ancestry(session).is_ancestor(base.id, of=revision.id):
        _bring_onto(session, candidate, revision, base)
    note_dependencies(session, candidate)
    return candidate


def _bring_onto(session: Session, candidate: Candidate, revision: Revision, base: Revision) -> None:
    """Let a candidate that started elsewhere stand on the approved text."""
    origin = _nearest_approved(session, revision) or Ancestry(session).nearest_common(revision.id, base.id)
    outcome = carry(
        revisions.text_by_id(session, origin) if origin is not None else None,
        revisions.text_of(session, revision),
        revisions.text_of(session, base),
    )
    if isinstance(outcome, Stale):
        raise NeedsMerge(
            "The approved text has changed the same sentences since this draft began. Its owner merges the two first; "
            "anyone else can fork it and do so. Both texts are kept.",
            draft=candidate.draft_id,
        )
    if not isinstance(outcome, Carried):
        raise NothingToDecide("All that this draft changes stands in the approved text already.")
    stand_on(session, candidate, Text(outcome.text), base)


def _nearest_approved(session: Session, revision: Revision) -> int | None:
    """The newest once-approved revision that this one descends from."""
    approved = {row.revision_id for row in approvals.list_since(session, revision.page_id, 0)}
    steps = Ancestry(session).walk([revision.id]) if approved else iter(())
    return next((step.id for step in steps if step.id in approved), None)


def stand_on(session: Session, candidate: Candidate, text: Text, newer: Revision) -> None:
    """Move the candidate to a revision by the system that holds its change on the newer approved text.

    It goes into the candidate's draft if that is a fork whose head it was, else into a fork of its own.
    """
    current = revisions.get(session, candidate.revision_id)
    if revisions.text_of(session, current) == text:
        return
    draft = drafts.get_draft(session, candidate.draft_id)
    if draft.kind != DraftKind.FORK or draft.head_id != current.id or draft.state != DraftState.OPEN:
        draft = _fork_of_its_own(session, draft, current)
    carried = drafts.append_carried(session, draft, text, newer=newer, first_parent_id=current.id)
    candidate.draft_id, candidate.revision_id = draft.id, carried.id
    session.add(candidate)
    session.add(CandidateRevision(revision_id=carried.id, candidate_id=candidate.id))
    session.flush()


def _fork_of_its_own(session: Session, draft: Draft, current: Revision) -> Draft:
    page = pages.get_by_id(session, draft.page_id)
    return drafts.add_draft(
        session,
        page,
        kind=DraftKind.FORK,
        name=draft.name,
        owner_id=draft.owner_id or current.author_id,
        base_id=current.id,
    )


def note_dependencies(session: Session, candidate: Candidate) -> None:
    """Store the hashes of what the change needs to find unchanged, so that one query finds whom a promotion concerns."""
    base = revisions.text_by_id(session, candidate.base_revision_id) if candidate.base_revision_id else None
    change = change_between(base, revisions.text_by_id(session, candidate.revision_id))
    session.exec(delete(Dependency).where(col(Dependency.candidate_id) == candidate.id))
    session.add_all(
        Dependency(candidate_id=candidate.id, page_id=candidate.page_id, hash=hash_, rewrites=hash_ in change.rewrites)
        for hash_ in sorted(change.dependencies | change.rewrites)
    )
    session.flush()


def list_open(session: Session, page_id: int) -> Sequence[Candidate]:
    """The page's candidates that are not over, stale ones included, oldest first."""
    query = select(Candidate).where(Candidate.page_id == page_id, col(Candidate.closed).is_(None))
    return session.exec(query.order_by(col(Candidate.id))).all()


def count_open(session: Session, page_ids: Iterable[int]) -> dict[int, int]:
    """How many candidates each page has that are not over."""
    rows = session.exec(
        select(Candidate.page_id, func.count())
        .where(col(Candidate.page_id).in_(list(page_ids)), col(Candidate.closed).is_(None))
        .group_by(col(Candidate.page_id))
    )
    return {page_id: count for page_id, count in rows}


def revisions_stood_on(session: Session, candidate: Candidate) -> Sequence[Revision]:
    """Every revision the candidate has stood on, oldest first."""
    query = select(Revision).join(CandidateRevision).where(CandidateRevision.candidate_id == candidate.id)
    return session.exec(query.order_by(col(Revision.number))).all()
