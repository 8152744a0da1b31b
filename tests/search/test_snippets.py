"""The passage that shows why a text was found."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.search.analysis import Analysis
from app.search.query import parse
from app.search.snippets import LEAD, WIDTH, Marker, Passage

TEXT = """---
title: Rents in the front matter
---
# Housing

Everyone needs a home they can **afford**. Rents have risen.

## Story

{filler}

- Renters get a [fair contract](https://example.org/x). Landlords get a fair hearing <b>& more</b>.
- We build 10,000 homes. Les élections arrivent. 住宅政策を進める。
""".replace("{filler}", "Anna moved three times in two years. " * 12)


def best_passage(text: str, typed: str, analysis: Analysis) -> Passage:
    return Marker(parse(typed, analysis).required, analysis).passage(text)


@pytest.mark.parametrize(
    ("typed", "marked"),
    [
        ("contract hearing", ["contract", "hearing"]),
        ("landlord", ["Landlords"]),
        ('"fair hearing"', ["fair hearing"]),
        ("renter*", ["Renters"]),
        ("ELECTION", ["élections"]),
        ("10000", ["10,000"]),
        ("政策", ["政策"]),
        ("住宅政策", ["住宅政策"]),
        ("税", []),
        ("contract -hearing tag:x", ["contract"]),
    ],
)
def test_the_words_found_are_marked(analysis: Analysis, typed: str, marked: list[str]) -> None:
    passage = best_passage(TEXT, typed, analysis)
    assert [passage.text[start:end] for start, end in passage.marks] == marked
    assert [part.text for part in passage.parts if part.marked] == marked
    assert "".join(part.text for part in passage.parts) == passage.text


def test_the_passage_is_where_most_of_the_words_stand(analysis: Analysis) -> None:
    passage = best_passage(TEXT, "rents contract hearing", analysis)
    assert "fair contract" in passage.text
    assert passage.text.startswith("… ")


def test_without_words_found_it_is_the_beginning(analysis: Analysis) -> None:
    passage = best_passage(TEXT, "fracking", analysis)
    assert passage.text.startswith("Housing Everyone needs a home they can afford. Rents have risen.")
    assert passage.text.endswith(" …")
    assert not passage.marks


def test_it_reads_without_marks_of_markdown_and_front_matter(analysis: Analysis) -> None:
    passage = best_passage(TEXT, "hearing", analysis)
    assert "Renters get a fair contract. Landlords get a fair hearing <b>& more</b>. We build" in passage.text
    assert "front matter" not in best_passage(TEXT, "rents", analysis).text


def test_html_is_the_text_escaped_with_marks(analysis: Analysis) -> None:
    html = best_passage("We <script>alert('rent')</script> & more", "rent", analysis).html
    assert html == "We &lt;script&gt;alert(&#x27;<mark>rent</mark>&#x27;)&lt;/script&gt; &amp; more"


def test_an_empty_text_has_an_empty_passage(analysis: Analysis) -> None:
    assert best_passage("", "rent", analysis) == Passage("")


words = st.sampled_from(
    ["rent", "Rents", "fair", "İ", "住宅", "[a](b)", "<i>", "\n\n- ", "## x", "café", "|", "a" * 300]
)


@given(
    text=st.lists(words | st.text(max_size=8), max_size=60).map(" ".join),
    typed=st.sampled_from(["rents fair", '"fair rent"', "cafe*", "住宅 rent", "", "cafe"]),
)
@settings(max_examples=200, deadline=None)
def test_any_text_has_a_short_passage_with_marks_on_what_was_asked(analysis: Analysis, text: str, typed: str) -> None:
    passage = best_passage(text, typed, analysis)
    assert len(passage.text) <= WIDTH + LEAD
    assert re.sub("</?mark>", "", passage.html).count("<") == 0
    at = 0
    asked = {token.term for token in analysis.tokens(typed.replace("*", ""))}
    for start, end in passage.marks:
        assert at <= start < end <= len(passage.text)
        at = end
        assert any(token.term in asked for token in analysis.tokens(passage.text[start:end]))
