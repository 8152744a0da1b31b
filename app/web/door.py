"""What is checked before a request reaches a route: its size, where it comes from, and how many came before."""

import logging
import time
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit

from limits import RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import NotAllowed
from app.settings import Settings
from app.web.problems import answer_domain_error, answer_plain
from app.web.session import SAFE_METHODS
from app.words import N_, _

log = logging.getLogger(__name__)

MAX_BODY = 512 * 1024
PEOPLE_BEHIND_ONE_ADDRESS = 10
COSTLY = frozenset({"search", "suggest", "diff", "compare", "history", "revisions", "blame", "merge"})
UNLIMITED = "/approved/batch"
"""Approved texts have no limit, however they are asked for."""


class CrossSite(NotAllowed):
    """A browser sent this from another site's page."""

    slug = "cross-site"
    title = N_("This came from another site")


def is_cross_site(headers: Headers, origin: str) -> bool:
    """Whether a browser says that another site's page made this request. Programs send neither header."""
    if headers.get("authorization", "").lower().startswith("bearer "):
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    return headers.get("origin", origin) != origin


def is_costly(path: str) -> bool:
    """Whether reading here takes work that is counted; a page's own name does not make it so."""
    steps = path.removeprefix("/api/v1").split("/")[1:]
    return not COSTLY.isdisjoint(steps[2:] if steps[:1] == ["pages"] else steps)


class Counted(NamedTuple):
    """Whether a request may pass, the seconds until more may, and the headers that say so."""

    allowed: bool
    wait: int
    headers: dict[str, str]


class Door:
    """Refuses what is too large, from elsewhere, or too often; counts by token, cookie or address."""

    def __init__(self, app: ASGIApp, settings: Settings, counts: Storage) -> None:
        self._app = app
        parts = urlsplit(settings.base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._limiter = FixedWindowRateLimiter(counts)
        self._limits = {
            "writes": RateLimitItemPerMinute(settings.writes_per_minute),
            "autosaves": RateLimitItemPerMinute(settings.writes_per_minute),
            "reads": RateLimitItemPerMinute(settings.reads_per_minute),
        }

        # Whatever cookies or tokens somebody makes up, they come from one address; many may share it.
        self._by_address = {
            name: RateLimitItemPerMinute(limit.amount * PEOPLE_BEHIND_ONE_ADDRESS)
            for name, limit in self._limits.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, writing = Request(scope), scope["method"] not in SAFE_METHODS
        if writing and is_cross_site(request.headers, self._origin):
            refused = CrossSite(
                _("Another site tried to act in your name here. Nothing was changed. Do it on this site itself.")
            )
            await answer_domain_error(request, refused)(scope, receive, send)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await answer_plain(request, 400)(scope, receive, send)  # no database keeps such a character
            return
        name = _counted_as(scope["path"], writing)
        if name is None:
            await (self._pass_counted(scope, receive, send, {}) if writing else self._app(scope, receive, send))
            return
        counted = await run_in_threadpool(self._count, name, request)
        if not counted.allowed:
            refusal = {**counted.headers, "Retry-After": str(counted.wait)}
            await answer_plain(request, 429, refusal)(scope, receive, send)
            return
        await self._pass_counted(scope, receive, send, counted.headers)

    def _count(self, name: str, request: Request) -> Counted:
        """One more of these requests, for whoever makes it and for the address it comes from."""
        limit, who = self._limits[name], _identity(request)
        address = request.client.host if request.client else "unknown"
        try:
            allowed = self._limiter.hit(limit, name, who) and self._limiter.hit(self._by_address[name], name, address)
            reset, remaining = self._limiter.get_window_stats(limit, name, who)
        except DBAPIError as error:
            log.warning("requests are not counted: %s", error.orig)
            return Counted(True, 0, {})
        wait = max(1, round(reset - time.time()))
        headers = {
            "RateLimit-Policy": f'"{name}";q={limit.amount};w=60',
            "RateLimit": f'"{name}";r={remaining};t={wait}',
        }
        return Counted(allowed, wait, headers)

    async def _pass_counted(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        arrived = 0

        async def count() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > MAX_BODY:
                raise HTTPException(413)
            return message

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, count, send_with_limits)


def _counted_as(path: str, writing: bool) -> str | None:
    """The limit that a request counts towards. Autosaves have their own, so that open editors stop no real save."""
    if path.endswith(UNLIMITED):
        return None
    if not writing or path.endswith("/preview"):
        return "reads" if writing or is_costly(path) else None
    return "autosaves" if path.startswith("/api/v1/drafts/") and path.endswith("/autosave") else "writes"


def _identity(request: Request) -> str:
    secret = request.headers.get("authorization") or request.headers.get("cookie")
    if secret:
        return sha256(secret.encode()).hexdigest()
    return request.client.host if request.client else "unknown"
