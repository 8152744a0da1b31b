"""Find approved texts: one page's, now or at a time, and all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from app.approvals import service as approvals
from app.approvals import stops
from app.approvals.models import Approval, Stop
from app.approvals.service import InForce
from app.database import now
from app.errors import Conflict, Gone, NotFound
from app.ledger import service as ledger
from app.pages import service as pages
from app.pages.models import Page
from app.pages.text import Text
from app.revisions import service as revisions
from app.words import N_, _


class NoApprovedText(NotFound):
    slug = "no-approved-text"
    title = N_("No text is approved yet")


class OnHold(Conflict):
    slug = "on-hold"
    title = N_("A moderator has stopped this text for now")


class Withdrawn(Gone):
    slug = "withdrawn"
    title = N_("This text was withdrawn: never use it")


@dataclass(frozen=True, slots=True)
class ApprovedText:
    """A text that consensus approved, with what says so; `entry` is its number in the ledger.

    `stop` is the stop where a moderator stopped it.
    """

    page: Page
    found: InForce
    text: Text
    entry: int | None
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What has become of pages that somebody holds texts of, by the addresses that were asked for.

    `differing` are texts, or the page and its stop where it was held before it had a text. `renamed` leads from former
    addresses to present ones.
    """

    differing: list[ApprovedText | tuple[Page, Stop]]
    unchanged: list[str]
    missing: list[str]
    renamed: dict[str, str]


def get_approved(session: Session, page: Page, *, as_of: datetime | None = None) -> ApprovedText | Stop:
    """The page's approved text, now or as of a time; a time in whole seconds means to the end of that second.

    On a page that was held before it had a text it is the hold alone. Raises `NoApprovedText`.
    """
    moment = None
    if as_of is not None:
        moment = min(as_of, now(session))
        if moment.microsecond == 0:
            moment += timedelta(seconds=1, microseconds=-1)
    approval = approvals.find_current(session, page.id, as_of=moment)
    stop = stops.find_stop(session, page.id, as_of=moment)
    if approval is not None:
        return _with_texts(session, [approval], {page.id: page}, {page.id: stop} if stop else {})[0]
    if stop is not None:
        return stop
    if as_of:
        said = _("“{title}” had no approved text at that time. Its drafts can be read, but nobody has agreed to them.")
    else:
        said = _("“{title}” has no approved text yet. Its drafts can be read, but nobody has agreed to them.")
    raise NoApprovedText(said.format(title=page.title))


def find_last_safe(session: Session, page: Page) -> ApprovedText | None:
    """The newest text that was approved before the present one and that nobody took back."""
    usable = stops.list_usable(session, page.id)
    if not usable:
        return None
    rows = approvals.list_since(session, page.id, 0)
    approval = next(row for row in reversed(rows) if row.revision_id == usable[-1].id and not row.contested)
    return _with_texts(session, [approval], {page.id: page}, {})[0]


def list_approved(
    session: Session, *, after: int = 0, updated_since: datetime | None = None, tag: str | None = None, limit: int = 50
) -> list[ApprovedText]:
    """All approved texts by page id, after the one named; only those approved or stopped since, or with this tag."""
    rows = approvals.list_current(session, after=after, updated_since=updated_since, tag=tag, limit=limit)
    current = {row.page_id: row for row in rows}
    return _with_texts(
        session, rows, pages.pages_by_id(session, current), stops.stops_by_page(session, current, current)
    )


def compare(session: Session, slugs: Sequence[str], known: Mapping[str, str]) -> Comparison:
    """What has become of these pages for somebody who holds texts with the hashes `known`, by address.

    A text that is stopped or contested always differs: whoever has it needs to learn that again and again.
    """
    asked = pages.find_pages(session, slugs)
    by_id = {page.id: page for page in asked.values()}
    current = approvals.current_by_page(session, by_id)
    stopped = stops.stops_by_page(session, current, by_id)
    standing = {it.approval.page_id: it for it in approvals.in_force(session, current.values())}
    kept: list[str] = []
    wanted: dict[int, Approval | None] = {}
    for slug in slugs:
        page = asked.get(slug)
        if page is None or (page.id not in standing and page.id not in stopped):
            continue
        found = standing.get(page.id) if page.id not in stopped else None
        if found and not found.approval.contested and known.get(slug) == found.revision.sha256:
            kept.append(slug)
        else:
            wanted[page.id] = current.get(page.id)
    rows = [row for row in wanted.values() if row is not None]
    texts = {it.page.id: it for it in _with_texts(session, rows, by_id, stopped)}
    return Comparison(
        differing=[texts.get(id_) or (by_id[id_], stopped[id_]) for id_ in wanted],
        unchanged=kept,
        missing=[slug for slug in slugs if slug not in kept and (slug not in asked or asked[slug].id not in wanted)],
        renamed={slug: page.slug for slug, page in asked.items() if page.slug != slug},
    )


def _with_texts(
    session: Session, rows: Sequence[Approval], by_id: dict[int, Page], stopped: Mapping[int, Stop]
) -> list[ApprovedText]:
    listed = approvals.in_force(session, rows)
    texts = revisions.texts_of(session, (found.revision for found in listed))
    entries = ledger.sequences_of(session, (row.id for row in rows))
    return [
        ApprovedText(
            by_id[it.approval.page_id],
            it,
            texts[it.revision.id],
            entries.get(it.approval.id),
            stopped.get(it.approval.page_id),
        )
        for it in listed
    ]
