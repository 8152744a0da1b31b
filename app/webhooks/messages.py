"""A row of the activity log as the message that webhooks get."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from app.activity.models import Activity, Kind
from app.approvals import service as approvals
from app.approvals import stops
from app.ledger import service as ledger
from app.live.rows import present
from app.revisions import service as revisions
from app.webhooks.schemas import TEST, MessageData, MessageLinks, MessageOut, TestData, TestMessage

URGENT = frozenset(
    {
        Kind.PAGE_HELD,
        Kind.PAGE_WITHDRAWN,
        Kind.PAGE_CORRECTED,
        Kind.PAGE_UNPROMOTED,
        Kind.PAGE_RELEASED,
        Kind.PAGE_RESTORED,
    }
)
"""Whether a text may be used: sent before everything else."""

_OF_A_DRAFT = ("draft.",)
_OF_A_PAGE = (Kind.PAGE_CREATED, Kind.PAGE_RENAMED)


def write_messages(session: Session, rows: Sequence[Activity], *, base_url: str) -> dict[int, str]:
    """The body of the message for each row, by its number. A page's status is the one it has now."""
    page_ids = {row.page_id for row in rows if row.page_id is not None}
    current = approvals.current_by_page(session, page_ids)
    stopped = stops.stops_by_page(session, current, page_ids)
    about = {row.id: row.subject_id for row in rows if _is_about_a_revision(row)}
    texts = revisions.get_many(session, {found for found in about.values() if found is not None})
    checkpoint = ledger.find_checkpoint(session)
    bodies = {}
    for row, change in zip(rows, present(session, rows), strict=True):
        revision = texts.get(about.get(row.id) or 0)
        status = None
        if row.page_id is not None:
            status = stops.status_of(current.get(row.page_id), stopped.get(row.page_id))
        data = {
            **change.model_dump(),
            "at": change.at,
            "status": status,
            "sha256": revision.sha256 if revision else None,
            "links": _links(change.page, revision.id if revision else None, base_url),
            "checkpoint": checkpoint.note if checkpoint else None,
        }
        message = MessageOut(type=change.kind, timestamp=change.at, data=MessageData.model_validate(data))
        bodies[row.id] = message.model_dump_json()
    return bodies


def write_test(at: datetime, webhook_id: int) -> str:
    """The body of the message that only tries whether messages arrive."""
    return TestMessage(type=TEST, timestamp=at, data=TestData(webhook=webhook_id)).model_dump_json()


def _is_about_a_revision(row: Activity) -> bool:
    return row.subject_id is not None and not row.kind.startswith(_OF_A_DRAFT) and row.kind not in _OF_A_PAGE


def _links(page: str | None, revision_id: int | None, base_url: str) -> MessageLinks:
    base = base_url.rstrip("/")
    return MessageLinks(
        self=f"{base}/api/v1/pages/{page}/approved" if page else None,
        html=f"{base}/pages/{page}" if page else None,
        revision=f"{base}/api/v1/revisions/{revision_id}" if revision_id else None,
        ledger=f"{base}/api/v1/ledger/checkpoint",
    )
