"""How many supporters are needed, what a chapter can count for, and what follows from the two."""

import itertools
import random
from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.consensus.tallies import Count, Counts, Electorate, cap_of, count_tally, need_of

Members = dict[int | None, int]
Tally = dict[int | None, Counts]

NORTH, SOUTH, EAST, WEST = 1, 2, 3, 4


def count(members: Mapping[int | None, int], votes: Mapping[int | None, tuple[int, ...]] | None = None) -> Count:
    return count_tally({chapter: Counts(*cast) for chapter, cast in (votes or {}).items()}, Electorate(members))


def passes(count: Count) -> bool:
    return count.has_enough_people and count.is_three_to_one


@pytest.mark.parametrize(
    ("active", "need"),
    [
        *[(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (9, 3), (10, 4), (12, 4), (30, 6), (100, 10), (101, 11), (200, 15)],
        *[(1_000, 32), (2_500, 50), (2_501, 51), (50_000, 224)],
    ],
)
def test_the_number_needed_is_the_root_of_all_active_members(active: int, need: int) -> None:
    assert need_of(active) == need


@pytest.mark.parametrize(
    ("need", "others", "cap"),
    [
        (10, 40, 5),  # the others supply plenty: half of those needed
        (11, 40, 6),  # half is rounded up
        (10, 5, 5),
        (10, 3, 7),  # the others supply 3: the rest may come from here
        (10, 0, 10),  # nobody else: all of it
        (1, 0, 1),
        (2, 1, 1),
    ],
)
def test_a_cap_is_half_the_need_or_what_the_others_cannot_supply(need: int, others: int, cap: int) -> None:
    assert cap_of(need, others) == cap


def test_five_members_in_two_chapters_need_people_from_both() -> None:
    """N = 5 needs 3. North's 3 count separately, the other 2 at large; each is capped at max(2, 3 - 1) = 2."""
    members: Members = {NORTH: 3, SOUTH: 2}
    assert [(line.chapter, line.members, line.cap) for line in count(members).chapters] == [(NORTH, 3, 2), (None, 2, 2)]
    assert not passes(count(members, {NORTH: (3, 0)}))
    assert count(members, {NORTH: (3, 0)}).reach == 2
    assert not passes(count(members, {SOUTH: (2, 0)}))
    assert passes(count(members, {NORTH: (2, 0), SOUTH: (1, 0)}))
    assert passes(count(members, {NORTH: (1, 0), SOUTH: (2, 0)}))


def test_one_member_alone_decides() -> None:
    assert passes(count({NORTH: 1}, {NORTH: (1, 0)}))
    assert not passes(count({NORTH: 1}, {NORTH: (0, 1)}))


@pytest.mark.parametrize(
    ("members", "lines"),
    [
        ({NORTH: 3, SOUTH: 3}, {NORTH: (3, 2), SOUTH: (3, 2)}),  # need 3
        ({NORTH: 60, SOUTH: 30, EAST: 10}, {NORTH: (60, 5), SOUTH: (30, 5), EAST: (10, 5)}),  # need 10: 10 is enough
        ({NORTH: 60, SOUTH: 36, EAST: 4}, {NORTH: (60, 5), SOUTH: (36, 5), None: (4, 5)}),  # fewer than 5: pooled
        ({NORTH: 92, SOUTH: 8}, {NORTH: (92, 9), SOUTH: (8, 5)}),  # a small other chapter supplies 1
        ({NORTH: 99, None: 1}, {NORTH: (99, 10), None: (1, 5)}),  # a lone one supplies nothing and cannot block
        ({NORTH: 98, None: 2}, {NORTH: (98, 9), None: (2, 5)}),  # two do
        ({NORTH: 2, SOUTH: 2, EAST: 2, None: 1}, {None: (7, 3)}),  # all small: one pool, no cap below the need
    ],
)
def test_small_chapters_are_pooled_and_each_line_gets_its_cap(
    members: Members, lines: dict[int | None, tuple[int, int]]
) -> None:
    assert {line.chapter: (line.members, line.cap) for line in count(members).chapters} == lines


def test_a_lone_supporter_at_large_counts_in_full() -> None:
    assert count({NORTH: 3, SOUTH: 3, None: 1}, {None: (1, 0)}).support == 1


def test_voters_of_a_chapter_nobody_was_counted_in_are_at_large_and_capped() -> None:
    """Members who joined after the vote opened cannot outnumber the electorate from a chapter of their own."""
    late = count({NORTH: 3, SOUTH: 3, None: 1}, {WEST: (4, 0), None: (1, 0)})
    assert late.need == 3
    assert [(line.chapter, line.members, line.votes.support, line.counted) for line in late.chapters] == [
        (NORTH, 3, 0, 0),
        (SOUTH, 3, 0, 0),
        (None, 1, 5, 2),
    ]
    assert not passes(late)


def test_a_chapter_over_its_cap_is_scaled_down_to_it() -> None:
    """Need 10, caps 5. North's 13 for and 2 against weigh 13/3 and 2/3; South's 6 and 1 weigh 30/7 and 5/7."""
    standing = count({NORTH: 40, SOUTH: 30, EAST: 30}, {NORTH: (13, 2), SOUTH: (6, 1), EAST: (2, 1, 9)})
    assert (standing.need, standing.reach) == (10, 12)
    assert standing.support == Fraction(13, 3) + Fraction(30, 7) + 2
    assert standing.oppose == Fraction(2, 3) + Fraction(5, 7) + 1
    assert standing.score == standing.support / (standing.support + standing.oppose + 2)
    assert standing.is_three_to_one


def test_exactly_three_to_one_is_enough() -> None:
    members: Members = {NORTH: 50, SOUTH: 50}
    assert count(members, {NORTH: (3, 1), SOUTH: (3, 1)}).is_three_to_one
    assert not count(members, {NORTH: (3, 1), SOUTH: (2, 1)}).is_three_to_one


def test_pass_has_no_effect() -> None:
    members: Members = {NORTH: 50, SOUTH: 50}
    without, with_passes = count(members, {NORTH: (6, 2)}), count(members, {NORTH: (6, 2, 30), SOUTH: (0, 0, 9)})
    assert (without.reach, without.support, without.oppose) == (
        with_passes.reach,
        with_passes.support,
        with_passes.oppose,
    )


def test_more_than_half_of_all_active_members_is_a_majority() -> None:
    members: Members = {NORTH: 50, SOUTH: 50}
    assert not count(members, {NORTH: (50, 0)}).has_majority
    assert count(members, {NORTH: (50, 0), SOUTH: (1, 0)}).has_majority


def test_an_electorate_keeps_its_form() -> None:
    electorate = Electorate({12: 40, None: 3, 2: 7})
    assert list(electorate.to_json().items()) == [("2", 7), ("12", 40), ("at large", 3)]
    assert Electorate.from_json(electorate.to_json()) == electorate


def test_counts_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer than none"):
        Counts(support=-1)
    with pytest.raises(ValueError, match="fewer than none"):
        Electorate({NORTH: -1})


def by_the_book(tally: Tally, members: Mapping[int | None, int]) -> tuple[int, Fraction, Fraction]:
    """Reach, S and O, written down once more as the rule reads, one vote at a time and without its shortcuts."""
    active = sum(members.values())
    need = next(n for n in itertools.count(1 if active == 1 else 2) if n * n >= active)
    counting = {c for c, m in members.items() if c is not None and m >= 3 and 2 * m >= need}
    groups: Members = {c: members[c] for c in counting}
    groups[None] = active - sum(groups.values())
    supplies = {c: Fraction(m, 8).__ceil__() if c is not None or m >= 2 else 0 for c, m in groups.items()}
    reach, support, oppose = 0, Fraction(0), Fraction(0)
    for group in groups:
        cap = max(Fraction(need, 2).__ceil__(), need - sum(n for c, n in supplies.items() if c != group))
        votes = [v for c, v in tally.items() if (c if c in counting else None) == group]
        s, o = sum(v.support for v in votes), sum(v.oppose for v in votes)
        scale = min(Fraction(1), Fraction(cap, s + o)) if s + o else Fraction(1)
        reach, support, oppose = reach + min(s, cap), support + scale * s, oppose + scale * o
    return reach, support, oppose


chapter_sizes = st.dictionaries(st.sampled_from([NORTH, SOUTH, EAST, WEST, None]), st.integers(1, 40), min_size=1)


@st.composite
def polls(draw: st.DrawFn) -> tuple[Members, Tally]:
    members = draw(chapter_sizes)
    tally = {}
    for chapter, size in members.items():
        support = draw(st.integers(0, size))
        tally[chapter] = Counts(support, draw(st.integers(0, size - support)))
    return members, tally


@given(polls())
@settings(max_examples=150, deadline=None)
def test_the_count_is_the_rule_as_written(poll: tuple[Members, Tally]) -> None:
    members, tally = poll
    found = count_tally(tally, Electorate(members))
    assert (found.reach, found.support, found.oppose) == by_the_book(tally, members)


@given(polls(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_chapters_and_votes_does_not_matter(poll: tuple[Members, Tally], chance: random.Random) -> None:
    members, tally = poll
    shuffled = list(tally.items())
    chance.shuffle(shuffled)
    other_way = {chapter: members[chapter] for chapter, _ in shuffled}
    assert count_tally(dict(shuffled), Electorate(other_way)) == count_tally(tally, Electorate(members))


def small_electorates() -> list[Members]:
    """Up to three chapters of at most 9 and up to 3 without one; all sizes in which something can change."""
    sizes = itertools.combinations_with_replacement(range(10), 3)
    return [{NORTH: a, SOUTH: b, EAST: c, None: large} for (a, b, c), large in itertools.product(sizes, range(4)) if c]


def test_no_chapter_alone_passes_anything_while_another_counts() -> None:
    """Not with all its members, nor with late joiners; another counts separately, or two or more are at large."""
    for members in small_electorates():
        lines = count(members).chapters
        for line in lines:
            others = [other for other in lines if other is not line and other.stands]
            votes = [count(members, {line.chapter: (support, 0)}) for support in (line.members, 3 * line.members)]
            assert not (others and any(passes(alone) for alone in votes)), (members, line)


def test_everybody_together_always_passes() -> None:
    for members in small_electorates():
        assert passes(count(members, {chapter: (size, 0) for chapter, size in members.items()})), members


def test_one_more_supporter_never_hurts_and_one_more_opposer_never_helps() -> None:
    chance = random.Random(4)
    electorates = small_electorates()
    for _ in range(2500):
        members = chance.choice(electorates)
        votes = {}
        for chapter, size in members.items():
            support = chance.randint(0, size)
            votes[chapter] = (support, chance.randint(0, size - support))
        before, chapter = count(members, votes), chance.choice(list(members))
        support, oppose = votes[chapter]
        more = count(members, votes | {chapter: (support + 1, oppose)})
        less = count(members, votes | {chapter: (support, oppose + 1)})
        assert more.score >= before.score >= less.score, (members, votes, chapter)
        assert passes(more) >= passes(before) >= passes(less), (members, votes, chapter)


def test_the_worked_example_of_the_documentation() -> None:
    members: Members = {NORTH: 55, SOUTH: 33, EAST: 8, None: 4}
    votes = {NORTH: (13, 2), SOUTH: (2, 1), EAST: (1, 0), None: (1, 0)}
    standing = count(members, votes)
    assert [(line.members, line.cap, line.counted) for line in standing.chapters] == [
        (55, 5, 5),
        (33, 5, 2),
        (8, 5, 1),
        (4, 5, 1),
    ]
    assert (standing.need, standing.reach) == (10, 9)
    assert (standing.support, standing.oppose) == (Fraction(25, 3), Fraction(5, 3))
    one_more = count(members, {**votes, SOUTH: (3, 1)})
    assert passes(one_more)
    assert one_more.score == Fraction(28, 39)
    assert not passes(count(members, {**votes, NORTH: (53, 2)}))
