"""A ledger with everything votes can bring about, the hand of somebody who changes it, and the program that looks."""

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from app.consensus import ledger
from app.ledger.canonical import encode
from app.ledger.keys import KeyFile
from app.ledger.merkle import Frontier, leaf_hash
from app.ledger.notes import Statement
from app.main import create_app
from app.permissions import Actor, Role
from app.settings import ROOT, Settings
from tests.conftest import MovableClock
from tests.factories import HOUSING, Workshop

OUTSIDE = ROOT / "docs" / "verify.py"
BASE = "http://workshop.test"
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """A folder with the database and the key; `kept` are the checkpoints after so many entries."""

    folder: Path
    kept: dict[int, str]


def settings_of(folder: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder / 'workshop.db'}",
        data_dir=folder,
        base_url=BASE,
        founders=10_000,
        wait_routine=3600,
        reads_per_minute=1_000_000,
    )


def tell(template: Path, folder: Path) -> Story:
    """Eight entries: the rule, two first texts, a change and one carried over it, a rival that wins, two more."""
    shutil.copy(template, folder / "workshop.db")
    clock = MovableClock()
    app = create_app(settings_of(folder), clock=clock, follow=False)
    workshop = Workshop(app.state.database, app.state.follower)
    ledger.begin(app.state.database)
    writer = workshop.member("writer", chapter="north", role=Role.WRITER)
    north = [writer, *(workshop.member(chapter="north") for _ in range(4))]
    south = [workshop.member(chapter="south") for _ in range(4)]
    east = [workshop.member(chapter="east") for _ in range(3)]
    four = [*north[:2], *south[:2]]

    def approve(revision_id: int | None, voters: list[Actor]) -> None:
        for voter in voters:
            workshop.vote(voter, revision_id or 0)
        clock.move(hours=1, seconds=1)
        workshop.follow()

    housing = workshop.page(writer)
    approve(workshop.shared_head(housing), four)
    schools = workshop.page(writer, "Schools", HOUSING.replace("Housing", "Schools"))
    approve(workshop.shared_head(schools), four)
    clock.move(hours=25)  # until then both texts are rivals of whatever rewrites them
    numbers = workshop.fork(writer, housing, ("10,000", "12,000"))
    story = workshop.fork(south[0], housing, ("three times", "four times"))
    for voter in four[:3]:
        workshop.vote(voter, story.head_id or 0)
    approve(numbers.head_id, four)
    approve(story.head_id, four[3:])
    rival = workshop.fork(south[1], housing, ("12,000", "15,000"))
    approve(rival.head_id, [*four, east[0]])
    for old, new in (("three times", "five times"), ("10,000", "11,000")):
        approve(workshop.fork(east[0], schools, (old, new)).head_id, four)
    app.state.database.dispose()
    with closing(sqlite3.connect(folder / "workshop.db")) as database:
        kept = dict(database.execute("SELECT size, note FROM ledger_checkpoint"))
    return Story(folder, kept)


class Hand:
    """Somebody who can write to the database, and has the key if they take it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.database = sqlite3.connect(folder / "workshop.db")
        for table in ("ledger_entry", "ledger_checkpoint"):
            for verb in ("update", "delete"):
                self.database.execute(f"DROP TRIGGER {table}_refuses_{verb}")

    def entries(self) -> list[Entry]:
        return [
            json.loads(body) for (body,) in self.database.execute("SELECT body FROM ledger_entry ORDER BY sequence")
        ]

    def put(self, entries: list[Entry]) -> None:
        """Store these entries as they are, where they stand, and leave every signature alone."""
        rows = self.database.execute("SELECT sequence, body, approval_id FROM ledger_entry").fetchall()
        approvals = {json.loads(body)["text"]: approval_id for _, body, approval_id in rows}
        in_place = {sequence: approval_id for sequence, _, approval_id in rows}
        kept = {entry["text"] for entry in entries}
        self.database.execute("DELETE FROM ledger_entry")
        for sequence, entry in enumerate(entries, start=1):
            body = encode(entry)
            approval = approvals.pop(entry["text"], None if kept.issuperset(approvals) else in_place.get(sequence))
            row = (sequence, entry["kind"], entry["page_id"], approval, entry["at"], body)
            self.database.execute(
                "INSERT INTO ledger_entry (sequence, kind, page_id, approval_id, at, body, leaf) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row[:4], row[4].replace("T", " ").removesuffix("Z"), row[5], leaf_hash(body.encode()).hex()),
            )
        self.database.commit()

    def sign(self, entries: list[Entry]) -> None:
        """Renumber and chain these entries, and sign every checkpoint anew with the workshop's own key."""
        key = KeyFile(self._folder / "ledger.key", base_url=BASE).read()
        assert key is not None
        self.database.execute("DELETE FROM ledger_checkpoint")
        tree, before = Frontier(), None
        for sequence, entry in enumerate(entries, start=1):
            entry |= {"sequence": sequence, "previous": before}
            leaf = leaf_hash(encode(entry).encode())
            tree, before = tree.append(leaf), leaf.hex()
            note = key.sign(Statement(key.name, tree.size, tree.root, entry["at"]).to_text())
            row = (tree.size, tree.root.hex(), tree.to_text(), note)
            self.database.execute("INSERT INTO ledger_checkpoint (size, root, frontier, note) VALUES (?, ?, ?, ?)", row)
        self.put(entries)


@contextmanager
def copy_of(story: Story, folder: Path) -> Iterator[Hand]:
    """A hand on a copy of the story."""
    for name in ("workshop.db", "ledger.key"):
        shutil.copy(story.folder / name, folder / name)
    hand = Hand(folder)
    yield hand
    hand.database.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The real program on a port of its own; yields its address."""
    app = create_app(settings_of(folder), clock=MovableClock(), follow=False)
    config = uvicorn.Config(app.state.front, port=0, log_level="warning", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def start(sockets: Any = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = start  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        app.state.database.dispose()


def look_from_outside(address: str, kept: Path | None = None) -> tuple[int, str]:
    """Run the checking program as anybody would; its exit code and what it said."""
    command = [sys.executable, str(OUTSIDE), address, *([str(kept)] if kept else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


Tampering = Callable[[Hand], None]
