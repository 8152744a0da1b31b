"""Everybody who listens, and the one reader of the log that wakes them."""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database
from app.live.ring import Ring, Wanted
from app.live.rows import PAGE_ROWS, read_rows
from app.live.termination import called_on_termination

log = logging.getLogger(__name__)

RING_ROWS = 1_000
CHUNK_ROWS = 50
PING_SECONDS = 15.0
POLL_SECONDS = 0.5
"""How soon rows written by another process are told at most; rows of this process are told at once."""

RETRY_SECONDS = 2.0
READERS_BEHIND = 4
"""How many streams may read the database at once to catch up; the others wait their turn."""

EVERYTHING = Wanted()
HELLO = b"retry: 2000\n\n"
PING = b": ping\n\n"


class Stream:
    """One listener: what it wants, and the position up to which it was told everything."""

    def __init__(self, wanted: Wanted, position: int, address: str) -> None:
        self.wanted = wanted
        self.position = position
        self.address = address
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def wait(self, until: float) -> None:
        """Until woken, or until this time of the loop."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._woken.wait()

    def is_about_to_look(self) -> None:
        """What happens from here on wakes it again."""
        self._woken.clear()


class Hub:
    """Reads each new row once and keeps it for all streams of this process; a stream holds only its position.

    All of it lives on the event loop, but for the database, which is read in worker threads, and one thread that waits
    for the log to move. Outside `running` nobody is let in.
    """

    def __init__(self, database: Database, *, most: int, most_per_address: int) -> None:
        self.ring = Ring(RING_ROWS)
        self.streams: set[Stream] = set()
        self._database = database
        self._most = most
        self._most_per_address = most_per_address
        self._by_address: Counter[str] = Counter()
        self._is_open = False
        self._begin()

    def _begin(self) -> None:
        """What belongs to one event loop."""
        self._closed, self._moved = asyncio.Event(), asyncio.Event()
        self._reading, self._catching_up = CapacityLimiter(1), CapacityLimiter(READERS_BEHIND)

    @property
    def has_room(self) -> bool:
        """Whether one more stream may be opened in this process."""
        return self._is_open and len(self.streams) < self._most

    def has_room_for(self, address: str) -> bool:
        """Whether one more stream may be opened from this address."""
        return self._by_address[address] < self._most_per_address

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let streams in and tell them what happens, until the block ends or the process is asked to end."""
        waiting = threading.Thread(
            target=self._watch, args=(asyncio.get_running_loop(),), name="stream-waker", daemon=True
        )
        self._begin()
        self._is_open = True
        waiting.start()
        reading = asyncio.create_task(self._read())
        reading.add_done_callback(self._end_without_reader)
        try:
            with called_on_termination(self.close):
                yield
        finally:
            self.close()
            await asyncio.wait([reading])  # to its end: a read that is cut off would keep its connection
            await to_thread.run_sync(waiting.join)

    def close(self) -> None:
        """Let nobody in any more, and let every stream end after the message at hand."""
        self._is_open = False
        self._closed.set()
        self._moved.set()
        self._database.log.wake()
        self._wake_all()

    @contextmanager
    def admitted(self, stream: Stream, newest: int) -> Iterator[None]:
        """Within the block the stream is woken. `newest` is where the log ended when the stream was asked for."""
        if not self.streams:
            self.ring.restart(newest)  # nobody listened, so nothing was read meanwhile
            self._moved.set()
        self.streams.add(stream)
        self._by_address[stream.address] += 1
        try:
            yield
        finally:
            self.streams.remove(stream)
            self._by_address[stream.address] -= 1
            if not self._by_address[stream.address]:
                del self._by_address[stream.address]

    async def tell(self, stream: Stream) -> AsyncIterator[bytes]:
        """The messages of a stream: every wanted row once and in order, and a comment where nothing happens for long.

        It ends when the hub closes, or when the database is away; the listener comes back with its place.
        """
        loop = asyncio.get_running_loop()
        yield HELLO
        ping_at = loop.time() + PING_SECONDS
        while self._is_open:
            stream.is_about_to_look()
            before = stream.position
            try:
                message = await self._next(stream)
            except SQLAlchemyError:
                log.exception("a stream could not catch up and was ended")
                return
            if not message and loop.time() >= ping_at:
                message = PING
            if message:
                yield message
                ping_at = loop.time() + PING_SECONDS
            elif stream.position == before:
                await stream.wait(ping_at)

    async def _next(self, stream: Stream) -> bytes:
        """The next wanted rows; empty when there are none so far, or not among those looked at."""
        if stream.position < self.ring.start:
            rows, stream.position = await to_thread.run_sync(
                read_rows, self._database, stream.position, stream.wanted, limiter=self._catching_up
            )
        else:
            rows = self.ring.after(stream.position)[:CHUNK_ROWS]
            if rows:
                stream.position = rows[-1].seq
            rows = [row for row in rows if row.is_among(stream.wanted)]
        return rows[0].message if len(rows) == 1 else b"".join(row.message for row in rows)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """In its own thread: wake the reader when the log moves, and now and then for what other processes wrote."""
        position = 0
        while self._is_open:
            position = self._database.log.wait_beyond(position, POLL_SECONDS)
            loop.call_soon_threadsafe(self._moved.set)

    async def _read(self) -> None:
        while self._is_open:
            await self._moved.wait()
            self._moved.clear()
            if not self.streams:
                continue
            position = self.ring.newest
            try:
                rows, _ = await to_thread.run_sync(
                    read_rows, self._database, position, EVERYTHING, limiter=self._reading
                )
            except SQLAlchemyError:
                # The database is away: nothing is lost, all of it is in the log.
                log.exception("the live streams go on in %s s", RETRY_SECONDS)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), RETRY_SECONDS)
                continue
            if position == self.ring.newest:  # else the last listener left meanwhile and another came
                self.ring.add(rows)
                self._wake_all()
            if len(rows) == PAGE_ROWS:
                self._moved.set()

    def _end_without_reader(self, reading: asyncio.Task[None]) -> None:
        """A listener whose stream ended comes back; one whose stream went silent would wait for ever."""
        if not reading.cancelled() and (fault := reading.exception()):
            log.error("nothing reads the log for the live streams any more", exc_info=fault)
        self.close()

    def _wake_all(self) -> None:
        for stream in self.streams:
            stream.wake()
