"""Which texts a query finds, and how well each fits, from lists of where every term stands."""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import nlargest
from math import log1p
from typing import NamedTuple, Protocol

from app.search.query import Clause, Phrase, Query, Start, Tagged, Term

SATURATION = 1.2
LENGTH_SHARE = 0.75
TYPICAL_LENGTH = 300
"""Okapi BM25's k1 and b, and the text length that neither gains nor loses; a constant, so that a small segment of the
index weighs its texts as a large one does."""

MAX_PHRASE_CHECKS = 1_000
"""Texts in which a phrase's words are looked up one by one; the best-fitting are, when more hold all of its words."""


class Postings(NamedTuple):
    """The documents that hold a term, ascending, and how much each is about it, between 0 and 2.2."""

    ids: "array[int]"
    impacts: "array[float]"


NOWHERE = Postings(array("I"), array("f"))

Leg = Term | Start | Tagged
"""What one list of postings answers."""


class Segment(Protocol):
    """A part of an index, whose documents are numbered from 0."""

    @property
    def size(self) -> int:
        """How many documents there are."""

    def postings(self, leg: Leg) -> Postings:
        """Where the leg stands; `NOWHERE` for one nobody wrote."""

    def positions(self, term: str, documents: Sequence[int]) -> Mapping[int, Sequence[int]]:
        """The places of a term in those of the documents (ascending) that hold it."""


def impact(times: float, length: int) -> float:
    """How much a text of `length` terms is about one that stands in it so many times: the BM25 part without rarity."""
    room = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length / TYPICAL_LENGTH)
    return times * (SATURATION + 1) / (times + room)


def match(query: Query, segments: Sequence[Segment], *, any_word: bool = False) -> list[dict[int, float]]:
    """For each segment the documents found, with their scores; tags have no part in the score.

    With `any_word` one of the required clauses is enough, and those that hold more of them score higher; tags and
    exclusions are kept.
    """
    legs = {leg for clause in (*query.required, *query.excluded) for leg in _legs_of(clause)}
    found = [{leg: segment.postings(leg) for leg in legs} for segment in segments]
    size = sum(segment.size for segment in segments)
    rarity = {leg: _rarity(leg, size, sum(len(part[leg].ids) for part in found)) for leg in legs}
    matches = [_Match(segment, part, rarity) for segment, part in zip(segments, found, strict=True)]
    return [match_.run(query, any_word=any_word) for match_ in matches]


def _legs_of(clause: Clause) -> tuple[Leg, ...]:
    return tuple(Term(term) for term in clause.terms) if isinstance(clause, Phrase) else (clause,)


def _rarity(leg: Leg, size: int, holding: int) -> float:
    """Okapi BM25's inverse document frequency, in the form that is never negative."""
    return 0.0 if isinstance(leg, Tagged) else log1p((size - holding + 0.5) / (holding + 0.5))


class _Match:
    """One query in one segment."""

    def __init__(self, segment: Segment, found: Mapping[Leg, Postings], rarity: Mapping[Leg, float]) -> None:
        self._segment = segment
        self._found = found
        self._rarity = rarity

    def run(self, query: Query, *, any_word: bool) -> dict[int, float]:
        tags = [clause for clause in query.required if isinstance(clause, Tagged)]
        words = [clause for clause in query.required if not isinstance(clause, Tagged)]
        documents = self._holding_some(words) if any_word else self._holding_all(words)
        if tags:
            tagged = self._holding_legs(tags)
            documents = tagged if documents is None else documents & tagged
        for clause in query.excluded:
            documents = (documents or set()) - self._holding(clause)
        return self._scores(documents or set(), words)

    def _holding_all(self, clauses: Sequence[Clause]) -> set[int] | None:
        """The documents that hold every clause; None if there is no clause."""
        if not clauses:
            return None
        documents = self._holding_legs([leg for clause in clauses for leg in _legs_of(clause)])
        for clause in clauses:
            if isinstance(clause, Phrase):
                documents = self._saying(clause, documents)
        return documents

    def _holding_some(self, clauses: Sequence[Clause]) -> set[int] | None:
        return set().union(*(self._holding(clause) for clause in clauses)) if clauses else None

    def _holding(self, clause: Clause) -> set[int]:
        documents = self._holding_legs(_legs_of(clause))
        return self._saying(clause, documents) if isinstance(clause, Phrase) else documents

    def _holding_legs(self, legs: Iterable[Leg]) -> set[int]:
        shortest, *others = sorted((self._found[leg].ids for leg in legs), key=len)
        documents = set(shortest)
        for ids in others:
            if not documents:
                break
            documents.intersection_update(ids)
        return documents

    def _saying(self, phrase: Phrase, documents: set[int]) -> set[int]:
        """Those of the documents in which the phrase's terms follow one another."""
        if len(documents) > MAX_PHRASE_CHECKS:
            scores = self._scores(documents, [phrase])
            documents = set(nlargest(MAX_PHRASE_CHECKS, documents, key=lambda document: (scores[document], -document)))
        first, *rest = phrase.terms
        begins = {id_: set(places) for id_, places in self._segment.positions(first, sorted(documents)).items()}
        for distance, term in enumerate(rest, start=1):
            there = self._segment.positions(term, sorted(begins))
            kept = {id_: begins[id_] & {place - distance for place in places} for id_, places in there.items()}
            begins = {id_: places for id_, places in kept.items() if places}
        return set(begins)

    def _scores(self, documents: Collection[int], clauses: Iterable[Clause]) -> dict[int, float]:
        scores = dict.fromkeys(documents, 0.0)
        for leg in {leg for clause in clauses for leg in _legs_of(clause)}:
            ids, impacts = self._found[leg]
            rarity = self._rarity[leg]
            if len(ids) < 8 * len(scores):
                for document, weight in zip(ids, impacts, strict=True):
                    if document in scores:
                        scores[document] += rarity * weight
                continue
            for document in scores:
                at = bisect_left(ids, document)
                if at < len(ids) and ids[at] == document:
                    scores[document] += rarity * impacts[at]
        return scores
