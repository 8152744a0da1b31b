"""What a change consists of, and the hashes that tell whom another change concerns."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from app.consensus.matching import Fate, Hunk, Matching, is_rewritten, match_blocks, match_texts
from app.consensus.parts import MARK, Part, Parts, outline_of, section_name, sentence_counts, sentences_in, text_of
from app.revisions.segments import Kind

HASH_LENGTH = 32
"""Hex digits of a SHA-256 that are kept: 128 bits."""


class SpotKind(StrEnum):
    """What a change does at a spot."""

    SENTENCE_REWRITTEN = "sentence rewritten"
    SENTENCE_REMOVED = "sentence removed"
    SENTENCE_INSERTED = "sentence inserted"
    BLOCK_REWRITTEN = "block rewritten"
    BLOCK_REMOVED = "block removed"
    BLOCK_INSERTED = "block inserted"
    BLOCK_MOVED = "block moved"
    HEADING_CHANGED = "heading changed"


@dataclass(frozen=True, slots=True)
class Spot:
    """One place where a change alters or inserts something.

    `section` is the key of its section in the base, `before` and `after` its words there and in the candidate, both
    joined as they stand. `needs` are the hashes of what it needs to find unchanged.
    """

    kind: SpotKind
    section: str
    before: str
    after: str
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Change:
    """What a candidate alters against its base: its spots, in the order of the base."""

    spots: tuple[Spot, ...]
    rewrites: frozenset[str]
    """The hashes of the base sentences that it alters or removes: what makes it a rival of whoever wrote them."""
    adds: frozenset[str]
    """The hashes of the sentences that it adds: another change that adds one too would make it stand twice."""

    @property
    def dependencies(self) -> frozenset[str]:
        """The hashes by which those whom another change concerns are found, as `concerns` names them."""
        return self.adds.union(*(spot.needs for spot in self.spots))


def change_between(base: str | None, text: str) -> Change:
    """The change that makes `text` of `base`; without a base all of the text is one insertion."""
    base = base or ""
    if not base.strip():
        spot = Spot(SpotKind.BLOCK_INSERTED, section_name(outline_of(base), 0), "", text, hashes_of(base))
        return Change((spot,) if text.strip() else (), frozenset(), sentences_written(None, text))
    spots = sorted(_SpotFinder(base, text).find(), key=lambda found: found[0])
    return Change(tuple(spot for _, spot in spots), sentences_written(text, base), sentences_written(base, text))


def sentences_written(base: str | None, text: str) -> frozenset[str]:
    """The hashes of the sentences that `text` holds more often than `base`.

    List marks and what has neither letter nor digit are no sentences.
    """
    before = sentence_counts(base or "")
    return frozenset(_hash("sentence", key) for key, n in sentence_counts(text).items() if n > before[key])


def concerns(old: str, new: str) -> frozenset[str]:
    """The hashes that name whom a newer text concerns: what it no longer has, and the sentences that it adds.

    Every change of `old` that it makes stale or whose neighbour it alters depends on one of them. Some that it does not
    concern may, too.
    """
    return (hashes_of(old) - hashes_of(new)) | sentences_written(old, new)


@lru_cache(maxsize=32)
def hashes_of(text: str) -> frozenset[str]:
    """The hashes of all that a change can need to find unchanged."""
    hashes = _hashes_in(text)
    found = {_hash("sentence", key) for key in sentence_counts(text)}
    for index in range(len(hashes.blocks)):
        found |= hashes.of_block(index)
    for index in range(len(hashes.blocks) + 1):
        found |= hashes.of_place(index)
    return frozenset(found | {hashes.page})


def _hash(level: str, content: str) -> str:
    return hashlib.sha256(f"{level}\0{content}".encode()).hexdigest()[:HASH_LENGTH]


@lru_cache(maxsize=32)
def _hashes_in(text: str) -> "_Hashes":
    return _Hashes(outline_of(text).blocks)


class _Hashes:
    """The hashes of a text's blocks and of the places between them.

    Only a block that stands once in the text has a hash of its own: where it stands twice, nothing can be said from its
    hash about either, so whatever depends on it depends on the whole page.
    """

    def __init__(self, blocks: Parts) -> None:
        self.blocks = blocks
        self._count = Counter(part.key for part in blocks)
        self._block = [_hash("block", part.key) for part in blocks]
        self.page = _hash("page", "".join(self._block))

    def of_block(self, index: int) -> set[str]:
        """What shows that a block stands unchanged."""
        return {self._block[index] if self._count[self.blocks[index].key] == 1 else self.page}

    def of_place(self, index: int) -> set[str]:
        """What shows that nothing came between block `index` and the one before it, and that both stand."""
        before = self._block[index - 1] if index else ""
        after = self._block[index] if index < len(self._block) else ""
        beside = [k for k in (index - 1, index) if 0 <= k < len(self._block)]
        return {_hash("place", f"{before}:{after}")}.union(*(self.of_block(k) for k in beside))

    def of_standing(self, index: int) -> set[str]:
        """What shows that a block stands, wherever: one of few words is only known beside its neighbours."""
        if self.blocks[index].telling:
            return self.of_block(index)
        return self.of_place(index) | self.of_place(index + 1)


class _SpotFinder:
    """The spots of one change, each with the index of the base block where it begins."""

    def __init__(self, base: str, text: str) -> None:
        self._outline = outline_of(base)
        self._matching = match_texts(base, text)
        self._hashes = _hashes_in(base)

    def find(self) -> Iterator[tuple[int, Spot]]:
        matching = self._matching
        for i, k in enumerate(matching.place):
            if k is not None and matching.fate[i] is Fate.EDITED:
                yield from self._edited(i, k)
            elif k is not None and matching.fate[i] is Fate.MOVED:
                content = matching.old[i].content
                needs = self._around(i, i + 1) | self._insertion(matching.hunk_of_new(k))
                yield i, self._spot(SpotKind.BLOCK_MOVED, i, content, content, needs)
        for hunk in matching.hunks:
            yield from self._in_hunk(hunk)

    def _edited(self, i: int, k: int) -> Iterator[tuple[int, Spot]]:
        """The spots in a block that still stands, by sentence where any is left."""
        old, new = self._matching.old[i], self._matching.new[k]
        stands = self._hashes.of_standing(i)
        inner = match_blocks(old, new)
        by_sentence = old.kind != Kind.HEADING and not is_rewritten(inner)
        found = list(_sentence_spots(inner)) if by_sentence else []
        if not found:
            kind = SpotKind.HEADING_CHANGED if old.kind == Kind.HEADING else SpotKind.BLOCK_REWRITTEN
            found = [(kind, old.content, new.content, sentences_in(old.kind, old.content))]
        for kind, before, after, lost in found:
            yield i, self._spot(kind, i, before, after, stands | {_hash("sentence", part.key) for part in lost})

    def _in_hunk(self, hunk: Hunk) -> Iterator[tuple[int, Spot]]:
        """Blocks removed, blocks inserted, and blocks in place of others."""
        old = self._matching.old
        written = [k for k in hunk.new if self._matching.is_written(k)]
        after = text_of(self._matching.new, written)
        if hunk.replaces:
            first, needs = hunk.old[0], self._around(hunk.after + 1, hunk.before)
            yield first, self._spot(SpotKind.BLOCK_REWRITTEN, first, text_of(old, hunk.old), after, needs)
            return
        for i in hunk.old:
            yield i, self._spot(SpotKind.BLOCK_REMOVED, i, old[i].content, "", self._around(i, i + 1))
        if written:
            yield hunk.before, self._spot(SpotKind.BLOCK_INSERTED, hunk.after, "", after, self._insertion(hunk))

    def _spot(self, kind: SpotKind, i: int, before: str, after: str, needs: set[str]) -> Spot:
        return Spot(kind, section_name(self._outline, i), before, after, frozenset(needs))

    def _around(self, start: int, end: int) -> set[str]:
        """What shows that the blocks from `start` to before `end` stand, and nothing came between or beside them."""
        return set().union(*(self._hashes.of_place(index) for index in range(start, end + 1)))

    def _insertion(self, hunk: Hunk) -> set[str]:
        """What shows that nothing else came to the spot, and that the section and what the blocks are under stand."""
        matching = self._matching
        needs = self._around(hunk.after + 1, hunk.before)
        for k in hunk.new:
            part = matching.new[k]
            for index in (part.section, part.under if part.bound else None):
                needed = None if index is None else matching.origin[index]
                if needed is not None:
                    needs |= self._hashes.of_standing(needed)
        return needs


def _sentence_spots(inner: Matching) -> Iterator[tuple[SpotKind, str, str, Sequence[Part]]]:
    """What happened in a block: kind, words before and after, and the sentences that are no more."""
    for i, k in enumerate(inner.place):
        if k is not None and inner.fate[i] is Fate.EDITED and inner.old[i].kind != MARK:
            yield SpotKind.SENTENCE_REWRITTEN, inner.old[i].content, inner.new[k].content, inner.old[i : i + 1]
    for hunk in inner.hunks:
        before, after = text_of(inner.old, hunk.old), text_of(inner.new, hunk.new)
        if hunk.old:
            kind = SpotKind.SENTENCE_REWRITTEN if hunk.replaces else SpotKind.SENTENCE_REMOVED
            yield kind, before, after, [inner.old[i] for i in hunk.old]
        elif hunk.new:
            yield SpotKind.SENTENCE_INSERTED, before, after, ()
