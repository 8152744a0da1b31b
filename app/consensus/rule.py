"""The one function that knows how text gets approved; page, API and ledger print what it answers."""

import math
from collections.abc import Iterable, Mapping
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
    in_full: bool = True,
) -> Decision:
    """How the candidate stands at this moment, why, and what would change it.

    It passes with enough people, three to one, and a score above every bar in force. It is promoted when it has passed
    for the waiting time, or at once with a majority of all active members; the wait for a neighbour is never cut short.
    Asked late it answers with the moments at which things began or ended, not with the moment of asking. `names` are
    the chapters' for the reasons. Without `in_full` it leaves out the reasons and what is missing, which take most of
    the time.
    """
    count = count_tally(candidate.tally, electorate)
    decision = _decide(candidate, current, rule, now, count, in_full=in_full)
    if not in_full:
        return decision
    return replace(decision, reasons=explain(decision, candidate, current, now, names or {}))


def _decide(
    candidate: CandidateFacts, current: CurrentFacts, rule: Rule, now: datetime, count: Count, *, in_full: bool
) -> Decision:
    in_force = [bar for bar in current.bars if now < bar.until]
    to_beat = max((bar.score for bar in in_force), default=None)
    if candidate.in_force:
        return _decide_in_force(candidate, rule, now, count)
    if candidate.ended is not None:
        return _over(candidate.ended, count, to_beat, candidate.passing_since)
    if candidate.stale:
        return _decide_stale(candidate, rule, now, count, to_beat)
    since = _passing_since(candidate, current, now, count)
    waits_until = None if since is None else _end_of_wait(candidate, current, rule, since, count)
    failing_since, lost_at = _failing(candidate, rule, count, fails=count.is_declined)
    closes = None if candidate.opened_at is None else candidate.opened_at + timedelta(seconds=rule.vote_lasts)
    if closes is not None and closes <= now and all(end is None or closes < end for end in (waits_until, lost_at)):
        return _over(State.EXPIRED, count, to_beat)
    if lost_at is not None and lost_at <= now:
        return _declined(count, to_beat, failing_since, lost_at)
    promotes = waits_until is not None and waits_until <= now and not candidate.on_hold
    changes = [closes, lost_at, waits_until]
    if waits_until is None:
        changes += [bar.until for bar in in_force]
    return Decision(
        state=_state(candidate, promotes=promotes, passes=since is not None),
        count=count,
        to_beat=to_beat,
        passing_since=since,
        waits_until=waits_until,
        due_at=waits_until if promotes else _next(changes, now),
        promotes=promotes,
        missing=() if promotes or candidate.on_hold or not in_full else _missing(count, to_beat, waits_until, now),
        failing_since=failing_since,
        lost_at=lost_at,
    )


def _decide_stale(
    candidate: CandidateFacts, rule: Rule, now: datetime, count: Count, to_beat: Fraction | None
) -> Decision:
    """Nothing but a merge brings it back. What was being declined when another text took its place still is."""
    stale = _over(State.STALE, count, to_beat)
    was_failing = candidate.failing_since is not None
    failing_since, lost_at = _failing(candidate, rule, count, fails=was_failing and count.is_declined)
    if lost_at is not None and lost_at <= now:
        return _declined(count, to_beat, failing_since, lost_at)
    return replace(stale, failing_since=failing_since, lost_at=lost_at, due_at=lost_at)


def _declined(count: Count, to_beat: Fraction | None, failing_since: datetime | None, lost_at: datetime) -> Decision:
    declined = _over(State.DECLINED, count, to_beat)
    return replace(declined, failing_since=failing_since, lost_at=lost_at, due_at=lost_at, falls=True)


def _decide_in_force(candidate: CandidateFacts, rule: Rule, now: datetime, count: Count) -> Decision:
    """How the approved text itself stands: its tally stays open, and it can lose what it was given.

    It loses its approval with too many against it for the waiting time, and after a rapid one when its time is over
    before it has passed for the routine waiting time. Contested, it is approved again when it has passed for that time
    once more, in rapid mode too.
    """
    since = _passing_since(candidate, CurrentFacts(), now, count)
    contested = candidate.ended is State.CONTESTED
    failing_since, lost_at = _failing(candidate, rule, count, fails=count.is_unwanted and not contested)
    until = candidate.unconfirmed_until
    routine = replace(candidate, mode="routine", not_before=candidate.not_before if until is None else None)
    passed_at = None if since is None else _end_of_wait(routine, CurrentFacts(), rule, since, count)
    is_confirmed = until is not None and passed_at is not None and passed_at <= min(now, until)
    goes_back = until is not None and until <= now and not is_confirmed and not candidate.on_hold
    falls = lost_at is not None and lost_at <= now and not candidate.on_hold
    promotes = contested and passed_at is not None and passed_at <= now and not candidate.on_hold
    state = State.CONTESTED if contested and not promotes else State.APPROVED
    if candidate.on_hold:
        state = State.ON_HOLD
    elif falls or goes_back:
        state = State.UNPROMOTED
    waiting = [lost_at, until, passed_at if until is not None or contested else None]
    due = [at for at in waiting if at is not None and at <= now]
    return Decision(
        state=state,
        count=count,
        to_beat=None,
        passing_since=since,
        waits_until=passed_at if contested else None,
        due_at=min(due) if due and (falls or goes_back or promotes or is_confirmed) else _next(waiting, now),
        promotes=promotes,
        missing=(),
        failing_since=failing_since,
        lost_at=lost_at,
        falls=falls,
        goes_back=goes_back and not falls,
        is_confirmed=is_confirmed,
    )


def _failing(
    candidate: CandidateFacts, rule: Rule, count: Count, *, fails: bool
) -> tuple[datetime | None, datetime | None]:
    """Since when it has had too many against it, and when that has lasted for the waiting time."""
    if not fails:
        return None, None
    since = candidate.failing_since or candidate.unchanged_since
    return since, since + rule.wait(candidate.mode, count.need)


def _next(moments: Iterable[datetime | None], now: datetime) -> datetime | None:
    return min((at for at in moments if at is not None and now < at), default=None)


def _over(state: State, count: Count, to_beat: Fraction | None, passing_since: datetime | None = None) -> Decision:
    """A decision that neither votes nor time change."""
    return Decision(state, count, to_beat, passing_since, None, None, promotes=False, missing=())


def _passing_since(candidate: CandidateFacts, current: CurrentFacts, now: datetime, count: Count) -> datetime | None:
    """When it began to pass: as remembered, else when its facts became what they are and no rival was left to beat.

    Never before the vote opened: members see it from then on.
    """
    unbeaten = [bar.until for bar in current.bars if count.score <= bar.score]
    if not (count.has_enough_people and count.is_three_to_one) or any(now < until for until in unbeaten):
        return None
    opened = [] if candidate.opened_at is None else [candidate.opened_at]
    return candidate.passing_since or max([candidate.unchanged_since, *opened, *unbeaten])


def _end_of_wait(
    candidate: CandidateFacts, current: CurrentFacts, rule: Rule, since: datetime, count: Count
) -> datetime:
    """When it has passed for long enough, or had a majority, and nothing that nothing cuts short holds it up.

    Such are the time for a neighbour's voters to see it, and the time in which the approved text may lose its approval.
    """
    ready = since + rule.wait(candidate.mode, count.need)
    if count.has_majority:
        ready = min(ready, max(since, candidate.unchanged_since))
    return max(at for at in (ready, candidate.not_before, current.losing_until) if at is not None)


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
