"""The approved text as a finished HTTP answer: bytes and headers that a cache can keep as they are."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter
from sqlmodel import Session

from app.approvals.models import Stop, StopKind
from app.approvals.schemas import ApprovedRevisionOut
from app.channels.counting import channel_of
from app.channels.schemas import AnyChannel, channel_json
from app.errors import NotFound
from app.pages.models import Page
from app.pages.plain import plain_text
from app.pages.sections import Section, sections_of
from app.publishing.representations import (
    MEDIA_TYPES,
    Representation,
    etag_of,
    html_document,
    if_none_match,
)
from app.publishing.schemas import ApprovedOut, LinksOut, SectionOut, SectionRow, SectionTextOut, StoppedOut
from app.publishing.service import ApprovedText, OnHold, Withdrawn, find_last_safe, get_approved
from app.web.headers import NO_STORE
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

    `last_safe`: where the text is held, the newest one that is not in doubt is wanted too.

    "sections" is the list of them, "section" the one with this `key`. `negotiated`: the Accept header chose the form,
    so caches have to tell requests apart by it.
    """

    form: Representation
    part: Part = "text"
    key: str = ""
    as_of: datetime | None = None
    negotiated: bool = False
    gzip: bool = False
    last_safe: bool = False


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
    """The whole answer to a GET, whoever asks; raises `NoApprovedText`, `SectionNotFound`, `OnHold` or `Withdrawn`."""
    approved = get_approved(session, page, as_of=ask.as_of)
    if isinstance(approved, Stop):
        return _stopped_answer(session, page, approved, None, ask, base_url)
    if approved.stop is not None:
        return _stopped_answer(session, page, approved.stop, approved, ask, base_url)
    return _text_answer(approved, ask, base_url)


def _stopped_answer(
    session: Session, page: Page, stop: Stop, approved: ApprovedText | None, ask: Ask, base_url: str
) -> Answer:
    """What says that a text is not to be used. No cache keeps it, so that its end is learnt at once too."""
    if stop.kind == StopKind.WITHDRAWN:
        said = _("This text was withdrawn: {reason} Never use it.").format(reason=_sentence(stop.reason))
        raise Withdrawn(said, reason=stop.reason, replacement=stop.replacement)
    safe = find_last_safe(session, page) if ask.last_safe and ask.as_of is None else None
    if ask.form == Representation.JSON and ask.part != "sections":
        document = stopped_json(page, stop, approved, base_url=base_url)
        if ask.last_safe:
            document.last_safe = as_json(safe, base_url=base_url) if safe else None
        body = document.model_dump_json(by_alias=True, exclude=None if ask.last_safe else {"last_safe"}).encode()
        headers = {"Content-Type": MEDIA_TYPES[ask.form], "Content-Length": str(len(body))}
        return Answer(200, _raw({**headers, "Cache-Control": NO_STORE}), body, (), None)
    if safe is not None:
        answer = _text_answer(safe, ask, base_url)
        kept = {b"content-type", b"content-length", b"content-encoding", b"vary"}
        headers_kept = tuple((name, value) for name, value in answer.headers if name in kept)
        return Answer(200, (*headers_kept, *_raw({"Cache-Control": NO_STORE})), answer.body, (), None)
    said = _("A moderator has stopped this text for now: {reason} Do not use it until it is released.")
    raise OnHold(
        said.format(reason=_sentence(stop.reason)),
        reason=stop.reason,
        until=stop.until and stop.until.isoformat().replace("+00:00", "Z"),
    )


def _sentence(reason: str) -> str:
    return reason if reason.endswith((".", "!", "?", "。", "؟", "।")) else f"{reason}."


def _raw(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


def _text_answer(approved: ApprovedText, ask: Ask, base_url: str) -> Answer:
    body = _body_of(approved, ask, base_url).encode()
    variants = ("gz", "") if len(body) >= PACKET else ("",)
    encoding = variants[0] if ask.gzip else ""
    if encoding:
        body = gzip.compress(body, 6, mtime=0)
    sha256, approval_id = approved.found.revision.sha256, approved.found.approval.id
    etags = [etag_of(sha256, approval_id, ask.form, variant) for variant in variants]
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
    links = _links(approved, base_url, "approved")
    related = {"canonical": links.html, "version-history": links.history, "describedby": links.ledger}
    headers["Link"] = ", ".join(f'<{quote(address, safe=":/")}>; rel="{name}"' for name, address in related.items())
    if encoding:
        headers["Content-Encoding"] = "gzip"
    earlier = approved.found.supersedes
    before = earlier.at.replace(microsecond=0) if earlier else None
    return Answer(200, _raw(headers), body, tuple(etags), at if before != at else None)


def unless_known(answer: Answer, *, known: str | None, since: str | None) -> Answer:
    """304 without a body when `If-None-Match` or, in its absence, `If-Modified-Since` shows that the client has it."""
    if known is not None:
        etag = next((tag for tag in answer.etags if if_none_match(known, tag)), None)
    else:
        etag = answer.etags[0] if answer.etags and _is_unmodified(answer, since) else None
    if etag is None:
        return answer
    kept = {b"last-modified", b"cache-control", b"vary"}
    headers = tuple((name, value) for name, value in answer.headers if name in kept)
    return replace(answer, status=304, headers=((b"etag", etag.encode()), *headers), body=b"")


def present(found: ApprovedText | tuple[Page, Stop], *, base_url: str) -> ApprovedOut | StoppedOut:
    """A text as JSON, or what stands in its place while it is stopped."""
    if isinstance(found, tuple):
        return stopped_json(*found, None, base_url=base_url)
    if found.stop is not None:
        return stopped_json(found.page, found.stop, found, base_url=base_url)
    return as_json(found, base_url=base_url)


def as_json(approved: ApprovedText, *, base_url: str) -> ApprovedOut:
    """An approved text with its sections."""
    return ApprovedOut(
        slug=approved.page.slug,
        title=approved.page.title,
        status="contested" if approved.found.approval.contested else "approved",
        scope=None,
        revision=ApprovedRevisionOut.of(approved.found),
        text=approved.text,
        sections=[
            SectionTextOut(key=it.key, title=it.title, text=it.text, channel=_channel(approved, it))
            for it in sections_of(approved.text)
        ],
        links=_links(approved, base_url, "approved"),
    )


def stopped_json(page: Page, stop: Stop, approved: ApprovedText | None, *, base_url: str) -> StoppedOut:
    """What stands in a text's place while it is not to be used."""
    return StoppedOut(
        slug=page.slug,
        title=page.title,
        status="withdrawn" if stop.kind == StopKind.WITHDRAWN else "held",
        scope=None,
        use="stop",
        reason=stop.reason,
        stopped_at=stop.at,
        until=stop.until,
        replacement=stop.replacement,
        revision=ApprovedRevisionOut.of(approved.found) if approved else None,
        links=_links_of(page, approved.entry if approved else None, base_url, "approved"),
    )


def _is_unmodified(answer: Answer, since: str | None) -> bool:
    if since is None or answer.modified is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, OverflowError):
        return False
    return answer.modified <= (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _body_of(approved: ApprovedText, ask: Ask, base_url: str) -> str:
    if ask.part == "sections":
        rows = [
            SectionRow(
                key=it.key,
                title=it.title,
                chars=len(plain_text(it.text, within=approved.text)),
                channel=_channel(approved, it),
            )
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
        status="contested" if approved.found.approval.contested else "approved",
        scope=None,
        revision=ApprovedRevisionOut.of(approved.found),
        key=section.key,
        title=section.title,
        text=section.text,
        chars=len(plain_text(section.text, within=approved.text)),
        channel=_channel(approved, section),
        links=_links(approved, base_url, f"approved/sections/{section.key}"),
    )


def _channel(approved: ApprovedText, section: Section) -> AnyChannel | None:
    return channel_json(channel_of(section, within=approved.text))


def _links(approved: ApprovedText, base_url: str, here: str) -> LinksOut:
    return _links_of(approved.page, approved.entry, base_url, here)


def _links_of(page: Page, entry: int | None, base_url: str, here: str) -> LinksOut:
    site = base_url.rstrip("/")
    api = f"{site}/api/v1/pages/{page.slug}"
    return LinksOut(
        self=f"{api}/{here}",
        html=f"{site}/pages/{page.slug}",
        history=f"{api}/revisions",
        ledger=f"{site}/api/v1/ledger/{entry}" if entry else f"{api}/approvals",
    )
