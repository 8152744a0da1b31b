"""Which sections are channels, by their headings, and what each counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter

import regex

from app.channels import sms
from app.channels.fields import FIELDS, Field, filled, pieces_of
from app.pages.plain import plain_text
from app.pages.sections import Section, sections_of
from app.pages.slugs import spell
from app.revisions.segments import UNSPACED, words_of

WORDS_A_MINUTE = 150
"""How fast people speak: 75 words in 30 seconds."""

CACHED = 128
"""Texts, and sections of texts, whose counts are kept: every view of a page shows them."""

UNSPACED_A_WORD = 2
"""Characters of Han, kana, Thai, Lao, Khmer and Myanmar that count as one word: 300 of them a minute."""

SUBJECT_LONGEST = 50
"""Characters of a subject line that telephones show whole."""

BODY_LONGEST = 200
"""Words of an e-mail that are read to the end."""


class Kind(StrEnum):
    """What a section is made for."""

    SMS = "sms"
    SOCIAL = "social"
    SCRIPT = "script"
    EMAIL = "email"
    SPEECH = "speech"


_NAMES = {
    Kind.SMS: ("sms", "text-message", "text-messages"),
    Kind.SOCIAL: ("social", "social-post", "social-posts", "social-media"),
    Kind.SCRIPT: ("script", "phone", "phone-script", "phone-call", "call-script", "door", "door-script"),
    Kind.EMAIL: ("email", "e-mail"),
    Kind.SPEECH: ("speech", "short-speech"),
}

HEADINGS: Mapping[str, Kind] = {name: kind for kind, names in _NAMES.items() for name in names}
"""By the heading as an address. `30-second speech` is one too, of any number of seconds."""

_NAME_ENDS = regex.compile(r"\s*[:：(（\[–—|]|\s+-\s")
_TIMED = regex.compile(r"(\d{1,3})-seconds?-speech")
_LABEL = regex.compile(r"[ \t]*(subject|preheader)[ \t]*[:：][ \t]*(.*)", regex.IGNORECASE)
_CLUSTER = regex.compile(r"\X")
_SAID = regex.compile(r"[\p{L}\p{N}]")


@dataclass(frozen=True, slots=True)
class Email:
    """Characters of the subject and of the line shown beside it, None where there is none; words of the rest."""

    subject: int | None
    preheader: int | None
    words: int


@dataclass(frozen=True, slots=True)
class Channel:
    """A section's counts, merge fields at their longest.

    `characters` are those people see (grapheme clusters), spaces included. `seconds` is how long it takes to say.
    `limit` is how long a speech is to be by its heading, in seconds. `unknown` names fields that are not in the table.
    """

    kind: Kind
    characters: int
    words: int
    seconds: int
    limit: int | None = None
    texts: sms.Count | None = None
    straight: sms.Count | None = None
    email: Email | None = None
    unknown: tuple[str, ...] = ()


def kind_of(title: str) -> Kind | None:
    """What a section under this heading is made for, if its name says so; what follows a colon or dash is passed over.

    `SMS: reminder` and `Phone script (undecided)` are channels.
    """
    name = spell(_NAME_ENDS.split(title, maxsplit=1)[0])
    return Kind.SPEECH if _TIMED.fullmatch(name) else HEADINGS.get(name)


def channel_of(section: Section, *, within: str) -> Channel | None:
    """What a section of the whole text `within` counts, if it is a channel."""
    kind = kind_of(section.title)
    return None if kind is None else _count_section(kind, section.title, section.text, within)


@lru_cache(maxsize=CACHED)
def channels_in(text: str) -> tuple[tuple[Section, Channel], ...]:
    """The sections of a text that are channels, in order."""
    found = ((section, channel_of(section, within=text)) for section in sections_of(text))
    return tuple((section, channel) for section, channel in found if channel is not None)


@lru_cache(maxsize=CACHED)
def _count_section(kind: Kind, title: str, text: str, within: str) -> Channel:
    return count(kind, title, plain_text(text, within=within))


def straighten(text: str) -> str:
    """The text with its text messages written in the alphabet of text messages, wherever something says the same."""
    for section in reversed(sections_of(text)):
        if kind_of(section.title) is Kind.SMS:
            text = _straightened(text, section.start, section.end)
    return text


_WRITTEN_SO = regex.compile(r"`+|\]\([^)\n]*\)|<[^>\n]*>|https?://\S+")
"""Marks of code and addresses, which say something else in other characters."""


def _straightened(text: str, start: int, end: int) -> str:
    """The text with these lines straightened, but those that Markdown would then read as something else."""
    before, lines, after = text[:start], text[start:end].splitlines(keepends=True), text[end:]
    for number, line in enumerate(lines):
        kept = [found.span() for found in _WRITTEN_SO.finditer(line)]
        places = [0, *(place for span in kept for place in span), len(line)]
        parts = [line[begin:stop] for begin, stop in pairwise(places)]
        written = "".join(sms.straighten(part) if index % 2 == 0 else part for index, part in enumerate(parts))
        if written != line and _reads_alike("".join(lines), "".join([*lines[:number], written, *lines[number + 1 :]])):
            lines[number] = written
    return before + "".join(lines) + after


def _reads_alike(old: str, new: str) -> bool:
    one, other = ([*map(attrgetter("key"), sections_of(text))] for text in (old, new))
    return one == other and sms.straighten(plain_text(old)) == sms.straighten(plain_text(new))


def count(kind: Kind, title: str, words: str) -> Channel:
    """What these words count as they are sent or said."""
    fields = dict.fromkeys(piece.name for piece in pieces_of(words) if isinstance(piece, Field))
    timed = _TIMED.fullmatch(spell(_NAME_ENDS.split(title, maxsplit=1)[0])) if kind is Kind.SPEECH else None
    is_sms = kind is Kind.SMS
    said = count_words(words)
    return Channel(
        kind=kind,
        characters=count_characters(words),
        words=said,
        seconds=-(-said * 60 // WORDS_A_MINUTE),
        limit=int(timed[1]) if timed else None,
        texts=sms.count(words) if is_sms else None,
        straight=sms.count(sms.straighten(words)) if is_sms else None,
        email=_read_email(words) if kind is Kind.EMAIL else None,
        unknown=tuple(name for name in fields if name not in FIELDS),
    )


def count_characters(words: str) -> int:
    """Characters as people see them, merge fields at their longest."""
    return len(_CLUSTER.findall(filled(words)))


def count_words(words: str) -> int:
    """Words that are said; a merge field is one. Where no spaces part them, `UNSPACED_A_WORD` characters are one."""
    tokens = [token for token in words_of(filled(words)) if _SAID.search(token)]
    unspaced = sum(1 for token in tokens if UNSPACED.match(token))
    return len(tokens) - unspaced + -(-unspaced // UNSPACED_A_WORD)


def _read_email(words: str) -> Email:
    """Lines that begin with `Subject:` and `Preheader:` at the top, and what follows."""
    found: dict[str, int] = {}
    lines = words.split("\n")
    while lines:
        match = _LABEL.fullmatch(lines[0])
        if lines[0].strip() and (match is None or match[1].lower() in found):
            break
        if match:
            found[match[1].lower()] = count_characters(match[2].strip())
        del lines[0]
    return Email(found.get("subject"), found.get("preheader"), count_words("\n".join(lines)))
