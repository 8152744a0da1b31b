"""Parts of three texts one after the other, with the spaces and empty lines that belong between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from app.consensus.parts import SENTENCE, Parts
from app.revisions.segments import Kind

_RUNS_ON = frozenset({Kind.ITEM, Kind.ROW, Kind.CODE})
"""Kinds of blocks that follow each other without an empty line between."""


class Sources(NamedTuple):
    """The same text, or the same block, as it was, as the candidate has it, and as it was approved meanwhile."""

    base: Parts
    ours: Parts
    theirs: Parts


@dataclass(frozen=True, slots=True)
class Piece:
    """What the joined text holds, and where it stands in each source, None where it does not."""

    content: str
    kind: str
    base: int | None
    ours: int | None
    theirs: int | None


def join(pieces: Sequence[Piece], sources: Sources) -> str:
    """The pieces with what separates them.

    Neighbours in the newer text keep what separates them there, or get what the candidate made of it if that is as it
    was in the base; neighbours in the candidate keep theirs. All others are separated like the second from a neighbour
    of the same kind in its own text, else as the first, else by an empty line, in a block by a space.
    """
    if not pieces:
        return ""
    text = pieces[0].content
    for before, after in pairwise(pieces):
        text += _between(before, after, sources) + after.content
    return text + _at_end(pieces[-1], sources)


def three_way(base: str, ours: str, theirs: str) -> str:
    """What the newer text has, unless that is as it was in the base: then what the candidate made of it."""
    return ours if theirs == base else theirs


def _at_end(last: Piece, sources: Sources) -> str:
    """What ends a text: as in the newer one, or as the candidate changed it; one without a part says nothing."""
    known = [parts[-1].gap for parts in sources if parts]
    if last.theirs is None or last.theirs + 1 < len(sources.theirs):
        known = [_line_ends(gap) for gap in known]
    return three_way(*known) if len(known) == 3 else known[-1]


def _line_ends(gap: str) -> str:
    """A gap without the spaces that trail the part before it: they do not go over to another one."""
    return gap.replace(" ", "").replace("\t", "")


def _between(before: Piece, after: Piece, sources: Sources) -> str:
    known = _gap(sources.theirs, before.theirs, after.theirs)
    own = _gap(sources.ours, before.ours, after.ours)
    if known is None:
        return _composed(before, after, sources) if own is None else own
    was = _gap(sources.base, before.base, after.base)
    return known if own is None or was is None else three_way(was, own, known)


def _gap(parts: Parts, one: int | None, other: int | None) -> str | None:
    """What separates two parts of one text; None unless they are neighbours there."""
    return parts[one].gap if one is not None and other == one + 1 else None


def _composed(before: Piece, after: Piece, sources: Sources) -> str:
    """What separates two pieces that are neighbours in no source."""
    found = []
    for parts, _, k in _places(before, after, sources):
        if k and parts[k - 1].kind == before.kind:
            found.append(parts[k - 1].gap)
    for parts, k, _ in _places(before, after, sources):
        if k is not None and k + 1 < len(parts) and parts[k + 1].kind == after.kind:
            found.append(parts[k].gap)
    if SENTENCE in (before.kind, after.kind):
        return found[0] if found else " "
    runs_on = before.kind == after.kind and after.kind in _RUNS_ON
    return next((_line_ends(gap) for gap in found if gap.count("\n") > 1 or runs_on), "\n\n")


def _places(before: Piece, after: Piece, sources: Sources) -> Iterator[tuple[Parts, int | None, int | None]]:
    yield sources.theirs, before.theirs, after.theirs
    yield sources.ours, before.ours, after.ours
    yield sources.base, before.base, after.base
