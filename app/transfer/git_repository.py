"""Reads a git repository, work tree or bundle by asking git itself: commits, changes and texts."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from app.errors import Refused
from app.pages.text import MAX_BYTES, Text, normalise
from app.transfer.git_history import Change, Commit, GitHistory, Progress

_MARKDOWN = "*.md"
_FILE_MODES = (b"100644", b"100755", b"100664")
_CHUNK = 1 << 20
_READ_AT_MOST = 8 * MAX_BYTES
"""Normalising can shorten a text, but never this much of it that is worth having."""


class GitRepository:
    """An open repository. Texts come through one `git cat-file` process, everything else in three calls."""

    def __init__(self, git_dir: Path) -> None:
        self._git_dir = git_dir
        self._texts: subprocess.Popen[bytes] | None = None
        self.text_of = lru_cache(maxsize=256)(self._read_text)
        """The normalised text of a blob; raises `Refused` with the reason where it cannot be used."""

    def history(self, *, drafts: str | None = None, progress: Progress = lambda done, total, what: None) -> GitHistory:
        """Every commit behind the main branch and behind each ref that `drafts` matches.

        The main branch is the one HEAD names, else `main`, else `master`. `drafts` is a pattern as for
        `git for-each-ref`, in which `*` also crosses slashes.
        """
        refs = self._refs()
        branch, main = self._main_branch(refs)
        proposals = {ref: commit for ref, commit in refs.items() if drafts and _matches(ref, drafts) and ref != branch}
        progress(0, 1, "reading commits")
        commits, trees = self._commits([main, *proposals.values()])
        progress(1, 1, "reading commits")
        return GitHistory(self._with_changes(commits, trees, progress), branch, main, proposals)

    def close(self) -> None:
        """End the process that reads texts."""
        if self._texts is not None:
            self._texts.__exit__(None, None, None)

    def _run(self, *arguments: str, given: str = "") -> str:
        return _run_git("--git-dir", str(self._git_dir), *arguments, given=given)

    def _refs(self) -> dict[str, str]:
        """Ref → commit; tags count as what they point to."""
        form = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"
        refs: dict[str, str] = {}
        for line in self._run("for-each-ref", f"--format={form}").splitlines():
            kind, commit, tagged_kind, tagged, ref = line.split(" ", 4)
            if "commit" in (kind, tagged_kind):
                refs[ref] = commit if kind == "commit" else tagged
        return refs

    def _main_branch(self, refs: Mapping[str, str]) -> tuple[str, str]:
        named = self._run("rev-parse", "--symbolic-full-name", "HEAD").strip() if refs else ""
        for branch in (named, "refs/heads/main", "refs/heads/master"):
            if branch in refs:
                return branch, refs[branch]
        head = self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}") if refs else ""
        if head:
            return "HEAD", head.strip()
        if not refs:
            raise Refused("This git repository holds no commits yet, so there is nothing to import.")
        some = ", ".join(list(refs)[:5])
        raise Refused(f"This git repository has no branch named main or master, and its HEAD names none. It has: {some}.")

    def _commits(self, heads: Sequence[str]) -> tuple[list[Commit], dict[str, str]]:
        """All commits behind the heads, parents first, older first; and the tree of each."""
        form = "%H%n%T%n%P%n%at%n%ct%n%an%n%B"
        options = ("--date-order", "--reverse", "--no-show-signature", "--encoding=UTF-8", "-z", "--stdin")
        output = self._run("log", *options, f"--format={form}", given="\n".join(dict.fromkeys(heads)) + "\n")
        commits: list[Commit] = []
        trees: dict[str, str] = {}
        for record in output.split("\0"):
            if record:
                name, tree, parents, authored, committed, author, message = record.split("\n", 6)
                times = (_seconds(authored), _seconds(committed))
                commits.append(Commit(name, tuple(parents.split()), author, *times, message, changes=()))
                trees[name] = tree
        return commits, trees
