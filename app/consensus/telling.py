"""What happened to a page's approved text, and how it stands, in sentences for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.approvals import stops
from app.approvals.models import Approval, ApprovalKind, Stop, StopKind
from app.approvals.stops import Step
from app.consensus import candidates, decisions, ranking
from app.consensus.facts import Decision
from app.consensus.models import Candidate, Dependency
from app.pages import service as pages
from app.pages.models import Page
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.words import N_, _, _n, in_words, unended

_STEPS = {
    "promoted": N_("{text} was approved."),
    "rapid": N_("{text} was approved in rapid mode."),
    "imported": N_("{text} was taken over from what stood before this workshop began."),
    "unpromoted": N_("Members took the approval back; {text} is in force again."),
    "contested": N_("Members turned against {text}. There is no earlier text, so it stands as contested."),
    "corrected": N_("{who} put {text} in its place at once: “{reason}”."),
    "held": N_("{who} stopped {text} for now: “{reason}”."),
    "released": N_("{who} ended the stop: “{reason}”."),
    "released by itself": N_("The stop ended by itself."),
    "withdrawn": N_("{who} withdrew {text}: “{reason}”. It must never be used."),
    "restored": N_("{who} and another moderator brought {text} back: “{reason}”."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A step in words. `revision` is the text it is about."""

    step: Step
    revision: Revision | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A page's text that is not to be used. `safe` is the newest one before it that is not in doubt."""

    stop: Stop
    is_withdrawn: bool
    sentence: str
    safe: Revision | None
    replacement: Page | None
    restore_asked: bool


def tell_steps(session: Session, page: Page, *, limit: int) -> list[Told]:
    """The newest steps of a page, newest first."""
    steps = stops.list_steps(session, page.id, limit=limit)
    texts = revisions.get_many(session, {step.approval.revision_id for step in steps if step.approval})
    names = accounts.names_of(session, [step.row.actor_id for step in steps])
    return [
        Told(step, revision, _tell(step, revision, names))
        for step in steps
        for revision in [texts[step.approval.revision_id] if step.approval else None]
    ]


def _tell(step: Step, revision: Revision | None, names: dict[int, str]) -> str:
    row = step.row
    kind: str = row.kind
    if step.stop is None and step.approval is not None:
        if step.approval.contested:
            kind = "contested"
        elif step.approval.mode == "rapid" and kind == ApprovalKind.PROMOTED:
            kind = "rapid"
    elif kind == StopKind.RELEASED and row.actor_id is None:
        kind = "released by itself"
    who = names.get(row.actor_id or 0) or _("A moderator")
    text = f"r{revision.number}" if revision else _("the first approval")
    return _(_STEPS[kind]).format(text=text, who=who, reason=unended(_(row.reason)) if row.reason else "")


def tell_stop(session: Session, page: Page, stop: Stop) -> Stopped:
    """What somebody has to know who meant to use the text."""
    withdrawn = stop.kind == StopKind.WITHDRAWN
    if withdrawn:
        said = _("Never use this text. It was withdrawn {when}: “{reason}”.")
    elif stop.until is None:
        said = _("Do not use this text now. Two moderators stopped it, the second {when}: “{reason}”.")
    else:
        said = _(
            "Do not use this text now. A moderator stopped it {when}: “{reason}”. The stop ends by itself {end}, "
            "unless a second moderator confirms it."
        )
    end = in_words(stop.until) if stop.until else ""
    usable = stops.list_usable(session, page.id)
    return Stopped(
        stop=stop,
        is_withdrawn=withdrawn,
        sentence=said.format(when=in_words(stop.at), reason=unended(stop.reason), end=end),
        safe=usable[-1] if usable else None,
        replacement=pages.find_page(session, stop.replacement) if stop.replacement else None,
        restore_asked=bool(withdrawn and stops.list_asked(session, stop, StopKind.RESTORED)),
    )


def find_stopped(session: Session, page: Page) -> Stopped | None:
    """How the page's text is stopped, if it is."""
    stop = stops.find_stop(session, page.id)
    return tell_stop(session, page, stop) if stop else None


def approval_line(session: Session, approval: Approval) -> str:
    """When and by how many the approved text was agreed, in words."""
    when = in_words(approval.at)
    if approval.contested:
        return _("Members turned against it {when}. There is no earlier text, so it stands as contested.").format(
            when=when
        )
    candidate = _candidate_of(session, approval)
    if candidate is None or candidate.opened_at is None:
        return _("Taken over {when} from what stood before this workshop began.").format(when=when)
    decision = decisions.decide_on(session, candidate)
    voices = [line for line in decision.count.chapters if line.votes.support]
    people = decision.count.supporters
    return _(
        _APPROVED.get(approval.mode if approval.kind == "promoted" else approval.kind, _APPROVED["routine"])
    ).format(
        when=when,
        people=_n("{n} person", "{n} people", people).format(n=people),
        chapters=_n("{n} chapter", "{n} chapters", len(voices)).format(n=len(voices)),
    )


_APPROVED = {
    "routine": N_("Approved {when} by {people} in {chapters}."),
    "rapid": N_("Approved in rapid mode {when} by {people} in {chapters}."),
    "unpromoted": N_("In force again since {when}; approved by {people} in {chapters}."),
    "corrected": N_("Put in place by a moderator {when}; backed by {people} in {chapters}."),
}


def _candidate_of(session: Session, approval: Approval) -> Candidate | None:
    if approval.candidate_id is not None:
        return session.get_one(Candidate, approval.candidate_id)
    return candidates.find_by_revision(session, approval.revision_id)


def tell_all_stopped(session: Session) -> Sequence[tuple[Page, Stopped]]:
    """Every text that is stopped now, the newest stop first."""
    rows = stops.list_stopped(session)
    by_id = pages.pages_by_id(session, (row.page_id for row in rows))
    return [(by_id[row.page_id], tell_stop(session, by_id[row.page_id], row)) for row in rows]


def why_this_one(
    session: Session, candidate: Candidate | None, decision: Decision, approved: Approval | None, in_force: bool
) -> str:
    """Why this text and not another: its place among those that are open, or what would have to beat it."""
    score = f"{float(decision.score):.2f}"
    if in_force:
        rivals = _count_rivals(session, approved) if approved else 0
        if not rivals:
            return _("No other text that rewrites the same sentences is put to the vote now.")
        return _n(
            "{n} other text rewrites the same sentences. Merged with this one it is voted on anew, and takes its place "
            "when it passes; within a day of this approval only with a higher score than {score}.",
            "{n} other texts rewrite the same sentences. Merged with this one they are voted on anew, and one takes "
            "its place when it passes; within a day of this approval only with a higher score than {score}.",
            rivals,
        ).format(n=rivals, score=score)
    if candidate is None or candidate.closed is not None or candidate.stale or candidate.score is None:
        return ""
    better = ranking.count_better(session, candidate)
    if not better:
        return _("It stands first here: no other open text of this page has a higher score than {score}.").format(
            score=score
        )
    return _n(
        "{n} other open text of this page has a higher score than {score} and stands before it. But each is decided by "
        "itself; a place in the list approves nothing.",
        "{n} other open texts of this page have a higher score than {score} and stand before it. But each is decided "
        "by itself; a place in the list approves nothing.",
        better,
    ).format(n=better, score=score)


def _count_rivals(session: Session, approved: Approval) -> int:
    """Open candidates that are stale because they rewrite the sentences that this approval rewrote."""
    if approved.candidate_id is None:
        return 0
    own = select(Dependency.hash).where(Dependency.candidate_id == approved.candidate_id, col(Dependency.rewrites))
    query = (
        select(func.count(func.distinct(Dependency.candidate_id)))
        .join(Candidate, col(Candidate.id) == Dependency.candidate_id)
        .where(
            Dependency.page_id == approved.page_id,
            col(Dependency.rewrites),
            col(Dependency.hash).in_(own),
            col(Candidate.closed).is_(None),
            col(Candidate.stale),
        )
    )
    return session.exec(query).one()
