"""Three texts into one: two edits of the same base combined where nothing is lost or guessed, else what clashes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.errors import Refused
from app.revisions.additions import (
    ask_about_doubles,
    home_of_addition,
    order_additions,
    removes_what_is_gone,
    was_reshaped,
)
from app.revisions.changes import Comparison, Hunk, compare
from app.revisions.segments import Kind
from app.revisions.weave import Conflict, Part, Piece, Places, Span, larger, weave
from app.revisions.wording import Clash, Guard, combine_sentence
from app.words import _

__all__ = ["Conflict", "Merged", "Piece", "merge", "resolve"]


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome of a merge: `text` where it is clean, else None and `conflicts` in the order in which they stand.

    `pieces` is the whole in order; `resolve` makes a text of it once a wording is chosen for each conflict.
    """

    pieces: tuple[Piece, ...]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return tuple(piece.content for piece in self.pieces if isinstance(piece.content, Conflict))

    @property
    def text(self) -> str | None:
        return None if self.conflicts else resolve(self, [])


@dataclass(frozen=True, slots=True)
class _Group:
    """Changes of both sides that concern the same sentences, and where these stand in the three texts."""

    mine: tuple[Hunk, ...]
    other: tuple[Hunk, ...]
    base: Span
    ours: Span
    theirs: Span


def merge(base: str, ours: str, theirs: str, *, guarded: Guard = "literal") -> Merged:
    """Both sides' changes to `base` in one text.

    Blocks, then sentences, then words are compared. Changes of different sentences go together, as do additions at one
    spot (theirs, the older, first). Two edits of one sentence go together if words that both left alone stand between
    them and the sentence holds no number, negation, name or quotation. The same change by both is made once. All else
    is a conflict: the same words changed, one side's edit of what the other removed or moved, additions to a passage
    that the other removed, the same addition in two places.

    The result depends on the three texts alone; there is no time limit. Spaces and empty lines never clash.
    """
    if ours in (theirs, base):
        return Merged((Piece(theirs, ""),))
    if theirs == base:
        return Merged((Piece(ours, ""),))
    compared = compare(base, ours, theirs)
    parts: list[Part] = []
    at = (0, 0, 0)
    for group in _groups(compared):
        parts += _unchanged(compared, at, group.base[0])
        if group.mine and group.other:
            parts += _decide(group, compared, guarded)
        else:
            _take(group, compared, parts)
        at = (group.base[1], group.ours[1], group.theirs[1])
    parts += _unchanged(compared, at, len(compared.base.texts))
    return Merged(tuple(weave(ask_about_doubles(parts, compared), compared.texts)))


def resolve(merged: Merged, choices: Sequence[str]) -> str:
    """The text with the n-th conflict replaced by the n-th choice: one of its sides, or a wording of one's own.

    An empty choice leaves nothing in its place. Raises `Refused` if the number of choices is not that of the conflicts.
    """
    conflicts = len(merged.conflicts)
    if len(choices) != conflicts:
        raise Refused(
            _(
                "There are {conflicts} places to decide and {decisions} decisions. Nothing was saved; decide each one."
            ).format(conflicts=conflicts, decisions=len(choices)),
            pointer="/resolutions",
        )
    left = iter(choices)
    text = gap = ""
    for number, piece in enumerate(merged.pieces, start=1):
        clean = isinstance(piece.content, str)
        content = piece.content if isinstance(piece.content, str) else next(left).strip("\n")
        if clean or content:
            text, gap = text + gap + content, piece.gap
        elif number == len(merged.pieces):
            gap = piece.gap
        elif text.strip():
            gap = larger(gap, piece.gap)
    return text + gap


def _groups(compared: Comparison) -> Iterator[_Group]:
    """The changes of both sides in order; those that overlap in the base, or add at the same spot, are together."""
    both = [(hunk, 0) for hunk in compared.mine] + [(hunk, 1) for hunk in compared.other]
    both.sort(key=lambda change: (change[0].b0, change[0].b1, change[1]))
    shift = [0, 0]
    at = 0
    while at < len(both):
        b0, b1 = both[at][0].b0, both[at][0].b1
        starts = b0 + shift[0], b0 + shift[1]
        sides: tuple[list[Hunk], list[Hunk]] = [], []
        while at < len(both) and (both[at][0].b0 < b1 or both[at][0].b1 == b0 == b1):
            hunk, side = both[at]
            sides[side].append(hunk)
            shift[side] += (hunk.s1 - hunk.s0) - (hunk.b1 - hunk.b0)
            b1 = max(b1, hunk.b1)
            at += 1
        ours, theirs = (starts[0], b1 + shift[0]), (starts[1], b1 + shift[1])
        yield _Group(tuple(sides[0]), tuple(sides[1]), (b0, b1), ours, theirs)


def _unchanged(compared: Comparison, at: tuple[int, int, int], until: int) -> Iterator[Part]:
    """Sentences that neither side changed, up to base sentence `until`."""
    base = compared.base
    for k in range(until - at[0]):
        i = at[0] + k
        places = Places(*((start + k, start + k + 1) for start in at))
        yield Part(base.texts[i], places, base.kinds[i], _opens(places, compared), base.kinds[i])


def _opens(places: Places, compared: Comparison) -> bool:
    """Whether a sentence that stands in all three is the first of its block: as the side has it that changed it."""
    base, ours, theirs = (
        text.opens[span[0]] for text, span in zip(compared.texts, places.each(), strict=True) if span is not None
    )
    return ours and theirs if base else ours or theirs


def _take(group: _Group, compared: Comparison, parts: list[Part]) -> None:
    """Append a change that one side alone made, or a conflict if it has lost its place."""
    side, hunk = (1, group.mine[0]) if group.mine else (2, group.other[0])
    home = home_of_addition(hunk, compared, side)
    if was_reshaped(hunk, compared, side, (group.theirs, group.ours)[side - 1][0]):
        home = _("One side split or joined the paragraph in which the other added or removed something.")
    if isinstance(home, str):
        parts.append(_conflict(group, compared, home))
        return
    taken = _taken(group, compared, side)
    passed = parts[len(parts) - home :]
    if any(part.places.each()[side] is not None for part in passed):
        parts.append(_conflict(group, compared, _("Both sides changed the passage to which one side added this.")))
        return
    own = next((k for k, part in enumerate(taken) if part.kind is Kind.HEADING), len(taken)) if home else 0
    parts[len(parts) - home : len(parts)] = [*taken[:own], *passed, *taken[own:]]


def _decide(group: _Group, compared: Comparison, guarded: Guard) -> list[Part]:
    """What stands in the merged text where both sides changed the same sentences."""
    hunks = group.mine + group.other
    if compared.ours.keys[slice(*group.ours)] == compared.theirs.keys[slice(*group.theirs)]:
        return _taken(group, compared, 2)
    if all(hunk.deletes for hunk in hunks):
        return []
    if all(hunk.inserts for hunk in hunks):
        homes = home_of_addition(hunks[0], compared, 1), home_of_addition(hunks[1], compared, 2)
        lost = next((home for home in homes if isinstance(home, str)), None)
        added = order_additions(compared, group.ours, group.theirs) if lost is None else lost
        return [_conflict(group, compared, added)] if isinstance(added, str) else added
    if len(hunks) == 2 and all(hunk.reworded for hunk in hunks):
        return [_reworded(group, compared, guarded)]
    for side, rewriting, removing in ((1, group.mine, group.other), (2, group.other, group.mine)):
        if len(rewriting) == 1 and removes_what_is_gone(rewriting[0], removing, compared, side):
            alone = replace(group, mine=group.mine if side == 1 else (), other=group.other if side == 2 else ())
            return _taken(alone, compared, side)
    if any(hunk.deletes for hunk in hunks):
        return [_conflict(group, compared, _("One side removed what the other changed, or moved it elsewhere."))]
    return [_conflict(group, compared, _("Both sides rewrote this passage."))]


def _conflict(group: _Group, compared: Comparison, reason: str) -> Part:
    spans = group.base, group.ours, group.theirs
    base, ours, theirs = (text.between(*span) for text, span in zip(compared.texts, spans, strict=True))
    places = Places(*(span if span[0] < span[1] else None for span in spans))
    text, first, last = next((text, *span) for text, span in zip(compared.texts, places.each(), strict=True) if span)
    return Part(
        Conflict(base, ours, theirs, reason), places, text.kinds[first], text.opens[first], text.kinds[last - 1]
    )


def _taken(group: _Group, compared: Comparison, side: int) -> list[Part]:
    """The change as one side made it; as theirs made it if both made the same."""
    text = compared.texts[side]
    start, end = (group.ours, group.theirs)[side - 1]
    reworded = group.base[1] - group.base[0] == end - start == 1
    parts = []
    for k in range(end - start):
        ours = (group.ours[0] + k, group.ours[0] + k + 1) if group.mine or reworded else None
        theirs = (group.theirs[0] + k, group.theirs[0] + k + 1) if group.other or reworded else None
        places = Places(group.base if reworded else None, ours, theirs)
        kind = text.kinds[start + k]
        opens = _opens(places, compared) if reworded else text.opens[start + k]
        parts.append(Part(text.texts[start + k], places, kind, opens, kind))
    return parts


def _reworded(group: _Group, compared: Comparison, guarded: Guard) -> Part:
    """One sentence that both sides edited."""
    base, ours, theirs = compared.texts
    b, o, t = group.base[0], group.ours[0], group.theirs[0]
    if {base.kinds[b], ours.kinds[o], theirs.kinds[t]} & {Kind.CODE, Kind.FRONT_MATTER}:
        return _conflict(group, compared, _("Both sides changed the same line."))
    combined = combine_sentence(base.texts[b], ours.texts[o], theirs.texts[t], guarded=guarded)
    if isinstance(combined, Clash):
        return _conflict(group, compared, combined.reason)
    kind = ours.kinds[o] if theirs.kinds[t] is base.kinds[b] else theirs.kinds[t]
    places = Places(group.base, group.ours, group.theirs)
    return Part(combined, places, kind, _opens(places, compared), kind)
