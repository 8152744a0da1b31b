"""The activity log, for whoever follows along."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.activity import service
from app.activity.schemas import Changes
from app.errors import Refused
from app.live.rows import parse_kinds, parse_position, present
from app.pages import service as pages
from app.pages.service import PageNotFound
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, listing
from app.web.openapi import can_fail
from app.web.session import SessionDep
from app.words import _

api = APIRouter(tags=["Following along"])


@api.get("/changes", responses=can_fail(PageNotFound))
def list_changes(
    request: Request,
    response: Response,
    session: SessionDep,
    since: Annotated[
        str | None,
        Query(max_length=40, description="`next` of the answer before; 0 or none is the beginning.", examples=["4711"]),
    ] = None,
    cursor: Cursor = None,
    kinds: Annotated[
        str, Query(max_length=1_000, description="Only these kinds, with commas between.", examples=["page.promoted"])
    ] = "",
    page: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Only what happened to this page.",
            examples=["housing"],
        ),
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Changes:
    """What happened since, strictly in order and nothing left out. `cursor` is another name for `since`."""
    position = _parse_place(since, cursor)
    wanted = parse_kinds(kinds)
    page_id = pages.get_page(session, page).id if page else None
    # Read before the rows: whatever is up to here was committed by now, so nothing is skipped by going on from it.
    newest = service.newest_position(session)
    rows = service.since(session, position, kinds=wanted, page_id=page_id, limit=limit)
    # Whoever reads here that a text changed is served the new one from then on, though another server wrote the row.
    request.app.state.database.published.advance(service.published_among(rows))
    following = rows[-1].id if len(rows) == limit else max([position, newest, *(row.id for row in rows)])
    key = "cursor" if cursor else "since"
    found = listing(request, response, present(session, rows), str(following), key=key)
    return Changes(data=found.data, next=str(following))


def _parse_place(since: str | None, cursor: str | None) -> int:
    if since and cursor:
        raise Refused(_("Send either since or cursor; they are two names for one thing."), pointer="/cursor")
    return parse_position(since or cursor or "0", pointer="/since")
