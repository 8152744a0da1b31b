"""The ledger for people: what was decided, newest first, and how to check it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from app.accounts.actors import Viewer
from app.approvals import service as approvals
from app.ledger import service
from app.ledger.models import LedgerEntry
from app.ledger.schemas import PathSequence
from app.ledger.wording import MEANINGS, sentence
from app.pages import service as pages
from app.pages.models import Page
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.web.cursors import decode_cursor, encode_cursor
from app.web.session import SessionDep
from app.web.templates import render
from app.words import _

site = APIRouter(include_in_schema=False)

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as a list shows it."""

    sequence: int
    at: datetime
    said: str
    page: Page | None
    revision: Revision | None


@site.get("/ledger")
def show_ledger(request: Request, session: SessionDep, viewer: Viewer, cursor: str | None = None) -> Response:
    """Every decision, newest first, with the newest checkpoint."""
    place = decode_cursor(cursor, int)
    found = service.list_newest(session, before=place[0] if place else None, limit=SHOWN + 1)
    base_url = request.app.state.settings.base_url.rstrip("/")
    context = {
        "rows": _present(session, found[:SHOWN]),
        "checkpoint": service.find_checkpoint(session),
        "keep": f"curl {base_url}/api/v1/ledger/checkpoint > checkpoint.txt",
        "program": "docs/verify.py",
        "run": f"python verify.py {base_url} checkpoint.txt",
        "more": f"/ledger?cursor={encode_cursor(found[SHOWN - 1].sequence)}" if len(found) > SHOWN else None,
    }
    return render(request, "ledger/ledger.html", context)


@site.get("/ledger/{sequence}")
def show_entry(request: Request, session: SessionDep, viewer: Viewer, sequence: PathSequence) -> Response:
    """One entry, every field of it in words."""
    entry = service.get_entry(session, sequence)
    body = json.loads(entry.body)
    fields = [(name, _(MEANINGS[name]) if name in MEANINGS else "", _as_text(body[name])) for name in body]
    fields.sort(key=lambda field: list(MEANINGS).index(field[0]) if field[0] in MEANINGS else len(MEANINGS))
    context = {"row": _present(session, [entry])[0], "entry": entry, "body": body, "fields": fields}
    return render(request, "ledger/entry.html", context)


def _present(session: Session, listed: Sequence[LedgerEntry]) -> list[Row]:
    by_page = pages.pages_by_id(session, (entry.page_id for entry in listed))
    by_approval = approvals.get_many(session, (entry.approval_id for entry in listed))
    texts = revisions.get_many(session, (row.revision_id for row in by_approval.values()))
    rows = []
    for entry in listed:
        approval = by_approval.get(entry.approval_id or 0)
        revision = texts[approval.revision_id] if approval else None
        said = sentence(json.loads(entry.body), revision.number if revision else None)
        rows.append(Row(entry.sequence, entry.at, said, by_page.get(entry.page_id or 0), revision))
    return rows


def _as_text(value: Any) -> str:
    """A field's value as it stands in the entry; empty for none."""
    if value is None or value == []:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
