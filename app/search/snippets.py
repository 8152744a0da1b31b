"""The passage of a text that shows best why a query found it, with the words to mark."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import NamedTuple

from app.pages.markdown import body_start
from app.search.analysis import MAX_TERM, Analysis, Token, is_dense
from app.search.query import Clause, Phrase, Start, Tagged, Term

WIDTH = 220
LEAD = 80
"""Letters shown before the first word found, at most, unless a sentence begins later."""

MAX_MARKS = 12
MAX_PLACES = 5
"""Places of each of several words that are looked at to choose a passage; for a single word the first one will do."""

_ACCENTED = re.compile(r"[^\W\d_a-zA-Z]")
_SENTENCE_END = re.compile(r"[.!?。！？]['\"”’)]*\s+|\n\s*")
_LINE_MARKS = re.compile(r"^[ \t]*(?:(?:\#{1,6}|>|[-*+]|\d{1,9}[.)])(?:[ \t]+|$)|[ \t:|-]+$)", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]\n]*)(?:\](?:\([^)\n]*(?:\)|$)|\[[^\]\n]*\])|$)")
_INLINE_MARKS = str.maketrans("", "", "*`|")


_Place = tuple[int, int, int]


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


class Marker:
    """Finds the words of one query in any number of texts."""

    def __init__(self, clauses: Iterable[Clause], analysis: Analysis) -> None:
        self._sought = [_Sought.of(clause) for clause in clauses if not isinstance(clause, Tagged)]
        self._analysis = analysis

    def passage(self, markdown: str) -> Passage:
        """About `WIDTH` letters in which most of the words stand, as plain text; else the beginning."""
        text = markdown[body_start(markdown) :]
        places = self._places(text, most=MAX_PLACES if len(self._sought) > 1 else 1)
        start, end = _cut(text, _best_window(places))
        plain = _tidy(text[start:end])
        before, after = "… " if text[:start].strip() else "", " …" if text[end:].strip() else ""
        marks = _joined([(at + len(before), to + len(before)) for at, to, _ in self._places(plain, most=MAX_MARKS)])
        return Passage(f"{before}{plain}{after}", marks)

    def stands_in(self, text: str) -> bool:
        """Whether any of the words do."""
        return bool(self._places(text, most=1))

    def _places(self, text: str, *, most: int) -> list[_Place]:
        """Where the words stand, as start, end and the clause's number, in order; of each at least the first `most`."""
        lowered = text.lower()
        if len(lowered) != len(text):
            return self._places_by_token(text)
        places: list[_Place] = []
        for number, sought in enumerate(self._sought):
            found = list(islice(self._finds(lowered, sought, thoroughly=most >= MAX_MARKS), most))
            if not found:
                found = list(islice(self._finds(lowered, sought, thoroughly=True), most))
            if not found and (sought.has_digits or _ACCENTED.search(lowered)):
                return self._places_by_token(text)  # it may stand there with accents, or commas between digits
            places.extend((start, end, number) for start, end in found)
        return sorted(places)

    def _finds(self, lowered: str, sought: "_Sought", *, thoroughly: bool) -> Iterator[tuple[int, int]]:
        """Where a clause stands, by the letters that its forms begin with: far quicker than reading every word."""
        begin = sought.shared if thoroughly else sought.first
        at = lowered.find(begin)
        while at >= 0:
            end = (
                self._end_of(lowered, at, sought) if sought.dense or at == 0 or not lowered[at - 1].isalnum() else None
            )
            if end is not None:
                yield at, end
            at = lowered.find(begin, end or at + 1)

    def _end_of(self, lowered: str, at: int, sought: "_Sought") -> int | None:
        """Where the clause ends that may begin here; None if something else does."""
        for number, token in enumerate(self._analysis.tokens(lowered[at : at + sought.reach]), start=1):
            if not sought.fits(token, number):
                return None
            if number == len(sought.terms):
                return at + token.end
        return None

    def _places_by_token(self, text: str) -> list[_Place]:
        tokens = list(self._analysis.tokens(text))
        places: list[_Place] = []
        for clause, sought in enumerate(self._sought):
            length = len(sought.terms)
            for at in range(len(tokens) - length + 1):
                if all(sought.fits(token, number) for number, token in enumerate(tokens[at : at + length], start=1)):
                    places.append((tokens[at].start, tokens[at + length - 1].end, clause))
        return sorted(places)


@dataclass(frozen=True, slots=True)
class _Sought:
    """A clause, prepared for looking it up.

    `first` is the stem of its first word. Nearly all forms of a word hold the whole stem; the others (policy, policies)
    share all but its last two letters: `shared`. `reach` letters are enough to hold all of it.
    """

    terms: tuple[str, ...]
    first: str
    shared: str
    dense: bool
    by_start: bool
    has_digits: bool
    reach: int

    @classmethod
    def of(cls, clause: Term | Phrase | Start) -> "_Sought":
        by_start = isinstance(clause, Start)
        match clause:
            case Term(term) | Start(term):
                terms: tuple[str, ...] = (term,)
            case Phrase(found):
                terms = found
        first = terms[0]
        dense = is_dense(first)
        return cls(
            terms=terms,
            first=first,
            shared=first if dense or by_start else first[: max(1, len(first) - 2)],
            dense=dense,
            by_start=by_start,
            has_digits=any(letter.isdigit() for letter in first),
            reach=MAX_TERM * len(terms),
        )

    def fits(self, token: Token, number: int) -> bool:
        """Whether the token can be the clause's word of this number, counted from 1."""
        return token.word.startswith(self.first) if self.by_start else token.term == self.terms[number - 1]


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
    text = _LINK.sub(r"\1", markdown) if "[" in markdown else markdown
    text = _LINE_MARKS.sub("", text).translate(_INLINE_MARKS).replace("__", "").replace("~~", "")
    return " ".join(text.split())


def _joined(places: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The places without overlaps; those that touch become one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
