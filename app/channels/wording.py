"""What a channel's counts mean, in sentences."""

from collections import Counter
from dataclasses import dataclass

from app.channels import sms
from app.channels.counting import BODY_LONGEST, SUBJECT_LONGEST, WORDS_A_MINUTE, Channel, Kind, channels_in
from app.channels.fields import UNKNOWN_LONGEST
from app.pages.sections import Section
from app.words import Nn_, _, _n

CURLY, DASH, SPACE, OTHER = (
    Nn_("{n} curly quote", "{n} curly quotes"),
    Nn_("{n} long dash", "{n} long dashes"),
    Nn_("{n} special space", "{n} special spaces"),
    Nn_("{n} special character", "{n} special characters"),
)
_CLASSES = {"'": CURLY, '"': CURLY, "-": DASH, " ": SPACE, "": SPACE}

MORE_TEXTS = Nn_("{what} makes this {now} texts instead of {then}.", "{what} make this {now} texts instead of {then}.")
LESS_ROOM = Nn_("{what} leaves room for {now} instead of {then}.", "{what} leave room for {now} instead of {then}.")

NAMED = 3
"""Characters without a stand-in that a sentence names one by one."""


@dataclass(frozen=True, slots=True)
class Warn:
    """`code` for programs, `detail` for people. Nothing is refused for it."""

    code: str
    detail: str


def line(channel: Channel) -> str:
    """The counts in one line: `1 text, 142 of 160 characters`."""
    if channel.texts is not None:
        length = channel.texts.usual
        return _n(
            "{n} text, {units} of {room} characters", "{n} texts, {units} of {room} characters", length.parts
        ).format(n=length.parts, units=length.units, room=length.room)
    words = _n("{n} word", "{n} words", channel.words).format(n=channel.words)
    if channel.kind is Kind.SOCIAL:
        signs = _n("{n} character", "{n} characters", channel.characters).format(n=channel.characters)
        return _("{characters}, {words}").format(characters=signs, words=words)
    if channel.email is not None:
        words = _n("{n} word", "{n} words", channel.email.words).format(n=channel.email.words)
        if channel.email.subject is None:
            return words
        return _("subject of {n} characters, {words}").format(n=channel.email.subject, words=words)
    seconds = _n("about {n} second", "about {n} seconds", channel.seconds).format(n=channel.seconds)
    return _("{words}, {seconds} to say").format(words=words, seconds=seconds)


def warnings(channel: Channel) -> list[Warn]:
    """What its writer should know before it is sent; the gravest first."""
    found: list[Warn] = []
    if channel.texts is not None and channel.straight is not None:
        found += _about_texts(channel.texts, channel.straight)
    if channel.limit is not None and channel.seconds > channel.limit:
        most = channel.limit * WORDS_A_MINUTE // 60
        said = _n(
            "This takes about {seconds} seconds to say. Cut {n} word to make it {limit}.",
            "This takes about {seconds} seconds to say. Cut {n} words to make it {limit}.",
            channel.words - most,
        )
        found.append(Warn("length", said.format(seconds=channel.seconds, n=channel.words - most, limit=channel.limit)))
    if channel.email is not None:
        found += _about_email(channel)
    for name in channel.unknown:
        said = _("“{field}” is no field known here. It is counted as {n} characters of any script.")
        found.append(Warn("unknown-field", said.format(field=f"{{{name}}}", n=UNKNOWN_LONGEST)))
    return found


def can_be_straightened(channel: Channel) -> bool:
    """Whether writing some characters in another way makes fewer texts of it, or leaves more room."""
    texts, straight = channel.texts, channel.straight
    return texts is not None and straight is not None and straight.usual.encoding != texts.usual.encoding


def _about_texts(texts: sms.Count, straight: sms.Count) -> list[Warn]:
    found = []
    usual, better = texts.usual, straight.usual
    if better.encoding != usual.encoding:
        found.append(Warn("encoding", _about_characters(texts, better)))
    elif texts.outside:
        found.append(Warn("encoding", _about_alphabet(texts.outside)))
    # What other characters would bring about needs no cutting.
    if usual.parts > 1 and better.parts == usual.parts:
        said = _n("Cut {n} character to make it {parts}.", "Cut {n} characters to make it {parts}.", usual.over)
        found.append(Warn("length", said.format(n=usual.over, parts=usual.parts - 1)))
    if texts.worst.parts > usual.parts:
        said = _n(
            "A name such as Zoë or Łukasz in a field makes it {n} text.",
            "A name such as Zoë or Łukasz in a field makes it {n} texts.",
            texts.worst.parts,
        )
        found.append(Warn("fields", said.format(n=texts.worst.parts)))
    return found


def _about_characters(texts: sms.Count, better: sms.Length) -> str:
    """All that stands in the way can be written otherwise."""
    what, total = _name_classes(texts.outside), texts.outside.total()
    if better.parts < texts.usual.parts:
        one, many = MORE_TEXTS
        return _n(one, many, total).format(what=what, now=texts.usual.parts, then=better.parts)
    one, many = LESS_ROOM
    return _n(one, many, total).format(what=what, now=texts.usual.room, then=better.room)


def _name_classes(outside: Counter[str]) -> str:
    classes: Counter[tuple[str, str]] = Counter()
    for sign, times in outside.items():
        classes[_CLASSES.get(sms.straighten(sign), OTHER)] += times
    named = [_n(*forms, number).format(n=number) for forms, number in classes.items()]
    if len(named) == 1:
        return named[0]
    return _("{some} and {last}").format(some=", ".join(named[:-1]), last=named[-1])


def _about_alphabet(outside: Counter[str]) -> str:
    """Some of it cannot be written otherwise."""
    lasting = [sign for sign in outside if sms.stand_in(sign) is None]
    if len(lasting) > NAMED:
        return _("The letters of this text leave room for 70 characters only, 67 in each of several texts.")
    named = " ".join(lasting)
    said = _n(
        "{characters} leaves room for 70 characters only, 67 in each of several texts.",
        "{characters} leave room for 70 characters only, 67 in each of several texts.",
        len(lasting),
    )
    return said.format(characters=named)


def _about_email(channel: Channel) -> list[Warn]:
    email = channel.email
    found: list[Warn] = []
    if email is None or not channel.words:
        return found
    if email.subject is None:
        found.append(Warn("subject", _("It has no subject yet. Let its first line begin with “Subject:”.")))
    elif email.subject > SUBJECT_LONGEST:
        said = _("The subject is {n} characters long; telephones show {most}.")
        found.append(Warn("subject", said.format(n=email.subject, most=SUBJECT_LONGEST)))
    if email.words > BODY_LONGEST:
        said = _("It is {n} words long; few read more than {most}.")
        found.append(Warn("length", said.format(n=email.words, most=BODY_LONGEST)))
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """A section's counts in words; `is_curly`: writing some characters in another way would make it cheaper."""

    section: Section
    line: str
    warnings: list[Warn]
    is_curly: bool


def tell(text: str, key: str = "") -> list[Told]:
    """The counts of all sections of a text that are channels, or of the one with this key."""
    return [
        Told(section, line(channel), warnings(channel), can_be_straightened(channel))
        for section, channel in channels_in(text)
        if key in ("", section.key)
    ]
