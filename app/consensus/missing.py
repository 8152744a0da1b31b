"""What a candidate lacks: the fewest further supporters that make it pass, and the chapters they may come from.

A further supporter from a chapter under its cap is `full`: it weighs 1. Once the chapter's n votes reach the cap, one
more is `later`: it moves cap·o/(n(n+1)) of what the chapter's o opposers weigh from against to for. So where many
oppose, a chapter's first supporters may do less than its next, and the fewest are found by search: of each total, take
the later supporters that move most, whatever has to go before them, and branch only where that is too good to be true.

What is moved is counted in units so small that rounding cannot make two different sums look alike: each sum is a
fraction, and `_unit_for` takes far more units than its denominator can be.
"""

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple

from app.consensus.tallies import AT_LARGE, ChapterCount, Count

_ROUNDING = 1 << 32
"""More units than all rounding adds up to; sums that differ do so by more than twice as many."""

_MOST_NAMED = 2
"""Chapters named one by one before "and so many from any of these"; with more, each chapter is named."""

_FEW = 48
"""Later supporters that are cheaper to take one by one than to skip."""

_GoesOn = Callable[[Sequence[int], int, int], bool]


@dataclass(frozen=True, slots=True)
class Missing:
    """Supporters from any of these chapters (None: at large) who have not yet voted for or against, or seconds."""

    what: Literal["supporters", "time"]
    count: int
    chapters: tuple[int | None, ...] = ()

    def to_json(self, slugs: Mapping[int, str]) -> dict[str, Any]:
        """With the chapters' addresses, as in `{"what": "supporters", "count": 2, "from": ["north", "at large"]}`."""
        named = [AT_LARGE if chapter is None else slugs.get(chapter, str(chapter)) for chapter in self.chapters]
        return {"what": self.what, "count": self.count, "from": named}


@lru_cache(maxsize=10_000)  # many candidates have the same few votes, or none
def find_missing_supporters(count: Count, to_beat: Fraction | None) -> tuple[Missing, ...]:
    """The fewest further supporters with whom the count passes; no smaller number, from anywhere, does.

    Taking each entry's number from its chapters, in whatever way, passes. No chapter is in two entries. Empty when it
    passes already, and when not even everybody left is enough.
    """
    search = _Search(count, to_beat)
    fewest = search.find_fewest()
    return tuple(
        Missing("supporters", number, tuple(count.chapters[index].chapter for index in indexes))
        for indexes, number in search.widen(fewest)
    )


class _Plan(NamedTuple):
    """So many full supporters from anywhere, and later ones by chapter index."""

    full: int
    later: dict[int, int]


class _Goal(NamedTuple):
    """Reached when `per_full` for each full supporter and `per_moved` for each unit moved make the target."""

    per_full: int
    per_moved: int
    target: int

    def lacks(self, full: int, moved: int) -> int:
        """What so many full supporters and units moved leave to be made; zero or less when they reach it."""
        return self.target - self.per_full * full - self.per_moved * moved


class _Chapter:
    """What further supporters of one chapter bring: the full ones, then the later ones.

    Of those left, `reach` count towards the people needed, among them `counted` later ones.
    """

    def __init__(self, line: ChapterCount, unit: int) -> None:
        self.left = line.left
        self.full = min(max(0, line.cap - line.cast), self.left)
        self.later = self.left - self.full if line.votes.oppose else 0
        self.reach = min(max(0, line.cap - line.votes.support), self.left)
        self.counted = min(self.reach - self.full, self.later)
        self._start = max(line.cast, line.cap)
        self._against = line.cap * line.votes.oppose * unit

    def moved(self, later: int) -> int:
        """Units moved from against to for by so many later supporters: cap·o·(1/n - 1/(n + later))."""
        return self._against // self._start - self._against // (self._start + later)

    def step(self, number: int) -> int:
        """Units that the later supporter of this number moves; the next one always moves fewer."""
        return self.moved(number) - self.moved(number - 1)

    def steps_of(self, units: int) -> int:
        """How many later supporters move so many units or more each: while n(n+1) <= cap·o/units."""
        if not self.later:
            return 0
        last = (math.isqrt(4 * (self._against // units) + 1) - 1) // 2
        return min(max(0, last - self._start + 1), self.later)

    def can_replace(self, other: "_Chapter") -> bool:
        """Whether each later supporter here does as much as its like there, after no more full ones."""
        return (
            self.full <= other.full
            and self.later >= other.later > 0
            and self.counted >= other.counted
            and self.step(1) >= other.step(1)
            and self.step(other.later) >= other.step(other.later)
        )


class _Search:
    """The chapters of one count, by index, and what further supporters have to reach."""

    def __init__(self, count: Count, to_beat: Fraction | None) -> None:
        self._lacking = max(0, count.need - count.reach)
        self._unit, self._goals = _goals_of(count, to_beat)
        self._chapters = [_Chapter(line, self._unit) for line in count.chapters]
        self._room = sum(chapter.full for chapter in self._chapters)

    def find_fewest(self) -> dict[int, int]:
        """The fewest supporters, by chapter index; empty when none are missing or all that are left are too few."""
        everybody = {index: chapter.left for index, chapter in enumerate(self._chapters)}
        if any(lacks > 0 for lacks in self._lacks_after(everybody)):
            return {}
        total = max(self._lacking, *(self._lower_bound(goal) for goal in self._goals))
        while (plan := self._find_plan(total, frozenset(), frozenset())) is None:
            total += 1
        return self._spread(plan)

    def _lower_bound(self, goal: _Goal) -> int:
        """A total below which the goal is not reached, even if later supporters needed no full ones before them."""

        def saves(_: Sequence[int], moved: int, step: int) -> bool:
            lacks = goal.lacks(0, moved)
            return lacks > goal.per_full * self._room or (lacks > 0 and goal.per_moved * step > goal.per_full)

        later, moved = self._take_later([chapter.later for chapter in self._chapters], saves)
        return sum(later) + max(0, -(-goal.lacks(0, moved) // goal.per_full))

    def _find_plan(self, total: int, opened: frozenset[int], shut: frozenset[int]) -> _Plan | None:
        """A plan with this total, using later supporters of the opened chapters if need be, and never of the shut."""
        plan = self._first_plan(total, opened, shut)
        if plan is None or self._full_before(plan.later) <= plan.full:
            return plan
        unsettled = (index for index in plan.later if self._chapters[index].full and index not in opened)
        pick = min(unsettled, key=lambda index: (self._chapters[index].full, -self._chapters[index].step(1), index))
        replaced = {
            index for index, other in enumerate(self._chapters) if self._chapters[pick].can_replace(other)
        } - opened
        return self._find_plan(total, opened | {pick}, shut) or self._find_plan(total, opened, shut | replaced)

    def _first_plan(self, total: int, opened: frozenset[int], shut: frozenset[int]) -> _Plan | None:
        """A plan that reaches all goals if only the opened chapters' full supporters have to go before.

        It has the fewest later supporters, hence also the fewest full ones that have to go before them.
        """

        def helps(later: Sequence[int], moved: int, step: int) -> bool:
            full = total - sum(later)
            return full > self._room or any(
                goal.lacks(full, moved) > 0 and goal.per_moved * step > goal.per_full for goal in self._goals
            )

        later, moved = self._take_later(self._limits(total - self._lacking, shut), helps)
        full = total - sum(later)
        if not self._full_before(opened) <= full <= self._room or any(g.lacks(full, moved) > 0 for g in self._goals):
            return None
        return _Plan(full, {index: number for index, number in enumerate(later) if number})

    def _limits(self, uncounted: int, shut: frozenset[int]) -> list[int]:
        """The most later supporters of each chapter when so many at most may not count towards the people needed."""
        limits = [0 if index in shut else chapter.later for index, chapter in enumerate(self._chapters)]
        if not self._lacking:
            return limits
        counted = [chapter.counted for chapter in self._chapters]

        def fits(later: Sequence[int], _moved: int, _step: int) -> bool:
            return sum(number - most for number, most in zip(later, counted, strict=True) if number > most) < uncounted

        later, _ = self._take_later(limits, fits)
        return [min(limit, max(number, most)) for limit, number, most in zip(limits, later, counted, strict=True)]

    def _take_later(self, limits: Sequence[int], goes_on: _GoesOn) -> tuple[list[int], int]:
        """Take later supporters, always one that moves most, while it goes on: their numbers by chapter, units moved.

        `goes_on` is asked with the numbers, the units and a bound on what the next one moves. Once it says no it has to
        go on saying no, so most of the way is covered at once, by taking all that move so many units or more.
        """
        if not goes_on([0] * len(limits), 0, self._unit):
            return [0] * len(limits), 0
        later = self._skip(limits, goes_on)
        moved = sum(map(_Chapter.moved, self._chapters, later))
        queue = [
            (-chapter.step(number + 1), index)
            for index, (chapter, number, limit) in enumerate(zip(self._chapters, later, limits, strict=True))
            if number < limit
        ]
        heapq.heapify(queue)
        while queue and goes_on(later, moved, -queue[0][0]):
            step, index = queue[0]
            later[index] += 1
            moved -= step
            if later[index] < limits[index]:
                heapq.heapreplace(queue, (-self._chapters[index].step(later[index] + 1), index))
            else:
                heapq.heappop(queue)
        return later, moved

    def _skip(self, limits: Sequence[int], goes_on: _GoesOn) -> list[int]:
        """Numbers by chapter at which it still goes on or has just begun, not far before it ends."""

        def taken(units: int) -> list[int]:
            return [min(limit, chapter.steps_of(units)) for limit, chapter in zip(limits, self._chapters, strict=True)]

        def reached(numbers: Sequence[int], units: int) -> bool:
            return not goes_on(numbers, sum(map(_Chapter.moved, self._chapters, numbers)), units)

        most = sum(limits)
        above, before = self._unit, [0] * len(limits)
        below = above // 2
        while not reached(after := taken(below), below) and sum(after) < most:
            above, before, below = below, after, below // 2
        while sum(after) - sum(before) > _FEW and above - below > 1:
            middle = (above + below) // 2
            between = taken(middle)
            if reached(between, middle):
                below, after = middle, between
            else:
                above, before = middle, between
        return before

    def _full_before(self, indexes: Iterable[int]) -> int:
        """Full supporters that go before the later ones of these chapters."""
        return sum(self._chapters[index].full for index in indexes)

    def _spread(self, plan: _Plan) -> dict[int, int]:
        """The plan by chapter, with the full supporters it leaves open in as few chapters as will do."""
        spread = {index: self._chapters[index].full + number for index, number in plan.later.items()}
        rest = plan.full - self._full_before(plan.later)
        for index in sorted(range(len(self._chapters)), key=lambda index: (-self._chapters[index].full, index)):
            taken = min(rest, self._chapters[index].full) if index not in spread else 0
            if taken:
                spread[index] = taken
                rest -= taken
        return spread

    def widen(self, spread: Mapping[int, int]) -> list[tuple[list[int], int]]:
        """The spread as numbers from sets of chapters: where it can be shown, the last from any that will do."""
        order = sorted(spread, key=lambda index: (-spread[index], index))
        entries = [([index], spread[index]) for index in order]
        for named in range(min(len(entries), _MOST_NAMED + 1)):
            rest = sum(number for _, number in entries[named:])
            anywhere = self._find_interchangeable(rest, {index: spread[index] for index in order[:named]})
            if anywhere:
                return [*entries[:named], (anywhere, rest)]
        return entries

    def _find_interchangeable(self, number: int, named: Mapping[int, int]) -> list[int]:
        """Chapters, as many as can be shown, from which any that many supporters pass once the named ones are in."""
        chapters = [index for index, chapter in enumerate(self._chapters) if chapter.left and index not in named]
        least_each: list[Callable[[_Chapter, int], int]] = [self._least_counted]
        least_each += [partial(_least_made, goal) for goal in self._goals]
        for lacks, least in zip(self._lacks_after(named), least_each, strict=True):
            ranked = sorted((least(self._chapters[index], number), index) for index in chapters)
            while ranked and self._least_together(number, ranked) < lacks:
                ranked.pop(0)
            chapters = [index for _, index in ranked]
        return sorted(chapters) if sum(self._chapters[index].left for index in chapters) >= number else []

    def _least_counted(self, chapter: _Chapter, number: int) -> int:
        """How much of a person each of up to that many supporters of the chapter counts for at least, on average."""
        number = min(number, chapter.left)
        return min(number, chapter.reach) * self._unit // number

    def _least_together(self, number: int, ranked: Sequence[tuple[int, int]]) -> int:
        """What that many supporters bring when they come from the chapters ranked first."""
        made = 0
        for each, index in ranked:
            taken = min(number, self._chapters[index].left)
            made, number = made + taken * each, number - taken
        return made

    def _lacks_after(self, supporters: Mapping[int, int]) -> list[int]:
        """What supporters, by chapter index, leave lacking: of the people needed and of each goal, in units."""
        reached = full = moved = 0
        for index, number in supporters.items():
            chapter = self._chapters[index]
            first = min(number, chapter.full)
            reached += min(number, chapter.reach)
            full += first
            moved += chapter.moved(number - first)
        people = (self._lacking - reached) * self._unit - _ROUNDING
        return [people, *(goal.lacks(full, moved) for goal in self._goals)]


def _least_made(goal: _Goal, chapter: _Chapter, number: int) -> int:
    """What each of up to that many supporters of the chapter makes towards the goal at least, on average.

    As their number grows, what they make per head first rises or stays and then falls: it is least for one or all.
    """
    number = min(number, chapter.left)
    if number <= chapter.full:
        return goal.per_full
    together = goal.per_full * chapter.full + goal.per_moved * chapter.moved(number - chapter.full)
    alone = goal.per_full if chapter.full else goal.per_moved * chapter.moved(1)
    return min(alone, together // number)


def _goals_of(count: Count, to_beat: Fraction | None) -> tuple[int, list[_Goal]]:
    """The unit, and the goals in it: three to one, S + x >= 3·(O - y), and a score above the bar's.

    With b the bar, S / (S + O + 2) > b is (1 - b)·S - b·O > 2·b; both are multiplied by b's denominator.
    """
    ratio = 3 * count.oppose - count.support
    if to_beat is None:
        unit = _unit_for(count, ratio.denominator)
        return unit, [_Goal(unit, 4, math.floor(ratio * unit) - _ROUNDING)]
    above, below = to_beat.numerator, to_beat.denominator
    ahead = (2 + count.oppose) * above - (below - above) * count.support
    unit = _unit_for(count, ratio.denominator * ahead.denominator * below)
    return unit, [
        _Goal(unit, 4, math.floor(ratio * unit) - _ROUNDING),
        _Goal((below - above) * unit, below, math.floor(ahead * unit) + below * _ROUNDING),
    ]


def _unit_for(count: Count, denominator: int) -> int:
    """How many units make 1, a power of two: more than any sum's denominator times all rounding."""
    votes = math.prod(max(line.cast, line.cap) + line.left for line in count.chapters if line.votes.oppose)
    return 1 << (votes * denominator).bit_length() + 2 * _ROUNDING.bit_length()
