"""How many candidates are carried in one transaction: several where there is one writer anyway, else one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from app.consensus import follower
from app.database import Database
from app.drafts import service as drafts
from app.permissions import Actor, Role
from tests.conftest import MovableClock
from tests.factories import Workshop

SENTENCES = (
    "One bus every hour.",
    "Two trains a day.",
    "Three boats a week.",
    "Four trams a month.",
    "Five lifts a term.",
)
TEXT = "# Fares\n\n" + "\n\n".join(SENTENCES) + "\n"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine, time ends no transaction."""
    monkeypatch.setattr(follower, "HELD", 600.0)


@pytest.fixture
def members(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"m-{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(11)]


@pytest.fixture
def heads(workshop: Workshop, clock: MovableClock, members: list[Actor]) -> list[int]:
    """A candidate for each sentence of an approved text; all but the first have votes, the second has all it needs."""
    page = workshop.page(members[0], "Fares", TEXT)
    for member in members:
        workshop.vote(member, workshop.shared_head(page))
    clock.move(hours=30)
    workshop.follow()
    changes = [(sentence, f"No {sentence.lower()}") for sentence in SENTENCES]
    heads = [drafts.head_of(workshop.fork(members[0], page, change)) for change in changes]
    for member in members[:4]:
        workshop.vote(member, heads[1])
    for head in heads[2:]:
        workshop.vote(members[0], head)
    clock.move(hours=13)
    return heads


@contextmanager
def counting_carried(database: Database) -> Iterator[list[int]]:
    """How many candidates each transaction carried that carried any."""
    carried: list[int] = []
    now = 0

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        nonlocal now
        now += statement.startswith("INSERT INTO activity") and "candidate.carried" in str(parameters)

    def commit(_: Any) -> None:
        nonlocal now
        carried.extend([now] if now else [])
        now = 0

    event.listen(database.engine, "before_cursor_execute", note)
    event.listen(database.engine, "commit", commit)
    try:
        yield carried
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
        event.remove(database.engine, "commit", commit)


def test_where_one_writes_at_a_time_several_are_carried_together_up_to_one_that_is_approved(
    workshop: Workshop, members: list[Actor], heads: list[int]
) -> None:
    with counting_carried(workshop.database) as carried:
        for member in members[:6]:
            workshop.vote(member, heads[0])
        workshop.follow()
    # The second is approved as it is carried; the others are carried over both texts.
    assert carried == ([1, 3] if workshop.database.is_sqlite else [1, 1, 1, 1])
