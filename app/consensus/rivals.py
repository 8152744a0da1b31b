"""Rivals of one decision: texts that it made stale, and what those who had voted on them say since."""

from dataclasses import dataclass

from sqlalchemy import Integer, bindparam
from sqlmodel import Session, col, or_, select

from app.accounts import service as accounts
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals.models import Approval
from app.consensus import candidates, votes
from app.consensus.carrying import wording_on
from app.consensus.models import Candidate, Value, Vote
from app.consensus.votes import Cast
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftKind, DraftState
from app.errors import Conflict
from app.pages import service as pages
from app.pages.text import Text, sha256_of
from app.permissions import Action, Actor, allows, require
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.web.summaries import BROUGHT_IN
from app.words import _


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a member's votes still stand after an approval: on the texts that it made stale, best ranked first."""

    approval: Approval
    asked: list[tuple[Candidate, Vote]]


# Put together once, as every look at the queue asks it.
_ASKED = (
    select(Candidate, Vote)
    .join(Vote, col(Vote.candidate_id) == col(Candidate.id))
    .where(
        col(Vote.member_id) == bindparam("actor", type_=Integer()),
        Vote.value != Value.PASS,
        col(Candidate.closed).is_(None),
        col(Candidate.stale),
        col(Candidate.stale_by_id).is_not(None),
        or_(col(Vote.answered_id).is_(None), col(Vote.answered_id) != col(Candidate.stale_by_id)),
    )
    .order_by(col(Candidate.stale_by_id).desc(), col(Candidate.score).desc(), col(Candidate.id))
)


def list_questions(session: Session, actor: Actor | None, *, about: Candidate | None = None) -> list[Question]:
    """What the actor is asked, the newest approval first; each vote until they answer.

    Who passed on a text is not asked. `about`: only the question in which this candidate is, which then comes first.
    """
    if actor is None or (about is not None and not about.stale):
        return []
    query = _ASKED
    if about is not None:
        query = query.where(Candidate.stale_by_id == about.stale_by_id)
    asked: dict[int, list[tuple[Candidate, Vote]]] = {}
    for candidate, vote in session.execute(query, {"actor": actor.id}):
        asked.setdefault(candidate.stale_by_id or 0, []).append((candidate, vote))
    if about is not None:
        if not any(candidate.id == about.id for rows in asked.values() for candidate, _vote in rows):
            return []
        asked = {id_: sorted(rows, key=lambda row: row[0].id != about.id) for id_, rows in asked.items()}
    by_id = approvals.get_many(session, asked)
    return [Question(by_id[id_], rows) for id_, rows in asked.items()]


def keep_votes(session: Session, actor: Actor | None, approval_id: int) -> None:
    """The actor's votes on all that this approval made stale stand as they are; they are not asked again."""
    actor = require(actor, Action.VOTE)
    approval = approvals.get_many(session, [approval_id]).get(approval_id)
    if approval is None:
        raise Conflict(_("There is no such approval, so there is nothing to answer."))
    pages.lock_page(session, approval.page_id)
    accounts.touch(session, actor)
    for question in list_questions(session, actor):
        for _candidate, vote in question.asked if question.approval.id == approval_id else ():
            vote.answered_id = approval_id
            session.add(vote)


def answer(session: Session, actor: Actor | None, revision_id: int, value: Value | None) -> Cast:
    """The actor's vote on a stale text is this one from now on, or none; the same one again says that it stands.

    As long as the text is stale it decides no more than whether a decline that had begun goes on. Raises `Conflict`
    where they have no vote on it or it is not stale.
    """
    actor = require(actor, Action.VOTE)
    return votes.revise_vote(session, actor, revision_id, value)


def put_again(session: Session, actor: Actor | None, revision_id: int) -> Candidate:
    """Put a stale text's words for the clashing sentences to a new vote, on the text that is approved now.

    Its author's draft goes on with them, anybody else gets a fork of their own; votes begin at zero. Where exactly that
    text is put to the vote already, that candidate. Raises
    `candidates.NothingToDecide` where the approved text says the same.
    """
    actor = require(actor, Action.FORK)
    revision = revisions.get(session, revision_id)
    pages.lock_page(session, revision.page_id)
    candidate = candidates.find_by_revision(session, revision.id)
    approved = approvals.find_current(session, revision.page_id)
    if candidate is None or approved is None or not candidate.stale or candidate.closed is not None:
        raise Conflict(_("This text does not wait for anybody to put it to the vote again. Look at how it stands now."))
    text = wording_on(session, candidate, approved)
    vote = votes.find_vote(session, actor, candidate)
    if vote is not None:
        vote.answered_id = candidate.stale_by_id
        session.add(vote)
    return _find_open(session, candidate.page_id, text) or _put(session, actor, candidate, text, approved)


def _find_open(session: Session, page_id: int, text: Text) -> Candidate | None:
    """The oldest open candidate of the page with exactly this text."""
    same = select(Candidate).join(Revision, col(Revision.id) == Candidate.revision_id)
    same = same.where(Candidate.page_id == page_id, col(Candidate.closed).is_(None), col(Candidate.stale).is_(False))
    return session.exec(same.where(Revision.sha256 == sha256_of(text)).order_by(col(Candidate.id)).limit(1)).first()


def _put(session: Session, actor: Actor, candidate: Candidate, text: Text, approved: Approval) -> Candidate:
    draft = drafts.get_draft(session, candidate.draft_id)
    if not _goes_on(draft, candidate, actor):
        draft = drafts.fork(session, actor, candidate.revision_id, name=draft.name)
    drafts.append(
        session,
        draft,
        drafts.check_text(text),
        author_id=actor.id,
        summary=BROUGHT_IN,
        second_parent_id=approved.revision_id,
    )
    data = {"head": draft.head_id}
    record(session, Kind.DRAFT_UPDATED, actor, page_id=draft.page_id, subject_id=draft.id, data=data)
    return candidates.put_forward(session, actor, draft.id)


def _goes_on(draft: Draft, candidate: Candidate, actor: Actor) -> bool:
    """Whether the draft is the actor's and still where the candidate stands."""
    is_open = draft.kind == DraftKind.FORK and draft.state == DraftState.OPEN
    return is_open and draft.head_id == candidate.revision_id and allows(actor, Action.EDIT_DRAFT, draft)
