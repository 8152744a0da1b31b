"""The board, a page with its approved text, its history, and the form for a new page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.approvals import service as approvals
from app.consensus import candidates, panel
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.errors import Conflict, Refused
from app.pages import service as pages
from app.pages.markup import render_markdown
from app.pages.models import Page
from app.permissions import Action, require
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.web.cursors import decode_cursor, encode_cursor
from app.web.session import SessionDep
from app.web.templates import render

site = APIRouter(include_in_schema=False)

HISTORY_LENGTH = 50
SHOWN_CANDIDATES = 5


@site.get("/")
def show_board(request: Request, session: SessionDep, viewer: Viewer) -> Response:
    """What is being decided, what was approved last, and every page."""
    leading = candidates.list_nearest_decision(session, limit=6)
    newest = approvals.list_newest(session, limit=6)
    listed = pages.list_pages(session, limit=200)
    context = {
        "leading": panel.cards(session, leading),
        "newest": newest,
        "pages": listed,
        "approved": approvals.current_by_page(session, [page.id for page in listed]),
        "open_candidates": candidates.count_open(session, [page.id for page in listed]),
        "by_id": pages.pages_by_id(session, [row.page_id for row in newest]),
    }
    return render(request, "pages/board.html", context)


@site.get("/new")
def show_new_page(request: Request, viewer: Viewer, title: str = "") -> Response:
    """The form for a new page."""
    require(viewer, Action.CREATE_PAGE)
    return _new_page_form(request, title=title, text="", slug="", problem=None)


@site.post("/new")
def create_page(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    title: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    slug: Annotated[str, Form()] = "",
) -> Response:
    """Make the page, or show what is wrong with everything still in the form."""
    try:
        with session.begin_nested():
            page = drafts.create_page(session, viewer, title=title, text=text, slug=slug or None)
    except (Refused, Conflict) as error:
        return _new_page_form(request, title=title, text=text, slug=slug, problem=error.detail)
    return RedirectResponse(f"/pages/{page.slug}", 303)


@site.get("/pages/{slug}")
def show_page(request: Request, session: SessionDep, viewer: Viewer, slug: str) -> Response:
    """The approved text first, then what is being discussed."""
    page = pages.get_page(session, slug)
    if page.slug != slug:
        return RedirectResponse(f"/pages/{page.slug}", 308)
    approved = approvals.find_current(session, page.id)
    shared = drafts.get_shared(session, page.id)
    shown = revisions.get(session, approved.revision_id if approved else drafts.head_of(shared))
    ranked = candidates.list_ranked(session, page.id)
    text = revisions.text_of(session, shown)
    context = {
        "page": page,
        "approved": approved,
        "approval": panel.approval_line(session, approved) if approved else None,
        "revision": shown,
        "html": render_markdown(text, title=page.title),
        "shared": shared,
        "shared_is_ahead": approved is not None and _goes_beyond(session, shared, shown),
        "cards": panel.cards(session, ranked[:SHOWN_CANDIDATES]),
        "candidate_count": len(ranked),
        "fork_count": drafts.count_open_forks(session, [page.id]).get(page.id, 0),
        "tags": pages.tags_of(session, [page.id]).get(page.id, []),
    }
    return render(request, "pages/page.html", context)


@site.get("/pages/{slug}/history")
def show_history(
    request: Request, session: SessionDep, viewer: Viewer, slug: str, cursor: str | None = None
) -> Response:
    """Every text that led to the shared draft and the approved text, newest first."""
    page = pages.get_page(session, slug)
    place = decode_cursor(cursor, int)
    heads = place if place is not None else _heads(session, page)
    found = revisions.history(session, heads, limit=HISTORY_LENGTH)
    context = {
        "page": page,
        "revisions": found.revisions,
        "names": accounts.names_of(session, (row.author_id for row in found.revisions)),
        "approved_at": {row.revision_id: row.at for row in approvals.list_since(session, page.id, 0)},
        "more": f"/pages/{page.slug}/history?cursor={encode_cursor(*found.next_heads)}" if found.next_heads else None,
    }
    return render(request, "pages/history.html", context)


def _goes_beyond(session: SessionDep, shared: Draft, approved: Revision) -> bool:
    return revisions.get(session, drafts.head_of(shared)).sha256 != approved.sha256


def _heads(session: SessionDep, page: Page) -> list[int]:
    approved = approvals.find_current(session, page.id)
    shared = drafts.head_of(drafts.get_shared(session, page.id))
    return [shared, approved.revision_id] if approved else [shared]


def _new_page_form(request: Request, *, title: str, text: str, slug: str, problem: str | None) -> Response:
    context = {"form_title": title, "text": text, "slug": slug, "problem": problem}
    return render(request, "pages/new.html", context, status=422 if problem else 200)
