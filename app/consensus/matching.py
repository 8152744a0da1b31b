"""Which parts of one text became which parts of another."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from app.consensus.parts import MARK, SENTENCE, Part, Parts, outline_of, sentences_in, words_in
from app.revisions.align import align
from app.revisions.changes import ALIKE, similarity

MAX_PAIRED = 4_096
"""A rewritten stretch with more pairs of an old and a new part than this is one change, its parts are not paired."""


class Fate(Enum):
    """What became of a part: it stands as it was, stands elsewhere, was edited, or is gone with or without another
    in its place."""

    SAME = "same"
    MOVED = "moved"
    EDITED = "edited"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Hunk:
    """What stands between two neighbouring parts that kept their order, the same or edited.

    `after` and `before` are the indices of these two among the old parts, -1 and the number of parts at the ends.
    `old` are the parts that are gone, `new` all that stand there now, those moved there included; it `replaces` if both
    something is gone and something was written.
    """

    after: int
    before: int
    old: tuple[int, ...]
    new: tuple[int, ...]
    replaces: bool


@dataclass(frozen=True)
class Matching:
    """How the parts of `old` became those of `new`. `place` is the new index of each old part and `origin` the old
    index of each new one, None where there is none."""

    old: Parts
    new: Parts
    fate: list[Fate]
    place: list[int | None]
    origin: list[int | None]
    hunks: list[Hunk]

    def hunk_of_old(self, index: int) -> Hunk:
        """The hunk in which an old part went."""
        return next(hunk for hunk in self.hunks if index in hunk.old)

    def hunk_of_new(self, index: int) -> Hunk:
        """The hunk in which a new part came."""
        return next(hunk for hunk in self.hunks if index in hunk.new)

    def is_written(self, index: int) -> bool:
        """Whether a new part says what no old one at its place said."""
        origin = self.origin[index]
        return origin is None or self.fate[origin] is Fate.EDITED


@lru_cache(maxsize=16)
def match_texts(old: str, new: str) -> Matching:
    """The blocks of two texts matched; kept, as thousands of candidates meet the same two approved texts."""
    return match(outline_of(old).blocks, outline_of(new).blocks)


def match_blocks(old: Part, new: Part) -> Matching:
    """The sentences of a block and of what it was edited into, matched."""
    return match(sentences_in(old.kind, old.content), sentences_in(new.kind, new.content))


def match(old: Parts, new: Parts) -> Matching:
    """Equal parts are matched first, as an exact longest common subsequence. Of what is left, a part that each side has
    once, and that is telling or stands beside the same neighbour, has moved. Then parts between the same two equal ones
    are paired where they are alike; and at last those left alone with each other between two pairs.
    """
    pairs = align([part.key for part in old], [part.key for part in new])
    moved = _moved(old, new, pairs)
    arrived = {j for _, j in moved}
    left = {i for i, _ in moved}
    for pair_stretch in (_pair_alike, _pair_lonely):
        for stretch in list(_stretches(pairs, len(old), len(new))):
            olds = [i for i in stretch[0] if i not in left]
            news = [j for j in stretch[1] if j not in arrived]
            pairs += pair_stretch(old, new, olds, news)
        pairs.sort()
    place: list[int | None] = [None] * len(old)
    origin: list[int | None] = [None] * len(new)
    fate = [Fate.REMOVED] * len(old)
    for i, j in pairs:
        place[i], origin[j], fate[i] = j, i, Fate.SAME if old[i].key == new[j].key else Fate.EDITED
    for i, j in moved:
        place[i], origin[j], fate[i] = j, i, Fate.MOVED
    hunks = [_hunk(*stretch, left, arrived) for stretch in _stretches(pairs, len(old), len(new))]
    for hunk in hunks:
        for i in hunk.old if hunk.replaces else ():
            fate[i] = Fate.REPLACED
    return Matching(old, new, fate, place, origin, hunks)


def is_rewritten(block: Matching) -> bool:
    """Whether no sentence of a block is left, neither as it was nor in alike words."""
    return not any(
        part.kind != MARK and k is not None and (part.key == block.new[k].key or alike(part, block.new[k]))
        for part, k in zip(block.old, block.place, strict=True)
    )


def alike(one: Part, other: Part) -> int:
    """How alike two parts of one kind are, in thousandths; 0 if they are not.

    They are if they share half their words (Dice 1945), or a whole telling sentence.
    """
    if one.kind != other.kind:
        return 0
    found = similarity(words_in(one.key), words_in(other.key))
    if found >= ALIKE:
        return found
    return max(found, 1) if _telling_sentences(one) & _telling_sentences(other) else 0


def _telling_sentences(part: Part) -> frozenset[str]:
    if part.kind in (MARK, SENTENCE):
        return frozenset()
    return frozenset(sentence.key for sentence in sentences_in(part.kind, part.content) if sentence.telling)


def _hunk(olds: range, news: range, left: set[int], arrived: set[int]) -> Hunk:
    gone = tuple(i for i in olds if i not in left)
    return Hunk(olds.start - 1, olds.stop, gone, tuple(news), bool(gone) and not arrived.issuperset(news))


def _stretches(pairs: Sequence[tuple[int, int]], old_end: int, new_end: int) -> Iterator[tuple[range, range]]:
    """What lies between neighbouring pairs, where there is anything."""
    i = j = 0
    for next_i, next_j in [*pairs, (old_end, new_end)]:
        if i < next_i or j < next_j:
            yield range(i, next_i), range(j, next_j)
        i, j = next_i + 1, next_j + 1


def _moved(old: Parts, new: Parts, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    paired_old, paired_new = {i for i, _ in pairs}, {j for _, j in pairs}
    if len(paired_old) == len(old) or len(paired_new) == len(new):
        return []
    old_count, new_count = Counter(part.key for part in old), Counter(part.key for part in new)
    places = {part.key: j for j, part in enumerate(new) if j not in paired_new and new_count[part.key] == 1}
    return [
        (i, j)
        for i, part in enumerate(old)
        if i not in paired_old
        and old_count[part.key] == 1
        and (j := places.get(part.key)) is not None
        and (part.telling or _same_neighbour(old, new, i, j))
    ]


def _same_neighbour(old: Parts, new: Parts, i: int, j: int) -> bool:
    before = i > 0 and j > 0 and old[i - 1].key == new[j - 1].key
    return before or (i + 1 < len(old) and j + 1 < len(new) and old[i + 1].key == new[j + 1].key)


def _pair_lonely(old: Parts, new: Parts, olds: Sequence[int], news: Sequence[int]) -> list[tuple[int, int]]:
    if len(olds) == len(news) == 1 and old[olds[0]].kind == new[news[0]].kind:
        return [(olds[0], news[0])]
    return []


def _pair_alike(old: Parts, new: Parts, olds: Sequence[int], news: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of alike parts, both indices rising, with the greatest sum; of equals the smallest list of pairs."""
    if len(olds) * len(news) < 2 or len(olds) * len(news) > MAX_PAIRED:
        return []
    values = [[alike(old[i], new[j]) for j in news] for i in olds]
    best = [[0] * (len(news) + 1) for _ in range(len(olds) + 1)]
    for i in range(len(olds) - 1, -1, -1):
        for j in range(len(news) - 1, -1, -1):
            paired = best[i + 1][j + 1] + values[i][j] if values[i][j] else 0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[int, int]] = []
    start = 0
    for i in range(len(olds)):
        for j in range(start, len(news)):
            if values[i][j] and best[i + 1][j + 1] + values[i][j] == best[i][start]:
                pairs.append((olds[i], news[j]))
                start = j + 1
                break
    return pairs
