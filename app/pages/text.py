"""Text as bytes with a name: normalised once at the door, then never changed, hashed with SHA-256."""

import hashlib
import html
import unicodedata
from typing import NewType

import regex

from app.errors import Refused
from app.words import _

Text = NewType("Text", str)
"""A normalised text. Only `normalise` makes one from outside input."""

MAX_BYTES = 64 * 1024
MAX_ACCENTS = 200

_CONTROLS = regex.compile(r"[\x00-\x08\x0B-\x1F\x7F-\x9F\uFEFF]")
_BIDI_OVERRIDES = regex.compile(r"[\u202A-\u202E\u2066-\u2069]")
_ENTITY = regex.compile(r"&#(?:[0-9]{1,8}|[xX][0-9A-Fa-f]{1,6});")
_SURROGATES = regex.compile(r"[\uD800-\uDFFF]")
# Sorting one letter's accents takes quadratic time: 64 KiB of them would keep a processor busy for two seconds.
_ACCENT_HEAP = regex.compile(rf"\p{{M}}{{{MAX_ACCENTS + 1}}}")

_SPACES = regex.compile(r"[\p{Z}\t\n]+")
# Words, emoji and flags are spelled with joiners, variation selectors and tags; overrides are refused, not dropped.
_KEPT = r"\u200C\u200D\p{Variation_Selector}\U000E0020-\U000E007F\u202A-\u202E\u2066-\u2069"
_INVISIBLE = regex.compile(rf"[\p{{Default_Ignorable_Code_Point}}--[{_KEPT}]]", regex.V1)
_VISIBLE = regex.compile(r"[^\p{Z}\p{C}\p{M}\p{Default_Ignorable_Code_Point}]", regex.V1)


def normalise(raw: str, *, pointer: str = "/text", max_bytes: int = MAX_BYTES) -> Text:
    """The text every hash, vote and ETag is about: NFC, LF line ends, no control characters but tab and LF.

    Nothing is trimmed and no newline is added. Raises `Refused` for broken surrogates, bidirectional overrides,
    more than `MAX_ACCENTS` combining marks in a row and texts over `max_bytes` of UTF-8.
    """
    if _SURROGATES.search(raw):
        raise Refused(
            _("This text holds half of a character (a lone surrogate). Paste it again as plain text."), pointer=pointer
        )
    text = _CONTROLS.sub("", raw.replace("\r\n", "\n").replace("\r", "\n"))
    if heap := _ACCENT_HEAP.search(text):
        raise Refused(
            _(
                "This text holds more than {most} accents on one letter (character {place}), which hides "
                "what stands around it. Remove them and send again."
            ).format(most=MAX_ACCENTS, place=heap.start()),
            pointer=pointer,
        )
    text = unicodedata.normalize("NFC", text)
    if override := _find_override(text):
        sign, place = override
        raise Refused(
            _(
                "This text holds a hidden mark that turns the reading direction (U+{code:04X}, character "
                "{place}). People would vote on words in another order than they read. Remove it and "
                "send again."
            ).format(code=ord(sign), place=place + 1),
            pointer=pointer,
        )
    size = len(text.encode())
    if size > max_bytes:
        raise Refused(
            _(
                "This text is {size:,} bytes long; {most:,} is the most. Shorten it or split it over "
                "several pages. Nothing was saved, what you typed is still in the form."
            ).format(size=size, most=max_bytes),
            pointer=pointer,
        )
    return Text(text)


def _find_override(text: str) -> tuple[str, int] | None:
    """A mark that turns the reading direction and where it stands, be it written as an entity for Markdown to read."""
    if found := _BIDI_OVERRIDES.search(text):
        return found.group(), found.start()
    for entity in _ENTITY.finditer(text):
        if _BIDI_OVERRIDES.fullmatch(sign := html.unescape(entity.group())):
            return sign, entity.start()
    return None


def clean_line(raw: str, *, pointer: str, max_length: int, required: bool = False) -> str:
    """One line of words: a title, a name, a summary. Normalised, spaces and line ends made single spaces, trimmed.

    Invisible characters go, except those that spell words and emoji. Raises `Refused` for what `normalise` refuses,
    for more than `max_length` characters and, where the line is `required`, when there is nothing to see in it.
    """
    line: str = _SPACES.sub(" ", normalise(_INVISIBLE.sub("", raw), pointer=pointer)).strip()
    if not _VISIBLE.search(line):
        line = ""
    if required and not line:
        raise Refused(_("This is empty. Write at least one letter, digit or sign."), pointer=pointer)
    if len(line) > max_length:
        raise Refused(
            _("This is {length:,} characters long; {most:,} is the most. Shorten it. Nothing was saved.").format(
                length=len(line), most=max_length
            ),
            pointer=pointer,
        )
    return line


def sha256_of(text: str) -> str:
    """The SHA-256 of the text's UTF-8 bytes, as 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()
