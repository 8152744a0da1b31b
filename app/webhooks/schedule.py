"""When a message is sent again, and when a webhook that only fails is turned off."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""The pauses after the first attempt, the second and so on: the schedule of Standard Webhooks 1.0."""

JITTER = 0.2
"""Each pause is longer by up to this share, so that what failed together does not come back together."""

LONGEST_WAIT = timedelta(days=1)
"""The longest that a receiver may ask to wait: the longest pause of the schedule."""

SHORTEST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
"""How long a receiver that is overloaded gets no new messages."""

GIVE_UP_AFTER = timedelta(days=5)
"""A webhook is turned off once all attempts failed for so long: longer than one message is tried."""

GIVE_UP_FAILURES = len(DELAYS) + 1

OVERLOADED = frozenset({429, 502, 503, 504})
GONE = 410


def next_attempt(tries: int, at: datetime, draw: float, wait: timedelta | None = None) -> datetime | None:
    """When a message that failed for the `tries`-th time at this moment is sent again; None when it is given up.

    `draw` is a random number from 0 to 1, `wait` what the receiver asked for.
    """
    if tries > len(DELAYS):
        return None
    pause = DELAYS[tries - 1] * (1 + JITTER * draw)
    return at + max(pause, min(wait, LONGEST_WAIT) if wait else pause)


def parse_retry_after(given: str | None, at: datetime) -> timedelta | None:
    """What a Retry-After header asks for, seconds or a date; None for anything else."""
    if not given:
        return None
    if given.strip().isdecimal() and given.strip().isascii():
        return timedelta(seconds=min(int(given.strip()[:9]), int(LONGEST_WAIT.total_seconds())))
    try:
        until = parsedate_to_datetime(given)
    except (ValueError, OverflowError):  # the latter for a year or a zone that there is not
        return None
    return max(timedelta(), min((until if until.tzinfo else until.replace(tzinfo=UTC)) - at, LONGEST_WAIT))


def pause_for(status: int | None, wait: timedelta | None) -> timedelta | None:
    """How long an overloaded receiver gets nothing that is not urgent; None where it is not overloaded."""
    if status not in OVERLOADED:
        return None
    return min(max(wait or SHORTEST_PAUSE, SHORTEST_PAUSE), LONGEST_PAUSE)


def is_hopeless(failing_since: datetime, failures: int, at: datetime) -> bool:
    """Whether a webhook has failed for so long, and so often, that it is turned off."""
    return failures >= GIVE_UP_FAILURES and at - failing_since >= GIVE_UP_AFTER
