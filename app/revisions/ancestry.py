"""Walk a page's revisions from newer to older: history, ancestors, and where two lines meet."""

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Integer, bindparam
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.revisions.models import Revision

FEWEST, MOST = 4, 256
"""Revisions in a window: the first, as most answers are near, and later ones."""

_AT = aliased(Revision)
_WINDOW = (
    select(Revision.number, Revision.id, Revision.first_parent_id, Revision.second_parent_id)
    .join(_AT, col(_AT.page_id) == Revision.page_id)
    .where(
        col(_AT.id) == bindparam("revision", type_=Integer()),
        col(Revision.number) <= _AT.number,
        col(Revision.number) > _AT.number - bindparam("window", type_=Integer()),
    )
)


class Step(NamedTuple):
    """A revision as the walk sees it; parents always have smaller numbers."""

    number: int
    id: int
    parents: tuple[int, ...]


class Ancestry:
    """Parents of the revisions around the ones asked for, read in windows: a long history is never loaded whole."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._steps: dict[int, Step] = {}
        self._window = FEWEST

    def step(self, revision_id: int) -> Step:
        """The revision's number and parents."""
        if revision_id not in self._steps:
            self._read_window(revision_id)
        return self._steps[revision_id]

    def walk(self, heads: Iterable[int]) -> Iterator[Step]:
        """Each ancestor of the heads once, the heads included, highest number first."""
        heap = [self._entry(head) for head in set(heads)]
        heapq.heapify(heap)
        seen = {entry[1] for entry in heap}
        while heap:
            step = self._steps[heapq.heappop(heap)[1]]
            yield step
            for parent in step.parents:
                if parent not in seen:
                    seen.add(parent)
                    heapq.heappush(heap, self._entry(parent))

    def is_ancestor(self, revision_id: int, of: int) -> bool:
        """Whether `of` descends from the revision, or is it."""
        number = self.step(revision_id).number
        for step in self.walk([of]):
            if step.number <= number:
                return step.id == revision_id
        return False

    def nearest_common(self, one: int, other: int) -> int | None:
        """The common ancestor with the highest number; no other common ancestor descends from it."""
        sides = {one: 1}
        sides[other] = sides.get(other, 0) | 2
        for step in self.walk([one, other]):
            reached = sides[step.id]
            if reached == 3:
                return step.id
            for parent in step.parents:
                sides[parent] = sides.get(parent, 0) | reached
        return None

    def count_missing(self, of: int, in_: int) -> int:
        """How many ancestors of `of` are none of `in_`: how far the one is ahead of the other."""
        sides = {of: 1}
        sides[in_] = sides.get(in_, 0) | 2
        count = 0
        open_ones = 1 if of != in_ else 0  # steps ahead that still wait in the heap: at none, all the rest is shared
        for step in self.walk([of, in_]):
            if open_ones == 0:
                break
            reached = sides[step.id]
            if reached == 1:
                count += 1
                open_ones -= 1
            for parent in step.parents:
                before = sides.get(parent, 0)
                sides[parent] = before | reached
                open_ones += (sides[parent] == 1) - (before == 1)
        return count

    def _entry(self, revision_id: int) -> tuple[int, int]:
        return -self.step(revision_id).number, revision_id

    def _read_window(self, revision_id: int) -> None:
        given = {"revision": revision_id, "window": self._window}
        for number, id_, first, second in self._session.execute(_WINDOW, given):
            self._steps[id_] = Step(number, id_, tuple(parent for parent in (first, second) if parent is not None))
        self._window = min(MOST, self._window * 4)
