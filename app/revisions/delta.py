"""How a revision's text is stored: whole as a keyframe, or as a checked delta to its parent's text.

A delta is the edits that diff-match-patch finds, packed tightly:

    format byte (1 plain, 2 deflated with the parent's text as dictionary)
    CRC-32 of the text's UTF-8 bytes, 4 bytes, big-endian
    number of edits, then for each: bytes of the parent to copy, to leave out, bytes to add (LEB128 numbers)
    all added bytes; what follows the last edit in the parent is copied

Lengths count UTF-8 bytes, so that a chain of deltas is walked without decoding the texts between.

Its own encoding, because the library's `toDelta` writes three to nine bytes for one character outside ASCII. A bad
diff can only make a delta large, never wrong: every delta is decoded and compared before it is kept.
"""

import re
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from diff_match_patch import diff_match_patch

MAX_STEPS = 50
"""The most payloads that are read for one text, its keyframe included."""

DEADLINE = 0.03
"""Seconds after which the search for a small delta ends and what is left counts as rewritten."""

_PLAIN, _DEFLATED = 1, 2
_HEADER = 5
_WINDOW = 32 * 1024  # deflate looks back no further
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_WORDS = re.compile(r"\w+|\W")

# With a timeout of its own the library also guesses at half matches, which takes minutes on repetitive text and
# looks at no clock; without one it honours the deadline it is called with.
_DMP = diff_match_patch()
_DMP.Diff_Timeout = 0


class CorruptDelta(Exception):
    """The stored bytes do not belong to this parent, or are damaged. No text was made from them."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A text as stored. `steps` is the number of deltas to walk back to a keyframe: 0 is a keyframe itself."""

    payload: bytes
    steps: int


@dataclass(frozen=True, slots=True)
class _Edit:
    """Copy so many bytes of the parent's text, leave out so many, then add these."""

    copied: int
    removed: int
    added: bytes


def store(parent_text: str | None, text: str, parent_steps: int = 0) -> Stored:
    """The text as a delta, or as a keyframe: without parent, every `MAX_STEPS`, or where a delta would not pay."""
    if parent_text is None or parent_steps + 1 >= MAX_STEPS:
        return Stored(keyframe(text), 0)
    payload = encode(parent_text, text)
    if payload is None:
        return Stored(keyframe(text), 0)
    # Prose never shrinks to a sixteenth, so most saves need no keyframe to compare with.
    if len(payload) * 16 > len(text):
        whole = keyframe(text)
        if len(whole) <= len(payload):
            return Stored(whole, 0)
    return Stored(payload, parent_steps + 1)


def rebuild(payloads: Sequence[bytes]) -> str:
    """The text of a chain: its keyframe first, then each delta in order. Raises `CorruptDelta`."""
    if len(payloads) == 1:
        return read_keyframe(payloads[0])
    text = _read_keyframe(payloads[0])
    for payload in payloads[1:]:
        text = _apply(text, _body(payload, text))
    return _checked(text, payloads[-1])  # damage anywhere on the way shows in the last checksum


def keyframe(text: str) -> bytes:
    """The whole text, deflated (zlib format, which carries a checksum)."""
    return zlib.compress(text.encode(), 9)


def read_keyframe(payload: bytes) -> str:
    """The text that `keyframe` stored. Raises `CorruptDelta`."""
    return _characters(_read_keyframe(payload))


def encode(parent_text: str, text: str) -> bytes | None:
    """The delta from the parent's text to this one; None if decoding it does not give this text back."""
    body = _pack(_edits(parent_text, text))
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=parent_text.encode()[-_WINDOW:])
    deflated = deflater.compress(body) + deflater.flush()
    form, body = (_PLAIN, body) if len(body) <= len(deflated) else (_DEFLATED, deflated)
    payload = bytes((form,)) + zlib.crc32(text.encode()).to_bytes(4, "big") + body
    try:
        return payload if decode(parent_text, payload) == text else None
    except CorruptDelta:
        return None


def decode(parent_text: str, payload: bytes) -> str:
    """The text that `encode` stored against this parent's text. Raises `CorruptDelta`, never gives another text."""
    parent = parent_text.encode()
    return _checked(_apply(parent, _body(payload, parent)), payload)


def _read_keyframe(payload: bytes) -> bytes:
    try:
        return zlib.decompress(payload)
    except zlib.error as error:
        raise CorruptDelta(f"This keyframe cannot be read: {error}.") from error


def _checked(text: bytes, payload: bytes) -> str:
    if zlib.crc32(text).to_bytes(4, "big") != payload[1:_HEADER]:
        raise CorruptDelta("This delta is damaged, or was made against another parent.")
    return _characters(text)


def _characters(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise CorruptDelta(f"These bytes are no text: {error}.") from error


def _body(payload: bytes, parent: bytes) -> bytes:
    if len(payload) <= _HEADER or payload[0] not in (_PLAIN, _DEFLATED):
        raise CorruptDelta("These bytes are no delta.")
    if payload[0] == _PLAIN:
        return payload[_HEADER:]
    inflater = zlib.decompressobj(-zlib.MAX_WBITS, zdict=parent[-_WINDOW:])
    try:
        body = inflater.decompress(payload[_HEADER:])
    except zlib.error as error:
        raise CorruptDelta(f"This delta cannot be read: {error}.") from error
    if not inflater.eof or inflater.unused_data:
        raise CorruptDelta("This delta does not end where it should.")
    return body


def _pack(edits: Sequence[_Edit]) -> bytes:
    packed = bytearray(_number(len(edits)))
    for edit in edits:
        packed += _number(edit.copied) + _number(edit.removed) + _number(len(edit.added))
    return bytes(packed) + b"".join(edit.added for edit in edits)


def _number(value: int) -> bytes:
    packed = bytearray()
    while value > 0x7F:
        packed.append(value & 0x7F | 0x80)
        value >>= 7
    packed.append(value)
    return bytes(packed)


def _read_number(body: bytes, at: int) -> tuple[int, int]:
    """The number that starts there, and where the next begins."""
    value = shift = 0
    while body[at] > 0x7F:
        value |= (body[at] & 0x7F) << shift
        shift += 7
        at += 1
    return value | body[at] << shift, at + 1


def _apply(parent: bytes, body: bytes) -> bytes:
    lengths: list[int] = []
    try:
        count, at = _read_number(body, 0)
        for _ in range(3 * count):
            length, at = _read_number(body, at)
            lengths.append(length)
    except IndexError as error:
        raise CorruptDelta("This delta ends too early.") from error
    pieces: list[bytes] = []
    here = 0
    for copied, removed, added in zip(lengths[::3], lengths[1::3], lengths[2::3], strict=True):
        pieces += parent[here : here + copied], body[at : at + added]
        here += copied + removed
        at += added
    if here > len(parent) or at != len(body):
        raise CorruptDelta("This delta does not fit its parent's length or its own.")
    return b"".join((*pieces, parent[here:]))


def _edits(parent_text: str, text: str) -> list[_Edit]:
    """The edits in order, lines first and then words in the lines that differ: a third of the time of one pass."""
    edits: list[_Edit] = []
    here = 0
    for at, removed, added in _changes(parent_text, text, 0, (_LINES, _WORDS), time.time() + DEADLINE):
        copied = parent_text[here:at].encode()
        here = at + removed
        edits.append(_Edit(len(copied), len(parent_text[at:here].encode()), added.encode()))
    return edits


def _changes(
    old: str, new: str, at: int, grains: tuple[re.Pattern[str], ...], deadline: float
) -> Iterator[tuple[int, int, str]]:
    """(place in the parent, code points left out, text added), in order; `at` is where `old` stands in the parent."""
    same = _DMP.diff_commonPrefix(old, new)
    old, new, at = old[same:], new[same:], at + same
    same = _DMP.diff_commonSuffix(old, new)
    old, new = old[: len(old) - same], new[: len(new) - same]
    if not old and not new:
        return
    if not old or not new or not grains:
        yield at, len(old), new
        return
    removed = added = ""
    for operation, text in [*_diff(old, new, grains[0], deadline), (_DMP.DIFF_EQUAL, "")]:
        if operation == _DMP.DIFF_DELETE:
            removed += text
        elif operation == _DMP.DIFF_INSERT:
            added += text
        else:
            yield from _changes(removed, added, at, grains[1:], deadline)
            at += len(removed) + len(text)
            removed = added = ""


def _diff(old: str, new: str, grain: re.Pattern[str], deadline: float) -> Iterator[tuple[int, str]]:
    """diff-match-patch over whole lines or words, each standing in for one character."""
    pieces_old, pieces_new = grain.findall(old), grain.findall(new)
    codes: dict[str, int] = {}
    coded_old = "".join([chr(codes.setdefault(piece, len(codes))) for piece in pieces_old])
    coded_new = "".join([chr(codes.setdefault(piece, len(codes))) for piece in pieces_new])
    i = j = 0
    for operation, run in _DMP.diff_main(coded_old, coded_new, False, deadline):
        if operation == _DMP.DIFF_INSERT:
            yield operation, "".join(pieces_new[j : j + len(run)])
        else:
            yield operation, "".join(pieces_old[i : i + len(run)])
        i += len(run) * (operation != _DMP.DIFF_INSERT)
        j += len(run) * (operation != _DMP.DIFF_DELETE)
