from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.live.ring import Rendered, Ring, Wanted


def row(seq: int, kind: str = "vote.cast", page_id: int | None = 1) -> Rendered:
    return Rendered(seq, kind, page_id, b"")


def test_a_full_ring_forgets_the_oldest_and_says_from_where_it_knows_all() -> None:
    ring = Ring(3)
    ring.restart(10)
    ring.add(row(seq) for seq in (11, 12, 14))
    assert (ring.start, ring.newest) == (10, 14)
    ring.add([row(15)])
    assert (ring.start, ring.newest, len(ring)) == (11, 15, 3)
    assert [kept.seq for kept in ring.after(11)] == [12, 14, 15]


def test_a_restarted_ring_knows_nothing_of_before() -> None:
    ring = Ring(3)
    ring.add([row(1), row(2)])
    ring.restart(7)
    assert (ring.start, ring.newest, ring.after(7)) == (7, 7, [])


@given(
    seqs=st.lists(st.integers(1, 200), unique=True).map(sorted),
    cuts=st.lists(st.integers(0, 200), max_size=5),
    size=st.integers(1, 20),
    position=st.integers(0, 220),
)
@settings(max_examples=100)
def test_from_where_it_knows_all_a_ring_gives_every_row_once_in_order(
    seqs: list[int], cuts: list[int], size: int, position: int
) -> None:
    ring, edges = Ring(size), [0, *sorted(cuts), 200]
    for low, high in pairwise(edges):
        ring.add(row(seq) for seq in seqs if low < seq <= high)
    assert len(ring) == min(size, len(seqs))
    if position >= ring.start:
        assert [kept.seq for kept in ring.after(position)] == [seq for seq in seqs if seq > position]


def test_a_stream_tells_what_it_wants_alone() -> None:
    change = row(1, "page.promoted", 4)
    assert change.is_among(Wanted())
    assert change.is_among(Wanted(frozenset({"page.promoted", "vote.cast"}), 4))
    assert not change.is_among(Wanted(frozenset({"vote.cast"})))
    assert not change.is_among(Wanted(page_id=5))
    assert not row(1, page_id=None).is_among(Wanted(page_id=5))
