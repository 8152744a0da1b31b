"""Security headers on every answer, from one table."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types rendered"
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For what is read by programs: opened in a browser it runs nothing, loads nothing and sends nothing."""

API_HEADERS = {
    "Content-Security-Policy": DATA_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Idempotency-Replayed"
    ),
}
"""Public data may be read from any site; cookies never travel there, so `*` gives nothing away."""


FRAME_HEADERS = {
    **SECURITY_HEADERS,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *").replace(
        "form-action 'self'", "form-action 'none'"
    ),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""What stands in frames on other sites has nothing to click away: no form, no cookie, nothing of the reader's own."""

SCRIPT_HEADERS = {
    **SECURITY_HEADERS,
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}
FRAMED = "/embed/"
SCRIPT = "/embed.js"

FOR_PROGRAMS = ("/api/", "/feeds/", "/oembed")
"""Whatever lies below these is read by programs: from any site, in English, with problem documents for errors."""

NO_STORE = "no-store"


def is_personal(given: Headers) -> bool:
    """Whether a request says who makes it; no cache keeps the answer to such a one."""
    return "authorization" in given or "cookie" in given


def headers_for(path: str, base_url: str) -> dict[str, str]:
    """The headers that every answer at this path carries."""
    table = SECURITY_HEADERS
    if path.startswith(FOR_PROGRAMS):
        table = API_HEADERS
    elif path.startswith(FRAMED):
        table = FRAME_HEADERS
    elif path == SCRIPT:
        table = SCRIPT_HEADERS
    if base_url.startswith("https:"):
        return {**table, "Strict-Transport-Security": "max-age=31536000"}
    return table


class SecurityHeaders:
    """Adds the table to all answers, errors and static files included."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self._app = app
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        # Without a word about caching, a proxy may keep an answer as long as it likes.
        caching = NO_STORE if is_personal(Headers(scope=scope)) else "no-cache"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in headers_for(scope["path"], self._base_url).items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(FOR_PROGRAMS):
                    headers.setdefault("Cache-Control", caching)
            await send(message)

        await self._app(scope, receive, send_with_headers)
