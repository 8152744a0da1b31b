"""Sign in and out, join by an invite link, your own page, and chapters."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from app.accounts import chapters, seasoning, service
from app.accounts.actors import Viewer, cookie_name
from app.accounts.seasoning import NotVouchedYet
from app.accounts.service import SignedIn, SignInFailed, SignInPaused
from app.approvals import service as approvals
from app.consensus import panel, ranking
from app.consensus.cutting import MOST_PARTS
from app.consensus.rival_cards import rival_cards
from app.database import now
from app.drafts import autosave
from app.drafts import service as drafts
from app.errors import Conflict, NotFound, Refused
from app.pages import service as pages
from app.pages.models import Page
from app.pages.slugs import slug_of
from app.permissions import SignInNeeded
from app.revisions import service as revisions
from app.settings import Settings
from app.web.cursors import decode_cursor, encode_cursor
from app.web.forms import FormDep
from app.web.looks import own_address
from app.web.schemas import MAX_ID
from app.web.session import SessionDep
from app.web.templates import render
from app.webhooks.telling import tell_own
from app.words import _

site = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]

DRAFTS_SHOWN = 20
KEPT = "kept_"
KEPT_FIELDS = ("title", "slug", "base", "text", "section", "heading", "summary", "reason")


@site.get("/login")
def show_sign_in(request: Request, viewer: Viewer, next: str = "/") -> Response:
    """The form to sign in with; `next` is where it leads."""
    context = {"next": own_address(next), "name": "", "problem": None, "kept": None}
    return render(request, "accounts/sign_in.html", context)


@site.post("/login")
def sign_in(
    request: Request,
    session: SessionDep,
    form: FormDep,
    name: Field = "",
    password: Field = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session, or say why not with the name still in the form. What somebody had written travels along."""
    kept = {key: str(form[f"{KEPT}{key}"]) for key in KEPT_FIELDS if f"{KEPT}{key}" in form}
    settings: Settings = request.app.state.settings
    outcome = service.sign_in(
        session,
        name,
        password,
        address=request.client.host if request.client else "",
        days=settings.session_days,
        tries=settings.signins_per_minute,
    )
    if isinstance(outcome, SignedIn):
        if "text" in kept:
            request.state.viewer = service.find_actor_by_cookie(session, outcome.secret)
            context = {"next": own_address(next), "kept": kept, "page": _page_changed(session, kept)}
            return _with_session(request, render(request, "accounts/signed_in.html", context), outcome)
        return _with_session(request, RedirectResponse(own_address(next), 303), outcome)
    if isinstance(outcome, SignInPaused):
        status = 429
        detail = _too_many_tries(outcome)
    else:
        status, detail = 401, outcome.detail
    context = {"next": own_address(next), "name": name, "problem": detail, "kept": kept}
    return render(request, "accounts/sign_in.html", context, status=status)


@site.post("/logout")
def sign_out(request: Request, session: SessionDep) -> Response:
    """End this browser's session."""
    settings: Settings = request.app.state.settings
    service.sign_out(session, request.cookies.get(cookie_name(settings), ""))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(cookie_name(settings), secure=settings.base_url.startswith("https:"), httponly=True)
    return answer


@site.get("/join/{secret}")
def show_join(request: Request, session: SessionDep, viewer: Viewer, secret: str) -> Response:
    """The form that an invite link opens."""
    return _join_form(request, session, secret)


@site.post("/join/{secret}")
def join(request: Request, session: SessionDep, secret: str, name: Field = "", password: Field = "") -> Response:
    """Make the member and sign them in."""
    settings: Settings = request.app.state.settings
    try:
        with session.begin_nested():
            user = chapters.join(session, secret, name, password)
    except (Refused, Conflict) as error:
        return _join_form(request, session, secret, name=name, problem=error.detail)
    signed_in = service.open_session(session, user, days=settings.session_days)
    return _with_session(request, RedirectResponse("/", 303), signed_in)


@site.get("/join")
def show_join_help(request: Request, viewer: Viewer) -> Response:
    """Without a link there is no way in but somebody's invitation."""
    return render(request, "accounts/join_help.html", {})


@site.get("/me")
def show_me(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    cursor: str | None = None,
    parts: Annotated[int, Query(ge=0, le=MOST_PARTS)] = 0,
) -> Response:
    """The viewer's drafts, chapter, and the way to invite others; `parts`: into how many they just split a change."""
    return _own_page(request, session, viewer, cursor=cursor, parts=parts)


@site.post("/me/chapter")
def choose_chapter(session: SessionDep, viewer: Viewer, chapter: Field = "") -> Response:
    """Move the viewer's home chapter."""
    chapters.choose_chapter(session, viewer, chapter)
    return RedirectResponse("/me", 303)


@site.post("/me/password")
def change_password(
    request: Request, session: SessionDep, viewer: Viewer, current: Field = "", password: Field = ""
) -> Response:
    """Change the viewer's password; every other browser is signed out."""
    if viewer is None:
        raise SignInNeeded(_("Sign in to change your password."))
    settings: Settings = request.app.state.settings
    address = request.client.host if request.client else ""
    user = service.check_password(session, viewer.name, current, address=address, tries=settings.signins_per_minute)
    if isinstance(user, SignInPaused):
        return _own_page(request, session, viewer, problem=_too_many_tries(user), status=429)
    if isinstance(user, SignInFailed):
        return _own_page(request, session, viewer, problem=_("That is not your password. Nothing was changed."))
    try:
        with session.begin_nested():
            service.set_password(session, user, password)
    except Refused as error:
        return _own_page(request, session, viewer, problem=error.detail)
    signed_in = service.open_session(session, user, days=settings.session_days)
    return _with_session(request, _own_page(request, session, viewer, password_changed=True), signed_in)


@site.post("/me/invite")
def invite(request: Request, session: SessionDep, viewer: Viewer) -> Response:
    """Show a new invite link, this once."""
    settings: Settings = request.app.state.settings
    secret = chapters.invite(session, viewer, days=settings.invite_days)
    return _own_page(request, session, viewer, invite=f"{settings.base_url.rstrip('/')}/join/{secret}")


@site.get("/chapters")
def list_chapters(request: Request, session: SessionDep, viewer: Viewer) -> Response:
    """Every chapter with its size; admins make new ones here."""
    return _chapter_list(request, session)


def _chapter_list(
    request: Request, session: Session, *, problem: str | None = None, name: str = "", slug: str = ""
) -> Response:
    context = {
        "chapters": chapters.list_chapters(session),
        "members": chapters.count_members(session),
        "now": now(session),
        "days": seasoning.seasoning_of(session).chapter_days,
        "problem": problem,
        "typed_name": name,
        "typed_slug": slug,
    }
    return render(request, "accounts/chapters.html", context, status=422 if problem else 200)


@site.post("/chapters")
def add_chapter(request: Request, session: SessionDep, viewer: Viewer, name: Field = "", slug: Field = "") -> Response:
    """Make a chapter; it counts by itself later, unless nothing was ever approved here."""
    at_once = not approvals.count_current(session)
    try:
        with session.begin_nested():
            made = chapters.found_chapter(session, viewer, slug.strip() or slug_of(name), name, at_once=at_once)
    except (Refused, Conflict) as error:
        return _chapter_list(request, session, problem=error.detail, name=name, slug=slug)
    return RedirectResponse(f"/chapters/{made.slug}", 303)


@site.get("/chapters/{slug}")
def show_chapter(request: Request, session: SessionDep, viewer: Viewer, slug: str) -> Response:
    """One chapter: how many it is, what still needs its voice, and who is new."""
    return _chapter_page(request, session, viewer, slug)


def _chapter_page(
    request: Request, session: SessionDep, viewer: Viewer, slug: str, *, problem: str | None = None
) -> Response:
    chapter = chapters.get_chapter(session, slug)
    waiting = ranking.list_lacking_chapter(session, chapter.id)
    may_vouch = viewer is not None and viewer.chapter_id == chapter.id and seasoning.counts(session, viewer)
    context = {
        "chapter": chapter,
        "members": chapters.count_members(session).get(chapter.id, 0),
        "cards": panel.cards(session, waiting),
        "newcomers": seasoning.list_newcomers(session, chapter.id, viewer),
        "may_vouch": may_vouch,
        "problem": problem,
    }
    return render(request, "accounts/chapter.html", context, status=422 if problem else 200)


@site.post("/chapters/{slug}/vouch")
def vouch(request: Request, session: SessionDep, viewer: Viewer, slug: str, name: Field = "") -> Response:
    """Vouch for a newcomer of this chapter."""
    try:
        with session.begin_nested():
            seasoning.vouch(session, viewer, service.get_user(session, name))
    except (Refused, Conflict, NotFound, NotVouchedYet) as error:
        return _chapter_page(request, session, viewer, slug, problem=error.detail)
    return RedirectResponse(f"/chapters/{slug}#new", 303)


def _own_page(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    *,
    invite: str | None = None,
    cursor: str | None = None,
    problem: str | None = None,
    status: int = 422,
    password_changed: bool = False,
    parts: int = 0,
) -> Response:
    """`status` is for when there is a problem."""
    if viewer is None:
        raise SignInNeeded(_("Sign in to see your own page."))
    place = decode_cursor(cursor, int)
    own = drafts.list_owned(session, viewer.id, before=place[0] if place else None, limit=DRAFTS_SHOWN + 1)
    more, own = len(own) > DRAFTS_SHOWN, own[:DRAFTS_SHOWN]
    sent = drafts.list_sent(session, viewer.id)
    standing = panel.standing_of(session, own)
    context = {
        "drafts": own,
        "more": f"/me?cursor={encode_cursor(own[-1].id)}#own" if more else None,
        "sent": sent,
        "unsent": autosave.list_unsent(session, viewer),
        "asked_again": rival_cards(session, viewer),
        "standing": {id_: decision.state for id_, decision in standing.items()},
        "said": {id_: decision.reasons[0] for id_, decision in standing.items() if decision.reasons},
        "pages": pages.pages_by_id(session, [*(draft.page_id for draft in own), *(row.page_id for row in sent)]),
        "chapters": chapters.list_chapters(session),
        "invite": invite,
        "problem": problem,
        "password_changed": password_changed,
        "parts": parts,
        "moving": chapters.next_chapter_of(session, viewer),
        "webhooks": tell_own(session, viewer),
        "not_counted": seasoning.why_not_yet(session, viewer),
        "invite_days": request.app.state.settings.invite_days,
    }
    return render(request, "accounts/me.html", context, status=status if problem else 200)


def _too_many_tries(paused: SignInPaused) -> str:
    return _("Too many tries. Wait {seconds} seconds, then try again.").format(seconds=paused.seconds)


def _page_changed(session: Session, kept: Mapping[str, str]) -> Page | None:
    """The page that what somebody wrote belongs to, if it began from a text of one."""
    base = kept.get("base", "")
    known = revisions.get_many(session, [int(base)] if base.isdecimal() and len(base) < len(str(MAX_ID)) else [])
    return next((pages.get_by_id(session, row.page_id) for row in known.values()), None)


def _join_form(
    request: Request, session: SessionDep, secret: str, *, name: str = "", problem: str | None = None
) -> Response:
    found = chapters.get_invite(session, secret)
    names = chapters.names_by_id(session)
    context = {"chapter": names.get(found.chapter_id or 0), "name": name, "problem": problem}
    return render(request, "accounts/join.html", context, status=422 if problem else 200)


def _with_session(request: Request, answer: Response, signed_in: SignedIn) -> Response:
    """The answer, with the cookie that keeps this browser signed in."""
    settings: Settings = request.app.state.settings
    answer.set_cookie(
        cookie_name(settings),
        signed_in.secret,
        max_age=settings.session_days * 86_400,
        httponly=True,
        samesite="lax",
        secure=settings.base_url.startswith("https:"),
    )
    return answer
