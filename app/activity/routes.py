"""The activity log, for whoever follows along."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from app.accounts import service as accounts
from app.activity import service
from app.activity.models import Activity, Kind
from app.activity.schemas import ChangeRow, Changes
from app.errors import Refused
from app.pages import service as pages
from app.pages.service import PageNotFound
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, listing
from app.web.openapi import can_fail
from app.web.session import SessionDep

api = APIRouter(tags=["Following along"])

_POSITION = re.compile(r"[0-9]{1,18}")


@api.get("/changes", responses=can_fail(PageNotFound))
def list_changes(
    request: Request,
    response: Response,
    session: SessionDep,
    since: Annotated[
        str | None, Query(max_length=40, description="`next` of the answer before; 0 or none is the beginning.")
    ] = None,
    cursor: Cursor = None,
    kinds: Annotated[
        str, Query(max_length=1_000, description="Only these kinds, with commas between.", examples=["page.promoted"])
    ] = "",
    page: Annotated[str | None, Query(max_length=200, description="Only what happened to this page.")] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Changes:
    """What happened since, strictly in order and nothing left out. `cursor` is another name for `since`."""
    position = _parse_position(since, cursor)
    wanted = [_parse_kind(kind) for kind in kinds.split(",") if kind.strip()]
    page_id = pages.get_page(session, page).id if page else None
    # Read before the rows: whatever is up to here was committed by now, so nothing is skipped by going on from it.
    newest = service.newest_position(session)
    rows = service.since(session, position, kinds=wanted, page_id=page_id, limit=limit)
    following = rows[-1].id if len(rows) == limit else max([position, newest, *(row.id for row in rows)])
    key = "cursor" if cursor else "since"
    found = listing(request, response, _present(session, rows), str(following), key=key)
    return Changes(data=found.data, next=str(following))


def _parse_position(since: str | None, cursor: str | None) -> int:
    if since and cursor:
        raise Refused("Send either since or cursor; they are two names for one thing.", pointer="/cursor")
    given = since or cursor or "0"
    if not _POSITION.fullmatch(given):
        raise Refused("This cursor was not made here. Use “next” of the last answer, as it is.", pointer="/since")
    return int(given)


def _parse_kind(name: str) -> Kind:
    try:
        return Kind(name.strip())
    except ValueError:
        raise Refused(f"There is no kind “{name[:60]}”. There are: {', '.join(Kind)}.", pointer="/kinds") from None


def _present(session: Session, rows: Sequence[Activity]) -> list[ChangeRow]:
    by_id = pages.pages_by_id(session, (row.page_id for row in rows))
    names = accounts.names_of(session, (row.actor_id for row in rows))
    return [
        ChangeRow.of(row, by_id[row.page_id].slug if row.page_id is not None else None, names.get(row.actor_id or 0))
        for row in rows
    ]
