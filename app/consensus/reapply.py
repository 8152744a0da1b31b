"""A change made to a base, done again on a newer text, spot by spot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.consensus.joining import Piece, Sources, join, three_way
from app.consensus.matching import Fate, Hunk, Matching
from app.consensus.parts import MARK, Part, text_of, title_of
from app.revisions.align import align
from app.revisions.segments import Kind

_UNTOUCHED = (Fate.SAME, Fate.MOVED)
_IN_ORDER = (Fate.SAME, Fate.EDITED)


@dataclass(frozen=True, slots=True)
class Clash:
    """Sentences that the candidate and the newer text both changed; what removed them holds the empty string."""

    base: str
    ours: str
    theirs: str


@dataclass(slots=True)
class Edits:
    """What to do to the newer text: parts to put others in place of, or none; and parts to put before an index."""

    replaced: dict[int, list[Piece]] = field(default_factory=dict)
    inserted: dict[int, list[Piece]] = field(default_factory=dict)


class Reapplication:
    """One change, as the matching `ours` of base and candidate, on its way onto the newer text of `theirs`.

    Works on the sentences of a block. `edits` are those of the spots that carry, `insisted` those which set the
    candidate's wording at the spots that clash. `neighbour` says whether something that carries stands in a block, or
    at a spot, that the newer text changed too.
    """

    def __init__(self, ours: Matching, theirs: Matching) -> None:
        self.ours, self.theirs = ours, theirs
        self.edits, self.insisted = Edits(), Edits()
        self.found: list[tuple[int, Clash]] = []
        self.neighbour = False

    def apply(self) -> None:
        """Decide every spot."""
        for i, k in enumerate(self.ours.place):
            if k is not None and self.ours.fate[i] is Fate.EDITED:
                self._rewrite(i, k)
        for hunk in self.ours.hunks:
            if hunk.replaces:
                self._replace(hunk)
                continue
            for i in hunk.old:
                self._remove(i)
            if hunk.new:
                self._insert(hunk)

    @property
    def clashes(self) -> tuple[Clash, ...]:
        """The clashes in the order of the base."""
        return tuple(clash for _, clash in sorted(self.found, key=lambda found: found[0]))

    def pieces(self, edits: Edits) -> list[Piece]:
        """The parts of the newer text with these edits."""
        pieces: list[Piece] = []
        for j in range(len(self.theirs.new) + 1):
            pieces += edits.inserted.get(j, ())
            if j < len(self.theirs.new):
                pieces += edits.replaced[j] if j in edits.replaced else [self._standing(j)]
        return pieces

    def join(self, pieces: Sequence[Piece]) -> str:
        """The pieces as one text."""
        return join(pieces, Sources(self.ours.old, self.ours.new, self.theirs.new))

    def _standing(self, j: int) -> Piece:
        """A part of the newer text that the change leaves alone, but for spaces within it."""
        part, i = self.theirs.new[j], self.theirs.origin[j]
        if i is None or self.ours.fate[i] not in _IN_ORDER:
            return Piece(part.content, part.kind, i, None, j)
        k = _known(self.ours.place[i])
        content = part.content
        if self.ours.fate[i] is Fate.SAME and self.theirs.fate[i] in _UNTOUCHED:
            content = three_way(self.ours.old[i].content, self.ours.new[k].content, content)
        return Piece(content, part.kind, i, k, j)

    def _piece(self, k: int) -> Piece:
        part, i = self.ours.new[k], self.ours.origin[k]
        j = None if i is None or self.ours.fate[i] is Fate.MOVED else self.theirs.place[i]
        return Piece(part.content, part.kind, i, k, j)

    def _rewrite(self, i: int, k: int) -> None:
        j = self.theirs.place[i]
        if j is not None and self.theirs.fate[i] in _UNTOUCHED:
            self.edits.replaced[j] = [self._piece(k)]
        elif j is not None:
            self._rewrite_edited(i, k, j)
        elif not self._holds([k]):
            self._clash([i], [k])

    def _rewrite_edited(self, i: int, k: int, j: int) -> None:
        """Both sides edited one sentence. A list mark is no wording: the newer one stands."""
        if self.ours.new[k].key != self.theirs.new[j].key and self.ours.new[k].kind != MARK:
            self._clash([i], [k])

    def _remove(self, i: int) -> None:
        j = self.theirs.place[i]
        if j is not None and self.theirs.fate[i] in _UNTOUCHED:
            self.edits.replaced[j] = []
        elif self.theirs.fate[i] is not Fate.REMOVED:
            self._clash([i], [])

    def _replace(self, hunk: Hunk) -> None:
        """Parts that others took the place of: as a whole or not at all."""
        standing = [_known(self.theirs.place[i]) for i in hunk.old if self.theirs.fate[i] in _UNTOUCHED]
        if len(standing) == len(hunk.old):
            pieces = self._pieces(hunk)
            self.edits.replaced |= {j: [] for j in standing}
            self.edits.replaced[standing[0]] = pieces
            between = range(min(standing) + 1, max(standing))
            self.neighbour |= any(self.theirs.origin[j] is None for j in between)
        elif self._holds([k for k in hunk.new if self.ours.is_written(k)]):
            self.edits.replaced |= {j: [] for j in standing}
        else:
            self._clash(hunk.old, hunk.new)

    def _insert(self, hunk: Hunk) -> None:
        if self._holds(hunk.new):
            return
        lost = self._lost(hunk.new)
        if lost is None:
            pieces = self._pieces(hunk)
            if pieces:
                self._put(self.edits, hunk, pieces)
        else:
            self._clash([lost], hunk.new, at=hunk)

    def _lost(self, run: Sequence[int]) -> int | None:
        """The base part that an inserted run needs and the newer text does not have, if so."""
        return None

    def _pieces(self, hunk: Hunk) -> list[Piece]:
        """What a hunk of the candidate brings, with what it moved there from elsewhere as the newer text has it."""
        pieces = []
        for k in hunk.new:
            i = self.ours.origin[k]
            piece = self._piece(k) if i is None else self._move(i, k)
            if piece is not None:
                pieces.append(piece)
        return pieces

    def _move(self, i: int, k: int) -> Piece | None:
        """Take a moved part from where the newer text has it; None if it is there already, or clashes."""
        j, fate = self.theirs.place[i], self.theirs.fate[i]
        if j is not None and (fate is not Fate.MOVED or self._went_along(i, j)):
            beside = [n for n in (j - 1, j + 1) if 0 <= n < len(self.theirs.new)]
            self.neighbour |= fate is Fate.EDITED or any(self.theirs.origin[n] is None for n in beside)
            self.edits.replaced[j] = []
            content = self.theirs.new[j].content if fate is Fate.EDITED else self.ours.new[k].content
            return Piece(content, self.ours.new[k].kind, i, k, None)
        if j is None or self.ours.hunk_of_new(k).after != self.theirs.hunk_of_new(j).after:
            self._clash([i], [k])
        return None

    def _went_along(self, i: int, j: int) -> bool:
        """Whether the newer text moved a part only together with both its neighbours."""
        old, new, origin = self.theirs.old, self.theirs.new, self.theirs.origin
        before = i > 0 and j > 0 and origin[j - 1] == i - 1
        return before and i + 1 < len(old) and j + 1 < len(new) and origin[j + 1] == i + 1

    def _holds(self, run: Sequence[int]) -> bool:
        """Whether the newer text wrote the same, in one piece, anywhere; only for new words that can be known again."""
        parts, newer = [self.ours.new[k] for k in run], self.theirs.new
        known = {part.key for part in self.ours.old}
        telling = any(part.telling and part.kind != Kind.HEADING for part in parts)
        if not telling or any(part.key in known for part in parts):
            return False
        keys = [part.key for part in parts]
        return any(
            [part.key for part in newer[j : j + len(keys)]] == keys
            and all(self.theirs.is_written(j + n) for n in range(len(keys)))
            for j, first in enumerate(newer)
            if first.key == keys[0]
        )

    def _put(self, edits: Edits, hunk: Hunk, pieces: Sequence[Piece]) -> None:
        """Insert pieces where the hunk stood; what the newer text inserted there stands once, and first."""
        there, is_after, touched = self._place_of(hunk, _known(pieces[0].ours))
        if edits is self.edits:
            self.neighbour |= touched
        done, start = 0, there.start
        for n, j in [*self._shared(pieces, there), (len(pieces), there.stop)]:
            room = range(start, start if done == 0 and not is_after else j)
            self._put_between(edits, hunk, pieces[done:n], room)
            done, start = n + 1, j + 1

    def _put_between(self, edits: Edits, hunk: Hunk, pieces: Sequence[Piece], room: range) -> None:
        """Insert pieces after the parts in `room`, but before the first that would take one under itself.

        That is one that lies less deep: no paragraph comes under another's heading, no list item after the list's end.
        A heading that ended its section in the candidate does so in the newer text, wherever that ends there.
        """
        newer, lowest, position = self.theirs.new, None, room.start
        for piece in pieces:
            part = self.ours.new[_known(piece.ours)]
            if lowest is None or part.depth < lowest:
                lowest = part.depth
                position = next((j for j in room if newer[j].depth < lowest), room.stop)
                if part.kind == Kind.HEADING and pieces[-1].ours == hunk.new[-1] and self._ends_section(hunk, part):
                    while self._comes_before(position, hunk) and newer[position].depth > lowest:
                        position += 1
                if part.kind == Kind.FRONT_MATTER:
                    position = 0
            edits.inserted.setdefault(position, []).append(piece)

    def _comes_before(self, j: int, hunk: Hunk) -> bool:
        """Whether there is a part `j` in the newer text and it did not come after the hunk in the base."""
        return j < len(self.theirs.new) and (self.theirs.origin[j] or 0) < hunk.before

    def _ends_section(self, hunk: Hunk, heading: Part) -> bool:
        after = hunk.new[-1] + 1
        return after == len(self.ours.new) or self.ours.new[after].depth <= heading.depth

    def _place_of(self, hunk: Hunk, k: int) -> tuple[range, bool, bool]:
        """Where a hunk's insertion `k` goes: what the newer text has at that spot, whether the insertion comes after
        it, and whether the spot is another than in the base.

        The spot is after the nearest part before it that still stands, else at the start. What took the place of the
        part after the insertion stays after it.
        """
        newer = self.theirs.new
        anchor = next((i for i in range(hunk.before - 1, -1, -1) if self._is_anchor(i, hunk, k)), None)
        if anchor is None:
            start = int(bool(newer) and newer[0].kind == Kind.FRONT_MATTER != self.ours.new[k].kind)
        else:
            start = _known(self.theirs.place[anchor]) + 1
        followed = anchor is not None and self.theirs.fate[anchor] is Fate.MOVED
        end = start
        while end < len(newer) and self._came(end, hunk, alone=followed):
            end += 1
        if start < end:
            other = self.theirs.hunk_of_new(start)
            return range(start, end), not other.old or other.old[0] < hunk.before, True
        return range(start, start), True, followed and self._next_of(start - 1) != hunk.before

    def _is_anchor(self, i: int, hunk: Hunk, k: int) -> bool:
        """Whether base part `i` still stands where the candidate's insertion `k` can come after it.

        One that the newer text moved does within its section, or if it moved with what the hunk stood before.
        """
        j = self.theirs.place[i]
        if j is None or self.theirs.fate[i] is not Fate.MOVED:
            return j is not None
        return self.ours.fate[i] in _IN_ORDER and (self._next_of(j) == hunk.before or self._in_section(i, k))

    def _next_of(self, j: int) -> int | None:
        """The base part that stands after part `j` of the newer text, their number at the end."""
        return self.theirs.origin[j + 1] if j + 1 < len(self.theirs.new) else len(self.theirs.old)

    def _in_section(self, i: int, k: int) -> bool:
        """Whether the newer text has base part `i` in the section that the candidate's part `k` is in."""
        section = self.ours.new[k].section
        heading = None if section is None else self.ours.origin[section]
        if section is not None and heading is None:
            return True
        now = self.theirs.new[_known(self.theirs.place[i])].section
        return now == (None if heading is None else self.theirs.place[heading])

    def _came(self, j: int, hunk: Hunk, *, alone: bool) -> bool:
        """Whether part `j` of the newer text came to the hunk's spot; after a moved part only what is new did."""
        i = self.theirs.origin[j]
        return i is None or (not alone and self.theirs.fate[i] is Fate.MOVED and i != hunk.before)

    def _shared(self, pieces: Sequence[Piece], there: range) -> Iterator[tuple[int, int]]:
        """What both inserted at one spot: equal starts, and after them what can be known again."""
        ours = [self.ours.new[_known(piece.ours)] for piece in pieces]
        theirs = [self.theirs.new[j] for j in there]
        start = 0
        while start < min(len(ours), len(theirs)) and _name(ours[start]) == _name(theirs[start]):
            yield start, there[start]
            start += 1
        one = [_name(part) if part.telling else (0, n) for n, part in enumerate(ours[start:])]
        other = [_name(part) if part.telling else (1, n) for n, part in enumerate(theirs[start:])]
        for n, m in align(one, other):
            yield start + n, there[start + m]

    def _clash(self, olds: Sequence[int], news: Sequence[int], at: Hunk | None = None) -> None:
        """Note a clash, and what the newer text becomes if the candidate's wording is kept."""
        held = sorted({j for i in olds for j in self._standing_for(i)})
        texts = (text_of(self.ours.old, olds), text_of(self.ours.new, news), text_of(self.theirs.new, held))
        self.found.append((olds[0], Clash(*texts)))
        pieces = [self._piece(k) for k in news]
        if at is None and held:
            self.insisted.replaced |= {j: [] for j in held}
            self.insisted.replaced[held[0]] = pieces
        elif pieces:
            self._put(self.insisted, at or Hunk(olds[0] - 1, olds[-1] + 1, (), tuple(news), False), pieces)

    def _standing_for(self, i: int) -> Sequence[int]:
        """The parts of the newer text that stand for a base part: itself, or what took its place."""
        j = self.theirs.place[i]
        if j is not None:
            return [j]
        hunk = self.theirs.hunk_of_old(i)
        return [j for j in hunk.new if self.theirs.origin[j] is None]


def _name(part: Part) -> str:
    """What a part is known by among those inserted at one spot: its words, or a heading's title, of whatever level."""
    return title_of(part.content) if part.kind == Kind.HEADING else part.key


def _known(index: int | None) -> int:
    """The index of a part whose fate says that it has one."""
    if index is None:
        raise LookupError("This part stands nowhere.")
    return index
