"""The newest checkpoint for the foot of every page and every feed, read again only when something was entered."""

import threading
from dataclasses import dataclass

from app.database import Database
from app.ledger import service

SHOWN = 8
"""Characters of a root that are shown: enough to compare by eye."""


@dataclass(frozen=True, slots=True)
class Head:
    """How many entries there are, and the first characters of the root over them."""

    size: int
    root: str


class LedgerHead:
    """What is known of the newest checkpoint. A view costs no query; after an entry one view costs one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._position = (-1, -1)
        self._head: Head | None = None
        self._reading = threading.Lock()

    @property
    def known(self) -> Head | None:
        """As last read."""
        return self._head

    def follow(self, database: Database) -> None:
        """Learn of entries that another process made: a change of the rule is in no other log."""
        with database.transaction(writing=False) as session:
            size = service.count_entries(session)
        database.entered.advance(size)

    def newest(self) -> Head | None:
        """As it is now, or as last read while another view reads it; None for an empty ledger."""
        position = (self._database.published.newest, self._database.entered.newest)
        if position != self._position and self._reading.acquire(blocking=False):
            try:
                with self._database.transaction(writing=False) as session:
                    found = service.find_checkpoint(session)
                self._head = Head(found.size, found.root[:SHOWN]) if found else None
                self._position = position
            finally:
                self._reading.release()
        return self._head
