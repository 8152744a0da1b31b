"""A text as blocks, and a block as sentences, with what carrying a change forward has to know of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import regex

from app.revisions.changes import bag
from app.revisions.segments import INTRO, Block, Kind, blocks_of

TELLING = 3
"""A part with fewer words is too common ("---", "Yes.") to be known again in another place."""

PLAIN = 7
"""The depth of all that is no heading and goes on no list, table or list item; headings have their level, 1 to 6."""

_NESTED = 8
_ITEM_MARK = regex.compile(r"([ \t]*)([-*+]|\d{1,9}[.)])(?=[ \t\n]|$)")
_HEADING_MARK = regex.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_SPACES = regex.compile(r"[ \t]*")
_EXACT = frozenset({Kind.CODE, Kind.FRONT_MATTER})


MARK, SENTENCE = "list mark", "sentence"
"""The kinds of parts that a block consists of."""


@dataclass(frozen=True, slots=True)
class Part:
    """A block of a text or a sentence of a block.

    `key` is what is compared and hashed: the content with every run of spaces and line ends as one space and every list
    mark as `-` or `1.`; code and front matter as they are. `gap` is what stands between it and the next part.

    `depth` is the level of a heading, `PLAIN`, or more the further a block is indented in its list. `under` is the
    index of the block it belongs to: its nearest heading, its table's first row, the list item it is indented under.
    If it is `bound` it cannot stand without that one. `section` is the index of its section's heading, None in the
    introduction.
    """

    key: str
    content: str
    gap: str
    kind: str
    depth: int = PLAIN
    under: int | None = None
    bound: bool = False
    section: int | None = None

    @property
    def telling(self) -> bool:
        """Whether it has words enough to be known again elsewhere; a heading always has.

        Code never has: if its fence is open, what it holds depends on what stands after it.
        """
        return self.kind == Kind.HEADING or (self.kind != Kind.CODE and len(words_in(self.key)) >= TELLING)


Parts: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A text in blocks. Joining `lead` and each block's content and gap gives the text byte for byte."""

    lead: str
    blocks: Parts
    sections: tuple[str, ...]
    """Per block the key of its section, as `Block.section` has it."""


@lru_cache(maxsize=32)
def outline_of(text: str) -> Outline:
    """The text in blocks; kept for the texts asked for last, as thousands of candidates stand on the same one."""
    blocks = blocks_of(text)
    lead = ""
    if blocks and blocks[0].kind is Kind.BLANK:
        lead, blocks = blocks[0].gap, blocks[1:]
    title = _lone_title(blocks)
    parts: list[Part] = []
    above: list[int] = []  # the open headings, outermost first
    section: int | None = None
    for index, block in enumerate(blocks):
        depth, parent = _nesting(parts, block)
        if block.kind is Kind.HEADING:
            depth = _level(block.content)
            while above and parts[above[-1]].depth >= depth:
                above.pop()
            if depth <= 2 and index != title:
                section = index
        under = parent if parent is not None else above[-1] if above else None
        if block.kind is Kind.HEADING:
            above.append(index)
        key = key_of(block.kind, block.content)
        parts.append(Part(key, block.content, block.gap, block.kind, depth, under, parent is not None, section))
    return Outline(lead, tuple(parts), tuple(block.section for block in blocks))


def text_of(parts: Sequence[Part], indices: Sequence[int]) -> str:
    """Some parts of a text, joined as they stand."""
    return "".join(parts[index].content + parts[index].gap for index in indices).rstrip()


def title_of(heading: str) -> str:
    """The words of a heading, without what marks it and without regard to case."""
    if _HEADING_MARK.match(heading):
        return heading.strip("# \t").casefold()
    return " ".join(heading.rpartition("\n")[0].split()).casefold()


def section_name(outline: Outline, index: int) -> str:
    """The key of the section that block `index` is in; the introduction's for an index outside the text."""
    return outline.sections[index] if 0 <= index < len(outline.sections) else INTRO


@lru_cache(maxsize=4096)
def sentences_in(kind: str, content: str) -> Parts:
    """The sentences of a block; a list item's mark is a part of its own, so that renumbering touches no sentence."""
    parts: list[Part] = []
    mark = _ITEM_MARK.match(content) if kind == Kind.ITEM else None
    if mark:
        rest = content[mark.end() :]
        gap = rest[: len(rest) - len(rest.lstrip())]
        parts.append(Part(key_of(kind, mark[0]), mark[0], gap, MARK))
        content = rest[len(gap) :]
    for sentence in Block(Kind(kind), content, "", INTRO).sentences:
        body = sentence.rstrip()
        parts.append(Part(key_of(kind, body, inside=True), body, sentence[len(body) :], SENTENCE))
    return tuple(parts)


@lru_cache(maxsize=32)
def sentence_counts(text: str) -> Counter[str]:
    """How often each sentence stands in a text; list marks and what has neither letter nor digit are none."""
    return Counter(key for block in outline_of(text).blocks for key in sentence_keys(block.kind, block.content))


@lru_cache(maxsize=4096)
def sentence_keys(kind: str, content: str) -> tuple[str, ...]:
    """The sentences of a block as they are counted and hashed."""
    return tuple(
        part.key
        for part in sentences_in(kind, content)
        if part.kind != MARK and any(character.isalnum() for character in part.key)
    )


@lru_cache(maxsize=1024)
def words_in(key: str) -> frozenset[tuple[str, int]]:
    """The words of a part, as `bag` counts them; marks alone count for none."""
    return frozenset(word for word in bag(key) if word[0][0].isalnum())


@lru_cache(maxsize=4096)
def key_of(kind: str, content: str, *, inside: bool = False) -> str:
    """What a block is compared by, or with `inside` a sentence of it; see `Part`."""
    if kind in _EXACT:
        return content
    indent = "" if inside else _SPACES.match(content)[0]
    mark = _ITEM_MARK.match(content) if kind == Kind.ITEM and not inside else None
    if mark is None:
        return indent + " ".join(content.split())
    number = mark[2][:-1].isdigit()
    return f"{indent}{'1.' if number else '-'} {' '.join(content[mark.end() :].split())}"


def _nesting(parts: list[Part], block: Block) -> tuple[int, int | None]:
    """How deep a block is, headings aside, and which block it cannot stand without, None if none."""
    if not parts or block.kind is Kind.HEADING:
        return PLAIN, None
    last = parts[-1]
    if block.kind is Kind.ROW:
        if last.kind != Kind.ROW or last.gap.count("\n") > 1:
            return PLAIN, None
        return _NESTED, last.under if last.bound else len(parts) - 1
    indent = _indent(block.content)
    if last.kind != Kind.ITEM and last.depth < _NESTED or last.kind == Kind.ROW:
        return PLAIN, None
    if indent == 0:
        return (_NESTED, None) if block.kind is Kind.ITEM else (PLAIN, None)
    for index in range(len(parts) - 1, -1, -1):
        if parts[index].kind == Kind.ITEM and _indent(parts[index].content) < indent:
            return _NESTED + indent, index
        if parts[index].kind != Kind.ITEM and parts[index].depth < _NESTED:
            break
    return _NESTED + indent, None


def _indent(content: str) -> int:
    if content[:1] not in (" ", "\t"):
        return 0
    return len(_SPACES.match(content)[0].expandtabs(4))


def _level(heading: str) -> int:
    marks = _HEADING_MARK.match(heading)
    if marks:
        return len(marks[1])
    return 1 if heading.endswith("=") else 2


def _lone_title(blocks: list[Block]) -> int | None:
    """The index of the only heading of level 1, if no other heading stands before it: the page's title, no section."""
    headings = [(index, _level(block.content)) for index, block in enumerate(blocks) if block.kind is Kind.HEADING]
    top = [index for index, level in headings if level == 1]
    return top[0] if len(top) == 1 and headings[0][0] == top[0] else None
