"""A channel's counts as JSON."""

from typing import Annotated, Literal

from pydantic import Field

from app.channels import sms
from app.channels.counting import Channel, Kind
from app.channels.wording import warnings
from app.web.schemas import Out


class ChannelWarning(Out):
    """What to know before this is sent. New codes may be added."""

    code: Literal["encoding", "length", "fields", "unknown-field", "subject"] = Field(examples=["encoding"])
    detail: str = Field(examples=["1 curly quote makes this 2 texts instead of 1."])


class TextsOut(Out):
    """`units` are places of seven bits in `gsm7` and UTF-16 code units in `ucs2`; `room` holds as many `parts`."""

    encoding: sms.Encoding = Field(examples=["gsm7"])
    parts: int = Field(examples=[1])
    units: int = Field(examples=[142])
    room: int = Field(examples=[160])


class OutsideOut(Out):
    """A character that the alphabet of text messages lacks, and what says the same, null where nothing does."""

    character: str = Field(examples=["’"])
    count: int = Field(examples=[1])
    instead: str | None = Field(examples=["'"])


class SmsCounts(TextsOut):
    """With every merge field at its longest and in any script; `usual` is without a letter that costs more in a field.

    `outside` names the characters of the text itself that make it `ucs2`.
    """

    usual: TextsOut
    characters: int = Field(examples=[142], description="As people see them (grapheme clusters).")
    words: int = Field(examples=[25])
    outside: list[OutsideOut]


class SocialCounts(Out):
    """Characters as people see them (grapheme clusters), merge fields at their longest; networks weigh links anew."""

    characters: int = Field(examples=[212])
    words: int = Field(examples=[38])


class SpokenCounts(Out):
    """`seconds` at 150 words a minute; where no spaces part words, two characters are one."""

    words: int = Field(examples=[74])
    seconds: int = Field(examples=[30])


class EmailCounts(Out):
    """Characters of the lines `Subject:` and `Preheader:` at its top, null where there is none; words of the rest."""

    subject: int | None = Field(examples=[41])
    preheader: int | None = Field(examples=[None])
    words: int = Field(examples=[164])


class SmsOut(Out):
    kind: Literal[Kind.SMS]
    counts: SmsCounts
    warnings: list[ChannelWarning]


class SocialOut(Out):
    kind: Literal[Kind.SOCIAL]
    counts: SocialCounts
    warnings: list[ChannelWarning]


class ScriptOut(Out):
    kind: Literal[Kind.SCRIPT]
    counts: SpokenCounts
    warnings: list[ChannelWarning]


class SpeechOut(Out):
    kind: Literal[Kind.SPEECH]
    counts: SpokenCounts
    warnings: list[ChannelWarning]


class EmailOut(Out):
    kind: Literal[Kind.EMAIL]
    counts: EmailCounts
    warnings: list[ChannelWarning]


AnyChannel = SmsOut | SocialOut | ScriptOut | EmailOut | SpeechOut
ChannelOut = Annotated[AnyChannel, Field(discriminator="kind")]


def channel_json(channel: Channel | None) -> AnyChannel | None:
    """The counts with what they warn of; null for a section that is no channel."""
    if channel is None:
        return None
    told = [ChannelWarning.model_validate({"code": it.code, "detail": it.detail}) for it in warnings(channel)]
    match channel.kind:
        case Kind.SMS:
            return SmsOut(kind=Kind.SMS, counts=_sms_counts(channel), warnings=told)
        case Kind.SOCIAL:
            social = SocialCounts(characters=channel.characters, words=channel.words)
            return SocialOut(kind=Kind.SOCIAL, counts=social, warnings=told)
        case Kind.EMAIL:
            email = channel.email
            counts = EmailCounts(
                subject=email and email.subject, preheader=email and email.preheader, words=email.words if email else 0
            )
            return EmailOut(kind=Kind.EMAIL, counts=counts, warnings=told)
        case Kind.SCRIPT:
            return ScriptOut(kind=Kind.SCRIPT, counts=_spoken_counts(channel), warnings=told)
        case Kind.SPEECH:
            return SpeechOut(kind=Kind.SPEECH, counts=_spoken_counts(channel), warnings=told)


def _spoken_counts(channel: Channel) -> SpokenCounts:
    return SpokenCounts(words=channel.words, seconds=channel.seconds)


def _sms_counts(channel: Channel) -> SmsCounts:
    texts = channel.texts
    if texts is None:
        raise ValueError("a text message without its parts")
    outside = [
        OutsideOut(character=sign, count=times, instead=sms.stand_in(sign)) for sign, times in texts.outside.items()
    ]
    worst = texts.worst
    return SmsCounts(
        encoding=worst.encoding,
        parts=worst.parts,
        units=worst.units,
        room=worst.room,
        usual=_texts(texts.usual),
        characters=channel.characters,
        words=channel.words,
        outside=outside,
    )


def _texts(length: sms.Length) -> TextsOut:
    return TextsOut(encoding=length.encoding, parts=length.parts, units=length.units, room=length.room)
