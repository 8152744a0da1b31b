"""A listener to the program in this process: its connection is driven by hand, so that nothing is buffered between."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.types import Message

SECONDS = 20


@dataclass(frozen=True)
class Told:
    """One message of the stream."""

    id: int
    event: str
    data: dict[str, Any]


class Listener:
    """What a client sees. It reads only when asked to; until then the program waits, as before a full connection."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.comments: list[str] = []
        self.ended = False
        self.gone = asyncio.Event()
        self._sent: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
        self._text = ""

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self._sent.put(message)

    async def begin(self) -> None:
        """Take the head of the answer, and the first bytes."""
        start = await self._next()
        self.status = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self._text = (await self._next())["body"].decode()

    async def take(self, count: int) -> list[Told]:
        """The next messages; fails when they do not come."""
        found: list[Told] = []
        while len(found) < count:
            block, end, rest = self._text.partition("\n\n")
            if not end:
                await self.read_on()
                continue
            self._text = rest
            if block.startswith("id: "):
                fields = dict(line.split(": ", 1) for line in block.split("\n"))
                assert list(fields) == ["id", "event", "data"]
                found.append(Told(int(fields["id"]), fields["event"], json.loads(fields["data"])))
            else:
                self.comments.append(block)
        return found

    async def take_to_end(self) -> None:
        """Wait until the program has ended the answer."""
        while not self.ended:
            await self.read_on()

    @property
    def text(self) -> str:
        """What was read and not taken."""
        return self._text

    async def read_on(self) -> None:
        assert not self.ended, "the stream ended"
        message = await self._next()
        self._text += message.get("body", b"").decode()
        self.ended = not message.get("more_body", False)

    async def _next(self) -> Message:
        async with asyncio.timeout(SECONDS):
            return await self._sent.get()


@asynccontextmanager
async def listening(
    app: FastAPI, query: str = "", *, last: str | None = None, address: str = "192.0.2.1", method: str = "GET"
) -> AsyncIterator[Listener]:
    """A stream of the program, gone at the end of the block."""
    headers = [(b"host", b"workshop.test"), (b"accept", b"text/event-stream"), (b"accept-encoding", b"gzip")]
    headers += [(b"last-event-id", last.encode())] if last is not None else []
    path = "/api/v1/stream"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": (address, 50_000),
        "server": ("workshop.test", 80),
    }
    listener = Listener()
    serving = asyncio.create_task(app.state.front(scope, listener.receive, listener.send))
    try:
        await listener.begin()
        yield listener
    finally:
        listener.gone.set()
        async with asyncio.timeout(SECONDS):
            await serving
