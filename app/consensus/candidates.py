"""Candidates: put a revision to the vote, find the one that a revision belongs to, list a page's."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.approvals import service as approvals
from app.approvals import stops
from app.approvals.models import Approval
from app.consensus import stacks
from app.consensus.carry import Carried, Stale, Superseded, carry
from app.consensus.models import Candidate, CandidateRevision, Dependency, Vote
from app.consensus.spots import change_between
from app.database import now
from app.drafts import merging
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftKind, DraftState
from app.errors import Conflict
from app.pages import service as pages
from app.pages.text import Text
from app.permissions import Action, Actor, require
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.models import Revision
from app.words import N_, _


class NeedsMerge(Conflict):
    """Its sentences were changed in the approved text meanwhile, so nobody can vote on it as it is."""

    slug = "needs-merge"
    title = N_("Someone has to merge this first")


class NothingToDecide(Conflict):
    slug = "nothing-to-decide"
    title = N_("This changes nothing")


class VotingClosed(Conflict):
    slug = "voting-closed"
    title = N_("Voting on this is over")


def put_forward(session: Session, actor: Actor | None, draft_id: int) -> Candidate:
    """Make the draft's head a candidate, before anybody voted on it."""
    draft = drafts.get_draft(session, draft_id)
    actor = require(actor, Action.PUT_FORWARD, draft)
    pages.lock_page(session, draft.page_id)
    session.refresh(draft)
    accounts.touch(session, actor)
    head = revisions.get(session, drafts.head_of(draft))
    _require_open(draft)
    found = find_by_revision(session, head.id)
    _require_not_declined(session, head)
    if found is not None and found.closed in ("expired", "withdrawn"):
        _open_again(session, found)
    return found or open_candidate(session, head)


def _open_again(session: Session, candidate: Candidate) -> None:
    """A vote that ended without a decision, or made way for its parts, begins anew, and so does the counting."""
    session.exec(delete(Vote).where(col(Vote.candidate_id) == candidate.id))
    candidate.closed = candidate.closed_at = candidate.opened_at = candidate.electorate = candidate.rule = None
    candidate.voidings_seen = None
    candidate.passing_since = candidate.failing_since = candidate.not_before = candidate.due_at = None
    candidate.score, candidate.supporters = None, 0
    candidate.put_forward_at = candidate.changed_at = now(session)
    session.add(candidate)
    session.flush()


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
    approved = approvals.find_current(session, revision.page_id)
    base = revisions.get(session, approved.revision_id) if approved else None
    if approved is not None and revision.id == approved.revision_id:
        return _open_tally(session, revision, approved)
    if base is not None and revision.sha256 == base.sha256:
        raise NothingToDecide(_("This is the approved text already, word for word. There is nothing to decide."))
    _require_open(draft)
    _require_not_declined(session, revision)
    candidate = Candidate(
        page_id=revision.page_id,
        draft_id=draft.id,
        revision_id=revision.id,
        base_approval_id=approved.id if approved else None,
        base_revision_id=base.id if base else None,
        put_forward_at=now(session),
        changed_at=now(session),
    )
    session.add(candidate)
    session.flush()
    session.add(CandidateRevision(revision_id=revision.id, candidate_id=candidate.id))
    if approved is not None and not Ancestry(session).is_ancestor(approved.revision_id, of=revision.id):
        _bring_onto(session, candidate, revision, approved)
    note_dependencies(session, candidate)
    return candidate


def _open_tally(session: Session, revision: Revision, approved: Approval) -> Candidate:
    """The tally of an approved text that was taken over without a vote: it starts at nothing."""
    candidate = Candidate(
        page_id=revision.page_id,
        draft_id=revision.draft_id,
        revision_id=revision.id,
        base_approval_id=approved.id,
        base_revision_id=revision.id,
        put_forward_at=now(session),
        changed_at=now(session),
        closed="contested" if approved.contested else "approved",
        closed_at=approved.at,
    )
    session.add(candidate)
    session.flush()
    session.add(CandidateRevision(revision_id=revision.id, candidate_id=candidate.id))
    session.flush()
    return candidate


def _require_not_declined(session: Session, revision: Revision) -> None:
    same = select(Candidate.id).join(Revision, col(Revision.id) == Candidate.revision_id)
    same = same.where(Candidate.page_id == revision.page_id, Candidate.closed == "declined")
    if session.exec(same.where(Revision.sha256 == revision.sha256).limit(1)).first() is not None:
        raise VotingClosed(
            _(
                "Members declined exactly this text: more were against it than for it, for the whole waiting time. "
                "Change it, and it can be put to the vote again."
            )
        )


def _require_open(draft: Draft) -> None:
    if draft.state != DraftState.OPEN:
        raise VotingClosed(
            _("This draft is {state}, so it cannot be voted on. Its owner can reopen a withdrawn one.").format(
                state=_(draft.state)
            )
        )


def _bring_onto(session: Session, candidate: Candidate, revision: Revision, approved: Approval) -> None:
    """Let a candidate that started elsewhere stand on the approved text."""
    outcome = carry_from_elsewhere(session, revision, approved)
    if isinstance(outcome, Stale):
        raise NeedsMerge(
            _(
                "The approved text has changed the same sentences since this draft began. Its owner "
                "merges the two first; anyone else can fork it and do so. Both texts are kept."
            ),
            draft=candidate.draft_id,
        )
    if not isinstance(outcome, Carried):
        raise NothingToDecide(_("All that this draft changes stands in the approved text already."))
    stand_on(session, candidate, Text(outcome.text), approved)


def carry_from_elsewhere(session: Session, revision: Revision, approved: Approval) -> Carried | Stale | Superseded:
    """The change of a revision that does not descend from the approved text, re-applied to it.

    What it changes is counted from the newest once-approved revision it descends from, else from the nearest ancestor
    that the two share.
    """
    ancestry = Ancestry(session)
    usable = stops.list_usable(session, revision.page_id, until=approved.id)
    once_approved = {approved.revision_id, *(earlier.id for earlier in usable)}
    steps = (step.id for step in ancestry.walk([revision.id]) if step.id in once_approved)
    origin = next(steps, None) or ancestry.nearest_common(revision.id, approved.revision_id)
    return carry(
        revisions.text_by_id(session, origin) if origin is not None else None,
        revisions.text_of(session, revision),
        revisions.text_by_id(session, approved.revision_id),
    )


def stand_on(session: Session, candidate: Candidate, text: Text, approval: Approval) -> None:
    """Move the candidate to a revision by the system that holds its change on the newer approved text.

    It goes into the candidate's draft if that is a fork whose head it was, else into a fork of its own.
    """
    current = revisions.get(session, candidate.revision_id)
    if revisions.text_of(session, current) == text:
        return
    draft = drafts.get_draft(session, candidate.draft_id)
    if draft.kind != DraftKind.FORK or draft.head_id != current.id or draft.state != DraftState.OPEN:
        draft = _fork_of_its_own(session, draft, current)
    newer = revisions.get(session, approval.revision_id)
    carried = merging.append_carried(session, draft, text, newer=newer, first_parent_id=current.id)
    candidate.draft_id, candidate.revision_id = draft.id, carried.id
    session.add(candidate)
    session.add(CandidateRevision(revision_id=carried.id, candidate_id=candidate.id, approval_id=approval.id))


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
    """Store what the change needs to find unchanged, so that one query finds whom a promotion concerns.

    The candidate also goes into the stack of those that say nearly the same. The caller holds the page's lock.
    """
    base = revisions.text_by_id(session, candidate.base_revision_id) if candidate.base_revision_id else None
    change = change_between(base, revisions.text_by_id(session, candidate.revision_id))
    needed = {hash_: hash_ in change.rewrites for hash_ in change.dependencies | change.rewrites}
    own = col(Dependency.candidate_id) == candidate.id
    kept = {
        hash_: rewrites for hash_, rewrites in session.exec(select(Dependency.hash, Dependency.rewrites).where(own))
    }
    if kept != needed:
        if kept:
            session.exec(delete(Dependency).where(own))
        page = {"candidate_id": candidate.id, "page_id": candidate.page_id}
        rows = [{**page, "hash": hash_, "rewrites": rewrites} for hash_, rewrites in sorted(needed.items())]
        if rows:
            session.execute(insert(Dependency), rows)
    stacks.note_stack(session, candidate, change)


def list_of_drafts(session: Session, draft_ids: Collection[int]) -> Sequence[Candidate]:
    """All candidates of these drafts, oldest first."""
    query = select(Candidate).where(col(Candidate.draft_id).in_(draft_ids)).order_by(col(Candidate.id))
    return session.exec(query).all()


def revisions_stood_on(session: Session, candidate: Candidate) -> Sequence[Revision]:
    """Every revision the candidate has stood on, oldest first."""
    query = select(Revision).join(CandidateRevision).where(CandidateRevision.candidate_id == candidate.id)
    return session.exec(query.order_by(col(Revision.number))).all()
