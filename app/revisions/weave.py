"""Putting pieces of three texts one after the other, with the spaces and empty lines that belong between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.revisions.changes import Strand
from app.revisions.segments import Kind, blocks_of

Span = tuple[int, int]
Three = tuple[Strand, Strand, Strand]
"""Base, ours, theirs."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a piece stands in the base, in ours and in theirs, as item numbers; None where a text does not have it."""

    base: Span | None
    ours: Span | None
    theirs: Span | None

    def each(self) -> tuple[Span | None, Span | None, Span | None]:
        return self.base, self.ours, self.theirs


@dataclass(frozen=True, slots=True)
class Conflict:
    """Sentences that a person has to decide about; a side that has none of them there holds the empty string."""

    base: str
    ours: str
    theirs: str
    reason: str


@dataclass(frozen=True, slots=True)
class Part:
    """One sentence of the merged text, or a conflict.

    `kind` and `opens` (is it the first of its block?) are those of its first sentence, `last` the kind of its last.
    """

    content: str | Conflict
    places: Places
    kind: Kind
    opens: bool
    last: Kind


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the merged text, or a conflict in it, and what stands after it."""

    content: str | Conflict
    gap: str


START = Places((0, 0), (0, 0), (0, 0))


def end_of(strands: Three) -> Places:
    """The place after the last item of each text."""
    base, ours, theirs = (len(strand.texts) for strand in strands)
    return Places((base, base), (ours, ours), (theirs, theirs))


def known_gap(before: Places, after: Places, strands: Three) -> str | None:
    """What separates two pieces that are neighbours in ours or theirs; None if they are in neither.

    If they are in both, the side that changed it against the base says; if both did, the larger one.
    """
    base, ours, theirs = (
        strand.gaps[y[0]] if x is not None and y is not None and x[1] == y[0] else None
        for x, y, strand in zip(before.each(), after.each(), strands, strict=True)
    )
    if ours is None or theirs is None:
        return theirs if ours is None else ours
    return _changed(base, ours, theirs)


def _changed(base: str | None, ours: str, theirs: str) -> str:
    """The separator of the side that changed it; of two that did, the larger."""
    if ours == theirs or theirs == base:
        return ours
    return theirs if ours == base else larger(ours, theirs)


def wider_gap(before: Places, after: Places, strands: Three) -> str:
    """The larger of what follows the first piece and what precedes the second in the sides that have them."""
    follows = [strand.gaps[x[1]] for x, strand in zip(before.each(), strands, strict=True) if x is not None]
    precedes = [strand.gaps[y[0]] for y, strand in zip(after.each(), strands, strict=True) if y is not None]
    found = ""
    for gap in follows + precedes:
        found = larger(found, gap)
    return found


def gap_between(before: Places, after: Places, strands: Three) -> str:
    """What the texts say about two neighbours, else the wider of what they say about each."""
    known = known_gap(before, after, strands)
    return wider_gap(before, after, strands) if known is None else known


def larger(one: str, other: str) -> str:
    """Of two separators the one with more line ends, then the longer one."""
    return max(one, other, key=lambda gap: (gap.count("\n"), len(gap), gap))


def weave(parts: Sequence[Part], strands: Three) -> Iterable[Piece]:
    """The parts in order with what separates them; whatever stands between two conflicts is one piece."""
    line = [START, *(part.places for part in parts), end_of(strands)]
    gaps = [_part_gap(parts, k, line, strands) for k in range(len(parts) + 1)]
    text, gap = "", gaps[0]
    for part, after in zip(parts, gaps[1:], strict=True):
        if isinstance(part.content, str):
            text, gap = text + gap + part.content, after
            continue
        if text or gap:
            yield Piece(text, gap)
        yield Piece(part.content, after)
        text, gap = "", ""
    if text or gap:
        yield Piece(text, gap)


def _part_gap(parts: Sequence[Part], k: int, line: Sequence[Places], strands: Three) -> str:
    """What stands before part `k`; never so little that two blocks would become one."""
    known = known_gap(line[k], line[k + 1], strands)
    if known is None and k in (0, len(parts)):
        known = _changed(*(strand.gaps[-1 if k else 0] for strand in strands))
    gap = wider_gap(line[k], line[k + 1], strands) if known is None else known
    gap = _line_tail(line[k], strands, gap) + gap[_tail(gap) :]
    if k == 0 or k == len(parts):
        return gap
    before, after = parts[k - 1], parts[k]
    joined = before.last is after.kind and after.kind in (Kind.ITEM, Kind.ROW, Kind.CODE, Kind.FRONT_MATTER)
    if known is None and (joined or not after.opens):
        # Two lists or paragraphs that both grew at the end go on as one, whatever followed the first addition.
        gap = next(strand.gaps[y[0]] for y, strand in zip(after.places.each(), strands, strict=True) if y is not None)
    own_line = (after.opens and after.kind is not Kind.PARAGRAPH) or before.last in (Kind.HEADING, Kind.ROW)
    if own_line and "\n" not in gap:
        gap = "\n" if joined else "\n\n"
    if after.opens and gap.count("\n") < 2:
        new = known is None and not joined
        if new or (not _as_in_base(before, gap, after, strands[0]) and _would_glue(before, gap, after)):
            gap = "\n\n"
    return gap


def _as_in_base(before: Part, gap: str, after: Part, base: Strand) -> bool:
    """Whether nobody changed these two neighbours, nor what separates them."""
    x, y = before.places.base, after.places.base
    if x is None or y is None or x[1] != y[0] or gap != base.gaps[y[0]]:
        return False
    return before.content == base.between(*x) and after.content == base.between(*y)


def _would_glue(before: Part, gap: str, after: Part) -> bool:
    """Whether two blocks would be read as one, as a paragraph right under a list item is."""
    if not isinstance(before.content, str) or not isinstance(after.content, str):
        return False
    if before.last in (Kind.CODE, Kind.FRONT_MATTER):
        return False
    # Inside a list item other rules hold for what may follow than inside a paragraph.
    text = "- " + before.content if before.last is Kind.ITEM else before.content
    return len(blocks_of(text + gap + after.content)) < len(blocks_of(text)) + len(blocks_of(after.content))


def _line_tail(before: Places, strands: Three, gap: str) -> str:
    """The spaces at the end of the line: those of a side that changed them, whatever comes after the line."""
    base, ours, theirs = (
        None if x is None else (follows := strand.gaps[x[1]])[: _tail(follows)]
        for x, strand in zip(before.each(), strands, strict=True)
    )
    if "\n" not in gap or base is None or ours is None or theirs is None:
        return gap[: _tail(gap)]
    return theirs if ours == base else ours


def _tail(gap: str) -> int:
    """How many spaces stand before the line ends; none if it goes on."""
    return gap.find("\n") if "\n" in gap else 0
