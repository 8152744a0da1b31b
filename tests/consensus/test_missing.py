"""What a candidate lacks is exactly what makes it pass: no less does, and any way of taking it does."""

import itertools
import random
from collections.abc import Iterator, Mapping
from fractions import Fraction

import pytest

from app.consensus.missing import Missing, find_missing_supporters
from app.consensus.tallies import Count, Counts, Electorate, count_tally

Members = dict[int | None, int]
Votes = dict[int | None, tuple[int, int]]

NORTH, SOUTH, EAST, WEST = 1, 2, 3, 4
FIVE_CHAPTERS: Members = {NORTH: 40, SOUTH: 25, EAST: 15, WEST: 12, 5: 8}
"""100 members: need 10, every chapter counts separately, every cap is 5."""


def count(members: Members, votes: Votes) -> Count:
    return count_tally({chapter: Counts(*cast) for chapter, cast in votes.items()}, Electorate(members))


def missing(
    members: Members, votes: Votes, to_beat: Fraction | None = None
) -> list[tuple[int, tuple[int | None, ...]]]:
    found = find_missing_supporters(count(members, votes), to_beat)
    assert all(entry.what == "supporters" for entry in found)
    return [(entry.count, entry.chapters) for entry in found]


@pytest.mark.parametrize(
    ("votes", "to_beat", "expected"),
    [
        ({NORTH: (5, 0), SOUTH: (5, 0)}, None, []),  # passes
        ({NORTH: (11, 0), SOUTH: (3, 0)}, None, [(2, (SOUTH, EAST, WEST, 5))]),  # any chapter but North
        ({NORTH: (4, 0), SOUTH: (4, 0), EAST: (1, 0)}, None, [(1, (NORTH, SOUTH, EAST, WEST, 5))]),  # any chapter
        ({}, None, [(5, (NORTH,)), (5, (SOUTH, EAST, WEST, 5))]),  # no single chapter can bring all
        ({NORTH: (4, 1), SOUTH: (4, 1), EAST: (3, 2)}, None, [(1, (EAST, WEST, 5))]),  # 11 to 4; East, full, moves 1/3
        ({NORTH: (5, 0), SOUTH: (5, 0)}, Fraction(5, 6), [(1, (EAST, WEST, 5))]),  # equal is not enough
        ({NORTH: (5, 0), SOUTH: (5, 0)}, Fraction(99, 100), []),  # out of reach
        ({NORTH: (0, 40), SOUTH: (0, 25), EAST: (15, 0)}, None, []),  # too few left
    ],
)
def test_the_smallest_change_and_where_it_can_come_from(
    votes: Votes, to_beat: Fraction | None, expected: list[tuple[int, tuple[int | None, ...]]]
) -> None:
    assert missing(FIVE_CHAPTERS, votes, to_beat) == expected


def test_later_supporters_of_an_opposed_chapter_can_do_more_than_others() -> None:
    """North is over its cap of 5 with 2 for and 4 against; East, with nobody against, has room for 4.

    S and O are 5/3 + 6 and 10/3. One more of North's brings 15/7 + 6 and 20/7, and so moves 10/21 from against to for,
    worth 40/21 towards three to one; one of East's is worth 1. Missing is 10 - 23/3 = 7/3.
    """
    votes: Votes = {NORTH: (2, 4), SOUTH: (5, 0), EAST: (1, 0)}
    before, after = count(FIVE_CHAPTERS, votes), count(FIVE_CHAPTERS, votes | {NORTH: (3, 4)})
    assert after.support - before.support == Fraction(10, 21) == before.oppose - after.oppose
    assert missing(FIVE_CHAPTERS, votes) == [(2, (NORTH,))]


def test_those_who_passed_may_still_support_and_those_against_are_left_alone() -> None:
    members: Members = {NORTH: 3, SOUTH: 3}
    counted = count_tally({NORTH: Counts(1, 0, 2), SOUTH: Counts(1, 0, 2)}, Electorate(members))
    assert find_missing_supporters(counted, None) == (Missing("supporters", 1, (NORTH, SOUTH)),)
    opposed = count_tally({NORTH: Counts(1, 0, 0), SOUTH: Counts(1, 2, 0)}, Electorate({NORTH: 3, SOUTH: 3}))
    assert find_missing_supporters(opposed, None) == ()


def test_many_chapters_alike_come_to_an_end() -> None:
    """Sixty chapters in which the next supporter moves exactly as much as in any other."""
    members: Members = dict.fromkeys(range(1, 61), 40)
    votes: Votes = dict.fromkeys(range(1, 61), (5, 9))
    found = missing(members, votes)
    assert found
    assert check(members, votes, None, sum(number for number, _ in found), found)


def check(
    members: Members,
    votes: Votes,
    to_beat: Fraction | None,
    fewest: int,
    found: list[tuple[int, tuple[int | None, ...]]],
) -> bool:
    """Whether one way of taking what was found passes, and taking one less of it does not."""
    extra: dict[int | None, int] = {}
    left = {line.chapter: line.left for line in count(members, votes).chapters}
    for number, chapters in found:
        for chapter in chapters:
            extra[chapter] = min(number, left[chapter])
            number -= extra[chapter]
        assert number == 0
    fewer = [extra | {chapter: taken - 1} for chapter, taken in extra.items() if taken]
    return (
        sum(extra.values()) == fewest
        and passes(members, votes, extra, to_beat)
        and not any(passes(members, votes, less, to_beat) for less in fewer)
    )


def passes(members: Members, votes: Votes, extra: Mapping[int | None, int], to_beat: Fraction | None) -> bool:
    more = {chapter: Counts(*cast) for chapter, cast in votes.items()}
    for chapter, number in extra.items():
        more[chapter] = more.get(chapter, Counts()) + Counts(number)
    counted = count_tally(more, Electorate(members))
    ahead = to_beat is None or counted.score > to_beat
    return counted.has_enough_people and counted.is_three_to_one and ahead


def ways(left: Mapping[int | None, int], number: int) -> Iterator[dict[int | None, int]]:
    """Every way of taking that many from those left."""
    for taken in itertools.product(*(range(min(number, most) + 1) for most in left.values())):
        if sum(taken) == number:
            yield dict(zip(left, taken, strict=True))


def assert_exact(members: Members, votes: Votes, to_beat: Fraction | None) -> int:
    """Compare with trying everything; the number of supporters missing, 0 when it passes or never can."""
    counted = count(members, votes)
    found = find_missing_supporters(counted, to_beat)
    left = {line.chapter: line.left for line in counted.chapters}
    case = (members, votes, to_beat, found)
    enough = (
        number
        for number in range(sum(left.values()) + 1)
        if any(passes(members, votes, way, to_beat) for way in ways(left, number))
    )
    fewest = next(enough, 0)
    assert sum(entry.count for entry in found) == fewest, case
    if not found:
        return 0
    named = [chapter for entry in found for chapter in entry.chapters]
    assert len(named) == len(set(named)), case
    choices = [list(ways({chapter: left[chapter] for chapter in entry.chapters}, entry.count)) for entry in found]
    assert all(choices), case
    for together in itertools.product(*choices):
        extra = {chapter: number for way in together for chapter, number in way.items()}
        assert passes(members, votes, extra, to_beat), case
    return fewest


@pytest.mark.parametrize(
    ("members", "votes", "to_beat", "fewest"),
    [
        # Chapter 4 is opposed by many, and what there is to gain elsewhere tempts to take six.
        ({1: 30, 2: 5, 3: 20, 4: 12}, {1: (2, 2), 2: (4, 0), 3: (5, 0), 4: (0, 5)}, None, 5),
        # Two from chapter 1 do, and two from chapter 3 do on average, but not one from each.
        ({1: 5, 2: 12, 3: 5, None: 1}, {1: (0, 2), 2: (3, 0), 3: (3, 1), None: (1, 0)}, Fraction(3, 5), 2),
        # One from chapter 1 beats the rival, but does not count towards the people needed.
        ({1: 1000, 2: 800, 3: 700}, {1: (25, 12), 2: (24, 0), 3: (0, 0)}, Fraction(54, 67), 2),
        ({1: 1000, 2: 800, 3: 700}, {1: (25, 12), 2: (24, 0), 3: (0, 0)}, Fraction(98, 121), 3),
    ],
)
def test_what_tempts_and_does_not_do_is_not_taken(
    members: Members, votes: Votes, to_beat: Fraction | None, fewest: int
) -> None:
    assert assert_exact(members, votes, to_beat) == fewest


def every_small_poll() -> Iterator[tuple[Members, Votes]]:
    """All electorates of up to three chapters of up to five members, with all tallies."""
    for sizes in itertools.combinations_with_replacement(range(6), 3):
        members: Members = {chapter: size for chapter, size in enumerate(sizes, start=1) if size}
        casts = [[(s, o) for s in range(size + 1) for o in range(size + 1 - s)] for size in members.values()]
        for votes in itertools.product(*casts):
            yield members, dict(zip(members, votes, strict=True))


def test_what_is_missing_is_exact_on_small_cases() -> None:
    """One in 61 of all 57,000; 61 is prime to the number of tallies of every size."""
    results = [
        assert_exact(members, votes, None) for members, votes in itertools.islice(every_small_poll(), 0, None, 61)
    ]
    assert len(results) > 900
    assert {0, 1, 2, 3} <= set(results)


def test_what_is_missing_is_exact_with_a_rival_and_people_at_large() -> None:
    chance = random.Random(11)
    for _ in range(300):
        sizes: Members = {NORTH: chance.randint(3, 12), SOUTH: chance.randint(1, 9), EAST: chance.randint(0, 6)}
        members = sizes | {None: chance.choice([0, 1, 2, 4])}
        votes: Votes = {}
        for chapter, size in members.items():
            oppose = chance.randint(0, size)
            support = chance.randint(0, size - oppose)
            left_at_most_4 = max(support, size - oppose - 4)
            votes[chapter] = (left_at_most_4, oppose)
        assert_exact(members, votes, Fraction(chance.randint(1, 19), 20))


def test_large_polls_are_exact_one_supporter_at_a_time() -> None:
    """Where trying everything takes too long: what is found passes, and nothing does that takes one of it away."""
    chance = random.Random(3)
    for _ in range(40):
        members: Members = {chapter: chance.randint(20, 400) for chapter in range(1, 21)}
        votes: Votes = {c: (chance.randint(0, size // 9), chance.randint(0, size // 6)) for c, size in members.items()}
        to_beat = chance.choice([None, Fraction(chance.randint(70, 90), 100)])
        found = missing(members, votes, to_beat)
        assert found
        assert check(members, votes, to_beat, sum(number for number, _ in found), found)
