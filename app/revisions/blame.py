"""Who first wrote which words of a text, followed through edits, moves, forks, merges and restored texts.

Words that come back one by one after they were deleted belong to whoever brought them back: finding their first writer
would mean comparing with every older revision. A whole text that is restored keeps its first writers.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.revisions.diff_words import Part, parts_of
from app.revisions.segments import blocks_of


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring words and the id of the revision that first wrote them."""

    text: str
    origin: int


Span = tuple[int, int, int]
"""Start and end of a stretch of characters, and the id of the revision that first wrote them."""

Attribution = tuple[Span, ...]
"""Spans that cover a text from start to end; neighbours have different origins. Small enough to be kept."""


@dataclass(frozen=True, slots=True)
class Version:
    """A revision as `blame` needs it; `parents` names the draft's previous head first."""

    id: int
    parents: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class BlamedSentence:
    """One sentence with the spaces and empty lines after it. `origins`: whoever wrote most of its letters first.

    `block` counts the text's blocks from 0, so that sentences of one paragraph can stand together.
    """

    text: str
    block: int
    runs: tuple[Run, ...]
    origins: tuple[int, ...]


def blame(history: Sequence[Version], target: int) -> list[Run]:
    """The text of revision `target` with the revision that first wrote each word.

    `history` holds it and all its ancestors, parents before children; other revisions in it do not matter.
    """
    versions = {version.id: version for version in history}
    wanted = _ancestors(versions, target)
    done: dict[int, Attribution] = {}
    same_text: dict[str, list[int]] = {}
    for version in history:
        if version.id not in wanted:
            continue
        earlier = same_text.setdefault(version.text, [])
        ancestors = _ancestors(versions, version.id) if earlier else set()
        nearest = [parent for parent in version.parents if parent in earlier]
        restored = next((id_ for id_ in [*nearest, *earlier] if id_ in ancestors), None)
        if restored is not None:
            done[version.id] = done[restored]
        else:
            parents = [(versions[parent].text, done[parent]) for parent in version.parents]
            done[version.id] = attribute(version.text, parents, version.id)
        earlier.append(version.id)
    return runs_of(versions[target].text, done[target])


def attribute(text: str, parents: Sequence[tuple[str, Attribution]], origin: int) -> Attribution:
    """Who wrote the text of revision `origin`, given the texts of its parents and who wrote them.

    Words that the first parent has are its, then those of the second, and so on; what none has is new.
    """
    claimed: list[Span] = []
    for parent_text, attribution in parents:
        inherited = _inherited(text, parent_text, attribution)
        claimed = sorted([*claimed, *_clipped(inherited, _gaps(claimed, len(text)))]) if claimed else list(inherited)
    claimed += [(start, end, origin) for start, end in _gaps(claimed, len(text))]
    return _joined(text, sorted(claimed))


def runs_of(text: str, attribution: Attribution) -> list[Run]:
    """The text as runs, in order and lossless."""
    return [Run(text[start:end], origin) for start, end, origin in attribution]


def by_sentence(runs: Iterable[Run]) -> list[BlamedSentence]:
    """The sentences of the text in order, each with the runs in it."""
    spans: list[Span] = []
    text = ""
    for run in runs:
        spans.append((len(text), len(text) + len(run.text), run.origin))
        text += run.text
    sentences: list[BlamedSentence] = []
    start = 0
    for number, block in enumerate(blocks_of(text)):
        *first, last = block.sentences or [""]
        for sentence in (*first, last + block.gap):
            inner = runs_of(sentence, tuple(_carried(spans, start, 0, len(sentence))))
            sentences.append(BlamedSentence(sentence, number, tuple(inner), _by_share(inner)))
            start += len(sentence)
    return sentences


def _ancestors(versions: Mapping[int, Version], of: int) -> set[int]:
    """The revision itself and everything it descends from."""
    found: set[int] = set()
    waiting = [of]
    while waiting:
        id_ = waiting.pop()
        if id_ not in found:
            found.add(id_)
            waiting.extend(versions[id_].parents)
    return found


def _inherited(text: str, old: str, spans: Attribution) -> Iterator[Span]:
    """The stretches of the text that were in the parent's, in order, with the origins they had there."""
    start, end_old, end_new = _differing(old, text)
    yield from _carried(spans, 0, 0, start)
    at_old, at_new = start, start
    parts = parts_of(old[start:end_old], text[start:end_new])
    left = _left(parts, start)
    for part in parts:
        length = len(part.text)
        if part.op == "equal":
            yield from _carried(spans, at_old, at_new, length)
        elif part.op == "move" and not part.away:
            # Only the spaces after a moved sentence can differ between its two places.
            yield from _carried(spans, left[part.change].pop(0), at_new, len(part.text.rstrip()))
        at_old += length if part.is_old else 0
        at_new += length if part.is_new else 0
    yield from _carried(spans, end_old, end_new, len(text) - end_new)


def _left(parts: Sequence[Part], start: int) -> dict[int, list[int]]:
    """Where in the old text the sentences of each move stood, in order; `start` is where the parts begin in it."""
    left: dict[int, list[int]] = {}
    at = start
    for part in parts:
        if part.away:
            left.setdefault(part.change, []).append(at)
        at += len(part.text) if part.is_old else 0
    return left


def _differing(old: str, new: str) -> tuple[int, int, int]:
    """Where the first paragraph that differs starts, and where the last one ends in the old and the new text."""
    ours, theirs = old.split("\n\n"), new.split("\n\n")
    shorter = min(len(ours), len(theirs))
    first = next((at for at in range(shorter) if ours[at] != theirs[at]), shorter)
    last = next((back for back in range(shorter - first) if ours[-1 - back] != theirs[-1 - back]), shorter - first)
    start = sum(len(paragraph) + 2 for paragraph in ours[:first])
    rest = len("\n\n".join(ours[len(ours) - last :]))
    return min(start, len(old), len(new)), len(old) - rest, len(new) - rest


def _carried(spans: Sequence[Span], start: int, to: int, length: int) -> Iterator[Span]:
    """The spans of `length` characters from `start`, shifted so that they begin at `to`."""
    end = start + length
    at = bisect_right(spans, start, key=lambda span: span[1])
    while start < end:
        _, span_end, origin = spans[at]
        piece = min(span_end, end) - start
        yield to, to + piece, origin
        start, to, at = start + piece, to + piece, at + 1


def _gaps(claimed: Sequence[Span], length: int) -> list[tuple[int, int]]:
    """The stretches between spans in order."""
    gaps: list[tuple[int, int]] = []
    at = 0
    for start, end in [*((start, end) for start, end, _ in claimed), (length, length)]:
        if at < start:
            gaps.append((at, start))
        at = end
    return gaps


def _clipped(spans: Iterator[Span], free: Sequence[tuple[int, int]]) -> Iterator[Span]:
    """The parts of the spans that lie in free stretches; both in order."""
    at = 0
    for start, end, origin in spans:
        while at < len(free) and free[at][1] <= start:
            at += 1
        inside = at
        while inside < len(free) and free[inside][0] < end:
            yield max(start, free[inside][0]), min(end, free[inside][1]), origin
            inside += 1


def _joined(text: str, spans: Iterable[Span]) -> Attribution:
    """Spans in order, neighbours of one origin as one; spaces go with the words before them."""
    joined: list[Span] = []
    for start, end, origin in spans:
        if joined and (joined[-1][2] == origin or text[start:end].isspace()):
            joined[-1] = (joined[-1][0], end, joined[-1][2])
        else:
            joined.append((start, end, origin))
    return tuple(joined)


def _by_share(runs: Iterable[Run]) -> tuple[int, ...]:
    letters: Counter[int] = Counter()
    for run in runs:
        letters[run.origin] += sum(not char.isspace() for char in run.text)
    return tuple(origin for origin, count in letters.most_common() if count)
