"""What the rule is told about a candidate, and what it answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from app.consensus.missing import Missing
from app.consensus.tallies import AT_LARGE, Count, Counts
from app.words import N_


class State(StrEnum):
    """How a candidate stands, or how it ended."""

    DRAFT = "draft"
    COLLECTING = "collecting"
    WAITING = "waiting"
    APPROVED = N_("approved")
    UNPROMOTED = N_("unpromoted")
    DECLINED = N_("declined")
    STALE = "stale"
    CONTESTED = N_("contested")
    ON_HOLD = "on_hold"
    EXPIRED = N_("expired")
    WITHDRAWN = N_("withdrawn")
    SUPERSEDED = N_("superseded")


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule in force when a vote opened. Times are seconds, `active_days` days."""

    name: str = "three to one"
    wait_routine: int = 12 * 3600
    wait_rapid: int | None = None
    vote_lasts: int = 14 * 86400
    rival_window: int = 24 * 3600
    neighbour_wait: int = 3600
    active_days: int = 14
    rapid_lasts: int = 48 * 3600

    def wait(self, mode: Literal["routine", "rapid"], need: int) -> timedelta:
        """How long a candidate that passes has to go on passing.

        Rapid, unless set: 30 minutes from 32 people needed, 60 from 10, 120 below.
        """
        if mode == "routine":
            return timedelta(seconds=self.wait_routine)
        if self.wait_rapid is not None:
            return timedelta(seconds=self.wait_rapid)
        return timedelta(minutes=30 if need >= 32 else 60 if need >= 10 else 120)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Rule":
        return _rule_from(tuple(stored.items()))


@lru_cache(maxsize=100)
def _rule_from(stored: tuple[tuple[str, Any], ...]) -> Rule:
    names = {field.name for field in fields(Rule)}
    return Rule(**{name: value for name, value in stored if name in names})


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """A candidate as it is: its votes per chapter id (None: no chapter) and what was remembered about it.

    `unchanged_since` is when its votes, its text's place or its state last changed, and so the earliest moment from
    which it can pass as it does now. `passing_since` and `failing_since` are what the last decision said. `has_votes`
    is true also when no vote counts yet. `ended` is the state in which it closed; `because` a sentence that says why it
    ended or is on hold.

    `in_force`: it is the page's approved text, whose tally stays open. `unconfirmed_until`: approved in rapid mode, it
    goes back at this moment unless it has passed for the routine waiting time by then.
    """

    tally: Mapping[int | None, Counts]
    unchanged_since: datetime
    opened_at: datetime | None = None
    passing_since: datetime | None = None
    failing_since: datetime | None = None
    not_before: datetime | None = None
    unconfirmed_until: datetime | None = None
    mode: Literal["routine", "rapid"] = "routine"
    has_votes: bool = True
    stale: bool = False
    on_hold: bool = False
    in_force: bool = False
    ended: State | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A score that rivals have to beat until a moment, and what the text that set it is called, as in "r12"."""

    score: Fraction
    until: datetime
    text: str


@dataclass(frozen=True, slots=True)
class CurrentFacts:
    """What the approved text asks of this candidate: the bars set by promotions that wrote sentences it rewrites.

    Those that lapsed since `unchanged_since` belong here too, or passing is not found to begin when the last one ended.
    `losing_until` is when the approved text loses its approval if its votes stay as they are: until then nothing else
    on the page is promoted.
    """

    bars: tuple[Bar, ...] = ()
    losing_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """How a candidate stands and why.

    `passing_since` and `failing_since` are to be stored. `due_at` is the next moment at which the answer can change
    without a vote; a moment that is past means that it is due. `promotes`: make it the approved text now. `lost_at`:
    if nothing changes it is declined then or, in force, loses its approval; `falls`: that is due now. `goes_back`: the
    time of a rapid approval is over; `is_confirmed`: it has passed for the routine waiting time. `reasons` are state,
    why, and what would change it.
    """

    state: State
    count: Count
    to_beat: Fraction | None
    passing_since: datetime | None
    waits_until: datetime | None
    due_at: datetime | None
    promotes: bool
    missing: tuple[Missing, ...]
    reasons: tuple[str, ...] = ()
    failing_since: datetime | None = None
    lost_at: datetime | None = None
    falls: bool = False
    goes_back: bool = False
    is_confirmed: bool = False

    @property
    def reach(self) -> int:
        return self.count.reach

    @property
    def need(self) -> int:
        return self.count.need

    @property
    def support(self) -> Fraction:
        return self.count.support

    @property
    def oppose(self) -> Fraction:
        return self.count.oppose

    @property
    def score(self) -> Fraction:
        return self.count.score

    def to_json(self, slugs: Mapping[int, str] | None = None) -> dict[str, Any]:
        """For the API and the ledger: fractions as in "13/2", times in UTC, chapters by address where one is given."""
        slugs = slugs or {}
        return {
            "state": self.state.value,
            "reach": self.reach,
            "need": self.need,
            "support": str(self.support),
            "oppose": str(self.oppose),
            "score": str(self.score),
            "to_beat": None if self.to_beat is None else str(self.to_beat),
            "passing_since": _timestamp(self.passing_since),
            "waits_until": _timestamp(self.waits_until),
            "lost_at": _timestamp(self.lost_at),
            "due_at": _timestamp(self.due_at),
            "promotes": self.promotes,
            "reasons": list(self.reasons),
            "missing": [entry.to_json(slugs) for entry in self.missing],
            "chapters": [
                {
                    "chapter": AT_LARGE if line.chapter is None else slugs.get(line.chapter, str(line.chapter)),
                    "members": line.members,
                    "cap": line.cap,
                    "support": line.votes.support,
                    "oppose": line.votes.oppose,
                    "pass": line.votes.passes,
                    "counted": line.counted,
                }
                for line in self.count.chapters
            ],
        }


def _timestamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
