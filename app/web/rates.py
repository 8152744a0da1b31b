"""Counts of requests that all processes of a workshop share, for the limits at the door."""

import random
import time

from limits.storage import Storage
from sqlalchemy import CursorResult, Table, delete, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Field, SQLModel

from app.database import Database

SWEPT_EVERY = 500
"""One count in so many takes those whose time is over along."""

_COUNT_UP = text(
    "INSERT INTO rate_count (key, until, count) VALUES (:key, :until, :amount) ON CONFLICT (key) DO UPDATE SET "
    "count = CASE WHEN rate_count.until <= :now THEN :amount ELSE rate_count.count + :amount END, "
    "until = CASE WHEN rate_count.until <= :now THEN :until ELSE rate_count.until END RETURNING count"
)


class RateCount(SQLModel, table=True):
    """How often something was asked for since its window began. On PostgreSQL it is not kept through a crash."""

    __tablename__ = "rate_count"

    key: str = Field(primary_key=True)
    until: float = Field(index=True, description="When the window ends, in seconds since 1970.")
    count: int


_COUNTS: Table = SQLModel.metadata.tables["rate_count"]


class SharedCounts(Storage):
    """The store of the `limits` library's fixed windows: the same counts for each process of one database.

    On SQLite they stand in a file of their own beside the database, so that a reader never waits for its one writer;
    losing that file loses nothing but counts. Where counting fails the request passes: a limit stops nobody by itself.
    """

    STORAGE_SCHEME = None

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._engine = database.engine
        if database.is_sqlite:
            self._engine = database.beside("limits")
            with self._engine.begin() as connection:  # by what runs though another process does so at the same moment
                connection.execute(CreateTable(_COUNTS, if_not_exists=True))
                for index in _COUNTS.indexes:
                    connection.execute(CreateIndex(index, if_not_exists=True))

    @property
    def base_exceptions(self) -> type[Exception]:
        return DBAPIError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count up, and begin a window of `expiry` seconds where none runs; the count in it."""
        now = time.time()
        given = {"key": key, "until": now + expiry, "amount": amount, "now": now}
        with self._engine.begin() as connection:
            if random.randrange(SWEPT_EVERY) == 0:  # nobody gains by guessing when
                connection.execute(delete(_COUNTS).where(_COUNTS.c.until <= now))
            return int(connection.execute(_COUNT_UP, given).scalar_one())

    def get(self, key: str) -> int:
        """The count in the window that runs; 0 without one."""
        found = self._find(key)
        return found[1] if found else 0

    def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since 1970; now without one."""
        found = self._find(key)
        return found[0] if found else time.time()

    def check(self) -> bool:
        """Whether it can be read."""
        try:
            self._find("")
        except DBAPIError:
            return False
        return True

    def reset(self) -> int:
        """Forget all counts; how many there were."""
        with self._engine.begin() as connection:
            gone: CursorResult[tuple[()]] = connection.execute(delete(_COUNTS))
        return gone.rowcount

    def clear(self, key: str) -> None:
        """Forget one count."""
        with self._engine.begin() as connection:
            connection.execute(delete(_COUNTS).where(_COUNTS.c.key == key))

    def _find(self, key: str) -> tuple[float, int] | None:
        query = select(_COUNTS.c.until, _COUNTS.c.count).where(_COUNTS.c.key == key, _COUNTS.c.until > time.time())
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return (float(row[0]), int(row[1])) if row else None
