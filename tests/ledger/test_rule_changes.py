"""A change of the rule by moderators, seen from outside."""

import shutil
from pathlib import Path

import pytest

from app.consensus import ledger, rule_changes, voiding
from app.main import create_app
from app.permissions import Actor, Role
from tests.conftest import MovableClock
from tests.factories import Workshop
from tests.ledger.campaign import Hand, Story, copy_of, look_from_outside, served, settings_of


@pytest.fixture
def story(sqlite_template: Path, tmp_path: Path) -> Story:
    """The rule, another by two moderators, a voiding, a text whose vote opened before both, and one between them."""
    folder = tmp_path / "story"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "workshop.db")
    clock = MovableClock()
    app = create_app(settings_of(folder), clock=clock, follow=False)
    workshop = Workshop(app.state.database, app.state.follower)
    ledger.begin(app.state.database)
    north, south = (
        [workshop.member(f"{home}-{n}", chapter=home, role=Role.MODERATOR) for n in range(5)]
        for home in ("north", "south")
    )
    voters = [*north[:2], *south[:2]]

    def put_up(title: str, voters: list[Actor]) -> None:
        head = workshop.shared_head(workshop.page(voters[0], title))
        for voter in voters:
            workshop.vote(voter, head)

    put_up("Housing", voters)
    with workshop.writing() as session:
        proposed = rule_changes.propose(session, north[0], "neighbour_wait", 60, reason="It is too long.")
        rule_changes.confirm(session, south[0], proposed.proposal.id)
    put_up("Schools", voters)
    with workshop.writing() as session:
        for side in (north, south):
            voiding.ask(session, side[0], "south-3", voids=True, reason="Bought votes.")
    clock.move(hours=2)
    workshop.follow()
    app.state.database.dispose()
    return Story(folder, {})


def seen(folder: Path) -> tuple[int, str]:
    with served(folder) as address:
        return look_from_outside(address)


def test_it_is_good_as_it_is(story: Story) -> None:
    hand = Hand(story.folder)
    told = [(it["kind"], it["basis"], (it["rule"] or {}).get("neighbour_wait")) for it in hand.entries()]
    hand.database.close()
    assert told == [
        ("rule", "settings", 3600),
        ("rule", "moderators", 60),
        ("voided", "moderators", None),
        ("promoted", "consensus", 3600),
        ("promoted", "consensus", 60),
    ]
    assert seen(story.folder) == (0, "Good: every entry, decision, text and signature is as it should be.\n")


@pytest.mark.parametrize(("place", "told"), [(1, ["north"]), (2, ["north"]), (2, [])])
def test_one_moderator_alone_is_found(story: Story, tmp_path: Path, place: int, told: list[str]) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    with copy_of(story, folder) as hand:
        entries = hand.entries()
        entries[place]["by"] = told
        if not told:
            entries[place]["basis"] = "settings"
        hand.sign(entries)
    code, said = seen(folder)
    assert code == 1
    assert said.splitlines()[0] == f"Entry {place + 1}: decided by too few moderators."


def test_a_rule_that_moderators_never_told_is_found(story: Story, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    with copy_of(story, folder) as hand:
        entries = hand.entries()
        entries[1]["rule"]["neighbour_wait"] = 90
        hand.sign(entries)
    code, said = seen(folder)
    assert code == 1
    assert "Entry 5: an untold rule." in said
