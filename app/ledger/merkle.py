"""The Merkle tree of RFC 6962, grown leaf by leaf: to append costs as many hashes as the size has binary digits."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf; its prefix keeps it from ever being that of a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that a tree needs to grow: the roots of its full subtrees, the largest first.

    There is one for every binary digit 1 of `size`.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "Frontier":
        """The tree with one more leaf, given its hash."""
        peaks, rest = list(self.peaks), self.size
        while rest % 2:
            leaf = node_hash(peaks.pop(), leaf)
            rest //= 2
        return Frontier(self.size + 1, (*peaks, leaf))

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        *left, root = self.peaks
        for peak in reversed(left):
            root = node_hash(peak, root)
        return root

    def to_text(self) -> str:
        """The peaks in hexadecimal, one after the other."""
        return "".join(peak.hex() for peak in self.peaks)

    @classmethod
    def from_text(cls, size: int, text: str) -> "Frontier":
        """What `to_text` wrote; `ValueError` where it does not fit the size."""
        peaks = bytes.fromhex(text)
        if len(peaks) != 32 * size.bit_count():
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} peaks, not {len(peaks) / 32:g}.")
        return cls(size, tuple(peaks[start : start + 32] for start in range(0, len(peaks), 32)))


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves, given their hashes."""
    tree = Frontier()
    for leaf in leaves:
        tree = tree.append(leaf)
    return tree.root
