"""The parts of a text message, against the tables of 3GPP TS 23.038, section 6.2.1."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.channels import sms
from app.channels.fields import FIELDS, UNKNOWN_LONGEST, Field, pieces_of
from app.channels.sms import BASIC, EXTENSION, INSTEAD, Encoding

# By code, 0x00 to 0x7F, the escape 0x1B left out.
TABLE = [
    *(0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5, 0xE5),
    *(0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E, 0xC6, 0xE6, 0xDF, 0xC9),
    *(0x20, 0x21, 0x22, 0x23, 0xA4, *range(0x25, 0x40)),
    *(0xA1, *range(0x41, 0x5B), 0xC4, 0xD6, 0xD1, 0xDC, 0xA7),
    *(0xBF, *range(0x61, 0x7B), 0xE4, 0xF6, 0xF1, 0xFC, 0xE0),
]
ESCAPED = [0x5E, 0x7B, 0x7D, 0x5C, 0x5B, 0x7E, 0x5D, 0x7C, 0x20AC]


def test_the_alphabet_is_the_standards() -> None:
    assert {chr(code) for code in TABLE} == BASIC
    assert len(TABLE) == len(BASIC) == 127
    assert {chr(code) for code in ESCAPED} == EXTENSION


def test_every_stand_in_is_in_the_alphabet_and_what_it_stands_for_is_not() -> None:
    for sign, instead in INSTEAD.items():
        assert set(instead) <= BASIC
        assert sign not in BASIC | EXTENSION


@pytest.mark.parametrize(
    ("words", "encoding", "parts", "units", "room"),
    [
        ("", Encoding.GSM7, 0, 0, 160),
        ("a" * 160, Encoding.GSM7, 1, 160, 160),
        ("a" * 161, Encoding.GSM7, 2, 161, 306),
        ("a" * 306, Encoding.GSM7, 2, 306, 306),
        ("a" * 307, Encoding.GSM7, 3, 307, 459),
        ("€" * 80, Encoding.GSM7, 1, 160, 160),
        ("a" * 159 + "€", Encoding.GSM7, 2, 161, 306),
        ("a" * 152 + "€" * 77, Encoding.GSM7, 3, 308, 459),  # the first part ends one place early, and the second
        ("ж" * 70, Encoding.UCS2, 1, 70, 70),
        ("ж" * 71, Encoding.UCS2, 2, 71, 134),
        ("😀" * 35, Encoding.UCS2, 1, 70, 70),
        ("😀" * 67, Encoding.UCS2, 3, 136, 201),
        ("[" * 70 + "ж", Encoding.UCS2, 2, 71, 134),
    ],
)
def test_parts_are_counted_as_networks_do(words: str, encoding: Encoding, parts: int, units: int, room: int) -> None:
    # Braces with a name in them would be a field; none of these has one.
    found = sms.count(words).worst
    assert (found.encoding, found.parts, found.units, found.room) == (encoding, parts, units, room)


def test_a_field_counts_at_its_longest_and_a_name_in_any_script() -> None:
    words = "Hi {first_name}, vote at {time}. "
    found = sms.count(words)
    length = len("Hi , vote at . ") + FIELDS["first_name"].longest + FIELDS["time"].longest
    assert (found.usual.encoding, found.usual.units) == (Encoding.GSM7, length)
    assert (found.worst.encoding, found.worst.units) == (Encoding.UCS2, length)
    assert sms.count("Vote at {time}.").worst.encoding is Encoding.GSM7
    assert list(pieces_of("{First Name}{shoe-size}")) == [
        FIELDS["first_name"],
        Field("shoe_size", UNKNOWN_LONGEST, True),
    ]
    assert list(pieces_of("{ }{1}{\n}{{}}")) == ["{ }{1}{\n}{{}}"]
    # As the makers of texting tools write them.
    for written in (
        "{first_name}",
        "{{first_name}}",
        "{{ firstName }}",
        "{FirstName}",
        "{ FIRST_NAME }",
        "{First-Name}",
    ):
        assert list(pieces_of(written)) == [FIELDS["first_name"]], written
    assert list(pieces_of("{{town}")) == ["{", FIELDS["town"]]


def test_cutting_what_is_over_saves_a_part() -> None:
    words = "a" * 172
    assert sms.count(words).usual.over == 12
    assert sms.count(words[:-12]).usual.parts == 1
    assert sms.count(words[:-11]).usual.parts == 2


PIECES = st.sampled_from(["a", "é", "[", "€", "’", "ж", "😀", "👩‍👩‍👧", "\n", "z" * 60, "€" * 20, "😀" * 15])
PLAIN = st.lists(PIECES, max_size=40).map("".join)


@given(PLAIN)
@settings(max_examples=150, deadline=None)
def test_parts_hold_all_words_in_order_and_split_nothing(words: str) -> None:
    parts = sms.cut(words)
    assert "".join(parts) == words  # whole characters: Python would keep half a pair only as a lone surrogate
    found = sms.count(words).worst
    assert len(parts) == found.parts
    joined = len(parts) > 1
    for part in parts:
        if found.encoding is Encoding.UCS2:
            assert len(part.encode("utf-16-be")) // 2 <= (67 if joined else 70)
        else:
            assert len(part) + sum(sign in EXTENSION for sign in part) <= (153 if joined else 160)


NAMES = (*FIELDS, "shoe_size")
FILLED = st.lists(st.one_of(PIECES, st.sampled_from(NAMES).map(lambda name: f"{{{name}}}")), max_size=25).map("".join)


def filling(draw: st.DrawFn, field: Field) -> str:
    """Anything that a sender may put in, at most as long as the table says."""
    if not field.any_letters:
        return draw(st.text(st.sampled_from("a1é:£"), max_size=field.longest))
    sign = draw(st.sampled_from(["a", "€", "ë", "ж", "😀"]))
    words = draw(st.sampled_from(["", "a"])) + sign * draw(st.integers(0, field.longest))
    while len(words.encode("utf-16-be")) // 2 > field.longest:
        words = words[:-1]
    return words


@given(st.data(), FILLED)
@settings(max_examples=120, deadline=None)
def test_nothing_put_in_takes_more_than_the_worst(data: st.DataObject, words: str) -> None:
    @st.composite
    def fill(draw: st.DrawFn) -> str:
        return "".join(piece if isinstance(piece, str) else filling(draw, piece) for piece in pieces_of(words))

    worst = sms.count(words).worst
    actual = data.draw(fill())
    assert len(sms.cut(actual)) <= worst.parts


def test_an_emoji_in_a_field_leaves_a_place_empty_where_a_part_ends() -> None:
    tight = "ж" * 66 + "{first_name}" + "ж" * 48
    assert sms.count(tight).worst.parts == len(sms.cut("ж" * 66 + "😀" * 10 + "ж" * 48)) == 3
    assert len(sms.cut("ж" * 66 + "a" * 20 + "ж" * 48)) == 2
