"""The fast way to approved texts: finished answers from memory, in front of the framework."""

import asyncio
import re
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database import LogPosition

MAX_ANSWERS = 10_000
MAX_BYTES = 64 * 1024 * 1024
MAX_KEY_BYTES = 1_024
"""Of address and headers together; no more is kept for whoever asks in a longer way."""

_API, _MARK = "/api/v1/", "/approved"
_FEEDS = "/feeds/"
_PERSONAL = (b"authorization", b"cookie", b"if-modified-since")
_CONDITION = b"if-none-match"
_ASKING = (b"accept", b"accept-encoding", _CONDITION)
_OF_A_BODY = frozenset({b"content-length", b"content-type", b"content-encoding", b"link"})
_ONE_TAG = re.compile(rb'(?:W/)?"[^",]*"')

Key = tuple[bytes, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer as the framework gave it, and the 304 that stands for it."""

    start: Message
    body: Message
    etag: bytes
    not_modified: Message


_NO_BODY: Message = {"type": "http.response.body", "body": b""}


class HotApproved:
    """Repeats the framework's own answers about approved texts until the log says that one of them changed.

    A new entry in the ledger ends them as well, as feeds name its newest checkpoint. After either, when everyone who
    waits for news asks at once, the framework is asked once for each answer and all others wait for that.

    Only what anyone may have is kept. The position is read before the framework answers, so an answer made while
    something was promoted is kept under a position that is over already.
    """

    def __init__(self, app: ASGIApp, published: LogPosition, entered: LogPosition) -> None:
        self._app = app
        self._published, self._entered = published, entered
        self._position = (-1, -1)
        self._kept: dict[Key, _Kept] = {}
        self._asked: dict[Key, asyncio.Event] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or not _is_about_approved(scope["path"]):
            await self._app(scope, receive, send)
            return
        asked: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            # A header in several lines means all of them together, which is for the framework to read.
            if name in _PERSONAL or name in asked:
                await self._app(scope, receive, send)
                return
            if name in _ASKING:
                asked[name] = value
        key = (scope["raw_path"], scope["query_string"], asked.get(b"accept", b""), asked.get(b"accept-encoding", b""))
        kept = self._find(key)
        known = asked.get(_CONDITION)
        is_long = kept is None and sum(map(len, key)) > MAX_KEY_BYTES
        if is_long or (known is not None and not _ONE_TAG.fullmatch(known)):
            await self._app(scope, receive, send)
            return
        if kept is None and key in self._asked:
            await self._asked[key].wait()
            kept = self._find(key)
        if kept is None and scope["method"] == "GET":
            kept = await self._ask_framework(scope, receive, send, key)
            if kept is None:
                return
        if kept is None or (known is not None and _is_other_encoding(known, kept.etag)):
            await self._app(scope, receive, send)
        elif known is not None and _bare(known) == _bare(kept.etag):
            await send(kept.not_modified)
            await send(_NO_BODY)
        else:
            await send(kept.start)
            await send(_NO_BODY if scope["method"] == "HEAD" else kept.body)

    def _newest(self) -> tuple[int, int]:
        return self._published.newest, self._entered.newest

    def _find(self, key: Key) -> _Kept | None:
        if self._position != self._newest():
            self._position = self._newest()
            self._kept.clear()
            # Whoever asks from now on is not to wait for an answer about what was before.
            self._asked = {}
            self._bytes = 0
        return self._kept.get(key)

    async def _ask_framework(self, scope: Scope, receive: Receive, send: Send, key: Key) -> _Kept | None:
        """The whole answer, whatever the client knows, so that it can be kept; None if it cannot and has been sent."""
        position, messages, over = self._position, list[Message](), asyncio.Event()
        is_passed_on = False

        async def listen(message: Message) -> None:
            nonlocal is_passed_on
            messages.append(message)
            if is_passed_on or message.get("more_body"):
                is_passed_on = True
                while messages:
                    await send(messages.pop(0))

        self._asked[key] = over
        try:
            headers = [(name, value) for name, value in scope["headers"] if name != _CONDITION]
            await self._app({**scope, "headers": headers}, receive, listen)
            kept = _keepable(messages)
            if kept is not None and position == self._newest():
                self._keep(key, kept)
        except Exception:
            for message in messages:  # what the framework said of its fault before it let it through
                await send(message)
            raise
        finally:
            over.set()
            if self._asked.get(key) is over:
                del self._asked[key]
        if kept is None:
            for message in messages:
                await send(message)
        return kept

    def _keep(self, key: Key, kept: _Kept) -> None:
        size = len(kept.body["body"])
        if key not in self._kept and len(self._kept) < MAX_ANSWERS and self._bytes + size <= MAX_BYTES:
            self._kept[key] = kept
            self._bytes += size


def _is_about_approved(path: str) -> bool:
    return path.startswith(_FEEDS) or (_MARK in path and path.startswith(_API))


def _keepable(messages: list[Message]) -> _Kept | None:
    if len(messages) != 2 or messages[0]["status"] != 200:
        return None
    etag = dict(messages[0]["headers"]).get(b"etag")
    if etag is None:
        return None
    kept = [(name, value) for name, value in messages[0]["headers"] if name not in _OF_A_BODY]
    return _Kept(messages[0], messages[1], etag, {"type": "http.response.start", "status": 304, "headers": kept})


def _bare(etag: bytes) -> bytes:
    """For the weak comparison that If-None-Match asks for."""
    return etag.removeprefix(b"W/")


def _is_other_encoding(known: bytes, etag: bytes) -> bool:
    """Whether they are tags of one text, packed and not, which is for the framework to tell."""
    known, etag = _bare(known), _bare(etag)
    return known != etag and known[:-1].removesuffix(b"-gz") == etag[:-1].removesuffix(b"-gz")
