"""Stop a text, end the stop or put another in its place; see all that is stopped; call for rapid mode."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from app.accounts.actors import Viewer
from app.approvals import service as approvals
from app.approvals import stops
from app.consensus import ranking, rapid, stopping, telling
from app.consensus.facts import State
from app.consensus.panel import cards
from app.errors import DomainError, Refused
from app.pages import service as pages
from app.pages.models import Page
from app.permissions import Action, Actor, SignInNeeded, require
from app.web.problems import status_of
from app.web.session import SessionDep
from app.web.templates import render
from app.words import _

site = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]

CANDIDATES_SHOWN = 20


@site.get("/moderation")
def show_stopped(request: Request, session: SessionDep, viewer: Viewer) -> Response:
    """Every text that is stopped, why and until when. Everybody may see it."""
    return render(request, "consensus/stopped.html", {"stopped": telling.tell_all_stopped(session)})


@site.get("/pages/{slug}/stop")
def show_stop(request: Request, session: SessionDep, viewer: Viewer, slug: str) -> Response:
    """What a moderator can do to this text."""
    require(viewer, Action.STOP_TEXT)
    return _stop_form(request, session, pages.get_page(session, slug))


@site.post("/pages/{slug}/stop")
def stop(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    slug: str,
    what: Field = "",
    reason: Field = "",
    revision: Field = "",
    replacement: Field = "",
) -> Response:
    """Do it, or say why not with everything still in the form."""
    page = pages.get_page(session, slug)
    try:
        with session.begin_nested():
            done = _do(session, viewer, page, what, reason, revision, replacement)
    except SignInNeeded:
        raise
    except DomainError as error:
        typed = {"what": what, "reason": reason, "chosen": revision, "replacement": replacement}
        return _stop_form(request, session, page, problem=error.detail, status=status_of(type(error)), typed=typed)
    return RedirectResponse(f"/pages/{page.slug}" if done.takes_effect else f"/pages/{page.slug}/stop", 303)


def _do(
    session: Session, viewer: Actor | None, page: Page, what: str, reason: str, revision: str, replacement: str
) -> stopping.Done:
    match what:
        case "hold":
            return stopping.hold(session, viewer, page, reason=reason)
        case "release":
            return stopping.release(session, viewer, page, reason=reason)
        case "withdraw":
            return stopping.withdraw(session, viewer, page, reason=reason, replacement=replacement.strip() or None)
        case "restore":
            return stopping.restore(session, viewer, page, reason=reason)
        case "correct" if revision.isdecimal():
            return stopping.correct(session, viewer, page, revision_id=int(revision[:9]), reason=reason)
        case "correct":
            raise Refused(_("Choose the text to put in its place."), pointer="/revision")
    raise Refused(_("Choose what to do with this text."), pointer="/what")


def _stop_form(
    request: Request,
    session: Session,
    page: Page,
    *,
    problem: str | None = None,
    status: int = 200,
    typed: dict[str, str] | None = None,
) -> Response:
    ranked = ranking.list_ranked(session, page.id, limit=CANDIDATES_SHOWN)
    waiting = [card for card in cards(session, ranked) if card.decision.state in (State.WAITING, State.ON_HOLD)]
    context = {
        "page": page,
        "approved": approvals.find_current(session, page.id),
        "stopped": telling.find_stopped(session, page),
        "usable": reversed(stops.list_usable(session, page.id)),
        "waiting": [card for card in waiting if card.decision.passing_since is not None],
        "problem": problem,
        **{"what": "", "reason": "", "chosen": "", "replacement": "", **(typed or {})},
    }
    return render(request, "consensus/stop.html", context, status=status)


@site.post("/pages/{slug}/rapid")
def call_rapid(session: SessionDep, viewer: Viewer, slug: str) -> Response:
    """Call for rapid mode, or second the call."""
    page = pages.get_page(session, slug)
    rapid.call(session, viewer, page)
    return RedirectResponse(f"/pages/{page.slug}#hurry", 303)
