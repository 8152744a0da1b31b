"""The forms an approved text is served in, and how HTTP chooses and names them."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from markdown_it.token import Token
from markupsafe import escape

from app.pages.markdown import TooTangled, body_start, read, words_of
from app.pages.markup import render_markdown


class Representation(StrEnum):
    """A form of a text, by the suffix of its address; the first is served to whoever welcomes all alike."""

    JSON = "json"
    TEXT = "txt"
    MARKDOWN = "md"
    HTML = "html"


MEDIA_TYPES = {
    Representation.JSON: "application/json",
    Representation.TEXT: "text/plain; charset=utf-8",
    Representation.MARKDOWN: "text/markdown; charset=utf-8",
    Representation.HTML: "text/html; charset=utf-8",
}

_ENTITY_TAG = re.compile(r'"[^"]*"')
_WEIGHT = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")


def plain_text(text: str, *, within: str = "") -> str:
    """A text as plain text, ready to be sent: no marks, no front matter, no blank lines around it, no final newline.

    The address of a link or picture follows its words in brackets, or stands alone where they are the same. List
    items keep `- ` or their number, nested ones are indented. Line breaks and code stay as they are. Cells of a table
    are parted by tabs, as in a copy from a browser. `within` is the whole text, if this is a section of it. A text
    too tangled to read stays as it is.
    """
    body = text if within else text[body_start(text) :]
    try:
        tokens = read(body, within=within)
    except TooTangled:
        return body.strip("\n")
    blocks, _ = _read_blocks(iter(tokens))
    return "\n\n".join(blocks).strip("\n")


def html_document(text: str, *, title: str, lang: str = "", within: str = "") -> str:
    """A text as a small HTML document of its own, with the title as its one level-1 heading and no style or script."""
    language = f' lang="{escape(lang)}"' if lang else ""
    return (
        f"<!doctype html>\n<html{language}>\n<head>\n"
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n"
        f'<h1 dir="auto">{escape(title)}</h1>\n{render_markdown(text, title=title, within=within)}</body>\n</html>\n'
    )


def etag_of(sha256: str, representation: Representation, encoding: str = "") -> str:
    """The entity tag, quotes included: the hash alone for Markdown as it is, else followed by `-json`, `-gz` …"""
    form = "" if representation is Representation.MARKDOWN else f"-{representation}"
    return f'"{sha256}{form}{"-" if encoding else ""}{encoding}"'


def if_none_match(header: str | None, etag: str) -> bool:
    """Whether the client has this already: RFC 9110, section 13.1.2, with the weak comparison it asks for."""
    if not header:
        return False
    return header.strip() == "*" or etag in _ENTITY_TAG.findall(header)


def negotiate(accept: str | None, suffix: str = "") -> Representation | None:
    """The form to serve: what the suffix says, else what `Accept` weighs most; None if there is no such form.

    Of forms that weigh the same one named in full wins over one meant by a wildcard. RFC 9110, section 12.5.1.
    """
    if suffix:
        return next((form for form in Representation if form == suffix.removeprefix(".")), None)
    if not accept or not accept.strip():
        return Representation.JSON
    weights = _read_weights(accept)

    def welcome(form: Representation) -> tuple[float, int]:
        full = MEDIA_TYPES[form].partition(";")[0]
        for exactness, media_range in ((2, full), (1, f"{full.partition('/')[0]}/*"), (0, "*/*")):
            if media_range in weights:
                return weights[media_range], exactness
        return 0.0, 0

    best = max(Representation, key=welcome)
    return best if welcome(best)[0] > 0 else None


def accepts_gzip(header: str | None) -> bool:
    """Whether `Accept-Encoding` welcomes gzip at least as much as no encoding. RFC 9110, section 12.5.3."""
    weights = _read_weights(header or "")
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _read_weights(header: str) -> dict[str, float]:
    """What a header lists, with its `q`; entries whose `q` is no weight are passed over."""
    weights: dict[str, float] = {}
    for entry in header.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        named = dict(parameter.partition("=")[::2] for parameter in parameters)
        weight = named.get("q", "1").strip()
        if name and _WEIGHT.fullmatch(weight):
            weights[name] = max(float(weight), weights.get(name, 0.0))
    return weights


def _read_blocks(stream: Iterator[Token]) -> tuple[list[str], bool]:
    """The blocks up to the end of what contains them, and whether blank lines stood between them."""
    blocks: list[str] = []
    loose = False
    for token in stream:
        if token.nesting == -1:
            break
        if token.type in {"paragraph_open", "heading_open"}:
            loose = loose or not token.hidden
            blocks.append(_write_words(next(stream).children or []))
            next(stream)
        elif token.type == "blockquote_open":
            blocks += _read_blocks(stream)[0]
        elif token.type in {"bullet_list_open", "ordered_list_open"}:
            blocks.append(_read_list(stream, token))
        elif token.type == "table_open":
            blocks.append(_read_table(stream))
        else:
            blocks.append(token.content.rstrip("\n"))
    return [block for block in blocks if block], loose


def _read_list(stream: Iterator[Token], opening: Token) -> str:
    number = int(opening.attrs.get("start", 1))
    items = []
    apart = "\n"
    for item in stream:
        if item.type != "list_item_open":
            break
        marker = f"{number}{item.markup} " if opening.type == "ordered_list_open" else "- "
        blocks, loose = _read_blocks(stream)
        apart = "\n\n" if loose else apart
        items.append((marker, blocks))
        number += 1
    return apart.join(_hang(marker, apart.join(blocks)) for marker, blocks in items)


def _hang(marker: str, words: str) -> str:
    """The words behind their marker, all lines but the first indented as far."""
    indent = " " * len(marker)
    first, *others = words.split("\n")
    return "\n".join([(marker + first).rstrip(), *(indent + line if line else "" for line in others)])


def _read_table(stream: Iterator[Token]) -> str:
    rows: list[list[str]] = []
    for token in stream:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_write_words(token.children or []))
    return "\n".join("\t".join(row) for row in rows)


def _write_words(children: Iterable[Token]) -> str:
    written: list[str] = []
    links: list[tuple[int, str]] = []
    for token in children:
        if token.type in {"softbreak", "hardbreak"}:
            written.append("\n")
        elif token.type == "image":
            written.append(_with_address(words_of(token), str(token.attrs["src"])))
        elif token.type == "link_open":
            links.append((len(written), str(token.attrs["href"])))
        elif token.type == "link_close":
            start, address = links.pop()
            written[start:] = [_with_address("".join(written[start:]), address)]
        else:
            written.append(token.content)
    return "".join(written)


def _with_address(words: str, address: str) -> str:
    if not words.strip():
        return address
    same = address in {"", words, f"mailto:{words}", f"tel:{words}"}
    return words if same else f"{words} ({address})"
