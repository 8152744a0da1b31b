"""Sorts a page's imported revisions into lines: the shared draft, one fork per proposal, side lines for the rest.

In every line each revision's first parent is the one before it, and no two revisions of a line share a first parent.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from app.transfer.git_history import Revision


@dataclass(frozen=True, slots=True)
class Fork:
    """A proposal's text of one page: the revision that stands at the proposal's head, and its path there."""

    page: int
    ref: str
    head: int
    path: str


@dataclass(frozen=True, slots=True)
class Line:
    """Revisions one after another, older first. `fork` is the proposal it is the open draft of."""

    revisions: tuple[int, ...]
    base: int | None
    """Where it leaves another line; None when its first revision has no parent."""
    fork: Fork | None = None


def draw_shared_line(revisions: Sequence[Revision], head: int, chain: Container[int]) -> Line:
    """The line that ends in the main branch's newest text, oldest first.

    Where a merge took a branch's text as it was, the line goes through the branch. If that branch had taken in main
    before, its revision's parents are turned round, so that the line goes on through what stood on main.
    """
    line: list[int] = []
    at: int | None = head
    while at is not None:
        line.append(at)
        revision = revisions[at]
        if revision.commit not in chain and len(revision.parents) > 1:
            first = revision.near.index(max(revision.near))
            for links in (revision.parents, revision.near):
                links.insert(0, links.pop(first))
        at = next(iter(revision.parents), None)
    return Line(tuple(reversed(line)), None)


def draw_forks(revisions: Sequence[Revision], forks: Iterable[Fork], drawn: set[int]) -> list[Line]:
    """One line for each proposal, in the order given, down to what another line holds or another proposal ends in.

    What two proposals share belongs to one of them and the other leaves it there; a proposal that ends within another
    line has no revisions of its own. Adds to `drawn`.
    """
    forks = list(forks)
    heads = {fork.head for fork in forks}
    lines: list[Line] = []
    for fork in forks:
        line: list[int] = []
        at: int | None = fork.head
        while at is not None and at not in drawn and (at == fork.head or at not in heads):
            line.append(at)
            drawn.add(at)
            at = next(iter(revisions[at].parents), None)
        lines.append(Line(tuple(reversed(line)), at, fork))
    return lines


def draw_side_lines(revisions: Sequence[Revision], of: Iterable[int], drawn: set[int]) -> list[Line]:
    """Lines for every revision not yet drawn, given parents before children. Adds to `drawn`."""
    lines: list[list[int]] = []
    open_ends: dict[int | None, list[int]] = {}
    for number in of:
        if number in drawn:
            continue
        drawn.add(number)
        parent = next(iter(revisions[number].parents), None)
        line = open_ends.pop(parent, None) if parent is not None else None
        if line is None:
            line = []
            lines.append(line)
        line.append(number)
        open_ends[number] = line
    return [Line(tuple(line), next(iter(revisions[line[0]].parents), None)) for line in lines]
