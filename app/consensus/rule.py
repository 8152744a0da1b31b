"""The one function that knows how text gets approved; page, API and ledger print what it answers."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from app.consensus.explain import explain
from app.consensus.facts import Bar, CandidateFacts, CurrentFacts, Decision, Rule, State
from app.consensus.missing import Missing, find_missing_supporters
from app.consensus.tallies import Count, Counts, Electorate, cap_of, count_tally, need_of

__all__ = [
    "Bar",
    "CandidateFacts",
    "Counts",
    "CurrentFacts",
    "Decision",
    "Electorate",
    "Missing",
    "Rule",
    "State",
    "cap_of",
    "decide",
    "need_of",
    "promotion_order",
]

_NEVER = datetime.max.replace(tzinfo=UTC)


def decide(
    candidate: CandidateFacts,
    current: CurrentFacts,
    electorate: Electorate,
    rule: Rule,
    now: datetime,
    *,
    names: Mapping[int, str] | None = None,
) -> Decision:
    """How the candidate stands at this moment, why, and what would change it.

    It passes with enough people, three to one, and a score above every bar in force. It is promoted when it has passed
    for the waiting time, or at once with a majority of all active members; the wait for a neighbour is never cut short.
    Asked late it answers with the moments at which things began or ended, not with the moment of asking. `names` are
    the chapters' for the reasons.
    """
    count = count_tally(candidate.tally, electorate)
    decision = _decide(candidate, current, rule, now, count)
    return replace(decision, reasons=explain(decision, candidate, current, now, names or {}))


def _decide(candidate: CandidateFacts, current: CurrentFacts, rule: Rule, now: datetime, count: Count) -> Decision:
    in_force = [bar for bar in current.bars if now < bar.until]
    to_beat = max((bar.score for bar in in_force), default=None)
    if candidate.ended is not None:
        return _over(candidate.ended, count, to_beat, candidate.passing_since)
    if candidate.stale:
        return _over(State.STALE, count, to_beat)
    since = _passing_since(candidate, current, now, count)
    waits_until = None if since is None else _end_of_wait(candidate, rule, since, count)
    closes = None if candidate.opened_at is None else candidate.opened_at + timedelta(seconds=rule.vote_lasts)
    if closes is not None and closes <= now and (waits_until is None or closes < waits_until):
        return _over(State.EXPIRED, count, to_beat)
    promotes = waits_until is not None and waits_until <= now and not candidate.on_hold
    changes = [closes, waits_until] if waits_until is not None else [closes, *(bar.until for bar in in_force)]
    return Decision(
        state=_state(candidate, promotes=promotes, passes=since is not None),
        count=count,
        to_beat=to_beat,
        passing_since=since,
        waits_until=waits_until,
        due_at=waits_until if promotes else min((at for at in changes if at is not None and now < at), default=None),
        promotes=promotes,
        missing=() if promotes or candidate.on_hold else _missing(count, to_beat, waits_until, now),
    )


def _over(state: State, count: Count, to_beat: Fraction | None, passing_since: datetime | None = None) -> Decision:
    """A decision that neither votes nor time change."""
    return Decision(state, count, to_beat, passing_since, None, None, promotes=False, missing=())


def _passing_since(candidate: CandidateFacts, current: CurrentFacts, now: datetime, count: Count) -> datetime | None:
    """When it began to pass: as remembered, else when its facts became what they are and no rival was left to beat."""
    unbeaten = [bar.until for bar in current.bars if count.score <= bar.score]
    if not (count.has_enough_people and count.is_three_to_one) or any(now < until for until in unbeaten):
        return None
    return candidate.passing_since or max([candidate.unchanged_since, *unbeaten])


def _end_of_wait(candidate: CandidateFacts, rule: Rule, since: datetime, count: Count) -> datetime:
    """When it has passed for long enough, or had a majority, and the neighbour's voters had time to see it."""
    ready = since + rule.wait(candidate.mode, count.need)
    if count.has_majority:
        ready = min(ready, max(since, candidate.unchanged_since))
    return ready if candidate.not_before is None else max(ready, candidate.not_before)


def _state(candidate: CandidateFacts, *, promotes: bool, passes: bool) -> State:
    if candidate.on_hold:
        return State.ON_HOLD
    if promotes:
        return State.APPROVED
    if passes:
        return State.WAITING
    return State.COLLECTING if candidate.has_votes else State.DRAFT


def _missing(
    count: Count, to_beat: Fraction | None, waits_until: datetime | None, now: datetime
) -> tuple[Missing, ...]:
    if waits_until is None:
        return find_missing_supporters(count, to_beat)
    return (Missing("time", math.ceil((waits_until - now) / timedelta(seconds=1))),)


def promotion_order(decision: Decision, sha256: str) -> tuple[datetime, int, int, datetime, str]:
    """Sorts ends of waiting in the order in which they are taken; what does not wait comes last.

    By the moment; then more chapters with more for than against, more supporters, an earlier start, the smaller hash.
    """
    return (
        decision.waits_until or _NEVER,
        -decision.count.leading_chapters,
        -decision.count.supporters,
        decision.passing_since or _NEVER,
        sha256,
    )
