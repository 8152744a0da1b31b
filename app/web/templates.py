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

FOLDER = Path(__file__).resolve().parent.parent.parent / "templates"


def in_words(moment: datetime) -> str:
    """A moment as people read it, in UTC: `22 Nov 2026, 14:32`."""
    return f"{moment.day} {moment:%b %Y, %H:%M}"


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
    environment.globals.update(allows=allows, Action=Action)
    environment.filters.update(in_words=in_words, iso=iso)
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
    """The page as an answer. `viewer` is who looks, where the route asked for it."""
    page = environment.get_template(template).render(
        {
            "viewer": getattr(request.state, "viewer", None),
            "site_name": request.app.state.settings.site_name,
            "here": request.url.path,
            **context,
        }
    )
    given = {"Cache-Control": "no-store" if getattr(request.state, "viewer", None) else "no-cache", **(headers or {})}
    return HTMLResponse(page, status, given)
