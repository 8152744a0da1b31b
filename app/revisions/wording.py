"""One sentence that two people edited: combined word by word where that is safe, else the reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import regex

from app.revisions.changes import ALIKE, Strand, bag, similarity, word_hunks, words_in
from app.revisions.meaning import guard
from app.revisions.segments import UNSPACED
from app.revisions.weave import START, Places, Three, end_of, gap_between
from app.words import _

Guard = Literal["literal", "altered", "off"]
"""How a sentence is guarded that both sides touched: if it holds something loaded; if that was altered; not at all."""

MAX_WORDS = 4_000
"""Longer sentences are not combined."""

_LETTERS = regex.compile(r"[\p{L}\p{N}]")


@dataclass(frozen=True, slots=True)
class Clash:
    """Why two edits cannot be combined, in plain words."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Edit:
    """A change of words by ours, by theirs or alike by both, with where the new words start in each."""

    b0: int
    b1: int
    words: tuple[str, ...]
    ours: int | None
    theirs: int | None


def combine_sentence(base: str, ours: str, theirs: str, *, guarded: Guard = "literal") -> str | Clash:
    """The sentence with both edits in it, or why a person has to decide.

    Edits clash where no word that both sides left alone stands between them, where either side rewrote more than half
    of the sentence, and where the sentence says something that must not change unseen (see `meaning.guard`).
    """
    strands = words_in(base), words_in(ours), words_in(theirs)
    if max(len(strand.texts) for strand in strands) > MAX_WORDS:
        return Clash(_("Both sides changed this passage, which is too long to combine word by word."))
    edits = _edits(strands)
    if any(edit.ours is None for edit in edits) and any(edit.theirs is None for edit in edits):
        if guarded != "off" and (piece := guard(base, ours, theirs, only_altered=guarded == "altered")):
            return Clash(_("Both sides changed this sentence, and it holds {piece}.").format(piece=piece))
        words = bag(base)
        if min(similarity(words, bag(ours)), similarity(words, bag(theirs))) < ALIKE:
            return Clash(_("Both sides changed this sentence, and more than half of it is new."))
        if any(_touch(strands[0], one, two) for one, two in pairwise(edits)):
            return Clash(_("Both sides changed the same words."))
        if word := _added_by_both(edits):
            return Clash(_("Both sides added “{word}”, in different places.").format(word=word))
    places, texts = _apply(strands[0], edits)
    line = [START, *places, end_of(strands)]
    gaps = [gap_between(x, y, strands) for x, y in pairwise(line)]
    return gaps[0] + "".join(text + gap for text, gap in zip(texts, gaps[1:], strict=True))


def _edits(strands: Three) -> list[_Edit]:
    """The changes of both sides in order of the base; what both did alike is one."""
    found: dict[tuple[int, int, tuple[str, ...]], list[int | None]] = {}
    for side in (1, 2):
        for hunk in word_hunks(strands[0], strands[side]):
            key = (hunk.b0, hunk.b1, tuple(strands[side].texts[hunk.s0 : hunk.s1]))
            found.setdefault(key, [None, None])[side - 1] = hunk.s0
    edits = [_Edit(*key, *starts) for key, starts in found.items()]
    return sorted(edits, key=lambda edit: (edit.b0, edit.b1, edit.theirs is None))


def _touch(base: Strand, one: _Edit, two: _Edit) -> bool:
    """Whether changes of different sides have no word between them that both sides kept.

    A mark is no word, and a single character of a script without spaces between words is none either.
    """
    if (one.ours is None) == (two.ours is None) and (one.theirs is None) == (two.theirs is None):
        return False
    kept = [word for word in base.texts[one.b1 : two.b0] if _LETTERS.search(word)]
    return len(kept) < 2 and not any(UNSPACED.match(word) is None for word in kept)


def _added_by_both(edits: Sequence[_Edit]) -> str | None:
    """A word of four or more letters that each side added in a place of its own: moved by both, or said twice."""
    mine = {word.casefold() for edit in edits if edit.theirs is None for word in edit.words}
    other = {word.casefold() for edit in edits if edit.ours is None for word in edit.words}
    return min((word for word in mine & other if len(word) >= 4), default=None)


def _apply(base: Strand, edits: Sequence[_Edit]) -> tuple[list[Places], list[str]]:
    """The words of the combined sentence and where each stands in the three."""
    places: list[Places] = []
    texts: list[str] = []
    at = ours = theirs = 0
    for edit in [*edits, _Edit(len(base.texts), len(base.texts), (), None, None)]:
        for _word in range(at, edit.b0):
            places.append(Places((at, at + 1), (ours, ours + 1), (theirs, theirs + 1)))
            texts.append(base.texts[at])
            at, ours, theirs = at + 1, ours + 1, theirs + 1
        for k, word in enumerate(edit.words):
            mine = None if edit.ours is None else (ours + k, ours + k + 1)
            other = None if edit.theirs is None else (theirs + k, theirs + k + 1)
            places.append(Places(None, mine, other))
            texts.append(word)
        ours += (edit.b1 - edit.b0) if edit.ours is None else len(edit.words)
        theirs += (edit.b1 - edit.b0) if edit.theirs is None else len(edit.words)
        at = edit.b1
    return places, texts
