"""Rules of approval on a half of a conversation: the shipped one and those it is compared with.

A rule answers for a half which texts it approves and after how many votes, and whether a text passes in the end with
some more votes from one chapter.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from app.consensus.rule import CandidateFacts, Counts, CurrentFacts, Decision, Electorate, Rule, decide
from app.consensus.tallies import count_tally
from bench.opinions import Half, Vote

WAIT = 3600
"""Seconds for which a text has to go on passing."""

_TERMS = Rule(wait_routine=WAIT, vote_lasts=100 * 365 * 86400)
_NONE_YET = Counts()

Tally = Mapping[int | None, Counts]
Passes = Callable[[Tally, Electorate], bool]
Stands = Callable[[str, int, Counts], bool]
"""Whether a text passes in the end once these votes from a chapter are added to it."""

Span = tuple[float, float]
"""Since when a text passes, and when it will have passed for long enough, in seconds."""


class AnyRule(Protocol):
    @property
    def name(self) -> str: ...

    def approvals(self, half: Half) -> dict[str, int]:
        """Of the texts judged good or bad, those approved at some moment, and the voters each had by then."""

    def standing(self, half: Half, *, joining: bool) -> Stands:
        """`joining`: whoever adds votes is counted as a member of the chapter when the vote opens."""
        ...


@dataclass(frozen=True)
class TallyRule:
    """A rule that looks at a text's votes per chapter alone, and waits for an hour."""

    name: str
    passes: Passes

    def approvals(self, half: Half) -> dict[str, int]:
        judged = [*half.judged("good"), *half.judged("bad")]
        reached = {text: self._replay(half, text) for text in judged}
        return {text: voters for text, voters in reached.items() if voters is not None}

    def standing(self, half: Half, *, joining: bool) -> Stands:
        tallies = {text: final_tally(half, text) for text in half.verdicts}

        def stands(text: str, chapter: int, added: Counts) -> bool:
            tally = dict(tallies[text])
            tally[chapter] = tally.get(chapter, _NONE_YET) + added
            members = dict(half.electorate.members)
            if joining:
                members[chapter] = members.get(chapter, 0) + added.support + added.oppose
            return self.passes(tally, Electorate(members))

        return stands

    def ends_at(self, tally: Tally, electorate: Electorate, at: float, since: float | None) -> Span | None:
        """For a text with this tally after a vote at this moment; None if it does not pass."""
        if not self.passes(tally, electorate):
            return None
        began = at if since is None else since
        return began, began + WAIT

    def _replay(self, half: Half, text: str) -> int | None:
        tally: dict[int | None, Counts] = {}
        last: dict[str, int] = {}
        ending: Span | None = None
        for vote in half.votes.get(text, ()):
            at = vote.at / 1000
            if ending is not None and ending[1] <= at:
                return len(last)
            chapter = half.chapters[vote.voter]
            tally[chapter] = _replace(tally.get(chapter, _NONE_YET), last.get(vote.voter), vote)
            last[vote.voter] = vote.choice
            ending = self.ends_at(tally, half.electorate, at, None if ending is None else ending[0])
            if ending is not None and ending[1] <= at:
                return len(last)
        return None if ending is None else len(last)


class ThreeToOne(TallyRule):
    """The shipped rule: the program counts after every vote, and decides where the count says that the text passes."""

    def ends_at(self, tally: Tally, electorate: Electorate, at: float, since: float | None) -> Span | None:
        if not self.passes(tally, electorate):
            return None
        decision = decide_at(tally, electorate, at, since)
        if decision.passing_since is None or decision.waits_until is None:
            return None
        return decision.passing_since.timestamp(), decision.waits_until.timestamp()


def decide_at(tally: Tally, electorate: Electorate, at: float, since: float | None) -> Decision:
    """What the program decides right after a vote, with a waiting time of an hour and no end to the vote."""
    now = _moment(at)
    passing_since = None if since is None else _moment(since)
    facts = CandidateFacts(tally, unchanged_since=now, opened_at=now, passing_since=passing_since)
    return decide(facts, CurrentFacts(), electorate, _TERMS, now)


def _moment(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _replace(counts: Counts, old: int | None, vote: Vote) -> Counts:
    new = vote.choice
    return Counts(
        counts.support + (new == 1) - (old == 1),
        counts.oppose + (new == -1) - (old == -1),
        counts.passes + (new == 0) - (old == 0),
    )


def final_tally(half: Half, text: str) -> dict[int | None, Counts]:
    tally: dict[int | None, Counts] = {}
    for voter, choice in half.last(text).items():
        chapter = half.chapters[voter]
        tally[chapter] = tally.get(chapter, _NONE_YET) + Counts(choice == 1, choice == -1, choice == 0)
    return tally


def _sums(tally: Tally) -> tuple[int, int]:
    return sum(counts.support for counts in tally.values()), sum(counts.oppose for counts in tally.values())


def passes_three_to_one(tally: Tally, electorate: Electorate) -> bool:
    count = count_tally(tally, electorate)
    return count.has_enough_people and count.is_three_to_one


def passes_majority(tally: Tally, electorate: Electorate) -> bool:
    """Two thirds of those for or against, who are at least the square root of N."""
    support, oppose = _sums(tally)
    cast = support + oppose
    return cast > 0 and cast * cast >= electorate.active and 3 * support >= 2 * cast


def passes_wilson(tally: Tally, _electorate: Electorate) -> bool:
    """The lower end of the 95 % interval of the share for, among those for or against, is at least .65."""
    support, oppose = _sums(tally)
    cast, z = support + oppose, 1.96
    if cast == 0:
        return False
    share = support / cast
    spread = z * math.sqrt(share * (1 - share) / cast + z * z / (4 * cast * cast))
    return (share + z * z / (2 * cast) - spread) / (1 + z * z / cast) >= 0.65


def passes_product(tally: Tally, electorate: Electorate) -> bool:
    """The product over the chapters of (for + 1) / (votes + 2), passes among them, is at least .45."""
    product = 1.0
    for chapter in electorate.members:
        counts = tally.get(chapter, _NONE_YET)
        product *= (counts.support + 1) / (counts.support + counts.oppose + counts.passes + 2)
    return product >= 0.45


THREE_TO_ONE = ThreeToOne("three to one", passes_three_to_one)
MAJORITY = TallyRule("majority", passes_majority)
WILSON = TallyRule("wilson", passes_wilson)
PRODUCT = TallyRule("product over chapters", passes_product)
