"""What a misspelt word may have been meant to be."""

from collections.abc import Iterable, Iterator


def swapped(word: str) -> Iterator[str]:
    """The word with each two neighbouring letters in the other order."""
    for at in range(len(word) - 1):
        if word[at] != word[at + 1]:
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def likeliest(word: str, near: Iterable[tuple[str, int]]) -> str | None:
    """Of words near this one, each with how many texts hold it, the one most texts hold.

    One that begins alike goes before one that does not; people rarely miss the first letter.
    """
    ranked = sorted(((other[:1] != word[:1], -holding, other) for other, holding in near if other != word and holding))
    return ranked[0][2] if ranked else None
