"""Three-way merges of real history: what our merge makes of them, what git's does, and what people committed.

`python -m bench.merges --repo PATH [--drafts REFGLOB] [--json] [--show VERDICT]`, for any git repository or bundle.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from app.errors import Refused
from app.pages.text import normalise
from app.revisions.merge import Merged, merge
from app.revisions.wording import Guard
from bench.git_reader import Change, GitReader, NotReadableError, open_reader

DRAFTS = "refs/pull/*/head"
LONGEST = 1 << 30
VERDICTS = ("agree", "disagree", "asks", "clean alone", "both ask")


@dataclass(frozen=True)
class Case:
    """One page that two sides changed; `committed` is what people made of it, None for an unmerged proposal."""

    name: str
    base: str
    ours: str
    theirs: str
    committed: str | None


@dataclass(frozen=True)
class Outcome:
    """What git's merge and ours made of a case; None where they leave a conflict to people."""

    case: Case
    git: str | None
    merged: Merged

    @property
    def expected(self) -> str | None:
        """What people committed, else git's clean merge, else None."""
        return self.git if self.case.committed is None else self.case.committed

    @property
    def verdict(self) -> str:
        text = self.merged.text
        if text is None:
            return "both ask" if self.git is None else "asks"
        if self.expected is None:
            return "clean alone"
        return "agree" if text == self.expected else "disagree"


@dataclass
class Row:
    """One row of the table: merges of the main line, or unmerged proposals."""

    name: str
    outcomes: list[Outcome] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, int | str]:
        verdicts = Counter(outcome.verdict for outcome in self.outcomes)
        return {
            "name": self.name,
            "cases": len(self.outcomes),
            "git_clean": sum(outcome.git is not None for outcome in self.outcomes),
            "ours_clean": sum(outcome.merged.text is not None for outcome in self.outcomes),
            "agree": verdicts["agree"],
            "disagree": verdicts["disagree"],
            "asks_where_git_is_clean": verdicts["asks"],
            "people_differ_from_git": sum(o.git is not None and o.git != o.expected for o in self.outcomes),
            "skipped": len(self.skipped),
        }


class UnusableError(Exception):
    """A case that cannot be tried; the message says why."""


def text_of(reader: GitReader, blob: str, where: str) -> str:
    """A file as the program would take it in; raises `UnusableError` if it would not."""
    try:
        return normalise(reader.blob(blob).decode(), max_bytes=LONGEST)
    except UnicodeDecodeError:
        raise UnusableError(f"{where}: no UTF-8") from None
    except (Refused, NotReadableError) as refused:
        raise UnusableError(f"{where}: {refused}") from None


def merges_of(reader: GitReader, row: Row) -> Iterator[Case]:
    """Every page of every two-parent merge on the main line that both parents changed."""
    for commit, *parents in reader.merges():
        if len(parents) != 2:
            row.skipped.append(f"{commit[:10]}: a merge of {len(parents)} lines")
            continue
        base = reader.merge_base(*parents)
        if base is None:
            row.skipped.append(f"{commit[:10]}: the two lines have no common ancestor")
            continue
        mine = {change.path_before: change for change in reader.changes(base, parents[1]) if change.before}
        for change in reader.changes(base, parents[0]):
            other = mine.get(change.path_before)
            if change.before is None or other is None:
                continue
            path = change.path_after if change.path_after != change.path_before else other.path_after
            committed = reader.files(commit).get(path)
            yield from _case(reader, row, f"{commit[:10]} {path}", other, change.after, committed, (committed,))


def proposals_of(reader: GitReader, row: Row, drafts: str) -> Iterator[Case]:
    """Every page that an unmerged proposal changes, against its newest text on the main line."""
    merged, newest = reader.ancestors_of_main(), reader.files(reader.main)
    for name, tip in sorted(reader.refs().items()):
        if not fnmatchcase(name, drafts) or tip in merged:
            continue
        base = reader.merge_base(reader.main, tip)
        if base is None:
            row.skipped.append(f"{name}: no common ancestor with the main line")
            continue
        for change in reader.changes(base, tip):
            if change.before is None:
                continue
            path = reader.newest_path(change.path_before, base)
            yield from _case(reader, row, f"{name} {path}", change, newest.get(path), None, ())


def _case(
    reader: GitReader, row: Row, name: str, ours: Change, theirs: str | None, committed: str | None, needed: Iterable[str | None]
) -> Iterator[Case]:
    """The case with its texts, or nothing and a note why."""
    if ours.before is None or ours.after is None or theirs is None or None in needed:
        row.skipped.append(f"{name}: removed on one side")
        return
    try:
        texts = [text_of(reader, blob, name) for blob in (ours.before, ours.after, theirs)]
        yield Case(name, *texts, None if committed is None else text_of(reader, committed, name))
    except UnusableError as unusable:
        row.skipped.append(str(unusable))


def merge_file(base: str, ours: str, theirs: str) -> str | None:
    """What `git merge-file` makes of three texts, None if it finds a conflict."""
    with tempfile.TemporaryDirectory(prefix="merge-file-") as folder:
        paths = [Path(folder) / name for name in ("ours", "base", "theirs")]
        for path, text in zip(paths, (ours, base, theirs), strict=True):
            path.write_bytes(text.encode())
        done = subprocess.run(
            ["git", "merge-file", "-p", "--quiet", *map(str, paths)], capture_output=True, check=False
        )
    return done.stdout.decode() if done.returncode == 0 else None


def run(path: Path, drafts: str, guarded: Guard = "literal") -> list[Row]:
    """Both rows of the table for a repository or bundle."""
    rows = [Row("merges"), Row("proposals")]
    with open_reader(path) as reader:
        for row, cases in zip(rows, (merges_of(reader, rows[0]), proposals_of(reader, rows[1], drafts)), strict=True):
            for case in cases:
                git = merge_file(case.base, case.ours, case.theirs)
                row.outcomes.append(Outcome(case, git, merge(case.base, case.ours, case.theirs, guarded=guarded)))
    return rows
