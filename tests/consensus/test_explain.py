"""The sentences people read: how it stands, why, and what would change it."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from app.consensus.rule import Bar, CandidateFacts, Counts, CurrentFacts, Electorate, Rule, State, decide

NORTH, SOUTH, EAST, WEST = 1, 2, 3, 4
NAMES = {NORTH: "North", SOUTH: "South", EAST: "East", WEST: "West"}
HUNDRED: dict[int | None, int] = {NORTH: 40, SOUTH: 20, EAST: 20, WEST: 17, None: 3}
"""Need 10, caps 5."""

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BAR_UNTIL = NOON + 3 * HOUR
PASSING = {NORTH: (5, 0), SOUTH: (5, 0)}


def sentences(
    votes: dict[int, tuple[int, int]],
    *,
    members: dict[int | None, int] | None = None,
    beat: Fraction | None = None,
    **facts: Any,
) -> tuple[str, ...]:
    tally: dict[int | None, Counts] = {chapter: Counts(*cast) for chapter, cast in votes.items()}
    candidate = CandidateFacts(tally, **{"unchanged_since": NOON, "opened_at": NOON} | facts)
    bars = () if beat is None else (Bar(beat, BAR_UNTIL, "r12"),)
    electorate = Electorate(members or HUNDRED)
    return decide(candidate, CurrentFacts(bars), electorate, Rule(), NOON, names=NAMES).reasons


def test_a_draft_says_what_is_asked() -> None:
    assert sentences({}, has_votes=False) == (
        "Nobody has voted on this text yet.",
        "It needs 10 supporters, and at least three for every one against; no chapter counts for more than 5.",
        "It needs 10 supporters; 5 from North and 5 from any other chapter would do.",
    )


def test_a_chapter_over_its_cap_is_named_and_left_out() -> None:
    assert sentences({NORTH: (11, 0), SOUTH: (2, 0)}) == (
        "This text is ahead, but not approved.",
        "13 people support it and nobody is against; 7 of the 10 supporters needed count, because no more than 5 from "
        "North can.",
        "It needs 3 more supporters from any chapter but North.",
    )


def test_one_is_spoken_of_as_one() -> None:
    assert sentences({NORTH: (1, 1)}) == (
        "This text is not approved.",
        "1 person supports it and 1 is against; 1 of the 10 supporters needed counts; that is less than three for "
        "every one against.",
        "It needs 9 more supporters; 5 from South and 4 from any other chapter would do.",
    )
    assert sentences({NORTH: (1, 0)}, members={NORTH: 4}) == (
        "This text is ahead, but not approved.",
        "1 person supports it and nobody is against; 1 of the 2 supporters needed counts.",
        "It needs 1 more supporter.",
    )


def test_waiting_says_until_when_and_what_shortens_it() -> None:
    assert sentences(PASSING) == (
        "This text passes, and waits to be approved.",
        "10 people support it and nobody is against; 10 supporters count where 10 are needed, with at least three for "
        "every one against.",
        "It is approved at 00:00 UTC on 23 November 2026 if it still passes then, or as soon as more than half of the "
        "100 active members support it.",
    )


def test_waiting_for_a_neighbour_says_so() -> None:
    assert sentences(PASSING, not_before=NOON + 13 * HOUR)[2] == (
        "It is approved at 01:00 UTC on 23 November 2026 if it still passes then; a sentence beside it was approved, "
        "and its voters get the time to see that."
    )


def test_a_vote_that_ends_before_its_wait_says_so() -> None:
    assert sentences(PASSING, opened_at=NOON - 13 * 24 * HOUR - 23 * HOUR)[2] == (
        "Its waiting time would end at 00:00 UTC on 23 November 2026, but the vote ends at 13:00 UTC on 22 November "
        "2026; before that it is approved once more than half of the 100 active members support it."
    )


@pytest.mark.parametrize(
    ("votes", "beat", "why", "way_on"),
    [
        (
            PASSING,
            Fraction(6, 7),
            "it scores 0.83, and has to beat the 0.86 of r12, approved for the same sentences.",
            "It needs 3 more supporters from any chapter but North and South; from 15:00 UTC on 22 November 2026 it no "
            "longer has to beat another text.",
        ),
        (
            PASSING,
            Fraction(5, 6),
            "it scores the same as r12, approved for the same sentences, and then the current text stays.",
            "It needs 1 more supporter from any chapter but North and South; from 15:00 UTC on 22 November 2026 it no "
            "longer has to beat another text.",
        ),
        (
            PASSING,
            Fraction(99, 100),
            "it scores 0.83, and has to beat the 0.99 of r12, approved for the same sentences.",
            "No number of supporters beats that before 15:00 UTC on 22 November 2026; if nothing changes it passes "
            "then.",
        ),
        (
            {NORTH: (5, 0), SOUTH: (2, 0)},
            Fraction(99, 100),
            "it scores 0.77, and has to beat the 0.99 of r12, approved for the same sentences.",
            "No number of supporters beats that before 15:00 UTC on 22 November 2026; from then on it needs 3 more "
            "supporters from any chapter but North.",
        ),
    ],
)
def test_a_rival_ahead_is_named_with_both_scores(
    votes: dict[int, tuple[int, int]], beat: Fraction, why: str, way_on: str
) -> None:
    _, second, third = sentences(votes, beat=beat)
    assert second.endswith(why)
    assert third == way_on


def test_too_few_left_is_said() -> None:
    four: dict[int | None, int] = {NORTH: 4}
    assert sentences({NORTH: (1, 2)}, members=four)[2] == (
        "So many are against it that it is declined at 00:00 UTC on 23 November 2026, unless votes change before that. "
        "Even the one active member who has not voted for or against it could not make it pass; others would have to "
        "change their vote."
    )
    nobody: dict[int | None, int] = {NORTH: 0}
    assert sentences({}, members=nobody)[2] == "Nobody is an active member yet, so nobody can vote on it."
    assert sentences({NORTH: (2, 2)}, members=four)[2] == (
        "Every active member has voted for or against, so it passes only if some change their vote."
    )


def test_what_no_supporter_can_change_says_so() -> None:
    assert sentences(PASSING, stale=True) == (
        "This change no longer fits the approved text.",
        "The same sentences were changed by an approval after this change was begun.",
        "More supporters cannot help; it is put to a new vote once somebody merges it with the approved text.",
    )
    held = sentences(PASSING, on_hold=True, because="Held for now: the 12 % figure is from 2019.")
    assert held == (
        "A moderator has stopped this text for now.",
        "Held for now: the 12 % figure is from 2019.",
        "Votes go on counting, but no number of supporters approves it before the stop ends.",
    )


@pytest.mark.parametrize(
    "state", [state for state in State if state not in (State.DRAFT, State.COLLECTING, State.WAITING)]
)
def test_every_way_of_being_over_has_its_three_sentences(state: State) -> None:
    first, second, third = sentences(PASSING, ended=state)
    assert all(sentence.endswith(".") for sentence in (first, second, third))


def test_what_is_printed_never_contradicts_the_fractions() -> None:
    """S = 5·8/11 + 5·8/11 + 1 = 91/11 = 8.27…, O = 30/11 = 2.72…: 3·O = 8.18… passes; one less for does not."""
    _, why, _ = sentences({NORTH: (8, 3), SOUTH: (8, 3)})
    assert why == (
        "16 people support it and 6 are against; with chapters over their limit scaled down to it, 7.27 for and 2.73 "
        "against is less than three to one."
    )
    _, why, _ = sentences({NORTH: (8, 3), SOUTH: (8, 3), EAST: (1, 0)})
    assert why.endswith("11 supporters count where 10 are needed, with at least three for every one against.")
