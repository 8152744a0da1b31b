"""How many parts a text message is sent in: 3GPP TS 23.038, the default alphabet and its extension, and UCS-2."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import regex

from app.channels.fields import Field, pieces_of

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""Section 6.2.1, without the escape: each takes one place of seven bits."""

EXTENSION = frozenset("^{}\\[~]|€")
"""Section 6.2.1.1: each takes two places, of which the first is the escape."""

INSTEAD = {
    **dict.fromkeys("‘’‚‛′´`", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000\t", " "),
    **dict.fromkeys("\u200b\u2060\u00ad", ""),
    "…": "...",
    "•": "-",
}
"""What says the same in the default alphabet."""


class Encoding(StrEnum):
    """The alphabet that the whole message is sent in: one character outside the first makes it the second."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


_CLUSTER = regex.compile(r"\X")
_ALONE = {Encoding.GSM7: 160, Encoding.UCS2: 70}
_JOINED = {Encoding.GSM7: 153, Encoding.UCS2: 67}


@dataclass(frozen=True, slots=True)
class Length:
    """`units` are places of seven bits, or UTF-16 code units, those included that a part leaves empty at its end.

    `room` is how many there are in as many `parts`; `over` is how many too many they are for one part less.
    """

    encoding: Encoding
    parts: int
    units: int

    @property
    def room(self) -> int:
        return room(self.encoding, max(1, self.parts))

    @property
    def over(self) -> int:
        return self.units - room(self.encoding, self.parts - 1) if self.parts > 1 else 0


@dataclass(frozen=True, slots=True)
class Count:
    """`worst` is with every field at its longest, `usual` too, but with nothing in a field that is outside `BASIC`.

    `outside` counts the characters, as people see them, that the default alphabet lacks, in the order of the text.
    """

    worst: Length
    usual: Length
    outside: Counter[str]


def room(encoding: Encoding, parts: int) -> int:
    """The units that fit into so many parts; joined parts are shorter, as each says which it is."""
    return _ALONE[encoding] if parts == 1 else parts * _JOINED[encoding]


def count(words: str) -> Count:
    """What the words take, merge fields included."""
    pieces = list(pieces_of(words))
    seen = (sign for piece in pieces if isinstance(piece, str) for sign in _CLUSTER.findall(piece))
    outside = Counter(sign for sign in seen if not all(map(_is_in_alphabet, sign)))
    usual = Encoding.UCS2 if outside else Encoding.GSM7
    may_be_any = any(isinstance(piece, Field) and piece.any_letters for piece in pieces)
    worst = Encoding.UCS2 if may_be_any else usual
    return Count(_length(pieces, worst, in_pairs=True), _length(pieces, usual, in_pairs=False), outside)


def cut(words: str) -> list[str]:
    """The parts that words without fields are sent in. No character of two units is split."""
    encoding = Encoding.GSM7 if all(map(_is_in_alphabet, words)) else Encoding.UCS2
    if sum(_size(sign, encoding) for sign in words) <= _ALONE[encoding]:
        return [words] if words else []
    parts, used = [""], 0
    for sign in words:
        size = _size(sign, encoding)
        if used + size > _JOINED[encoding]:
            parts.append("")
            used = 0
        parts[-1] += sign
        used += size
    return parts


def stand_in(sign: str) -> str | None:
    """What says the same as a character in the default alphabet, None where nothing does."""
    written = straighten(sign)
    return written if all(map(_is_in_alphabet, written)) else None


def straighten(words: str) -> str:
    """The words with all that has a stand-in in the default alphabet written so, fields left as they are."""
    return "".join(INSTEAD.get(sign, sign) for sign in words)


def _length(pieces: Sequence[str | Field], encoding: Encoding, *, in_pairs: bool) -> Length:
    """`in_pairs`: fields may hold characters of two units, which then leave a place empty wherever a part ends."""
    total = sum(_units(piece, encoding) for piece in pieces)
    if total <= _ALONE[encoding]:
        return Length(encoding, 1 if total else 0, total)
    joined = _JOINED[encoding]
    place = 0
    # A sign that begins later never ends earlier, so no shorter filling takes more parts than the longest.
    for piece in pieces:
        if isinstance(piece, str):
            for sign in piece:
                place = _put(place, _size(sign, encoding), joined)
        elif in_pairs and piece.any_letters:
            for left in range(piece.longest, 0, -1):
                place = _put(place, 2, joined) - 1 if left > 1 else place + 1
        else:
            place += piece.longest
    return Length(encoding, -(-place // joined), place)


def _put(place: int, size: int, joined: int) -> int:
    """Where a sign ends that is put at this place, or at the beginning of the next part where it does not fit."""
    left = joined - place % joined
    return place + size + (left if left < size else 0)


def _units(piece: str | Field, encoding: Encoding) -> int:
    return piece.longest if isinstance(piece, Field) else sum(_size(sign, encoding) for sign in piece)


def _size(sign: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return 2 if sign in EXTENSION else 1
    return 2 if sign > "\uffff" else 1


def _is_in_alphabet(sign: str) -> bool:
    return sign in BASIC or sign in EXTENSION
