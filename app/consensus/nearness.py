"""How near a candidate is to a decision, and whose votes still count towards one: for the queue, never for the rule."""

import math
from fractions import Fraction

from app.consensus.tallies import AT_LARGE, Count

HOPELESS = -9_000
"""As people vote so far, no number of further votes can be expected to bring it to either end."""
SETTLED = -10_000
"""All is there but time; a further vote can hardly change anything."""

_FAR = 1e6


def urgency_of(count: Count, to_beat: Fraction | None = None) -> int:
    """100 when the next vote may decide, 0 when as many are missing as people are needed, less when more are.

    Counted is the smallest number of further votes that can be expected to bring it to either end: to pass, or to be
    declined (half as many against as people are needed, and more against than for). What further voters say is taken
    from those so far, as far towards either end as so few votes leave open. Where neither end can be hoped for, such as
    at two for each one against, it comes after all others; where one is reached, last of all. 0 without any votes, so
    that what was begun is brought to its end first.
    """
    if not count.supporters and not count.opposers:
        return 0
    low, high = _range_of_support(count)
    missing = min(_to_pass(count, high, to_beat), _to_decline(count, low))
    if missing <= 0:
        return SETTLED
    return max(100 - math.ceil(100 * min(missing, _FAR) / count.need), HOPELESS)


def room_of(count: Count) -> dict[str, bool]:
    """Per chapter that counts separately, and all others at large: whether it has cast less than it can weigh."""
    return {name_of(line.chapter): line.cast < line.cap for line in count.chapters}


def has_room(room: dict[str, bool] | None, chapter_id: int | None) -> bool:
    """Whether a vote from this chapter still counts fully; of one that is not there by itself, at large."""
    if room is None:
        return True
    return room.get(name_of(chapter_id), room.get(AT_LARGE, True))


def name_of(chapter_id: int | None) -> str:
    """A chapter as `room_of` has it."""
    return AT_LARGE if chapter_id is None else str(chapter_id)


def _range_of_support(count: Count) -> tuple[float, float]:
    """Between which shares of support the truth probably lies: one standard deviation (Wilson)."""
    votes = count.supporters + count.opposers
    if not votes:
        return 0.0, 1.0
    share = count.supporters / votes
    middle, half = share + 1 / (2 * votes), math.sqrt(share * (1 - share) / votes + 1 / (4 * votes * votes))
    return max(0.0, (middle - half) / (1 + 1 / votes)), min(1.0, (middle + half) / (1 + 1 / votes))


def _to_pass(count: Count, share: float, to_beat: Fraction | None) -> float:
    support, oppose = float(count.support), float(count.oppose)
    people = (count.need - count.reach) / share
    ratio = _votes(3 * oppose - support, 4 * share - 3)
    if to_beat is None or to_beat < count.score:
        return max(people, ratio)
    bar = float(to_beat)
    return max(people, ratio, _votes(bar * (support + oppose + 2) - support + 0.01, share - bar))


def _to_decline(count: Count, share: float) -> float:
    people = (count.need / 2 - float(count.oppose)) / (1 - share)
    ratio = 0.0 if count.oppose > count.support else _votes(float(count.support - count.oppose) + 1, 1 - 2 * share)
    return max(people, ratio)


def _votes(lacking: float, each: float) -> float:
    """How many votes make up for what is lacking, of which each brings so much on average."""
    if lacking <= 0:
        return 0.0
    return lacking / each if each > 0 else math.inf
