"""How one text came from another: which sentences stayed, were reworded, removed or added, and what separates them."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from app.revisions.align import align
from app.revisions.segments import UNSPACED, Kind, blocks_of, words_of

MAX_COMPARED = 20_000
"""Rewritten stretches with more sentence pairs than this are one change, not paired sentence by sentence."""


Bag = frozenset[tuple[str, int]]
"""The words of a sentence without regard to order and case, the n-th occurrence of a word as `(word, n)`."""


@dataclass(frozen=True)
class Strand:
    """Texts in order and what separates them: `gaps[k]` stands before `texts[k]`, the last one after them all."""

    texts: list[str]
    gaps: list[str]

    def between(self, start: int, end: int) -> str:
        """The text from item `start` to before item `end`, without the gaps around it."""
        inner = [*self.gaps[start + 1 : end], ""]
        return "".join(text + gap for text, gap in zip(self.texts[start:end], inner, strict=False))


@dataclass(frozen=True)
class Sentences(Strand):
    """A Markdown text as its sentences, each knowing the kind of its block and whether it is the first in it."""

    kinds: list[Kind]
    opens: list[bool]
    blocks: list[tuple[Kind, str]]
    sections: list[str]
    starts: list[int]
    """The index of each block's first sentence, and the number of sentences."""

    @cached_property
    def keys(self) -> list[str]:
        """The sentences with every run of spaces as one, as line breaks within a sentence mean nothing; not in code."""
        return [
            text if kind in (Kind.CODE, Kind.FRONT_MATTER) else " ".join(text.split())
            for text, kind in zip(self.texts, self.kinds, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Hunk:
    """One change: items `b0` to before `b1` of the base became items `s0` to before `s1` of the side.

    `reworded`: one item that was edited, as opposed to removed and another one added in its place.
    """

    b0: int
    b1: int
    s0: int
    s1: int
    reworded: bool = False

    @property
    def inserts(self) -> bool:
        return self.b0 == self.b1

    @property
    def deletes(self) -> bool:
        return self.s0 == self.s1


@dataclass(frozen=True)
class Comparison:
    """A base and two sides made from it, with what each side changed."""

    base: Sentences
    ours: Sentences
    theirs: Sentences
    mine: list[Hunk]
    other: list[Hunk]
    _bags: dict[str, Bag] = field(default_factory=dict)

    def bag(self, sentence: str) -> Bag:
        """`bag`, kept: the same sentences are compared again and again."""
        if sentence not in self._bags:
            self._bags[sentence] = bag(sentence)
        return self._bags[sentence]

    @property
    def texts(self) -> tuple[Sentences, Sentences, Sentences]:
        return self.base, self.ours, self.theirs

    @cached_property
    def gone(self) -> tuple[frozenset[int], frozenset[int]]:
        """The base sentences that do not stand any more, not even reworded, in ours, and in theirs."""
        mine, other = (
            frozenset(i for hunk in hunks if not hunk.reworded for i in range(hunk.b0, hunk.b1))
            for hunks in (self.mine, self.other)
        )
        return mine, other

    @cached_property
    def headings(self) -> list[int]:
        """The base sentences that are headings."""
        return [i for i, kind in enumerate(self.base.kinds) if kind is Kind.HEADING]


def compare(base: str, ours: str, theirs: str) -> Comparison:
    """The three texts cut, and both sides' changes found.

    A side's change of nothing but the spaces in a sentence is none where the other one removed or replaced it.
    """
    cut = sentences_in(base), sentences_in(ours), sentences_in(theirs)
    mine, other = sentence_hunks(cut[0], cut[1]), sentence_hunks(cut[0], cut[2])
    return Comparison(*cut, _felt(mine, cut[0], cut[1], other), _felt(other, cut[0], cut[2], mine))


def _felt(hunks: list[Hunk], base: Sentences, side: Sentences, others: list[Hunk]) -> list[Hunk]:
    """The changes but those of spaces alone in what the others replaced."""
    return [hunk for hunk in hunks if not (_is_spacing(hunk, base, side) and _is_replaced(hunk.b0, others))]


def _is_spacing(hunk: Hunk, base: Sentences, side: Sentences) -> bool:
    return hunk.reworded and base.keys[hunk.b0] == side.keys[hunk.s0]


def _is_replaced(sentence: int, hunks: Sequence[Hunk]) -> bool:
    at = bisect_right(hunks, sentence, key=lambda hunk: hunk.b0) - 1
    return at >= 0 and hunks[at].b0 <= sentence < hunks[at].b1 and not hunks[at].reworded


def sentences_in(text: str) -> Sentences:
    """The text cut into blocks and these into sentences."""
    texts: list[str] = []
    gaps = [""]
    kinds: list[Kind] = []
    opens: list[bool] = []
    blocks: list[tuple[Kind, str]] = []
    sections: list[str] = []
    starts: list[int] = []
    for block in blocks_of(text):
        if block.kind is Kind.BLANK:
            gaps[-1] = block.gap
            continue
        blocks.append((block.kind, block.content))
        sections.append(block.section)
        starts.append(len(texts))
        for number, sentence in enumerate(block.sentences):
            content = sentence.rstrip()
            texts.append(content)
            gaps.append(sentence[len(content) :])
            kinds.append(block.kind)
            opens.append(number == 0)
        gaps[-1] += block.gap
    starts.append(len(texts))
    return Sentences(texts, gaps, kinds, opens, blocks, sections, starts)


def words_in(sentence: str) -> Strand:
    """The sentence cut into words and marks; spaces are what separates them."""
    words: list[str] = []
    gaps = [""]
    for token in words_of(sentence):
        if token.isspace():
            gaps[-1] += token
        else:
            words.append(token)
            gaps.append("")
    return Strand(words, gaps)


def sentence_hunks(base: Sentences, side: Sentences) -> list[Hunk]:
    """The changes that made the side from the base, in order.

    Equal blocks are aligned first, then equal sentences between them, then what is left is paired where the wording
    is alike (`similarity` of at least one half), in order, so that the sum of similarities is greatest. Sentences that
    were joined or split are one change.
    """
    pairs = _equal_pairs(base, side)
    alike: list[tuple[int, int]] = []
    for b0, b1, s0, s1 in _stretches(pairs, len(base.texts), len(side.texts)):
        found = _pair_alike(base.keys[b0:b1], side.keys[s0:s1])
        alike += _without_joined(base.keys, side.keys, [(b0 + i, s0 + j) for i, j in found], (b0, b1, s0, s1))
    hunks: list[Hunk] = []
    at = (0, 0)
    for i, j in sorted([*pairs, *alike, (len(base.texts), len(side.texts))]):
        if at != (i, j):
            # A heading alone that became another heading was renamed, however little the names have in common.
            renamed = (i - at[0], j - at[1]) == (1, 1) and base.kinds[at[0]] is side.kinds[at[1]] is Kind.HEADING
            hunks.append(Hunk(at[0], i, at[1], j, reworded=renamed))
        if i < len(base.texts) and base.texts[i] != side.texts[j]:
            hunks.append(Hunk(i, i + 1, j, j + 1, reworded=True))
        at = (i + 1, j + 1)
    return hunks


def _without_joined(
    base: Sequence[str], side: Sequence[str], pairs: Sequence[tuple[int, int]], stretch: tuple[int, int, int, int]
) -> Iterator[tuple[int, int]]:
    """The pairs but those of a sentence that took in an unpaired neighbour's words, or gave it some of its own."""
    b0, b1, s0, s1 = stretch
    line = [(b0 - 1, s0 - 1), *pairs, (b1, s1)]
    for (i0, j0), (i, j), (i1, j1) in zip(line, line[1:], line[2:], strict=False):
        lost = [base[k] for k in (i - 1, i + 1) if i0 < k < i1]
        new = [side[k] for k in (j - 1, j + 1) if j0 < k < j1]
        if not any(holds_words_of(side[j], text, besides=base[i]) for text in lost) and not any(
            holds_words_of(base[i], text, besides=side[j]) for text in new
        ):
            yield i, j


def holds_words_of(sentence: str, other: str, *, besides: str) -> bool:
    """Whether the sentence has half of another one's words among those that it does not share with a third."""
    words = {word for word, _ in bag(other)}
    own = {word for word, _ in bag(sentence) - bag(besides)}
    return 2 * len(words & own) >= len(words)


def word_hunks(base: Strand, side: Strand) -> list[Hunk]:
    """The changes of words that made the side from the base, in order."""
    pairs = align(base.texts, side.texts)
    return [Hunk(*stretch) for stretch in _stretches(pairs, len(base.texts), len(side.texts))]


def _equal_pairs(base: Sentences, side: Sentences) -> list[tuple[int, int]]:
    """Equal sentences, of equal blocks first."""
    pairs: list[tuple[int, int]] = []
    at = (0, 0)
    blocks = align(base.blocks, side.blocks)
    for i, j in [*blocks, (len(base.blocks), len(side.blocks))]:
        b0, b1, s0, s1 = base.starts[at[0]], base.starts[i], side.starts[at[1]], side.starts[j]
        if b0 < b1 and s0 < s1:
            pairs += [(b0 + k, s0 + m) for k, m in align(base.keys[b0:b1], side.keys[s0:s1])]
        if i < len(base.blocks):
            pairs += [(b1 + k, s1 + k) for k in range(base.starts[i + 1] - b1)]
        at = (i + 1, j + 1)
    return pairs


def _stretches(pairs: Sequence[tuple[int, int]], b_end: int, s_end: int) -> Iterator[tuple[int, int, int, int]]:
    """What lies between the pairs, where there is anything, as `(b0, b1, s0, s1)`."""
    b0 = s0 = 0
    for b1, s1 in [*pairs, (b_end, s_end)]:
        if b0 < b1 or s0 < s1:
            yield b0, b1, s0, s1
        b0, s0 = b1 + 1, s1 + 1


def similarity(one: Bag, other: Bag) -> int:
    """How many words two sentences share, in thousandths: twice the shared ones over the sum (Dice 1945)."""
    total = len(one) + len(other)
    return 2_000 * len(one & other) // total if total else 0


def bag(sentence: str) -> Bag:
    """The sentence as a bag of words; marks count only where there are no words.

    Where a script has no spaces between words, pairs of neighbouring characters stand for them.
    """
    tokens = [token.casefold() for token in words_of(sentence) if not token.isspace()]
    words = _paired([token for token in tokens if token[0].isalnum()] or tokens)
    seen: dict[str, int] = {}
    counted: list[tuple[str, int]] = []
    for word in words:
        seen[word] = seen.get(word, 0) + 1
        counted.append((word, seen[word]))
    return frozenset(counted)


def _paired(words: list[str]) -> list[str]:
    """The words, each run of single characters of a script without spaces replaced by its pairs of neighbours."""
    dense = [UNSPACED.match(word) is not None for word in words]
    if not any(dense):
        return words
    result: list[str] = []
    for k, word in enumerate(words):
        if not dense[k]:
            result.append(word)
        elif k + 1 < len(words) and dense[k + 1]:
            result.append(word + words[k + 1])
        elif k == 0 or not dense[k - 1]:
            result.append(word)
    return result


ALIKE = 500
"""From this similarity on a sentence counts as reworded, below as another one."""


def _pair_alike(base: Sequence[str], side: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of alike sentences, both indices rising, with the greatest sum of similarities; the earliest of equals."""
    if not base or not side or len(base) * len(side) > MAX_COMPARED:
        return []
    base_bags, side_bags = [bag(text) for text in base], [bag(text) for text in side]
    alike = [[value if (value := similarity(b, s)) >= ALIKE else 0 for s in side_bags] for b in base_bags]
    best = [[0] * (len(side) + 1) for _ in range(len(base) + 1)]
    for i in range(len(base) - 1, -1, -1):
        row, below, values = best[i], best[i + 1], alike[i]
        for j in range(len(side) - 1, -1, -1):
            paired = below[j + 1] + values[j] if values[j] else 0
            row[j] = max(paired, below[j], row[j + 1])
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(base) and j < len(side):
        if alike[i][j] and best[i][j] == best[i + 1][j + 1] + alike[i][j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
