"""What moderators can do to a text: stop it, end the stop, put one in its place that members agreed to. Never approve.

Each takes a reason, is a row that stays and a row of the log, so that all who use the text learn it within seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.accounts.models import User
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals import stops
from app.approvals.models import Approval, ApprovalKind, Stop, StopKind
from app.consensus import candidates, ledger, unpromotion
from app.consensus.carrying import bring_up_to_date
from app.consensus.circumstances import find_approved
from app.consensus.decisions import decide_on
from app.consensus.models import Candidate
from app.consensus.promotion import promote, wake_waiting
from app.database import now
from app.drafts import merging
from app.errors import Conflict, Refused
from app.ledger.models import EntryKind
from app.pages import service as pages
from app.pages.models import Page
from app.pages.text import clean_line
from app.permissions import Action, Actor, require
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.words import N_, _, in_words

MAX_REASON = 500
HOLD_LASTS = timedelta(hours=4)
"""How long one moderator alone can stop a text; a second one makes it last until it is released."""


class NothingToStop(Conflict):
    slug = "nothing-to-stop"
    title = N_("There is nothing to stop")


class NotStopped(Conflict):
    slug = "not-stopped"
    title = N_("This text is not stopped")


class StoppedAlready(Conflict):
    slug = "stopped-already"
    title = N_("This text is stopped already")


class NotAgreed(Conflict):
    """Moderators put nothing in a text's place that members did not agree to."""

    slug = "not-agreed"
    title = N_("Members have not agreed to this text")


@dataclass(frozen=True, slots=True)
class Done:
    """What a moderator did; `takes_effect` is false while a second one has yet to do the same."""

    step: stops.Step
    takes_effect: bool = True


def hold(session: Session, actor: Actor | None, page: Page, *, reason: str) -> Done:
    """Stop the page's text for now: nobody is served it, and nothing on the page is promoted; votes go on counting.

    It ends by itself after `HOLD_LASTS`, unless another moderator holds it too. All the time that one moderator alone
    holds the same text counts towards that.
    """
    actor, reason = _begin(session, actor, page, reason)
    current, stop = approvals.find_current(session, page.id), stops.find_stop(session, page.id)
    left = HOLD_LASTS - stops.time_held_alone(session, page.id, current, actor.id)
    until: datetime | None = now(session) + left
    if stop is not None:
        if stop.kind == StopKind.WITHDRAWN:
            raise StoppedAlready(_("This text is withdrawn, so nobody is served it. There is nothing more to stop."))
        if stop.until is None or stop.actor_id == actor.id:
            raise StoppedAlready(_how_long(stop))
        until = None
    elif left <= timedelta():
        raise Conflict(
            _(
                "You have stopped this text for as long as one moderator alone can, and nobody confirmed it. Ask "
                "another moderator to stop it now, or withdraw the text."
            )
        )
    row = _row(session, page, StopKind.HELD, current, actor.id, reason, until=until)
    return _note(session, actor, page, row, Kind.PAGE_HELD)


def _how_long(stop: Stop) -> str:
    if stop.until is None:
        return _("Two moderators have stopped this text. It stays so until one of them, or another, releases it.")
    return _(
        "You have stopped this text already; it ends by itself {end}. Ask another moderator to confirm it, or withdraw "
        "the text."
    ).format(end=in_words(stop.until))


def release(session: Session, actor: Actor | None, page: Page, *, reason: str) -> Done:
    """End a hold. What waited is looked at anew, in the order in which its waiting ended."""
    actor, reason = _begin(session, actor, page, reason)
    stop = stops.find_stop(session, page.id)
    if stop is None or stop.kind != StopKind.HELD:
        raise NotStopped(_("Nobody holds this text, so there is nothing to release."))
    return _release(session, actor, page, stop, reason)


def end_hold(session: Session, stop_id: int) -> None:
    """Note that a hold ended by itself, if nobody did anything about it meanwhile."""
    hold = session.get_one(Stop, stop_id)
    pages.lock_page(session, hold.page_id)
    if hold.id in {ended.id for ended in stops.list_ended_holds(session)}:
        page = pages.get_by_id(session, hold.page_id)
        _release(session, None, page, hold, N_("The time of the stop is over."))


def _release(session: Session, actor: Actor | None, page: Page, held: Stop, reason: str) -> Done:
    approval = approvals.get(session, held.approval_id) if held.approval_id else None
    row = _row(session, page, StopKind.RELEASED, approval, actor.id if actor else None, reason)
    done = _note(session, actor, page, row, Kind.PAGE_RELEASED)
    wake_waiting(session, page.id)
    return done


def withdraw(session: Session, actor: Actor | None, page: Page, *, reason: str, replacement: str | None = None) -> Done:
    """Never use this text. `replacement` is the address of the page to use instead."""
    actor, reason = _begin(session, actor, page, reason)
    current, stop = approvals.find_current(session, page.id), stops.find_stop(session, page.id)
    if current is None:
        raise NothingToStop(_("This page has no approved text, so there is none to withdraw."))
    if stop is not None and stop.kind == StopKind.WITHDRAWN:
        raise StoppedAlready(_("This text is withdrawn already."))
    if replacement:
        other = pages.find_page(session, replacement)
        if other is None or other.id == page.id:
            raise Refused(
                _("There is no other page at “{slug}”. Give the address of the page to use instead.").format(
                    slug=replacement
                ),
                pointer="/replacement",
            )
        replacement = other.slug
    row = _row(session, page, StopKind.WITHDRAWN, current, actor.id, reason, replacement=replacement or None)
    done = _note(session, actor, page, row, Kind.PAGE_WITHDRAWN)
    wake_waiting(session, page.id)
    return done


def restore(session: Session, actor: Actor | None, page: Page, *, reason: str) -> Done:
    """Bring a withdrawn text back. It takes two moderators of different chapters; a new vote can do it too."""
    actor, reason = _begin(session, actor, page, reason)
    stop = stops.find_stop(session, page.id)
    if stop is None or stop.kind != StopKind.WITHDRAWN:
        raise NotStopped(_("This text is not withdrawn, so there is nothing to bring back."))
    asked = stops.list_asked(session, stop, StopKind.RESTORED)
    if any(row.actor_id == actor.id for row in asked):
        raise Conflict(_("You asked for this already. A moderator of another chapter has to ask for it too."))
    askers = session.exec(select(User).where(col(User.id).in_([row.actor_id for row in asked]))).all()
    seconds = any(user.chapter_id != actor.chapter_id for user in askers)
    if asked and not seconds:
        raise Conflict(_("A moderator of your own chapter asked for this already. It takes one of another chapter."))
    row = _row(session, page, StopKind.RESTORED, approvals.find_current(session, page.id), actor.id, reason)
    if not seconds:
        row.takes_effect = False
        stops.add_stop(session, row)
        return Done(_step(session, row), takes_effect=False)
    others = [user.chapter_id for user in askers if user.chapter_id != actor.chapter_id]
    done = _note(session, actor, page, row, Kind.PAGE_RESTORED, seconding=others[:1])
    wake_waiting(session, page.id)
    return done


def correct(session: Session, actor: Actor | None, page: Page, *, revision_id: int, reason: str) -> Done:
    """Put a text in its place at once: one approved before, or one that passes and only waits out its time.

    Nothing that was withdrawn or lost its approval comes back this way. Raises `NotAgreed` for every other text.
    """
    actor, reason = _begin(session, actor, page, reason)
    revision = revisions.get(session, revision_id)
    if revision.page_id != page.id:
        raise Refused(_("That version is of another page. Choose one of this page."), pointer="/revision")
    current = approvals.find_current(session, page.id)
    if current is None:
        raise NothingToStop(_("This page has no approved text, so there is none to correct."))
    if revision.id == current.revision_id:
        raise Conflict(_("This is the approved text already."))
    before = next((text for text in stops.list_usable(session, page.id) if text.id == revision.id), None)
    if before is not None:
        return Done(stops.Step(_go_back_to(session, actor, page, before, reason)))
    candidate = candidates.find_by_revision(session, revision.id)
    if candidate is not None and candidate.closed is None:
        bring_up_to_date(session, candidate)
    if candidate is None or not _only_waits(session, candidate):
        raise NotAgreed(
            _(
                "Moderators can put back a text that was approved before, or one that has enough people three to one "
                "and only waits out its time. This one is neither, so nothing was changed. It takes a vote."
            )
        )
    approval = promote(
        session,
        candidate,
        decide_on(session, candidate),
        kind=ApprovalKind.CORRECTED,
        reason=reason,
        actor=actor,
    )
    return Done(stops.Step(approval))


def _only_waits(session: Session, candidate: Candidate) -> bool:
    decision = decide_on(session, candidate)
    return candidate.closed is None and not candidate.stale and decision.passing_since is not None


def _go_back_to(session: Session, actor: Actor, page: Page, revision: Revision, reason: str) -> Approval:
    unpromotion.close_tally(session, find_approved(session, page.id))
    approval = approvals.approve(
        session,
        revision,
        kind=ApprovalKind.CORRECTED,
        basis="consensus",
        reason=reason,
        actor_id=actor.id,
    )
    unpromotion.serve_again(session, revision, since=approval.at)
    merging.take_approved_in(session, page, revision)
    session.flush()
    ledger.append(
        session,
        EntryKind.CORRECTED,
        page,
        at=approval.at,
        text=revision.sha256,
        basis="moderators",
        approval_id=approval.id,
        reason=reason,
        by=[actor.chapter_id],
    )
    record(
        session,
        Kind.PAGE_CORRECTED,
        actor,
        page_id=page.id,
        subject_id=revision.id,
        data={"approval": approval.id, "sha256": revision.sha256, "reason": reason},
    )
    return approval


def _begin(session: Session, actor: Actor | None, page: Page, reason: str) -> tuple[Actor, str]:
    actor = require(actor, Action.STOP_TEXT)
    reason = clean_line(reason, pointer="/reason", max_length=MAX_REASON, required=True)
    pages.lock_page(session, page.id)
    accounts.touch(session, actor)
    return actor, reason


def _row(
    session: Session,
    page: Page,
    kind: StopKind,
    approval: Approval | None,
    actor_id: int | None,
    reason: str,
    *,
    until: datetime | None = None,
    replacement: str | None = None,
) -> Stop:
    return Stop(
        page_id=page.id,
        kind=kind,
        approval_id=approval.id if approval else None,
        at=now(session),
        actor_id=actor_id,
        reason=reason,
        until=until,
        replacement=replacement,
    )


def _note(
    session: Session, actor: Actor | None, page: Page, row: Stop, kind: Kind, *, seconding: Sequence[int | None] = ()
) -> Done:
    stops.add_stop(session, row)
    step = _step(session, row)
    served = step.approval is not None and row.kind != StopKind.WITHDRAWN
    ledger.append(
        session,
        EntryKind(row.kind),
        page,
        at=row.at,
        text=revisions.get(session, step.approval.revision_id).sha256 if step.approval and served else None,
        basis="moderators" if actor else "time",
        stop_id=row.id,
        reason=row.reason,
        until=row.until,
        by=[*seconding, actor.chapter_id] if actor else [],
    )
    record(
        session,
        kind,
        actor,
        page_id=page.id,
        subject_id=step.approval.revision_id if step.approval else None,
        data={"reason": row.reason, "replacement": row.replacement, "until": row.until and row.until.isoformat()},
    )
    return Done(step)


def _step(session: Session, row: Stop) -> stops.Step:
    return stops.Step(approvals.get(session, row.approval_id) if row.approval_id else None, row)
