"""In which votes a voided member's vote does not count: those that opened after it was voided."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.accounts.models import User
from app.consensus.models import Candidate, Voiding, Vote


class Kept(NamedTuple):
    """A vote that counts as any other does, of a member whose votes were voided at some other time."""

    candidate_id: int
    chapter_id: int | None
    value: str
    seasoned_at: datetime | None


Timeline = Mapping[int, Sequence[tuple[int, bool]]]
"""By member: with which confirmations their votes were voided, True, and given back, False, in order."""


def newest_confirmed(session: Session) -> int | None:
    """The number of the newest voiding that was confirmed; None where there was none."""
    return session.exec(select(func.max(Voiding.id)).where(col(Voiding.asked_id).is_not(None))).one()


def read_timeline(session: Session) -> Timeline:
    """What was confirmed, for every member whose votes were ever voided."""
    rows = session.exec(select(Voiding).where(col(Voiding.asked_id).is_not(None)).order_by(col(Voiding.id)))
    found: dict[int, list[tuple[int, bool]]] = {}
    for row in rows:
        found.setdefault(row.member_id, []).append((row.id, row.voids))
    return found


def seen_by(candidate: Candidate) -> int | None:
    """The newest voiding that touches the candidate's votes; None where the vote is still to open: all do."""
    return None if candidate.opened_at is None else candidate.voidings_seen or 0


def is_void(timeline: Timeline, member_id: int, newest: int | None) -> bool:
    """Whether the member's vote does not count where this voiding is the newest that does; None: all of them do.

    By their numbers, as clocks of several servers differ. Giving votes back touches none that is open either.
    """
    found = False
    for number, voids in timeline.get(member_id, ()):
        if newest is None or number <= newest:
            found = voids
    return found


def list_kept(session: Session, candidate_ids: Iterable[int]) -> Iterator[Kept]:
    """Of those whose votes were ever voided, the votes on these candidates that are not void there."""
    wanted = list(candidate_ids)
    if not wanted:
        return
    timeline = read_timeline(session)
    rows = session.exec(
        select(Vote, User.seasoned_at, Candidate)
        .join(User, col(User.id) == Vote.member_id)
        .join(Candidate, col(Candidate.id) == Vote.candidate_id)
        .where(col(Vote.candidate_id).in_(wanted), col(User.voided_at).is_not(None))
    )
    for vote, seasoned_at, candidate in rows:
        if not is_void(timeline, vote.member_id, seen_by(candidate)):
            yield Kept(vote.candidate_id, vote.chapter_id, vote.value, seasoned_at)
