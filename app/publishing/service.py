"""Find approved texts: one page's, now or at a time, and all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from app.approvals import service as approvals
from app.approvals.models import Approval
from app.approvals.service import InForce
from app.database import now
from app.errors import NotFound
from app.ledger import service as ledger
from app.pages import service as pages
from app.pages.models import Page
from app.pages.text import Text
from app.revisions import service as revisions
from app.words import N_, _


class NoApprovedText(NotFound):
    slug = "no-approved-text"
    title = N_("No text is approved yet")


@dataclass(frozen=True, slots=True)
class ApprovedText:
    """A text that consensus approved, with what says so; `entry` is its number in the ledger."""

    page: Page
    found: InForce
    text: Text
    entry: int | None


def get_approved(session: Session, page: Page, *, as_of: datetime | None = None) -> ApprovedText:
    """The page's approved text, now or as of a time; a time in whole seconds means to the end of that second."""
    moment = None
    if as_of is not None:
        moment = min(as_of, now(session))
        if moment.microsecond == 0:
            moment += timedelta(seconds=1, microseconds=-1)
    approval = approvals.find_current(session, page.id, as_of=moment)
    if approval is None:
        if as_of:
            said = _(
                "“{title}” had no approved text at that time. Its drafts can be read, but nobody has agreed to them."
            )
        else:
            said = _("“{title}” has no approved text yet. Its drafts can be read, but nobody has agreed to them.")
        raise NoApprovedText(said.format(title=page.title))
    return _with_texts(session, [approval], {page.id: page})[0]


def list_approved(
    session: Session, *, after: int = 0, updated_since: datetime | None = None, tag: str | None = None, limit: int = 50
) -> list[ApprovedText]:
    """All approved texts by page id, after the one named; only those approved since, or with this tag."""
    rows = approvals.list_current(session, after=after, updated_since=updated_since, tag=tag, limit=limit)
    return _with_texts(session, rows, pages.pages_by_id(session, (row.page_id for row in rows)))


def _with_texts(session: Session, rows: Sequence[Approval], by_id: dict[int, Page]) -> list[ApprovedText]:
    listed = approvals.in_force(session, rows)
    texts = revisions.texts_of(session, (found.revision for found in listed))
    entries = ledger.sequences_of(session, (row.id for row in rows))
    return [
        ApprovedText(by_id[it.approval.page_id], it, texts[it.revision.id], entries.get(it.approval.id))
        for it in listed
    ]
