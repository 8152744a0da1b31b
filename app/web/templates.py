"""Server-rendered pages: the Jinja environment and what every template may use."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from markupsafe import Markup
from starlette.responses import HTMLResponse

from app.permissions import Action, allows
from app.web.looks import look_of
from app.web.static import ADDRESS

FOLDER = Path(__file__).resolve().parent.parent.parent / "templates"


STATUS_WORDS = {
    "draft": "Draft",
    "new": "No votes yet",
    "collecting": "Being decided",
    "waiting": "Enough support, waiting",
    "approved": "Approved",
    "stale": "Needs a merge",
    "superseded": "Said already",
    "declined": "Declined",
    "expired": "Vote ended",
    "withdrawn": "Withdrawn",
    "open": "Open",
    "replaced": "Old wording",
}


def status_words(status: str) -> str:
    """A state as a chip says it; what has no words of its own says its name."""
    return STATUS_WORDS.get(status, status.replace("_", " ").capitalize())


def in_words(moment: datetime) -> str:
    """A moment as people read it, in UTC: `22 Nov 2026, 14:32`."""
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def day_in_words(moment: datetime) -> str:
    """The day of a moment in UTC: `22 November 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def iso(moment: datetime) -> str:
    """A moment as programs read it: RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def already_escaped(html: str) -> Markup:
    """HTML made here in which every character people wrote is escaped already, such as a word diff."""
    return Markup(html)


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
    # Interface words are gettext messages, in English where no catalogue has them.
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(allows=allows, Action=Action, static=ADDRESS)
    environment.filters.update(in_words=in_words, iso=iso, status_words=status_words)
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
    page = environment.get_template(template).render(
        {
            "viewer": getattr(request.state, "viewer", None),
            "site_name": request.app.state.settings.site_name,
            "here": request.url.path,
            "position": getattr(request.state, "position", 0),
            "look": look_of(request),
            "address": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            **context,
        }
    )
    given = {"Cache-Control": "no-store" if getattr(request.state, "viewer", None) else "no-cache", **(headers or {})}
    # Half a character that somebody sent has no place in UTF-8; what stands around it comes back all the same.
    return HTMLResponse(page.encode("utf-8", "replace"), status, given)
