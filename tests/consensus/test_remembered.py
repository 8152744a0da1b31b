"""What a list shows of a decision made before is what the rule says now."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from app.consensus.remembered import decide_as_before
from app.consensus.rule import Bar, CandidateFacts, Counts, CurrentFacts, Electorate, Rule, State, decide

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NAMES = {1: "North", 2: "South"}

moments = st.integers(-48, 48).map(lambda hours: NOON + timedelta(hours=hours))
maybe = st.none() | moments
counts = st.builds(Counts, st.integers(0, 9), st.integers(0, 9), st.integers(0, 2))
facts = st.builds(
    CandidateFacts,
    tally=st.dictionaries(st.sampled_from([1, 2, None]), counts),
    unchanged_since=moments,
    opened_at=maybe,
    passing_since=maybe,
    failing_since=maybe,
    not_before=maybe,
    unconfirmed_until=maybe,
    mode=st.sampled_from(["routine", "rapid"]),
    has_votes=st.booleans(),
    stale=st.booleans(),
    on_hold=st.booleans(),
    in_force=st.booleans(),
    ended=st.none() | st.sampled_from([State.CONTESTED, State.DECLINED]),
    because=st.sampled_from(["", "Stopped."]),
)
bars = st.builds(Bar, st.fractions(0, 1, max_denominator=20), moments, st.just("r1"))
currents = st.builds(CurrentFacts, st.lists(bars, max_size=2).map(tuple), maybe)
electorates = st.sampled_from([Electorate({1: 8, 2: 8}), Electorate({1: 3, None: 1})])
rules = st.sampled_from([Rule(), Rule(wait_routine=0), Rule(wait_routine=3_600, vote_lasts=7_200)])


@settings(max_examples=400)
@given(facts, currents, electorates, rules, st.lists(moments, min_size=1, max_size=8))
def test_whenever_it_is_asked_it_says_what_the_rule_says(
    candidate: CandidateFacts, current: CurrentFacts, electorate: Electorate, rule: Rule, asked_at: list[datetime]
) -> None:
    for now in asked_at:
        expected = decide(candidate, current, electorate, rule, now, names=NAMES)
        assert decide_as_before(candidate, current, electorate, rule, now, names=NAMES) == expected


def test_other_names_votes_and_rules_are_other_questions() -> None:
    candidate = CandidateFacts({1: Counts(1)}, unchanged_since=NOON, opened_at=NOON)
    more = CandidateFacts({1: Counts(2)}, unchanged_since=NOON, opened_at=NOON)
    electorate, wider = Electorate({1: 8, 2: 8}), Electorate({1: 8, 2: 30})
    for asked in (candidate, more):
        for members in (electorate, wider):
            for names in (NAMES, {1: "Hill", 2: "Dale"}):
                for rule in (Rule(), Rule(wait_routine=60)):
                    expected = decide(asked, CurrentFacts(), members, rule, NOON, names=names)
                    assert decide_as_before(asked, CurrentFacts(), members, rule, NOON, names=names) == expected


def test_a_bar_that_lapses_is_noticed() -> None:
    candidate = CandidateFacts({1: Counts(1)}, unchanged_since=NOON, ended=State.DECLINED)
    current = CurrentFacts((Bar(Fraction(1, 2), NOON + timedelta(hours=1), "r1"),))
    for hours, to_beat in ((0, Fraction(1, 2)), (1, None)):
        now = NOON + timedelta(hours=hours)
        found = decide_as_before(candidate, current, Electorate({1: 8}), Rule(), now, names=NAMES)
        assert found.to_beat == to_beat


def test_while_it_waits_the_seconds_that_are_missing_go_by() -> None:
    candidate = CandidateFacts({1: Counts(4), 2: Counts(4)}, unchanged_since=NOON, opened_at=NOON, passing_since=NOON)
    for hours in (0, 1):
        now = NOON + timedelta(hours=hours)
        found = decide_as_before(candidate, CurrentFacts(), Electorate({1: 20, 2: 20}), Rule(), now, names=NAMES)
        assert found.state == State.WAITING
        assert [entry.count for entry in found.missing] == [(12 - hours) * 3_600]
