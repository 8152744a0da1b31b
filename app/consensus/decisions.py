"""Gather the facts about candidates and ask the rule."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, case, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.accounts import chapters, saved
from app.accounts.models import User
from app.approvals.models import Approval, Stop, StopKind
from app.consensus import voided
from app.consensus.circumstances import Circumstances, circumstances_of
from app.consensus.models import Candidate, Dependency, Value, Vote, WrittenSentence
from app.consensus.remembered import decide_as_before
from app.consensus.rule import (
    Bar,
    CandidateFacts,
    Counts,
    CurrentFacts,
    Decision,
    Electorate,
    Rule,
    State,
    decide,
)
from app.consensus.tallies import count_tally
from app.database import UtcDateTime, now
from app.revisions.models import Revision
from app.words import _, in_words, unended

Tally = Mapping[int | None, Counts]
"""Votes per chapter id; None holds those of members without one."""


class Ballot(NamedTuple):
    """The votes on a candidate. `waiting` are those of newcomers, kept until they count.

    `changed_at` is when the last of those that count began to, `changes_at` when the next of the others will.
    """

    tally: Tally
    waiting: int = 0
    changed_at: datetime | None = None
    changes_at: datetime | None = None


NO_VOTES = Ballot({})

RULE_FIELDS = frozenset({"wait_routine", "wait_rapid", "neighbour_wait", "rapid_lasts", "active_days"})
"""What can be set of the rule; whom it counts is `seasoning`."""


def rule_in_force(session: Session) -> Rule:
    """The rule for votes that open now: what the environment says, else what was saved."""
    return rule_with(session, saved.settings_saved(session))


def rule_with(session: Session, values: Mapping[str, int | None]) -> Rule:
    """The rule with these settings, by their names; those that are not its own are passed over."""
    rule: Rule = session.info["rule"]
    changed = {name: value for name, value in values.items() if name in RULE_FIELDS}
    return replace(rule, **changed) if changed else rule  # type: ignore[arg-type]  # each was checked when proposed


def rule_of(session: Session, candidate: Candidate) -> Rule:
    """The rule under which the candidate's vote opened."""
    return Rule.from_json(candidate.rule) if candidate.rule is not None else rule_in_force(session)


def decide_on(session: Session, candidate: Candidate, *, ballot: Ballot | None = None) -> Decision:
    """How the candidate stands now. Nothing is written."""
    if ballot is None:
        ballot = count_votes(session, [candidate.id]).get(candidate.id, NO_VOTES)
    bars = _bars_before(session, [candidate]).get(candidate.id, ())
    around = circumstances_of(session, [candidate.page_id])[candidate.page_id]
    names = chapters.names_by_id(session)
    return _decide(session, candidate, ballot, bars, around, electorate_of(session, candidate), names)


def decide_on_all(session: Session, listed: Sequence[Candidate]) -> list[Decision]:
    """How each candidate stands now, in their order. What they have in common is read once."""
    ballots = count_votes(session, (candidate.id for candidate in listed))
    bars, names = _bars_before(session, listed), chapters.names_by_id(session)
    around = circumstances_of(session, (candidate.page_id for candidate in listed))
    unopened = electorate_of(session, None) if any(candidate.electorate is None for candidate in listed) else None
    return [
        _decide(
            session,
            candidate,
            ballots.get(candidate.id, NO_VOTES),
            bars.get(candidate.id, ()),
            around[candidate.page_id],
            unopened if candidate.electorate is None and unopened else electorate_of(session, candidate),
            names,
            decide_as_before,
        )
        for candidate in listed
    ]


def _decide(
    session: Session,
    candidate: Candidate,
    ballot: Ballot,
    bars: tuple[Bar, ...],
    around: Circumstances,
    electorate: Electorate,
    names: Mapping[int, str],
    ask: Callable[..., Decision] = decide,
) -> Decision:
    in_force = around.approved is not None and around.approved.id == candidate.id
    is_open = candidate.closed is None and not candidate.stale
    withdrawn = in_force and around.stop is not None and around.stop.kind == StopKind.WITHDRAWN
    held = around.stop is not None and around.stop.kind == StopKind.HELD and (in_force or is_open)
    facts = CandidateFacts(
        tally=ballot.tally,
        unchanged_since=max(candidate.changed_at, ballot.changed_at or candidate.changed_at),
        opened_at=candidate.opened_at,
        passing_since=candidate.passing_since,
        failing_since=candidate.failing_since,
        not_before=candidate.not_before,
        unconfirmed_until=candidate.unconfirmed_until,
        mode=around.mode,
        has_votes=bool(ballot.tally or ballot.waiting),
        stale=candidate.stale,
        on_hold=held,
        in_force=in_force and not withdrawn,
        ended=State.WITHDRAWN if withdrawn else State(candidate.closed) if candidate.closed is not None else None,
        because=_why_stopped(around.stop) if around.stop and (held or withdrawn) else "",
    )
    current = CurrentFacts(bars, None if in_force else around.losing_until)
    return ask(facts, current, electorate, rule_of(session, candidate), now(session), names=names)


def _why_stopped(stop: Stop) -> str:
    if stop.kind == StopKind.WITHDRAWN:
        return _("A moderator withdrew it {when}: “{reason}”.").format(
            when=in_words(stop.at), reason=unended(stop.reason)
        )
    if stop.until is None:
        return _("It was stopped {when}: “{reason}”.").format(when=in_words(stop.at), reason=unended(stop.reason))
    return _(
        "It was stopped {when}: “{reason}”. The stop ends by itself {end}, unless a second moderator confirms it."
    ).format(when=in_words(stop.at), reason=unended(stop.reason), end=in_words(stop.until))


def electorate_of(session: Session, candidate: Candidate | None) -> Electorate:
    """Who was counted when the vote opened; before that, who would be counted now."""
    if candidate is not None and candidate.electorate is not None:
        return Electorate.from_json(candidate.electorate)
    return Electorate(chapters.count_active(session, days=rule_in_force(session).active_days))


def sides_of(session: Session) -> set[int | None]:
    """The chapters that are counted by themselves now, and None where small ones are together: who may second whom.

    With those whose votes are void: to void votes must not bring it about that moderators of one chapter are enough.
    """
    members = chapters.count_active(session, days=rule_in_force(session).active_days, with_void=True)
    return {line.chapter for line in count_tally({}, Electorate(members)).chapters if line.stands}


def only_one_chapter_counts(session: Session) -> bool:
    """Whether nobody could be found of another chapter, so that a second member of any will do."""
    return len(sides_of(session)) < 2


def _votes_of_some() -> Select[*tuple[Any, ...]]:
    """Equal votes on the candidates of `candidates`, counted, and whether and when their voters count at `at`."""
    counted = and_(col(User.seasoned_at).is_not(None), col(User.seasoned_at) <= bindparam("at", type_=UtcDateTime()))
    # Only those of newcomers tell something: a vote changes the candidate, so it is no older than its votes.
    began_later = case((col(User.seasoned_at) > col(Vote.cast_at), col(User.seasoned_at)))
    alike = (
        col(Vote.candidate_id),
        col(Vote.chapter_id),
        col(Vote.value),
        col(User.voided_at).is_not(None).label("was_voided"),
        counted.label("counted"),
    )
    return (
        sql_select(*alike, func.count(), func.max(began_later), func.min(began_later))
        .join(User, col(User.id) == Vote.member_id)
        .where(col(Vote.candidate_id).in_(bindparam("candidates", expanding=True)))
        .group_by(*alike)
    )


_VOTES = _votes_of_some()  # put together once: that takes longer than to run it


def count_votes(session: Session, candidate_ids: Iterable[int]) -> dict[int, Ballot]:
    """The ballot of each candidate that has votes: support, oppose and pass per chapter, of those that count by now."""
    at = now(session)
    rows = session.execute(_VOTES, {"candidates": list(candidate_ids), "at": at})
    by_candidate: dict[int, list[_Votes]] = {}
    looked_closer: set[int] = set()
    for candidate_id, chapter_id, value, voided_once, *row in rows:
        if voided_once:
            looked_closer.add(candidate_id)
        else:
            by_candidate.setdefault(candidate_id, []).append(_Votes(chapter_id, value, *row))
    for kept in voided.list_kept(session, looked_closer):
        counts = kept.seasoned_at is not None and kept.seasoned_at <= at
        one = _Votes(kept.chapter_id, kept.value, counts, 1, kept.seasoned_at, kept.seasoned_at)
        by_candidate.setdefault(kept.candidate_id, []).append(one)
    return {candidate_id: _ballot(found) for candidate_id, found in by_candidate.items()}


class _Votes(NamedTuple):
    """So many equal votes from one chapter, and when the first and the last of their voters began to count."""

    chapter_id: int | None
    value: str
    counted: bool
    number: int
    last: datetime | None
    first: datetime | None


def _ballot(rows: Sequence[_Votes]) -> Ballot:
    found: dict[int | None, dict[str, int]] = {}
    for row in rows:
        if row.counted:
            votes = found.setdefault(row.chapter_id, {})
            votes[row.value] = votes.get(row.value, 0) + row.number
    return Ballot(
        tally={
            chapter_id: Counts(votes.get(Value.SUPPORT, 0), votes.get(Value.OPPOSE, 0), votes.get(Value.PASS, 0))
            for chapter_id, votes in found.items()
        },
        waiting=sum(row.number for row in rows if not row.counted),
        changed_at=max((row.last for row in rows if row.counted and row.last), default=None),
        changes_at=min((row.first for row in rows if not row.counted and row.first), default=None),
    )


_BARS = (
    select(Dependency.candidate_id, WrittenSentence.score, WrittenSentence.at, Revision.number)
    .join(
        Dependency,
        (col(Dependency.page_id) == WrittenSentence.page_id) & (col(Dependency.hash) == WrittenSentence.hash),
    )
    .join(Approval, col(Approval.id) == WrittenSentence.approval_id)
    .join(Revision, col(Revision.id) == Approval.revision_id)
    .where(
        col(Dependency.candidate_id).in_(bindparam("candidates", expanding=True)),
        col(Dependency.rewrites),
        col(WrittenSentence.at) > bindparam("after", type_=UtcDateTime()),
    )
    .distinct()
)


def _bars_before(session: Session, listed: Sequence[Candidate]) -> dict[int, tuple[Bar, ...]]:
    """The scores set by promotions that wrote sentences which a candidate rewrites, by candidate.

    Those that lapsed since its facts last changed count too: passing begins when the last one ended.
    """
    windows = {it.id: timedelta(seconds=rule_of(session, it).rival_window) for it in listed}
    counts_after = {it.id: it.changed_at - windows[it.id] for it in listed}
    rows = session.execute(
        _BARS, {"candidates": list(windows), "after": min(counts_after.values(), default=now(session))}
    )
    bars: dict[int, tuple[Bar, ...]] = {}
    for candidate_id, score, at, number in rows:
        if at > counts_after[candidate_id]:
            bar = Bar(Fraction(score), at + windows[candidate_id], f"r{number}")
            bars[candidate_id] = (*bars.get(candidate_id, ()), bar)
    return bars
