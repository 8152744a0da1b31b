"""What became of approved texts, as the entries of a feed: news readers and e-mail builders follow them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

from markupsafe import escape
from sqlmodel import Session, col, select

from app.activity.models import Activity, Kind
from app.approvals import service as approvals
from app.approvals import stops
from app.pages import service as pages
from app.pages.markup import render_markdown
from app.pages.models import Page, PageTag
from app.pages.plain import plain_text
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.words import N_, _

ENTRIES = 50
"""How many a feed holds; older ones are on its further pages."""

BEGAN = 2026
"""The year in the entries' ids, as RFC 4151 wants one in which the address was in use."""

TITLES = {
    Kind.PAGE_PROMOTED: N_("Approved: {title}"),
    Kind.PAGE_UNPROMOTED: N_("Approval taken back: {title}"),
    Kind.PAGE_CORRECTED: N_("Corrected: {title}"),
    Kind.PAGE_HELD: N_("Stop using for now: {title}"),
    Kind.PAGE_RELEASED: N_("May be used again: {title}"),
    Kind.PAGE_WITHDRAWN: N_("Stop using: {title}"),
    Kind.PAGE_RESTORED: N_("May be used again: {title}"),
}

_SAID = {
    Kind.PAGE_PROMOTED: N_("r{number} became the approved text."),
    Kind.PAGE_UNPROMOTED: N_("Members took the approval back; r{number} is in force again."),
    Kind.PAGE_CORRECTED: N_("A moderator put r{number} in its place: “{reason}”"),
    Kind.PAGE_HELD: N_("A moderator stopped this text for now: “{reason}” Do not use it until it is released."),
    Kind.PAGE_RELEASED: N_("The stop ended: “{reason}” The text may be used again."),
    Kind.PAGE_WITHDRAWN: N_("A moderator withdrew this text: “{reason}” Never use it."),
    Kind.PAGE_RESTORED: N_("Two moderators brought this text back: “{reason}”"),
}

_CONTESTED_TITLE = N_("Contested: {title}")
_CONTESTED = N_("Members turned against r{number}. There is no earlier text, so it stands as contested.")
_DOUBT = N_(
    "Think twice before you use this text: so many members turned against it that it lost its approval. There is no "
    "earlier one to go back to."
)
"""Above a contested text, wherever it can be copied from."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say: https://www.w3.org/TR/xml/#charsets."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a page's approved text.

    `html` and `text` are the text itself, empty unless it is the one to use now: what was replaced, stopped or taken
    back since must not be copied out of a news reader. Over a contested one stands the doubt. `address` is where to
    read on.
    """

    id: str
    kind: Kind
    at: datetime
    title: str
    said: str
    address: str
    page: Page
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Feed:
    """The newest entries first. `before` is the place of the next page, None at the end."""

    entries: list[Entry]
    before: int | None


def read_feed(
    session: Session,
    *,
    base_url: str,
    tag: str | None = None,
    page: Page | None = None,
    before: int | None = None,
    limit: int = ENTRIES,
) -> Feed:
    """What became of all approved texts, or of those with this tag, or of one page's. A stop is an entry of its own."""
    query = select(Activity).where(col(Activity.kind).in_(list(TITLES))).order_by(col(Activity.id).desc())
    if tag is not None:
        query = query.where(col(Activity.page_id).in_(select(PageTag.page_id).where(PageTag.tag == tag)))
    if page is not None:
        query = query.where(Activity.page_id == page.id)
    if before is not None:
        query = query.where(col(Activity.id) < before)
    rows = session.exec(query.limit(limit + 1)).all()
    shown = rows[:limit]
    by_id = pages.pages_by_id(session, (row.page_id for row in shown))
    usable = _texts_to_use(session, by_id)
    numbers = revisions.get_many(session, {row.subject_id for row in shown if row.subject_id})
    entries = [_entry(row, by_id[row.page_id or 0], numbers, usable, base_url) for row in shown]
    return Feed(entries, shown[-1].id if len(rows) > limit else None)


@dataclass(frozen=True, slots=True)
class _Usable:
    text: str
    contested: bool


def _texts_to_use(session: Session, by_id: Mapping[int, Page]) -> dict[int, _Usable]:
    """By revision: the texts that are approved now, contested ones among them, and that nobody stopped."""
    current = approvals.current_by_page(session, by_id)
    stopped = stops.stops_by_page(session, current, by_id)
    contested = {row.revision_id: row.contested for row in current.values() if row.page_id not in stopped}
    texts = revisions.texts_of(session, revisions.get_many(session, contested).values())
    return {id_: _Usable(str(texts[id_]), contested[id_]) for id_ in contested}


def _entry(
    row: Activity, page: Page, numbers: Mapping[int, Revision], usable: Mapping[int, _Usable], base_url: str
) -> Entry:
    kind = Kind(row.kind)
    site = base_url.rstrip("/")
    revision = numbers.get(row.subject_id or 0)
    is_stop = kind in (Kind.PAGE_HELD, Kind.PAGE_WITHDRAWN)
    found = None if is_stop else usable.get(row.subject_id or 0)
    # What was taken back and what is in force again are one: there was no earlier text.
    became_contested = kind == Kind.PAGE_UNPROMOTED and row.data.get("removed") == row.subject_id
    title, said = (_CONTESTED_TITLE, _CONTESTED) if became_contested else (TITLES[kind], _SAID[kind])
    said = _(said).format(number=revision.number if revision else "?", reason=row.data.get("reason", ""))
    replacement = row.data.get("replacement")
    if replacement:
        said += " " + _("Use this page instead: {address}").format(address=f"{site}/pages/{quote(replacement)}")
    if not is_stop and not found:
        said += " " + _("Since then another text is approved, or none may be used. See the page.")
    return Entry(
        id=f"tag:{urlsplit(site).hostname},{BEGAN}:change:{row.id}",
        kind=kind,
        at=row.at,
        title=clean(_(title).format(title=page.title)),
        said=clean(said),
        address=f"{site}/pages/{quote(page.slug)}",
        page=page,
        html=clean(_html_of(found, page)) if found else "",
        text=clean(_plain_of(found)) if found else "",
    )


def _html_of(found: _Usable, page: Page) -> str:
    doubt = f"<p><strong>{escape(_(_DOUBT))}</strong></p>\n" if found.contested else ""
    return doubt + str(render_markdown(found.text, title=page.title))


def _plain_of(found: _Usable) -> str:
    return (f"{_(_DOUBT)}\n\n" if found.contested else "") + plain_text(found.text)


def clean(words: str) -> str:
    """Without the few characters that XML has no way to say."""
    return _NOT_IN_XML.sub("", words)
