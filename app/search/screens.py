"""The screen that shows what a search found."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.accounts.actors import Viewer
from app.search import service
from app.search.asking import EngineDep, read_place
from app.search.engine import Group
from app.search.service import Where
from app.web.cursors import encode_cursor
from app.web.session import SessionDep
from app.web.templates import render

site = APIRouter(include_in_schema=False)

ROWS = 20


@site.get("/search")
def show_results(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    engine: EngineDep,
    q: str = "",
    asked_in: Annotated[str, Query(alias="in")] = "",
    tag: str = "",
    cursor: str | None = None,
) -> Response:
    """What was found, in groups, with ways to narrow it; without words only the form."""
    where = Where(asked_in) if asked_in in set(Where) else None
    results = service.search(session, engine, q, where=where, tag=tag, limit=ROWS, after=read_place(cursor))
    counts = results.found.by_group
    context = {
        "q": q,
        "where": where,
        "tag": tag,
        "results": results,
        "groups": [
            (status, [row for row in results.rows if row.status == status]) for status in service.STATUS.values()
        ],
        "counts": {
            Where.APPROVED: counts.get(Group.APPROVED, 0),
            Where.DRAFTS: counts.get(Group.DRAFTS, 0),
            Where.HISTORY: counts.get(Group.REPLACED, 0),
        },
        "more": request.url.include_query_params(cursor=encode_cursor(*results.next)).query if results.next else None,
    }
    return render(request, "search/results.html", context)
