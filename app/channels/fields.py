"""Merge fields, `{first_name}` and the like, and what a sender may put in their place at the most."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import regex


@dataclass(frozen=True, slots=True)
class Field:
    """`longest` is the most characters that a sender puts in, counted as UTF-16 does: an emoji is two.

    `any_letters`: it may hold letters of every script, as names do; else only those of `sms.BASIC`.
    """

    name: str
    longest: int
    any_letters: bool


UNKNOWN_LONGEST = 30
"""For a field that is not in the table; it may hold any letters."""

FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("first_name", 20, any_letters=True),
        Field("last_name", 30, any_letters=True),
        Field("full_name", 50, any_letters=True),
        Field("sender_name", 20, any_letters=True),
        Field("town", 30, any_letters=True),
        Field("district", 30, any_letters=True),
        Field("street", 40, any_letters=True),
        Field("polling_place", 60, any_letters=True),
        Field("date", 20, any_letters=True),
        Field("time", 10, any_letters=False),
        Field("amount", 12, any_letters=False),
        Field("phone", 18, any_letters=False),
        Field("postcode", 10, any_letters=False),
        Field("link", 30, any_letters=False),
    )
}

_NAME = r"(\p{L}[\p{L}\p{M}\p{N}_]*(?:[ -]\p{L}[\p{L}\p{M}\p{N}_]*){0,3})"
_FIELD = regex.compile(rf"(?|\{{\{{ *{_NAME} *\}}\}}|\{{ *{_NAME} *\}})")
_NEXT_WORD = regex.compile(r"(?<=\p{Ll})(?=\p{Lu})|[ -]")


def pieces_of(words: str) -> Iterator[str | Field]:
    """The words in order, a field wherever a name stands in braces; `{{firstName}}` is `first_name`."""
    end = 0
    for match in _FIELD.finditer(words):
        if match.start() > end:
            yield words[end : match.start()]
        name = _NEXT_WORD.sub("_", match[1]).lower()
        yield FIELDS.get(name) or Field(name, UNKNOWN_LONGEST, any_letters=True)
        end = match.end()
    if end < len(words):
        yield words[end:]


def filled(words: str) -> str:
    """The words with each field at its longest, as one word."""
    return "".join(piece if isinstance(piece, str) else "x" * piece.longest for piece in pieces_of(words))
