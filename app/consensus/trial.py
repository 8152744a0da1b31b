"""Try a number of the rule on votes that are over: what would they have decided?"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlmodel import Session, col, select

from app.accounts.models import User
from app.approvals.models import Approval
from app.consensus import voided
from app.consensus.facts import CandidateFacts, CurrentFacts, Rule, State
from app.consensus.models import Candidate, Value, VoteEntry
from app.consensus.rule import decide
from app.consensus.tallies import NO_COUNTS, Counts, Electorate, count_tally
from app.database import now

LOOKS_BACK = timedelta(days=90)
MOST_DECISIONS = 200
MOST_VOTES = 5_000
"""Counted over all decisions looked at: whoever reads an open proposal has them recounted."""

CAN_BE_TRIED = frozenset({"wait_routine", "wait_rapid", "neighbour_wait"})
"""What only says how long is waited. The others say who is counted, and whom they would have counted was not kept."""


class Outcome(StrEnum):
    """What a vote decided in the end."""

    APPROVED = "approved"
    DECLINED = "declined"
    NEITHER = "neither"


_OUTCOMES = {
    "approved": Outcome.APPROVED,
    "contested": Outcome.APPROVED,
    "unpromoted": Outcome.APPROVED,
    "declined": Outcome.DECLINED,
    "expired": Outcome.NEITHER,
}


@dataclass(frozen=True, slots=True)
class Trial:
    """Of `tried` decisions, how many would have come out otherwise, by what they were and would have been.

    `sooner` and `later` are approvals that would have come too, at another moment. `left_out` are decisions that the
    votes alone do not explain, as rivals, stops or moderators had a part in them.
    """

    tried: int
    left_out: int
    otherwise: Mapping[tuple[Outcome, Outcome], int]
    sooner: int
    later: int

    @property
    def changed(self) -> int:
        """How many would have come out otherwise."""
        return sum(self.otherwise.values())


class _Cast(NamedTuple):
    """A vote of the record, or one taken back (no value), from when it counts."""

    member_id: int
    chapter_id: int | None
    value: str | None
    at: datetime


def try_value(session: Session, name: str, value: int | None) -> Trial | None:
    """What this value of a setting would have made of the newest decisions; None where votes cannot tell.

    Each is counted anew from the record of its votes, with its own electorate and rule but for this number, by the same
    function that decides. What the same recount under its own rule does not explain is left out.
    """
    if name not in CAN_BE_TRIED:
        return None
    tried = left_out = sooner = later = 0
    otherwise: Counter[tuple[Outcome, Outcome]] = Counter()
    for candidate, mode, casts in _list_decided(session):
        own = Rule.from_json(candidate.rule or {})
        was, was_at = _count_anew(candidate, own, own, mode, casts, now(session))
        if was is not _OUTCOMES[candidate.closed or ""]:
            left_out += 1
            continue
        tried += 1
        changed = replace(own, **{name: value})  # type: ignore[arg-type]
        would, would_at = _count_anew(candidate, changed, own, mode, casts, now(session))
        if would is not was:
            otherwise[was, would] += 1
        elif would is Outcome.APPROVED:
            sooner, later = sooner + (would_at < was_at), later + (would_at > was_at)
    return Trial(tried, left_out, otherwise, sooner, later)


def _list_decided(session: Session) -> Iterator[tuple[Candidate, str, Sequence[_Cast]]]:
    """The newest decisions, each with its waiting mode and its votes; fewer where they hold very many votes."""
    decided = session.exec(
        select(Candidate)
        .where(col(Candidate.closed).in_(_OUTCOMES), col(Candidate.closed_at) > now(session) - LOOKS_BACK)
        .where(col(Candidate.opened_at).is_not(None))
        .order_by(col(Candidate.closed_at).desc(), col(Candidate.id).desc())
        .limit(MOST_DECISIONS)
    ).all()
    rapid = set(
        session.exec(
            select(Approval.candidate_id).where(
                col(Approval.candidate_id).in_([it.id for it in decided]), Approval.mode == "rapid"
            )
        )
    )
    looked_at, timeline = 0, voided.read_timeline(session)
    for candidate in decided:
        rows = session.exec(
            select(VoteEntry, User.seasoned_at)
            .join(User, col(User.id) == VoteEntry.member_id)
            .where(VoteEntry.candidate_id == candidate.id, col(User.seasoned_at).is_not(None))
            .order_by(col(VoteEntry.id))
        ).all()
        looked_at += len(rows)
        if looked_at > MOST_VOTES:
            return
        newest = voided.seen_by(candidate)
        casts = [
            _Cast(vote.member_id, vote.chapter_id, vote.value, max(vote.at, seasoned or vote.at))
            for vote, seasoned in rows
            if not voided.is_void(timeline, vote.member_id, newest)
        ]
        yield candidate, "rapid" if candidate.id in rapid else "routine", casts


def _count_anew(
    candidate: Candidate, rule: Rule, own: Rule, mode: str, casts: Sequence[_Cast], end: datetime
) -> tuple[Outcome, datetime]:
    """What the votes decide first under a rule, and when. Between two votes and after the last one only time passes."""
    opened = candidate.opened_at or candidate.put_forward_at
    electorate = Electorate.from_json(candidate.electorate or {})
    closes = opened + timedelta(seconds=rule.vote_lasts)
    neighbour = candidate.not_before and candidate.not_before - timedelta(seconds=own.neighbour_wait)
    held_up = neighbour and neighbour + timedelta(seconds=rule.neighbour_wait)
    moments = sorted({opened, *(cast.at for cast in casts if cast.at > opened), *([neighbour] if neighbour else [])})
    facts = CandidateFacts({}, opened, opened_at=opened, mode="rapid" if mode == "rapid" else "routine")
    untils = [*moments[1:], max(end, closes, moments[-1])]
    for at, until, tally in zip(moments, untils, _tallies(casts, moments), strict=True):
        changed = tally != facts.tally
        facts = replace(
            facts,
            tally=tally,
            unchanged_since=max(at, opened) if changed else facts.unchanged_since,
            not_before=held_up if neighbour is not None and at >= neighbour else None,
        )
        count = count_tally(tally, electorate)
        idle = not (count.has_enough_people and count.is_three_to_one) and not count.is_declined
        if idle and until < closes:  # the rule would answer that it goes on
            facts = replace(facts, passing_since=None, failing_since=None)
            continue
        decision = decide(facts, CurrentFacts(), electorate, rule, until, in_full=False)
        if decision.promotes:
            return Outcome.APPROVED, decision.waits_until or until
        if decision.state is State.DECLINED:
            return Outcome.DECLINED, decision.lost_at or until
        if decision.state is State.EXPIRED:
            return Outcome.NEITHER, closes
        facts = replace(facts, passing_since=decision.passing_since, failing_since=decision.failing_since)
    return Outcome.NEITHER, end


def _tallies(casts: Sequence[_Cast], moments: Iterable[datetime]) -> Iterator[dict[int | None, Counts]]:
    """Votes per chapter that counted at each of these moments: each member's last one. Each vote is looked at once."""
    coming = deque(sorted(casts, key=lambda cast: cast.at))
    last: dict[int, _Cast] = {}
    tally: dict[int | None, Counts] = {}
    for at in moments:
        while coming and coming[0].at <= at:
            cast = coming.popleft()
            _add(tally, last.get(cast.member_id), -1)
            _add(tally, cast, 1)
            last[cast.member_id] = cast
        yield dict(tally)


def _add(tally: dict[int | None, Counts], cast: _Cast | None, votes: int) -> None:
    """Count a vote, or with -1 what it replaces; a chapter without any is left out."""
    if cast is None or cast.value is None:
        return
    was = tally.get(cast.chapter_id, NO_COUNTS)
    counts = Counts(
        was.support + votes * (cast.value == Value.SUPPORT),
        was.oppose + votes * (cast.value == Value.OPPOSE),
        was.passes + votes * (cast.value == Value.PASS),
    )
    if counts == NO_COUNTS:
        del tally[cast.chapter_id]
    else:
        tally[cast.chapter_id] = counts
