"""HEAD wherever GET works, and which methods an address has."""

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Answers HEAD as GET without the body, so that every header is the one that GET sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_start(message: Message) -> None:
            # A stream never ends by itself: the answer is complete with its headers, which disconnects the stream.
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app({**scope, "method": "GET"}, receive, send_start)


def methods_at(request: Request) -> list[str]:
    """Every method that this path answers, over all its routes."""
    app: FastAPI = request.app
    found: set[str] = set()
    for route in iter_route_contexts(app.routes):
        if route.methods and route.path_regex.match(request.url.path):
            found |= route.methods
    if "GET" in found:
        found |= {"HEAD", "OPTIONS"}
    return sorted(found)
