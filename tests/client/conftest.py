from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from message_workshop import Workshop

from tests.running import Running, running_campaign
from tests.servers import NO_CERTIFICATES


class Clock:
    """Seconds that tests move."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Line(httpx.HTTPTransport):
    """The way to the real server: it keeps what was answered, and can be cut."""

    def __init__(self) -> None:
        super().__init__(verify=NO_CERTIFICATES)
        self.cut = False
        self.requests: list[httpx.Request] = []
        self.statuses: list[int] = []
        self.instead: list[httpx.Response] = []
        """What something in between answers to the next requests."""
        self.lose_answers = 0
        """How many answers get lost after the server has done what was asked."""
        self.age: int | None = None
        """For how many seconds a cache in between says that it has held what it answers."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.cut:
            raise httpx.ConnectError("no network", request=request)
        response = self.instead.pop(0) if self.instead else super().handle_request(request)
        if self.lose_answers:
            self.lose_answers -= 1
            response.read()
            raise httpx.ReadError("the connection broke", request=request)
        if self.age is not None:
            response.headers["Age"] = str(self.age)
        self.statuses.append(response.status_code)
        return response


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("client")
    with running_campaign(folder, sqlite_template, webhook_networks="127.0.0.0/8") as found:
        yield found


@pytest.fixture
def client_clock() -> Clock:
    return Clock()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def pauses() -> list[float]:
    """How long a client would have waited."""
    return []


Connect = Callable[..., Workshop]


@pytest.fixture
def connect(running: Running, line: Line, client_clock: Clock, pauses: list[float]) -> Iterator[Connect]:
    """Makes clients of the running server, by default one without a token and with copies in memory."""
    made: list[Workshop] = []

    def make(**options: object) -> Workshop:
        given = {"transport": line, "clock": client_clock, "sleep": pauses.append, **options}
        made.append(Workshop(running.url, **given))  # type: ignore[arg-type]  # whatever a test wants
        return made[-1]

    yield make
    for client in made:
        client.close()
