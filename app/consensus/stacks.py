"""Stacks: candidates of a page that say nearly the same, kept as they open and move, read best first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from app.consensus import ranking
from app.consensus.lookalikes import Likeness, likeness_of
from app.consensus.models import Candidate, LookAlike, StackBand
from app.consensus.ranking import Stand
from app.consensus.spots import Change


@dataclass(frozen=True, slots=True)
class Stack:
    """A page's candidates that say nearly the same: the best ranked, then others, best first. `size` counts all."""

    top: Candidate
    others: list[Candidate]
    size: int


def note_stack(session: Session, candidate: Candidate, change: Change) -> None:
    """Put the candidate into the stack whose first it says nearly the same as, most alike first, else into its own.

    While others are in a stack that it began it stays there. The caller holds the page's lock.
    """
    likeness = likeness_of(change)
    row = session.get(LookAlike, candidate.id)
    if row is not None and row.shingles == likeness.packed and candidate.stack_id is not None:
        return
    if candidate.stack_id == candidate.id:
        session.exec(delete(StackBand).where(col(StackBand.stack_id) == candidate.id))
    if candidate.stack_id == candidate.id and _has_others(session, candidate.id):
        stack_id = candidate.id
    else:
        stack_id = _find_stack(session, candidate, likeness) or candidate.id
    candidate.stack_id = stack_id
    row = row or LookAlike(candidate_id=candidate.id, shingles=b"")
    row.shingles = likeness.packed
    session.add_all([candidate, row])
    session.flush()
    if stack_id == candidate.id and likeness.bands:
        bands = [{"stack_id": stack_id, "hash": band, "page_id": candidate.page_id} for band in likeness.bands]
        session.execute(insert(StackBand), bands)


def _has_others(session: Session, stack_id: int) -> bool:
    """Whether an open candidate is in the stack besides the one that began it."""
    others = select(Candidate.id).where(
        Candidate.stack_id == stack_id, Candidate.id != stack_id, col(Candidate.closed).is_(None)
    )
    return session.exec(others.limit(1)).first() is not None


def _find_stack(session: Session, candidate: Candidate, likeness: Likeness) -> int | None:
    """The stack that the change belongs to: its first shares a band with it, and is alike when counted exactly."""
    in_band = select(StackBand.stack_id).where(
        StackBand.page_id == candidate.page_id, col(StackBand.hash).in_(likeness.bands)
    )
    rows = session.exec(
        select(LookAlike.candidate_id, LookAlike.shingles)
        .where(col(LookAlike.candidate_id).in_(in_band), LookAlike.candidate_id != candidate.id)
        .order_by(col(LookAlike.candidate_id))
    )
    alike: dict[int, float] = {}
    for stack_id, stored in rows:
        first = Likeness.unpacked(stored)
        if likeness.is_like(first):
            alike[stack_id] = likeness.in_common(first)
    return max(alike, key=lambda stack_id: (alike[stack_id], -stack_id)) if alike else None


class OneAlike(NamedTuple):
    """A candidate in the same stack as another, by its id and its text's."""

    id: int
    revision_id: int


def list_stacks(
    session: Session, page_id: int, *, stand: Stand | None = None, skip: int = 0, limit: int, shown: int
) -> list[Stack]:
    """The page's open candidates in stacks, the one with the best candidate first, with up to `shown` others each.

    With a `stand`, only those that stand in that way.
    """
    stacks: dict[int, list[int]] = {}
    for candidate_id, stack_id in ranking.list_with_stacks(session, page_id, stand=stand):
        stacks.setdefault(stack_id, []).append(candidate_id)
    chosen = list(stacks.values())[skip : skip + limit]
    kept = [ids[: shown + 1] for ids in chosen]
    rows = {row.id: row for row in get_in_order(session, [id_ for ids in kept for id_ in ids])}
    return [
        Stack(rows[ids[0]], [rows[id_] for id_ in ids[1:]], len(whole)) for ids, whole in zip(kept, chosen, strict=True)
    ]


def get_in_order(session: Session, ids: Collection[int]) -> list[Candidate]:
    """The candidates behind ids, in their order."""
    rows = {row.id: row for row in session.exec(select(Candidate).where(col(Candidate.id).in_(ids)))}
    return [rows[id_] for id_ in ids]


def look_alikes_of(session: Session, listed: Sequence[Candidate], *, limit: int | None) -> dict[int, list[OneAlike]]:
    """By candidate the open ones that it shares its stack with, best first; no more than `limit` each."""
    members: dict[int, list[OneAlike]] = {}
    most = None if limit is None else limit + 1
    stack_ids = {row.stack_id for row in listed if row.stack_id is not None}
    for stack_id, candidate_id, revision_id in ranking.list_best_of_stacks(session, stack_ids, most=most):
        members.setdefault(stack_id, []).append(OneAlike(candidate_id, revision_id))
    found = {candidate.id: members.get(candidate.stack_id or 0, []) for candidate in listed}
    return {id_: [other for other in others if other.id != id_][:limit] for id_, others in found.items()}


def list_unnoted(session: Session, *, limit: int) -> Sequence[Candidate]:
    """Open candidates from before stacks were kept."""
    query = select(Candidate).where(col(Candidate.closed).is_(None), col(Candidate.stack_id).is_(None))
    query = query.order_by(col(Candidate.id))
    return session.exec(query.limit(limit)).all()
