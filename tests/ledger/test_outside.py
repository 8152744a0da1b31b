"""The checking program's own reading of the rule: it agrees with ours, and knows what may follow on what."""

import importlib.util
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consensus.facts import CandidateFacts, CurrentFacts, Rule
from app.consensus.ledger import decision_fields
from app.consensus.rule import decide
from app.consensus.tallies import Counts, Electorate
from app.ledger.canonical import moment
from app.ledger.service import FIELDS
from tests.ledger.campaign import OUTSIDE

OPENED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RULE = Rule()
SLUGS = {number: f"chapter-{number}" for number in range(1, 9)}
Entry = dict[str, Any]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify", OUTSIDE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verify = load()


def told(entries: list[Entry]) -> list[str]:
    """What the program finds wrong in a page's entries."""
    page = verify.Page()
    told_rule = {**FIELDS, "sequence": 1, "kind": "rule", "basis": "settings", "rule": RULE.to_json()}
    whole = [told_rule, *entries]
    for sequence, entry in enumerate(whole, start=1):
        entry["sequence"] = sequence
    return [
        f"{entry['sequence']}: {words}" for entry in entries for wrong, words in list(page.enter(entry, whole)) if wrong
    ]


def test_it_is_short_and_stands_alone() -> None:
    source = OUTSIDE.read_text()
    assert len(source.splitlines()) <= 150
    assert "import app" not in source
    assert "from app" not in source


def test_without_an_address_it_says_how_it_is_asked() -> None:
    done = subprocess.run([sys.executable, str(OUTSIDE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Check a workshop's public ledger from outside: python verify.py URL [CHECKPOINT]")


VOTES = st.integers(0, 12)
TALLIES = st.dictionaries(
    st.one_of(st.none(), st.integers(1, 8)), st.builds(Counts, support=VOTES, oppose=st.integers(0, 5)), max_size=9
)
ELECTORATES = st.dictionaries(st.one_of(st.none(), st.integers(1, 8)), st.integers(0, 60), max_size=9)


@given(TALLIES, ELECTORATES, st.integers(0, 20))
def test_it_decides_as_the_rule_does(
    tally: dict[int | None, Counts], members: dict[int | None, int], hours: int
) -> None:
    at = OPENED + timedelta(hours=hours)
    facts = CandidateFacts(tally, unchanged_since=OPENED, opened_at=OPENED)
    decision = decide(facts, CurrentFacts(), Electorate(members), RULE, at)
    entry = promoted("a", None, at) | decision_fields(decision, SLUGS)
    entry["passing_since"] = entry["passing_since"] or moment(OPENED)
    entry["waits_until"] = entry["waits_until"] or moment(at)
    assert (told([entry]) == []) == decision.promotes, decision.reasons


def promoted(text: str, base: str | None, at: datetime, **more: object) -> Entry:
    """Two of three members for it, after the waiting time."""
    return {
        **FIELDS,
        "at": moment(at),
        "kind": "promoted",
        "text": text,
        "base": base,
        "basis": "consensus",
        "mode": "routine",
        "rule": RULE.to_json(),
        "electorate": 3,
        "tallies": [line(support=2)],
        "score": "1/2",
        "opened_at": moment(at - timedelta(hours=12)),
        "passing_since": moment(at - timedelta(hours=12)),
        "waits_until": moment(at),
        **more,
    }


def line(support: int = 0, oppose: int = 0) -> Entry:
    return {"chapter": "at large", "members": 3, "support": support, "oppose": oppose, "pass": 0}


def later(days: float) -> datetime:
    return OPENED + timedelta(days=days)


def other(kind: str, text: str | None, base: str | None, days: float, **more: object) -> Entry:
    fields = {"kind": kind, "text": text, "base": base, "at": moment(later(days)), "mode": "routine"}
    return {**FIELDS, "basis": "moderators", **fields, **more}


def unpromoted(text: str, base: str, days: float, **more: object) -> Entry:
    votes = {"basis": "consensus", "tallies": [line(support=1, oppose=1)], "electorate": 3, "score": "1/4"}
    clock = {"rule": RULE.to_json(), "since": moment(later(days - 0.5))}
    return other("unpromoted", text, base, days, **{**votes, **clock, **more})


TWO = (("a", None, 1), ("b", "a", 2))


def begun() -> list[Entry]:
    return [promoted(text, base, later(days)) for text, base, days in TWO]


GOOD = [
    [other("held", "b", "b", 3), other("released", "b", "b", 3.1)],
    [other("held", "b", "b", 3, until=moment(later(3.2))), promoted("c", "b", later(4))],
    [other("corrected", "a", "b", 3)],
    [promoted("c", "b", later(3), kind="corrected", passing_since=moment(later(3)), waits_until=None)],
    [other("withdrawn", None, "b", 3), other("restored", "b", None, 4, by=["north", "south"])],
    [other("withdrawn", None, "b", 3), promoted("b", None, later(4)), other("corrected", "a", "b", 5)],
    [unpromoted("a", "b", 3)],
    [unpromoted("a", "b", 3), unpromoted("a", "a", 4)],
    [promoted("c", "b", later(3), mode="rapid"), other("unpromoted", "b", "c", 5, basis="rapid")],
    [
        promoted("c", "b", later(3), mode="rapid"),
        other("withdrawn", None, "c", 3.2),
        other("restored", "c", None, 3.4, by=["north", "south"]),
        other("unpromoted", "b", "c", 5, basis="rapid"),
    ],
]


@pytest.mark.parametrize("entries", GOOD)
def test_what_moderators_and_votes_may_do_is_good(entries: list[Entry]) -> None:
    assert told([*begun(), *(dict(entry) for entry in entries)]) == []


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([other("held", "a", "b", 3)], "4: “held” is unknown, or leads to another text"),
        ([other("released", "c", "b", 3)], "4: “released” is unknown, or leads to another text"),
        ([other("held", "b", "b", 3), promoted("c", "b", later(4))], "5: approved while it was stopped"),
        ([other("corrected", "c", "b", 3, rule=RULE.to_json())], "4: 0 of 2 people"),
        ([unpromoted("a", "b", 3), other("corrected", "b", "a", 4, rule=RULE.to_json())], "5: 0 of 2 people"),
        ([other("withdrawn", "a", "b", 3)], "4: “withdrawn” is unknown, or leads to another text"),
        (
            [other("withdrawn", None, "b", 3), other("restored", "b", None, 4, by=["north", "north"])],
            "5: restored by too few",
        ),
        ([other("restored", "a", "b", 3, by=["north", "south"])], "4: restored by too few"),
        ([unpromoted("b", "b", 3)], "4: “unpromoted” is unknown, or leads to another text"),
        ([unpromoted("a", "b", 3, since=moment(later(2.9)))], "4: the votes do not take the approval away"),
        ([unpromoted("a", "b", 3, tallies=[line(support=2)], score="1/2")], "4: the votes do not take"),
        ([other("unpromoted", "a", "b", 5, basis="rapid")], "4: it could stay"),
        (
            [promoted("c", "b", later(3), mode="rapid"), other("unpromoted", "b", "c", 4.9, basis="rapid")],
            "5: it could stay",
        ),
        (
            [
                promoted("c", "b", later(3), mode="rapid"),
                unpromoted("b", "c", 4, mode="rapid"),
                other("unpromoted", "a", "b", 5, basis="rapid"),
            ],
            "6: it could stay",
        ),
        ([other("imported", "c", "b", 3, basis="import")], "4: an import over what was approved"),
        ([other("imported", "c", "b", 3, basis="before the ledger")], "4: an import over what was approved"),
    ],
)
def test_what_they_may_not_do_is_found(entries: list[Entry], said: str) -> None:
    found = told([*begun(), *(dict(entry) for entry in entries)])
    assert any(words.startswith(said) for words in found), found
