"""What many tests of a module begin with, made by the first of them and copied for the others."""

import functools
import hashlib
import pickle
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from tests.factories import Workshop

P = ParamSpec("P")
R = TypeVar("R")

MOST = 4
"""Copies kept for one beginning: where it is another each time, to keep more would only take room."""


@dataclass(frozen=True)
class Beginning:
    """A database, the ledger's key and the clock after something was made, and what was returned for it."""

    database: bytes
    key: bytes | None
    moment: datetime
    positions: tuple[int, int, int]
    chapter_ids: dict[str, int]
    members: int
    returned: bytes


_kept: dict[bytes, Beginning] = {}
_counts: Counter[str] = Counter()


def made_once(make: Callable[P, R]) -> Callable[P, R]:
    """For a fixture that fills `workshop`: on SQLite it is called once for each state that it finds, then copied.

    The state is the whole database byte for byte, the ledger's key, the clock, the rule and whatever else the fixture
    is given, so that nobody has to keep in mind what a copy depends on. A test that gets a copy finds the program as
    one that was started anew on that database.
    """

    @functools.wraps(make)
    def make_or_copy(*args: P.args, **given: P.kwargs) -> R:
        workshop = given["workshop"]
        assert isinstance(workshop, Workshop)
        if not workshop.database.is_sqlite:
            return make(*args, **given)
        name = f"{make.__module__}.{make.__qualname__}"
        state = _state_of(workshop, name, given)
        if state in _kept:
            returned: R = pickle.loads(_copy_into(workshop, _kept[state]))
            return returned
        returned = make(*args, **given)
        if _counts[name] < MOST:
            _counts[name] += 1
            _kept[state] = _keep(workshop, pickle.dumps(returned))
        return returned

    return make_or_copy


def _state_of(workshop: Workshop, name: str, given: dict[str, object]) -> bytes:
    database = workshop.database
    others = {key: it for key, it in given.items() if key not in ("workshop", "clock")}
    rest = (name, database.clock(), database.info["rule"], database.info["seasoning"], workshop.members, others)
    key = _key_file(workshop)
    return hashlib.sha256(
        _bytes_of(workshop) + pickle.dumps(rest) + (key.read_bytes() if key.exists() else b"")
    ).digest()


def _keep(workshop: Workshop, returned: bytes) -> Beginning:
    database, key = workshop.database, _key_file(workshop)
    return Beginning(
        database=_bytes_of(workshop),
        key=key.read_bytes() if key.exists() else None,
        moment=database.clock(),
        positions=(database.log.newest, database.published.newest, database.entered.newest),
        chapter_ids=dict(workshop.chapter_ids),
        members=workshop.members,
        returned=returned,
    )


def _copy_into(workshop: Workshop, kept: Beginning) -> bytes:
    """Put what was kept in the place of what there is; returns what was returned for it."""
    database = workshop.database
    database.engine.dispose()
    path = _path(workshop)
    for name in (f"{path}-wal", f"{path}-shm"):
        Path(name).unlink(missing_ok=True)
    path.write_bytes(kept.database)
    if kept.key is not None:
        key = _key_file(workshop)
        key.write_bytes(kept.key)
        key.chmod(0o600)
    database.clock.moment = kept.moment  # type: ignore[attr-defined]  # the clock of the tests
    for log, position in zip((database.log, database.published, database.entered), kept.positions, strict=True):
        log.advance(position)
    workshop.chapter_ids, workshop.members = dict(kept.chapter_ids), kept.members
    return kept.returned


def _bytes_of(workshop: Workshop) -> bytes:
    connection = sqlite3.connect(_path(workshop))
    try:
        return connection.serialize()
    finally:
        connection.close()


def _path(workshop: Workshop) -> Path:
    path = workshop.database.url.database
    assert path is not None
    return Path(path)


def _key_file(workshop: Workshop) -> Path:
    found: Path = workshop.database.info["ledger_key"].path
    return found
