"""Feeds of approved texts, as Atom (RFC 4287) and JSON Feed 1.1, for news readers, sites and e-mail builders."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.pages import service as pages
from app.pages.models import Page
from app.pages.service import PageNotFound
from app.publishing.answers import CACHE_CONTROL
from app.publishing.feeds import Feed, clean, read_feed
from app.publishing.representations import if_none_match
from app.web.cursors import Cursor, decode_cursor, encode_cursor
from app.web.headers import NO_STORE, is_personal
from app.web.openapi import can_fail
from app.web.schemas import Json, PathSlug
from app.web.session import SessionDep
from app.web.templates import environment, iso
from app.words import _

api = APIRouter(tags=["Following along"], prefix="/feeds")


class Form(StrEnum):
    """How a feed is written, by the suffix of its address."""

    ATOM = "atom"
    JSON = "json"


MEDIA_TYPES = {Form.ATOM: "application/atom+xml; charset=utf-8", Form.JSON: "application/feed+json; charset=utf-8"}

EMPTY = datetime(2026, 1, 1, tzinfo=UTC)
"""When a feed without an entry was last changed: always the same, so that nobody takes it for news."""

PathForm = Annotated[Form, Path(description="How the feed is written.", examples=["atom"])]
Tag = Annotated[str, Path(max_length=40, description="A page's tag.", examples=["homes"])]


@dataclass(frozen=True, slots=True)
class Channel:
    """What a feed is about: all pages, those with a tag, or one."""

    title: str
    path: str
    html: str
    tag: str | None = None
    page: Page | None = None


_RESPONSES: dict[int | str, Json] = {
    200: {
        "description": "The feed.",
        "content": {
            "application/atom+xml": {"schema": {"type": "string"}, "example": "<feed xmlns=…>…</feed>"},
            "application/feed+json": {"schema": {"type": "object"}, "example": {"version": "…", "items": []}},
        },
    },
    304: {"description": "The copy that If-None-Match names is still right."},
}


@api.get("/approved.{form}", response_class=Response, responses=_RESPONSES)
def show_feed(request: Request, session: SessionDep, form: PathForm, cursor: Cursor = None) -> Response:
    """What became of approved texts, newest first. A text that is stopped is an entry "Stop using: …"."""
    title = _("{site}: approved texts").format(site=request.app.state.settings.site_name)
    return _answer(request, session, Channel(title, "approved", "/"), form, cursor)


@api.get("/tag/{tag}.{form}", response_class=Response, responses=_RESPONSES)
def show_feed_of_tag(
    request: Request, session: SessionDep, tag: Tag, form: PathForm, cursor: Cursor = None
) -> Response:
    """The same for pages with a tag."""
    title = _("{site}: approved texts about “{tag}”").format(site=request.app.state.settings.site_name, tag=tag)
    return _answer(request, session, Channel(title, f"tag/{quote(tag, safe='')}", "/", tag=tag), form, cursor)


@api.get("/page/{slug}.{form}", response_class=Response, responses=_RESPONSES | can_fail(PageNotFound))
def show_feed_of_page(
    request: Request, session: SessionDep, slug: PathSlug, form: PathForm, cursor: Cursor = None
) -> Response:
    """The same for one page. A former address goes on working, so that no reader loses it."""
    page = pages.get_page(session, slug)
    title = f"{request.app.state.settings.site_name}: {page.title}"
    here = quote(page.slug)
    return _answer(request, session, Channel(title, f"page/{here}", f"/pages/{here}", page=page), form, cursor)


def _answer(request: Request, session: Session, channel: Channel, form: Form, cursor: str | None) -> Response:
    place = decode_cursor(cursor, int)
    base_url = request.app.state.settings.base_url
    feed = read_feed(session, base_url=base_url, tag=channel.tag, page=channel.page, before=place[0] if place else None)
    body = as_atom(request, channel, feed) if form == Form.ATOM else as_json_feed(request, channel, feed)
    # Weak: packed or not, it is one feed.
    etag = f'W/"{hashlib.sha256(body.encode()).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": NO_STORE if is_personal(request.headers) else CACHE_CONTROL}
    if feed.entries:
        headers["Last-Modified"] = format_datetime(feed.entries[0].at.replace(microsecond=0), usegmt=True)
    known = ", ".join(request.headers.getlist("if-none-match"))
    if if_none_match(known, etag.removeprefix("W/")):
        return Response(status_code=304, headers={**headers, "Vary": "Accept-Encoding"})
    return Response(body, headers={**headers, "Content-Type": MEDIA_TYPES[form]})


def as_atom(request: Request, channel: Channel, feed: Feed) -> str:
    """RFC 4287, with the newest checkpoint of the ledger as an element of our own."""
    site = request.app.state.settings.base_url.rstrip("/")
    address = f"{site}/feeds/{channel.path}.atom"
    context = {
        "site": site,
        "id": address,
        "title": clean(channel.title),
        "updated": feed.entries[0].at if feed.entries else EMPTY,
        "site_name": request.app.state.settings.site_name,
        "address": address,
        "html": f"{site}{channel.html}",
        "older": f"{address}?cursor={encode_cursor(feed.before)}" if feed.before else None,
        "ledger": request.app.state.ledger_head.newest(),
        "entries": feed.entries,
    }
    return environment.get_template("feeds/feed.atom").render(context)


def as_json_feed(request: Request, channel: Channel, feed: Feed) -> str:
    """https://jsonfeed.org/version/1.1, with the newest checkpoint of the ledger under a name of our own."""
    site = request.app.state.settings.base_url.rstrip("/")
    address = f"{site}/feeds/{channel.path}.json"
    head = request.app.state.ledger_head.newest()
    document: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "home_page_url": f"{site}{channel.html}",
        "feed_url": address,
        "language": "en",
        "authors": [{"name": request.app.state.settings.site_name}],
        "items": [
            {
                "id": entry.id,
                "url": entry.address,
                "title": entry.title,
                "summary": entry.said,
                "date_published": iso(entry.at),
                "tags": [entry.kind],
                **(
                    {"content_html": entry.html, "content_text": entry.text}
                    if entry.html
                    else {"content_text": entry.said}
                ),
            }
            for entry in feed.entries
        ],
    }
    if feed.before:
        document["next_url"] = f"{address}?cursor={encode_cursor(feed.before)}"
    if head:
        document["_ledger"] = {"size": head.size, "root": head.root, "checkpoint": f"{site}/api/v1/ledger/checkpoint"}
    return json.dumps(document, ensure_ascii=False)
