"""The indexer as a process: it follows, is started again when it dies, and ends with its parent."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.permissions import Actor
from app.search.engine import Group, IndexUnavailable
from app.search.indexer_process import IndexerProcess, start_indexer
from app.search.query import parse
from app.search.whoosh_engine import WhooshEngine
from app.settings import Settings
from tests.factories import Workshop

PATIENCE = 60.0


def wait_until(holds: Callable[[], bool]) -> None:
    """Look often; another process needs its time."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        threading.Event().wait(0.02)


def wait_for_end(pid: int) -> None:
    handle = os.pidfd_open(pid)
    try:
        assert select.select([handle], [], [], PATIENCE)[0], f"process {pid} goes on"
    finally:
        os.close(handle)


def finds(engine: WhooshEngine, typed: str) -> bool:
    try:
        return bool(engine.search(parse(typed, engine.analysis), tuple(Group), limit=1).hits)
    except IndexUnavailable:
        return False


@pytest.fixture
def indexer(settings: Settings) -> Iterator[IndexerProcess]:
    process = start_indexer(settings)
    yield process
    process.stop()


def test_it_indexes_what_there_is_and_follows_what_comes(
    workshop: Workshop, writer: Actor, indexer: IndexerProcess, engine: WhooshEngine
) -> None:
    workshop.page(writer)
    wait_until(lambda: finds(engine, "landlords"))
    workshop.page(writer, "Tax", "Everyone pays a fair share.")
    wait_until(lambda: finds(engine, '"fair share"'))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_is_started_again_when_it_dies_and_ends_when_told(
    workshop: Workshop, writer: Actor, indexer: IndexerProcess, engine: WhooshEngine
) -> None:
    wait_until(lambda: engine.mark() is not None)
    first = indexer.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    workshop.page(writer)
    wait_until(lambda: finds(engine, "landlords"))
    second = indexer.pid
    assert second is not None
    assert second != first
    indexer.stop()
    assert indexer.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_ends_when_its_parent_is_killed(settings: Settings, engine: WhooshEngine) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, signal\n"
            "from app.search.indexer_process import start_indexer\n"
            "from app.settings import Settings\n"
            "print(start_indexer(Settings()).pid, flush=True)\n"
            "signal.pause()\n",
        ],
        env=os.environ | {"WORKSHOP_DATABASE_URL": settings.database_url, "WORKSHOP_DATA_DIR": str(settings.data_dir)},
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(lambda: engine.mark() is not None)
        parent.kill()
    wait_for_end(pid)
