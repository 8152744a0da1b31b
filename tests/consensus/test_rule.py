"""What is decided: passing, waiting, promotion, rivals, stops, and the order in which waiting ends."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.consensus.rule import (
    Bar,
    CandidateFacts,
    Counts,
    CurrentFacts,
    Decision,
    Electorate,
    Missing,
    Rule,
    State,
    decide,
    promotion_order,
)

NORTH, SOUTH, EAST = 1, 2, 3
HUNDRED = Electorate({NORTH: 50, SOUTH: 40, EAST: 10})
"""Need 10, caps 5."""

Tally = Mapping[int | None, Counts]

PASSING: Tally = {NORTH: Counts(7, 1), SOUTH: Counts(6)}
"""S = 5·7/8 + 5 = 75/8, O = 5/8, score 75/96."""

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CANDIDATE = CandidateFacts(PASSING, unchanged_since=NOON, opened_at=NOON - HOUR)
NO_BARS = CurrentFacts()


def ask(
    candidate: CandidateFacts = CANDIDATE,
    *,
    at: datetime = NOON,
    bars: tuple[Bar, ...] = (),
    electorate: Electorate = HUNDRED,
    rule: Rule | None = None,
) -> Decision:
    return decide(candidate, CurrentFacts(bars), electorate, rule or Rule(), at)


def test_a_candidate_that_passes_waits_and_is_then_promoted() -> None:
    first = ask()
    assert (first.state, first.promotes, first.passing_since) == (State.WAITING, False, NOON)
    assert first.waits_until == first.due_at == NOON + 12 * HOUR
    assert first.missing == (Missing("time", 12 * 3600),)
    remembered = replace(CANDIDATE, passing_since=NOON)
    assert ask(remembered, at=NOON + 12 * HOUR - timedelta(seconds=1)).state == State.WAITING
    ended = ask(remembered, at=NOON + 12 * HOUR)
    assert (ended.state, ended.promotes, ended.missing) == (State.APPROVED, True, ())


def test_passing_begins_no_earlier_than_the_vote() -> None:
    kept = replace(
        CANDIDATE, unchanged_since=NOON - 5 * HOUR, opened_at=NOON
    )  # its votes counted before it was settled
    assert ask(kept).passing_since == NOON


def test_the_wait_starts_anew_when_it_stops_passing_in_between() -> None:
    remembered = replace(CANDIDATE, passing_since=NOON)
    stopped = ask(replace(remembered, tally={NORTH: Counts(7, 9), SOUTH: Counts(6)}, unchanged_since=NOON + HOUR))
    assert (stopped.state, stopped.passing_since, stopped.waits_until) == (State.COLLECTING, None, None)
    again = replace(remembered, passing_since=stopped.passing_since, unchanged_since=NOON + 2 * HOUR)
    assert ask(again, at=NOON + 2 * HOUR).waits_until == NOON + 14 * HOUR


def test_a_further_vote_while_it_passes_keeps_the_wait_running() -> None:
    voted = replace(CANDIDATE, passing_since=NOON, unchanged_since=NOON + 3 * HOUR)
    assert ask(voted, at=NOON + 3 * HOUR).waits_until == NOON + 12 * HOUR


@pytest.mark.parametrize(("active", "minutes"), [(81, 120), (82, 60), (961, 60), (962, 30)])
def test_rapid_waits_less_the_more_people_are_needed(active: int, minutes: int) -> None:
    halves = Electorate({NORTH: active // 2, SOUTH: active - active // 2})
    quarters: Tally = {NORTH: Counts(active // 4), SOUTH: Counts(active // 4)}
    decision = ask(replace(CANDIDATE, tally=quarters, mode="rapid"), electorate=halves)
    assert decision.waits_until == NOON + timedelta(minutes=minutes)


def test_a_rapid_wait_that_is_set_replaces_the_tiers() -> None:
    decision = ask(replace(CANDIDATE, mode="rapid"), rule=Rule(wait_rapid=90))
    assert decision.waits_until == NOON + timedelta(seconds=90)


def test_a_wait_of_nothing_promotes_at_once() -> None:
    assert ask(rule=Rule(wait_routine=0)).promotes


def test_more_than_half_of_all_active_members_end_the_wait() -> None:
    half: Tally = {NORTH: Counts(30), SOUTH: Counts(20)}
    assert ask(replace(CANDIDATE, tally=half)).state == State.WAITING
    assert ask(replace(CANDIDATE, tally={**half, EAST: Counts(1)})).promotes


def test_a_majority_that_comes_during_the_wait_ends_it_when_it_comes() -> None:
    later = NOON + 5 * HOUR
    most: Tally = {NORTH: Counts(30), SOUTH: Counts(21)}
    decision = ask(replace(CANDIDATE, tally=most, passing_since=NOON, unchanged_since=later), at=later)
    assert decision.promotes
    assert (decision.passing_since, decision.waits_until) == (NOON, later)


def test_a_majority_does_not_pass_what_a_chapter_cap_keeps_back() -> None:
    alone = Electorate({NORTH: 60, SOUTH: 40})
    assert ask(replace(CANDIDATE, tally={NORTH: Counts(60)}), electorate=alone).state == State.COLLECTING


@pytest.mark.parametrize("tally", [PASSING, {NORTH: Counts(30), SOUTH: Counts(21)}])
def test_the_wait_for_a_neighbour_is_cut_short_by_nothing(tally: Tally) -> None:
    beside = replace(CANDIDATE, tally=tally, not_before=NOON + HOUR)
    for rule in (Rule(wait_routine=0), Rule(wait_routine=1800)):
        decision = ask(beside, rule=rule)
        assert (decision.state, decision.waits_until) == (State.WAITING, NOON + HOUR)
        assert ask(beside, at=NOON + HOUR, rule=rule).promotes


SCORE = Fraction(75, 96)


@pytest.mark.parametrize(
    ("bar", "state"),
    [(SCORE - Fraction(1, 10**9), State.WAITING), (SCORE, State.COLLECTING), (Fraction(9, 10), State.COLLECTING)],
)
def test_a_rival_needs_a_strictly_higher_score(bar: Fraction, state: State) -> None:
    decision = ask(bars=(Bar(bar, NOON + HOUR, "r12"),))
    assert (decision.score, decision.to_beat, decision.state) == (SCORE, bar, state)


def test_passing_begins_when_the_bar_lapses_whenever_one_asks() -> None:
    bars = (Bar(Fraction(9, 10), NOON + 20 * HOUR, "r12"), Bar(Fraction(8, 10), NOON + 22 * HOUR, "r14"))
    before = ask(bars=bars, at=NOON + 19 * HOUR)
    assert (before.passing_since, before.to_beat, before.due_at) == (None, Fraction(9, 10), NOON + 20 * HOUR)
    between = ask(bars=bars, at=NOON + 20 * HOUR)
    assert (between.state, between.to_beat, between.due_at) == (State.COLLECTING, Fraction(8, 10), NOON + 22 * HOUR)
    for late in (0, 1, 11):
        decision = ask(bars=bars, at=NOON + (22 + late) * HOUR)
        assert (decision.state, decision.to_beat) == (State.WAITING, None)
        assert (decision.passing_since, decision.waits_until) == (NOON + 22 * HOUR, NOON + 34 * HOUR)
    assert ask(bars=bars, at=NOON + 40 * HOUR).promotes


def test_a_bar_that_lapsed_before_the_last_vote_delays_nothing() -> None:
    bars = (Bar(Fraction(9, 10), NOON - HOUR, "r12"),)
    assert ask(bars=bars, at=NOON + HOUR).passing_since == NOON


def test_a_lower_score_after_the_bar_lapsed_keeps_the_wait_running() -> None:
    beaten = replace(CANDIDATE, passing_since=NOON - 20 * HOUR, unchanged_since=NOON + HOUR)
    bars = (Bar(Fraction(9, 10), NOON, "r12"),)
    assert ask(beaten, bars=bars, at=NOON + HOUR, rule=Rule(wait_routine=10**6)).passing_since == NOON - 20 * HOUR


def test_a_draft_nobody_voted_on_is_a_draft_until_somebody_does() -> None:
    assert ask(replace(CANDIDATE, tally={}, has_votes=False, opened_at=None)).state == State.DRAFT
    assert ask(replace(CANDIDATE, tally={})).state == State.COLLECTING
    assert ask(replace(CANDIDATE, tally={NORTH: Counts(0, 1)})).state == State.COLLECTING


def test_what_was_being_declined_when_it_went_stale_is_declined() -> None:
    opposed = replace(CANDIDATE, tally={1: Counts(0, 9), 2: Counts(1, 9)}, stale=True)
    failing = replace(opposed, failing_since=NOON - 11 * HOUR)
    before, after = ask(failing), ask(replace(failing, failing_since=NOON - 12 * HOUR))
    assert (before.state, before.lost_at, before.due_at) == (State.STALE, NOON + HOUR, NOON + HOUR)
    assert before.reasons[2].startswith("So many are against it that it is declined at")
    assert (after.state, after.falls) == (State.DECLINED, True)
    assert ask(opposed).lost_at is None, "no clock begins once it is stale"
    assert ask(replace(failing, tally={1: Counts(9, 9)})).lost_at is None


def test_a_stale_candidate_neither_passes_nor_waits() -> None:
    decision = ask(replace(CANDIDATE, stale=True, passing_since=NOON - 20 * HOUR))
    assert (decision.state, decision.promotes, decision.missing) == (State.STALE, False, ())
    assert (decision.passing_since, decision.waits_until, decision.due_at) == (None, None, None)


def test_on_hold_votes_go_on_counting_and_nothing_is_promoted() -> None:
    held = ask(replace(CANDIDATE, on_hold=True, passing_since=NOON - 20 * HOUR))
    assert (held.state, held.promotes, held.missing) == (State.ON_HOLD, False, ())
    assert (held.reach, held.passing_since, held.waits_until) == (10, NOON - 20 * HOUR, NOON - 8 * HOUR)
    assert ask(replace(CANDIDATE, passing_since=NOON - 20 * HOUR)).promotes


@pytest.mark.parametrize(
    "state",
    [
        State.APPROVED,
        State.UNPROMOTED,
        State.DECLINED,
        State.SUPERSEDED,
        State.WITHDRAWN,
        State.EXPIRED,
        State.CONTESTED,
    ],
)
def test_what_has_ended_stays_as_it_ended(state: State) -> None:
    ended = ask(replace(CANDIDATE, ended=state, passing_since=NOON - 20 * HOUR, because="It was so."))
    assert (ended.state, ended.promotes, ended.missing, ended.due_at) == (state, False, (), None)
    assert ended.passing_since == NOON - 20 * HOUR
    assert ended.reasons[1] == "It was so."


def test_a_vote_lasts_a_fortnight() -> None:
    opened = NOON - timedelta(days=14)
    lacking = replace(CANDIDATE, tally={NORTH: Counts(2)}, opened_at=opened)
    assert ask(lacking, at=NOON - HOUR).due_at == NOON
    assert ask(lacking).state == State.EXPIRED
    still_waiting = replace(CANDIDATE, opened_at=opened, unchanged_since=NOON - HOUR)
    assert ask(still_waiting, at=NOON - HOUR).due_at == NOON
    assert ask(still_waiting).state == State.EXPIRED
    was_due = replace(CANDIDATE, opened_at=opened, passing_since=NOON - 12 * HOUR)
    assert ask(was_due, at=NOON + 5 * HOUR).promotes


def test_supporters_of_one_chapter_alone_do_not_approve_anything_for_five_members() -> None:
    five, at_once = Electorate({NORTH: 3, SOUTH: 2}), Rule(wait_routine=0)
    alone = ask(replace(CANDIDATE, tally={NORTH: Counts(3)}), electorate=five, rule=at_once)
    assert (alone.state, alone.reach, alone.need) == (State.COLLECTING, 2, 3)
    assert alone.missing == (Missing("supporters", 1, (None,)),)
    assert ask(replace(CANDIDATE, tally={NORTH: Counts(2), SOUTH: Counts(1)}), electorate=five, rule=at_once).promotes


def test_one_member_is_enough_for_one() -> None:
    assert ask(replace(CANDIDATE, tally={NORTH: Counts(1)}), electorate=Electorate({NORTH: 1})).promotes


def test_ends_of_waiting_are_taken_in_one_order() -> None:
    """By the moment, then chapters in favour, then supporters, then an earlier start, then the smaller hash."""
    early = replace(CANDIDATE, passing_since=NOON - HOUR)
    wide = replace(CANDIDATE, tally={NORTH: Counts(5), SOUTH: Counts(5), EAST: Counts(1)})
    many = replace(CANDIDATE, tally={NORTH: Counts(20), SOUTH: Counts(20)})
    began_before = replace(CANDIDATE, passing_since=NOON - HOUR, not_before=NOON + 12 * HOUR)
    cases = [(early, "e"), (wide, "d"), (many, "c"), (began_before, "x"), (CANDIDATE, "a"), (CANDIDATE, "b")]
    keys = [promotion_order(ask(candidate), sha256) for candidate, sha256 in cases]
    assert all(sooner < later for sooner, later in pairwise(keys))
    assert promotion_order(ask(replace(CANDIDATE, tally={})), "0") > keys[-1]


def test_a_rule_keeps_its_form() -> None:
    rule = Rule(wait_routine=60, wait_rapid=5)
    assert Rule.from_json(rule.to_json()) == rule
    assert rule.to_json() == {
        "name": "three to one",
        "wait_routine": 60,
        "wait_rapid": 5,
        "vote_lasts": 14 * 86400,
        "rival_window": 86400,
        "neighbour_wait": 3600,
        "active_days": 14,
        "rapid_lasts": 48 * 3600,
    }


def test_a_decision_in_json_has_exact_fractions_and_names_chapters_by_address() -> None:
    facts = replace(CANDIDATE, tally={NORTH: Counts(7, 1, 4), None: Counts(1)})
    electorate = Electorate({NORTH: 60, SOUTH: 38, None: 2})
    found = ask(facts, electorate=electorate, bars=(Bar(Fraction(1, 2), NOON + HOUR, "r3"),))
    form = found.to_json({NORTH: "north", SOUTH: "south"})
    reasons = form.pop("reasons")
    assert len(reasons) == 3
    assert form == {
        "state": "collecting",
        "reach": 6,
        "need": 10,
        "support": "43/8",
        "oppose": "5/8",
        "score": "43/64",
        "to_beat": "1/2",
        "passing_since": None,
        "waits_until": None,
        "lost_at": None,
        "due_at": "2026-11-22T13:00:00Z",
        "promotes": False,
        "missing": [{"what": "supporters", "count": 4, "from": ["south", "at large"]}],
        "chapters": [
            {"chapter": "north", "members": 60, "cap": 5, "support": 7, "oppose": 1, "pass": 4, "counted": 5},
            {"chapter": "south", "members": 38, "cap": 5, "support": 0, "oppose": 0, "pass": 0, "counted": 0},
            {"chapter": "at large", "members": 2, "cap": 5, "support": 1, "oppose": 0, "pass": 0, "counted": 1},
        ],
    }


REFUSED: Tally = {NORTH: Counts(1, 4), SOUTH: Counts(0, 2)}
"""O = 6, S = 1, of 10 needed."""

IN_FORCE = replace(CANDIDATE, in_force=True, ended=State.APPROVED, passing_since=NOON)


def test_a_candidate_with_too_many_against_it_is_declined_after_the_waiting_time() -> None:
    facts = replace(CANDIDATE, tally=REFUSED)
    first = ask(facts)
    assert (first.state, first.failing_since, first.lost_at) == (State.COLLECTING, NOON, NOON + 12 * HOUR)
    assert first.due_at == NOON + 12 * HOUR
    assert "declined at 00:00 UTC on 23 November 2026" in first.reasons[2]
    remembered = replace(facts, failing_since=NOON, unchanged_since=NOON + HOUR)
    assert ask(remembered, at=NOON + 12 * HOUR - timedelta(seconds=1)).state == State.COLLECTING
    over = ask(remembered, at=NOON + 12 * HOUR)
    assert (over.state, over.falls, over.missing) == (State.DECLINED, True, ())


@pytest.mark.parametrize(
    ("votes", "declined"), [((4, 5), True), ((0, 4), False), ((5, 5), False), ((0, 5), True), ((6, 5), False)]
)
def test_declined_takes_half_of_the_people_needed_and_fewer_for_than_against(
    votes: tuple[int, int], declined: bool
) -> None:
    support, oppose = votes
    halves: Tally = {NORTH: Counts(support // 2, oppose // 2), SOUTH: Counts(support - support // 2, (oppose + 1) // 2)}
    assert (ask(replace(CANDIDATE, tally=halves)).lost_at is not None) == declined


def test_the_vote_ends_before_a_refusal_that_would_come_later() -> None:
    late = NOON + timedelta(days=14) - 6 * HOUR
    facts = replace(CANDIDATE, tally=REFUSED, opened_at=NOON, unchanged_since=late, failing_since=late)
    assert ask(facts, at=late + 6 * HOUR).state == State.EXPIRED


def test_the_approved_text_loses_its_approval_with_too_many_against_it() -> None:
    calm = ask(IN_FORCE, at=NOON + 20 * HOUR)
    assert (calm.state, calm.lost_at, calm.due_at) == (State.APPROVED, None, None)
    assert "at least 4 are against it" in calm.reasons[2]
    unwanted = replace(IN_FORCE, tally={NORTH: Counts(3, 2), SOUTH: Counts(2, 2)}, unchanged_since=NOON + HOUR)
    first = ask(unwanted, at=NOON + HOUR)
    assert (first.state, first.lost_at) == (State.APPROVED, NOON + 13 * HOUR)
    assert "loses its approval at 01:00 UTC" in first.reasons[2]
    over = ask(replace(unwanted, failing_since=NOON + HOUR), at=NOON + 13 * HOUR)
    assert (over.state, over.falls, over.due_at) == (State.UNPROMOTED, True, NOON + 13 * HOUR)


@pytest.mark.parametrize(
    ("votes", "unwanted"), [((7, 4), True), ((8, 4), False), ((0, 3), False), ((0, 4), True), ((9, 5), True)]
)
def test_unpromotion_takes_a_third_of_the_people_needed_and_fewer_than_two_to_one(
    votes: tuple[int, int], unwanted: bool
) -> None:
    wide = Electorate({NORTH: 50, SOUTH: 50})  # need 10, caps 5: what counts is spread evenly
    support, oppose = votes
    spread: Tally = {chapter: Counts() for chapter in wide.members}
    for number in range(support):
        spread = {**spread, (NORTH, SOUTH)[number % 2]: spread[(NORTH, SOUTH)[number % 2]] + Counts(1)}
    for number in range(oppose):
        spread = {**spread, (NORTH, SOUTH)[number % 2]: spread[(NORTH, SOUTH)[number % 2]] + Counts(0, 1)}
    found = ask(replace(IN_FORCE, tally=spread), electorate=wide)
    assert (found.lost_at is not None) == (3 * found.oppose >= 10 and found.support < 2 * found.oppose)
    if support + oppose <= 10:
        assert (found.lost_at is not None) == unwanted


def test_while_the_approved_text_may_lose_its_approval_nothing_else_is_approved() -> None:
    most: Tally = {NORTH: Counts(30), SOUTH: Counts(21)}
    losing = CurrentFacts(losing_until=NOON + 5 * HOUR)
    waits = decide(replace(CANDIDATE, tally=most), losing, HUNDRED, Rule(wait_routine=0), NOON)
    assert (waits.state, waits.waits_until) == (State.WAITING, NOON + 5 * HOUR)
    assert "nothing else is approved here" in waits.reasons[2]


def test_a_stop_holds_up_promotion_and_unpromotion_but_not_the_count() -> None:
    stopped = ask(replace(CANDIDATE, passing_since=NOON, on_hold=True), at=NOON + 20 * HOUR)
    assert (stopped.state, stopped.promotes, stopped.passing_since) == (State.ON_HOLD, False, NOON)
    unwanted = replace(IN_FORCE, tally=REFUSED, failing_since=NOON, on_hold=True)
    kept = ask(unwanted, at=NOON + 20 * HOUR)
    assert (kept.state, kept.falls, kept.failing_since) == (State.ON_HOLD, False, NOON)


def test_a_rapid_approval_goes_back_unless_it_passes_for_the_routine_waiting_time() -> None:
    until = NOON + 48 * HOUR
    rapid = replace(IN_FORCE, mode="rapid", unconfirmed_until=until)
    waiting = ask(rapid, at=NOON + HOUR)
    assert (waiting.state, waiting.is_confirmed, waiting.due_at) == (State.APPROVED, False, NOON + 12 * HOUR)
    assert "comes back at 12:00 UTC on 24 November 2026" in waiting.reasons[2]
    assert ask(rapid, at=NOON + 12 * HOUR).is_confirmed
    doubtful = replace(rapid, tally={NORTH: Counts(5, 2), SOUTH: Counts(3)}, passing_since=None)
    assert (back := ask(doubtful, at=until)).goes_back
    assert back.state == State.UNPROMOTED
    late = replace(rapid, passing_since=until - 11 * HOUR)
    assert ask(late, at=until + 5 * HOUR).goes_back, "it had passed for eleven hours when its time was over"
    assert ask(replace(rapid, passing_since=until - 12 * HOUR), at=until + 5 * HOUR).is_confirmed


def test_a_contested_text_is_approved_again_when_it_passes_again() -> None:
    contested = replace(IN_FORCE, ended=State.CONTESTED, passing_since=None, tally=REFUSED)
    assert (ask(contested).state, ask(contested).lost_at) == (State.CONTESTED, None)
    regained = replace(contested, tally=PASSING)
    assert (ask(regained).state, ask(regained).waits_until) == (State.CONTESTED, NOON + 12 * HOUR)
    assert ask(replace(regained, passing_since=NOON), at=NOON + 12 * HOUR).promotes


ORDER = [State.COLLECTING, State.WAITING, State.APPROVED]


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    data=st.data(),
    chapter=st.integers(0, 3),
    bar=st.none() | st.fractions(0, Fraction(19, 20), max_denominator=20),
)
@settings(max_examples=150, deadline=None)
def test_support_never_lowers_and_opposition_never_raises(
    sizes: list[int], data: st.DataObject, chapter: int, bar: Fraction | None
) -> None:
    electorate = Electorate(dict(enumerate(sizes)))
    tally: dict[int | None, Counts] = {}
    for key, size in enumerate(sizes):
        support = data.draw(st.integers(0, size))
        tally[key] = Counts(support, data.draw(st.integers(0, (size - support) // 2)))
    chapter %= len(sizes)
    bars = () if bar is None else (Bar(bar, NOON + HOUR, "r1"),)

    def with_vote(vote: Counts) -> Decision:
        return ask(replace(CANDIDATE, tally=tally | {chapter: tally[chapter] + vote}), electorate=electorate, bars=bars)

    less, same, more = (with_vote(vote) for vote in (Counts(0, 1), Counts(), Counts(1)))
    assert less.score <= same.score <= more.score
    assert ORDER.index(less.state) <= ORDER.index(same.state) <= ORDER.index(more.state)


@given(
    late=st.integers(0, 400),
    not_before=st.none() | st.integers(-5, 30),
    bar_ends=st.lists(st.integers(-10, 40), max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_asking_late_finds_what_asking_on_time_would_have(
    late: int, not_before: int | None, bar_ends: list[int]
) -> None:
    """A follower that asks at each due moment and one that asks once, later, see the same beginning and end."""
    bars = tuple(Bar(Fraction(9, 10), NOON + hours * HOUR, f"r{hours}") for hours in bar_ends)
    start = replace(CANDIDATE, not_before=None if not_before is None else NOON + not_before * HOUR)
    asked = ask(start, bars=bars)
    on_time = start
    while asked.due_at is not None and not asked.promotes and asked.due_at <= NOON + late * HOUR:
        on_time = replace(on_time, passing_since=asked.passing_since)
        asked = ask(on_time, bars=bars, at=asked.due_at)
    once = ask(start, bars=bars, at=NOON + late * HOUR)
    assert (once.state, once.passing_since, once.waits_until) == (asked.state, asked.passing_since, asked.waits_until)
