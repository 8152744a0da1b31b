"""How texts and queries become the terms they meet by."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.search.analysis import MAX_TERM, Analysis, fold

DENSE = "住宅政策を進めるガギグ税นโยบายที่อยู่한국어정책ກາບ"


def terms(analysis: Analysis, text: str) -> list[str]:
    return [token.term for token in analysis.tokens(text)]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Rents", "rents"),
        ("Élection", "election"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Łódź", "lodz"),
        ("ｆｕｌｌ", "full"),
        ("ﬁxed", "fixed"),
        ("Жильё", "жилье"),
        ("Ἑλλάς", "ελλασ"),
        ("بَيْت", "بيت"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी", "हिन्दी"),  # vowels are marks here, so they stay
        ("ที่", "ที่"),
        ("ガ", "ガ"),
    ],
)
def test_case_width_and_accents_make_no_difference_but_vowel_marks_do(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rent", "Rents"),
        ("housing", "houses"),
        ("policies", "policy"),
        ("promised", "promising"),
        ("café", "Cafe"),
        ("Britain’s", "Britain"),
        ("Britain's", "britain"),
        ("10,000", "10000"),
        ("élections", "election"),
    ],
)
def test_forms_of_a_word_share_their_term(analysis: Analysis, one: str, other: str) -> None:
    assert terms(analysis, one) == terms(analysis, other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("long-term fix", ["long", "term", "fix"]),
        ("l’homme d'accord", ["l", "homme", "d", "accord"]),
        ("12.5% of 10,000.", ["12.5", "of", "10000"]),
        ("a_b **bold**", ["a", "b", "bold"]),
        ("हिन्दी भाषा।", ["हिन्दी", "भाषा"]),
        ("AI政策", ["ai", "政策", "策"]),
        ("ـ", []),
        ("", []),
    ],
)
def test_a_text_is_cut_into_words(analysis: Analysis, text: str, words: list[str]) -> None:
    assert [token.word for token in analysis.tokens(text)] == words


def test_a_word_without_end_is_known_by_its_first_letters(analysis: Analysis) -> None:
    assert terms(analysis, "x" * 5_000) == ["x" * MAX_TERM]


@given(run=st.text(DENSE, min_size=1, max_size=30), data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_part_of_a_run_without_spaces_is_found_in_it(analysis: Analysis, run: str, data: st.DataObject) -> None:
    tokens = list(analysis.tokens(run))
    edges = sorted({token.start for token in tokens} | {len(run)})
    start, end = sorted(data.draw(st.lists(st.sampled_from(edges), min_size=2, max_size=2, unique=True)))
    asked = [token.term for token in analysis.asked(run[start:end])]
    held = [token.term for token in tokens]
    if len(asked) == 1:
        assert any(term.startswith(asked[0]) for term in held)
    else:
        assert any(held[at : at + len(asked)] == asked for at in range(len(held)))


@given(text=st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_tokens_lie_in_the_text_in_order_and_are_what_a_query_for_them_asks(analysis: Analysis, text: str) -> None:
    before = (0, 0)
    for token in analysis.tokens(text):
        assert 0 <= token.start < token.end <= len(text)
        assert before < (token.start, token.end)
        before = (token.start, token.end)
        assert token.term
        assert analysis.asked(text[token.start : token.end])[0].term == token.term
