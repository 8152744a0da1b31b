"""When two changes say nearly the same: MinHash names the pairs that may, an exact count of common words decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from struct import pack, unpack
from unicodedata import normalize

from rensa import RMinHash

from app.consensus.spots import Change, Spot, SpotKind
from app.revisions.diff_edits import is_word
from app.revisions.meaning import loaded_in
from app.revisions.segments import UNSPACED, words_of

ALIKE = (3, 5)
"""Two changes are alike if at least so many of all their shingles, as a fraction, are common to both …"""

MOST_APART = 40
"""… and at most so many are not: what a reader can see at a glance, about ten words, however long the two are."""

MOST_SHINGLES = 8_000
"""A longer change, about 4,000 words, is never compared: nobody reads the two side by side."""

BANDS, ROWS = 32, 3
"""Two changes may be alike if any of so many bands, each of so many minima, is the same.

By chance it misses one in 2,400 of those pairs that are only just alike, and one in 700,000 of those with 7 of 10
shingles in common.
"""

_SEED = 1
_BYTES = 8


@dataclass(frozen=True)
class Likeness:
    """What a change adds, alters and removes, as hashes of its shingles: each word, and each two neighbouring words.

    Where a script has no spaces between words, each two neighbouring characters. Case and marks count for nothing.
    """

    shingles: frozenset[int]

    @cached_property
    def bands(self) -> list[int]:
        """The hashes, as signed 64-bit numbers, of which two that are alike have one in common; the same everywhere."""
        if not self.shingles:
            return []
        minima = RMinHash(num_perm=BANDS * ROWS, seed=_SEED)
        minima.update([_packed(shingle) for shingle in self.shingles])
        digest = minima.digest()
        version = RMinHash.ALGORITHM_VERSION
        rows = (digest[start : start + ROWS] for start in range(0, BANDS * ROWS, ROWS))
        return sorted({_hash(f"{version}:{number}:{row}") for number, row in enumerate(rows)})

    @cached_property
    def packed(self) -> bytes:
        """To be stored: eight bytes a shingle."""
        return b"".join(_packed(shingle) for shingle in sorted(self.shingles))

    @classmethod
    def unpacked(cls, stored: bytes) -> "Likeness":
        return cls(frozenset(unpack(f">{len(stored) // _BYTES}q", stored)))

    def in_common(self, other: "Likeness") -> float:
        """The share of all shingles of the two that both have, from 0 to 1: their exact Jaccard index."""
        common = len(self.shingles & other.shingles)
        return common / (len(self.shingles) + len(other.shingles) - common) if common else 0.0

    def is_like(self, other: "Likeness") -> bool:
        """Whether the two say nearly the same. Two that say nothing are not alike."""
        common = len(self.shingles & other.shingles)
        together = len(self.shingles) + len(other.shingles) - common
        return common > 0 and ALIKE[1] * common >= ALIKE[0] * together and together - common <= MOST_APART


def likeness_of(change: Change) -> Likeness:
    """The change to be compared with others.

    Two changes that hold different numbers, or a different number of negations, have nothing in common: what they say
    is not nearly the same, however few words differ.
    """
    loaded = sorted(piece for spot in change.spots for piece in _loaded(spot))
    salt = blake2b("\0".join(loaded).encode(), digest_size=_BYTES).digest()
    found = {_hash(shingle, salt) for spot in change.spots for shingle in _shingles(spot)}
    return Likeness(frozenset(found) if len(found) <= MOST_SHINGLES else frozenset())


def _loaded(spot: Spot) -> Iterator[str]:
    mark, text = _said(spot)
    for line in text.splitlines():
        for piece in loaded_in(line):
            if piece.what == "number":
                yield f"{mark}{piece.text}"
            elif piece.what == "negation":
                yield f"{mark}not"


def _shingles(spot: Spot) -> Iterator[str]:
    mark, text = _said(spot)
    tokens = [token for token in words_of(normalize("NFC", text.casefold())) if not token.isspace()]
    tokens = [token for token in tokens if is_word(token)] or tokens
    if not tokens:
        return
    for one, other in zip(["", *tokens], [*tokens, ""], strict=True):
        yield f"{mark}{one}\0{other}"
    for token in tokens:
        if UNSPACED.match(token) is None:
            yield f"{mark}{token}"


def _said(spot: Spot) -> tuple[str, str]:
    """What the spot says, and whether that is written, removed or moved there."""
    if not spot.after:
        return "-", spot.before
    return ">" if spot.kind is SpotKind.BLOCK_MOVED else "+", spot.after


def _hash(content: str, salt: bytes = b"") -> int:
    digest = blake2b(content.encode(), digest_size=_BYTES, salt=salt).digest()
    return int.from_bytes(digest, "big", signed=True)


def _packed(shingle: int) -> bytes:
    return pack(">q", shingle)
