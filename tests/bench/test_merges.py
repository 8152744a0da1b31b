"""The merge benchmark on small histories made here: it counts rightly, and nothing odd in a repository stops it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.revisions.merge import merge
from bench.git_reader import NotReadableError, open_reader
from bench.merges import Case, Outcome, Row, run

BASE = "# Page\n\nOne a is here.\n\nTwo b is here.\n\nThree c is here.\n"


@dataclass
class History:
    """A git repository written commit by commit; a commit is named by its number."""

    path: Path
    stream: bytes = b""
    commits: int = field(default=0)

    def commit(self, files: Mapping[str, str | bytes], *parents: int, ref: str = "refs/heads/main") -> int:
        self.commits += 1
        head = f"commit {ref}\nmark :{self.commits}\ncommitter A <a@example.org> {1_600_000_000 + self.commits} +0000\n"
        lines = [f"{head}data 0\n".encode()]
        lines += [f"{'merge' if k else 'from'} :{parent}\n".encode() for k, parent in enumerate(parents)]
        lines.append(b"deleteall\n")
        for path, text in files.items():
            if path.endswith("module.md"):
                lines.append(f"M 160000 {'1' * 40} {path}\n".encode())
                continue
            content = text if isinstance(text, bytes) else text.encode()
            lines.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
        self.stream += b"".join(lines)
        return self.commits

    def write(self) -> Path:
        subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", str(self.path)], check=True)
        command = ["git", "-C", str(self.path), "fast-import", "--quiet", "--force"]
        subprocess.run(command, input=self.stream, check=True)
        return self.path


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "repo.git")


def rows_of(path: Path) -> dict[str, Row]:
    return {row.name: row for row in run(path)}


def verdicts(row: Row) -> list[str]:
    return [outcome.verdict for outcome in row.outcomes]


def test_a_real_merge_is_compared_with_what_people_committed(history: History) -> None:
    base = history.commit({"a.md": BASE, "b.md": BASE, "c.md": BASE, "d.md": BASE, "e.txt": BASE})
    one, three = BASE.replace("One a", "One x"), BASE.replace("Three c", "Three y")
    both = one.replace("Three c", "Three y")
    near = BASE.replace("Two b", "Two z")
    mine = history.commit({"a.md": one, "b.md": one, "c.md": one, "d.md": one, "e.txt": one}, base)
    other = {"a.md": three, "b.md": three, "c.md": near.replace("One a", "Uno a"), "d.md": near, "e.txt": three}
    theirs = history.commit(other, base, ref="refs/heads/side")
    committed = {"a.md": both, "b.md": both.replace("Two b", "Two!"), "c.md": one, "d.md": one, "e.txt": both}
    history.commit(committed, mine, theirs)
    row = rows_of(history.write())["merges"]
    assert verdicts(row) == ["agree", "edited", "both ask", "edited"]
    figures = row.figures()
    assert (figures["cases"], figures["git_clean"], figures["ours_clean"]) == (4, 3, 3)


@pytest.mark.parametrize(
    ("git", "committed", "verdict", "difference"),
    [
        ("One x. Two y.", "One x. Two y.", "agree", ""),
        ("Two y. One x.", None, "disagree", "order"),
        ("One x.  Two y.", None, "disagree", "spaces and empty lines"),
        ("One x. Two y.", "One z. Two y.", "edited", "1 sentences in ours alone, 1 in the other alone"),
        ("One z. Two y.", "Two y.", "disagree", "1 sentences in ours alone, 0 in the other alone"),
        (None, "Two y.", "resolved", "1 sentences in ours alone, 0 in the other alone"),
        (None, None, "alone", "2 sentences in ours alone, 0 in the other alone"),
    ],
)
def test_each_case_has_a_verdict(git: str | None, committed: str | None, verdict: str, difference: str) -> None:
    case = Case("page", "One a. Two b.", "One x. Two b.", "One a. Two y.", committed)
    outcome = Outcome(case, git, merge(case.base, case.ours, case.theirs))
    assert outcome.verdict == verdict
    assert verdict == "agree" or outcome.difference() == difference


def test_a_last_line_end_is_no_disagreement(history: History) -> None:
    base = history.commit({"a.md": BASE})
    one = history.commit({"a.md": BASE.replace("One a", "One x")}, base)
    two = history.commit({"a.md": BASE.replace("Three c", "Three y")}, base, ref="refs/heads/side")
    both = BASE.replace("One a", "One x").replace("Three c", "Three y")
    history.commit({"a.md": both + "\n"}, one, two)
    assert verdicts(rows_of(history.write())["merges"]) == ["agree"]


def test_unmerged_proposals_are_merged_with_the_newest_text_of_their_page(history: History) -> None:
    base = history.commit({"a.md": BASE, "old.md": BASE, "gone.md": "Short.\n", "plain.txt": BASE})
    newest = {"a.md": BASE + "\nTheirs is added.\n", "new.md": BASE.replace("Three c", "Three y"), "plain.txt": BASE}
    history.commit(newest, base)
    proposed = {
        "a.md": BASE + "\nOurs has been put in.\n",
        "old.md": BASE.replace("One a", "One x"),
        "gone.md": "Short.\nMore.\n",
        "plain.txt": BASE + "x",
        "added.md": BASE,
    }
    history.commit(proposed, base, ref="refs/pull/1/head")
    history.commit({"a.md": BASE + "x", "old.md": BASE}, base, ref="refs/heads/other")
    rows = rows_of(history.write())
    assert [(o.case.name, o.verdict) for o in rows["proposals"].outcomes] == [("refs/pull/1/head a.md", "alone")]
    assert rows["proposals"].outcomes[0].merged.text == BASE + "\nTheirs is added.\n\nOurs has been put in.\n"
    renamed = [(o.case.name, o.verdict) for o in rows["proposals, page renamed"].outcomes]
    assert renamed == [("refs/pull/1/head new.md", "agree")]
    assert rows["proposals"].skipped == ["refs/pull/1/head gone.md: removed on one side"]


def test_a_page_is_followed_through_several_renames(history: History) -> None:
    first = history.commit({"one.md": BASE})
    second = history.commit({"dir/two.md": BASE}, first)
    grown = BASE + "\nA new one here.\n"
    history.commit({"dir/three.md": grown}, history.commit({"dir/three.md": BASE}, second))
    history.commit({"one.md": BASE.replace("One a", "One x")}, first, ref="refs/pull/7/head")
    (outcome,) = rows_of(history.write())["proposals, page renamed"].outcomes
    assert outcome.case.name == "refs/pull/7/head dir/three.md"
    assert outcome.merged.text == grown.replace("One a", "One x")


def test_a_merged_proposal_is_none_any_more(history: History) -> None:
    base = history.commit({"a.md": BASE})
    tip = history.commit({"a.md": BASE + "x"}, base, ref="refs/pull/1/head")
    history.commit({"a.md": BASE + "x"}, history.commit({"a.md": BASE}, base), tip)
    assert rows_of(history.write())["proposals"].outcomes == []


def test_what_cannot_be_tried_is_left_out_by_name(history: History) -> None:
    base = history.commit({"a.md": BASE, "latin.md": BASE, "gone.md": BASE, "bidi.md": BASE, "module.md": ""})
    latin = "caf\xe9\n".encode("latin-1")
    side: dict[str, str | bytes] = {
        "a.md": BASE + "x",
        "latin.md": latin,
        "gone.md": BASE + "x",
        "bidi.md": BASE + "\u202e",
        "module.md": "",
    }
    one = history.commit(side, base, ref="refs/heads/side")
    two = history.commit({"latin.md": BASE + "y", "gone.md": BASE + "y", "bidi.md": BASE + "y"}, base)
    merged = history.commit({"latin.md": BASE, "bidi.md": BASE}, two, one)
    other = history.commit({"latin.md": BASE}, base, ref="refs/heads/third")
    history.commit({"latin.md": BASE}, merged, one, other)
    row = rows_of(history.write())["merges"]
    assert row.outcomes == []
    assert sorted(skipped.split(" ", 1)[1].split(". ")[0] for skipped in row.skipped) == [
        "a merge of 3 lines",
        "a.md: removed in the merge",
        "bidi.md: This text holds a hidden mark that turns the reading direction (U+202E, character 58)",
        "gone.md: removed in the merge",
        "latin.md: no UTF-8",
    ]


def test_lines_without_a_common_beginning_are_left_out(history: History) -> None:
    one, two = history.commit({"a.md": BASE}), history.commit({"a.md": BASE + "x"}, ref="refs/pull/1/head")
    three = history.commit({"b.md": BASE}, ref="refs/heads/third")
    history.commit({"a.md": BASE}, one, three)
    rows = rows_of(history.write())
    assert rows["merges"].skipped[0].endswith("the two lines have no common ancestor")
    assert rows["proposals"].skipped == ["refs/pull/1/head: no common ancestor with the main line"]
    assert two


def test_a_history_without_merges_or_proposals_has_no_cases(history: History) -> None:
    history.commit({"a.md": BASE})
    assert all(not row.outcomes for row in run(history.write()))


def test_a_bundle_is_read_like_the_repository_it_was_made_of(history: History, tmp_path: Path) -> None:
    base = history.commit({"a.md": BASE})
    history.commit({"a.md": BASE + "\nTheirs is added.\n"}, base)
    history.commit({"a.md": BASE.replace("One a", "One x")}, base, ref="refs/pull/1/head")
    bundle = tmp_path / "history.bundle"
    command = ["git", "-C", str(history.write()), "bundle", "create", "--quiet", str(bundle), "--all"]
    subprocess.run(command, check=True)
    command = [sys.executable, "-m", "bench.merges", "--repo", str(bundle), "--json"]
    done = subprocess.run(command, capture_output=True, check=True)
    rows = json.loads(done.stdout)["rows"]
    assert [row["name"] for row in rows] == ["merges", "proposals", "proposals, page renamed"]
    assert [(row["cases"], row["git_clean"], row["ours_clean"], row["agree"], row["disagree"]) for row in rows] == [
        (0, 0, 0, 0, 0),
        (1, 1, 1, 1, 0),
        (0, 0, 0, 0, 0),
    ]


@pytest.mark.parametrize(
    ("kind", "message"), [("missing", "nothing at"), ("file", "no git bundle"), ("empty", "main line")]
)
def test_what_is_no_history_is_refused_in_plain_words(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / "x"
    if kind == "file":
        path.write_text("no bundle")
    elif kind == "empty":
        subprocess.run(["git", "init", "--quiet", str(path)], check=True)
    with pytest.raises(NotReadableError, match=message), open_reader(path):
        pass
