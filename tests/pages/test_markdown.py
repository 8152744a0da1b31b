"""Everything that people write for people is read as Markdown; only what was made to be slow is not."""

import pytest

from app.errors import Refused
from app.pages.markdown import TooTangled, body_start, headings_of, read, words_in, words_of

LONG_PAGES = {
    "prose with links": ("Some *words* and a [link](https://example.org/page) to **more**. " * 12 + "\n\n") * 78,
    "a list of sources": "".join(
        f"{n}. [Source {n}](https://example.org/{n}), *Journal*, p. {n}\n" for n in range(1, 900)
    ),
    "a table of results": "|a|b|c|d|e|f|\n|-|-|-|-|-|-|\n" + "|1|2|3|4|5|6|\n" * 500,
    "short lines": "A line of a poem\n" * 3_800,
    "nested points": ("- point\n  - part\n    - detail\n      > > said\n\n" * 300),
    "notes in brackets": "As shown [1] and [2], but [sic] not [3]. [ \n\n" * 1_300,
    "a form with blanks": "Name: ____________ [ ] yes [ ] no\n\n" * 600,
    "one paragraph": "Word [link](https://example.org) and `code`. " * 1_400,
    "Japanese": "私たちは[住宅](https://example.org)を**必要**とします。\n\n" * 700,
}


@pytest.mark.parametrize("name", LONG_PAGES)
def test_long_pages_are_read_as_markdown(name: str) -> None:
    text = LONG_PAGES[name]
    assert 7_000 < len(text.encode()) <= 64 * 1024
    assert read(text)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 64 * 1024 + "b",
        "x\n" * 5_001,
        "|" * 201,
        "> " * 9 + "x",
        "- " * 9 + "x",
        "1. > " * 5 + "x",
        ("|a" * 99 + "|\n") * 60 + "\nx",
        ("\n" + "|a" * 99 + "|") * 60,
        "[" * 6_000,
        "[" * 40 + "= " * 24_000,
        "*a " * 10_001,
    ],
    ids=lambda text: text[:8],
)
def test_what_was_made_to_be_slow_is_not_read(text: str) -> None:
    with pytest.raises(TooTangled, match="shown as it was typed"):
        read(text)


def test_a_tangled_text_that_nobody_catches_is_refused_in_plain_words() -> None:
    assert issubclass(TooTangled, Refused)


def test_a_tangled_whole_makes_its_sections_tangled() -> None:
    with pytest.raises(TooTangled):
        read("[x][1]", within="> " * 9 + "x")


def test_headings_know_their_lines_and_words() -> None:
    found = headings_of("# A *b*\nx\n\nC\nd\n---\n> # quoted\n\n### [e](f) ![g](h) `i` &amp;")
    assert [(heading.level, heading.words, heading.first_line, heading.end_line) for heading in found] == [
        (1, "A b", 0, 1),
        (2, "C d", 3, 6),
        (3, "e g i &", 8, 9),
    ]


def test_words_of_a_paragraph_are_one_line_without_marks() -> None:
    tokens = read("*a*  \n`b` [c\nd](e) ![f *g*](h) \\* <https://example.org>")
    assert words_of(tokens[1]) == "a b c d f g * https://example.org"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", 0),
        ("x", 0),
        ("---\na: b\n---", 12),
        ("---\na: b\n--- \nx", 14),
        ("---\na: b\n...\nx", 13),
        ("--- x\na: b\n---\n", 0),
    ],
)
def test_the_text_proper_begins_behind_the_front_matter(text: str, start: int) -> None:
    assert body_start(text) == start


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        ("## Topline", "Topline"),
        ("- We build **10,000** homes.", "We build 10,000 homes."),
        ("> [Rents](https://example.org) rise.", "Rents rise."),
        ("Two\nlines.", "Two lines."),
        ("---", "---"),
        ("[" * 3000, "[" * 3000),
    ],
)
def test_a_piece_is_read_without_its_marks(piece: str, words: str) -> None:
    assert words_in(piece) == words
