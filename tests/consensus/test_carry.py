"""Carrying a change onto newer approved text, spot by spot."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.consensus.carry import Carried, Stale, Superseded, carry
from app.consensus.spots import change_between, concerns, sentences_written

BASE = """# Homes

Rents are high. Wages are low.

## Plan

- Build homes.
- Cap rents. Pay builders.

We begin now.
"""


def changed(*replacements: tuple[str, str]) -> str:
    text = BASE
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return text


CARRIED = [
    ("another block", ("We begin now.", "We begin today."), ("Build homes.", "Build flats."), False),
    (
        "another sentence of the block",
        ("Rents are high.", "Rents are rising."),
        ("Wages are low.", "Wages stall."),
        True,
    ),
    ("an insertion elsewhere", ("We begin now.", "We begin now.\n\nJoin us."), ("Build homes.", "Build flats."), False),
    ("a removal elsewhere", ("- Build homes.\n", ""), ("We begin now.", "We begin today."), False),
]


@pytest.mark.parametrize(("mine", "newer", "neighbour"), [row[1:] for row in CARRIED], ids=[row[0] for row in CARRIED])
def test_a_change_whose_sentences_nobody_touched_is_carried(
    mine: tuple[str, str], newer: tuple[str, str], neighbour: bool
) -> None:
    assert carry(BASE, changed(mine), changed(newer)) == Carried(changed(newer, mine), neighbour)


@pytest.mark.parametrize(("items", "words"), [(1_100, 1), (10, 700)], ids=["blocks", "bytes"])
def test_what_together_would_be_more_than_a_page_holds_is_stale(items: int, words: int) -> None:
    long = " long" * words
    first, second = (
        "".join(f"- Item {n} of the {whose}{long} list.\n" for n in range(items)) for whose in ("first", "second")
    )
    mine = changed(("- Build homes.\n", f"- Build homes.\n{first}"))
    newer = changed(("We begin now.\n", f"We begin now.\n\n{second}"))
    outcome = carry(BASE, mine, newer)
    assert isinstance(outcome, Stale)
    assert outcome.merged == newer
    assert first in outcome.kept
    assert outcome.clashes[0].ours == f"- Item 0 of the first{long} list."


STALE = [
    ("the same sentence", ("Rents are high.", "Rents are rising."), ("Rents are high.", "Rents are falling.")),
    ("removed by the other", ("Cap rents.", "Cap rents soon."), ("- Cap rents. Pay builders.\n", "")),
    ("removed by it", ("- Cap rents. Pay builders.\n", ""), ("Cap rents.", "Cap rents soon.")),
]


@pytest.mark.parametrize(("mine", "newer"), [row[1:] for row in STALE], ids=[row[0] for row in STALE])
def test_a_rewrite_of_the_same_sentence_is_stale(mine: tuple[str, str], newer: tuple[str, str]) -> None:
    outcome = carry(BASE, changed(mine), changed(newer))
    assert isinstance(outcome, Stale)
    assert outcome.clashes


def test_one_clash_makes_the_whole_candidate_stale() -> None:
    mine = changed(("Rents are high.", "Rents are rising."), ("We begin now.", "We begin today."))
    outcome = carry(BASE, mine, changed(("Rents are high.", "Rents are falling.")))
    assert isinstance(outcome, Stale)
    assert [(clash.base.strip(), clash.ours.strip(), clash.theirs.strip()) for clash in outcome.clashes] == [
        ("Rents are high.", "Rents are rising.", "Rents are falling.")
    ]
    assert "We begin today." in outcome.merged
    assert "We begin today." not in outcome.kept


def test_spots_that_the_newer_text_holds_are_done() -> None:
    both = changed(("Rents are high.", "Rents are rising."), ("We begin now.", "We begin today."))
    one = changed(("Rents are high.", "Rents are rising."))
    assert carry(BASE, one, both) == Superseded()
    assert carry(BASE, both, one) == Carried(both, neighbour=False)


def test_two_insertions_at_one_spot_are_both_kept_the_approved_one_first() -> None:
    mine, newer = (
        changed(("We begin now.", "We begin now.\n\nMine.")),
        changed(("We begin now.", "We begin now.\n\nTheirs.")),
    )
    outcome = carry(BASE, mine, newer)
    assert outcome == Carried(changed(("We begin now.", "We begin now.\n\nTheirs.\n\nMine.")), neighbour=True)


def test_a_sentence_that_both_added_is_never_said_twice() -> None:
    mine = changed(("We begin now.", "We begin now.\n\nTell your neighbours. Then tell us."))
    newer = changed(("We begin now.", "We begin now.\n\nTell your neighbours."))
    outcome = carry(BASE, mine, newer)
    assert isinstance(outcome, Stale)
    assert outcome.kept.count("Tell your neighbours.") == 2
    assert outcome.merged == newer


def test_an_insertion_follows_its_section() -> None:
    mine = changed(("- Cap rents. Pay builders.\n", "- Cap rents. Pay builders.\n- Plant trees.\n"))
    newer = changed(
        ("# Homes\n\nRents are high. Wages are low.\n\n", "# Homes\n\nNew words.\n\nRents are high. Wages are low.\n\n")
    )
    outcome = carry(BASE, mine, newer)
    assert isinstance(outcome, Carried)
    assert "- Cap rents. Pay builders.\n- Plant trees.\n" in outcome.text
    assert "New words." in outcome.text


SCRIPTS = {
    "Japanese": ("家賃が高い。賃金は低い。\n", ("家賃が高い", "家賃が上がる"), ("賃金は低い", "賃金は伸びない")),
    "Arabic": ("الإيجارات مرتفعة. الأجور منخفضة.\n", ("مرتفعة", "ترتفع"), ("منخفضة", "ثابتة")),
}


@pytest.mark.parametrize(("base", "mine", "newer"), SCRIPTS.values(), ids=SCRIPTS)
def test_sentences_of_any_script_are_carried_each_by_itself(
    base: str, mine: tuple[str, str], newer: tuple[str, str]
) -> None:
    both = base.replace(*mine).replace(*newer)
    assert carry(base, base.replace(*mine), base.replace(*newer)) == Carried(both, neighbour=True)


def test_a_rival_is_known_by_the_sentences_that_a_promotion_wrote() -> None:
    promoted = changed(("Rents are high.", "Rents are rising."))
    written = sentences_written(BASE, promoted)
    rival = promoted.replace("Rents are rising.", "Rents explode.")
    other = promoted.replace("We begin now.", "We begin today.")
    assert change_between(promoted, rival).rewrites & written
    assert not change_between(promoted, other).rewrites & written


sentences = st.sampled_from(["Rents rise.", "Wages fall.", "We build.", "Join us.", "Vote now.", "Talk to all."])
paragraphs = st.lists(sentences, min_size=1, max_size=3).map(" ".join)
texts = st.lists(paragraphs, min_size=1, max_size=5).map(lambda blocks: "\n\n".join(blocks) + "\n")


@given(texts, texts)
@settings(max_examples=150, deadline=None)
def test_onto_its_own_base_a_change_keeps_its_bytes(base: str, mine: str) -> None:
    assert carry(base, mine, base) == (Superseded() if mine == base else Carried(mine, neighbour=False))
    assert carry(base, mine, mine) == Superseded()


@given(texts, texts, texts)
@example("Talk to all.\n", "Talk to all. Talk to all.\n", "Rents rise. Talk to all.\n\nTalk to all.\n")
@settings(max_examples=150, deadline=None)
def test_whom_a_promotion_concerns_is_found_by_hashes(base: str, mine: str, newer: str) -> None:
    outcome = carry(base, mine, newer)
    if isinstance(outcome, Stale) or (isinstance(outcome, Carried) and outcome.neighbour):
        assert concerns(base, newer) & change_between(base, mine).dependencies
    assert carry(base, mine, newer) == outcome
