"""The language people search in: words, "phrases", -without, start*, tag:housing. Anything typed means something."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from app.search.analysis import FILLERS, Analysis, Token, is_dense
from app.words import N_, _

MAX_LENGTH = 200
MAX_CLAUSES = 12
MAX_PHRASE = 24
MIN_START = 3

TOO_LONG = N_("Only the first {most} characters were searched for.")
TOO_MANY = N_("Only the first {most} words were searched for.")
SHORT_START = N_("A star needs {least} letters before it, so a shorter start was searched for as a whole word.")
ONLY_WITHOUT = N_("A word with a minus only leaves texts out. Add a word to look for.")


@dataclass(frozen=True, slots=True)
class Term:
    """A word, by the term that every form of it shares."""

    term: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Terms that follow one another; two at least."""

    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """Every word that begins with these letters, folded but not stemmed."""

    letters: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """Pages that carry this tag."""

    tag: str


Clause = Term | Phrase | Start | Tagged


@dataclass(frozen=True, slots=True)
class Query:
    """What to find: every clause of `required`, nothing of `excluded`.

    `words` are the required words as folded, for corrections; `notes` say in plain words what was left out.
    """

    required: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.required

    def tagged(self, tag: str) -> "Query":
        """The same, on pages with this tag alone."""
        return replace(self, required=_unique([*self.required, Tagged(_clean_tag(tag))]))


_PART = re.compile(
    r"""(?P<minus>-?)
        (?: (?P<tag>tag:) (?: "(?P<quoted_tag>[^"]*)"? | (?P<plain_tag>[^\s"]*) )
          | "(?P<phrase>[^"]*)"?
          | (?P<plain>[^\s"]+) )""",
    re.VERBOSE | re.IGNORECASE,
)
_QUOTES = str.maketrans("“”„«»＂　", '""""""\u0020')


def parse(raw: str, analysis: Analysis) -> Query:
    """The query that was typed. Never fails: what cannot be read as more is read as words."""
    notes = [_(TOO_LONG).format(most=MAX_LENGTH)] if len(raw.strip()) > MAX_LENGTH else []
    wanted: list[_Asked] = []
    excluded: list[_Asked] = []
    for part in _PART.finditer(raw.strip()[:MAX_LENGTH].translate(_QUOTES)):
        asked = _read(part, analysis)
        if asked is not None:
            (excluded if part["minus"] else wanted).append(asked)
            notes.extend(asked.notes)
    kept = [asked for asked in wanted if not asked.filler] or wanted
    if len(kept) + len(excluded) > MAX_CLAUSES:
        notes.append(_(TOO_MANY).format(most=MAX_CLAUSES))
    if excluded and not kept:
        notes.append(_(ONLY_WITHOUT))
    return Query(
        required=_unique(asked.clause for asked in kept[:MAX_CLAUSES]),
        excluded=_unique(asked.clause for asked in excluded[: max(0, MAX_CLAUSES - len(kept))]),
        words=tuple(asked.word for asked in kept[:MAX_CLAUSES] if asked.word),
        notes=tuple(dict.fromkeys(notes)),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A part of the query: its clause, the word to correct if nothing has it, and whether it merely fills."""

    clause: Clause
    word: str = ""
    filler: bool = False
    notes: tuple[str, ...] = ()


def _read(part: re.Match[str], analysis: Analysis) -> _Asked | None:
    if part["tag"]:
        tag = _clean_tag(part["quoted_tag"] or part["plain_tag"] or "")
        return _Asked(Tagged(tag)) if tag else None
    if part["plain"] is None:
        return _read_phrase(part["phrase"], analysis)
    return _read_word(part["plain"], analysis)


def _clean_tag(raw: str) -> str:
    return " ".join(raw.casefold().split())


def _read_word(raw: str, analysis: Analysis) -> _Asked | None:
    tokens = analysis.asked(raw)
    if not tokens:
        return None
    last = tokens[-1]
    if is_dense(last.term) and len(tokens) == 1 and len(last.term) == 1:
        return _Asked(Start(last.word))
    if len(tokens) > 1:
        return _Asked(_phrase(tokens))
    if raw.endswith("*"):
        if len(last.word) >= MIN_START or is_dense(last.word):
            return _Asked(Start(last.word))
        return _Asked(Term(last.term), last.word, notes=(_(SHORT_START).format(least=MIN_START),))
    return _Asked(Term(last.term), last.word, filler=last.word in FILLERS)


def _read_phrase(raw: str, analysis: Analysis) -> _Asked | None:
    tokens = analysis.asked(raw)
    if len(tokens) < 2:
        return _read_word(raw, analysis)
    return _Asked(_phrase(tokens))


def _phrase(tokens: list[Token]) -> Phrase:
    return Phrase(tuple(token.term for token in tokens[:MAX_PHRASE]))


def _unique(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    return tuple(dict.fromkeys(clauses))
