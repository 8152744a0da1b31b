"""What a Markdown text is made of, kept to the byte: blocks, their sentences, their words."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, count

import regex

from app.errors import Refused
from app.words import _

MAX_BLOCKS = 2_000
"""More blocks than this are refused when saving, so that comparing two texts never needs a time limit."""

INTRO = "intro"
"""The section of everything before the first heading."""


class Kind(StrEnum):
    """What a block is.

    A list item is also a footnote or link definition (`[^1]: …`, `[name]: …`). `BLANK` is only ever the first block,
    of a text that begins with empty lines; its content is empty.
    """

    FRONT_MATTER = "front matter"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "list item"
    ROW = "table row"
    CODE = "fenced code"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Block:
    """One block. Joining `content + gap` of all blocks gives the text byte for byte.

    `content` has no spaces or line ends at its end, so it can be compared and hashed; `gap` is everything between it
    and the next block: trailing spaces, line ends, empty lines. `section` is the key of the nearest heading of level
    1 or 2 at or above the block, `intro` before the first one; repeated keys get `-2`, `-3` …
    """

    kind: Kind
    content: str
    gap: str
    section: str

    @property
    def sentences(self) -> list[str]:
        """The block's content in sentences, lossless; a heading or row is one; code, front matter, HTML go by line."""
        if self.kind in (Kind.HEADING, Kind.ROW):
            return [self.content]
        if self.kind in (Kind.CODE, Kind.FRONT_MATTER) or _HTML.match(self.content):
            return [line[0] for line in _LINE.finditer(self.content)]
        return sentences_of(self.content)


_LINE = regex.compile(r"[^\n]*\n|[^\n]+")
_FENCE = regex.compile(r"[ \t]*(`{3,}(?=[^`]*$)|~{3,})")
_HEADING = regex.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_UNDERLINE = regex.compile(r" {0,3}(?:(=+)|-+)[ \t]*$")
_RULE = regex.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_ITEM = regex.compile(r"[ \t]*(?:[-*+]|(\d{1,9})[.)])(?:([ \t])|$)")
_DEFINITION = regex.compile(r" {0,3}\[\^?[^\]\n]+\]:")
_HTML = regex.compile(
    r"\s*(?:<[^>\n]+>\s*(?:\n|\Z)|</?(?:p|div|table|thead|tbody|tr|t[dh]|ul|ol|li|section|figure|details|iframe)[\s>]|<!--)"
)
_DELIMITER = regex.compile(r"(?=[^\n]*\|)[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_FRONT = regex.compile(r"---[ \t]*\n(?:[^\n]*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_NOT_KEY = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


def blocks_of(text: str) -> list[Block]:
    """The blocks of a text in order. No text has none; a text of nothing but empty lines has one, `BLANK`."""
    blocks: list[Block] = []
    section, seen = INTRO, {INTRO}
    for kind, raw in _raw_blocks(text):
        content = raw.rstrip(" \t\n")
        if kind is Kind.HEADING and (title := _title_of_section(content)) is not None:
            section = _unused_key(_NOT_KEY.sub("-", title.casefold()).strip("-") or "section", seen)
            seen.add(section)
        blocks.append(Block(kind, content, raw[len(content) :], section))
    return blocks


def require_few_blocks(text: str, *, pointer: str = "/text") -> None:
    """Raise `Refused` if the text has more than `MAX_BLOCKS` blocks; to be called wherever a text is saved."""
    found = len(blocks_of(text))
    if found > MAX_BLOCKS:
        raise Refused(
            _(
                "This text has {found:,} paragraphs, headings, list items and table rows; {most:,} is "
                "the most. Shorten it or split it over several pages. Nothing was saved, what you typed "
                "is still in the form."
            ).format(found=found, most=MAX_BLOCKS),
            pointer=pointer,
        )


def _unused_key(key: str, seen: set[str]) -> str:
    """The key itself, or the first of `key-2`, `key-3` … that no earlier section has."""
    return next(name for name in chain([key], (f"{key}-{n}" for n in count(2))) if name not in seen)


def _title_of_section(heading: str) -> str | None:
    """The title of a level 1 or 2 heading, None for a deeper one."""
    marks = _HEADING.match(heading)
    if marks is None:
        return heading.rpartition("\n")[0]
    return heading[marks.end() :].strip("# \t") if len(marks[1]) <= 2 else None


def _raw_blocks(text: str) -> Iterator[tuple[Kind, str]]:
    """Blocks as (kind, lines with the empty lines after them)."""
    front = _FRONT.match(text)
    lines = _LINE.findall(text, front.end() if front else 0)
    kind, raw = (Kind.FRONT_MATTER, front[0]) if front else (Kind.BLANK, "")
    open_kind: Kind | None = None  # of the block that the next line can go on with
    code_until = 0
    table = False
    for at, line in enumerate(lines):
        if at < code_until:
            raw += line
            continue
        mark = line.lstrip(" \t")[:1]
        if mark in ("", "\n"):
            raw, open_kind, table = raw + line, None, False
            continue
        if open_kind is Kind.PARAGRAPH and mark in "=-" and _UNDERLINE.match(line):
            kind, raw, open_kind = Kind.HEADING, raw + line, None
            continue
        table = table or _is_table_head(lines, at)
        started = _starts(line, mark, open_kind, table)
        if started is None:
            raw += line
            continue
        if raw:
            yield kind, raw
        kind, raw, table = started, line, table and started is Kind.ROW
        open_kind = kind if kind is Kind.ITEM or (kind is Kind.PARAGRAPH and not _RULE.match(line)) else None
        if kind is Kind.CODE:
            code_until = _end_of_fence(lines, at)
    if raw:
        yield kind, raw


def _is_table_head(lines: list[str], at: int) -> bool:
    """Whether the line holds a pipe and the next one is the row of dashes that makes both a table."""
    return "|" in lines[at] and at + 1 < len(lines) and _DELIMITER.match(lines[at + 1]) is not None


def _starts(line: str, mark: str, open_kind: Kind | None, table: bool) -> Kind | None:
    """The kind of the block that a line starts, None if it goes on with the open one. `mark`: its first character."""
    if mark in "`~" and _FENCE.match(line):
        return Kind.CODE
    if mark == "#" and _HEADING.match(line):
        return Kind.HEADING
    if mark in "-*_" and _RULE.match(line):
        return Kind.PARAGRAPH
    item = _ITEM.match(line) if mark in "-*+0123456789" else None
    # As in CommonMark: a year at the start of a wrapped line does not turn a paragraph into a list.
    if item and not (open_kind is Kind.PARAGRAPH and (item[1] not in (None, "1") or not item[2])):
        return Kind.ITEM
    if mark == "[" and _DEFINITION.match(line):
        return Kind.ITEM
    if table or mark == "|":
        return Kind.ROW
    return Kind.PARAGRAPH if open_kind is None else None


def _end_of_fence(lines: list[str], start: int) -> int:
    """The index after the line that closes the fence opened in `lines[start]`; the text's end if none does."""
    fence = _FENCE.match(lines[start])[1]
    for at in range(start + 1, len(lines)):
        mark = lines[at].strip()
        if len(mark) >= len(fence) and not mark.strip(fence[0]):
            return at + 1
    return len(lines)


# Ends that need a space, a line end or the text's end after them, because they also stand inside numbers and names.
_SPACED_ENDS = ".!?…‼⁇⁈⁉"
# Ends that stand for nothing else in their scripts: Chinese and Japanese; Arabic, Urdu and Syriac; Devanagari and its
# neighbours; Tibetan; Myanmar; Khmer; Ethiopic; Armenian. Thai and Lao have none: a paragraph there is one sentence.
_OWN_ENDS = "。！？｡．؟۔܀܁܂।॥།༎။។៕።፧፨։"
_CLOSERS = r"""[\p{Pe}\p{Pf}\p{Pi}"'*_~`]*(?:\[\^[^\]\s]+\])*"""
_END = regex.compile(
    rf"[{_OWN_ENDS}][{_OWN_ENDS}{_SPACED_ENDS}]*(?!(?<=．)\p{{N}}){_CLOSERS}\s*"
    rf"|[{_SPACED_ENDS}]+(?:{_CLOSERS}(?:\s+|\Z)|(?<=[!?…])(?=[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}]))"
)
_LETTER_OR_DIGIT = regex.compile(r"[\p{L}\p{N}]")
_GOES_ON = regex.compile(r"""[\p{Ps}\p{Pi}"'*_~`]*\p{Ll}""")
_LAST_WORD = regex.compile(r"[\p{L}\p{M}\p{N}.]+\Z")
_MARKER = regex.compile(r"\s*(?:#{1,6}[ \t]+|>[ \t]*)*\d{1,9}\Z")
_ABBREVIATIONS = regex.compile(
    r"mrs?|ms|dr|prof|rev|hon|sen|rep|gov|gen|col|lt|sgt|st|jr|sr|vs|cf|viz|ca|approx|dept|inc|ltd|corp"
    r"|e\.?g|i\.?e|a\.m|p\.m|u\.s|u\.k|u\.n|n\.b"
    r"|z\.b|d\.h|u\.a|o\.ä|s\.o|s\.u|v\.a|i\.d\.r|bzw|bspw|ggf|evtl|inkl|exkl|vgl|hrsg|mio|mrd"
    r"|mme|mlle|p\.ex|c\.-à-d|env|sra|srta|uds?|ee\.uu|p\.ej|aprox"
)
_ONE_LETTER = regex.compile(r"\p{L}\.")
_NUMBERED = regex.compile(r"nos?|nr|abs|art|figs?|sec|ch|vol|pp|av|apr|str|núm|pág")
_MONTHS = regex.compile(
    r"Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Jahrhundert"
)


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, each with the spaces after it; joining them gives the text byte for byte.

    A sentence ends with a listed mark of its script, and closing quotes, brackets and emphasis after it. A full stop in
    a number, after a listed abbreviation or an initial, or before a small letter ends none; nor does a line end.
    Marks alone, without a letter or digit, are no sentence.
    """
    sentences: list[str] = []
    start = checked = 0
    wordy = False
    for end in _END.finditer(text):
        wordy = wordy or _LETTER_OR_DIGIT.search(text, checked, end.start()) is not None
        checked = end.start()
        if not wordy or (end.end() < len(text) and end[0][0] in _SPACED_ENDS and _is_inner(text, start, end)):
            continue
        sentences.append(text[start : end.end()])
        start = end.end()
        wordy = False
    if start < len(text):
        sentences.append(text[start:])
    return sentences


def _is_inner(text: str, start: int, end: "regex.Match[str]") -> bool:
    """Whether a mark that could end a sentence stands inside it."""
    if _GOES_ON.match(text, end.end()):
        return True
    if end[0].rstrip() != ".":
        return False
    word = _LAST_WORD.search(text[max(start, end.start() - 24) : end.start()])
    if word is None:
        return False
    last = word[0].casefold()
    if _ABBREVIATIONS.fullmatch(last) or _MARKER.match(text, start, end.start()):
        return True
    if len(last) == 1 and last.isalpha():
        return word[0].isupper() or _ONE_LETTER.match(text, end.end()) is not None
    if _NUMBERED.fullmatch(last):
        return text[end.end()].isdigit()
    return last.isdigit() and len(last) <= 2 and _MONTHS.match(text, end.end()) is not None


_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー\uFF70\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
UNSPACED = regex.compile(rf"[{_UNSPACED}]")
"""Matches at the start of a token of a script without spaces between words."""
_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]"
_JOINER = r"(?:['’\u2010\u2011\u05F3\u05F4\u200C\-]|(?<=\p{N})[.,:\u066B\u066C](?=\p{N}))"
_WORD = regex.compile(
    r"[ ]+|[a-zA-Z]+(?=\s)"  # the most frequent tokens first: this alone halves the time
    r"|https?://[^\s<>()\[\]\"]*[^\s<>()\[\]\".,;:!?'*_]"
    rf"|{_LETTER}+(?:{_JOINER}{_LETTER}+)*"
    rf"|[{_UNSPACED}]\p{{M}}*"
    r"|\*+|_+|~+|`+|\#+|=+|\++|\.+|!+|\?+|\|+|>+|-+|\s+|.",
    regex.V1 | regex.DOTALL,
)
_JOINS = regex.compile(
    r"[^\p{GCB=Other}\p{GCB=Control}\p{GCB=CR}\p{GCB=LF}\p{GCB=LV}\p{GCB=LVT}]",
)
# Characters that join a neighbour all lie beyond Latin; one plain neighbour on either side can be part of the cluster.
_BEYOND_LATIN = regex.compile(r"[\0-\u02FF]?[^\0-\u02FF]+(?:[\0-\u02FF][^\0-\u02FF]+)*[\0-\u02FF]?")
_CLUSTER = regex.compile(r"\X")


def words_of(text: str) -> list[str]:
    """The words, runs of spaces and marks of a text; joining them gives the text byte for byte.

    Hyphenated words, words with an apostrophe, numbers with separators and web addresses are one word. Scripts
    without spaces between words (Han, kana, Thai, Lao, Khmer, Myanmar) give one token per character as people see it;
    nothing that is seen as one character (a grapheme cluster, Unicode TR29) is ever split.
    """
    tokens: list[str] = _WORD.findall(text)
    inner = _inner_positions(text)
    if not inner:
        return tokens
    words: list[str] = []
    at = 0
    for token in tokens:
        if at in inner:
            words[-1] += token
        else:
            words.append(token)
        at += len(token)
    return words


def _inner_positions(text: str) -> set[int]:
    """The positions inside a character as people see it, where nothing may be cut."""
    inner: set[int] = set()
    if _JOINS.search(text) is None:
        return inner
    for stretch in _BEYOND_LATIN.finditer(text):
        for cluster in _CLUSTER.finditer(text, stretch.start(), stretch.end()):
            if cluster.end() - cluster.start() > 1:
                inner.update(range(cluster.start() + 1, cluster.end()))
    return inner
