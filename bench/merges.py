"""Three-way merges of real history: what our merge makes of them, what git's does, and what people committed.

`python -m bench.merges --repo PATH [--drafts REFGLOB] [--json] [--show VERDICT]`, for any git repository or bundle.
"""

import argparse
import difflib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from app.errors import Refused
from app.pages.text import normalise
from app.revisions.changes import sentences_in
from app.revisions.merge import Merged, merge
from app.revisions.wording import Guard
from bench.git_reader import Change, GitReader, NotReadableError, open_reader

DRAFTS = "refs/pull/*/head"
LONGEST = 1 << 30
VERDICTS = {
    "agree": "clean, and the same text as people committed, or as git's clean merge of a proposal",
    "disagree": "clean, as git's is, and another text",
    "edited": "clean and the same as git's clean merge, which people edited before they committed it",
    "asks": "a conflict where git has none",
    "resolved": "clean where git has a conflict, and another text than people then committed",
    "alone": "clean where git has a conflict, of a proposal that nobody merged",
    "both ask": "a conflict, as git's",
}


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
        """One of `VERDICTS`. Whether a text ends with a line end does not count: web editors add or drop it."""
        text = self.merged.text
        if text is None:
            return "both ask" if self.git is None else "asks"
        if self.expected is not None and text.rstrip("\n") == self.expected.rstrip("\n"):
            return "agree"
        if self.git is not None:
            return "edited" if text == self.git else "disagree"
        return "resolved" if self.case.committed is not None else "alone"

    def difference(self) -> str:
        """In which way ours is another text than the expected one."""
        ours, expected = self.merged.text or "", self.expected or ""
        if ours.split() == expected.split():
            return "spaces and empty lines"
        mine, other = Counter(sentences_in(ours).keys), Counter(sentences_in(expected).keys)
        if mine == other:
            return "order"
        return f"{(mine - other).total()} sentences in ours alone, {(other - mine).total()} in the other alone"


@dataclass
class Row:
    """One row of the table."""

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
            "people_edited": verdicts["edited"],
            "asks_where_git_is_clean": verdicts["asks"],
            "clean_where_git_is_not": verdicts["alone"] + verdicts["resolved"],
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
            if committed is None:
                row.skipped.append(f"{commit[:10]} {path}: removed in the merge")
                continue
            yield from _case(reader, row, f"{commit[:10]} {path}", other, change.after, committed)


def proposals_of(reader: GitReader, rows: tuple[Row, Row], drafts: str) -> Iterator[tuple[Row, Case]]:
    """Every page that an unmerged proposal changes, against its newest text on the main line.

    The first row takes the pages that still stand at their old path, the second those that were renamed meanwhile.
    """
    merged, newest = reader.ancestors_of_main(), reader.files(reader.main)
    for name, tip in sorted(reader.refs().items()):
        if not fnmatchcase(name, drafts) or tip in merged:
            continue
        base = reader.merge_base(reader.main, tip)
        if base is None:
            rows[0].skipped.append(f"{name}: no common ancestor with the main line")
            continue
        for change in reader.changes(base, tip):
            if change.before is None:
                continue
            path = reader.newest_path(change.path_before, base)
            row = rows[path != change.path_before]
            for case in _case(reader, row, f"{name} {path}", change, newest.get(path)):
                yield row, case


def _case(
    reader: GitReader, row: Row, name: str, ours: Change, theirs: str | None, committed: str | None = None
) -> Iterator[Case]:
    """The case with its texts, or nothing and a note why."""
    if ours.before is None or ours.after is None or theirs is None:
        row.skipped.append(f"{name}: removed on one side")
        return
    try:
        before, mine, other = (text_of(reader, blob, name) for blob in (ours.before, ours.after, theirs))
        yield Case(name, before, mine, other, None if committed is None else text_of(reader, committed, name))
    except UnusableError as unusable:
        row.skipped.append(str(unusable))


def merge_file(base: str, ours: str, theirs: str) -> str | None:
    """What `git merge-file` makes of three texts, None if it finds a conflict."""
    with tempfile.TemporaryDirectory(prefix="merge-file-") as folder:
        paths = [Path(folder) / name for name in ("ours", "base", "theirs")]
        for path, text in zip(paths, (ours, base, theirs), strict=True):
            path.write_bytes(text.encode())
        command = ["git", "merge-file", "-p", "--quiet", *map(str, paths)]
        done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout.decode() if done.returncode == 0 else None


def run(path: Path, drafts: str = DRAFTS, guarded: Guard = "literal") -> list[Row]:
    """All rows of the table for a repository or bundle. Raises `NotReadableError`."""
    merges, proposals, renamed = Row("merges"), Row("proposals"), Row("proposals, page renamed")
    with open_reader(path) as reader:
        cases = [(merges, case) for case in merges_of(reader, merges)]
        cases += proposals_of(reader, (proposals, renamed), drafts)
    for row, case in cases:
        merged = merge(case.base, case.ours, case.theirs, guarded=guarded)
        row.outcomes.append(Outcome(case, merge_file(case.base, case.ours, case.theirs), merged))
    return [merges, proposals, renamed]


def print_table(rows: list[Row]) -> None:
    _, *columns = Row("").figures()
    print(f"{'':24}", *columns, sep="  ")
    for row in rows:
        figures = row.figures()
        print(f"{row.name:24}", *(f"{figures[column]:>{len(column)}}" for column in columns), sep="  ")
        for skipped in row.skipped:
            print(f"    left out: {skipped}".encode(errors="replace").decode())


def print_outcomes(rows: list[Row], verdict: str) -> None:
    """Every case with this verdict: how ours differs, as a line diff, or what it asks."""
    for row in rows:
        for outcome in row.outcomes:
            if outcome.verdict != verdict:
                continue
            print(f"\n{row.name}: {outcome.case.name}".encode(errors="replace").decode())
            for conflict in outcome.merged.conflicts:
                print(f"  {conflict.reason}")
                for side in ("base", "ours", "theirs"):
                    print(f"    {side:>6}: {getattr(conflict, side)!r}")
            if not outcome.merged.conflicts and outcome.verdict != "agree":
                print(f"  differs in: {outcome.difference()}" if outcome.expected is not None else "")
                before = outcome.case.theirs if outcome.expected is None else outcome.expected
                lines = (before.splitlines(), (outcome.merged.text or "").splitlines())
                print("\n".join(difflib.unified_diff(*lines, "expected", "ours", lineterm="", n=1)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.merges", description="Three-way merges of real history against git.")
    parser.add_argument("--repo", type=Path, required=True, help="a git repository or bundle")
    parser.add_argument("--drafts", default=DRAFTS, help="the refs that are proposals (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--guard", choices=("literal", "altered", "off"), default="literal", help="to compare")
    parser.add_argument(
        "--show", choices=VERDICTS, default="disagree", help="the cases to print (default: %(default)s)"
    )
    asked = parser.parse_args()
    try:
        rows = run(asked.repo, asked.drafts, asked.guard)
    except NotReadableError as unreadable:
        print(unreadable, file=sys.stderr)
        return 2
    if asked.json:
        listed = [o.case.name + ": " + o.difference() for row in rows for o in row.outcomes if o.verdict == "disagree"]
        print(json.dumps({"rows": [row.figures() for row in rows], "disagreements": listed}, indent=1))
    else:
        print_table(rows)
        print_outcomes(rows, asked.show)
    return 0


if __name__ == "__main__":
    sys.exit(main())
