"""Which items of two sequences are the same, as an exact longest common subsequence."""

from collections.abc import Hashable, Sequence
from math import isqrt


def align(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs `(i, j)` with `a[i] == b[j]`, both indices rising: a longest common subsequence, the earliest one.

    Earliest means, in this order: as many items as possible are paired from both starts while they are equal; then,
    of what is left, as many as possible from both ends; of the longest common subsequences of the middle, the one whose
    list of pairs, compared pair by pair as numbers from the first on, is smallest. There is no time limit and no
    approximation: the answer depends on the two sequences alone, so anyone can compute it again.

    Time grows with len(a) * len(b) / 64 and memory with len(b) * sqrt(len(a)) bits, after items that stand in only one
    of the sequences are left out.
    """
    start, end = 0, 0
    shorter = min(len(a), len(b))
    while start < shorter and a[start] == b[start]:
        start += 1
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle = _align_middle(a[start : len(a) - end], b[start : len(b) - end])
    return (
        [(i, i) for i in range(start)]
        + [(start + i, start + j) for i, j in middle]
        + [(len(a) - k, len(b) - k) for k in range(end, 0, -1)]
    )


def _align_middle(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """`align` without trimming; items that stand in one sequence alone cannot be paired and are left out first."""
    in_a, in_b = set(a), set(b)
    kept_a = [i for i, item in enumerate(a) if item in in_b]
    kept_b = [j for j, item in enumerate(b) if item in in_a]
    if not kept_a:
        return []
    pairs = _earliest([a[i] for i in kept_a], [b[j] for j in kept_b])
    return [(kept_a[i], kept_b[j]) for i, j in pairs]


def _earliest(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Walks from the starts and takes each pair that leaves a longest common subsequence reachable.

    Row i is a bit vector over b read from its end: its zero bits among the lowest `k` count the longest common
    subsequence of `a[i:]` and the last `k` items of b (Hyyrö 2004, "Bit-parallel LCS-length computation revisited").
    Only every `step`-th row is kept; the rows between are computed again when the walk comes to them.
    """
    size = len(b)
    places: dict[Hashable, int] = {}
    for j, item in enumerate(b):
        places[item] = places.get(item, 0) | 1 << (size - 1 - j)
    step = isqrt(len(a)) + 1
    kept = _rows(a, places, size, range(len(a), -1, -1), (1 << size) - 1, every=step)
    pairs: list[tuple[int, int]] = []
    rows: dict[int, int] = {}
    j = 0
    for i, item in enumerate(a):
        if i % step == 0:
            top = min(i + step, len(a))
            rows = _rows(a, places, size, range(top, i - 1, -1), kept[top], every=1)
        left = size - j
        ahead = places[item] & ((1 << left) - 1)
        if not ahead:
            continue
        match = size - ahead.bit_length()
        after = size - match - 1
        if 1 + _length(rows[i + 1], after) == _length(rows[i], left):
            pairs.append((i, match))
            j = match + 1
    return pairs


def _rows(
    a: Sequence[Hashable], places: dict[Hashable, int], size: int, indices: range, row: int, *, every: int
) -> dict[int, int]:
    """The rows at `indices`, falling by one and starting at the given row; only each `every`-th, and the first."""
    full = (1 << size) - 1
    rows = {indices[0]: row}
    for i in indices[1:]:
        both = row & places[a[i]]
        row = ((row + both) | (row - both)) & full
        if i % every == 0:
            rows[i] = row
    return rows


def _length(row: int, bits: int) -> int:
    """How many of the lowest `bits` bits are zero."""
    return bits - (row & ((1 << bits) - 1)).bit_count()
