"""Carry a candidate's change onto newer approved text."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.consensus.joining import Piece, three_way
from app.consensus.matching import Fate, Hunk, alike, is_rewritten, match_blocks, match_texts
from app.consensus.parts import TELLING, key_of, outline_of, sentence_counts, sentence_keys, words_in
from app.consensus.reapply import Clash, Reapplication
from app.pages.text import MAX_BYTES
from app.revisions.segments import MAX_BLOCKS, Kind, blocks_of

__all__ = ["Carried", "Clash", "Stale", "Superseded", "carry"]


@dataclass(frozen=True, slots=True)
class Carried:
    """The newer text with the change. `neighbour`: it stands beside something that the newer text changed too."""

    text: str
    neighbour: bool


@dataclass(frozen=True, slots=True)
class Stale:
    """The newer text changed the same sentences; a person has to merge.

    `merged` is the newer text with all that does not clash, `kept` the newer text with nothing but the candidate's
    wording of the sentences that do.
    """

    clashes: tuple[Clash, ...]
    merged: str
    kept: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """The newer text holds all of the change already."""


def carry(base: str | None, candidate: str, newer: str) -> Carried | Stale | Superseded:
    """What becomes of the change from `base` to `candidate` when `newer` is approved. See docs/carry-forward.md.

    Without a base the candidate is a whole text of its own: it is carried only if it holds all of the newer one.
    """
    if candidate in (base, newer):
        return Superseded()
    if newer == base:
        return Carried(candidate, neighbour=False)
    if base is None or not base.strip():
        return _carry_whole(candidate, newer)
    change = _Blocks(match_texts(base, candidate), match_texts(base, newer))
    change.apply()
    lead = three_way(*(outline_of(text).lead for text in (base, candidate, newer)))
    pieces = change.pieces(change.edits)
    text = lead + change.join(pieces)
    if change.clashes:
        kept = outline_of(newer).lead + change.join(change.pieces(change.insisted))
        return Stale(change.clashes, merged=text, kept=kept)
    if text == newer or change.is_done(pieces):
        return Superseded()
    astray = (
        tuple(_run_together(pieces, text))
        or tuple(_astray(base, candidate, newer, pieces))
        or tuple(_too_much(newer, pieces, text))
    )
    return Stale(astray, merged=newer, kept=text) if astray else Carried(text, change.neighbour)


def _run_together(pieces: Sequence[Piece], text: str) -> Iterator[Clash]:
    """Where the result is not read as the blocks it was made of: what one side leaves open takes in the other's."""
    found = [block.content for block in blocks_of(text) if block.content]
    made = [piece.content for piece in pieces]
    if found != made:
        at = next((k for k, content in enumerate(made) if found[k : k + 1] != [content]), len(made) - 1)
        yield Clash("", made[at], "".join(made[at + 1 : at + 2]))


def _too_much(newer: str, pieces: Sequence[Piece], text: str) -> Iterator[Clash]:
    """Where both together are more than a page can hold: approved, nobody could change a word of it any more."""
    if len(text.encode()) > MAX_BYTES or len(blocks_of(text)) > MAX_BLOCKS:
        stands = {block.content for block in blocks_of(newer)}
        yield Clash("", next((piece.content for piece in pieces if piece.content not in stands), ""), "")


def _astray(base: str, candidate: str, newer: str, pieces: Sequence[Piece]) -> Iterator[Clash]:
    """Sentences lost, doubled or brought back: one side moved them within a block it rewrote, the other removed them.

    What one side alone added or removed, or both alike, must stand in the result as often as that side has it.
    """
    was, ours, theirs = (sentence_counts(text) for text in (base, candidate, newer))
    now = Counter(key for piece in pieces for key in sentence_keys(piece.kind, piece.content))
    touched = {key for key, _ in (now.items() ^ theirs.items()) | (ours.items() ^ was.items())}
    for key in sorted(touched):
        if ours[key] == was[key]:
            wanted = theirs[key]
        elif theirs[key] in (was[key], ours[key]):
            wanted = ours[key]
        else:
            continue
        if now[key] != wanted and len(words_in(key)) >= TELLING:
            yield Clash(*(key if each[key] else "" for each in (was, ours, theirs)))


def _carry_whole(candidate: str, newer: str) -> Carried | Stale | Superseded:
    matching = match_texts(newer, candidate)
    if all(fate is Fate.SAME for fate in matching.fate):
        return Carried(candidate, neighbour=True)
    if all(origin is not None and matching.fate[origin] is Fate.SAME for origin in matching.origin):
        return Superseded()
    return Stale((Clash("", candidate.strip(), newer.strip()),), merged=newer, kept=candidate)


class _Blocks(Reapplication):
    """The change on the level of blocks, which hold sentences and belong under others."""

    def apply(self) -> None:
        super().apply()
        self._keep_parents()

    def is_done(self, pieces: Sequence[Piece]) -> bool:
        """Whether there was more to the change than spaces, and no more than spaces would still change."""
        alters = [part.key for part in self.ours.old] != [part.key for part in self.ours.new]
        return alters and [key_of(piece.kind, piece.content) for piece in pieces] == [
            part.key for part in self.theirs.new
        ]

    def _rewrite_edited(self, i: int, k: int, j: int) -> None:
        base, ours, theirs = self.ours.old[i], self.ours.new[k], self.theirs.new[j]
        if ours.key == theirs.key:
            return
        inner = Reapplication(match_blocks(base, ours), match_blocks(base, theirs))
        if is_rewritten(inner.ours) or is_rewritten(inner.theirs):
            self._clash([i], [k])
            return
        inner.apply()
        self.found += [(i, clash) for clash in inner.clashes]
        if inner.clashes:
            kept = inner.join(inner.pieces(inner.insisted))
            self.insisted.replaced[j] = [Piece(kept, theirs.kind, i, k, j)]
        content = inner.join(inner.pieces(inner.edits))
        if content != theirs.content:
            self.edits.replaced[j] = [Piece(content, theirs.kind, i, k, j)]
            self.neighbour = True

    def _insert(self, hunk: Hunk) -> None:
        front, newer = self.ours.new[hunk.new[0]], self.theirs.new
        both = bool(newer) and front.kind == newer[0].kind == Kind.FRONT_MATTER
        if both and front.key != newer[0].key:
            self.found.append((-1, Clash("", front.content, newer[0].content)))
            self.insisted.replaced[0] = [self._piece(hunk.new[0])]
            hunk = replace(hunk, new=hunk.new[1:])
        if hunk.new:
            super()._insert(hunk)

    def _lost(self, run: Sequence[int]) -> int | None:
        for k in run:
            part = self.ours.new[k]
            if part.bound and part.under is not None:
                parent = self.ours.origin[part.under]
                if parent is not None and self.theirs.place[parent] is None:
                    return parent
            heading = None if part.section is None else self.ours.origin[part.section]
            if heading is not None and not self._section_stands(heading):
                return heading
        return None

    def _section_stands(self, heading: int) -> bool:
        """Whether the newer text still has the section: under its heading, or under one that is much like it."""
        j = self.theirs.place[heading]
        if j is not None and self.theirs.fate[heading] is Fate.EDITED:
            self.neighbour = True
            return alike(self.ours.old[heading], self.theirs.new[j]) > 0
        return j is not None

    def _keep_parents(self) -> None:
        """A block that the newer text put under one which the candidate removes with all that was under it clashes."""
        newer, replaced = self.theirs.new, self.edits.replaced
        for j, part in enumerate(newer):
            i, parent = self.theirs.origin[j], part.under
            if parent is None or j in replaced or parent not in replaced:
                continue
            if i is not None and (self.theirs.fate[i] is not Fate.MOVED or self._was_under(i, parent)):
                continue
            if any(piece.kind == newer[parent].kind for piece in replaced[parent]):
                continue
            between = range(parent + 1, j)
            if any(replaced.get(n) != [] and self.theirs.origin[n] is not None for n in between):
                continue
            self.found.append((self.theirs.origin[parent] or 0, Clash(newer[parent].content, "", part.content)))
            gone = [n for n in (parent, *between) if replaced.get(n) == []]
            self.insisted.replaced |= {n: [] for n in (*gone, j)}
            del replaced[parent]

    def _was_under(self, i: int, parent: int) -> bool:
        """Whether base part `i` belonged under what part `parent` of the newer text was."""
        return self.theirs.old[i].under == self.theirs.origin[parent]
