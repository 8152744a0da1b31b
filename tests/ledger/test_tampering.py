"""Whoever changes the ledger is found out by the program that anybody can run, even where they have the key."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.ledger.campaign import Entry, Hand, Story, copy_of, look_from_outside, served, tell

GOOD = "Good: every entry, decision, text and signature is as it should be.\n"

pytestmark = pytest.mark.xdist_group("ledger")


@pytest.fixture(scope="module")
def story(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return tell(sqlite_template, tmp_path_factory.mktemp("story"))


def test_the_story_holds_what_can_be_tampered_with(story: Story, tmp_path: Path) -> None:
    with copy_of(story, tmp_path) as hand:
        entries = hand.entries()
    kinds = ["rule", *["promoted"] * 7]
    assert [entry["kind"] for entry in entries] == kinds
    assert [bool(entry["carried_from"]) for entry in entries] == [False] * 4 + [True] + [False] * 3
    assert entries[5]["to_beat"] == [{"entry": 4, "score": "2/3"}]


def test_an_honest_ledger_is_good_whatever_is_kept_of_it(story: Story, tmp_path: Path) -> None:
    with copy_of(story, tmp_path), served(tmp_path) as address:
        assert look_from_outside(address) == (
            0,
            "Good: every entry, decision, text and signature is as it should be.\n",
        )
        for size in (1, 5, 8):
            kept = tmp_path / f"{size}.txt"
            kept.write_text(story.kept[size])
            assert look_from_outside(address, kept)[0] == 0


def change_a_field(hand: Hand) -> None:
    entries = hand.entries()
    entries[2]["page"] = "trains"
    hand.put(entries)


def reorder(hand: Hand) -> None:
    entries = hand.entries()
    entries[3], entries[4] = entries[4], entries[3]
    hand.put(entries)


def drop_a_middle(hand: Hand) -> None:
    entries = hand.entries()
    hand.put(entries[:3] + entries[5:])


def insert(hand: Hand) -> None:
    entries = hand.entries()
    hand.put([*entries[:4], {**entries[3], "at": entries[4]["at"]}, *entries[4:]])


def date_back(hand: Hand) -> None:
    entries = hand.entries()
    entries[7]["at"] = "2026-11-22T09:30:00.000000Z"
    hand.sign(entries)


def change_votes(**votes: int) -> Callable[[Hand], None]:
    """Other votes of one chapter of the newest entry, with the score that follows from them, all signed anew."""

    def tamper(hand: Hand) -> None:
        entries = hand.entries()
        line = next(line for line in entries[7]["tallies"] if line["chapter"] == "south")
        line |= votes
        pro, con = 2 + line["support"], line["oppose"]
        entries[7]["score"] = {(3, 0): "3/5", (4, 3): "7/15"}[pro, con]
        hand.sign(entries)

    return tamper


def change_newest(**fields: object) -> Callable[[Hand], None]:
    """Other fields of the newest entry, all signed anew."""

    def tamper(hand: Hand) -> None:
        entries = hand.entries()
        entries[7] |= fields
        hand.sign(entries)

    return tamper


def change_entry(number: int, change: Callable[[Entry], None]) -> Callable[[Hand], None]:
    """Another entry than was signed, all signed anew."""

    def tamper(hand: Hand) -> None:
        entries = hand.entries()
        change(entries[number - 1])
        hand.sign(entries)

    return tamper


def split_a_chapter(entry: Entry) -> None:
    """Let one chapter stand as two, so that neither has more votes than its cap."""
    north, *others = entry["tallies"]
    half = {**north, "members": 3, "support": 1}
    rest = {**north, "chapter": "northwest", "members": north["members"] - 3, "support": north["support"] - 1}
    entry["tallies"] = [half, rest, *others]


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (change_a_field, "not those that were signed"),
        (reorder, "Entry 4 is not in its place"),
        (drop_a_middle, "Entry 4 is not in its place"),
        (insert, "Entry 5 is not in its place"),
        (date_back, "Entry 8 is dated before the one it follows"),
        (change_votes(support=1), "Entry 8: 3 of 4 people"),
        (change_votes(oppose=3), "Entry 8: 4 of 4 people, 14/5 to 6/5"),
        (change_newest(score="3/4"), "Entry 8: the score does not follow"),
        (change_newest(electorate=13), "Entry 8: members are never counted like this"),
        (change_entry(8, split_a_chapter), "Entry 8: members are never counted like this"),
        (change_newest(passing_since="2026-11-23T16:30:00.000000Z"), "Entry 8: approved before its wait was over"),
        (change_newest(opened_at="2026-11-01T00:00:00.000000Z"), "Entry 8: the vote was over by then"),
        (change_newest(base="0" * 64), "Entry 8: the text before is not the one that was in force"),
        (change_newest(text="0" * 64), "schools: the text served is not the one approved"),
        (change_newest(kind="imported"), "Entry 8: an import over what was approved"),
        (change_newest(kind="decreed"), "Entry 8: “decreed” is unknown"),
        (change_entry(8, lambda entry: entry["rule"].update(wait_routine=0)), "Entry 8: an untold rule"),
        (
            change_entry(5, lambda entry: entry.update(carried_from=["0" * 64])),
            "housing: a text that votes",
        ),
        (change_entry(6, lambda entry: entry["to_beat"][0].update(score="1/2")), "Entry 6: not above entry 4"),
        (change_entry(4, lambda entry: entry.update(score="5/7")), "Entry 6: not above entry 4"),
    ],
)
def test_a_change_is_found(story: Story, tmp_path: Path, tamper: Callable[[Hand], None], said: str) -> None:
    with copy_of(story, tmp_path) as hand:
        tamper(hand)
    with served(tmp_path) as address:
        code, words = look_from_outside(address)
    assert (code, said in words) == (1, True), words


def drop_the_tail(hand: Hand) -> None:
    """What the program itself signed when there were six entries, and the texts of that day."""
    hand.put(hand.entries()[:6])
    hand.database.execute("DELETE FROM ledger_checkpoint WHERE size > 6")
    for verb in ("update", "delete"):
        hand.database.execute(f"DROP TRIGGER approval_refuses_{verb}")
    hand.database.execute("PRAGMA foreign_keys=OFF")
    hand.database.execute("DELETE FROM approval WHERE id > 5")
    hand.database.commit()


def sign_a_shorter_log(hand: Hand) -> None:
    drop_the_tail(hand)
    entries = hand.entries()
    entries[5]["reason"] = "Another one."
    hand.sign(entries)


def sign_another_of_the_same_size(hand: Hand) -> None:
    change_newest(reason="Another one.")(hand)


def change_a_vote_that_changes_nothing(hand: Hand) -> None:
    entries = hand.entries()
    entries[2]["tallies"][0]["pass"] = 2
    hand.sign(entries)


@pytest.mark.parametrize(
    ("tamper", "size", "said"),
    [
        (drop_the_tail, 8, "The ledger had 8 entries and has 6"),
        (sign_a_shorter_log, 8, "The ledger had 8 entries and has 6"),
        (sign_another_of_the_same_size, 8, "not those that your checkpoint covers"),
        (change_a_vote_that_changes_nothing, 5, "not those that your checkpoint covers"),
    ],
)
def test_what_only_an_older_checkpoint_shows_is_found_with_one(
    story: Story, tmp_path: Path, tamper: Callable[[Hand], None], size: int, said: str
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(story.kept[size])
    with copy_of(story, tmp_path) as hand:
        tamper(hand)
    with served(tmp_path) as address:
        assert look_from_outside(address)[0] == 0, "made so well that nothing else shows it"
        code, words = look_from_outside(address, kept)
    assert (code, said in words) == (1, True), words


def test_entries_after_a_checkpoint_are_not_dated_before_it(story: Story, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(story.kept[7])
    with copy_of(story, tmp_path) as hand:
        date_back(hand)
    with served(tmp_path) as address:
        code, words = look_from_outside(address, kept)
    assert (code, "An entry after your checkpoint is dated before it" in words) == (1, True), words


def test_another_key_is_noticed(story: Story, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(story.kept[8].replace("— workshop.test/ledger ", "— other.test/ledger "))
    with copy_of(story, tmp_path), served(tmp_path) as address:
        assert look_from_outside(address, kept) == (1, "A checkpoint was not signed with the key of this ledger.\n")


def test_nobody_there_is_not_good() -> None:
    code, words = look_from_outside("http://127.0.0.1:9")
    assert (code, "could not be checked" in words) == (1, True)


def test_the_command_looks_from_outside_too(story: Story, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(story.kept[8])
    with copy_of(story, tmp_path) as hand, served(tmp_path) as address:
        assert CliRunner().invoke(cli, ["verify", "--remote", address, str(kept)]).exit_code == 0
        sign_another_of_the_same_size(hand)
        assert CliRunner().invoke(cli, ["verify", "--remote", address]).exit_code == 0
        assert CliRunner().invoke(cli, ["verify", "--remote", address, str(kept)]).exit_code == 1
    assert CliRunner().invoke(cli, ["verify", str(kept)]).exit_code == 2


def test_the_command_looks_inside(story: Story, tmp_path: Path) -> None:
    settings = {"WORKSHOP_DATABASE_URL": f"sqlite:///{tmp_path / 'workshop.db'}", "WORKSHOP_DATA_DIR": str(tmp_path)}
    with copy_of(story, tmp_path) as hand:
        good = CliRunner().invoke(cli, ["verify"], env=settings)
        change_a_field(hand)
        bad = CliRunner().invoke(cli, ["verify"], env=settings)
    assert (good.exit_code, "8 ledger entries" in good.output) == (0, True), good.output
    assert (bad.exit_code, "the checkpoint over 3 entries is not of the entries" in bad.output) == (1, True), bad.output
