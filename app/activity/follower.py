"""The one loop that runs every consumer of the activity log."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from app.activity.service import newest_position, newest_published_position
from app.database import Database

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
"""How soon rows written by another process are seen; rows of this process wake the loop at once."""

DUE_SECONDS = 1.0
"""How late the end of a waiting time is noticed at most."""

RETRY_SECONDS = 2.0


class Consumer(Protocol):
    """Something that follows the log. Its effects are idempotent: after a fault it is simply called again."""

    def follow(self, database: Database) -> None:
        """Do what is due, each piece of work in a transaction of its own."""


class Follower:
    """A thread that calls each consumer when the log has moved, and once a second for what time makes due."""

    def __init__(self, database: Database, consumers: Sequence[Consumer]) -> None:
        self._database = database
        self._consumers = consumers
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._called_at = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the loop after the work at hand."""
        self._stopping.set()
        self._database.log.wake()
        self._thread.join()

    def run_once(self) -> int:
        """Call each consumer; returns the log position they could see."""
        position = self._look()
        for consumer in self._consumers:
            consumer.follow(self._database)
        self._called_at = time.monotonic()
        return position

    def _look(self) -> int:
        """Learn of rows that other processes wrote."""
        known = self._database.log.newest
        with self._database.transaction(writing=False) as session:
            position = newest_position(session)
            if position != known:
                self._database.published.advance(newest_published_position(session))
        self._database.log.advance(position)
        return position

    def _run(self) -> None:
        position = -1
        while not self._stopping.is_set():
            try:
                seen = self._look()
                if seen != position or time.monotonic() - self._called_at >= DUE_SECONDS:
                    position = self.run_once()
            except Exception:
                # The database is away or full, or there is a fault in a consumer: nothing is lost, all of it is in the
                # log. A thread that ended would leave every page of the workshop waiting, until somebody noticed.
                log.exception("the follower goes on in %s s", RETRY_SECONDS)
                self._stopping.wait(RETRY_SECONDS)
                continue
            self._database.log.wait_beyond(seen, POLL_SECONDS)
