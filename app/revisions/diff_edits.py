"""Which words changed between two wordings of one sentence, joined so that people can read it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from unicodedata import category

from app.revisions.align import align

MAX_COMPARED = 16_000**2
"""Stretches with more pairs of tokens than this, two whole pages without a common line, count as rewritten."""

_WORDLIKE = frozenset(("So", "Sc", "Mn", "Mc"))


@dataclass(slots=True)
class Edit:
    """Tokens removed, tokens added in their place, and tokens kept after them; and the letters in the first two."""

    removed: list[str]
    added: list[str]
    kept: list[str]
    letters_removed: int = 0
    letters_added: int = 0


def is_word(token: str) -> bool:
    """Whether a token of `words_of` is a word, number, emoji or currency sign: no spaces and no punctuation."""
    return token[0].isalnum() or category(token[0]) in _WORDLIKE


def edits_of(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    """The edits that make the new tokens of the old ones.

    Two edits are one where what is kept between them is short beside both: "the" alone is no help to a reader.
    """
    joined: list[Edit] = []
    for edit in _exact_edits(old, new):
        while joined and (edit.removed or edit.added) and (joined[-1].removed or joined[-1].added):
            letters = _letters(joined[-1].kept)
            if 2 * letters > min(_extent(joined[-1]), _extent(edit)):
                break
            before = joined.pop()
            edit = Edit(
                [*before.removed, *before.kept, *edit.removed],
                [*before.added, *before.kept, *edit.added],
                edit.kept,
                before.letters_removed + letters + edit.letters_removed,
                before.letters_added + letters + edit.letters_added,
            )
        joined.append(edit)
    return joined


def align_in_bounds(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """`align`; of stretches too long for it, only what is equal at their starts and ends."""
    if len(a) * len(b) <= MAX_COMPARED:
        return align(a, b)
    start = end = 0
    shorter = min(len(a), len(b))
    while start < shorter and a[start] == b[start]:
        start += 1
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    rest_a, rest_b = a[start : len(a) - end], b[start : len(b) - end]
    middle = align(rest_a, rest_b) if len(rest_a) * len(rest_b) <= MAX_COMPARED else []
    return [
        *((at, at) for at in range(start)),
        *((start + i, start + j) for i, j in middle),
        *((len(a) - back, len(b) - back) for back in range(end, 0, -1)),
    ]


def _exact_edits(old: Sequence[str], new: Sequence[str]) -> Iterator[Edit]:
    pairs = align_in_bounds(old, new)
    start_old = start_new = at = 0
    while at <= len(pairs):
        i, j = pairs[at] if at < len(pairs) else (len(old), len(new))
        end = at
        while end < len(pairs) and pairs[end] == (i + end - at, j + end - at):
            end += 1
        length = end - at
        removed, added = list(old[start_old:i]), list(new[start_new:j])
        yield Edit(removed, added, list(old[i : i + length]), _letters(removed), _letters(added))
        start_old, start_new = i + length, j + length
        at = max(end, at + 1)


def _letters(tokens: Iterable[str]) -> int:
    return sum(len(token) for token in tokens if is_word(token))


def _extent(edit: Edit) -> int:
    return max(edit.letters_removed, edit.letters_added)
