"""The board, a page with its approved text, its history, and the form for a new page."""

from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.approvals import service as approvals
from app.approvals import stops
from app.consensus import panel, queue, ranking, rapid, telling
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.errors import DomainError, NotFound
from app.pages import service as pages
from app.pages.addresses import MOVED_CACHING
from app.pages.markup import render_markdown, with_section_links
from app.pages.models import Page
from app.permissions import Action, SignInNeeded, require
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.web.cursors import decode_cursor, encode_cursor, refuse_cursor
from app.web.problems import answer, status_of
from app.web.session import SessionDep
from app.web.templates import already_escaped, environment, render
from app.words import N_, _, day_in_words, in_words

site = APIRouter(include_in_schema=False)


class NothingApprovedThen(NotFound):
    slug = "nothing-approved-then"
    title = N_("Nothing was approved then")


HISTORY_LENGTH = 50
SHOWN_CANDIDATES = 5
NEEDED_SHOWN = 3
LEADING_SHOWN = 6
PAGES_SHOWN = 40
STEPS_SHOWN = 10


@site.get("/")
def show_board(request: Request, session: SessionDep, viewer: Viewer, cursor: str | None = None) -> Response:
    """What needs the viewer, what is being decided, what was approved last, and every page."""
    place = decode_cursor(cursor, str)
    needed = queue.list_next(session, viewer, limit=NEEDED_SHOWN) if viewer else []
    known = {candidate.id for candidate in needed}
    leading = [row for row in ranking.list_nearest_decision(session, limit=LEADING_SHOWN) if row.id not in known]
    newest = approvals.list_newest(session, limit=6)
    listed = pages.list_pages(session, after=place[0] if place else "", limit=PAGES_SHOWN + 1)
    more, listed = len(listed) > PAGES_SHOWN, listed[:PAGES_SHOWN]
    by_id = pages.pages_by_id(session, [row.page_id for row in newest])
    shown = [*(page.id for page in listed), *by_id]
    current = approvals.current_by_page(session, shown)
    stopped = stops.stops_by_page(session, current, shown)
    context = {
        "needed": panel.cards(session, needed),
        "approved_count": approvals.count_current(session) if viewer and not needed else 0,
        "more": f"/?cursor={encode_cursor(listed[-1].slug)}#pages" if more else None,
        "leading": panel.cards(session, leading[: LEADING_SHOWN - len(needed)]),
        "newest": newest,
        "pages": listed,
        "statuses": {
            page.id: stops.status_of(current.get(page.id), stopped.get(page.id)) for page in [*listed, *by_id.values()]
        },
        "open_candidates": ranking.count_open(session, [page.id for page in listed]),
        "by_id": by_id,
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
    except SignInNeeded as error:
        kept = {"title": title, "text": text, "slug": slug}
        context = {"next": "/new", "name": "", "problem": None, "kept": kept}
        return render(request, "accounts/sign_in.html", context, status=status_of(type(error)))
    except DomainError as error:
        status = status_of(type(error))
        return _new_page_form(request, title=title, text=text, slug=slug, problem=error.detail, status=status)
    return RedirectResponse(f"/pages/{page.slug}", 303)


@site.get("/pages/{slug}")
def show_page(request: Request, session: SessionDep, viewer: Viewer, slug: str) -> Response:
    """The approved text first, then what is being discussed."""
    page = pages.find_page(session, slug)
    if page is None:
        return _answer_missing(request, session, slug)
    if page.slug != slug:
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {"Cache-Control": MOVED_CACHING}
        return RedirectResponse(f"/pages/{page.slug}{query}", 308, headers)
    approved = approvals.find_current(session, page.id)
    stopped = telling.find_stopped(session, page)
    shared = drafts.get_shared(session, page.id)
    shown = revisions.get(session, approved.revision_id if approved else drafts.head_of(shared))
    ranked = ranking.list_ranked(session, page.id, limit=SHOWN_CANDIDATES)
    text = revisions.text_of(session, shown)
    links = environment.get_template("pages/section_links.html")
    context = {
        "page": page,
        "approved": approved,
        "approval": telling.approval_line(session, approved) if approved else None,
        "stopped": stopped,
        "hurry": rapid.rapid_of(session, page, viewer),
        "revision": shown,
        "html": with_section_links(
            render_markdown(text, title=page.title),
            text,
            lambda section: already_escaped(
                links.render(page=page, section=section, approved=approved and not stopped)
            ),
        ),
        "one_page": True,
        "shared": shared,
        "shared_is_ahead": approved is not None and _goes_beyond(session, shared, shown),
        "cards": panel.cards(session, ranked),
        "candidate_count": ranking.count_open(session, [page.id]).get(page.id, 0),
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
    known = revisions.get_many(session, heads)
    if any(known[id_].page_id != page.id if id_ in known else True for id_ in heads):
        raise refuse_cursor()
    found = revisions.history(session, heads, limit=HISTORY_LENGTH)
    newest = [row.id for row in found.revisions[:2]]
    context = {
        "page": page,
        "revisions": found.revisions,
        "days": [(day, list(rows)) for day, rows in groupby(found.revisions, lambda row: day_in_words(row.created_at))],
        "first": newest[0],
        "second": newest[-1],
        "steps": telling.tell_steps(session, page, limit=STEPS_SHOWN) if place is None else [],
        "shared_id": drafts.get_shared(session, page.id).id,
        "names": accounts.names_of(session, (row.author_id for row in found.revisions)),
        "approved_at": {row.revision_id: row.at for row in approvals.list_since(session, page.id, 0)},
        "more": f"/pages/{page.slug}/history?cursor={encode_cursor(*found.next_heads)}" if found.next_heads else None,
    }
    return render(request, "pages/history.html", context)


@site.get("/pages/{slug}/at")
def show_text_at(
    session: SessionDep,
    viewer: Viewer,
    slug: str,
    day: date,
    hour: Annotated[time | Literal[""], Query(alias="time")] = "",
) -> Response:
    """What was approved on a day at a time of day in UTC, when the day ended without one; at an address that stays."""
    page = pages.get_page(session, slug)
    moment = datetime.combine(day, hour or time.max)
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    approved = approvals.find_current(session, page.id, as_of=at)
    if approved is None:
        raise NothingApprovedThen(
            _("“{title}” had no approved text at {when}. Look at its history.").format(
                title=page.title, when=in_words(at)
            )
        )
    return RedirectResponse(f"/revisions/{approved.revision_id}", 303)


def _answer_missing(request: Request, session: SessionDep, slug: str) -> Response:
    missing = pages.page_not_found(slug)
    near = pages.list_near(session, slug)
    return answer(request, status_of(type(missing)), missing.slug, missing.title, missing.detail, near=near)


def _goes_beyond(session: SessionDep, shared: Draft, approved: Revision) -> bool:
    return revisions.get(session, drafts.head_of(shared)).sha256 != approved.sha256


def _heads(session: SessionDep, page: Page) -> list[int]:
    approved = approvals.find_current(session, page.id)
    shared = drafts.head_of(drafts.get_shared(session, page.id))
    return [shared, approved.revision_id] if approved else [shared]


def _new_page_form(
    request: Request, *, title: str, text: str, slug: str, problem: str | None, status: int = 200
) -> Response:
    context = {"form_title": title, "text": text, "slug": slug, "problem": problem}
    return render(request, "pages/new.html", context, status=status)
