"""The passage of a text that shows best why a query found it, with the words to mark."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import NamedTuple

from app.pages.markdown import body_start
from app.search.analysis import MAX_TERM, Analysis, is_dense
from app.search.query import Phrase, Query, Start, Tagged, Term

WIDTH = 220
LEAD = 80
"""Letters shown before the first word found, at most, unless a sentence begins later."""

MAX_MARKS = 12
MAX_PLACES = 5
"""Places of each of several words that are looked at to choose a passage; for a single word the first one will do."""

_ACCENTED = re.compile(r"[^\W\d_a-zA-Z]")
_SENTENCE_END = re.compile(r"[.!?。！？]['\"”’)]*\s+|\n\s*")
_MARKUP = re.compile(r"^[ \t]*(?:\#{1,6}|>|[-*+]|\d{1,9}[.)])(?:[ \t]+|$)|\*+|`+|__+|~~|^[ \t:|-]+$|\|", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]\n]*)(?:\](?:\([^)\n]*(?:\)|$)|\[[^\]\n]*\])|$)")
_SPACES = re.compile(r"\s+")


class Part(NamedTuple):
    """Some of a passage's letters, and whether they are what was asked for."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """Plain text, and where in it the words found stand, as pairs of start and end in characters."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()

    @property
    def parts(self) -> Iterator[Part]:
        """The text cut at the marks."""
        at = 0
        for start, end in self.marks:
            if at < start:
                yield Part(self.text[at:start], False)
            yield Part(self.text[start:end], True)
            at = end
        if at < len(self.text):
            yield Part(self.text[at:], False)

    @property
    def html(self) -> str:
        """The text escaped, with `<mark>` around what was asked for."""
        return "".join(f"<mark>{escape(part.text)}</mark>" if part.marked else escape(part.text) for part in self.parts)


def best_passage(markdown: str, query: Query, analysis: Analysis) -> Passage:
    """About `WIDTH` letters in which most of the query's words stand, as plain text; else the beginning."""
    text = markdown[body_start(markdown) :]
    legs = _legs_of(query)
    start, end = _cut(text, _best_window(_places(text, legs, analysis, most=MAX_PLACES if len(legs) > 1 else 1)))
    plain = _tidy(text[start:end])
    before, after = "… " if text[:start].strip() else "", " …" if text[end:].strip() else ""
    marks = _joined([place[:2] for place in _places(plain, legs, analysis, most=MAX_MARKS)])
    return Passage(f"{before}{plain}{after}", tuple((a + len(before), b + len(before)) for a, b in marks))


def says(text: str, clause: "_Leg", analysis: Analysis) -> bool:
    """Whether the clause's words stand in the text; quickly, for whoever has no index to ask."""
    return bool(_places(text, [clause], analysis, most=1))


_Leg = Term | Phrase | Start
_Place = tuple[int, int, int]


def _legs_of(query: Query) -> list[_Leg]:
    return [clause for clause in query.required if not isinstance(clause, Tagged)]


def _places(text: str, legs: Sequence[_Leg], analysis: Analysis, *, most: int) -> list[_Place]:
    """Where the legs stand, as start, end and the leg's number, in order; of each at least the first `most`."""
    lowered = text.lower()
    if len(lowered) != len(text):
        return _places_by_token(text, legs, analysis)
    places: list[_Place] = []
    for number, leg in enumerate(legs):
        found = list(islice(_finds(lowered, leg, analysis, thoroughly=most >= MAX_MARKS), most))
        if not found:
            found = list(islice(_finds(lowered, leg, analysis, thoroughly=True), most))
        if not found and (_ACCENTED.search(lowered) or any(letter.isdigit() for letter in _first_of(leg))):
            return _places_by_token(text, legs, analysis)  # it may stand there with accents, or commas between digits
        places.extend((start, end, number) for start, end in found)
    return sorted(places)


def _first_of(leg: _Leg) -> str:
    if isinstance(leg, Start):
        return leg.letters
    return leg.term if isinstance(leg, Term) else leg.terms[0]


def _finds(lowered: str, leg: _Leg, analysis: Analysis, *, thoroughly: bool) -> Iterator[tuple[int, int]]:
    """Where a leg stands, by the letters that its forms begin with: far quicker than reading every word.

    Nearly all forms hold the whole stem; the others (policy, policies) share all but its last two letters.
    """
    sought = _first_of(leg)
    dense = is_dense(sought)
    begin = sought[: max(1, len(sought) - 2)] if thoroughly and not dense and not isinstance(leg, Start) else sought
    at = lowered.find(begin)
    while at >= 0:
        end = _end_of(lowered, at, leg, analysis) if dense or at == 0 or not lowered[at - 1].isalnum() else None
        if end is not None:
            yield at, end
        at = lowered.find(begin, end or at + 1)


def _end_of(lowered: str, at: int, leg: _Leg, analysis: Analysis) -> int | None:
    """Where the leg ends that may begin here; None if something else does."""
    wanted = leg.terms if isinstance(leg, Phrase) else (_first_of(leg),)
    tokens = list(islice(analysis.tokens(lowered[at : at + MAX_TERM * len(wanted)]), len(wanted)))
    if isinstance(leg, Start):
        fits = bool(tokens) and tokens[0].word.startswith(leg.letters)
    else:
        fits = tuple(token.term for token in tokens) == wanted
    return at + tokens[-1].end if fits else None


def _places_by_token(text: str, legs: Sequence[_Leg], analysis: Analysis) -> list[_Place]:
    tokens = list(analysis.tokens(text))
    places: list[_Place] = []
    for number, leg in enumerate(legs):
        if isinstance(leg, Start):
            places.extend((token.start, token.end, number) for token in tokens if token.word.startswith(leg.letters))
            continue
        wanted = leg.terms if isinstance(leg, Phrase) else (leg.term,)
        for index, token in enumerate(tokens):
            if token.term == wanted[0] and tuple(item.term for item in tokens[index : index + len(wanted)]) == wanted:
                places.append((token.start, tokens[index + len(wanted) - 1].end, number))
    return sorted(places)


def _best_window(places: Sequence[_Place]) -> int | None:
    """Where the first of the most different legs begins that stand within `WIDTH`; None without any."""
    best, chosen = 0, None
    for index, (start, _, _) in enumerate(places):
        legs = set()
        for _, end, number in places[index:]:
            if end > start + WIDTH - LEAD:
                break
            legs.add(number)
        if len(legs) > best or chosen is None:
            best, chosen = len(legs), start
    return chosen


def _cut(text: str, first: int | None) -> tuple[int, int]:
    """Start and end of the passage around the first word found, at the edges of sentences and words."""
    start = 0
    if first is not None and first > LEAD:
        start = first - LEAD
        ends = [match.end() for match in _SENTENCE_END.finditer(text, start, first)]
        start = ends[0] if ends else _edge_after(text, start, first)
    end = start + WIDTH
    if end >= len(text):
        return start, len(text)
    return start, max(text.rfind(" ", start + WIDTH // 2, end + 1), start + WIDTH // 2) if " " in text[
        start:end
    ] else end


def _edge_after(text: str, start: int, limit: int) -> int:
    space = text.find(" ", start, limit)
    return space + 1 if space >= 0 else start


def _tidy(markdown: str) -> str:
    """The words without the commonest marks of Markdown, on one line."""
    return _SPACES.sub(" ", _MARKUP.sub("", _LINK.sub(r"\1", markdown))).strip()


def _joined(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The places without overlaps; those that touch become one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
