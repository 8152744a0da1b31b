"""The benchmark of rules on votes made here: figures worked out by hand, and odd data that must not stop it."""

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from app.consensus import tallies
from app.consensus.rule import Counts
from bench.attacks import count_alone, push_costs, veto_costs
from bench.consensus import RULES, middle, run
from bench.learned import Learned
from bench.opinions import Conversation, Half, NoConversationsError, Vote, deal_chapters, halves_of, judge, read_folder
from bench.rules import MAJORITY, PRODUCT, THREE_TO_ONE, WILSON

MINUTE = 60_000
CHAPTERS = {f"{chapter}-{number}": chapter for chapter, size in enumerate((5, 4, 3)) for number in range(size)}
"""Twelve members: four supporters needed, two at most from one chapter."""


def cast(text: str, *votes: tuple[str, int, float]) -> list[Vote]:
    return [Vote(minute * MINUTE, text, voter, choice) for voter, choice, minute in votes]


GOOD = cast("good", ("0-0", 1, 0), ("0-1", 1, 1), ("0-2", 1, 2), ("1-0", 1, 3), ("2-0", 1, 4), ("2-1", 0, 30))
BAD = cast("bad", ("1-0", 1, 0))
HALF = Half("made up", {"good": GOOD, "bad": BAD}, {"good": "good", "bad": "bad", "other": "between"}, CHAPTERS)


def test_a_text_is_approved_after_an_hour_by_as_many_as_had_voted() -> None:
    """Three of one chapter count for two, so it takes two from elsewhere; a pass is a vote that changes nothing."""
    assert THREE_TO_ONE.approvals(HALF) == {"good": 6}
    later = [*GOOD[:5], *cast("good", ("2-1", 0, 64))]
    assert THREE_TO_ONE.approvals(Half("", {"good": later}, HALF.verdicts, CHAPTERS)) == {"good": 5}


def test_what_ceases_to_pass_within_the_hour_is_not_approved() -> None:
    against = [*GOOD, *cast("good", ("1-1", -1, 40), ("2-1", -1, 41))]
    assert THREE_TO_ONE.approvals(Half("", {"good": against}, HALF.verdicts, CHAPTERS)) == {}
    turned = [*GOOD, *cast("good", ("1-0", -1, 40))]
    assert THREE_TO_ONE.approvals(Half("", {"good": turned}, HALF.verdicts, CHAPTERS)) == {}
    changed = [*against, *cast("good", ("1-1", 1, 50), ("2-1", 1, 51))]
    assert THREE_TO_ONE.approvals(Half("", {"good": changed}, HALF.verdicts, CHAPTERS)) == {"good": 7}


def test_attacks_on_the_shipped_rule_cost_what_the_rule_says() -> None:
    """Two at most from the largest chapter and one honest supporter are three, never four. Of three for and k against
    there, 2/(3+k) is left: three to one holds up to k = 3, with five honest votes."""
    (push,), (veto,) = push_costs(THREE_TO_ONE, [HALF]), veto_costs(THREE_TO_ONE, [HALF])
    assert (push.largest, veto.largest) == (float("inf"), 4 / 5)


def test_the_figures_miss_when_chapters_have_no_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    tried, passed = count_alone([HALF])
    assert (tried > 1000, passed) == (True, 0)
    monkeypatch.setattr(tallies, "cap_of", lambda need, others: 10**9)
    (push,), (veto,) = push_costs(THREE_TO_ONE, [HALF]), veto_costs(THREE_TO_ONE, [HALF])
    assert (push.largest, veto.largest) == (3, 2 / 5)
    assert THREE_TO_ONE.approvals(Half("", {"good": GOOD[:4]}, HALF.verdicts, CHAPTERS)) == {"good": 4}
    assert count_alone([HALF])[1] > 1000


def test_the_other_rules_pass_where_they_should() -> None:
    """Majority: two of three, but only from four votes of twelve. Product: 4/5 · 2/3 · 2/4 is .27; of 9/10 cubed, .73.
    Wilson: eight of eight have a lower end of .676, seven of seven .646."""
    two, one = Counts(support=2), Counts(oppose=1)
    electorate = HALF.electorate
    assert MAJORITY.passes({0: two + two, 1: one + one}, electorate)
    assert not MAJORITY.passes({0: two, 1: one}, electorate)
    assert not MAJORITY.passes({0: two + two, 1: one + one + one}, electorate)
    assert not PRODUCT.passes({chapter: Counts(support=5, passes=1) for chapter in (0, 1)}, electorate)
    assert PRODUCT.passes({chapter: Counts(support=8) for chapter in range(3)}, electorate)
    assert not WILSON.passes({0: Counts(support=7)}, electorate)
    assert WILSON.passes({0: Counts(support=8)}, electorate)
    assert push_costs(MAJORITY, [HALF])[0].largest == 3
    assert veto_costs(MAJORITY, [HALF])[0].largest == 3 / 5


def test_the_learned_rule_tells_agreement_from_a_divide() -> None:
    """All like `common`; of two camps, 30 and 10, each likes its own ten texts. By votes alone those of the
    larger camp are liked; beyond the camps nothing but `common` is."""
    votes: dict[str, list[Vote]] = {}
    voters = {f"v{number}": int(number % 4 == 0) for number in range(40)}
    texts = {"common": None, **{f"t{number}": number % 2 for number in range(20)}}
    for moment, (voter, camp) in enumerate(voters.items()):
        for text, side in texts.items():
            choice = 1 if side in {None, camp} else -1
            votes.setdefault(text, []).append(Vote(moment * 10 * MINUTE, text, voter, choice))
    verdicts = {"common": "good", "t0": "bad", "t1": "bad"}
    half = Half("camps", votes, verdicts, dict.fromkeys(voters, 0))  # type: ignore[arg-type]
    assert list(Learned().approvals(half)) == ["common"]


def test_the_other_half_judges_by_every_large_group() -> None:
    """Eight of group a, eight of group b, three of c (too few to be asked), one of none."""
    groups: dict[str, str | None] = {f"{name}{number}": name for name in "ab" for number in range(8)}
    groups |= {"c0": "c", "c1": "c", "c2": "c", "x": None}

    def of(a: str, b: str, rest: str = "") -> dict[str, int]:
        signs = {"+": 1, "-": -1, "0": 0}
        names = (*(f"a{n}" for n in range(len(a))), *(f"b{n}" for n in range(len(b))), "c0", "c1", "c2", "x")
        return {voter: signs[sign] for voter, sign in zip(names, a + b + rest, strict=False)}

    assert judge(
        {
            "both for": of("+++--", "+++00"),
            "passes are votes": of("+++---", "+++"),
            "half of one group": of("++--", "++++"),
            "one group against": of("+---", "++++++"),
            "small group against": of("++++", "++++", "---"),
            "all against": of("++--", "++--", "---"),
            "seven": of("++++", "+++"),
            "three of one group": of("+++", "+++++"),
        },
        groups,
    ) == {
        "both for": "good",
        "half of one group": "between",
        "one group against": "bad",
        "small group against": "good",
        "all against": "bad",
    }
    ungrouped: dict[str, str | None] = {f"v{number}": None for number in range(10)}
    five = {f"v{number}": 1 if number < 5 else 0 for number in range(10)}
    assert judge({"five": five, "six": five | {"v5": 1}}, ungrouped) == {"five": "between", "six": "good"}


def test_half_of_a_group_is_in_its_own_chapters() -> None:
    """Of two groups the first holds chapters of 40, 15 and 8 %; so 1/2 + 63 %/2 of its voters are in one of them."""
    votes = [Vote(0, "text", f"v{number}", 1) for number in range(4000)]
    grouped = Conversation("one", votes, {}, {vote.voter: str(number % 2) for number, vote in enumerate(votes)})
    chapters = deal_chapters(grouped, 0)
    own = [chapters[voter] in {0, 2, 4} for voter, group in grouped.groups.items() if group == "0"]
    assert sum(own) / len(own) == pytest.approx(0.815, abs=0.03)
    free = Counter(deal_chapters(Conversation("one", votes, {}, {}), 0).values())
    shares = [free[chapter] / 4000 for chapter in range(5)]
    assert shares == pytest.approx([0.4, 0.25, 0.15, 0.12, 0.08], abs=0.03)


def write(folder: Path, votes: list[tuple[object, ...]], groups: dict[str, str] | None) -> None:
    folder.mkdir(parents=True)
    with (folder / "votes.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows([("timestamp_ms", "comment_id", "voter_id", "vote"), *votes])
    if groups is not None:
        with (folder / "participants.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([("participant", "group_id"), *groups.items()])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Everybody is for `yes` and against `no`: as each half sees it, whoever is in it."""
    voters = [f'pérson "{number}", x' for number in range(60)]
    votes: list[tuple[object, ...]] = [
        (1_000_000 + 1000 * number, text, voter, choice)
        for number, voter in enumerate(voters)
        for text, choice in (("yes", 1), ("no", -1))
    ]
    last = [(900_000, "yes", voter, -1) for voter in voters]
    rows = [*reversed(last), *votes, ("soon", "yes", "a", 1), (1, "yes", "a", "2"), (1, "", "a", 1), (1,)]
    write(tmp_path / "one group", rows, dict.fromkeys(voters, "0"))
    write(tmp_path / "no groups", votes, None)
    write(tmp_path / "nobody", [], {})
    write(
        tmp_path / "alone",
        [(10**13, "text", "somebody", 1), (10**15, "text", "b", 1), (-1, "text", "c", 1), ("nan", "text", "d", 1)],
        {"somebody": "", "other": "9"},
    )
    (tmp_path / "notes").mkdir()
    return tmp_path


def test_a_folder_of_odd_conversations_is_read_to_the_end(data: Path) -> None:
    read = {each.name: each for each in read_folder(data)}
    assert {name: len(each.votes) for name, each in read.items()} == {
        "alone": 1,
        "no groups": 120,
        "nobody": 0,
        "one group": 180,
    }
    assert read["one group"].votes[0].at == 900_000
    assert all(
        read["one group"].last[vote.text, vote.voter] == 1 for vote in read["one group"].votes if vote.at < 10**6
    )
    for half in halves_of(read["one group"], 0):
        assert half.verdicts == {"yes": "good", "no": "bad"}


def test_the_table_on_a_folder(data: Path) -> None:
    report = run(read_folder(data), seeds=(0,))
    rows = {row.rule: row for row in report.rows}
    assert list(rows) == [rule.name for rule in RULES]
    shipped = rows["three to one"]
    assert (shipped.recall, shipped.false, shipped.push_one_chapter) == (1.0, 0.0, None)
    majority = rows["majority"]
    assert (majority.push_one_chapter, round(majority.veto_one_chapter or 0, 1)) == (2.0, 0.5)
    assert report.counted == {"conversations": 4, "votes": 301, "good": 4, "bad": 4, "between": 0}


def test_the_command_prints_rows(data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.consensus", "--data", str(data), "--json"]
    rows = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["rows"]
    assert {tuple(row) for row in rows} == {
        ("rule", "recall", "false", "votes", "push_one_chapter", "veto_one_chapter")
    }
    assert [row["recall"] for row in rows if row["rule"] == "three to one"] == [1.0]
    with pytest.raises(NoConversationsError, match=r"no votes\.csv"):
        read_folder(tmp_path / "notes")


def test_nothing_to_count_is_no_number() -> None:
    assert run([], seeds=(0,)).rows[0].recall is None
    assert middle([1.0, float("inf"), float("inf")]) is None
    assert middle([1.0, 2.0, float("inf")]) == 2.0
