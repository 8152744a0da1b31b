"""Footnotes and link names in a merge: a mark in the text must still lead to what its writer meant."""

from collections import Counter
from collections.abc import Iterator, Sequence

import regex

from app.revisions.changes import ALIKE, Comparison, Sentences, bag, similarity
from app.revisions.weave import Part
from app.words import _

_DEFINITION = regex.compile(r"(?:[-*+] )?\s*\[(\^?[^\]\n]+)\]:")
_MARK = regex.compile(r"\[(\^[^\]\s]+)\](?!:)|\]\[([^\]\n]+)\]")


def is_definition(text: str) -> bool:
    """Whether the text says what a footnote or a link name stands for."""
    return _DEFINITION.match(text) is not None


def misled_notes(parts: Sequence[Part], compared: Comparison) -> Iterator[tuple[int, str]]:
    """The parts that need a person, with the reason: a note defined twice, or a mark whose note the other side changed.

    People number their notes by hand, so two sides often both add a `[^3]`, or one renumbers while the other refers.
    """
    texts = [part.content if isinstance(part.content, str) else "" for part in parts]
    yield from _defined_twice(parts, texts, compared)
    changed = _redefined(compared.base, compared.ours), _redefined(compared.base, compared.theirs)
    for k, part in enumerate(parts):
        if "[" not in texts[k]:
            continue
        for side in (1, 2):
            names = _new_marks(part, texts[k], compared, side) & changed[2 - side]
            if names:
                yield (
                    k,
                    _("One side refers to [{name}] here, the other made that something else or removed it.").format(
                        name=min(names)
                    ),
                )


def _defined_twice(parts: Sequence[Part], texts: Sequence[str], compared: Comparison) -> Iterator[tuple[int, str]]:
    most = _defined(compared.base) | _defined(compared.ours) | _defined(compared.theirs)
    places: dict[str, list[int]] = {}
    for k, text in enumerate(texts):
        if match := _DEFINITION.match(text):
            places.setdefault(match[1], []).append(k)
    for name, defining in places.items():
        if len(defining) > most[name]:
            # One of the two goes on standing, so that no choice can lose both.
            for k in [k for k in defining if parts[k].places.theirs is None] or defining:
                yield k, _("Both sides defined [{name}], each as something else.").format(name=name)


def _defined(text: Sentences) -> Counter[str]:
    return Counter(match[1] for key in text.texts if (match := _DEFINITION.match(key)))


def _redefined(base: Sentences, side: Sentences) -> set[str]:
    """Names that a side removed, or gave to something that does not say nearly the same."""
    before, after = (
        {match[1]: key for key in text.texts if (match := _DEFINITION.match(key))} for text in (base, side)
    )
    return {
        name
        for name, key in before.items()
        if name not in after or (after[name] != key and similarity(bag(key), bag(after[name])) < ALIKE)
    }


def _new_marks(part: Part, text: str, compared: Comparison, side: int) -> set[str]:
    """The names that this side refers to in a part more often than the base did."""
    span = part.places.each()[side]
    if span is None or span[1] - span[0] != 1 or not text:
        return set()
    before = compared.base.between(*part.places.base) if part.places.base else ""
    return set(_marks(compared.texts[side].between(*span)) - _marks(before))


def _marks(text: str) -> Counter[str]:
    return Counter(match[1] or match[2] for match in _MARK.finditer(text))
