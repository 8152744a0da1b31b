"""Where moderators void a member's votes, or let them count again."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from app.accounts import chapters
from app.accounts.actors import Viewer
from app.consensus import voiding
from app.errors import DomainError
from app.permissions import Action, Actor, SignInNeeded, require
from app.web.problems import status_of
from app.web.session import SessionDep
from app.web.templates import render
from app.words import duration_in_words

site = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]


@site.get("/moderation/votes")
def show_voidings(request: Request, session: SessionDep, viewer: Viewer) -> Response:
    """Whose votes are void, what waits for a second moderator, and the form. For moderators: it names members."""
    return _show(request, session, require(viewer, Action.VOID_VOTES))


@site.post("/moderation/votes")
def void_votes(
    request: Request, session: SessionDep, viewer: Viewer, member: Field = "", reason: Field = "", do: Field = ""
) -> Response:
    """Ask for it or confirm it, or say why not with everything still in the form."""
    try:
        with session.begin_nested():
            voiding.ask(session, viewer, member.strip(), voids=do != "give-back", reason=reason)
    except SignInNeeded:
        raise
    except DomainError as error:
        actor = require(viewer, Action.VOID_VOTES)
        return _show(
            request,
            session,
            actor,
            problem=error.detail,
            status=status_of(type(error)),
            typed={"member": member, "reason": reason},
        )
    return RedirectResponse("/moderation/votes", 303)


def _show(
    request: Request,
    session: Session,
    actor: Actor,
    *,
    problem: str | None = None,
    status: int = 200,
    typed: dict[str, str] | None = None,
) -> Response:
    wishes = voiding.list_wishes(session, actor)
    waiting = [wish for wish in wishes if wish.state is voiding.VoidingState.ASKED]
    context = {
        "waiting": [(wish, voiding.may_confirm(session, actor, wish)) for wish in waiting],
        "past": [wish for wish in wishes if wish.state is not voiding.VoidingState.ASKED],
        "void": voiding.list_void(session, actor),
        "asked_back": {wish.member for wish in waiting if not wish.asked.voids},
        "names": chapters.names_by_id(session),
        "lasts": duration_in_words(voiding.LASTS),
        "problem": problem,
        "typed": typed or {"member": "", "reason": ""},
    }
    return render(request, "consensus/voiding.html", context, status=status)
