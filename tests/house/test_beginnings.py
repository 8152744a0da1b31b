"""What tests begin with is made once and copied: a copy is what was made, and nothing else is taken for it."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.main import create_app
from app.pages.models import Page
from app.permissions import Role
from app.settings import Settings
from app.transfer.verification import verify_database
from tests import beginnings
from tests.beginnings import made_once
from tests.conftest import MovableClock, reuse_compiled_statements
from tests.factories import HOUSING, Workshop

Open = Callable[[str], tuple[Workshop, MovableClock]]


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests of this file find nothing of each other's, and leave nothing."""
    monkeypatch.setattr(beginnings, "_kept", {})
    monkeypatch.setattr(beginnings, "_counts", Counter())


@pytest.fixture
def open_empty(sqlite_template: Path, tmp_path: Path) -> Iterator[Open]:
    """Opens programs that have nothing in common, each on an empty database."""
    opened: list[Workshop] = []

    def open_one(name: str) -> tuple[Workshop, MovableClock]:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(sqlite_template, folder / "workshop.db")
        settings = Settings(database_url=f"sqlite:///{folder / 'workshop.db'}", data_dir=folder, founders=100)
        clock = MovableClock()
        app = create_app(settings, clock=clock, follow=False)
        opened.append(Workshop(reuse_compiled_statements(app.state.database), app.state.follower))
        return opened[-1], clock

    yield open_one
    for workshop in opened:
        workshop.database.dispose()


def content(workshop: Workshop) -> list[str]:
    with workshop.database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        return list(driver.iterdump())


def test_a_copy_is_what_was_made_and_goes_on_by_itself(open_empty: Open) -> None:
    made: list[Workshop] = []

    @made_once
    def page_of(workshop: Workshop, clock: MovableClock) -> Page:
        made.append(workshop)
        members = [workshop.member(role=Role.WRITER, chapter=home) for home in ("north", "south")]
        page = workshop.page(members[0])
        for member in members:
            workshop.vote(member, workshop.shared_head(page))
        clock.move(hours=30)
        workshop.follow()
        return page

    first, clock = open_empty("first")
    page = page_of(workshop=first, clock=clock)
    assert first.approved_text(page) == HOUSING
    as_made = content(first)
    for name in ("second", "third"):
        copy, moved = open_empty(name)
        found = page_of(workshop=copy, clock=moved)
        assert made == [first]
        assert (found.id, found.slug, moved.moment) == (page.id, page.slug, clock.moment)
        assert content(copy) == as_made
        voters = [copy.member(chapter=home) for home in ("north", "south")]
        assert [voter.name for voter in voters] == ["member-3", "member-4"]
        fork = copy.fork(voters[0], found, ("10,000", "20,000"))
        for voter in voters:
            copy.vote(voter, fork.head_id or 0)
        moved.move(hours=30)
        copy.follow()
        assert "20,000" in (copy.approved_text(found) or "")
        assert verify_database(copy.database).faults == [], "the ledger goes on under the key that began it"
    assert content(first) == as_made


@pytest.mark.parametrize("otherwise", ["somebody is there", "another moment", "another rule", "another name"])
def test_what_begins_otherwise_is_made_anew(open_empty: Open, otherwise: str) -> None:
    made: list[Workshop] = []

    @made_once
    def member_of(workshop: Workshop, clock: MovableClock, name: str) -> str:
        made.append(workshop)
        return workshop.member(name).name

    first, clock = open_empty("first")
    assert member_of(workshop=first, clock=clock, name="anna") == "anna"
    other, clock = open_empty("other")
    if otherwise == "somebody is there":
        other.member("bob")
    elif otherwise == "another moment":
        clock.move(seconds=1)
    elif otherwise == "another rule":
        other.database.info["rule"] = other.database.info["rule"].__class__(wait_routine=0)
    name = "cara" if otherwise == "another name" else "anna"
    assert member_of(workshop=other, clock=clock, name=name) == name
    assert made == [first, other]
