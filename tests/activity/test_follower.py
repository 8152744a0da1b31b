"""The loop that calls every consumer of the log."""

import threading

import pytest

from app.activity import follower as follower_module
from app.activity.follower import Follower
from app.database import Database
from tests.conftest import POSTGRES_IN_SOAK

pytestmark = POSTGRES_IN_SOAK


class Stumbler:
    """A consumer with a fault, the first time."""

    def __init__(self) -> None:
        self.calls = 0
        self.went_on = threading.Event()

    def follow(self, _database: Database) -> None:
        self.calls += 1
        if self.calls == 1:
            raise ValueError("a fault")
        self.went_on.set()


def test_a_fault_in_a_consumer_does_not_end_the_loop(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "RETRY_SECONDS", 0.01)
    consumer = Stumbler()
    loop = Follower(database, [consumer])
    loop.start()
    assert consumer.went_on.wait(10)
    loop.stop()
    assert consumer.calls >= 2
