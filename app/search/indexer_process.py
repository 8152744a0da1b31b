"""The indexer as a process of its own: it ends with the server that started it, which starts it again if it dies."""

import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from sqlalchemy.exc import SQLAlchemyError

from app.database import Database
from app.search.engine import Engine, IndexUnavailable
from app.search.indexer import Outcome, index_once
from app.search.whoosh_engine import WhooshEngine
from app.settings import Settings

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
RETRY_SECONDS = 5.0
RESTART_SECONDS = 1.0
STOP_SECONDS = 5.0
CALM_SECONDS = 600.0
MAX_PAUSE = 300.0
"""Where one rebuild follows another within `CALM_SECONDS`, the pauses after them grow up to `MAX_PAUSE`."""

NICENESS = 5
"""Merging takes a processor for seconds; requests go before it."""

FOLDER = "search"


def engine_of(settings: Settings) -> WhooshEngine:
    """The engine that every process with these settings shares."""
    return WhooshEngine(settings.data_dir / FOLDER)


def start_indexer(settings: Settings) -> "IndexerProcess":
    """Let a process keep the index up to date until `stop`, or until this process ends, however it ends."""
    process = IndexerProcess(settings)
    process.start()
    return process


class IndexerProcess:
    """The running indexer, as its parent sees it. It notices the parent's end by the pipe between them."""

    def __init__(self, settings: Settings) -> None:
        self._order = json.dumps({"database_url": settings.database_url, "data_dir": str(settings.data_dir.absolute())})
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher = threading.Thread(target=self._watch, name="indexer-watcher", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process's number, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._process = self._launch()
        self._watcher.start()

    def stop(self) -> None:
        """End it after the commit at hand, or after `STOP_SECONDS`; the index survives both."""
        self._stopping.set()
        self._watcher.join()

    def _watch(self) -> None:
        while self._process is not None:
            while self._process.poll() is None and not self._stopping.wait(POLL_SECONDS):
                pass
            if self._stopping.is_set():
                _end(self._process)
                self._process = None
                return
            log.warning("the indexer ended with %s and is started again", self._process.returncode)
            _end(self._process)
            self._stopping.wait(RESTART_SECONDS)
            self._process = self._launch()

    def _launch(self) -> "subprocess.Popen[bytes]":
        # The order goes through the pipe: a database's address may hold a password, and arguments are for all to see.
        process = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE)
        pipe = _pipe_of(process)
        try:
            pipe.write(self._order.encode() + b"\n")
            pipe.flush()
        except BrokenPipeError:
            log.warning("the indexer did not start")
        return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(BrokenPipeError):
        _pipe_of(process).close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _pipe_of(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    assert process.stdin is not None
    return process.stdin


def run(database: Database, engine: Engine, parent: IO[bytes]) -> None:
    """Follow the log until the parent's end of the pipe is closed."""
    untidy, rebuilt_at, pause = True, -CALM_SECONDS, 0.0
    while not _ends(parent, POLL_SECONDS):
        try:
            outcome = index_once(database, engine)
            if outcome is Outcome.UNCHANGED and untidy:
                untidy = engine.tidy()
            untidy = untidy or outcome is not Outcome.UNCHANGED
        except (SQLAlchemyError, OSError, IndexUnavailable):
            # The database is away, or the disk full: nothing is lost, all of it is in the log.
            log.exception("the indexer goes on in %s s", RETRY_SECONDS)
            _ends(parent, RETRY_SECONDS)
            continue
        if outcome is Outcome.REBUILT:
            pause = min(2 * pause + 1, MAX_PAUSE) if time.monotonic() - rebuilt_at < CALM_SECONDS else 0.0
            rebuilt_at = time.monotonic()
            _ends(parent, pause)


def _ends(parent: IO[bytes], seconds: float) -> bool:
    """Whether the parent has ended by then; it writes nothing more, so the pipe is readable when it is closed."""
    return bool(select.select([parent], [], [], seconds)[0])


def main() -> None:
    """Take the order from the parent and follow until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent decides
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s indexer: %(message)s")
    os.nice(NICENESS)
    parent = sys.stdin.buffer
    line = parent.readline()
    if not line:
        return
    order = json.loads(line)
    database = Database(order["database_url"], pool_size=1)
    run(database, WhooshEngine(Path(order["data_dir"]) / FOLDER), parent)
    database.dispose()


if __name__ == "__main__":
    main()
