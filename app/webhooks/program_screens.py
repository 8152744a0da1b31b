"""A member's programs in the browser: their tokens, their webhooks, and the forms that make either."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from app.accounts import tokens
from app.accounts.actors import Viewer
from app.accounts.idempotency import AnswerHeldASecret, send_form_once
from app.accounts.models import ApiToken
from app.database import now
from app.errors import Conflict, DomainError, Refused
from app.outbound import TargetRefused
from app.pages.service import PageNotFound
from app.permissions import Action, Actor, Role, Scope, allows, require, usable_scopes
from app.settings import Settings
from app.web.problems import status_of
from app.web.schemas import PathId
from app.web.session import SessionDep
from app.web.templates import render
from app.webhooks import service
from app.webhooks.addresses import check_address
from app.webhooks.forms import Field, Fields, Typed, TypedDep, find_problem, new_once
from app.webhooks.telling import KINDS, tell_own
from app.words import N_, _

site = APIRouter(include_in_schema=False)

SCOPES = {
    Scope.READ: N_("Read, and see what needs your vote. What is approved anybody can read without a token."),
    Scope.WRITE: N_("Write in your name: change drafts, put texts forward, invite people and vouch for them."),
    Scope.VOTE: N_("Vote in your name."),
    Scope.WEBHOOKS: N_("Add, change and remove your webhooks."),
    Scope.MODERATE: N_("Stop texts and change the rule in your name, as a moderator."),
    Scope.ADMIN: N_("Make and take back your tokens, though none that may do more than itself."),
}
SCOPES_OF_ADMINS = SCOPES | {
    Scope.WEBHOOKS: N_("Add, change and remove your webhooks; see and remove those of others."),
    Scope.ADMIN: N_("Make and take back your tokens, and manage people and chapters as an admin."),
}

LASTS = {
    "30": (timedelta(days=30), N_("30 days")),
    "90": (timedelta(days=90), N_("90 days")),
    "365": (timedelta(days=365), N_("A year")),
    "never": (None, N_("No end")),
}
"""How long a token works, as people choose it."""

USUAL = "90"

TRIES = (
    (Scope.READ, "/api/v1/me", N_("It answers with your name and what the token may do.")),
    (Scope.WEBHOOKS, "/api/v1/webhooks", N_("It answers with a list of your webhooks.")),
    (Scope.ADMIN, "/api/v1/tokens", N_("It answers with a list of your tokens, without their secrets.")),
)
"""What a new token is tried with: the first that it may do; `/me` says of every token whose it is."""


def check_new_address(request: Request, typed: TypedDep) -> TargetRefused | None:
    """What speaks against the address of a new webhook."""
    return find_problem(lambda: check_address(request, typed.url))


@site.get("/me/programs")
def show_programs(request: Request, session: SessionDep, viewer: Viewer, said: str = "") -> Response:
    """The viewer's tokens and webhooks, and the ways to make more."""
    viewer = require(viewer, Action.MANAGE_TOKENS)
    at = now(session)
    own = tokens.list_own(session, viewer)
    context = {
        "tokens": own,
        "over": {row.id for row in own if row.expires_at is not None and row.expires_at <= at},
        "may": {row.id: [_(_sentences(viewer)[Scope(scope)]) for scope in row.scopes] for row in own},
        "webhooks": tell_own(session, viewer) if allows(viewer, Action.MANAGE_WEBHOOKS) else None,
        "said": said,
    }
    return render(request, "webhooks/programs.html", context)


@site.get("/me/programs/tokens")
def show_new_token(request: Request, viewer: Viewer) -> Response:
    """The form that makes a token."""
    return _token_form(request, require(viewer, Action.MANAGE_TOKENS))


@site.post("/me/programs/tokens")
def make_token(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    scopes: Fields,
    name: Field = "",
    lasts: Field = USUAL,
    once: Field = "",
) -> Response:
    """Make a token and show its secret, this once; or say why not, with what was typed."""
    viewer = require(viewer, Action.MANAGE_TOKENS)
    try:
        with session.begin_nested():
            send_form_once(session, viewer, once)
            row, secret = _make_token(session, viewer, name, scopes, lasts)
    except AnswerHeldASecret as error:
        return _token_form(request, viewer, problem=error)
    except (Refused, Conflict) as error:
        typed = {"typed_name": name, "typed_scopes": set(scopes), "typed_lasts": lasts, "once": once}
        return _token_form(request, viewer, problem=error, typed=typed)
    settings: Settings = request.app.state.settings
    _scope, path, answer = next((it for it in TRIES if it[0] in row.scopes), TRIES[0])
    line = f'curl -fsS -H "Authorization: Bearer {secret}" {settings.base_url.rstrip("/")}{path}'
    context = {"token": row, "secret": secret, "line": line, "answer": _(answer)}
    return render(request, "webhooks/token_made.html", context)


@site.get("/me/programs/tokens/{token_id}/take-back")
def show_take_back(request: Request, session: SessionDep, viewer: Viewer, token_id: PathId) -> Response:
    """Ask whether a token shall end: that cannot be undone."""
    row = tokens.get_own(session, viewer, token_id)
    return render(request, "webhooks/take_back.html", {"token": row})


@site.post("/me/programs/tokens/{token_id}/take-back")
def take_token_back(session: SessionDep, viewer: Viewer, token_id: PathId) -> Response:
    """From now on the token does not work."""
    tokens.take_back(session, viewer, token_id)
    return RedirectResponse("/me/programs?said=taken-back", 303)


@site.get("/me/programs/webhooks")
def show_new_webhook(request: Request, viewer: Viewer) -> Response:
    """The form that adds a webhook."""
    require(viewer, Action.MANAGE_WEBHOOKS)
    return _webhook_form(request, Typed())


@site.post("/me/programs/webhooks")
def add_webhook(
    request: Request,
    # Before the session: to look an address up takes time which no transaction should last.
    refused: Annotated[TargetRefused | None, Depends(check_new_address)],
    session: SessionDep,
    viewer: Viewer,
    typed: TypedDep,
    once: Field = "",
) -> Response:
    """Add a webhook and show its secret, this once; or say why not, with what was typed."""
    viewer = require(viewer, Action.MANAGE_WEBHOOKS)
    if refused is not None:
        return _webhook_form(request, typed, problem=refused, once=once)
    try:
        with session.begin_nested():
            send_form_once(session, viewer, once)
            webhook, secret = service.add_webhook(session, viewer, **typed.as_wanted())
    except AnswerHeldASecret as error:
        return _webhook_form(request, Typed(), problem=error)
    except (Refused, Conflict, PageNotFound) as error:
        return _webhook_form(request, typed, problem=error, once=once)
    return render(request, "webhooks/secret.html", {"webhook": webhook, "secret": secret, "former_until": None})


def _make_token(session: Session, viewer: Actor, name: str, scopes: list[str], lasts: str) -> tuple[ApiToken, str]:
    if not name.strip():
        raise Refused(_("Give it a name, so that you know later which program has it."), pointer="/name")
    usable = usable_scopes(viewer)
    if not scopes or not set(scopes) <= set(usable):
        raise Refused(_("Choose what it may do, of what stands here."), pointer="/scopes")
    if lasts not in LASTS:
        raise Refused(_("Choose how long it works, of what stands here."), pointer="/expires_at")
    span = LASTS[lasts][0]
    expires_at = now(session) + span if span else None
    return tokens.create(session, viewer, map(Scope, scopes), name=name, expires_at=expires_at)


def _token_form(
    request: Request, viewer: Actor, *, problem: DomainError | None = None, typed: dict[str, Any] | None = None
) -> Response:
    context = {
        "scopes": [(scope, _(_sentences(viewer)[scope])) for scope in usable_scopes(viewer)],
        "lasts": [(value, _(words)) for value, (_span, words) in LASTS.items()],
        "problem": problem.detail if problem else None,
        "max_name": tokens.MAX_NAME,
        **{"typed_name": "", "typed_scopes": set(), "typed_lasts": USUAL, "once": ""},
        **(typed or {}),
    }
    context["once"] = context["once"] or new_once()
    return render(request, "webhooks/new_token.html", context, status=status_of(type(problem)) if problem else 200)


def _webhook_form(request: Request, typed: Typed, *, problem: DomainError | None = None, once: str = "") -> Response:
    context = {"typed": typed, "groups": KINDS, "problem": problem.detail if problem else None}
    context["once"] = once or new_once()
    return render(request, "webhooks/new_webhook.html", context, status=status_of(type(problem)) if problem else 200)


def _sentences(viewer: Actor) -> dict[Scope, str]:
    return SCOPES_OF_ADMINS if viewer.role == Role.ADMIN else SCOPES
