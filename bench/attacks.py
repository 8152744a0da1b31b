"""What it takes to get a text approved, or to stop one, from a single chapter."""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.consensus.rule import Counts, Electorate
from app.consensus.tallies import count_tally
from bench.opinions import Half
from bench.rules import AnyRule, Stands, passes_three_to_one

MOST = 100
"""Colluders tried, as a multiple of the honest votes; what takes more is never."""

ATTACKED = 12
"""Texts of each half that are attacked each way, drawn where there are more."""

DRAWN, SEED = 300, 1


@dataclass(frozen=True, slots=True)
class Cost:
    """Colluders needed on one text as a multiple of its honest votes; infinite where none are enough."""

    largest: float
    cheapest: float


def push_costs(rule: AnyRule, halves: Iterable[Half], *, joining: bool = False) -> list[Cost]:
    """For every bad text that honest votes leave unapproved in the end: supporters from one chapter until it passes."""
    return [cost for half in halves for cost in _costs(rule, half, half.judged("bad"), Counts(support=1), joining)]


def veto_costs(rule: AnyRule, halves: Iterable[Half], *, joining: bool = False) -> list[Cost]:
    """For every good text that honest votes approve in the end: opposers from one chapter until it does not pass."""
    return [cost for half in halves for cost in _costs(rule, half, half.judged("good"), Counts(oppose=1), joining)]


def _costs(rule: AnyRule, half: Half, texts: Sequence[str], colluder: Counts, joining: bool) -> Iterator[Cost]:
    stands = rule.standing(half, joining=joining)
    texts = random.Random(SEED).sample(texts, min(len(texts), ATTACKED))
    sizes = half.electorate.members
    chapters = sorted(chapter for chapter in sizes if chapter is not None)
    for text in texts:
        honest = sum(choice != 0 for choice in half.last(text).values())
        if honest == 0 or stands(text, chapters[0], Counts()) != bool(colluder.oppose):
            continue
        needed = {chapter: _fewest(stands, text, chapter, colluder, MOST * honest) / honest for chapter in chapters}
        yield Cost(needed[max(chapters, key=lambda chapter: sizes[chapter])], min(needed.values()))


def _fewest(stands: Stands, text: str, chapter: int, colluder: Counts, most: int) -> float:
    """Found by doubling, then by halving the last step."""

    def turns(number: int) -> bool:
        added = Counts(colluder.support * number, colluder.oppose * number)
        return stands(text, chapter, added) == bool(colluder.support)

    too_few, enough = 0, 1
    while not turns(enough):
        if enough >= most:
            return math.inf
        too_few, enough = enough, min(most, 2 * enough)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if turns(middle) else (middle, enough)
    return enough


def count_alone(halves: Iterable[Half]) -> tuple[int, int]:
    """Cases tried, and those in which a text passes with supporters from one chapter alone while others count.

    A case is a chapter of an electorate, all of whose members support the text while nobody else votes. The electorates
    are those of the conversations and drawn ones of 2 to 20 chapters, from 2 members to tens of thousands, with and
    without members at large. Left out are those in which no other chapter counts separately and fewer than two members
    are at large.
    """
    electorates = [half.electorate for half in halves]
    electorates += _draw_electorates(random.Random(SEED))
    tried = passed = 0
    for electorate in electorates:
        for chapter, members in electorate.members.items():
            tally = {chapter: Counts(support=members)}
            lines = count_tally(tally, electorate).chapters
            separate = {line.chapter for line in lines}
            own = chapter if chapter in separate else None
            if members and any(line.stands for line in lines if line.chapter != own):
                tried += 1
                passed += passes_three_to_one(tally, electorate)
    return tried, passed


def _draw_electorates(draw: random.Random) -> Iterator[Electorate]:
    for _ in range(DRAWN):
        top = draw.choice((3, 12, 100, 2_000))
        sizes: dict[int | None, int] = {chapter: draw.randint(1, top) for chapter in range(draw.randint(2, 20))}
        if draw.random() < 1 / 2:
            sizes[None] = draw.randint(1, top)
        yield Electorate(sizes)
