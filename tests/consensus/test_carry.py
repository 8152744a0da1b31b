"""Carrying a change onto newer approved text."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.consensus import matching, parts
from app.consensus.carry import Carried, Clash, Stale, Superseded, carry
from app.consensus.parts import TELLING, sentence_counts, words_in
from app.consensus.spots import sentences_written
from app.revisions.segments import blocks_of
from tests.consensus.edits import edit_page, make_page, move_blocks, randoms, render

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "carry_vectors.json").read_text())["carry"]
SOME_TEXTS = st.text(alphabet="ab.# \n-|1`。؟\t", max_size=60)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_change_is_carried_as_the_vectors_say(vector: dict[str, Any]) -> None:
    outcome = carry(vector["base"], vector["candidate"], vector["newer"])

    expected: Carried | Stale | Superseded = Superseded()
    if vector["outcome"] == "carried":
        expected = Carried(vector["text"], vector["neighbour"])
    if vector["outcome"] == "stale":
        clashes = tuple(Clash(**clash) for clash in vector["clashes"])
        expected = Stale(clashes, merged=vector["merged"], kept=vector["kept"])
    assert outcome == expected


def test_the_vectors_hold_every_outcome() -> None:
    outcomes = {(vector["outcome"], vector.get("neighbour")) for vector in VECTORS}

    assert outcomes == {("carried", False), ("carried", True), ("stale", None), ("superseded", None)}


def _three(random: Random) -> tuple[str, str, str]:
    page = make_page(random)
    return render(page), render(edit_page(random, page)), render(edit_page(random, page))


def _three_with_moves(random: Random) -> tuple[str, str, str]:
    page = make_page(random)
    one, two = (random.choice([edit_page, move_blocks])(random, page) for _ in range(2))
    return render(page), render(one), render(two)


@given(SOME_TEXTS, SOME_TEXTS)
@settings(max_examples=200, deadline=None)
def test_where_nothing_was_approved_meanwhile_the_candidate_stays_as_it_is(base: str, candidate: str) -> None:
    expected = Superseded() if candidate == base else Carried(candidate, neighbour=False)

    assert carry(base, candidate, base) == expected


@given(SOME_TEXTS, SOME_TEXTS)
@settings(max_examples=200, deadline=None)
def test_what_is_approved_word_for_word_is_superseded(base: str, candidate: str) -> None:
    assert carry(base, candidate, candidate) == Superseded()


@given(SOME_TEXTS, SOME_TEXTS, SOME_TEXTS)
@settings(max_examples=200, deadline=None)
def test_any_three_texts_have_an_outcome_that_does_not_depend_on_what_was_cached(
    base: str, candidate: str, newer: str
) -> None:
    outcome = carry(base, candidate, newer)
    for cached in (parts.outline_of, parts.sentences_in, parts.sentence_counts, parts.words_in, matching.match_texts):
        cached.cache_clear()

    assert carry(base, candidate, newer) == outcome


@given(randoms)
@settings(max_examples=150, deadline=None)
def test_changes_that_are_no_neighbours_give_one_text_in_either_order(random: Random) -> None:
    base, one, other = _three(random)
    first, second = carry(base, one, other), carry(base, other, one)

    if isinstance(first, Carried) and isinstance(second, Carried) and not (first.neighbour or second.neighbour):
        wrote_the_same = sentences_written(base, one) & sentences_written(base, other)
        assert first.text == second.text or wrote_the_same


@given(randoms)
@settings(max_examples=150, deadline=None)
def test_nothing_that_either_side_wrote_is_lost_doubled_or_run_together(random: Random) -> None:
    base, candidate, newer = _three_with_moves(random)
    outcome = carry(base, candidate, newer)

    if isinstance(outcome, Carried):
        was, ours, theirs, now = (sentence_counts(text) for text in (base, candidate, newer, outcome.text))
        for key in was | ours | theirs | now:
            if len(words_in(key)) >= TELLING:
                counts = (ours[key], theirs[key], ours[key] + theirs[key] - was[key])
                alone = theirs[key] if ours[key] == was[key] else ours[key] if theirs[key] == was[key] else now[key]
                assert now[key] == alone
                assert min(counts) <= now[key] <= max(counts)
        assert set(now) <= set(ours) | set(theirs)


@given(randoms)
@settings(max_examples=100, deadline=None)
def test_a_carried_text_is_well_formed(random: Random) -> None:
    base, candidate, newer = _three_with_moves(random)
    outcome = carry(base, candidate, newer)

    if isinstance(outcome, Carried):
        assert "\n\n\n" not in outcome.text
        assert outcome.text.endswith("\n")
        assert not outcome.text.startswith("\n")
        for before, after in zip(blocks_of(outcome.text), blocks_of(outcome.text)[1:], strict=False):
            assert before.gap == "\n\n" or (before.kind == after.kind and before.gap == "\n")


@given(randoms)
@settings(max_examples=100, deadline=None)
def test_a_clash_stands_as_approved_in_the_merged_text_and_as_the_candidate_has_it_in_the_kept_one(
    random: Random,
) -> None:
    base, candidate, newer = _three(random)
    outcome = carry(base, candidate, newer)

    if isinstance(outcome, Stale):
        assert all(clash.theirs in outcome.merged for clash in outcome.clashes)
        assert all(line in outcome.kept for clash in outcome.clashes for line in clash.ours.split("\n"))


@pytest.mark.parametrize(
    ("base", "candidate", "newer", "expected"),
    [
        ("A one.\n\nB two.\n", "A one.\n\nB two.\n\nC three.\n", "B two.\n", "B two.\n\nC three.\n"),
        ("A one.\n\nB two.", "A one.\n\nB two.\n\nC three.", "A 1.\n\nB two.", "A 1.\n\nB two.\n\nC three."),
        ("A one.\n\nB two.", "A one.\n\nB two.\n", "A 1.\n\nB two.", "A 1.\n\nB two.\n"),
        ("- a b\n- c d\n", "- a b\n- x y\n- c d\n", "- c d\n", "- x y\n- c d\n"),
        (
            "- a b\n\n- c d\n",
            "- a b\n\n- c d\n\n- x y\n",
            "- a b\n\n- c d\n\n- v w\n",
            "- a b\n\n- c d\n\n- v w\n\n- x y\n",
        ),
        ("A one. \n\nB two.\n", "A one. \n\nX new.\n\nB two.\n", "A one. \n\nB 2.\n", "A one. \n\nX new.\n\nB 2.\n"),
        ("A one.\n", "A one.\n\n# H\n\nX new.\n", "A one.\n\n- item\n", "A one.\n\n- item\n\n# H\n\nX new.\n"),
        ("\n\nA one.\n\nB two.\n", "A one.\n\nB two.\n", "\n\nA one.\n\nB 2.\n", "A one.\n\nB 2.\n"),
        ("```\na\nb\nc\n```\n", "```\na\nb\nC\n```\n", "```\nA\nb\nc\n```\n", "```\nA\nb\nC\n```\n"),
    ],
    ids=[
        "after the first block went",
        "without a final newline",
        "a final newline added",
        "at the start of a tight list",
        "in a loose list",
        "trailing spaces stay where they are",
        "paragraphs and lists are kept apart",
        "empty lines at the start",
        "lines of code",
    ],
)
def test_what_separates_blocks_is_kept(base: str, candidate: str, newer: str, expected: str) -> None:
    outcome = carry(base, candidate, newer)

    assert isinstance(outcome, Carried)
    assert outcome.text == expected


def test_front_matter_stays_first() -> None:
    base, candidate = "Homes for all.\n", "Rents fall.\n\nHomes for all.\n"

    assert carry(base, candidate, f"---\ntitle: Homes\n---\n\n{base}") == Carried(
        f"---\ntitle: Homes\n---\n\n{candidate}", neighbour=True
    )


def test_two_titles_for_one_page_clash() -> None:
    base = "Homes for all.\n"
    outcome = carry(base, f"---\ntitle: Rents\n---\n\n{base}", f"---\ntitle: Homes\n---\n\n{base}")

    assert isinstance(outcome, Stale)
    assert outcome.kept.startswith("---\ntitle: Rents\n---\n")


def test_an_open_fence_never_takes_in_what_the_other_side_wrote() -> None:
    base = "Text.\n\n```\ncode\n```\n"

    assert isinstance(carry(base, "Text.\n\n```\ncode\n", f"{base}\nAn important new paragraph.\n"), Stale)


def test_a_sentence_moved_within_a_rewritten_block_does_not_bring_back_what_was_removed() -> None:
    base = "Tax the rich now please. Build homes.\n\n## End\n\nThank you all.\n"
    moved = "## End\n\nThank you all.\n\nTax the rich now please. Build many homes.\n"

    assert isinstance(carry(base, moved, "## End\n\nThank you all.\n"), Stale)


def test_a_rewrite_of_a_block_that_was_rewritten_wholly_is_stale_even_where_it_only_inserts() -> None:
    assert isinstance(carry("Rents fall now.\n", "Rents fall now. Vote for us.\n", "Homes for everyone.\n"), Stale)


def test_the_largest_page_rewritten_twice_is_carried_without_a_time_limit() -> None:
    blocks = [f"Paragraph {n} speaks of {n * 7} things." for n in range(2_000)]
    ours = [f"Nothing is left of the {n}th." if n % 2 else block for n, block in enumerate(blocks)]
    theirs = [block if n % 2 else f"All new and different {n}." for n, block in enumerate(blocks)]
    outcome = carry(*("\n\n".join(each) + "\n" for each in (blocks, ours, theirs)))

    assert isinstance(outcome, Carried)
    assert (
        blocks_of(outcome.text)[:2] == [*blocks_of("All new and different 0.\n\nNothing is left of the 1th.\n\nx")][:2]
    )
