"""The approved text as a finished HTTP answer: bytes and headers that a cache can keep as they are."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Literal

from pydantic import BaseModel, TypeAdapter
from sqlmodel import Session

from app.approvals.schemas import ApprovedRevisionOut
from app.errors import NotFound
from app.pages.models import Page
from app.pages.sections import Section, sections_of
from app.publishing.representations import (
    MEDIA_TYPES,
    Representation,
    etag_of,
    html_document,
    if_none_match,
    plain_text,
)
from app.publishing.schemas import ApprovedOut, LinksOut, SectionOut, SectionRow, SectionTextOut
from app.publishing.service import ApprovedText, get_approved
from app.words import N_, _

CACHE_CONTROL = "public, max-age=5, stale-if-error=60"
"""Short, as a text that is withdrawn may not live on in proxies."""

PACKET = 1_400
"""Bytes of an answer that travel in one packet; compressing fewer saves nothing."""

Part = Literal["text", "sections", "section"]

_SECTION_ROWS = TypeAdapter(list[SectionRow])


class SectionNotFound(NotFound):
    slug = "section-not-found"
    title = N_("The text has no such section")


@dataclass(frozen=True, slots=True)
class Ask:
    """What of a page's approved text is wanted, and in which form.

    "sections" is the list of them, "section" the one with this `key`. `negotiated`: the Accept header chose the form,
    so caches have to tell requests apart by it.
    """

    form: Representation
    part: Part = "text"
    key: str = ""
    as_of: datetime | None = None
    negotiated: bool = False
    gzip: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers in order and body. `etags` are the tag of this body and the one of its other encoding.

    `modified` is None where a second is too coarse to tell this text from the one before.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    etags: tuple[str, ...]
    modified: datetime | None


def approved_answer(session: Session, page: Page, ask: Ask, *, base_url: str) -> Answer:
    """The whole answer to a GET, whoever asks; raises `NoApprovedText` or `SectionNotFound`."""
    approved = get_approved(session, page, as_of=ask.as_of)
    body = _body_of(approved, ask, base_url).encode()
    variants = ("gz", "") if len(body) >= PACKET else ("",)
    encoding = variants[0] if ask.gzip else ""
    if encoding:
        body = gzip.compress(body, 6, mtime=0)
    etags = [etag_of(approved.found.revision.sha256, ask.form, variant) for variant in variants]
    if not encoding:
        etags.reverse()
    at = approved.found.approval.at.replace(microsecond=0)
    headers = {
        "Content-Type": MEDIA_TYPES[ask.form],
        "Content-Length": str(len(body)),
        "ETag": etags[0],
        "Last-Modified": format_datetime(at, usegmt=True),
        "Cache-Control": CACHE_CONTROL,
        "Vary": "Accept, Accept-Encoding" if ask.negotiated else "Accept-Encoding",
    }
    if encoding:
        headers["Content-Encoding"] = "gzip"
    earlier = approved.found.supersedes
    before = earlier.at.replace(microsecond=0) if earlier else None
    raw = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
    return Answer(200, raw, body, tuple(etags), at if before != at else None)


def unless_known(answer: Answer, *, known: str | None, since: str | None) -> Answer:
    """304 without a body when `If-None-Match` or, in its absence, `If-Modified-Since` shows that the client has it."""
    if known is not None:
        etag = next((tag for tag in answer.etags if if_none_match(known, tag)), None)
    else:
        etag = answer.etags[0] if _is_unmodified(answer, since) else None
    if etag is None:
        return answer
    kept = {b"last-modified", b"cache-control", b"vary"}
    headers = tuple((name, value) for name, value in answer.headers if name in kept)
    return replace(answer, status=304, headers=((b"etag", etag.encode()), *headers), body=b"")


def as_json(approved: ApprovedText, *, base_url: str) -> ApprovedOut:
    """An approved text with its sections."""
    return ApprovedOut(
        slug=approved.page.slug,
        title=approved.page.title,
        status="approved",
        scope=None,
        revision=ApprovedRevisionOut.of(approved.found),
        text=approved.text,
        sections=[SectionTextOut(key=it.key, title=it.title, text=it.text) for it in sections_of(approved.text)],
        links=_links(approved, base_url, "approved"),
    )


def _is_unmodified(answer: Answer, since: str | None) -> bool:
    if since is None or answer.modified is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    return answer.modified <= (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _body_of(approved: ApprovedText, ask: Ask, base_url: str) -> str:
    if ask.part == "sections":
        rows = [
            SectionRow(key=it.key, title=it.title, chars=len(plain_text(it.text, within=approved.text)))
            for it in sections_of(approved.text)
        ]
        return _SECTION_ROWS.dump_json(rows).decode()
    section = _find_section(approved, ask.key) if ask.part == "section" else None
    text, within = (section.text, approved.text) if section else (approved.text, "")
    title = section.title if section else approved.page.title
    match ask.form:
        case Representation.MARKDOWN:
            return text
        case Representation.TEXT:
            return plain_text(text, within=within)
        case Representation.HTML:
            return html_document(text, title=title, within=within)
    document: BaseModel = (
        _section_json(approved, section, base_url) if section else as_json(approved, base_url=base_url)
    )
    return document.model_dump_json(by_alias=True)


def _find_section(approved: ApprovedText, key: str) -> Section:
    sections: Sequence[Section] = sections_of(approved.text)
    for section in sections:
        if section.key == key:
            return section
    keys = ", ".join(section.key for section in sections)
    raise SectionNotFound(
        _("The approved text has no section “{key}”. It has: {keys}.").format(key=key, keys=keys or _("none"))
    )


def _section_json(approved: ApprovedText, section: Section, base_url: str) -> SectionOut:
    return SectionOut(
        slug=approved.page.slug,
        status="approved",
        scope=None,
        revision=ApprovedRevisionOut.of(approved.found),
        key=section.key,
        title=section.title,
        text=section.text,
        chars=len(plain_text(section.text, within=approved.text)),
        links=_links(approved, base_url, f"approved/sections/{section.key}"),
    )


def _links(approved: ApprovedText, base_url: str, here: str) -> LinksOut:
    site, slug = base_url.rstrip("/"), approved.page.slug
    page = f"{site}/api/v1/pages/{slug}"
    return LinksOut(
        self=f"{page}/{here}",
        html=f"{site}/pages/{slug}",
        history=f"{page}/revisions",
        ledger=f"{site}/api/v1/ledger/{approved.entry}" if approved.entry else f"{page}/approvals",
    )
