"""The language people search in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.search.analysis import Analysis
from app.search.query import (
    MAX_CLAUSES,
    MAX_PHRASE,
    Clause,
    Phrase,
    Start,
    Tagged,
    Term,
    parse,
)


@pytest.mark.parametrize(
    ("typed", "required", "excluded"),
    [
        ("", (), ()),
        ('  - -- * "" tag: ', (), ()),
        ("Rents", (Term("rent"),), ()),
        ("fair rents fair", (Term("fair"), Term("rent")), ()),
        ("housing -tax", (Term("hous"),), (Term("tax"),)),
        ('"fair rents" now', (Phrase(("fair", "rent")), Term("now")), ()),
        ("“fair rents”", (Phrase(("fair", "rent")),), ()),
        ('"unclosed phrase', (Phrase(("unclos", "phrase")),), ()),
        ('-"tax relief" rents', (Term("rent"),), (Phrase(("tax", "relief")),)),
        ('"rents"', (Term("rent"),), ()),
        ("long-term", (Phrase(("long", "term")),), ()),
        ("hous*", (Start("hous"),), ()),
        ("Élec*", (Start("elec"),), ()),
        ("tag:Rents", (Tagged("rents"),), ()),
        ('tag:"Social  Care" x', (Tagged("social care"), Term("x")), ()),
        ("rents -tag:old", (Term("rent"),), (Tagged("old"),)),
        ("住宅政策", (Phrase(("住宅", "宅政", "政策")),), ()),
        ("住宅", (Term("住宅"),), ()),
        ("税", (Start("税"),), ()),
        ("a:b OR (c", (Phrase(("a", "b")), Term("c")), ()),
    ],
)
def test_what_is_typed_means(
    analysis: Analysis, typed: str, required: tuple[Clause, ...], excluded: tuple[Clause, ...]
) -> None:
    query = parse(typed, analysis)
    assert query.required == required
    assert query.excluded == excluded
    assert query.is_empty == (not required)


@pytest.mark.parametrize(
    ("typed", "required"),
    [
        ("what if they ask about rents?", (Term("rent"),)),
        ("Why should we say no to fracking", (Term("no"), Term("frack"))),
        ("the who", (Term("the"), Term("who"))),
        ('"the who"', (Phrase(("the", "who")),)),
        ("the tag:music", (Tagged("music"),)),
    ],
)
def test_words_that_hold_a_question_together_are_not_asked_for(
    analysis: Analysis, typed: str, required: tuple[Clause, ...]
) -> None:
    assert parse(typed, analysis).required == required


@pytest.mark.parametrize(
    ("typed", "note"),
    [
        ("x" * 201, "Only the first 200 characters were searched for."),
        (" ".join(f"word{number}" for number in range(MAX_CLAUSES + 1)), "Only the first 12 words were searched for."),
        ("ho*", "A star needs 3 letters before it, so a shorter start was searched for as a whole word."),
        ("-tax", "A word with a minus only leaves texts out. Add a word to look for."),
    ],
)
def test_what_was_left_out_is_said(analysis: Analysis, typed: str, note: str) -> None:
    assert parse(typed, analysis).notes == (note,)
    assert parse("housing", analysis).notes == ()


def test_words_are_kept_as_typed_for_corrections(analysis: Analysis) -> None:
    assert parse('Housng rénts "in order" hous* -not tag:x', analysis).words == ("housng", "rents")


def test_a_tag_narrows_what_was_typed(analysis: Analysis) -> None:
    assert parse("rents", analysis).tagged(" Social  care").required == (Term("rent"), Tagged("social care"))


@given(typed=st.text(max_size=400) | st.text('ab"-* :tag住', max_size=400))
@settings(max_examples=150, deadline=None)
def test_nothing_typed_fails_or_asks_for_too_much(analysis: Analysis, typed: str) -> None:
    query = parse(typed, analysis)
    assert len(query.required) + len(query.excluded) <= MAX_CLAUSES
    for clause in (*query.required, *query.excluded):
        assert not isinstance(clause, Phrase) or 2 <= len(clause.terms) <= MAX_PHRASE
