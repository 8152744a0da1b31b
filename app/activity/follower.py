"""The one loop that runs every consumer of the activity log."""

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from app.activity.service import newest_position, newest_published_position
from app.database import Database

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
"""How soon rows written by another process are seen; rows of this process wake the loop at once."""

RETRY_SECONDS = 2.0


class Consumer(Protocol):
    """Something that follows the log. Its effects are idempotent: after a fault it is simply called again."""

    def follow(self, database: Database) -> None:
        """Do what is due, each piece of work in a transaction of its own."""


class Follower:
    """A thread that calls each consumer when the log has moved, and every `POLL_SECONDS` for what time makes due."""

    def __init__(self, database: Database, consumers: Sequence[Consumer]) -> None:
        self._database = database
        self._consumers = consumers
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the loop after the work at hand."""
        self._stopping.set()
        self._database.log.wake()
        self._thread.join()

    def run_once(self) -> int:
        """Call each consumer; returns the log position they could see."""
        with self._database.transaction(writing=False) as session:
            position, published = newest_position(session), newest_published_position(session)
        self._database.published.advance(published)
        self._database.log.advance(position)
        for consumer in self._consumers:
            consumer.follow(self._database)
        return position

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                position = self.run_once()
            except SQLAlchemyError:
                # The database is away or full: nothing is lost, all of it is in the log.
                log.exception("the follower goes on in %s s", RETRY_SECONDS)
                self._stopping.wait(RETRY_SECONDS)
                continue
            self._database.log.wait_beyond(position, POLL_SECONDS)
