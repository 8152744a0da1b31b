"""What open live streams cost: memory, time from an edit to its arrival everywhere, and what is left after they close.

`python -m bench.streams [--streams 1000]` starts a server on a scratch database and does the same with one stream, as
the reference, and twice with that many: to what the first time left behind, the second adds nothing. Each edit makes
one row of the log. The time runs from sending the edit to the row's arrival, so the saving itself is in it.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app import schema
from app.accounts import service as accounts
from app.accounts import tokens
from app.database import Database
from app.drafts import service as drafts
from app.permissions import Role, Scope
from tests.servers import Server

ROWS = 20
BETWEEN_SECONDS = 0.2
DEADLINE = 60.0
OPENING_AT_ONCE = 100


@dataclass
class Figures:
    """One run. Times in seconds, memory in bytes."""

    streams: int
    opening: float
    memory_more: int
    memory_left: int
    files_more: int
    files_left: int
    saving: list[float] = field(default_factory=list)
    arrival: list[float] = field(default_factory=list)


class Listener:
    """One open connection, and when each row came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.arrived: dict[int, float] = {}

    async def listen(self) -> None:
        while line := await self._reader.readline():
            if line.startswith(b"id: "):
                self.arrived[int(line[4:])] = time.perf_counter()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


async def open_stream(port: int) -> Listener:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**12)
    writer.write(b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
    status = await reader.readline()
    if b" 200 " not in status:
        raise RuntimeError(f"a stream was answered with {status!r}")
    await reader.readuntil(b"retry: 2000\n\n")
    return Listener(reader, writer)


@contextlib.asynccontextmanager
async def listening(port: int, count: int) -> AsyncIterator[list[Listener]]:
    listeners: list[Listener] = []
    for begin in range(0, count, OPENING_AT_ONCE):
        wave = min(OPENING_AT_ONCE, count - begin)
        listeners += await asyncio.gather(*(open_stream(port) for _ in range(wave)))
    tasks = [asyncio.create_task(listener.listen()) for listener in listeners]
    try:
        yield listeners
    finally:
        await asyncio.gather(*(listener.close() for listener in listeners))
        await asyncio.gather(*tasks, return_exceptions=True)


def memory_of(pid: int) -> int:
    """Resident bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def files_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


async def settled_files(pid: int, wanted: int) -> int:
    """How many files are open once there are no more than wanted, or when the deadline is over."""
    deadline = time.monotonic() + 5
    while files_of(pid) > wanted and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    return files_of(pid)


async def edit(client: httpx.AsyncClient, base: int, number: int) -> tuple[int, int, float, float]:
    """Save one edit; the new head, the row's number in the log, and when it was sent and answered."""
    sent = time.perf_counter()
    text = f"# Bench\n\nEdit {number} of the bench.\n"
    answer = await client.post("/api/v1/pages/bench/revisions", json={"base": base, "text": text})
    answered = time.perf_counter()
    head = answer.raise_for_status().json()["revision"]["id"]
    newest = (await client.get("/api/v1/changes?kinds=revision.saved&limit=200")).json()["data"][-1]
    assert newest["subject"] == head
    return head, newest["seq"], sent, answered


async def measure(server: Server, client: httpx.AsyncClient, count: int) -> Figures:
    memory, files, began = memory_of(server.pid), files_of(server.pid), time.perf_counter()
    async with listening(server.port, count) as listeners:
        figures = Figures(count, time.perf_counter() - began, 0, 0, files_of(server.pid) - files, 0)
        head = (await client.get("/api/v1/pages/bench")).json()["shared_draft"]["head"]
        sent_at: dict[int, float] = {}
        for number in range(ROWS):
            head, seq, sent, answered = await edit(client, head, head * 1_000 + number)
            sent_at[seq] = sent
            figures.saving.append(answered - sent)
            await asyncio.sleep(BETWEEN_SECONDS)
        deadline = time.monotonic() + DEADLINE
        while any(len(listener.arrived) < ROWS for listener in listeners) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        figures.memory_more = memory_of(server.pid) - memory
        for listener in listeners:
            if list(listener.arrived) != list(sent_at):
                raise RuntimeError("a stream missed rows, or told them twice or out of order")
            figures.arrival += [listener.arrived[seq] - sent for seq, sent in sent_at.items()]
    figures.files_left = await settled_files(server.pid, files) - files
    figures.memory_left = memory_of(server.pid) - memory
    return figures


def prepare(url: str) -> str:
    """A workshop with one page; returns a token of its writer."""
    database = Database(url)
    schema.upgrade(database)
    with database.transaction(writing=True) as session:
        user = accounts.add_user(session, "bench", None, role=Role.WRITER)
        drafts.create_page(session, accounts.actor_of(user), title="Bench", text="# Bench\n\nWords.\n")
        token = tokens.create(session, accounts.actor_of(user), [Scope.READ, Scope.WRITE])[1]
    database.dispose()
    return token


async def run(server: Server, token: str, counts: list[int]) -> list[Figures]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
        await measure(server, client, OPENING_AT_ONCE)  # what the first ones load and connect to stays
        return [await measure(server, client, count) for count in counts]


def print_table(rows: list[Figures]) -> None:
    names = (
        "streams",
        "opening",
        "memory more",
        "left",
        "files more",
        "left",
        "saving p50",
        "arrival p50",
        "p99",
        "last",
    )
    print(*(f"{name:>11}" for name in names))
    for row in rows:
        ordered = sorted(row.arrival)
        times = [statistics.median(row.saving), statistics.median(ordered), ordered[len(ordered) * 99 // 100]]
        cells = [str(row.streams), f"{row.opening:.1f} s"]
        cells += [f"{row.memory_more / 2**20:.1f} MB", f"{row.memory_left / 2**20:.1f} MB"]
        cells += [str(row.files_more), str(row.files_left)]
        cells += [f"{seconds * 1000:.1f} ms" for seconds in (*times, ordered[-1])]
        print(*(f"{cell:>11}" for cell in cells))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.streams", description="What open live streams cost.")
    parser.add_argument("--streams", type=int, default=1_000, help="how many (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        token = prepare(url)
        server = Server(url, Path(folder), streams=asked.streams, streams_per_address=asked.streams)
        server.start()
        try:
            rows = asyncio.run(run(server, token, [1, asked.streams, asked.streams]))
        finally:
            server.kill()
    if asked.json:
        print(json.dumps([vars(row) for row in rows]))
    else:
        print_table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
