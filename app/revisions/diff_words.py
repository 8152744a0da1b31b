"""Which words of one text are kept, left out, added or moved in another, found sentence by sentence."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal, NamedTuple

from app.revisions.diff_edits import Edit, align_in_bounds, edits_of, is_word
from app.revisions.segments import INTRO, Block, Kind, blocks_of, words_of

Operation = Literal["equal", "insert", "delete", "move"]

SIMILAR = 1 / 3
"""The share of letters in common words from which two sentences count as one sentence that was rewritten."""

LONG_WORD = 12
"""The letters of one word that count at most, so that a web address does not outweigh its sentence."""

SHORT = 3
"""A sentence of so many words is compared with the one in its place however little they share."""

MOVED = 4
"""The words a passage needs to be shown as moved; fewer turn up in two places by chance."""


class Part(NamedTuple):
    """A stretch of one sentence with one fate.

    `unit` is "sentence", "heading", "table row" or "line" if the whole of one was added, removed or moved, else empty.
    `words` counts them in everything but equal parts. `section` is the title of the section, empty before the first
    heading. Parts with the same `block` stand in one paragraph. `change` numbers the changes from 1 in reading order,
    0 means unchanged; a moved passage has the same number at both places, with `away` where it stood before. `minor`
    marks spaces and line ends that had to change along with a neighbour.
    """

    op: Operation
    text: str
    section: str
    block: int
    kind: Kind
    words: int = 0
    unit: str = ""
    change: int = 0
    away: bool = False
    minor: bool = False

    @property
    def is_new(self) -> bool:
        """Whether it stands in the new text."""
        return self.op in ("equal", "insert") or (self.op == "move" and not self.away)

    @property
    def is_old(self) -> bool:
        """Whether it stands in the old text."""
        return self.op in ("equal", "delete") or self.away


def parts_of(old: str, new: str) -> list[Part]:
    """The new text's parts in order, with what was left out of the old one in between; nothing is lost.

    Joining the texts of those that are `is_new` gives the new text, of those that are `is_old` the old one.
    """
    before, after, kept = _aligned(_titled_blocks(old), _titled_blocks(new))
    moved = _moves(before, after, kept)
    pairs = list(_with_rewritten(before, after, kept, moved))
    return _numbered(list(_written(before, after, pairs, moved)))


@dataclass(frozen=True)
class _Sentence:
    """One sentence, or a whole block that is unchanged, with the spaces and empty lines after it, which `key` lacks."""

    text: str
    key: str
    section: str
    block: int
    kind: Kind

    @cached_property
    def tokens(self) -> list[str]:
        return words_of(self.text)

    @cached_property
    def words(self) -> list[str]:
        return [token for token in self.tokens if token[0].isalnum() or is_word(token)]  # nearly all at once

    @cached_property
    def letters(self) -> int:
        return sum(min(len(word), LONG_WORD) for word in self.words)

    @property
    def unit(self) -> str:
        if not self.words:
            return ""
        if self.kind in (Kind.HEADING, Kind.ROW):
            return str(self.kind)
        return "line" if self.kind in (Kind.CODE, Kind.FRONT_MATTER) else "sentence"


_TitledBlock = tuple[int, Block, str]
"""A block with its number from 0 and the title of its section."""


def _titled_blocks(text: str) -> list[_TitledBlock]:
    titles = {INTRO: ""}
    titled: list[_TitledBlock] = []
    for number, block in enumerate(blocks_of(text)):
        if block.section not in titles:
            titles[block.section] = block.content.partition("\n")[0].strip("# \t")
        titled.append((number, block, titles[block.section]))
    return titled


def _aligned(
    old: Sequence[_TitledBlock], new: Sequence[_TitledBlock]
) -> tuple[list[_Sentence], list[_Sentence], list[tuple[int, int]]]:
    """Both texts as sentences, and which are the same: whole blocks first, then sentences in the blocks between."""
    before: list[_Sentence] = []
    after: list[_Sentence] = []
    kept: list[tuple[int, int]] = []
    start_old = start_new = 0
    for i, j in [
        *align_in_bounds([block.content for _, block, _ in old], [block.content for _, block, _ in new]),
        (len(old), len(new)),
    ]:
        olds = [sentence for block in old[start_old:i] for sentence in _sentences(*block)]
        news = [sentence for block in new[start_new:j] for sentence in _sentences(*block)]
        same = align_in_bounds([sentence.key for sentence in olds], [sentence.key for sentence in news])
        kept += [(len(before) + at_old, len(after) + at_new) for at_old, at_new in same]
        before += olds
        after += news
        if i < len(old):
            kept.append((len(before), len(after)))
            before.append(_undivided(*old[i]))
            after.append(_undivided(*new[j]))
        start_old, start_new = i + 1, j + 1
    return before, after, kept


def _sentences(number: int, block: Block, title: str) -> Iterator[_Sentence]:
    *first, last = block.sentences or [""]
    for text in (*first, last + block.gap):
        yield _Sentence(text, text.rstrip(), title, number, block.kind)


def _undivided(number: int, block: Block, title: str) -> _Sentence:
    return _Sentence(block.content + block.gap, block.content, title, number, block.kind)


def _moves(before: Sequence[_Sentence], after: Sequence[_Sentence], kept: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Sentences that stand unchanged somewhere else, old index to new; neighbours that moved together count as one."""
    free = set(range(len(after))) - {j for _, j in kept}
    left = set(range(len(before))) - {i for i, _ in kept}
    places: dict[str, list[int]] = {}
    for j in sorted(free, reverse=True):
        places.setdefault(after[j].key, []).append(j)
    moved: dict[int, int] = {}
    start = 0
    for i in sorted(left):
        candidates = places.get(before[i].key, [])
        while candidates and candidates[-1] not in free:
            candidates.pop()
        if i < start or not candidates:
            continue
        j, length = candidates[-1], 0
        while i + length in left and j + length in free and before[i + length].key == after[j + length].key:
            length += 1
        start = i + length
        if sum(len(sentence.words) for sentence in before[i:start]) >= MOVED:
            moved.update((i + step, j + step) for step in range(length))
            free.difference_update(range(j, j + length))
    return moved


def _with_rewritten(
    before: Sequence[_Sentence], after: Sequence[_Sentence], kept: Sequence[tuple[int, int]], moved: dict[int, int]
) -> Iterator[tuple[int, int]]:
    """The kept pairs, and between them the pairs of an old sentence and the one that was made of it."""
    arrived = set(moved.values())
    start_old = start_new = 0
    for i, j in [*kept, (len(before), len(after))]:
        olds = [at for at in range(start_old, i) if at not in moved]
        news = [at for at in range(start_new, j) if at not in arrived]
        if olds and news:
            yield from _rewritten(before, after, olds, news)
        if i < len(before):
            yield i, j
        start_old, start_new = i + 1, j + 1


def _rewritten(
    before: Sequence[_Sentence], after: Sequence[_Sentence], olds: Sequence[int], news: Sequence[int]
) -> list[tuple[int, int]]:
    """Pairs of sentences that share most of their letters, counted along the words that all of them have in common."""
    if len(olds) == len(news) == 1 and max(len(before[olds[0]].words), len(after[news[0]].words)) <= SHORT:
        return [(olds[0], news[0])]
    words_old = [(word, i) for i in olds for word in before[i].words]
    words_new = [(word, j) for j in news for word in after[j].words]
    shared: Counter[tuple[int, int]] = Counter()
    for at_old, at_new in align_in_bounds([word for word, _ in words_old], [word for word, _ in words_new]):
        word, i = words_old[at_old]
        shared[i, words_new[at_new][1]] += min(len(word), LONG_WORD)
    likeness = {(i, j): 2 * letters / (before[i].letters + after[j].letters) for (i, j), letters in shared.items()}
    # Common words in a row never cross, so neither do pairs that use every sentence once.
    pairs: list[tuple[int, int]] = []
    used_old: set[int] = set()
    used_new: set[int] = set()
    for i, j in sorted(likeness, key=lambda pair: (-likeness[pair], pair)):
        if likeness[i, j] >= SIMILAR and i not in used_old and j not in used_new:
            pairs.append((i, j))
            used_old.add(i)
            used_new.add(j)
    return sorted(pairs)


def _written(
    before: Sequence[_Sentence],
    after: Sequence[_Sentence],
    pairs: Sequence[tuple[int, int]],
    moved: dict[int, int],
) -> Iterator[Part]:
    """All sentences as parts; the changes carry no numbers yet, but moved ones the old index plus one."""
    origin = {j: i for i, j in moved.items()}
    home = {before[i].block: after[j].block for i, j in reversed(pairs)}
    start_old = start_new = 0
    for i, j in [*pairs, (len(before), len(after))]:
        for at in range(start_old, i):
            gone = before[at]
            # Even numbers are the new text's blocks, odd ones blocks of which nothing is left.
            block = 2 * home[gone.block] if gone.block in home else 2 * gone.block + 1
            if at in moved:
                yield _whole("move", gone, block, at + 1, away=True)
            else:
                yield _whole("delete", gone, block)
        for at in range(start_new, j):
            came = after[at]
            if at in origin:
                yield _whole("move", came, 2 * came.block, origin[at] + 1)
            else:
                yield _whole("insert", came, 2 * came.block)
        if i < len(before):
            yield from _compared(before[i], after[j])
        start_old, start_new = i + 1, j + 1


def _whole(op: Operation, sentence: _Sentence, block: int, change: int = 0, *, away: bool = False) -> Part:
    words = len(sentence.words)
    return Part(op, sentence.text, sentence.section, block, sentence.kind, words, sentence.unit, change, away)


def _compared(old: _Sentence, new: _Sentence) -> Iterator[Part]:
    """One sentence before and after, as parts of whole words."""
    block = 2 * new.block
    if old.text == new.text:
        yield Part("equal", new.text, new.section, block, new.kind)
        return
    if old.key == new.key:
        edits = [Edit([], [], [new.key]), Edit([old.text[len(old.key) :]], [new.text[len(new.key) :]], [])]
    else:
        edits = edits_of(old.tokens, new.tokens)
    for edit in edits:
        if text := "".join(edit.removed):
            yield Part("delete", text, new.section, block, new.kind, sum(map(is_word, edit.removed)))
        if text := "".join(edit.added):
            yield Part("insert", text, new.section, block, new.kind, sum(map(is_word, edit.added)))
        if text := "".join(edit.kept):
            yield Part("equal", text, new.section, block, new.kind)


def _numbered(parts: Sequence[Part]) -> list[Part]:
    """The parts with their changes numbered in reading order.

    Neighbouring words and sentences of one section are one change, passages that moved together another. Spaces and
    line ends that had to change along with a neighbour belong to its change.
    """
    numbers = [0] * len(parts)
    arrivals: dict[int, int] = {}
    leaders = list(range(len(parts)))
    number = 0
    for is_equal, stretch in groupby(range(len(parts)), lambda at: parts[at].op == "equal"):
        if is_equal:
            continue
        changed = list(stretch)
        leading = [at for at in changed if parts[at].op == "move" or not parts[at].text.isspace()] or changed
        last: Part | None = None
        for at in leading:
            if not parts[at].away:
                number += last is None or not _is_same_change(last, parts[at])
                numbers[at] = arrivals[parts[at].change] = number
                last = parts[at]
        leaders[changed[0] : changed[-1] + 1] = _leaders(changed, leading)
    for at, part in enumerate(parts):
        if part.away:
            numbers[at] = arrivals[part.change]
    return [
        part._replace(change=numbers[leader], minor=leader != at) if part.op != "equal" else part
        for at, (part, leader) in enumerate(zip(parts, leaders, strict=True))
    ]


def _leaders(changed: Sequence[int], leading: Sequence[int]) -> list[int]:
    """For each changed part the nearest leading one at or before it, for those before the first that one."""
    leaders: list[int] = []
    following = iter(leading[1:])
    leader, after = leading[0], next(following, -1)
    for at in changed:
        if at == after:
            leader, after = after, next(following, -1)
        leaders.append(leader)
    return leaders


def _is_same_change(last: Part, part: Part) -> bool:
    if last.section != part.section:
        return False
    if "move" in (last.op, part.op):
        return last.op == part.op and part.change == last.change + 1
    return True
