"""The engine, its pragmas, and `transaction`: the only commit in the program."""

import fcntl
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, create_engine, event, text
from sqlalchemy.engine import Connection, Dialect, make_url
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

Clock = Callable[[], datetime]

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BUSY_TIMEOUT_MS = 5_000
PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",  # NORMAL acknowledges a commit before any fsync
    "foreign_keys": "ON",
    "busy_timeout": str(BUSY_TIMEOUT_MS),
    "trusted_schema": "OFF",
    "cell_size_check": "ON",
}
CARELESS = {"journal_mode": "WAL", "synchronous": "OFF", "busy_timeout": "1000"}


def utc_now() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC with microseconds; SQLite drops the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class LogPosition:
    """The newest activity this process knows to be committed, and the condition that followers wait on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.newest = 0

    def advance(self, position: int) -> None:
        """Wake every waiter if the log has moved."""
        with self._changed:
            if position > self.newest:
                self.newest = position
                self._changed.notify_all()

    def wait_beyond(self, position: int, timeout: float) -> int:
        """The newest position, at once if it lies beyond `position`, else after `timeout` seconds or a wake-up."""
        with self._changed:
            if self.newest <= position:
                self._changed.wait(timeout)
            return self.newest

    def wake(self) -> None:
        """Let every waiter look around, though nothing was written: the program is stopping."""
        with self._changed:
            self._changed.notify_all()


class WriteLock:
    """One writer at a time, over all threads and processes that share a SQLite file; threads get it in their order.

    Held over commit and checkpoint: SQLite up to 3.51.2 can lose a committed write when two connections commit and
    checkpoint at the same moment. Handed over in order, as otherwise the follower, which carries hundreds of candidates
    in many short transactions, takes it again and again before a member who has been waiting for it.
    """

    def __init__(self, path: Path) -> None:
        self._guard = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Event] = deque()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        with self._guard:
            turn = threading.Event()
            if self._is_held:
                self._waiting.append(turn)
            else:
                self._is_held = True
                turn.set()
        turn.wait()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._hand_over()
            raise

    def __exit__(self, *exc: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._hand_over()

    def _hand_over(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_held = False

    @property
    def waiting(self) -> int:
        """How many threads wait for their turn."""
        return len(self._waiting)


class Database:
    """An engine with what belongs to it: write lock, clock and log position. One per process."""

    def __init__(self, url: str, *, pool_size: int = 20, clock: Clock = utc_now) -> None:
        self.url = make_url(url)
        self.clock = clock
        self.log = LogPosition()
        self.published = LogPosition()  # moves only with rows that change what is published
        self.entered = LogPosition()  # the newest entry of the ledger, which a change of the rule moves alone
        self.info: dict[str, Any] = {}
        self.pool_size = pool_size
        self._beside: list[Engine] = []
        self.engine = _open_sqlite(self) if self.is_sqlite else _open_postgres(self)
        self._write_lock: AbstractContextManager[None] = (
            WriteLock(Path(f"{self.url.database}.write-lock")) if self.is_sqlite else nullcontext()
        )

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def transaction(self, *, writing: bool) -> Iterator[Session]:
        """One unit of work: committed when the block ends, rolled back when it raises.

        `session.info` holds the clock and what `info` holds, such as the rule settings. A reading transaction cannot
        write, and sees nothing that is committed after it began to read. After a commit, whoever follows the log is
        woken.
        """
        engine = self.engine.execution_options(writing=writing)
        lock = self._write_lock if writing else nullcontext()
        with lock, Session(engine, expire_on_commit=False) as session:
            session.info.update(self.info, clock=self.clock)
            with session.begin():
                yield session
        self.entered.advance(session.info.get("entered_position", 0))
        self.published.advance(session.info.get("published_position", 0))
        self.log.advance(session.info.get("log_position", 0))

    def beside(self, name: str) -> Engine:
        """A further SQLite file beside this one, for what may be lost: it waits for no disk and for nobody here.

        Closed with the database.
        """
        engine = create_engine(f"sqlite:///{self.url.database}.{name}", connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _set_careless_pragmas)
        with self._write_lock:  # two that open a new file at once would fail to give it its journal
            engine.connect().close()
        self._beside.append(engine)
        return engine

    def dispose(self) -> None:
        for engine in (self.engine, *self._beside):
            engine.dispose()


def now(session: Session) -> datetime:
    """The moment by the clock this session was opened with, so that tests can move time."""
    clock: Clock = session.info["clock"]
    return clock()


def _open_sqlite(database: Database) -> Engine:
    path = database.url.database
    if not path or path == ":memory:":
        raise ValueError("Message Workshop needs a file for SQLite, such as sqlite:///var/workshop.db")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        database.url, pool_size=database.pool_size, max_overflow=40, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would be deferred; ours is explicit
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name}={value}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        raise RuntimeError("SQLite cannot keep a write-ahead log here. Is the database on a network drive?")


def _set_careless_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    for name, value in CARELESS.items():
        connection.execute(f"PRAGMA {name}={value}")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", True)
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writing else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _open_postgres(database: Database) -> Engine:
    url = database.url.set(drivername="postgresql+psycopg")
    engine = create_engine(url, pool_size=database.pool_size, max_overflow=40, pool_pre_ping=True)
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _begin_postgres(connection: Connection) -> None:
    if not connection.get_execution_options().get("writing", True):
        # One state for all that a reader asks, as on SQLite: a list is read in two parts, a page in many.
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
