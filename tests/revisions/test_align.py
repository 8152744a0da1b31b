"""Alignment: exactly the longest common subsequence that the docstring describes, computed here the slow way."""

import random
import time
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.revisions.align import align

SEQUENCES = st.lists(st.sampled_from("abcd"), max_size=9).map("".join)


def described(a: str, b: str) -> list[tuple[int, int]]:
    """What `align` promises, by trying everything."""
    start = next((k for k in range(min(len(a), len(b))) if a[k] != b[k]), min(len(a), len(b)))
    rest = min(len(a), len(b)) - start
    end = next((k for k in range(rest) if a[-1 - k] != b[-1 - k]), rest)

    @cache
    def best(i: int, j: int) -> tuple[tuple[int, int], ...]:
        if i == len(a) - end or j == len(b) - end:
            return ()
        found = [best(i + 1, j), best(i, j + 1)]
        if a[i] == b[j]:
            found.append(((i, j), *best(i + 1, j + 1)))
        longest = max(map(len, found))
        return min(pairs for pairs in found if len(pairs) == longest)

    ends = [(len(a) - k, len(b) - k) for k in range(end, 0, -1)]
    return [(k, k) for k in range(start)] + list(best(start, start)) + ends


@given(SEQUENCES, SEQUENCES)
@settings(max_examples=400)
def test_the_alignment_is_the_earliest_longest_one(a: str, b: str) -> None:
    assert align(a, b) == described(a, b)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("", "abc", []),
        ("abc", "abc", [(0, 0), (1, 1), (2, 2)]),
        ("xa", "aa", [(1, 1)]),  # ends are paired before the middle
        ("ab", "ba", [(0, 1)]),  # the earliest item of the first sequence
        ("abcabba", "cbabac", [(1, 1), (3, 2), (4, 3), (6, 4)]),
    ],
)
def test_ties_go_to_the_earliest_match(a: str, b: str, expected: list[tuple[int, int]]) -> None:
    assert align(a, b) == expected


@pytest.mark.parametrize("different", [2, 40, 2_000, 10**9])
def test_two_thousand_unrelated_blocks_are_aligned_at_once(different: int) -> None:
    draw = random.Random(different)
    a, b = ([draw.randrange(different) for _ in range(2_000)] for _ in range(2))
    started = time.process_time()
    pairs = align(a, b)
    assert time.process_time() - started < 2
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(before[0] < after[0] and before[1] < after[1] for before, after in pairwise(pairs))


def test_tens_of_thousands_of_words_fit_in_memory_and_time() -> None:
    draw = random.Random(7)
    a, b = ([draw.randrange(200) for _ in range(12_000)] for _ in range(2))
    started = time.process_time()
    assert len(align(a, b)) > 1_000
    assert time.process_time() - started < 10
