"""A text as plain text: what is sent, read out and counted."""

import re
from collections.abc import Iterable, Iterator

from markdown_it.token import Token

from app.pages.markdown import TooTangled, body_start, read, words_of

_CROSSED_OUT = "\0"
"""Stands for words that were crossed out until the blanks around them are seen: no text holds this sign."""

_GAP = re.compile(f"(^)? *(?:{_CROSSED_OUT} *)+($)?", re.MULTILINE)


def plain_text(text: str, *, within: str = "") -> str:
    """A text as plain text, ready to be sent: no marks, no front matter, no blank lines around it, no final newline.

    Crossed-out words are left out: nobody who crosses words out wants them said.
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
    crossed_out: list[int] = []
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
        elif token.type == "s_open":
            crossed_out.append(len(written))
        elif token.type == "s_close":
            written[crossed_out.pop() :] = [_CROSSED_OUT]
        else:
            written.append(token.content)
    return _GAP.sub(_close, "".join(written))


def _close(gap: re.Match[str]) -> str:
    """What is left of crossed-out words: a blank if one stood there, none at the beginning or end of a line."""
    return "" if gap[1] is not None or gap[2] is not None or " " not in gap[0] else " "


def _with_address(words: str, address: str) -> str:
    if not words.strip():
        return address
    same = address in {"", words, f"mailto:{words}", f"tel:{words}"}
    return words if same else f"{words} ({address})"
