"""Votes: cast one on the exact text seen, or take it back."""

from dataclasses import dataclass

from sqlmodel import Session, select

from app.accounts import service as accounts
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.consensus import candidates, decisions, promotion
from app.consensus.candidates import VotingClosed
from app.consensus.carrying import bring_up_to_date
from app.consensus.circumstances import is_in_force
from app.consensus.facts import Decision, State
from app.consensus.models import Candidate, Value, Vote, VoteEntry
from app.database import now
from app.errors import Conflict, Refused
from app.pages import service as pages
from app.pages.text import clean_line
from app.permissions import Action, Actor, require
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.words import N_, _

MAX_REASON = 500


class TextChanged(Conflict):
    """The hash sent with the vote is of no text this candidate ever had."""

    slug = "text-changed"
    title = N_("The text is not the one you read")


@dataclass(frozen=True, slots=True)
class Cast:
    """A member's vote as it stands now, None when taken back, and what follows from it."""

    vote: Vote | None
    candidate: Candidate
    decision: Decision


def cast_vote(
    session: Session, actor: Actor | None, revision_id: int, *, sha256: str, value: Value, reason: str = ""
) -> Cast:
    """Count the actor's vote on the candidate of this revision, opened now if nobody voted before.

    The vote is on the bytes with this hash; the one before it is replaced and stays in the record. If it decides, the
    candidate is promoted in this same transaction.
    """
    actor = require(actor, Action.VOTE)
    reason = clean_line(reason, pointer="/reason", max_length=MAX_REASON)
    revision = revisions.get(session, revision_id)
    pages.lock_page(session, revision.page_id)
    candidate = _candidate_to_vote_on(session, revision)
    seen = _revision_seen(session, candidate, sha256)
    accounts.touch(session, actor)
    vote = _put_vote(session, actor, candidate, seen, value, reason)
    _enter(session, candidate, actor, value, seen)
    return Cast(vote, candidate, _decide_after(session, candidate, Kind.VOTE_CAST))


def withdraw_vote(session: Session, actor: Actor | None, revision_id: int) -> Cast:
    """Take the actor's vote on this revision's candidate back; no vote, no change."""
    actor = require(actor, Action.VOTE)
    revision = revisions.get(session, revision_id)
    pages.lock_page(session, revision.page_id)
    candidate = candidates.find_by_revision(session, revision.id)
    vote = find_vote(session, actor, candidate) if candidate else None
    if candidate is None or vote is None:
        raise Conflict(_("You have no vote on this, so there is none to take back."))
    _require_open(session, candidate)
    seen = revisions.get(session, vote.revision_id)
    session.delete(vote)
    _enter(session, candidate, actor, None, seen)
    return Cast(None, candidate, _decide_after(session, candidate, Kind.VOTE_WITHDRAWN))


def revise_vote(session: Session, actor: Actor, revision_id: int, value: Value | None) -> Cast:
    """Change, confirm or take back the actor's vote on a text that went stale since.

    It counts if that is open again, and towards whether it is declined where that was about to happen.

    Named is the revision that was on their screen: the candidate may have been carried to a newer one meanwhile. Nobody
    is asked about it once more until another approval makes it stale.
    """
    revision = revisions.get(session, revision_id)
    pages.lock_page(session, revision.page_id)
    candidate = candidates.find_by_revision(session, revision.id)
    vote = find_vote(session, actor, candidate) if candidate else None
    if candidate is not None and candidate.stale:
        promotion.settle(session, candidate)  # one that was to be declined before this answer is, without it
    if candidate is None or vote is None or not candidate.stale or candidate.closed is not None:
        raise Conflict(_("You are not asked about this text. Look at how it stands now."))
    accounts.touch(session, actor)
    if value != vote.value:
        if value is None:
            session.delete(vote)
        else:
            vote = _put_vote(session, actor, candidate, revision, value, "")
        _enter(session, candidate, actor, value, revision)
        record(
            session,
            Kind.VOTE_WITHDRAWN if value is None else Kind.VOTE_CAST,
            None,
            page_id=candidate.page_id,
            subject_id=candidate.revision_id,
        )
    if value is not None:
        vote.answered_id = candidate.stale_by_id
        session.add(vote)
    session.flush()
    return Cast(None if value is None else vote, candidate, promotion.settle(session, candidate))


def _put_vote(session: Session, actor: Actor, candidate: Candidate, seen: Revision, value: Value, reason: str) -> Vote:
    former = find_vote(session, actor, candidate)
    if former is not None:
        session.delete(former)
        session.flush()
    vote = Vote(
        candidate_id=candidate.id,
        member_id=actor.id,
        chapter_id=actor.chapter_id,
        value=value,
        revision_id=seen.id,
        sha256=seen.sha256,
        reason=reason,
        cast_at=now(session),
    )
    session.add(vote)
    return vote


def find_vote(session: Session, actor: Actor, candidate: Candidate) -> Vote | None:
    """The actor's own vote; nobody else's is ever read one by one."""
    return session.exec(select(Vote).where(Vote.candidate_id == candidate.id, Vote.member_id == actor.id)).first()


def decision_of(session: Session, revision: Revision) -> Decision:
    """How the candidate of this revision stands; one that nobody voted on yet is a draft, or approved by an import."""
    candidate = candidates.find_by_revision(session, revision.id)
    if candidate is None:
        moment = now(session)
        approved = approvals.find_current(session, revision.page_id)
        candidate = Candidate(
            page_id=revision.page_id,
            draft_id=revision.draft_id,
            revision_id=revision.id,
            put_forward_at=moment,
            changed_at=moment,
            closed="approved" if approved is not None and approved.revision_id == revision.id else None,
        )
    return decisions.decide_on(session, candidate)


def _candidate_to_vote_on(session: Session, revision: Revision) -> Candidate:
    candidate = candidates.find_by_revision(session, revision.id) or candidates.open_candidate(session, revision)
    bring_up_to_date(session, candidate)
    if candidate.due_at is not None and candidate.due_at <= now(session):
        promotion.settle(session, candidate)  # a wait that ended before this vote ends first, without it
    _require_open(session, candidate)
    return candidate


def _require_open(session: Session, candidate: Candidate) -> None:
    """Open, or approved and still in force: the tally of the current text stays open."""
    if is_in_force(session, candidate):
        return
    if candidate.closed == State.DECLINED:
        raise VotingClosed(
            _(
                "This text was declined: more were against it than for it, for the whole waiting time. Changed, it can "
                "be put to the vote again."
            )
        )
    if candidate.closed == State.EXPIRED:
        raise VotingClosed(
            _(
                "The vote on this text ended without a decision. Its owner can put it forward again; the votes are "
                "then counted anew."
            )
        )
    if candidate.stale:
        raise VotingClosed(
            _(
                "The approved text changed the same sentences meanwhile, so this text waits for someone "
                "to merge the two. Your vote was not counted; the votes before are kept."
            )
        )
    if candidate.closed is not None:
        raise VotingClosed(
            _("This vote is over: {state}. Look at the page for the text that is approved now.").format(
                state=_(candidate.closed)
            )
        )


def _revision_seen(session: Session, candidate: Candidate, sha256: str) -> Revision:
    """The revision whose bytes the voter saw: where the candidate stands, or one it was carried from."""
    if not sha256:
        raise Refused(
            _("Send the sha256 of the text you read, so that your vote counts for exactly that."), pointer="/sha256"
        )
    current = revisions.get(session, candidate.revision_id)
    if current.sha256 == sha256:
        return current
    for revision in reversed(candidates.revisions_stood_on(session, candidate)):
        if revision.sha256 == sha256:
            return revision
    raise TextChanged(
        _("This text was changed after you read it. Read it as it is now, then vote. Nothing was counted.")
    )


def _enter(session: Session, candidate: Candidate, actor: Actor, value: Value | None, seen: Revision) -> None:
    session.add(
        VoteEntry(
            candidate_id=candidate.id,
            member_id=actor.id,
            chapter_id=actor.chapter_id,
            value=value,
            revision_id=seen.id,
            sha256=seen.sha256,
            at=now(session),
        )
    )
    candidate.changed_at = now(session)
    session.add(candidate)


def _decide_after(session: Session, candidate: Candidate, kind: Kind) -> Decision:
    record(session, kind, None, page_id=candidate.page_id, subject_id=candidate.revision_id)
    return promotion.settle(session, candidate)
