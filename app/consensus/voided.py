"""In which votes a voided member's vote does not count: those that opened after it was voided."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from app.accounts.models import User
from app.consensus.models import Candidate, Voiding, Vote


class Kept(NamedTuple):
    """A vote that counts as any other does, of a member whose votes were voided at some other time."""

    candidate_id: int
    chapter_id: int | None
    value: str
    seasoned_at: datetime | None


Timeline = Mapping[int, Sequence[tuple[datetime, bool]]]
"""By member: at which moments their votes were voided, True, and given back, False, in order."""


def read_timeline(session: Session) -> Timeline:
    """What was confirmed, for every member whose votes were ever voided."""
    rows = session.exec(select(Voiding).where(col(Voiding.asked_id).is_not(None)).order_by(col(Voiding.id)))
    found: dict[int, list[tuple[datetime, bool]]] = {}
    for row in rows:
        found.setdefault(row.member_id, []).append((row.at, row.voids))
    return found


def is_void(timeline: Timeline, member_id: int, opened_at: datetime | None) -> bool:
    """Whether the member's vote does not count in a vote that opened then; None: one that is still to open.

    Giving votes back touches none that is open either.
    """
    found = False
    for at, voids in timeline.get(member_id, ()):
        if opened_at is None or at < opened_at:
            found = voids
    return found


def list_kept(session: Session, candidate_ids: Iterable[int]) -> Iterator[Kept]:
    """Of those whose votes were ever voided, the votes on these candidates that are not void there."""
    wanted = list(candidate_ids)
    if not wanted:
        return
    timeline = read_timeline(session)
    rows = session.exec(
        select(Vote, User.seasoned_at, Candidate.opened_at)
        .join(User, col(User.id) == Vote.member_id)
        .join(Candidate, col(Candidate.id) == Vote.candidate_id)
        .where(col(Vote.candidate_id).in_(wanted), col(User.voided_at).is_not(None))
    )
    for vote, seasoned_at, opened_at in rows:
        if not is_void(timeline, vote.member_id, opened_at):
            yield Kept(vote.candidate_id, vote.chapter_id, vote.value, seasoned_at)
