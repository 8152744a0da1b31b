"""The difference between two texts line by line, as `diff -u` writes it and `patch` reads it."""

import re
from collections.abc import Iterator, Sequence

from app.revisions.diff_edits import align_in_bounds

CONTEXT = 3
"""Unchanged lines shown on either side of a change."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")

_Stretch = tuple[int, int, int, int]
"""Lines of the old text from, to before; lines of the new text from, to before."""


def unified(old: str, new: str, old_name: str, new_name: str) -> str:
    """The difference in unified format; empty for equal texts. Only LF ends a line."""
    before, after = _LINE.findall(old), _LINE.findall(new)
    written: list[str] = []
    for hunk in _hunks(before, after):
        written += _hunk_lines(hunk, before, after)
    if not written:
        return ""
    names = [f"{sign} {' '.join(name.split())}\n" for sign, name in (("---", old_name), ("+++", new_name))]
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in (*names, *written)
    )


def _hunks(before: Sequence[str], after: Sequence[str]) -> list[list[_Stretch]]:
    """The changed stretches, together where the lines shown around them would touch."""
    hunks: list[list[_Stretch]] = []
    i0 = j0 = 0
    for i, j in [*align_in_bounds(before, after), (len(before), len(after))]:
        if (i0, j0) != (i, j):
            if hunks and i0 - hunks[-1][-1][1] <= 2 * CONTEXT:
                hunks[-1].append((i0, i, j0, j))
            else:
                hunks.append([(i0, i, j0, j)])
        i0, j0 = i + 1, j + 1
    return hunks


def _hunk_lines(hunk: Sequence[_Stretch], before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    first, last = hunk[0], hunk[-1]
    start = max(0, first[0] - CONTEXT)
    end = min(len(before), last[1] + CONTEXT)
    yield f"@@ -{_span(start, end)} +{_span(first[2] - (first[0] - start), last[3] + end - last[1])} @@\n"
    for i0, i1, j0, j1 in hunk:
        yield from (f" {line}" for line in before[start:i0])
        yield from (f"-{line}" for line in before[i0:i1])
        yield from (f"+{line}" for line in after[j0:j1])
        start = i1
    yield from (f" {line}" for line in before[start:end])


def _span(start: int, end: int) -> str:
    """Line numbers as in "3,2"; an empty span names the line before it."""
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + (length > 0)},{length}"
