"""Pages: list, read, make and rename them."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from app.accounts.actors import Viewer
from app.accounts.idempotency import OnceRoute
from app.approvals import service as approvals
from app.approvals import stops
from app.approvals.schemas import ApprovedRevisionOut, PageStatus
from app.consensus import ranking
from app.drafts import service as drafts
from app.pages import service
from app.pages.addresses import page_here
from app.pages.models import Page
from app.pages.schemas import PageChangeIn, PageCountsOut, PageIn, PageOut, SharedDraftOut
from app.pages.service import PageNotFound, SlugTaken
from app.permissions import Scope
from app.revisions import service as revisions
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor, listing
from app.web.openapi import can_fail, needs
from app.web.schemas import Listing, PathSlug
from app.web.session import SessionDep

api = APIRouter(tags=["Pages"], route_class=OnceRoute)


@api.get("/pages")
def list_pages(
    request: Request,
    response: Response,
    session: SessionDep,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    tag: Annotated[
        str | None, Query(max_length=40, description="Only pages with this tag.", examples=["homes"])
    ] = None,
    q: Annotated[str, Query(max_length=120, description="Only pages with these letters in their title.")] = "",
    status: Annotated[PageStatus | None, Query(description="Only pages that stand so.")] = None,
) -> Listing[PageOut]:
    """Every page, by address."""
    place = decode_cursor(cursor, str)
    found = service.list_pages(
        session,
        after=place[0] if place else "",
        tag=tag,
        words=q,
        also=stops.has_status(session, status) if status else None,
        limit=limit + 1,
    )
    rows = _present(session, found[:limit])
    return listing(request, response, rows, encode_cursor(rows[-1].slug) if len(found) > limit else None)


@api.post("/pages", status_code=201, responses=can_fail(SlugTaken), openapi_extra=needs(Scope.WRITE))
def create_page(response: Response, session: SessionDep, viewer: Viewer, body: PageIn) -> PageOut:
    """Make a page with its shared draft and first revision. Writers may."""
    page = drafts.create_page(
        session, viewer, title=body.title, text=body.text, slug=body.slug, summary=body.summary, tags=body.tags
    )
    response.headers["Location"] = f"/api/v1/pages/{quote(page.slug)}"
    return _present(session, [page])[0]


@api.get("/pages/{slug}", responses={308: {"description": "The page was renamed."}, **can_fail(PageNotFound)})
def get_page(request: Request, session: SessionDep, slug: PathSlug) -> PageOut:
    """One page, with what is approved and what is open."""
    return _present(session, [page_here(session, request, slug)])[0]


@api.patch("/pages/{slug}", responses=can_fail(PageNotFound, SlugTaken), openapi_extra=needs(Scope.WRITE))
def change_page(session: SessionDep, viewer: Viewer, slug: PathSlug, body: PageChangeIn) -> PageOut:
    """Change title, address or tags. The former address goes on leading to the page."""
    page = service.rename_page(session, viewer, slug, title=body.title, new_slug=body.slug, tags=body.tags)
    return _present(session, [page])[0]


def _present(session: Session, pages: Sequence[Page]) -> list[PageOut]:
    ids = [page.id for page in pages]
    tags, shared = service.tags_of(session, ids), drafts.shared_by_page(session, ids)
    current = approvals.current_by_page(session, ids)
    stopped = stops.stops_by_page(session, current, ids)
    approved = {found.approval.page_id: found for found in approvals.in_force(session, current.values())}
    written, forks = revisions.count_by_page(session, ids), drafts.count_open_forks(session, ids)
    open_candidates = ranking.count_open(session, ids)
    return [
        PageOut(
            slug=page.slug,
            title=page.title,
            tags=tags.get(page.id, []),
            status=stops.status_of(current.get(page.id), stopped.get(page.id)),
            approved=ApprovedRevisionOut.of(approved[page.id]) if page.id in approved else None,
            shared_draft=SharedDraftOut(id=shared[page.id].id, head=drafts.head_of(shared[page.id])),
            counts=PageCountsOut(
                revisions=written.get(page.id, 0),
                open_drafts=forks.get(page.id, 0),
                candidates=open_candidates.get(page.id, 0),
            ),
        )
        for page in pages
    ]
