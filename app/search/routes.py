"""Search, and titles while somebody types."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.search import service
from app.search.asking import EngineDep, read_place
from app.search.schemas import SearchOut, SearchRow, TitleRow
from app.search.service import Where
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, encode_cursor, listing
from app.web.schemas import Json, Listing
from app.web.session import SessionDep

api = APIRouter(tags=["Search"])

MAX_QUERY = 1_000
MAX_TITLES = 20

_LINK: Json = {
    "Link": {
        "description": 'The address of the next rows, as `rel="next"`, while there are any.',
        "schema": {"type": "string"},
    }
}


@api.get("/search", responses={200: {"headers": _LINK}})
def search(
    request: Request,
    response: Response,
    session: SessionDep,
    engine: EngineDep,
    q: Annotated[
        str,
        Query(
            max_length=MAX_QUERY,
            description='Words, "phrases", -without, start*, tag:name. A text has to hold all; if none does, some.',
            examples=["fair rents"],
        ),
    ],
    where: Annotated[
        Where | None, Query(alias="in", description="Only these texts; without it approved texts and drafts.")
    ] = None,
    tag: Annotated[str, Query(max_length=40, description="Only pages with this tag.", examples=["homes"])] = "",
    chapter: Annotated[
        str | None,
        Query(max_length=80, description="The chapter's own texts, else the common ones.", examples=["north"]),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> SearchOut:
    """Pages by their text that fits, each once: approved texts first, then drafts, the best first in both."""
    results = service.search(session, engine, q, where=where, tag=tag, limit=limit, after=read_place(cursor))
    more = encode_cursor(*results.next) if results.next else None
    return SearchOut.of(listing(request, response, map(SearchRow.of, results.rows), more), results)


@api.get("/suggest")
def suggest(
    request: Request,
    response: Response,
    session: SessionDep,
    engine: EngineDep,
    q: Annotated[str, Query(max_length=MAX_QUERY, description="What was typed so far.", examples=["hou"])],
    limit: Annotated[int, Query(ge=1, le=MAX_TITLES, description="The most titles to answer with.")] = 8,
) -> Listing[TitleRow]:
    """Titles while somebody types, the likeliest first; misspelt ones where nothing begins so."""
    rows = [
        TitleRow(page=page.slug, title=page.title, status="approved" if approved else "none")
        for page, approved in service.suggest(session, engine, q, limit=limit)
    ]
    return listing(request, response, rows, None)
