"""One webhook in the browser: how it fares, what was sent, its settings, a test, and its secret."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from app.accounts.actors import Viewer
from app.accounts.idempotency import AnswerHeldASecret, send_form_once
from app.database import now
from app.errors import Conflict, DomainError, Refused
from app.outbound import TargetRefused
from app.pages import service as pages
from app.pages.service import PageNotFound
from app.permissions import Action, Actor, require
from app.web.cursors import decode_cursor, encode_cursor
from app.web.problems import status_of
from app.web.schemas import PathId
from app.web.session import SessionDep
from app.web.templates import render
from app.webhooks import service
from app.webhooks.addresses import check_address
from app.webhooks.forms import Field, Typed, TypedDep, find_problem, new_once
from app.webhooks.models import Webhook
from app.webhooks.telling import KINDS, tell_deliveries, tell_one
from app.words import N_, _

site = APIRouter(include_in_schema=False)

HOME = "/me/programs/webhooks/{webhook_id}"
SHOWN = 20

SAID = {
    "changed": N_("Your changes are saved. They count for what happens from now on."),
    "on": N_("It is on again, and gets what happens from now on. What happened meanwhile can be sent below."),
    "off": N_("It is off. Nothing is sent to it any more, and what waited was given up."),
    "again": N_("The message is sent again now."),
    "since": N_("Everything that it wants since then is sent again, one message after the other."),
}
"""What was done, after a form led back here."""

SPANS = {
    "1": N_("The last hour"),
    "6": N_("The last 6 hours"),
    "24": N_("The last day"),
    "72": N_("The last 3 days"),
    "168": N_("The last 7 days"),
    "720": N_("The last 30 days"),
}
"""Hours back to send everything again from, as people choose them."""


def check_changed_address(request: Request, webhook_id: PathId, typed: TypedDep) -> TargetRefused | None:
    """What speaks against the address that a webhook is to get."""
    return find_problem(lambda: check_address(request, typed.url, webhook_id=webhook_id))


@site.get(HOME)
def show_webhook(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    webhook_id: PathId,
    cursor: str | None = None,
    said: str = "",
    test: str = "",
) -> Response:
    """How one webhook fares; `test` is the message that was just asked for."""
    webhook = service.get_own(session, viewer, webhook_id)
    return _page(request, session, viewer, webhook, cursor=cursor, said=said, test=test)


@site.post(HOME)
def change_webhook(
    request: Request,
    # Before the session: to look an address up takes time which no transaction should last.
    refused: Annotated[TargetRefused | None, Depends(check_changed_address)],
    session: SessionDep,
    viewer: Viewer,
    webhook_id: PathId,
    typed: TypedDep,
) -> Response:
    """Change what is sent and where to, or say why not, with what was typed."""
    webhook = service.get_own(session, viewer, webhook_id)
    if refused is not None:
        return _page(request, session, viewer, webhook, problem=refused, typed=typed)
    try:
        with session.begin_nested():
            service.change_webhook(session, viewer, webhook_id, typed.as_wanted())
    except (Refused, Conflict, PageNotFound) as error:
        return _page(request, session, viewer, webhook, problem=error, typed=typed)
    return _back(webhook_id, "said=changed")


@site.post(HOME + "/switch")
def switch_webhook(session: SessionDep, viewer: Viewer, webhook_id: PathId, to: Field = "") -> Response:
    """Turn it on or off."""
    service.get_own(session, viewer, webhook_id)
    if to not in ("on", "off"):
        raise Refused(_("Choose whether it is on or off."), pointer="/to")
    service.change_webhook(session, viewer, webhook_id, {"enabled": to == "on"})
    return _back(webhook_id, "said=on" if to == "on" else "said=off")


@site.post(HOME + "/test")
def send_test(request: Request, session: SessionDep, viewer: Viewer, webhook_id: PathId) -> Response:
    """Put a test in line. What became of it is shown where this leads, without waiting for the receiver here."""
    webhook = service.get_own(session, viewer, webhook_id)
    try:
        row = service.send_test(session, viewer, webhook_id)
    except Conflict as error:
        return _page(request, session, viewer, webhook, problem=error)
    return _back(webhook_id, f"test={row.id}")


@site.post(HOME + "/again")
def send_again(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    webhook_id: PathId,
    delivery: Field = "",
    span: Field = "",
    since: Field = "",
) -> Response:
    """Send one message again, or everything since a time."""
    webhook = service.get_own(session, viewer, webhook_id)
    try:
        with session.begin_nested():
            if delivery:
                if _number(delivery) is None:
                    raise Refused(_("This webhook has no such message any more."), pointer="/delivery")
                service.send_again(session, viewer, webhook_id, delivery=_number(delivery))
            else:
                service.send_since(session, viewer, webhook_id, _since(session, span, since))
    except (Refused, Conflict) as error:
        typed = {"typed_span": span, "typed_since": since}
        return _page(request, session, viewer, webhook, problem=error, again=typed)
    return _back(webhook_id, "said=again" if delivery else "said=since")


@site.get(HOME + "/secret")
def show_new_secret(request: Request, session: SessionDep, viewer: Viewer, webhook_id: PathId) -> Response:
    """Say what a new secret means, and the button that makes one."""
    return _secret_form(request, service.get_own(session, viewer, webhook_id))


@site.post(HOME + "/secret")
def make_new_secret(
    request: Request, session: SessionDep, viewer: Viewer, webhook_id: PathId, once: Field = ""
) -> Response:
    """Make another secret and show it, this once."""
    viewer = require(viewer, Action.MANAGE_WEBHOOKS)
    webhook = service.get_own(session, viewer, webhook_id)
    try:
        with session.begin_nested():
            send_form_once(session, viewer, once)
            made = service.rotate_secret(session, viewer, webhook_id)
    except AnswerHeldASecret as error:
        return _secret_form(request, webhook, problem=error)
    context = {"webhook": webhook, "secret": made.secret, "former_until": made.former_until}
    return render(request, "webhooks/secret.html", context)


@site.get(HOME + "/remove")
def show_remove(request: Request, session: SessionDep, viewer: Viewer, webhook_id: PathId) -> Response:
    """Ask whether a webhook shall go: that cannot be undone."""
    webhook = service.get_own(session, viewer, webhook_id)
    return render(request, "webhooks/remove.html", {"webhook": webhook})


@site.post(HOME + "/remove")
def remove_webhook(session: SessionDep, viewer: Viewer, webhook_id: PathId) -> Response:
    """Remove a webhook with all that waits for it."""
    service.get_own(session, viewer, webhook_id)
    service.remove_webhook(session, viewer, webhook_id)
    return RedirectResponse("/me/programs?said=removed", 303)


def _page(
    request: Request,
    session: Session,
    viewer: Actor | None,
    webhook: Webhook,
    *,
    cursor: str | None = None,
    said: str = "",
    test: str = "",
    problem: DomainError | None = None,
    typed: Typed | None = None,
    again: dict[str, str] | None = None,
) -> Response:
    place = decode_cursor(cursor, int)
    before = place[0] if place else None
    rows = service.list_deliveries(session, viewer, webhook.id, before=before, limit=SHOWN + 1)
    tried = service.find_delivery(session, webhook, _number(test) or 0)
    home = HOME.format(webhook_id=webhook.id)
    context: dict[str, Any] = {
        "webhook": webhook,
        "home": home,
        "told": tell_one(session, webhook),
        "deliveries": tell_deliveries(session, rows[:SHOWN]),
        "more": f"{home}?cursor={encode_cursor(rows[SHOWN - 1].id)}#sent" if len(rows) > SHOWN else None,
        "later": before is not None,
        "test": tell_deliveries(session, [tried])[0] if tried else None,
        "said": _(SAID[said]) if said in SAID else None,
        "groups": KINDS,
        "spans": [(hours, _(words)) for hours, words in SPANS.items()],
        "problem": problem.detail if problem else None,
        "is_changing": typed is not None,
        "typed": typed or _as_typed(session, webhook),
        **{"typed_span": "24", "typed_since": ""},
        **(again or {}),
        "asks_again": again is not None,
    }
    return render(request, "webhooks/webhook.html", context, status=status_of(type(problem)) if problem else 200)


def _as_typed(session: Session, webhook: Webhook) -> Typed:
    """The webhook as its form shows it."""
    page = pages.get_by_id(session, webhook.page_id).slug if webhook.page_id is not None else ""
    return Typed(webhook.url, tuple(webhook.kinds), page, webhook.tag or "", webhook.description)


def _secret_form(request: Request, webhook: Webhook, *, problem: DomainError | None = None) -> Response:
    hours = round(service.OVERLAP.total_seconds() / 3600)
    context = {"webhook": webhook, "hours": hours, "once": new_once(), "problem": problem.detail if problem else None}
    return render(request, "webhooks/new_secret.html", context, status=status_of(type(problem)) if problem else 200)


def _since(session: Session, span: str, since: str) -> datetime:
    """The moment that was typed, in UTC as the form says, else so many hours ago."""
    if since.strip():
        try:
            moment = datetime.fromisoformat(since.strip())
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise Refused(_("Write the time as 2026-11-22T14:32."), pointer="/since") from None
        return moment
    if span not in SPANS:
        raise Refused(_("Choose since when, of what stands here."), pointer="/since")
    return now(session) - timedelta(hours=int(span))


def _number(typed: str) -> int | None:
    """The id that a form or an address names; None for what can be none."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 15 else None


def _back(webhook_id: int, query: str) -> Response:
    return RedirectResponse(f"{HOME.format(webhook_id=webhook_id)}?{query}", 303)
