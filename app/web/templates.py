"""Server-rendered pages: the Jinja environment and what every template may use."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from fastapi import Request
from markupsafe import Markup
from starlette.responses import HTMLResponse

from app.permissions import Action, allows
from app.web.looks import look_of, own_address
from app.web.static import ADDRESS
from app.web.summaries import summary_words
from app.words import N_, _, _n, in_words, language

FOLDER = Path(__file__).resolve().parent.parent.parent / "templates"


STATUS_WORDS = {
    "draft": N_("Draft"),
    "new": N_("No votes yet"),
    "collecting": N_("Being decided"),
    "waiting": N_("Enough support, waiting"),
    "approved": N_("Approved"),
    "unpromoted": N_("Approval lost"),
    "stale": N_("Needs a merge"),
    "contested": N_("Contested"),
    "on_hold": N_("On hold"),
    "held": N_("On hold"),
    "rapid": N_("Rapid"),
    "superseded": N_("Said already"),
    "declined": N_("Declined"),
    "expired": N_("Vote ended"),
    "withdrawn": N_("Withdrawn"),
    "open": N_("Open"),
    "closed": N_("Closed"),
    "replaced": N_("Old wording"),
}


def status_words(status: str) -> str:
    """A state as a chip says it."""
    return _(STATUS_WORDS[status])


def iso(moment: datetime) -> str:
    """A moment as programs read it: RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def already_escaped(html: str) -> Markup:
    """HTML made here in which every character people wrote is escaped already, such as a word diff."""
    return Markup(html)


def readable_address(request: Request) -> str:
    """Where somebody can be led back to: this address, or the one that a form was sent from."""
    url = request.url
    if request.method not in ("GET", "HEAD"):
        came_from = urlsplit(request.headers.get("referer", ""))
        own = urlsplit(request.app.state.settings.base_url)
        if came_from.netloc not in (own.netloc, url.netloc):
            return "/"
        return own_address(came_from.path + (f"?{came_from.query}" if came_from.query else ""))
    return url.path + (f"?{url.query}" if url.query else "")


def build_environment() -> jinja2.Environment:
    """Autoescaping, and an error for every name a template does not get."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # Interface words are gettext messages, looked up in the reader's language each time they are shown.
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(_, _n, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(allows=allows, Action=Action, static=ADDRESS, language=language)
    environment.filters.update(in_words=in_words, iso=iso, status_words=status_words, summary_words=summary_words)
    return environment


environment = build_environment()


def render(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The page as an answer. `viewer` is who looks and `position` where the log stood, if the route asked for one."""
    head = request.app.state.ledger_head
    page = environment.get_template(template).render(
        {
            "viewer": getattr(request.state, "viewer", None),
            "site_name": request.app.state.settings.site_name,
            "here": request.url.path,
            "position": getattr(request.state, "position", 0),
            "look": look_of(request),
            "address": readable_address(request),
            "ledger": head.newest() if status < 400 else head.known,  # an error page asks the database for nothing
            **context,
        }
    )
    given = {"Cache-Control": "no-store" if getattr(request.state, "viewer", None) else "no-cache", **(headers or {})}
    # Half a character that somebody sent has no place in UTF-8; what stands around it comes back all the same.
    return HTMLResponse(page.encode("utf-8", "replace"), status, given)
