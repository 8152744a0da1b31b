"""The database that a benchmark runs on: a file, or a PostgreSQL as the tests start it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import text

from app.database import Database
from tests.postgres import running_postgres


@contextmanager
def database_url(path: Path, *, postgres: bool) -> Iterator[str]:
    """The address of an empty database: SQLite at `path`, or PostgreSQL in memory, which does not wait for a disk."""
    if not postgres:
        yield f"sqlite:///{path}"
        return
    with running_postgres() as server:
        with psycopg.connect(server.format(database="postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        yield server.format(database="bench")


def gather_statistics(database: Database) -> None:
    """What PostgreSQL does by itself after a while; without it, it knows nothing of what was just filled in."""
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
