"""Rapid mode: on a page where minutes matter the waiting is shorter, the people and the three to one are the same."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session, col, or_, select

from app.accounts import seasoning
from app.accounts import service as accounts
from app.consensus.decisions import rule_in_force, sides_of
from app.consensus.models import RapidCall
from app.consensus.promotion import wake_waiting
from app.database import now
from app.errors import Conflict, NotAllowed
from app.pages import service as pages
from app.pages.models import Page
from app.permissions import Action, Actor, require
from app.words import _, in_words

CALL_LASTS = timedelta(hours=24)
"""How long a call waits for a second."""


class Rapid(NamedTuple):
    """How a page stands: `until` when rapid mode ends, where it is on; `called_at` when the first call came."""

    until: datetime | None
    called_at: datetime | None
    called_by_me: bool = False


def rapid_of(session: Session, page: Page, actor: Actor | None = None) -> Rapid:
    """Whether rapid mode is on, or called for."""
    at = now(session)
    rows = session.exec(
        select(RapidCall)
        .where(RapidCall.page_id == page.id, or_(col(RapidCall.at) > at - CALL_LASTS, col(RapidCall.until) > at))
        .order_by(col(RapidCall.id))
    ).all()
    until = max((row.until for row in rows if row.until is not None), default=None)
    if until is not None and at < until:
        return Rapid(until, None)
    opened = [row.id for row in rows if row.until is not None]
    calls = [row for row in rows if row.id > max(opened, default=0) and row.at > at - CALL_LASTS]
    mine = actor is not None and any(call.member_id == actor.id for call in calls)
    return Rapid(None, calls[0].at if calls else None, mine)


def call(session: Session, actor: Actor | None, page: Page) -> Rapid:
    """Call for rapid mode, or second the call, which opens it for `Rule.rapid_lasts`.

    The two are of different chapters, where more than one counts separately. Raises `Conflict` where it is on already
    or a second call from the same side came, and `NotAllowed` for members whose votes do not count yet.
    """
    actor = require(actor, Action.CALL_RAPID)
    if not seasoning.counts(session, actor):
        raise NotAllowed(_("You can call for rapid mode as soon as your own votes count."))
    pages.lock_page(session, page.id)
    accounts.touch(session, actor)
    standing = rapid_of(session, page, actor)
    if standing.until is not None:
        raise Conflict(_("Rapid mode is on here already, until {time}.").format(time=in_words(standing.until)))
    if standing.called_by_me:
        raise Conflict(_("You have called for it. It takes one more member, of another chapter, to open it."))
    calls = session.exec(
        select(RapidCall)
        .where(RapidCall.page_id == page.id, col(RapidCall.at) >= (standing.called_at or now(session)))
        .order_by(col(RapidCall.id))
    ).all()
    side, sides = _side_of(session, actor.chapter_id)
    seconds = any(sides < 2 or _side_of(session, earlier.chapter_id)[0] != side for earlier in calls)
    if calls and not seconds:
        raise Conflict(
            _("A member of your own chapter has called for it already. It takes one of another chapter to open it.")
        )
    until = now(session) + _lasts(session) if seconds else None
    session.add(
        RapidCall(page_id=page.id, member_id=actor.id, chapter_id=actor.chapter_id, at=now(session), until=until)
    )
    session.flush()
    if until is not None:
        wake_waiting(session, page.id)
    return rapid_of(session, page, actor)


def _side_of(session: Session, chapter_id: int | None) -> tuple[int | None, int]:
    """The chapter as it is counted, small ones being at large, and how many count."""
    sides = sides_of(session)
    return (chapter_id if chapter_id in sides else None), len(sides)


def _lasts(session: Session) -> timedelta:
    return timedelta(seconds=rule_in_force(session).rapid_lasts)
