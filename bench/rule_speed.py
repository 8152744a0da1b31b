"""How long the shipped rule takes, by the size of the community."""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from app.consensus.missing import find_missing_supporters
from app.consensus.rule import Counts, Electorate
from app.consensus.tallies import count_tally
from bench.rules import Tally, decide_at, passes_majority

SIZES = (5, 20, 100, 1_000, 5_000, 50_000)
CHAPTERS = 20
RUNS, SEED = 9, 1

_Cast = list[tuple[int | None, int]]


@dataclass(frozen=True, slots=True)
class Speed:
    """Half of the members have voted, in as many as 20 chapters. Medians of nine."""

    members: int
    chapters: int
    us_per_vote: float
    """From a list of votes to the count: microseconds for each."""
    ms_passing: float
    """A decision on a tally of nine for to one against, in milliseconds."""
    ms_lacking: float
    """The same, three to two: what is missing has to be found too, never remembered from the time before."""
    ratio: float
    """The slower of the two against a plain majority of the same tally."""


def measure_speed() -> list[Speed]:
    return [_measure(members, random.Random(SEED)) for members in SIZES]


def _measure(members: int, draw: random.Random) -> Speed:
    chapters = min(CHAPTERS, members)
    electorate = Electorate({chapter: len(range(chapter, members, chapters)) for chapter in range(chapters)})
    passing, lacking = (_cast(members, chapters, against, draw) for against in (1 / 10, 2 / 5))
    seconds = _median(partial(_count, passing, electorate))
    decided = [_median(partial(_decide, _tally(cast), electorate)) for cast in (passing, lacking)]
    majority = _median(partial(passes_majority, _tally(lacking), electorate))
    return Speed(
        members=members,
        chapters=chapters,
        us_per_vote=1e6 * seconds / len(passing),
        ms_passing=1e3 * decided[0],
        ms_lacking=1e3 * decided[1],
        ratio=max(decided) / majority,
    )


def _cast(members: int, chapters: int, against: float, draw: random.Random) -> _Cast:
    voters = draw.sample(range(members), (members + 1) // 2)
    return [(voter % chapters, -1 if draw.random() < against else 1) for voter in voters]


def _tally(cast: _Cast) -> Tally:
    found = Counter(cast)
    return {chapter: Counts(found[chapter, 1], found[chapter, -1]) for chapter in {chapter for chapter, _ in cast}}


def _count(cast: _Cast, electorate: Electorate) -> None:
    count_tally(_tally(cast), electorate)


def _decide(tally: Tally, electorate: Electorate) -> None:
    find_missing_supporters.cache_clear()
    decide_at(tally, electorate, 0, None)


def _median(run: Callable[[], object]) -> float:
    """Seconds."""
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
