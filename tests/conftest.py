"""Databases on both engines, a clock that tests move, and clients that speak HTTP to the real program."""

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event, make_url

from app import schema
from app.database import Database
from app.main import collect_less_garbage, create_app
from app.settings import Settings
from tests.factories import Workshop
from tests.postgres import folder_in_memory, running_postgres

if memory := folder_in_memory():
    # Every test writes a database, and a commit waits for the disk: half of the suite's time.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)

ENGINES = ("sqlite", "postgres")
ON_SQLITE_ALONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For modules about what is shown: what the services below them find is tested on both engines."""

POSTGRES_IN_SOAK = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.soak)], indirect=True
)
"""For what asks either engine in the same words as its neighbours do: the suite has six minutes."""

SQLITE_IN_SOAK = pytest.mark.parametrize(
    "database_url", [pytest.param("sqlite", marks=pytest.mark.soak), "postgres"], indirect=True
)
"""For what is above all PostgreSQL's, while another test of the suite does the like on SQLite."""

_numbers = itertools.count(1)
_first: dict[str, Engine] = {}


def reuse_compiled_statements(database: Database) -> Database:
    """Compile each statement once in a run instead of once for each test's database: a third of a test's time.

    Compiled statements are kept by dialect, so engines of one kind share it as well.
    """
    engine = database.engine
    first = _first.setdefault(engine.name, engine)
    engine.dialect = engine.pool._dialect = first.dialect
    engine._compiled_cache = first._compiled_cache
    return database


class MovableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server of this run's own, with `{database}` left open."""
    with running_postgres() as address:
        yield address


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy from."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    database = reuse_compiled_statements(Database(f"sqlite:///{path}"))
    schema.upgrade(database)
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """The name of a migrated, empty PostgreSQL database to copy from."""
    create_postgres_database(postgres, "empty")
    database = reuse_compiled_statements(Database(postgres.format(database="empty")))
    schema.upgrade(database)
    database.dispose()
    return "empty"


def create_postgres_database(address: str, name: str, template: str = "template1") -> str:
    """Make a database and return its address."""
    with psycopg.connect(address.format(database="postgres"), autocommit=True) as connection:
        copying = "STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""  # two thirds of the work
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {copying}')
    return address.format(database=name)


def drop_postgres_database(address: str, name: str | None) -> None:
    """Make room again, whoever is still connected."""
    with psycopg.connect(address.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def pytest_collection_finish() -> None:
    """Collect as little garbage as a server does: a twelfth of the suite's time."""
    collect_less_garbage()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of the test's own, on each engine in turn."""
    url = migrated_database(request, tmp_path)
    yield url
    if request.param == "postgres":
        drop_postgres_database(request.getfixturevalue("postgres"), make_url(url).database)


def migrated_database(request: pytest.FixtureRequest, folder: Path) -> str:
    """The address of a migrated, empty database on the engine that a fixture's parameter names."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "workshop.db")
        return f"sqlite:///{folder / 'workshop.db'}"
    template = request.getfixturevalue("postgres_template")
    return create_postgres_database(request.getfixturevalue("postgres"), f"test_{next(_numbers)}", template)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database_url,
        data_dir=tmp_path,
        base_url="http://workshop.test",
        founders=10_000,
        writes_per_minute=100_000,
        reads_per_minute=100_000,
    )


@pytest.fixture
def app(settings: Settings, clock: MovableClock) -> Iterator[FastAPI]:
    """The program, its follower called by hand with `workshop.follow()`."""
    program = create_app(settings, clock=clock, follow=False)
    reuse_compiled_statements(program.state.database)
    yield program
    program.state.database.dispose()


@pytest.fixture
def database(app: FastAPI) -> Database:
    found: Database = app.state.database
    return found


@pytest.fixture
def workshop(app: FastAPI, database: Database) -> Workshop:
    """Makes people, pages and votes through the services."""
    return Workshop(database, app.state.follower)


def connect(app: FastAPI, token: str | None = None) -> httpx.AsyncClient:
    """A client of the program in this process, as the bearer of a token or as nobody; to be used in `async with`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app.state.front, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://workshop.test", headers=headers, timeout=60)


@contextmanager
def statements(app: FastAPI) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            asked.append(statement)

    event.listen(app.state.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(app.state.database.engine, "before_cursor_execute", note)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
