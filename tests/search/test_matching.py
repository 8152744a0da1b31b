"""Which documents a query finds, against a reading of every document."""

from array import array
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.search import matching
from app.search.matching import NOWHERE, Leg, Postings, impact, match
from app.search.query import Clause, Phrase, Query, Start, Tagged, Term

WORDS = ["home", "house", "rent", "fair", "tax"]


class Shelf:
    """A segment made of lists of words; a document's first word is its tag too."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self.texts = texts
        self.looked_up = 0

    @property
    def size(self) -> int:
        return len(self.texts)

    def postings(self, leg: Leg) -> Postings:
        weights = {
            number: impact(times, len(text)) for number, text in enumerate(self.texts) if (times := _times(leg, text))
        }
        return Postings(array("I", weights), array("f", weights.values())) if weights else NOWHERE

    def positions(self, term: str, documents: Sequence[int]) -> Mapping[int, Sequence[int]]:
        self.looked_up += len(documents)
        found = {number: [at for at, word in enumerate(self.texts[number]) if word == term] for number in documents}
        return {number: places for number, places in found.items() if places}


def _times(clause: Clause, text: Sequence[str]) -> int:
    match clause:
        case Term(term):
            return sum(word == term for word in text)
        case Start(letters):
            return sum(word.startswith(letters) for word in text)
        case Tagged(tag):
            return int(text[:1] == [tag])
        case Phrase(terms):
            return sum(tuple(text[at : at + len(terms)]) == terms for at in range(len(text)))


words = st.sampled_from(WORDS)
texts = st.lists(st.lists(words, max_size=6), max_size=6)
clauses = st.one_of(
    words.map(Term),
    st.sampled_from(["ho", "r", "x"]).map(Start),
    words.map(Tagged),
    st.lists(words, min_size=2, max_size=3).map(lambda terms: Phrase(tuple(terms))),
)
queries = st.builds(
    Query,
    required=st.lists(clauses, min_size=1, max_size=3).map(tuple),
    excluded=st.lists(clauses, max_size=2).map(tuple),
)


@given(shelves=st.lists(texts.map(Shelf), min_size=1, max_size=3), query=queries, any_word=st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_is_found_is_what_reading_every_text_would_find(
    shelves: list[Shelf], query: Query, any_word: bool
) -> None:
    tags = [clause for clause in query.required if isinstance(clause, Tagged)]
    others = [clause for clause in query.required if not isinstance(clause, Tagged)]

    def fits(text: Sequence[str]) -> bool:
        holding = [_times(clause, text) > 0 for clause in others]
        enough = not others or (any(holding) if any_word else all(holding))
        return (
            enough and all(_times(tag, text) for tag in tags) and not any(_times(out, text) for out in query.excluded)
        )

    found = match(query, shelves, any_word=any_word)
    assert [set(part) for part in found] == [
        {number for number, text in enumerate(shelf.texts) if fits(text)} for shelf in shelves
    ]
    assert all(score >= 0 for part in found for score in part.values())


def test_an_empty_query_finds_nothing() -> None:
    assert match(Query(excluded=(Term("tax"),)), [Shelf([["home"]])]) == [{}]


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    [found] = match(
        Query(required=(Term("home"), Term("tax"))), [Shelf([["home", "tax"]] + [["home"]] * 9)], any_word=True
    )
    assert found[0] > 2 * found[1]


def test_a_word_said_more_often_and_in_a_shorter_text_weighs_more() -> None:
    assert impact(1, 300) == pytest.approx(1.0)
    assert impact(3, 300) > impact(1, 300) > impact(1, 900) > 0
    assert impact(1_000, 1) < 1 + matching.SATURATION


def test_where_texts_stand_in_the_index_changes_no_score() -> None:
    texts = [["home", "rent"], ["home"], ["tax", "home", "fair"]]
    query = Query(required=(Term("home"),))
    [whole] = match(query, [Shelf(texts)])
    parts = match(query, [Shelf(texts[:1]), Shelf(texts[1:])])
    assert list(whole.values()) == [score for part in parts for score in part.values()]


def test_a_phrase_of_common_words_is_looked_up_in_so_many_texts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MAX_PHRASE_CHECKS", 3)
    shelf = Shelf([["fair", "rent"] * (number + 1) for number in range(10)])
    [found] = match(Query(required=(Phrase(("fair", "rent")),)), [shelf])
    assert set(found) == {7, 8, 9}  # those that say it most
    assert shelf.looked_up == 6
