"""Candidates, votes and decisions as answers."""

from collections.abc import Sequence

from sqlmodel import Session

from app.accounts import chapters
from app.accounts.models import Chapter
from app.approvals.schemas import ApprovalOut, RevisionRef
from app.approvals.stops import Step
from app.consensus import candidates, decisions, queue, rivals, stacks, votes
from app.consensus.facts import Decision
from app.consensus.models import Candidate, Value
from app.consensus.schemas import (
    MOST_ALIKE,
    MOST_ASKED,
    AskedAgainOut,
    CandidateOut,
    CastOut,
    DecisionOut,
    ElectorateOut,
    FullDecisionOut,
    PageRef,
    ProgressOut,
    ReviewDiffOut,
    ReviewOut,
    RuleOut,
    TallyOut,
    VoteOut,
)
from app.consensus.votes import Cast
from app.ledger import service as ledger
from app.pages import service as pages
from app.permissions import Action, Actor, require
from app.revisions import service as revisions
from app.revisions.cache import Kept
from app.revisions.diff import Diff, word_diff
from app.revisions.models import Revision
from app.revisions.presenting import present_rows
from app.revisions.schemas import DiffOut
from app.words import _, _n, language

_DIFFS: Kept[tuple[str, str, str], Diff] = Kept(100)
"""By the two texts' hashes and the language: what one member is asked about, others are asked about too."""


def present_candidates(session: Session, listed: Sequence[Candidate]) -> list[CandidateOut]:
    """Candidates with how each stands."""
    slugs = chapters.slugs_by_id(session)
    decided = decisions.decide_on_all(session, listed)
    rows = revisions.get_many(session, (candidate.revision_id for candidate in listed))
    texts = present_rows(session, [rows[candidate.revision_id] for candidate in listed])
    alike = stacks.look_alikes_of(session, listed, limit=MOST_ALIKE)
    return [
        CandidateOut(
            page=row.page,
            draft=candidate.draft_id,
            revision=row,
            base=candidate.base_revision_id,
            put_forward_at=candidate.put_forward_at,
            opened_at=candidate.opened_at,
            score=str(decision.score),
            tallies=[TallyOut.of(line, slugs) for line in decision.count.chapters],
            decision=DecisionOut(**DecisionOut.fields_of(decision, slugs)),
            look_alikes=[other.revision_id for other in alike[candidate.id]],
        )
        for candidate, row, decision in zip(listed, texts, decided, strict=True)
    ]


def present_decision(session: Session, revision: Revision) -> FullDecisionOut:
    """How a revision stands; one that nobody voted on yet is a draft."""
    candidate = candidates.find_by_revision(session, revision.id)
    return _present_whole(session, revision.id, revision, candidate, votes.decision_of(session, revision))


def present_cast(session: Session, cast: Cast, asked_id: int) -> CastOut:
    """What became of a vote on the revision that was asked for."""
    current = revisions.get(session, cast.candidate.revision_id)
    seen = revisions.get(session, cast.vote.revision_id) if cast.vote else None
    return CastOut(
        vote=VoteOut.of(cast.vote, seen) if cast.vote and seen else None,
        decision=_present_whole(session, asked_id, current, cast.candidate, cast.decision),
    )


def present_next(session: Session, viewer: Actor | None, chapter: Chapter | None) -> ReviewOut:
    """What the viewer is asked next, of those that lack votes of the chapter if one is named."""
    actor = require(viewer, Action.REVIEW)
    found = queue.find_next(session, actor, chapter_id=chapter.id if chapter else None)
    progress = queue.progress_of(session, actor)
    shown = ProgressOut(today=progress.today, left=progress.left)
    asked_again = _present_asked_again(session, actor)
    candidate = found.candidate
    if candidate is None:
        done = done_in_words(progress)
        return ReviewOut(
            candidate=None, page=None, diff=None, why=None, progress=shown, done=done, asked_again=asked_again
        )
    page = pages.get_by_id(session, candidate.page_id)
    diff = diff_of(session, candidate)
    base_id = candidate.base_revision_id
    change = DiffOut.of(base_id or candidate.revision_id, candidate.revision_id, diff).model_dump(by_alias=True)
    return ReviewOut(
        candidate=present_candidates(session, [candidate])[0],
        page=PageRef(slug=page.slug, title=page.title),
        diff=ReviewDiffOut.model_validate(change | {"from": base_id}),
        why=_(found.why),
        progress=shown,
        done=None,
        asked_again=asked_again,
    )


def _present_asked_again(session: Session, actor: Actor) -> list[AskedAgainOut]:
    """What the actor is asked about votes they cast before."""
    questions = rivals.list_questions(session, actor)
    slugs = {row.id: row.slug for row in pages.pages_by_id(session, (q.approval.page_id for q in questions)).values()}
    listed = [(question.approval, *row) for question in questions for row in question.asked]
    return [
        AskedAgainOut(
            page=slugs[approval.page_id],
            revision=candidate.revision_id,
            value=Value(vote.value),
            approved=approval.revision_id,
        )
        for approval, candidate, vote in listed[:MOST_ASKED]
    ]


def diff_of(session: Session, candidate: Candidate) -> Diff:
    """What the candidate changes in the text it stands on; all of it before a first approval."""
    row, base_id = revisions.get(session, candidate.revision_id), candidate.base_revision_id
    key = revisions.get(session, base_id).sha256 if base_id else "", row.sha256, language().code
    found = _DIFFS.get(key)
    if found is None:
        base = revisions.text_by_id(session, base_id) if base_id else ""
        found = word_diff(base, revisions.text_of(session, row))
        _DIFFS.put(key, found)
    return found


def done_in_words(progress: queue.Progress) -> str:
    """That nothing is left, and what the member moved today."""
    if not progress.today:
        return _("Nothing needs your vote right now.")
    return _n("You are done: {n} text moved today.", "You are done: {n} texts moved today.", progress.today).format(
        n=progress.today
    )


def _present_whole(
    session: Session, asked_id: int, revision: Revision, candidate: Candidate | None, decision: Decision
) -> FullDecisionOut:
    slugs = chapters.slugs_by_id(session)
    current = revisions.get(session, candidate.revision_id) if candidate else revision
    rule = decisions.rule_of(session, candidate) if candidate else decisions.rule_in_force(session)
    return FullDecisionOut(
        **DecisionOut.fields_of(decision, slugs),
        revision=RevisionRef.of(current),
        carried_to=current.id if current.id != asked_id else None,
        tallies=[TallyOut.of(line, slugs) for line in decision.count.chapters],
        electorate=ElectorateOut.of(decisions.electorate_of(session, candidate), slugs),
        rule=RuleOut.of(rule),
    )


def present_steps(session: Session, listed: Sequence[Step]) -> list[ApprovalOut]:
    """What happened to a page's approved text. A stop is shown with the text that it stops."""
    texts = revisions.get_many(session, {step.approval.revision_id for step in listed if step.approval})
    of_approvals = ledger.sequences_of(session, (step.row.id for step in listed if step.stop is None))
    of_stops = ledger.sequences_of_stops(session, (step.stop.id for step in listed if step.stop))
    return [
        ApprovalOut.of(
            step,
            texts[step.approval.revision_id] if step.approval else None,
            (of_stops if step.stop else of_approvals).get(step.row.id),
        )
        for step in listed
    ]
