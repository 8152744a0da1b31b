"""Reading any git repository or bundle: its main line, its changes and its texts, with few processes."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RENAME = "-M50%"


class NotReadable(Exception):
    """The path is no git repository, no bundle, or has no main line. The message says which."""


@dataclass(frozen=True)
class Change:
    """One file between two commits: its blob before and after, None where it is not; the path before and after."""

    before: str | None
    after: str | None
    path_before: str
    path_after: str


class GitReader:
    """A repository, opened for reading only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._blobs = subprocess.Popen(
            ["git", "-C", str(path), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.main = self._find_main()

    def close(self) -> None:
        if self._blobs.stdin:
            self._blobs.stdin.close()
        self._blobs.wait()
        if self._blobs.stdout:
            self._blobs.stdout.close()

    def run(self, *args: str, ok: Sequence[int] = (0,), stdin: str | None = None) -> str:
        """The output of a git command; bytes that are no UTF-8 come back as surrogates, so that paths stay usable."""
        done = subprocess.run(
            ["git", "-C", str(self.path), *args],
            capture_output=True,
            check=False,
            input=None if stdin is None else stdin.encode(),
        )
        if done.returncode not in ok:
            raise NotReadable(f"git {' '.join(args[:2])}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode(errors="surrogateescape")

    def _find_main(self) -> str:
        """The commit of the main line: HEAD, else main or master, else the only branch."""
        heads = dict(line.split(" ", 1)[::-1] for line in self._refs("refs/heads"))
        for name in ("HEAD", "refs/heads/main", "refs/heads/master", *(heads if len(heads) == 1 else ())):
            commit = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", ok=(0, 1, 128)).strip()
            if commit:
                return commit
        raise NotReadable(f"{self.path} has no main line: neither HEAD nor a branch main or master leads to a commit.")

    def _refs(self, *patterns: str) -> list[str]:
        return self.run("for-each-ref", "--format=%(objectname) %(refname)", *patterns).splitlines()

    def refs(self) -> dict[str, str]:
        """Every ref with the commit it leads to; refs to anything else are left out."""
        listed = self.run("for-each-ref", "--format=%(refname) %(objecttype) %(objectname) %(*objecttype) %(*objectname)")
        refs = {}
        for line in listed.splitlines():
            name, *kinds = line.split(" ")
            commits = [kinds[k + 1] for k in range(0, len(kinds) - 1, 2) if kinds[k] == "commit"]
            if commits:
                refs[name] = commits[0]
        return refs

    def merges(self) -> list[list[str]]:
        """Every merge in the history of the main line, oldest first, as [commit, parents …]."""
        return [line.split() for line in self.run("rev-list", "--merges", "--parents", "--reverse", self.main).splitlines()]

    @cache
    def merge_base(self, one: str, two: str) -> str | None:
        """The best common ancestor, None if there is none."""
        return self.run("merge-base", one, two, ok=(0, 1)).strip() or None

    @cache
    def ancestors_of_main(self) -> frozenset[str]:
        return frozenset(self.run("rev-list", self.main).split())

    @cache
    def changes(self, before: str, after: str) -> tuple[Change, ...]:
        """The Markdown files that differ between two commits, renames paired as git does at 50 %."""
        raw = self.run("diff-tree", "-r", "-z", "--raw", RENAME, before, after).split("\0")
        found = []
        at = 0
        while at < len(raw) - 1:
            old_mode, new_mode, old, new, status = raw[at].lstrip(":").split(" ")
            paths = raw[at + 1 : at + (3 if status[0] in "RC" else 2)]
            at += 1 + len(paths)
            # Submodules and symbolic links are no texts.
            if paths[-1].lower().endswith(".md") and {old_mode, new_mode} <= {"000000", "100644", "100755"}:
                found.append(Change(old if int(old, 16) else None, new if int(new, 16) else None, paths[0], paths[-1]))
        return tuple(found)

    def blob_at(self, commit: str, path: str) -> str | None:
        """The id of the file at a path in a commit."""
        listed = self.run("ls-tree", "-z", commit, "--", path, ok=(0, 128)).split("\0")[0]
        mode, _, rest = listed.partition(" ")
        return rest.split()[1].split("\t")[0] if mode in ("100644", "100755") else None

    @cache
    def blob(self, name: str) -> bytes:
        """The bytes of a file by its id."""
        if self._blobs.stdin is None or self._blobs.stdout is None:
            raise NotReadable("git cat-file has no pipes")
        self._blobs.stdin.write(name.encode() + b"\n")
        self._blobs.stdin.flush()
        header = self._blobs.stdout.readline().split()
        if len(header) != 3:
            raise NotReadable(f"object {name} is missing")
        content = self._blobs.stdout.read(int(header[2]))
        self._blobs.stdout.read(1)
        return content
