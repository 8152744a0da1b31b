"""Whoever follows along ends with everything that happened, once and in order, however often the server is killed."""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.activity import service as activity
from app.consensus.models import Value
from app.permissions import Role
from tests.conftest import ENGINES
from tests.factories import Workshop
from tests.proxy import running_proxy
from tests.servers import NO_CERTIFICATES, Server

PAUSE = 0.05
"""Seconds between two questions of a follower, who would else take the core that the server needs."""

CHANGES, KILLS = 24, 1
SOAK_CHANGES, SOAK_KILLS = 1_000, 5


class Follower(ABC):
    """Reads the log in a thread of its own until it has seen a row, by whatever `read` yields."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.seen: list[int] = []
        self.broken = 0
        self._end = threading.Event()
        self._last = 0
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def end_at(self, last: int) -> None:
        """Stop at the first row from this one on."""
        self._last = last
        self._end.set()

    def result(self) -> list[int]:
        """The numbers of the rows up to the last one."""
        self._thread.join(60)
        assert not self._thread.is_alive(), (self.seen[-3:], self._last)
        return [number for number in self.seen if number <= self._last]

    def _follow(self) -> None:
        with httpx.Client(base_url=self.base, timeout=20, verify=NO_CERTIFICATES) as client:
            while not (self._end.is_set() and self.seen and self.seen[-1] >= self._last):
                try:
                    for row in self.read(client):
                        self.seen.append(row["seq"])
                        if self._end.is_set() and row["seq"] >= self._last:
                            break
                except httpx.HTTPError:
                    self.broken += 1
                self._end.wait(PAUSE)

    @abstractmethod
    def read(self, client: httpx.Client) -> Iterator[dict[str, Any]]:
        """Rows from where it stands, until the connection ends."""


class Poller(Follower):
    """Asks for the list again and again, from where the last answer said."""

    place = "0"

    def read(self, client: httpx.Client) -> Iterator[dict[str, Any]]:
        answer = client.get("/api/v1/changes", params={"since": self.place, "limit": 20})
        answer.raise_for_status()
        self.place = answer.json()["next"]
        yield from answer.json()["data"]


class Listener(Follower):
    """Keeps a stream open, and comes back with the last id it saw."""

    def read(self, client: httpx.Client) -> Iterator[dict[str, Any]]:
        known = {"Last-Event-ID": str(self.seen[-1])} if self.seen else {}
        with client.stream("GET", "/api/v1/stream", params={"since": "0"}, headers=known) as stream:
            stream.raise_for_status()
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))


def play(workshop: Workshop, server: Server, tmp_path: Path, *, changes: int, kills: int) -> None:
    """Members change their votes while two follow, one through a proxy, and the server is killed."""
    # Four supporters are needed and each text has three voters, so nothing is decided meanwhile.
    members = [workshop.member(f"m{n}", chapter=f"c{n % 3}", role=Role.WRITER) for n in range(12)]
    page = workshop.page(members[0])
    heads = [
        workshop.fork(member, page, (word, word.upper())).head_id or 0
        for member, word in zip(members, ("home", "Rents", "wages", "fair"), strict=False)
    ]
    server.start()
    with running_proxy(tmp_path / "proxy", server.url) as proxied:
        followers = [Poller(server.url), Listener(server.url), Listener(proxied)]
        for number in range(changes):
            value = (Value.SUPPORT, Value.PASS)[number // len(members) % 2]
            workshop.vote(members[number % len(members)], heads[number % len(heads)], value)
            if kills and number % (changes // kills) == changes // kills // 2:
                server.kill()
                server.start()
        with workshop.reading() as session:
            last = activity.newest_position(session)
            written = [row.id for row in activity.since(session, 0, limit=10 * changes)]
        for follower in followers:
            follower.end_at(last)
        workshop.vote(members[0], heads[0], Value.OPPOSE)  # a stream that is up to date waits for one more
        for follower in followers:
            assert follower.result() == written, type(follower).__name__
        assert all(follower.broken >= kills for follower in followers)
    server.kill()


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    made = Server(database_url, tmp_path, reads_per_minute=1_000_000)
    yield made
    made.kill()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_followers_miss_nothing_when_the_server_is_killed(workshop: Workshop, server: Server, tmp_path: Path) -> None:
    play(workshop, server, tmp_path, changes=CHANGES, kills=KILLS)


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ENGINES, indirect=True)
def test_followers_miss_nothing_in_a_thousand_changes_and_five_kills(
    workshop: Workshop, server: Server, tmp_path: Path
) -> None:
    play(workshop, server, tmp_path, changes=SOAK_CHANGES, kills=SOAK_KILLS)
