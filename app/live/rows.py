"""Rows of the log as whoever follows along gets them: which ones, and in what form."""

import re
from collections.abc import Sequence

from sqlmodel import Session

from app.accounts import service as accounts
from app.activity import service as activity
from app.activity.models import Activity, Kind
from app.activity.schemas import ChangeRow
from app.database import Database
from app.errors import Refused
from app.live.ring import Rendered, Wanted
from app.pages import service as pages
from app.words import _

PAGE_ROWS = 200
"""How many rows are read from the database at a time."""

_POSITION = re.compile(r"[0-9]{1,18}")


def parse_position(given: str, *, pointer: str) -> int:
    """The position that a cursor names; `Refused` for one that was not made here."""
    if not _POSITION.fullmatch(given):
        raise Refused(_("This cursor was not made here. Use “next” of the last answer, as it is."), pointer=pointer)
    return int(given)


def parse_kinds(given: str) -> frozenset[Kind]:
    """The kinds named, with commas between; `Refused` for one that there is not."""
    return frozenset(_parse_kind(kind.strip()) for kind in given.split(",") if kind.strip())


def _parse_kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        raise Refused(
            _("There is no kind “{name}”. There are: {kinds}.").format(name=name[:60], kinds=", ".join(Kind)),
            pointer="/kinds",
        ) from None


def present(session: Session, rows: Sequence[Activity]) -> list[ChangeRow]:
    """The rows as the API tells them: pages by address, actors by name."""
    by_id = pages.pages_by_id(session, (row.page_id for row in rows))
    names = accounts.names_of(session, (row.actor_id for row in rows))
    return [
        ChangeRow.of(row, by_id[row.page_id].slug if row.page_id is not None else None, names.get(row.actor_id or 0))
        for row in rows
    ]


def read_rows(database: Database, position: int, wanted: Wanted) -> tuple[list[Rendered], int]:
    """The next wanted rows after a position, at most `PAGE_ROWS`, and the position up to which nothing is left out."""
    with database.transaction(writing=False) as session:
        # Read before the rows: whatever is up to here was committed by now, so nothing is skipped by going on from it.
        newest = activity.newest_position(session)
        kinds = [Kind(kind) for kind in wanted.kinds]
        rows = activity.since(session, position, kinds=kinds, page_id=wanted.page_id, limit=PAGE_ROWS)
        told = [_render(change, row.page_id) for change, row in zip(present(session, rows), rows, strict=True)]
    # Before it is told: whoever hears that a text changed and asks for it gets the new one.
    database.published.advance(activity.published_among(rows))
    if len(told) == PAGE_ROWS:
        return told, told[-1].seq
    return told, max([position, newest, *(row.seq for row in told)])


def _render(change: ChangeRow, page_id: int | None) -> Rendered:
    """One message of a server-sent stream. JSON holds no line end, so the data is one line."""
    message = f"id: {change.seq}\nevent: {change.kind}\ndata: {change.model_dump_json()}\n\n"
    return Rendered(change.seq, change.kind, page_id, message.encode())
