"""A real server: what crosses its connections, what stays when they break, and how it ends with streams open."""

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from app.activity.follower import Follower
from app.database import Database
from app.permissions import Role
from tests.factories import Workshop
from tests.servers import Server, look_again_soon

STREAMS = 40
SECONDS = 10.0
SOON = 2.5
"""The server cuts off what is still open after three seconds; streams end by themselves before."""


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(sqlite_template, tmp_path / "workshop.db")
    found = Database(f"sqlite:///{tmp_path / 'workshop.db'}")
    yield found
    found.dispose()


@pytest.fixture
def server(database: Database, tmp_path: Path) -> Iterator[Server]:
    running = Server(str(database.url), tmp_path)
    running.start()
    yield running
    running.kill()


class Connection:
    """A stream as it comes through the network."""

    def __init__(self, port: int, *headers: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.received = b""
        lines = ["GET /api/v1/stream HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        self.read_to(b"retry: 2000\n\n")

    def read_to(self, what: bytes) -> None:
        while what not in self.received:
            part = self._socket.recv(65_536)
            assert part, "the server closed the connection"
            self.received += part

    def ids(self) -> list[int]:
        return [int(line[4:]) for line in self.received.split(b"\n") if line.startswith(b"id: ")]

    def read_to_end(self) -> None:
        while part := self._socket.recv(65_536):
            self.received += part

    def close(self) -> None:
        self._socket.close()


def open_sockets(server: Server) -> int:
    """How many sockets the server holds; the files of the database stay open."""
    folder = Path(f"/proc/{server.pid}/fd")
    count = 0
    for link in folder.iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            count += os.readlink(link).startswith("socket:")
    return count


def wait_for(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not fact():
        assert time.monotonic() < deadline
        look_again_soon()


def test_streams_of_a_real_server(server: Server, database: Database) -> None:
    # One start for all: it is what takes the time.
    workshop = Workshop(database, Follower(database, []))
    at_rest = open_sockets(server)
    rows_of_another_process_reach_every_stream(server, workshop)
    broken_connections_leave_nothing(server, at_rest)
    a_stopping_server_ends_its_streams(server)


@contextmanager
def connected(server: Server, count: int, *headers: str) -> Iterator[list[Connection]]:
    with ExitStack() as closing:
        streams = []
        for _ in range(count):
            streams.append(Connection(server.port, *headers))
            closing.callback(streams[-1].close)
        yield streams


def rows_of_another_process_reach_every_stream(server: Server, workshop: Workshop) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    with connected(server, 3) as streams:
        workshop.page(anna)
        for stream in streams:
            stream.read_to(b'"kind":"revision.saved"')
            assert stream.ids() == [1, 2]
    with connected(server, 1, "Last-Event-ID: 1") as (again,):
        workshop.page(anna, "Two")
        again.read_to(b"id: 4\n")
        assert again.ids() == [2, 3, 4]


def broken_connections_leave_nothing(server: Server, at_rest: int) -> None:
    with connected(server, STREAMS):
        assert open_sockets(server) >= STREAMS
    wait_for(lambda: open_sockets(server) <= at_rest)


def a_stopping_server_ends_its_streams(server: Server) -> None:
    with connected(server, STREAMS) as streams:
        began = time.monotonic()
        server.terminate(within=SECONDS)
        assert time.monotonic() - began < SOON
        for stream in streams:
            stream.read_to_end()
            assert stream.received.endswith(b"0\r\n\r\n"), "a stream was cut off, not ended"
