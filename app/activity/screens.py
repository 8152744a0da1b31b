"""Recent changes, newest first."""

from collections.abc import Sequence
from itertools import groupby

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.activity import service as activity
from app.activity.models import Activity, Kind
from app.pages import service as pages
from app.web.cursors import decode_cursor, encode_cursor
from app.web.session import SessionDep
from app.web.templates import render

site = APIRouter(include_in_schema=False)

SHOWN = 50

VOTES = (Kind.VOTE_CAST, Kind.VOTE_WITHDRAWN)


@site.get("/changes")
def show_changes(
    request: Request, session: SessionDep, viewer: Viewer, page: str | None = None, cursor: str | None = None
) -> Response:
    """What happened, on one page or on all."""
    chosen = pages.get_page(session, page) if page else None
    place = decode_cursor(cursor, int)
    rows = activity.latest(
        session, page_id=chosen.id if chosen else None, before=place[0] if place else None, limit=SHOWN
    )
    only = f"page={chosen.slug}&" if chosen else ""
    context = {
        "chosen": chosen,
        "rows": _folded(rows),
        "pages": pages.pages_by_id(session, (row.page_id for row in rows)),
        "names": accounts.names_of(session, (row.actor_id for row in rows)),
        "more": f"/changes?{only}cursor={encode_cursor(rows[-1].id)}" if len(rows) == SHOWN else None,
    }
    return render(request, "activity/changes.html", context)


def _folded(rows: Sequence[Activity]) -> list[tuple[Activity, int]]:
    """The rows, with votes on one text that follow each other as one row and their number."""
    runs = groupby(rows, lambda row: (row.kind, row.subject_id) if row.kind in VOTES else row.id)
    folded = [list(run) for _, run in runs]
    return [(run[0], len(run)) for run in folded]
