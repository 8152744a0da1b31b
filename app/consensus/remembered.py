"""Decisions as they were made before from the same facts: a list of fifty is read far more often than it changes."""

from collections.abc import Hashable, Mapping
from dataclasses import fields
from datetime import datetime
from operator import attrgetter

from app.consensus.facts import CandidateFacts, CurrentFacts, Decision, Rule
from app.consensus.rule import decide
from app.consensus.tallies import Electorate
from app.revisions.cache import Kept
from app.words import language

MOST = 1_000
"""Some kilobytes each."""

_FACTS = attrgetter(*(field.name for field in fields(CandidateFacts) if field.name != "tally"))
_KEPT: Kept[Hashable, tuple[datetime, datetime | None, Decision]] = Kept(MOST)
"""By all that `decide` is asked with but the moment: from when and until when it says this."""


def decide_as_before(
    candidate: CandidateFacts,
    current: CurrentFacts,
    electorate: Electorate,
    rule: Rule,
    now: datetime,
    *,
    names: Mapping[int, str],
) -> Decision:
    """What `decide` says at this moment, made anew only where facts are other or time could have changed it.

    Nothing is kept of one that waits: it says how many seconds are missing.
    """
    votes, members = frozenset(candidate.tally.items()), tuple(electorate.members.items())
    key = (language().code, votes, _FACTS(candidate), current, members, rule, tuple(names.items()))
    kept = _KEPT.get(key)
    if kept is not None:
        since, until, decision = kept
        if since <= now and (until is None or now < until):
            return decision
    decision = decide(candidate, current, electorate, rule, now, names=names)
    if decision.waits_until is None:
        moments = [decision.due_at, *(bar.until for bar in current.bars if now < bar.until)]
        _KEPT.put(key, (now, min((at for at in moments if at is not None), default=None), decision))
    return decision
