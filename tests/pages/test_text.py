"""Texts are normalised once, and what would deceive or choke readers is refused."""

import hashlib
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refused
from app.pages.text import MAX_ACCENTS, MAX_BYTES, clean_line, normalise, sha256_of


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", ""),
        ("  two spaces \n\n", "  two spaces \n\n"),  # nothing is trimmed
        ("no line end", "no line end"),  # nothing is added
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\r\r\nb", "a\n\nb"),
        ("a\tb", "a\tb"),
        ("a\x00b\x07c\x0bd\x0ce\x1ff\x7fg\x85h\x9fi", "abcdefghi"),
        ("\ufeffa\ufeffb", "ab"),
        ("e\u0301", "é"),
        ("e\x00\u0301", "é"),  # what a control character kept apart joins
        ("\u1100\u1161\u11a8", "각"),
        ("\u212b", "Å"),
        ("👨\u200d👩\u200d👧 می\u200cخواهم", "👨\u200d👩\u200d👧 می\u200cخواهم"),
        ("a\u200b\u00ad\u2060b\U000e0041", "a\u200b\u00ad\u2060b\U000e0041"),  # the comparison shows them
        ("שלום \u200f!", "שלום \u200f!"),  # marks that turn nothing round
    ],
)
def test_a_text_is_normalised_and_otherwise_left_alone(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@pytest.mark.parametrize("mark", list("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
def test_marks_that_turn_the_reading_direction_are_refused_by_name_and_place(mark: str) -> None:
    with pytest.raises(Refused) as refused:
        normalise(f"abc{mark}def", pointer="/text")
    assert f"U+{ord(mark):04X}, character 4" in refused.value.detail
    assert refused.value.pointer == "/text"


@pytest.mark.parametrize("raw", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_half_a_character_is_refused(raw: str) -> None:
    with pytest.raises(Refused, match="half of a character"):
        normalise(raw)


def test_a_text_may_be_64_kib_of_utf_8_and_not_a_byte_more() -> None:
    longest = "é" * (MAX_BYTES // 2)
    assert normalise(longest) == longest
    assert normalise("e\u0301" * (MAX_BYTES // 2)) == longest  # what is counted is the normalised text
    assert normalise("a\r\n" * (MAX_BYTES // 2)) == "a\n" * (MAX_BYTES // 2)
    with pytest.raises(Refused, match=r"65,537 bytes long; 65,536 is the most"):
        normalise(longest + "a")


def test_a_text_that_normalisation_lengthens_is_measured_afterwards() -> None:
    raw = "\u0958" * (MAX_BYTES // 3)  # three bytes that become six
    assert len(raw.encode()) <= MAX_BYTES
    with pytest.raises(Refused, match="bytes long"):
        normalise(raw)


def test_heaps_of_accents_are_refused_before_they_cost_time() -> None:
    assert normalise("a" + "\u0315\u0300" * (MAX_ACCENTS // 2))
    began = time.process_time()
    with pytest.raises(Refused, match="accents on one letter"):
        normalise("a" + "\u0315\u0300" * 60_000)
    for letter in ("\x00", "\x7f"):  # a control character in between holds no heap apart
        with pytest.raises(Refused, match="accents on one letter"):
            normalise("a" + f"\u0315{letter}\u0300" * 20_000)
    normalise(("a" + "\u0315\u0300" * (MAX_ACCENTS // 2)) * 150)
    assert time.process_time() - began < 4


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_a_normalised_text_stays_as_it_is(raw: str) -> None:
    try:
        text = normalise(raw)
    except Refused:
        return
    assert normalise(text) == text
    assert unicodedata.is_normalized("NFC", text)
    assert {letter for letter in text if unicodedata.category(letter) == "Cc"} <= {"\t", "\n"}


def test_a_text_is_named_by_the_sha_256_of_its_bytes() -> None:
    assert sha256_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_of("住宅\n") == hashlib.sha256("住宅\n".encode()).hexdigest()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Housing", "Housing"),
        ("  Council \t tax\r\n now ", "Council tax now"),
        ("a\u2028b\u2029c\u00a0d\u3000e", "a b c d e"),
        ("Hou\u00adsing\u200b for\u2060 all\u3164", "Housing for all"),
        ("e\u034f\u0301", "é"),  # normalised after what is invisible has gone
        ("👨\u200d👩\u200d👧 می\u200cخواهم ☹\ufe0f", "👨\u200d👩\u200d👧 می\u200cخواهم ☹\ufe0f"),
        ("", ""),
        (" \n\t ", ""),
        ("\u200d\ufe0f", ""),
        ("\u0301", ""),
        ("?", "?"),
    ],
)
def test_a_line_is_trimmed_and_single_spaced(raw: str, expected: str) -> None:
    assert clean_line(raw, pointer="/title", max_length=40) == expected


@pytest.mark.parametrize("raw", ["", " \n", "\u200b", "\u3164\u115f", "\u200d\u0301", "\x00"])
def test_a_required_line_needs_something_to_see(raw: str) -> None:
    with pytest.raises(Refused, match="empty") as refused:
        clean_line(raw, pointer="/title", max_length=40, required=True)
    assert refused.value.pointer == "/title"


def test_a_line_has_a_greatest_length_in_characters() -> None:
    assert clean_line("  " + "住" * 40 + "  ", pointer="/title", max_length=40) == "住" * 40
    with pytest.raises(Refused, match="41 characters long; 40 is the most"):
        clean_line("住" * 41, pointer="/title", max_length=40)


@pytest.mark.parametrize("raw", ["a\u202eb", "a\u2066b", "a\ud800b"])
def test_a_line_is_refused_for_what_a_text_is_refused_for(raw: str) -> None:
    with pytest.raises(Refused):
        clean_line(raw, pointer="/name", max_length=40)
