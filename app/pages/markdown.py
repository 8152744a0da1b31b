"""The one dialect of Markdown that pages are written in, read into tokens, with limits on what is worth reading."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from app.pages.slugs import slug_of
from app.pages.text import MAX_BYTES

LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})

# What keeps any text of 64 KiB under a second, each found by measuring what made the parser slow. The longest pages
# of real manifestos use a tenth of the tightest.
MAX_PIECES = 6000
"""Lines that are not blank, markers of quotes and list items that begin them, and table cells."""
MAX_DEPTH = 10
"""Markers that begin one line: each quote level reads all lines below it again."""
MAX_PIPES = 200
"""On one line: a table's short rows are filled up with empty cells."""
MAX_BRACKET_WORK = 2_000_000
"""Opening brackets times characters, per paragraph: each bracket looks for its end."""
MAX_MARKS = 10_000
"""Characters that may begin emphasis, code, links and entities."""

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:(?:[\w-]+[ \t]*:|[ \t]+\S|-[ \t]|#)[^\n]*\n|[ \t]*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_MARKERS = re.compile(r"(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))+")
_MARKER = re.compile(r">|[-+*]|\d+")
_MARKS = re.compile(r"[*_~`<&\\!]")
_WIKI_LINK = re.compile(r"\[\[([^\[\]|\n]{1,200})(?:\|([^\[\]\n]{1,200}))?\]\](?![(\[:])")
_CONTROLS = re.compile(r"[\x00-\x1F\x7F-\x9F]")


class TooTangled(Exception):
    """Reading this text as Markdown would take too long; whoever wanted to shows it as it was typed."""


def body_start(text: str) -> int:
    """Where the text proper begins: behind the front matter, lines of `key: value` between `---` at the very top."""
    match = _FRONT_MATTER.match(text)
    return match.end() if match else 0


def read(body: str, *, within: str = "") -> list[Token]:
    """The blocks of a text without front matter, each `inline` block with its words in `children`.

    Addresses are as they were typed. `within` is the whole text that `body` was taken from: it may say at its end
    where a link leads. Raises `TooTangled`.
    """
    env: dict[str, Any] = {}
    if within:
        _read_outline(within, env)
    _check_pieces(body)
    return _DIALECT.parse(body, env)
