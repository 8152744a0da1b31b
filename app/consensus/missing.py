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
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from app.consensus.tallies import AT_LARGE, ChapterCount, Count

_ROUNDING = 1 << 32
"""More units than all rounding adds up to; sums that differ do so by more than twice as many."""


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


def find_missing_supporters(count: Count, to_beat: Fraction | None) -> tuple[Missing, ...]:
    """The fewest further supporters with whom the count passes; no smaller number, from anywhere, does.

    Taking each entry's number from its chapters, in whatever way, passes. No chapter is in two entries. Empty when it
    passes already, and when not even everybody left is enough.
    """
    search = _Search(count, to_beat)
    spread = search.find_fewest()
    order = sorted(spread, key=lambda index: (-spread[index], index))
    for fixed in range(len(order)):
        named = {index: spread[index] for index in order[:fixed]}
        rest = sum(spread.values()) - sum(named.values())
        anywhere = search.find_interchangeable(rest, named) or (order[-1:] if fixed == len(order) - 1 else [])
        if anywhere:
            entries = [([index], number) for index, number in named.items()] + [(anywhere, rest)]
            return tuple(
                Missing("supporters", number, tuple(count.chapters[index].chapter for index in indexes))
                for indexes, number in entries
            )
    return ()


class _Goal(NamedTuple):
    """Reached when `per_full` for each full supporter and `per_moved` for each unit moved make the target."""

    per_full: int
    per_moved: int
    target: int

    def gain(self, full: int, moved: int) -> int:
        return self.per_full * full + self.per_moved * moved


class _Plan(NamedTuple):
    """So many full supporters from anywhere, and later ones by chapter index."""

    full: int
    later: dict[int, int]


class _Step(NamedTuple):
    """One later supporter: the units it moves, the chapter's index, whether it counts towards the people needed."""

    moved: int
    chapter: int
    reaches: bool


class _Chapter:
    """What further supporters of one chapter bring: the full ones, then the later ones."""

    def __init__(self, line: ChapterCount, unit: int) -> None:
        self.left = line.left
        self.full = min(max(0, line.cap - line.cast), self.left)
        self.later = self.left - self.full if line.votes.oppose else 0
        self.reach = max(0, line.cap - line.votes.support)
        self._start = max(line.cast, line.cap)
        self._against = line.cap * line.votes.oppose * unit

    def moved(self, later: int) -> int:
        """Units moved from against to for by so many later supporters: cap·o·(1/n - 1/(n + later))."""
        return self._against // self._start - self._against // (self._start + later)

    def step(self, number: int) -> int:
        """Units that the later supporter of this number moves; the next one always moves fewer."""
        return self.moved(number) - self.moved(number - 1)

    def steps(self, index: int) -> Iterator[_Step]:
        for number in range(1, self.later + 1):
            yield _Step(self.step(number), index, number <= self.reach - self.full)

    def can_replace(self, other: "_Chapter") -> bool:
        """Whether each later supporter here does as much as its like there, after no more full ones."""
        return (
            self.full <= other.full
            and self.later >= other.later > 0
            and self.reach - self.full >= other.reach - other.full
            and self.step(1) >= other.step(1)
            and self.step(other.later) >= other.step(other.later)
        )


class _Search:
    """The chapters of one count, by index, and what further supporters have to reach."""

    def __init__(self, count: Count, to_beat: Fraction | None) -> None:
        self._lacking = max(0, count.need - count.reach)
        self._unit, self._goals = _goals_of(count, to_beat)
        self._targets = (self._lacking * self._unit - _ROUNDING, *(goal.target for goal in self._goals))
        self._chapters = [_Chapter(line, self._unit) for line in count.chapters]
        self._room = sum(chapter.full for chapter in self._chapters)
        self._steps: list[_Step] = []
        self._further_steps = heapq.merge(
            *(chapter.steps(index) for index, chapter in enumerate(self._chapters)), key=lambda step: -step.moved
        )

    def find_fewest(self) -> dict[int, int]:
        """The fewest supporters, by chapter index; empty when none are missing or all that are left are too few."""
        everybody = {index: chapter.left for index, chapter in enumerate(self._chapters)}
        if any(made < target for made, target in zip(self._gains_of(everybody), self._targets, strict=True)):
            return {}
        total = self._lower_bound()
        stride = 0
        while not self._may_do(total + stride):
            total, stride = total + stride + 1, 2 * stride + 1
        total += bisect_left(range(stride), True, key=lambda further: self._may_do(total + further))
        while (plan := self._find_plan(total, frozenset(), frozenset())) is None:
            total += 1
        return self._spread(plan)

    def _lower_bound(self) -> int:
        """A total below which nothing passes: as if later supporters needed no full ones before, and all counted."""
        least = self._room + sum(chapter.later for chapter in self._chapters)
        steps = self._all_steps()
        number = moved = 0
        while number < least:
            full = max(-((goal.per_moved * moved - goal.target) // goal.per_full) for goal in self._goals)
            if full <= self._room:
                least = min(least, number + max(full, 0))
            step = next(steps, None)
            if step is None:
                break
            number, moved = number + 1, moved + step.moved
        return max(least, self._lacking)

    def _may_do(self, total: int) -> bool:
        return self._first_plan(total, frozenset(), frozenset()) is not None

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
        chosen: list[int] = []
        moved = 0
        steps = self._best_steps(total - self._lacking, shut)
        for full in range(total, self._full_before(opened) - 1, -1):
            if full <= self._room and all(goal.gain(full, moved) >= goal.target for goal in self._goals):
                return _Plan(full, Counter(chosen))
            step = next(steps, None)
            if step is None:
                return None
            chosen.append(step.chapter)
            moved += step.moved
        return None

    def _best_steps(self, uncounted: int, shut: frozenset[int]) -> Iterator[_Step]:
        """Later supporters that move most first, with so many at most that do not count towards the people needed."""
        for step in self._all_steps():
            if step.chapter in shut or (not step.reaches and not uncounted):
                continue
            uncounted -= not step.reaches
            yield step

    def _all_steps(self) -> Iterator[_Step]:
        yield from self._steps
        for step in self._further_steps:
            self._steps.append(step)
            yield step

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

    def find_interchangeable(self, number: int, named: Mapping[int, int]) -> list[int]:
        """Chapters, as many as can be shown, from which any that many supporters pass once the named ones are in.

        Each supporter is taken to bring the least that he does on average: a chapter's gain per supporter, as their
        number grows, first rises or stays and then falls, so it is least for one or for all.
        """
        targets = [target - made for target, made in zip(self._targets, self._gains_of(named), strict=True)]
        least = {
            index: self._least_each(index, min(number, chapter.left))
            for index, chapter in enumerate(self._chapters)
            if chapter.left and index not in named
        }
        chapters = list(least)
        for goal, target in enumerate(targets):
            ranked = sorted((least[index][goal], index) for index in chapters)
            while ranked and self._least_together(number, ranked) < target:
                ranked.pop(0)
            chapters = [index for _, index in ranked]
        return sorted(chapters) if sum(self._chapters[index].left for index in chapters) >= number else []

    def _least_each(self, index: int, number: int) -> list[int]:
        """What each of up to that many supporters of the chapter brings at least towards each goal, on average."""
        alone, together = self._gains_of({index: 1}), self._gains_of({index: number})
        return [min(one, made // number) for one, made in zip(alone, together, strict=True)]

    def _least_together(self, number: int, ranked: Sequence[tuple[int, int]]) -> int:
        """What that many supporters bring when they come from the chapters ranked first."""
        made = 0
        for each, index in ranked:
            taken = min(number, self._chapters[index].left)
            made, number = made + taken * each, number - taken
        return made

    def _gains_of(self, supporters: Mapping[int, int]) -> list[int]:
        """What supporters, by chapter index, bring towards enough people and then towards each goal, in units."""
        reached = full = moved = 0
        for index, number in supporters.items():
            chapter = self._chapters[index]
            first = min(number, chapter.full)
            reached += min(number, chapter.reach)
            full += first
            moved += chapter.moved(number - first)
        return [reached * self._unit, *(goal.gain(full, moved) for goal in self._goals)]


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
