"""Text as the terms it is found by: accents and case folded, English stemmed, other scripts cut where words are not."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import regex

MAX_TERM = 60
"""Longer words, such as pasted keys and pictures, are known by their first letters."""

_FILLERS = """
a about an and any are ask asked asking asks at be been but by can did do does for from had has have he her his how i if
in is it its may me my of on or our say saying says she should so tell than that the their them then there they this to
us was we were what when where which who why will with would you your
"""
FILLERS = frozenset(_FILLERS.split())
"""English words that hold a question together without saying what it is about."""

# Scripts written without spaces between words, and Korean, which hangs its particles on them: Thai, Lao, Burmese,
# Khmer, Chinese and Japanese, with the small and half-width forms.
_DENSE = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3035\u3040-\u30ff\u3130-\u318f"
    r"\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff65-\uffdc\U00020000-\U0003ffff"
)
# Marks that belong to the letter before them; Python's own \w leaves them out, and cuts the words of India to pieces.
_MARKS = (
    r"\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
    r"\u0f71-\u0fbc\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
_LETTER = rf"[^\W_{_DENSE}]"
_TOKEN = re.compile(
    rf"(?P<dense>[{_DENSE}]+)|(?P<word>{_LETTER}(?:{_LETTER}|[{_MARKS}]|(?<=\d)[.,](?=\d))*)(?:['’](?:s|t|re|ve|ll|d|m)\b)?",
    re.IGNORECASE,
)
_RUN = re.compile(rf"[{_DENSE}]")
_DENSE_LETTER = regex.compile(r"\P{M}[\p{M}ﾞﾟ]*|[\p{M}ﾞﾟ]+")
_ACCENTS = regex.compile(r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}]\p{Mn}*)\p{Mn}", regex.V1)
_ALIKE = str.maketrans({"ı": "i", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ـ": ""})


class Token(NamedTuple):
    """One place of a text. `word` is folded and whole, `term` what the index finds it by."""

    term: str
    word: str
    start: int
    end: int


def fold(word: str) -> str:
    """The word without case, width and accents; letters of scripts whose marks are vowels keep them."""
    if word.isascii():
        return word.lower()
    spread = unicodedata.normalize("NFKD", word.casefold()).casefold().translate(_ALIKE)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", spread))


class Analysis:
    """Texts and queries as tokens, always by the same way, so that what is asked meets what is written.

    Words of unaccented letters a–z are reduced by `stem`, which is handed in. Scripts written without spaces become
    pairs of letters, and the last letter of a run stands alone too, so that any part of a run is a sequence of pairs
    and any single letter begins some term.
    """

    def __init__(self, stem: Callable[[str], str]) -> None:
        self._stem = stem
        self._term_and_word = lru_cache(maxsize=50_000)(self._reduce)

    def tokens(self, text: str) -> Iterator[Token]:
        """The text's tokens in order."""
        for match in _TOKEN.finditer(text):
            start = match.start()
            if match["word"] is None:
                yield from _pairs(match["dense"], start)
            else:
                term, word = self._term_and_word(match["word"])
                if word:
                    yield Token(term, word, start, match.end())

    def asked(self, words: str) -> list[Token]:
        """The tokens of a query's words, without the lone letter that ends a run in a text."""
        found = list(self.tokens(words))
        if len(found) > 1 and found[-1].end == found[-2].end:
            found.pop()
        return found

    def term_of(self, word: str) -> str:
        """The term of one written word, as `tokens` would have it."""
        match = _TOKEN.fullmatch(word)
        return self._term_and_word(match["word"])[0] if match and match["word"] else fold(word)

    def _reduce(self, written: str) -> tuple[str, str]:
        word = fold(written).replace(",", "")[:MAX_TERM]
        return (self._stem(word) if word.isascii() and word.isalpha() else word), word


def _pairs(run: str, start: int) -> Iterator[Token]:
    letters = [(match.start(), match.end(), fold(match.group())) for match in _DENSE_LETTER.finditer(run)]
    for (begin, _, first), (_, end, second) in pairwise(letters):
        yield Token(first + second, first + second, start + begin, start + end)
    begin, end, last = letters[-1]
    yield Token(last, last, start + begin, start + end)


def is_dense(term: str) -> bool:
    """Whether the term comes from a script that is written without spaces."""
    return _RUN.match(term) is not None
