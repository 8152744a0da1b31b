"""Cut a change into parts by section, so that all of them together are the change again, byte for byte."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise

from app.consensus.carry import Carried, carry
from app.consensus.matching import Fate, match_texts
from app.consensus.parts import outline_of
from app.revisions.align import align
from app.revisions.segments import INTRO, Kind, blocks_of

LARGE = 10
"""A change that touches more blocks than this is offered in parts."""

MOST_PARTS = 12
"""More parts than this nobody reads one by one: the last of them holds all the rest."""

MOST_TRIED = 150_000
"""Parts times blocks, in all attempts to find parts that stand alone. After that the change stays in one piece."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a change: the base with that part alone, the titles of its sections, how many blocks it touches.

    An empty title is that of what stands before the first heading. `moves`: sections change places in it, which can
    only be done in one piece.
    """

    text: str
    titles: tuple[str, ...]
    blocks: int
    moves: bool


def count_blocks(base: str, text: str) -> int:
    """How many blocks a change touches: altered, moved, removed, added; one in place of another counts once."""
    found = match_texts(base, text)
    stays = sum(fate in (Fate.EDITED, Fate.MOVED) for fate in found.fate)
    written = (sum(found.is_written(k) for k in hunk.new) for hunk in found.hunks)
    return stays + sum(max(len(hunk.old), new) for hunk, new in zip(found.hunks, written, strict=True))


def cut(base: str, text: str) -> list[Part]:
    """The parts of the change from `base` to `text`, in the order of the text; one where it cannot be cut.

    Applied one after the other, in this order or the other way round, by carrying each onto what those before made of
    the base, they give exactly `text`; what would not is left together.
    """
    cutter = _Cutter(base, text)
    groups = cutter.groups
    if len(groups) > MOST_PARTS:
        groups = [*groups[: MOST_PARTS - 1], [k for group in groups[MOST_PARTS - 1 :] for k in group]]
    tried = 0
    while len(groups) > 1:
        tried += len(groups) * cutter.blocks
        wrong = cutter.find_wrong(groups)
        if wrong is None:
            break
        if tried > MOST_TRIED:
            groups = [[k for group in groups for k in group]]
            break
        groups = [*groups[: wrong - 1], sorted(groups[wrong - 1] + groups[wrong]), *groups[wrong + 1 :]]
    if len(groups) < 2:
        return [Part(text, cutter.titles_of(range(len(cutter.edits))), count_blocks(base, text), cutter.moves(groups))]
    made = []
    for group in groups:
        alone = cutter.applied(group)
        made.append(Part(alone, cutter.titles_of(group), count_blocks(base, alone), cutter.moves([group])))
    return made


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading with all below it up to the next section, without what separates it from that: `gap`."""

    key: str
    title: str
    body: str
    gap: str
    blocks: int


@dataclass(frozen=True, slots=True)
class _Edit:
    """Sections of the base, and those of the text in their place; both from the index to before the second."""

    old: tuple[int, int]
    new: tuple[int, int]


def _sections_of(text: str) -> list[_Section]:
    blocks = [block for block in blocks_of(text) if block.kind is not Kind.BLANK]
    found = []
    for key, run in groupby(blocks, key=lambda block: block.section):
        inside = list(run)
        whole = "".join(block.content + block.gap for block in inside)
        gap = inside[-1].gap
        title = inside[0].content.partition("\n")[0].strip("# \t") if key != INTRO else ""
        found.append(_Section(key, title, whole[: len(whole) - len(gap)], gap, len(inside)))
    return found


def _starts(sections: Sequence[_Section]) -> list[int]:
    """The index of each section's first block."""
    return list(accumulate((section.blocks for section in sections[:-1]), initial=0))


class _Cutter:
    """The edits that make one text of another, section by section, and which of them belong together."""

    def __init__(self, base: str, text: str) -> None:
        self.base, self.text = base, text
        self.old, self.new = _sections_of(base), _sections_of(text)
        self.blocks = sum(section.blocks for section in [*self.old, *self.new])
        by_key = align([section.key for section in self.old], [section.key for section in self.new])
        self.pairs = sorted([*by_key, *self._renamed(by_key)])
        self.edits = list(self._edits())
        self.moved = {section.key for section in self.old} & {section.key for section in self.new}
        self.moved -= {self.old[i].key for i, _ in self.pairs} & {self.new[j].key for _, j in self.pairs}
        self.spaces = self._spaces()
        self.groups = self._grouped()

    def _renamed(self, by_key: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Sections that got another heading, between those that have the same one."""
        place = match_texts(self.base, self.text).place
        old, new = _starts(self.old), {start: j for j, start in enumerate(_starts(self.new))}
        i = j = 0
        for next_i, next_j in [*by_key, (len(self.old), len(self.new))]:
            for at in range(i, next_i):
                start = place[old[at]]
                found = -1 if start is None else new.get(start, -1)
                if j <= found < next_j:
                    yield at, found
                    j = found + 1
            i, j = next_i + 1, next_j + 1

    def _edits(self) -> Iterator[_Edit]:
        """Sections that were rewritten, and runs that came, went, or stand for others."""
        i = j = 0
        for next_i, next_j in [*self.pairs, (len(self.old), len(self.new))]:
            if j == next_j:
                yield from (_Edit((at, at + 1), (j, j)) for at in range(i, next_i))
            elif (i, j) != (next_i, next_j):
                yield _Edit((i, next_i), (j, next_j))
            if next_i < len(self.old) and self.old[next_i].body != self.new[next_j].body:
                yield _Edit((next_i, next_i + 1), (next_j, next_j + 1))
            i, j = next_i + 1, next_j + 1

    def _spaces(self) -> dict[int, int]:
        """Where only what separates two sections of the base changed, by the first: which edit does it, the nearest."""
        pairs = dict(self.pairs)
        ends = {len(self.old) - 1: len(self.new) - 1}
        changed = [
            i
            for i, j in self.pairs
            if (pairs.get(i + 1) == j + 1 or ends.get(i) == j) and self.old[i].gap != self.new[j].gap
        ]
        return {i: min(range(len(self.edits)), key=lambda k: self._distance(k, i)) for i in changed if self.edits}

    def _distance(self, k: int, index: int) -> int:
        start, end = self.edits[k].old
        return max(start - index, index - end + 1, 0)

    def _grouped(self) -> list[list[int]]:
        """Each edit by itself, but all through which sections only change places, in one."""
        together = [k for k, edit in enumerate(self.edits) if self._moves(edit)]
        alone = [[k] for k in range(len(self.edits)) if k not in together]
        return sorted([*alone, together] if together else alone)

    def _moves(self, edit: _Edit) -> bool:
        inside = [*self.old[slice(*edit.old)], *self.new[slice(*edit.new)]]
        return any(section.key in self.moved for section in inside)

    def moves(self, groups: Sequence[Sequence[int]]) -> bool:
        return any(self._moves(self.edits[k]) for group in groups for k in group)

    def titles_of(self, group: Collection[int]) -> tuple[str, ...]:
        """The titles of the sections that these edits touch, each once, as the text has them where it has them."""
        found: dict[str, None] = {}
        for k in group:
            edit = self.edits[k]
            for section in self.new[slice(*edit.new)] or self.old[slice(*edit.old)]:
                found[section.title] = None
        return tuple(found)

    def applied(self, chosen: Collection[int]) -> str:
        """The base with these edits alone; with all of them it is the text."""
        if len(chosen) == len(self.edits):
            return self.text
        took = [self.edits[k] for k in sorted(chosen)]
        pieces: list[tuple[int | None, int | None]] = []  # index in the base, in the text
        place: dict[int, int] = dict(self.pairs)
        at = 0
        for edit in took:
            pieces += [(i, place.get(i)) for i in range(at, edit.old[0])]
            pieces += [(None, j) for j in range(*edit.new)]
            at = edit.old[1]
        pieces += [(i, place.get(i)) for i in range(at, len(self.old))]
        if not pieces:
            return ""
        text = outline_of(self.base).lead
        for before, after in pairwise(pieces):
            text += self._body(before) + self._between(before, after, chosen)
        return text + self._body(pieces[-1]) + self._at_end(pieces[-1], chosen)

    def _body(self, piece: tuple[int | None, int | None]) -> str:
        i, j = piece
        return self.old[i].body if i is not None else self.new[j or 0].body

    def _between(
        self, before: tuple[int | None, int | None], after: tuple[int | None, int | None], chosen: Collection[int]
    ) -> str:
        """What separates two sections: as in the base if they are neighbours there, else as in the text, else empty."""
        if before[0] is not None and after[0] == before[0] + 1:
            return self._gap(before[0], chosen)
        if before[1] is not None and after[1] == before[1] + 1:
            return self.new[before[1]].gap
        return "\n\n"

    def _gap(self, index: int, chosen: Collection[int]) -> str:
        changed = index in self.spaces and self.spaces[index] in chosen
        return self.new[dict(self.pairs)[index]].gap if changed else self.old[index].gap

    def _at_end(self, last: tuple[int | None, int | None], chosen: Collection[int]) -> str:
        return self._gap(last[0], chosen) if last[0] == len(self.old) - 1 else (self.old or self.new)[-1].gap

    def find_wrong(self, groups: Sequence[Sequence[int]]) -> int | None:
        """The first group that has to go together with the one before it; None if each can stand alone."""
        alone = [self.applied(group) for group in groups]
        stuck = self._stops_at(groups, alone)
        if stuck is not None:
            return stuck
        stuck = self._stops_at(groups[::-1], alone[::-1])
        return None if stuck is None else len(groups) - stuck

    def _stops_at(self, groups: Sequence[Sequence[int]], alone: Sequence[str]) -> int | None:
        """The first of these that cannot be carried onto what those before make of the base, or becomes other words."""
        made, strayed = alone[0], None
        chosen = set(groups[0])
        for k, text in enumerate(alone[1:], 1):
            outcome = carry(self.base, text, made)
            if not isinstance(outcome, Carried):
                return k
            made = outcome.text
            chosen |= set(groups[k])
            if strayed is None and made != self.applied(chosen):
                strayed = k
        return None if made == self.text else strayed
