"""Approved texts on other sites: in a frame, as an element, and by oEmbed."""

import hashlib
import re
from html import escape
from typing import Annotated, Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape as escape_xml

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlmodel import Session
from starlette.responses import RedirectResponse

from app.approvals.models import Stop, StopKind
from app.consensus import telling
from app.errors import NotFound
from app.pages import service as pages
from app.pages.addresses import MOVED_CACHING
from app.pages.markup import render_markdown
from app.pages.models import Page
from app.pages.sections import sections_of
from app.pages.service import PageNotFound
from app.publishing.feeds import clean
from app.publishing.representations import if_none_match
from app.publishing.service import ApprovedText, NoApprovedText, get_approved
from app.web.headers import NO_STORE
from app.web.openapi import can_fail
from app.web.schemas import Json, Out
from app.web.session import SessionDep
from app.web.static import FOLDER
from app.web.templates import environment
from app.words import N_, _

site = APIRouter(include_in_schema=False)
api = APIRouter(tags=["Embedding"])

CACHING = "public, max-age=5"
WIDTH, HEIGHT = 600, 400

ELEMENT = (FOLDER / "embed.js").read_bytes()
ELEMENT_TAG = f'W/"{hashlib.sha256(ELEMENT).hexdigest()[:32]}"'

_PATH = re.compile(r"/(?:pages|embed)/([^/]+)/?")


class NotEmbeddable(NotFound):
    slug = "not-embeddable"
    title = N_("There is no text at that address")


@site.get("/embed.js")
def send_element(request: Request) -> Response:
    """The script that defines the element `<message-text>`."""
    headers = {"Cache-Control": CACHING, "ETag": ELEMENT_TAG}
    if if_none_match(request.headers.get("if-none-match"), ELEMENT_TAG.removeprefix("W/")):
        return Response(status_code=304, headers=headers)
    return Response(ELEMENT, headers=headers, media_type="text/javascript")


@site.get("/embed/{slug}")
def show_embedded(request: Request, session: SessionDep, slug: str, section: str = "") -> Response:
    """A page's approved text, or one section of it, to stand in a frame on any site. It is the same for everybody."""
    page = pages.find_page(session, slug)
    if page is None:
        return _missing(request, slug, slug, section, pages.page_not_found(slug).detail)
    if page.slug != slug:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/embed/{quote(page.slug)}{query}", 308, {"Cache-Control": MOVED_CACHING})
    try:
        found = get_approved(session, page)
    except NoApprovedText as error:
        return _missing(request, page.slug, page.title, section, error.detail)
    stop = found if isinstance(found, Stop) else found.stop
    if stop is not None:
        return _show_stopped(request, session, page, section, stop, None if isinstance(found, Stop) else found)
    assert not isinstance(found, Stop)
    part = next((it for it in sections_of(found.text) if it.key == section), None)
    if section and part is None:
        said = _("The approved text has no section “{key}” any more.").format(key=section)
        return _missing(request, page.slug, page.title, section, said)
    contested = found.found.approval.contested
    html = render_markdown(part.text, within=found.text) if part else render_markdown(found.text, title=page.title)
    context = {
        "title": f"{page.title}: {part.title}" if part else page.title,
        "state": f"{'contested' if contested else 'approved'} {found.found.revision.sha256}",
        "html": html,
        "contested": contested,
        "approved_at": found.found.approval.at,
    }
    return _answer(request, page.slug, section, context)


def _show_stopped(
    request: Request, session: Session, page: Page, section: str, stop: Stop, text: ApprovedText | None
) -> Response:
    is_withdrawn = stop.kind == StopKind.WITHDRAWN
    state = "410" if is_withdrawn else f"held {text.found.revision.sha256 if text else ''}"
    context = {"title": page.title, "state": state, "stopped": telling.tell_stop(session, page, stop)}
    return _answer(request, page.slug, section, context, caching=NO_STORE)


def _missing(request: Request, slug: str, title: str, section: str, said: str) -> Response:
    context = {"title": title, "state": "404", "missing": said}
    return _answer(request, slug, section, context, status=404, caching=NO_STORE)


def _answer(
    request: Request, slug: str, section: str, context: Json, *, status: int = 200, caching: str = CACHING
) -> Response:
    part = f"/sections/{quote(section, safe='')}" if section else ""
    body = environment.get_template("publishing/embed.html").render(
        {
            "stopped": None,
            "missing": None,
            "site_name": request.app.state.settings.site_name,
            "here": f"/pages/{quote(slug)}",
            "text_address": f"/api/v1/pages/{quote(slug)}/approved{part}.json",
            **context,
        }
    )
    headers = {"Cache-Control": caching}
    return Response(body.encode("utf-8", "replace"), status, headers, media_type="text/html")


class OembedOut(Out):
    """oEmbed 1.0, type rich: `html` is a frame that turns to "stopped" by itself."""

    version: Literal["1.0"]
    type: Literal["rich"]
    title: str = Field(examples=["Housing"])
    provider_name: str = Field(examples=["Message Workshop"])
    provider_url: str = Field(examples=["https://workshop.example/"])
    cache_age: int = Field(examples=[5])
    html: str = Field(examples=['<iframe src="https://workshop.example/embed/housing" title="Housing" …></iframe>'])
    width: int = Field(examples=[600])
    height: int = Field(examples=[400])


@api.get("/oembed", response_model=OembedOut, responses=can_fail(PageNotFound, NotEmbeddable))
def find_embedded(
    request: Request,
    session: SessionDep,
    url: Annotated[
        str,
        Query(
            max_length=2_000,
            description="The address of a page or of a frame, with `?section=` for one section.",
            examples=["https://workshop.example/pages/housing"],
        ),
    ],
    form: Annotated[
        Literal["json", "xml"], Query(alias="format", description="Written as JSON or as XML.", examples=["json"])
    ] = "json",
    maxwidth: Annotated[int, Query(ge=1, le=100_000, description="Pixels.", examples=[480])] = WIDTH,
    maxheight: Annotated[int, Query(ge=1, le=100_000, description="Pixels.", examples=[320])] = HEIGHT,
) -> Response:
    """How to show a page on another site, for programs that know nothing but its address."""
    settings = request.app.state.settings
    base_url = settings.base_url.rstrip("/")
    page, section = _find_asked(session, url, base_url)
    width, height = min(WIDTH, maxwidth), min(HEIGHT, maxheight)
    part = f"?section={quote(section, safe='')}" if section else ""
    source = f"{base_url}/embed/{quote(page.slug)}{part}"
    found = OembedOut(
        version="1.0",
        type="rich",
        title=page.title,
        provider_name=settings.site_name,
        provider_url=f"{base_url}/",
        cache_age=5,
        html=f'<iframe src="{escape(source)}" title="{escape(page.title)}" width="{width}" height="{height}" '
        'frameborder="0" loading="lazy"></iframe>',
        width=width,
        height=height,
    )
    headers = {"Cache-Control": CACHING}
    if form == "json":
        return Response(found.model_dump_json().encode(), headers=headers, media_type="application/json")
    fields = "".join(f"<{name}>{escape_xml(clean(str(value)))}</{name}>" for name, value in found.model_dump().items())
    body = f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{fields}</oembed>\n'
    return Response(body.encode(), headers=headers, media_type="text/xml")


def _find_asked(session: Session, url: str, base_url: str) -> tuple[Page, str]:
    try:
        asked, own = urlsplit(url), urlsplit(base_url)
    except ValueError:
        raise _not_here(url) from None
    match = _PATH.fullmatch(asked.path)
    if asked.scheme not in ("http", "https") or asked.netloc.lower() != own.netloc.lower() or match is None:
        raise _not_here(url)
    return pages.get_page(session, unquote(match[1])), parse_qs(asked.query).get("section", [""])[0]


def _not_here(url: str) -> NotEmbeddable:
    said = _("“{url}” is no page of this site. Send the whole address of a page, as it stands in the browser.")
    return NotEmbeddable(said.format(url=url[:200]))
