"""Sections are cut at a text's own level-2 headings, whatever way those are written."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.pages.sections import Section, sections_of


def _outline(text: str) -> list[tuple[str, str, str]]:
    return [(section.key, section.title, section.text) for section in sections_of(text)]


PAGE = """---
title: Housing
tags: [homes]
---

# Housing

What we say.

## Topline

Homes for *people*.

## Key points

- Build
- Insulate

### Costs

Less than war.
"""


def test_a_page_is_cut_into_an_intro_and_its_level_2_headings() -> None:
    assert _outline(PAGE) == [
        ("intro", "Intro", "What we say."),
        ("topline", "Topline", "Homes for *people*."),
        ("key-points", "Key points", "- Build\n- Insulate\n\n### Costs\n\nLess than war."),
    ]


def test_a_section_says_where_it_stands_with_its_heading() -> None:
    sections = sections_of(PAGE)
    assert [PAGE[section.start : section.end] for section in sections] == [
        "\nWhat we say.\n\n",
        "## Topline\n\nHomes for *people*.\n\n",
        "## Key points\n\n- Build\n- Insulate\n\n### Costs\n\nLess than war.\n",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\n", []),
        ("Only words.", [("intro", "Intro", "Only words.")]),
        ("# Only a title", []),
        ("# Title\n\n## A\n\na", [("a", "A", "a")]),
        ("## A\n\na\n# Title\n\nb\n\n## C\n\nc", [("a", "A", "a"), ("c", "C", "c")]),  # level 1 ends a section
        ("# One\n\na\n\n# Two\n\nb\n\n## C", [("intro", "Intro", "# One\n\na\n\n# Two\n\nb"), ("c", "C", "")]),
        ("## A\n## A\n## A-2\n## A", [("a", "A", ""), ("a-2", "A", ""), ("a-2-2", "A-2", ""), ("a-3", "A", "")]),
        ("## A-2\n## A\n## A", [("a-2", "A-2", ""), ("a", "A", ""), ("a-3", "A", "")]),
        ("x\n\n## Intro\n\ny", [("intro", "Intro", "x"), ("intro-2", "Intro", "y")]),
        ("## Intro\n\ny", [("intro", "Intro", "y")]),
        ("## New\n## Edit", [("new", "New", ""), ("edit", "Edit", "")]),  # no page's address
        ("A\n---\n\na\n\nTitle\n===\nb", [("a", "A", "a")]),  # underlined headings
        ("A\nb\n---\nc", [("a-b", "A b", "c")]),
        ("## A ##\n\n##\n\nb", [("a", "A", ""), ("section", "", "b")]),
        ("## !?\n## …", [("section", "!?", ""), ("section-2", "…", "")]),
        ("  ## A\n\na\n    ## not b", [("a", "A", "a\n    ## not b")]),  # too far in to be a heading
        ("##A\n#hash", [("intro", "Intro", "##A\n#hash")]),
        ("\\## A", [("intro", "Intro", "\\## A")]),
        ("```\n## A\n```\n\n~~~\nB\n---\n~~~", [("intro", "Intro", "```\n## A\n```\n\n~~~\nB\n---\n~~~")]),
        ("    ## A", [("intro", "Intro", "    ## A")]),
        ("> ## A\n\n- ## B\n\n  B\n  ---", [("intro", "Intro", "> ## A\n\n- ## B\n\n  B\n  ---")]),
        ("## A\n```\n## not\n", [("a", "A", "```\n## not")]),  # a fence that is never closed
        ("## A\n\n---\n\n***\n\n## B", [("a", "A", "---\n\n***"), ("b", "B", "")]),  # rules are no headings
        ("## A\n    code\n\n\n", [("a", "A", "    code")]),
        ("## **Key** `points` &amp; [*more*](x) ![pic](y)", [("key-points-more-pic", "Key points & more pic", "")]),
        ("## [more][1]\n\n[1]: x", [("more", "more", "[1]: x")]),
        ("## [[Council Tax]]", [("council-tax", "Council Tax", "")]),
        (
            "## 住宅 政策\n## Жильё\n## Café",
            [("住宅-政策", "住宅 政策", ""), ("жильё", "Жильё", ""), ("cafe", "Café", "")],
        ),
        ("<div>\n## A\n</div>", [("intro", "Intro", "<div>"), ("a", "A", "</div>")]),  # HTML is words like any other
    ],
)
def test_headings_are_found_the_way_markdown_means_them(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert _outline(text) == expected


@pytest.mark.parametrize(
    ("text", "intro"),
    [
        ("---\na: b\n---\nx", "x"),
        ("---\na: b\n# note\n\nlist:\n- one\n  two\n...\nx", "x"),
        ("---\nタイトル: 住宅\n---", None),
        ("---\na: b\nx", "---\na: b\nx"),  # never closed
        ("---\n\nWords between rules.\n\n---\n\nx", "---\n\nWords between rules.\n\n---\n\nx"),
        ("---\n- do not say\n---\nx", "---\n- do not say\n---\nx"),
        ("---\n---\nx", "---\n---\nx"),
        ("\n---\na: b\n***\nx", "---\na: b\n***\nx"),  # only at the very top
        ("---\nhttp://a.b\n***\n", "---\nhttp://a.b\n***"),
    ],
)
def test_only_keys_and_values_at_the_very_top_are_front_matter(text: str, intro: str | None) -> None:
    assert _outline(text) == ([("intro", "Intro", intro)] if intro else [])


def test_a_text_too_tangled_to_read_is_all_intro() -> None:
    tangled = "> " * 9 + "x\n\n## A"
    assert sections_of(tangled) == [Section("intro", "Intro", tangled, 0, len(tangled))]


LINES = [
    "# T",
    "## A",
    "## B",
    "A",
    "---",
    "===",
    "words",
    "",
    "- item",
    "> ## quoted",
    "```",
    "    code",
    "a: b",
    "### c",
]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(LINES), max_size=14).map("\n".join))
def test_sections_never_overlap_and_keep_their_words_and_keys(text: str) -> None:
    sections = sections_of(text)
    assert len({section.key for section in sections}) == len(sections)
    end = 0
    for section in sections:
        assert end <= section.start <= section.end <= len(text)
        assert section.text in text[section.start : section.end]
        end = section.end


def test_a_text_of_64_kib_is_cut_quickly() -> None:
    text = ("## Section\n\n" + "Some *words* with a [link](https://example.org). " * 14 + "\n\n- one\n- two\n\n") * 90
    assert 60_000 < len(text) < 65_536
    began = time.process_time()
    assert len(sections_of(text)) == 90
    assert time.process_time() - began < 2
