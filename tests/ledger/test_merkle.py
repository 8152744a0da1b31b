"""The tree against RFC 6962 as it is written there, and numbers worked out from it."""

import hashlib

import pytest

from app.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash, root_of

LEAVES = [
    leaf_hash(data) for data in (b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", b"PQRSTUVW")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
]
"""Over the first n leaves, as Certificate Transparency's test data has them for these leaves."""


def by_the_book(leaves: list[bytes]) -> bytes:
    """Section 2.1: k is the largest power of two below n; MTH(D[0:k]) and MTH(D[k:n]) are joined."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_the_book(leaves[:k]) + by_the_book(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_those_that_are_known(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT == Frontier().root == hashlib.sha256(b"").digest()


def test_a_tree_grown_leaf_by_leaf_has_the_root_of_the_definition() -> None:
    leaves = [leaf_hash(f"entry {number}".encode()) for number in range(130)]
    tree = Frontier()
    for size, leaf in enumerate(leaves, start=1):
        tree = tree.append(leaf)
        assert tree.root == by_the_book(leaves[:size]), size
        assert len(tree.peaks) == size.bit_count()
        assert Frontier.from_text(size, tree.to_text()) == tree


def test_a_frontier_of_another_size_is_refused() -> None:
    tree = Frontier().append(LEAVES[0]).append(LEAVES[1]).append(LEAVES[2])
    with pytest.raises(ValueError, match="peaks"):
        Frontier.from_text(4, tree.to_text())
