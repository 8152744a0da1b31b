"""Sends the messages: a loop of its own in a thread of its own, so that no receiver keeps a request waiting."""

import asyncio
import logging
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.database import Database
from app.outbound import Network, TargetRefused, Unreachable, fetch_public
from app.webhooks import outbox, schedule, signing
from app.webhooks.keys import NoSecretKey, SecretKey
from app.webhooks.outbox import Job, Outcome, Seen
from app.webhooks.service import secrets_for

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""How soon what other processes wrote is sent at most, and how late a message is sent again."""

GATHER_SECONDS = 0.005
"""What comes within that time is written down together: members' own writes wait for each transaction."""

RETRY_SECONDS = 2.0
PLACES = 64
URGENT_PLACES = 64
"""Requests that are open at once; what is urgent has places of its own."""

PER_LANE = 2
"""Requests that are open at once to one webhook, in each lane."""

LEASE_MARGIN = timedelta(seconds=2)
"""A message is claimed for as long as a request can last and this much; then it is free again, if a process died."""

TIDY_SECONDS = 3_600.0
USER_AGENT = "message-workshop"


@dataclass(frozen=True, slots=True)
class Manner:
    """How messages are sent: what links begin with, seconds an answer may take, and networks that are trusted."""

    base_url: str
    seconds: float
    allowed: tuple[Network, ...]


class Courier:
    """Everything that waits is in the database: several processes share the work, and one that dies loses nothing."""

    def __init__(self, database: Database, key: SecretKey, manner: Manner) -> None:
        self._database = database
        self._key = key
        self._manner = manner
        self._seen = Seen()
        self._random = random.Random()
        self._finished: list[Outcome] = []
        self._busy: Counter[tuple[int, bool]] = Counter()
        self._sending: set[asyncio.Task[None]] = set()
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._moved = asyncio.Event()
        self._tidied_at = 0.0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="webhooks", daemon=True)
        self._waker = threading.Thread(target=self._watch, name="webhooks-waker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End at once: requests that are open are broken off, and their messages are free for whoever comes next."""
        self._stopping.set()
        self._database.log.wake()
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._moved.set)
        self._thread.join()

    async def deliver_due(self) -> int:
        """Send what is due by now and wait for what becomes of it; returns how many messages were tried."""
        jobs = await asyncio.to_thread(self._next)
        await asyncio.gather(*(self._send(job) for job in jobs))
        await asyncio.to_thread(self._note_finished)
        return len(jobs)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waker.start()
        while not self._stopping.is_set():
            self._moved.clear()
            try:
                jobs = await asyncio.to_thread(self._next)
            except Exception:  # the one place where a fault may not end what runs for ever
                # Mostly the database is away or full: nothing is lost, all of it is in there.
                log.exception("webhooks go on in %s s", RETRY_SECONDS)
                await asyncio.to_thread(self._stopping.wait, RETRY_SECONDS)
                continue
            for job in jobs:
                sending = asyncio.create_task(self._send(job))
                self._sending.add(sending)
                sending.add_done_callback(self._sending.discard)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), POLL_SECONDS)
            if self._sending or self._finished:
                await asyncio.sleep(GATHER_SECONDS)
        for sending in self._sending:
            sending.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        with suppress(SQLAlchemyError):  # else they are sent when their lease is over
            await asyncio.to_thread(self._note_finished)
        self._waker.join()

    def _watch(self) -> None:
        """In its own thread: wake the loop when the log moves."""
        position = 0
        while not self._stopping.is_set():
            newest = self._database.log.wait_beyond(position, POLL_SECONDS)
            if newest > position and self._loop is not None and not self._stopping.is_set():
                position = newest
                self._loop.call_soon_threadsafe(self._moved.set)

    def _next(self) -> list[Job]:
        """Write down what is finished, make messages of what happened, and take what is due."""
        finished = list(self._finished)
        if not finished:
            with self._database.transaction(writing=False) as session:
                if not (outbox.is_behind(session, self._seen) or self._choose(session)):
                    return []
        with self._database.transaction(writing=True) as session:
            outbox.note(session, finished)
            outbox.write_due(session, self._seen, base_url=self._manner.base_url)
            self._tidy(session)
            lease = timedelta(seconds=self._manner.seconds) + LEASE_MARGIN
            jobs = outbox.claim(session, self._choose(session), lease=lease)
        del self._finished[: len(finished)]
        self._busy.update(job.lane for job in jobs)
        return jobs

    def _choose(self, session: Session) -> list[int]:
        urgent = sum(count for (_, is_urgent), count in self._busy.items() if is_urgent)
        return outbox.choose(
            session,
            per_lane=PER_LANE,
            busy=self._busy,
            places=PLACES - (self._busy.total() - urgent),
            urgent=URGENT_PLACES - urgent,
        )

    def _note_finished(self) -> None:
        finished = list(self._finished)
        if finished:
            with self._database.transaction(writing=True) as session:
                outbox.note(session, finished)
            del self._finished[: len(finished)]

    def _tidy(self, session: Session) -> None:
        if time.monotonic() - self._tidied_at > TIDY_SECONDS and not outbox.forget_old(session):
            self._tidied_at = time.monotonic()

    async def _send(self, job: Job) -> None:
        """One attempt. Whatever happens, what became of it is noted."""
        began, at = time.monotonic(), self._database.clock()
        outcome = Outcome(job, at, 0, error="a fault of this program", sent=False)
        try:
            headers = {
                "Content-Type": "application/json",
                "User-Agent": USER_AGENT,
                **signing.headers_for(job.message, at, job.body, secrets_for(self._key.read(), job.webhook, at)),
            }
            answer = await fetch_public(
                job.webhook.url,
                headers=headers,
                body=job.body.encode(),
                seconds=self._manner.seconds,
                allowed=self._manner.allowed,
            )
            outcome = self._outcome(job, began, status=answer.status, retry_after=answer.retry_after)
        except TargetRefused as refused:
            outcome = self._outcome(job, began, error=refused.detail)
        except Unreachable as unreachable:
            outcome = self._outcome(job, began, error=str(unreachable))
        except NoSecretKey:
            log.exception("a message could not be signed")
        except asyncio.CancelledError:
            outcome = replace(outcome, error="")  # free at once for whoever comes next
            raise
        finally:
            self._busy[job.lane] -= 1
            if not self._busy[job.lane]:
                del self._busy[job.lane]
            self._finished.append(outcome)
            self._moved.set()

    def _outcome(
        self, job: Job, began: float, *, status: int | None = None, error: str = "", retry_after: str | None = None
    ) -> Outcome:
        # Read here, where a fault is this message's alone: to note what became of all of them has to succeed.
        at, milliseconds = self._database.clock(), round((time.monotonic() - began) * 1000)
        wait = schedule.parse_retry_after(retry_after, at)
        return Outcome(job, at, milliseconds, status, error, wait, draw=self._random.random())
