"""A page's title and address, found in its Markdown text and its file's path."""

import html
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

import regex
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from app.pages.text import MAX_BYTES, clean_line

MAX_TITLE = 120

_MARKDOWN = MarkdownIt("commonmark").use(front_matter_plugin)
_FRONT_MATTER_TITLE = re.compile(r"^title:[ \t]*(?P<value>\S.*?)[ \t]*$", re.MULTILINE)
_UNSEEN = r"[\p{Default_Ignorable_Code_Point}\p{Cc}]"
_REFUSED = regex.compile(rf"[\u202A-\u202E\u2066-\u2069\uD800-\uDFFF]|{_UNSEEN}+(?=\p{{M}})")
_ACCENT_HEAP = regex.compile(r"(?<=\p{M}{8})\p{M}+")


def title_of(text: str, path: str) -> str:
    """The first level-1 heading, else the front matter's title, else the file's name in words."""
    tokens = _MARKDOWN.parse(text)
    heading = next((after for token, after in pairwise(tokens) if _opens_title(token)), None)
    found = _words(heading.children or ()) if heading else ""
    if not found and tokens and tokens[0].type == "front_matter":
        found = _title_in_front_matter(tokens[0].content)
    return one_line(found, MAX_TITLE) or _title_from_path(path)


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters, as `clean_line` writes it; what that refuses is taken out."""
    harmless = _ACCENT_HEAP.sub("", _REFUSED.sub("", text[: 8 * limit]))
    line = clean_line(harmless, pointer="", max_length=MAX_BYTES)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def unique_slugs(paths: Sequence[str], slug_of: Callable[[str], str]) -> list[str]:
    """An address for each file: its path without `.md`. Where two come out alike, later ones get -2, -3 …"""
    slugs: dict[str, None] = {}
    for path in paths:
        wanted = slug = address_of(path, slug_of)
        count = 1
        while slug in slugs:
            count += 1
            slug = f"{wanted}-{count}"
            if slug_of(slug) != slug:
                slug = f"{wanted[: -len(str(count)) - 1].rstrip('-')}-{count}"
        slugs[slug] = None
    return list(slugs)


def address_of(path: str, slug_of: Callable[[str], str]) -> str:
    """`constituencies/horsham.md` → `constituencies-horsham`."""
    return slug_of(path.removesuffix(".md").replace("/", " ")) or "page"


def _opens_title(token: Token) -> bool:
    return token.type == "heading_open" and token.tag == "h1"


def _words(tokens: Sequence[Token]) -> str:
    return "".join(" " if token.type in ("softbreak", "hardbreak") else _content(token) for token in tokens)


def _content(token: Token) -> str:
    return token.content if token.type in ("text", "code_inline", "image") else ""


def _title_in_front_matter(content: str) -> str:
    match = _FRONT_MATTER_TITLE.search(content)
    value = match["value"] if match else ""
    if value[:1] in ("'", '"'):
        value = value[1:].partition(value[0])[0]
    elif value[:1] in (">", "|"):
        value = ""
    return html.unescape(value)


def _title_from_path(path: str) -> str:
    file = PurePosixPath(path)
    inner = file.parent.name if file.stem.lower() in ("index", "readme") and file.parent.name else file.stem
    words = one_line(re.sub(r"[-_\s]+", " ", inner), MAX_TITLE)
    return words[:1].upper() + words[1:] or "Untitled"
