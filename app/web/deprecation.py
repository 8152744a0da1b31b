"""Operations of the API that will end: from one table come the headers, the OpenAPI document and the docs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from starlette.datastructures import MutableHeaders
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.schemas import Json

LEAST_NOTICE = timedelta(days=365)
"""How long an operation goes on at least after it was said that it will end."""


@dataclass(frozen=True, slots=True)
class Deprecated:
    """An operation as the OpenAPI document names it, since when, until when, and a sentence on what to use instead."""

    method: str
    path: str
    since: datetime
    until: datetime
    instead: str

    @property
    def sentence(self) -> str:
        """What the documentation says about it."""
        return f"Deprecated since {self.since:%Y-%m-%d}, works until {self.until:%Y-%m-%d}. {self.instead}"

    @property
    def headers(self) -> dict[str, str]:
        """`Deprecation` as RFC 9745 has it, `Sunset` as RFC 8594."""
        return {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": format_datetime(self.until.astimezone(UTC), usegmt=True),
        }


DEPRECATED: tuple[Deprecated, ...] = ()
"""Nothing is deprecated. An entry here also belongs into CHANGELOG.md and docs/api.md."""


def mark(document: Json, table: Sequence[Deprecated]) -> None:
    """Say in an OpenAPI document what will end; `KeyError` for an operation that there is not."""
    for entry in table:
        operation = document["paths"][entry.path][entry.method.lower()]
        operation["deprecated"] = True
        operation["description"] += f"\n\n{entry.sentence}"
        for response in operation["responses"].values():
            for name, means in (("Deprecation", "Since when"), ("Sunset", "Until when it works")):
                described = {"description": f"{means}: this operation will end.", "schema": {"type": "string"}}
                response.setdefault("headers", {})[name] = described


class TellDeprecation:
    """Adds the headers to every answer of the operations in the table."""

    def __init__(self, app: ASGIApp, table: Sequence[Deprecated]) -> None:
        self._app = app
        self._table = [(entry.method.upper(), compile_path(entry.path)[0], entry.headers) for entry in table]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = [
            headers
            for method, pattern, headers in self._table
            if scope["type"] == "http" and scope["method"] == method and pattern.match(scope["path"])
        ]
        if not told:
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told[0])
            await send(message)

        await self._app(scope, receive, send_with_headers)
