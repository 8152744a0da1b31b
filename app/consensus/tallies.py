"""Counting votes: how many are needed, what a chapter can count for, and where a candidate stands."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

AT_LARGE = "at large"
"""What the pool of small chapters and of members without one is called in JSON; in the program it is None."""

_SUPPLY = 8
"""One member in eight of each other chapter is relied on to turn up when a chapter's cap is set."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many voted for, against, and pass."""

    support: int = 0
    oppose: int = 0
    passes: int = 0

    def __post_init__(self) -> None:
        if min(self.support, self.oppose, self.passes) < 0:
            raise ValueError(f"Votes cannot be fewer than none: {self}.")

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.support + other.support, self.oppose + other.oppose, self.passes + other.passes)


NO_COUNTS = Counts()


class _Line(NamedTuple):
    """What a chapter, or the pool at large, is in every count of one electorate."""

    chapter: int | None
    members: int
    cap: int
    stands: bool


class _Lines(NamedTuple):
    """An electorate laid out for counting; `cap_outside` is that of voters at large where no member is."""

    active: int
    need: int
    lines: tuple[_Line, ...]
    separate: frozenset[int | None]
    cap_outside: int


@dataclass(frozen=True)
class Electorate:
    """Active voting members per chapter id, counted when the vote opened; None holds those without a chapter."""

    members: Mapping[int | None, int]

    def __post_init__(self) -> None:
        if any(count < 0 for count in self.members.values()):
            raise ValueError(f"Members cannot be fewer than none: {self}.")

    @property
    def active(self) -> int:
        """N: all who may vote and are active."""
        return sum(self.members.values())

    @cached_property
    def lines(self) -> _Lines:
        """The lines of its counts, which depend on no vote: hundreds of candidates may share one electorate."""
        active = self.active
        need = need_of(active)
        least = max(3, _ceil_div(need, 2))
        members: dict[int | None, int] = {}
        for chapter, count in self.members.items():
            if count:
                line = chapter if count >= least else None
                members[line] = members.get(line, 0) + count
        stands = {chapter: chapter is not None or count >= 2 for chapter, count in members.items()}
        supply = {chapter: _ceil_div(count, _SUPPLY) if stands[chapter] else 0 for chapter, count in members.items()}
        total = sum(supply.values())
        lines = tuple(
            _Line(chapter, count, cap_of(need, total - supply[chapter]), stands[chapter])
            for chapter, count in sorted(members.items(), key=_at_large_last)
        )
        return _Lines(active, need, lines, frozenset(members) - {None}, cap_of(need, total))

    def to_json(self) -> dict[str, Any]:
        """`{"12": 40, "at large": 3}`: chapter ids as keys, and those without a chapter."""
        ordered = sorted(self.members.items(), key=_at_large_last)
        return {AT_LARGE if chapter is None else str(chapter): count for chapter, count in ordered}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Electorate":
        return _electorate_from(tuple(stored.items()))


@lru_cache(maxsize=500)
def _electorate_from(stored: tuple[tuple[str, Any], ...]) -> Electorate:
    """One object for candidates with equal electorates, so that its lines are laid out once."""
    return Electorate({None if chapter == AT_LARGE else int(chapter): int(count) for chapter, count in stored})


@dataclass(frozen=True, slots=True)
class ChapterCount:
    """One line of the count: a chapter that counts separately, or everybody else together (chapter None).

    `cap` is the most votes it can weigh. `stands` is false for a pool of fewer than two, which cannot hold a cap down.
    """

    chapter: int | None
    members: int
    cap: int
    votes: Counts
    stands: bool

    @property
    def cast(self) -> int:
        """Votes for and against; pass has no effect."""
        return self.votes.support + self.votes.oppose

    @property
    def counted(self) -> int:
        """Its supporters towards the number needed."""
        return min(self.votes.support, self.cap)

    @property
    def left(self) -> int:
        """Members of the electorate who have neither supported nor opposed; those who passed are among them."""
        return max(0, self.members - self.cast)


@dataclass(frozen=True)
class Count:
    """Where a candidate stands: `reach` of `need` supporters, and the weights for and against."""

    chapters: tuple[ChapterCount, ...]
    active: int
    need: int
    reach: int
    support: Fraction
    oppose: Fraction

    @cached_property
    def score(self) -> Fraction:
        """For ranking and against rivals, from 0 to below 1: S / (S + O + 2)."""
        return self.support / (self.support + self.oppose + 2)

    @property
    def has_enough_people(self) -> bool:
        return self.reach >= self.need

    @property
    def is_three_to_one(self) -> bool:
        return self.support >= 3 * self.oppose

    @property
    def supporters(self) -> int:
        """People who support it, uncapped."""
        return sum(line.votes.support for line in self.chapters)

    @property
    def opposers(self) -> int:
        """People who oppose it, uncapped."""
        return sum(line.votes.oppose for line in self.chapters)

    @property
    def is_declined(self) -> bool:
        """Enough are against, and more than are for it: 2·O >= need and S < O."""
        return 2 * self.oppose >= self.need and self.support < self.oppose

    @property
    def is_unwanted(self) -> bool:
        """What an approved text may not stay at: 3·O >= need and S < 2·O."""
        return 3 * self.oppose >= self.need and self.support < 2 * self.oppose

    @property
    def has_majority(self) -> bool:
        """More than half of all active members support it."""
        return 2 * self.supporters > self.active

    @property
    def leading_chapters(self) -> int:
        """Chapters, the pool among them when it counts as one, with more for than against."""
        return sum(line.stands and line.votes.support > line.votes.oppose for line in self.chapters)


def need_of(active: int) -> int:
    """Supporters needed among so many active members: ceil(sqrt(N)), at least 2; one member needs 1."""
    if active == 1:
        return 1
    return max(2, math.isqrt(active - 1) + 1) if active else 2


def cap_of(need: int, others: int) -> int:
    """The most votes one chapter can weigh, `others` being the sum over all other chapters of ceil(members/8).

    Half of the people needed, or more where the others are too small to supply the rest.
    """
    return max(_ceil_div(need, 2), need - others)


def count_tally(tally: Mapping[int | None, Counts], electorate: Electorate) -> Count:
    """Count a tally, given per chapter id, under the caps that follow from the electorate.

    A chapter counts separately with max(3, ceil(need/2)) active members. All others are pooled at large, as are voters
    of a chapter that had no member when the vote opened.
    """
    active, need, layout, separate, cap_outside = electorate.lines
    at_large = sum((cast for chapter, cast in tally.items() if chapter not in separate), start=NO_COUNTS)
    lines = tuple(
        ChapterCount(
            line.chapter,
            line.members,
            line.cap,
            at_large if line.chapter is None else tally.get(line.chapter, NO_COUNTS),
            line.stands,
        )
        for line in layout
    )
    if at_large != NO_COUNTS and not (lines and lines[-1].chapter is None):
        lines += (ChapterCount(None, 0, cap_outside, at_large, False),)
    return Count(
        chapters=lines,
        active=active,
        need=need,
        reach=sum(line.counted for line in lines),
        support=_weigh([(line, line.votes.support) for line in lines]),
        oppose=_weigh([(line, line.votes.oppose) for line in lines]),
    )


def _weigh(votes: Sequence[tuple[ChapterCount, int]]) -> Fraction:
    """The sum of the votes, those of a chapter with more votes than its cap scaled down to it."""
    under = sum(number for line, number in votes if line.cast <= line.cap)
    over = [(number * line.cap, line.cast) for line, number in votes if line.cast > line.cap]
    if not over:
        return Fraction(under)
    denominator = math.lcm(*(cast for _, cast in over))
    return under + Fraction(sum(number * (denominator // cast) for number, cast in over), denominator)


def _at_large_last(line: tuple[int | None, int]) -> tuple[bool, int]:
    return line[0] is None, line[0] or 0


def _ceil_div(number: int, by: int) -> int:
    return -(-number // by)
