"""The one dialect of Markdown that pages are written in, read into tokens, with limits on what is worth reading."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from app.errors import Refused
from app.pages.slugs import spell
from app.pages.text import MAX_BYTES
from app.words import N_, _

LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})

# What keeps every text of 64 KiB well under a second: each limit bounds one thing that was measured to make the parser
# slow. People's pages stay far below.
MAX_PIECES = 5000
"""Lines that are not blank, markers of quotes and list items at their beginning, and table cells."""
MAX_DEPTH = 8
"""Markers at the beginning of one line: each level of quotes reads the lines below it again."""
MAX_PIPES = 200
"""On one line: every short row of a table is filled up with empty cells."""
MAX_STEPS = 100_000
"""In search of the ends of links: each opening bracket may look at everything up to the end of its paragraph."""
NEW_STEP = 10
"""A place looked at for the first time takes as long as this many known ones."""
MAX_MARKS = 10_000
"""Characters that may begin emphasis, code, an address or an entity."""

_KEY = r"[\w-]+[ \t]*:(?=[ \t\n])[^\n]*\n"
# The first line must be a key, or a text that begins with a rule would lose all up to its next one.
_FRONT_MATTER = re.compile(
    rf"---[ \t]*\n{_KEY}(?:{_KEY}|(?:[ \t]+\S|-[ \t]|#)[^\n]*\n|[ \t]*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)"
)
_BEGINNING = re.compile(r"(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))*")
_MARKER = re.compile(r">|[-+*]|\d+")
_MARKS = re.compile(r"[*_~`<&\\!]")
_WIKI_LINK = re.compile(r"\[\[([^\[\]|\n]{1,200})(?:\|([^\[\]\n]{1,200}))?\]\](?![(\[:])")
_CONTROLS = re.compile(r"[\x00-\x1F\x7F-\x9F]")


TOO_TANGLED = N_("This text is too tangled to lay out, so it is shown as it was typed.")


class TooTangled(Refused):
    """Reading a text as Markdown would take too long; whoever wanted to shows it as it was typed."""

    def __init__(self) -> None:
        super().__init__(_(TOO_TANGLED))


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that stands by itself, not inside a quote or list: its lines are `first_line` up to `end_line`."""

    level: int
    words: str
    first_line: int
    end_line: int


def body_start(text: str) -> int:
    """Where the text proper begins: behind the front matter, `key: value` lines between `---` at the very top."""
    match = _FRONT_MATTER.match(text)
    return match.end() if match else 0


def read(body: str, *, within: str = "") -> list[Token]:
    """The blocks of a text without front matter; the words of each `inline` block are its `children`.

    Addresses stay as they were typed. `within` is the whole text that `body` was cut from, another part of which may
    say where a link leads. Raises `TooTangled`.
    """
    _check_pieces(body)
    return _DIALECT.parse(body, {"references": dict(_references_in(within)) if within else {}})


def headings_of(body: str) -> list[Heading]:
    """The headings of a text without front matter, at half the cost of `read`. Raises `TooTangled`."""
    env: dict[str, Any] = {}
    tokens = _read_outline(body, env)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.level == 0:
            inline.children = []
            _DIALECT.inline.parse(inline.content, _DIALECT, env, inline.children)
    return headings_in(tokens)


def headings_in(tokens: list[Token]) -> list[Heading]:
    """The headings among the blocks of a text."""
    return [
        Heading(int(opening.tag[1]), words_of(inline), *opening.map)
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open" and opening.level == 0 and opening.map
    ]


def words_of(inline: Token) -> str:
    """The words of an inline token without any marks, on one line; a picture counts with its description."""
    return " ".join("".join(_pieces_of_words(inline)).split())


@lru_cache(maxsize=20_000)
def words_in(piece: str) -> str:
    """The words of a piece of Markdown, such as a sentence, without marks; as typed where it has none or too many."""
    try:
        words = " ".join(words_of(token) for token in read(piece) if token.type == "inline")
    except TooTangled:
        return piece
    return words or piece


def _pieces_of_words(inline: Token) -> Iterator[str]:
    for token in inline.children or []:
        if token.type == "image":
            yield from _pieces_of_words(token)
        elif token.type in {"softbreak", "hardbreak"}:
            yield " "
        else:
            yield token.content


# All sections of a page are wanted one after the other, each with the addresses of the whole.
@lru_cache(maxsize=16)
def _references_in(whole: str) -> Mapping[str, Any]:
    env: dict[str, Any] = {}
    _read_outline(whole[body_start(whole) :], env)
    references: Mapping[str, Any] = env.get("references", {})
    return references


def _read_outline(body: str, env: dict[str, Any]) -> list[Token]:
    _check_pieces(body)
    return _OUTLINE.parse(body, env)


def _check_pieces(body: str) -> None:
    if len(body) > MAX_BYTES:
        raise TooTangled()
    pieces = lines = pipes = 0
    for line in body.split("\n"):
        if not line or line.isspace():
            pieces += lines * pipes
            lines = pipes = 0
            continue
        beginning = _BEGINNING.match(line)
        markers = len(_MARKER.findall(beginning[0])) if beginning and beginning[0] else 0
        lines += 1
        pipes = max(pipes, line.count("|"))
        pieces += 1 + markers
        if markers > MAX_DEPTH or pipes > MAX_PIPES:
            raise TooTangled()
    if pieces + lines * pipes > MAX_PIECES:
        raise TooTangled()


def _check_marks(state: StateCore) -> None:
    if sum(len(_MARKS.findall(token.content)) for token in state.tokens if token.type == "inline") > MAX_MARKS:
        raise TooTangled()


def _wiki_link(state: StateInline, silent: bool) -> bool:
    """`[[Council Tax]]` and `[[council-tax|what we say about it]]` lead to the page of that address."""
    match = _WIKI_LINK.match(state.src, state.pos, state.posMax)
    slug = spell(match[1]) if match else ""
    if match is None or not slug:
        return False
    if not silent:
        state.push("link_open", "a", 1).attrs = {"href": f"/pages/{slug}"}
        state.push("text", "", 0).content = (match[2] or match[1]).strip()
        state.push("link_close", "a", -1)
    state.pos = match.end()
    return True


class _BoundedInline(ParserInline):
    def skipToken(self, state: StateInline) -> None:  # noqa: N802 (the parser's name)
        """One step in the search for the end of a link."""
        steps = state.env.get("steps", 0) + (1 if state.pos in state.cache else NEW_STEP)
        if steps > MAX_STEPS:
            raise TooTangled()
        state.env["steps"] = steps
        super().skipToken(state)


class _Dialect(MarkdownIt):
    """CommonMark with tables, strikethrough and wiki links, without HTML."""

    def __init__(self) -> None:
        super().__init__("js-default", {"html": False})
        self.inline = _BoundedInline()
        self.core.ruler.after("block", "marks", _check_marks)
        self.inline.ruler.before("link", "wiki_link", _wiki_link)
        # Rules are compiled on first use, which two threads must not do at once.
        self.parse("a")

    def validateLink(self, url: str) -> bool:  # noqa: N802
        """Whether an address, its entities decoded, has no scheme or one of `LINK_SCHEMES`."""
        scheme, colon, _ = re.split(r"[/?#]", url, maxsplit=1)[0].partition(":")
        return not _CONTROLS.search(url) and (not colon or scheme.strip().lower() in LINK_SCHEMES)

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url

    def normalizeLinkText(self, url: str) -> str:  # noqa: N802
        return url


_DIALECT = _Dialect()
_OUTLINE = _Dialect()
_OUTLINE.core.ruler.enableOnly(["normalize", "block", "marks"])
_OUTLINE.parse("a")
