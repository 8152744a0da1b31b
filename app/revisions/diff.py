"""The difference between two texts for people: word by word, counted, and said in one sentence."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from app.revisions.diff_edits import is_word
from app.revisions.diff_sentence import sentence_of
from app.revisions.diff_words import Operation, Part, parts_of
from app.revisions.segments import words_of


@dataclass(frozen=True, slots=True)
class Op:
    """A stretch of text with one fate. `change` numbers the changes from 1; it is 0 for equal text.

    A moved passage is there twice under one number: where it stood before with `away`, and where it stands now.
    """

    op: Operation
    text: str
    change: int = 0
    away: bool = False

    def as_json(self) -> dict[str, Any]:
        """`{"op", "text"}`, with `"change"` where there is one, and `"from": true` where a moved passage stood."""
        change = {"change": self.change} if self.change else {}
        return {"op": self.op, "text": self.text} | change | ({"from": True} if self.away else {})


@dataclass(frozen=True, slots=True)
class Counts:
    """What changed, in words; moved words are counted once, and neither as added nor as removed."""

    words_added: int
    words_removed: int
    words_moved: int
    changes: int


@dataclass(frozen=True, slots=True)
class Diff:
    """Two texts compared. `parts` are finer than `ops`: they know their paragraph and section."""

    parts: tuple[Part, ...]
    counts: Counts
    sentence: str

    @property
    def ops(self) -> list[Op]:
        """Neighbouring parts of one fate joined.

        The texts of equal, insert and move without `away` are the new text; equal, delete and move with it the old.
        """
        return _joined(self.parts)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One changed paragraph, cut to what changed and a few words around; "…" stands for what is left out."""

    section: str
    parts: tuple[Part, ...]

    @property
    def ops(self) -> list[Op]:
        return _joined(self.parts)


def word_diff(old: str, new: str) -> Diff:
    """What changed from one text to the other. The same two texts always give the same answer."""
    parts = tuple(parts_of(old, new))
    counts = Counts(
        words_added=sum(part.words for part in parts if part.op == "insert"),
        words_removed=sum(part.words for part in parts if part.op == "delete"),
        words_moved=sum(part.words for part in parts if part.op == "move" and not part.away),
        changes=max((part.change for part in parts), default=0),
    )
    return Diff(parts, counts, sentence_of(parts))


def changes_only(diff: Diff, around: int = 6) -> list[Excerpt]:
    """The changed paragraphs, for cards: of unchanged text only `around` words on either side of a change.

    A passage that moved is shown where it stands now.
    """
    excerpts: list[Excerpt] = []
    for _, block in groupby(diff.parts, lambda part: part.block):
        shown = [part for part in block if not part.away and not part.minor]
        if any(part.change for part in shown):
            excerpts.append(Excerpt(shown[0].section, tuple(_shortened(shown, around))))
    return excerpts


def _joined(parts: Iterable[Part]) -> list[Op]:
    runs = groupby(parts, lambda part: (part.op, part.change, part.away))
    return [Op(op, "".join(part.text for part in run), change, away) for (op, change, away), run in runs]


def _shortened(parts: Sequence[Part], around: int) -> Iterator[Part]:
    runs = [(is_changed, list(run)) for is_changed, run in groupby(parts, lambda part: part.change > 0)]
    for at, (is_changed, run) in enumerate(runs):
        if is_changed:
            yield from run
            continue
        text = "".join(part.text for part in run)
        is_last = at == len(runs) - 1
        text = _cut(text.rstrip() if is_last else text, around if at else 0, 0 if is_last else around)
        yield run[0]._replace(text=text)


def _cut(text: str, head: int, tail: int) -> str:
    """The text with only so many words at its start and end, or whole if that would leave out no more than one."""
    tokens = words_of(text)
    words = [at for at, token in enumerate(tokens) if is_word(token)]
    if len(words) <= head + tail + 1:
        return text
    start = "".join(tokens[: words[head]]).rstrip() + " " if head else ""
    end = " " + "".join(tokens[words[-tail] :]) if tail else ""
    return f"{start}…{end}"
