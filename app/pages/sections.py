"""A text's parts by its own headings: what the API serves one by one and people edit one by one."""

import re
from dataclasses import dataclass

from app.errors import Refused
from app.pages.markdown import Heading, TooTangled, body_start, headings_of
from app.pages.slugs import spell
from app.words import _

INTRO = "intro"

_BLANK_LINES = re.compile(r"(?:[ \t]*\n)*")


@dataclass(frozen=True, slots=True)
class Section:
    """A level-2 heading and what follows it, up to the next heading of level 1 or 2.

    `text` is the Markdown under the heading, without blank lines around it. `start` and `end` are where the section
    stands in the whole text, heading included, in characters.
    """

    key: str
    title: str
    text: str
    start: int
    end: int


def sections_of(text: str) -> list[Section]:
    """The sections in order, with what stands before the first of them as `intro`, if there is anything.

    A key is the heading as an address; repeated ones end in `-2`, `-3`. Front matter and a lone level-1 heading at
    the top, which is the title, belong to no section. A text too tangled to read is all `intro`.
    """
    try:
        return cut_sections(text, headings_of(text[body_start(text) :]))
    except TooTangled:
        return cut_sections(text, [])


def cut_sections(text: str, headings: list[Heading]) -> list[Section]:
    """The sections of a text whose headings are known."""
    body = body_start(text)
    starts = _line_starts(text, body)
    headings = [heading for heading in headings if heading.level <= 2]
    cuts = [starts[heading.first_line] for heading in headings] + [len(text)]
    seconds = [number for number, heading in enumerate(headings) if heading.level == 2]
    sections = []
    taken: dict[str, int] = {}

    title = _lone_title(headings)
    on_top = title is not None and not text[body : starts[title.first_line]].strip()
    intro_start = starts[title.end_line] if title is not None and on_top else body
    intro_end = cuts[seconds[0]] if seconds else len(text)
    if intro := _trim(text[intro_start:intro_end]):
        sections.append(Section(name_key(INTRO, taken), _("Intro"), intro, intro_start, intro_end))
    for number in seconds:
        heading, start, end = headings[number], cuts[number], cuts[number + 1]
        under = _trim(text[starts[heading.end_line] : end])
        sections.append(Section(name_key(heading.words, taken), heading.words, under, start, end))
    return sections


def replace_section(text: str, key: str, typed: str) -> str:
    """The text with one section's lines, heading included, replaced by `typed`; all else keeps its bytes.

    Nothing typed takes the section out. Raises `Refused` when the text has no such section.
    """
    found = next((section for section in sections_of(text) if section.key == key), None)
    if found is None:
        raise Refused(
            _("This text has no such section any more. Copy your words and open the whole text."), pointer="/section"
        )
    old, new = text[found.start : found.end], typed.replace("\r\n", "\n").strip("\n")
    if not new.strip():
        return text[: found.start] + text[found.end :]
    # What stands blank behind it stays, or what follows could become part of it.
    lead, end = old[: len(old) - len(old.lstrip("\n"))], old[len(old.rstrip()) :].lstrip(" \t")
    return text[: found.start] + lead + new + (end or "\n") + text[found.end :]


def name_key(words: str, taken: dict[str, int]) -> str:
    """The key of a heading, other than those `taken`, which counts how often each was asked for."""
    base = spell(words) or "section"
    key = base
    while key in taken:
        taken[base] += 1
        key = f"{base}-{taken[base]}"
    taken[key] = 1
    return key


def _lone_title(headings: list[Heading]) -> Heading | None:
    titles = [heading for heading in headings if heading.level == 1]
    return titles[0] if len(titles) == 1 else None


def _line_starts(text: str, body: int) -> list[int]:
    """Where each line of the text proper begins, and at last where the text ends."""
    return [body, *(match.end() for match in re.compile("\n").finditer(text, body)), len(text)]


def _trim(markdown: str) -> str:
    # Spaces before the first word stay: they may make it code.
    blank = _BLANK_LINES.match(markdown)
    return markdown[blank.end() if blank else 0 :].rstrip()
