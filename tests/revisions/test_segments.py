"""Segmentation: nothing is lost, and every script is cut where its readers would cut it."""

import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refused
from app.revisions.segments import MAX_BLOCKS, Kind, blocks_of, require_few_blocks, sentences_of, words_of

PIECES = (
    ["# ", "## A", "\n", "\n\n", "- ", "1. ", "3) ", "| a | b |", "|---|:-:|", "```", "~~~", "---", "===", "> "],
    ["  ", "\t", "word", "e.g.", "12.5", "Yes. ", "«Non!» ", "はい。", "۔", "؟ ", "हाँ। ", "น้ำ", "👩‍👩‍👧", "🇩🇪🇫🇷", "é"],
    ["\u0301", "\u200d", "\u0600", "well-known", "’", "[x](https://a.b/c.) ", "…", "**", "가", "\u1100\u1161"],
    ["क्ष", "\u2028", "．", "5"],
)
MARKDOWN = st.lists(st.sampled_from([piece for row in PIECES for piece in row]), max_size=25).map("".join)
ANYTHING = MARKDOWN | st.text(max_size=60)


@given(ANYTHING)
@settings(max_examples=300)
def test_joining_the_pieces_gives_the_text_byte_for_byte(text: str) -> None:
    blocks = blocks_of(text)
    assert "".join(block.content + block.gap for block in blocks) == text
    assert all("".join(block.sentences) == block.content for block in blocks)
    assert "".join(sentences_of(text)) == text
    assert "".join(words_of(text)) == text


@given(ANYTHING)
@settings(max_examples=300)
def test_a_blocks_content_has_no_separator_at_its_end_and_only_the_first_is_empty(text: str) -> None:
    for number, block in enumerate(blocks_of(text)):
        assert block.content == block.content.rstrip(" \t\n")
        assert not block.gap.strip(" \t\n")
        assert (block.kind is Kind.BLANK) == (not block.content)
        assert block.content or number == 0


@given(ANYTHING)
@settings(max_examples=300)
def test_no_character_as_people_see_it_is_ever_split(text: str) -> None:
    boundaries = {0} | {cluster.end() for cluster in regex.finditer(r"\X", text)}
    at = 0
    for word in words_of(text):
        assert word
        assert at in boundaries
        at += len(word)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "---\ntitle: x\n---\n\n# Top\nText\n",
            [(Kind.FRONT_MATTER, "---\ntitle: x\n---"), (Kind.HEADING, "# Top"), (Kind.PARAGRAPH, "Text")],
        ),
        ("One\ntwo\n\nthree", [(Kind.PARAGRAPH, "One\ntwo"), (Kind.PARAGRAPH, "three")]),
        ("- a\n  more\n- b\n\n  own\n", [(Kind.ITEM, "- a\n  more"), (Kind.ITEM, "- b"), (Kind.PARAGRAPH, "  own")]),
        ("1. a\n2. b", [(Kind.ITEM, "1. a"), (Kind.ITEM, "2. b")]),
        ("In the year\n1986. Then", [(Kind.PARAGRAPH, "In the year\n1986. Then")]),
        (
            "Title\n===\n\nSub\n---\ntext",
            [(Kind.HEADING, "Title\n==="), (Kind.HEADING, "Sub\n---"), (Kind.PARAGRAPH, "text")],
        ),
        (
            "a | b\n--|--\n1 | 2\n\nend",
            [(Kind.ROW, "a | b"), (Kind.ROW, "--|--"), (Kind.ROW, "1 | 2"), (Kind.PARAGRAPH, "end")],
        ),
        ("```\n# no\n\n- no\n```\nyes", [(Kind.CODE, "```\n# no\n\n- no\n```"), (Kind.PARAGRAPH, "yes")]),
        ("~~~\nopen", [(Kind.CODE, "~~~\nopen")]),
        ("text\n***\ntext", [(Kind.PARAGRAPH, "text"), (Kind.PARAGRAPH, "***"), (Kind.PARAGRAPH, "text")]),
        ("\n \nx", [(Kind.BLANK, ""), (Kind.PARAGRAPH, "x")]),
        ("#no heading", [(Kind.PARAGRAPH, "#no heading")]),
        ("", []),
    ],
)
def test_blocks_are_what_a_reader_of_markdown_sees(text: str, expected: list[tuple[Kind, str]]) -> None:
    assert [(block.kind, block.content) for block in blocks_of(text)] == expected


def test_each_block_knows_its_section() -> None:
    text = "before\n\n# Big Title!\na\n## Café 東京\nb\n### deeper\nc\n\nCafé 東京\n---\nd\n## Intro\ne\n## ?\nf"
    sections = [block.section for block in blocks_of(text) if block.kind is Kind.PARAGRAPH]
    assert sections == ["intro", "big-title", "café-東京", "café-東京", "café-東京-2", "intro-2", "section"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four… Five", ["One. ", "Two! ", "Three? ", "Four… ", "Five"]),
        ("It costs 12.5 % of 3,000.50 now. Yes.", ["It costs 12.5 % of 3,000.50 now. ", "Yes."]),
        ("Dr. Smith, e.g. John F. Kennedy, left. vs. others", ["Dr. Smith, e.g. John F. Kennedy, left. vs. others"]),
        ("Take bus No. 5 home. We say no. They say yes.", ["Take bus No. 5 home. ", "We say no. ", "They say yes."]),
        ("Am 3. Mai 2015. Danach z. B. nichts.", ["Am 3. Mai 2015. ", "Danach z. B. nichts."]),
        ("1. First item. Next.", ["1. First item. ", "Next."]),
        (
            "“Why?” she said. (Really!) “Yes.” Done.[^1] So",
            ["“Why?” she said. ", "(Really!) ", "“Yes.” ", "Done.[^1] ", "So"],
        ),
        ("**Bold.** Next", ["**Bold.** ", "Next"]),
        ("one line\nanother line\nend. Next", ["one line\nanother line\nend. ", "Next"]),
        ("はい。いいえ！「そうだ。」本当?はい", ["はい。", "いいえ！", "「そうだ。」", "本当?", "はい"]),
        ("１．５％です。", ["１．５％です。"]),
        ("هل توافق؟ نعم. لا۔", ["هل توافق؟ ", "نعم. ", "لا۔"]),
        ("मैं हूँ। तुम हो॥ वह", ["मैं हूँ। ", "तुम हो॥ ", "वह"]),
        ("เราไม่เห็นด้วย แต่ยอมรับ", ["เราไม่เห็นด้วย แต่ยอมรับ"]),
        ("see www.example.org/a.html for more", ["see www.example.org/a.html for more"]),
    ],
)
def test_sentences_end_where_their_script_ends_them(text: str, expected: list[str]) -> None:
    assert sentences_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We don’t pay 3,000.5 %.", ["We", " ", "don’t", " ", "pay", " ", "3,000.5", " ", "%", "."]),
        ("a well-known 12-year-old", ["a", " ", "well-known", " ", "12-year-old"]),
        ("**bold**, ok", ["**", "bold", "**", ",", " ", "ok"]),
        ("at https://a.org/b?c=d. Yes", ["at", " ", "https://a.org/b?c=d", ".", " ", "Yes"]),
        ("消費税10％", ["消", "費", "税", "10", "％"]),
        ("น้ำใจ", ["น้ำ", "ใ", "จ"]),
        ("a\n\n b", ["a", "\n\n ", "b"]),
        ("لن ندفع ١٢٫٥٪", ["لن", " ", "ندفع", " ", "١٢٫٥", "٪"]),
        ("👩‍👩‍👧👍🏽🇩🇪🇫🇷", ["👩‍👩‍👧", "👍🏽", "🇩🇪", "🇫🇷"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
    ],
)
def test_words_keep_together_what_belongs_together(text: str, expected: list[str]) -> None:
    assert words_of(text) == expected


def test_headings_rows_and_code_are_not_cut_at_full_stops() -> None:
    blocks = blocks_of("# One. Two.\n\n| A. B | c |\n\n```\na. B\nc\n```")
    assert [block.sentences for block in blocks] == [
        ["# One. Two."],
        ["| A. B | c |"],
        ["```\n", "a. B\n", "c\n", "```"],
    ]


def test_more_than_the_most_blocks_are_refused() -> None:
    require_few_blocks("- a\n" * MAX_BLOCKS)
    with pytest.raises(Refused, match="2,001 paragraphs"):
        require_few_blocks("- a\n" * (MAX_BLOCKS + 1), pointer="/text")


def test_the_longest_text_is_cut_quickly() -> None:
    text = (
        "## A heading\n\nThe quick – isn’t it? – fox pays 12.5 % to well-known dogs. 消費税に反対します。\n\n" * 700
    )[:60_000]
    for cut in (blocks_of, sentences_of, words_of):
        started = time.process_time()
        cut(text)
        assert time.process_time() - started < 0.3  # ten times what it takes, for busy machines
