"""Reading any git repository or bundle: its main line, its changes and its texts, with few processes."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RENAME = "-M50%"
FILES = frozenset({"000000", "100644", "100755"})
"""The modes of files, and of no file; submodules and symbolic links are no texts."""


class NotReadableError(Exception):
    """The path is no git repository or bundle, or has no main line; the message says which."""


@dataclass(frozen=True)
class Change:
    """One Markdown file between two commits: its blob before and after, None where there is none, and its paths."""

    before: str | None
    after: str | None
    path_before: str
    path_after: str


class GitReader:
    """A repository, opened for reading only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.main = self._find_main()
        self._blobs = subprocess.Popen(
            ["git", "-C", str(path), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._changes: dict[tuple[str, str], list[Change]] = {}
        self._renames: dict[str, list[tuple[str, str]]] | None = None

    def close(self) -> None:
        self._blobs.communicate()

    def run(self, *args: str, ok: Sequence[int] = (0,)) -> str:
        """The output of a git command; bytes of paths that are no UTF-8 come back as surrogates and stay usable."""
        done = subprocess.run(["git", "-C", str(self.path), *args], capture_output=True, check=False)
        if done.returncode not in ok:
            raise NotReadableError(f"git {args[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode(errors="surrogateescape")

    def _find_main(self) -> str:
        heads = self.run("for-each-ref", "--format=%(refname)", "refs/heads").split()
        for name in ("HEAD", "refs/heads/main", "refs/heads/master", *(heads if len(heads) == 1 else ())):
            commit = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", ok=(0, 1, 128)).strip()
            if commit:
                return commit
        raise NotReadableError(f"{self.path} has no main line: no HEAD and no branch main or master with a commit.")

    def refs(self) -> dict[str, str]:
        """Every ref that leads to a commit, with that commit."""
        refs = {}
        for line in self.run(
            "for-each-ref", "--format=%(refname) %(objecttype) %(objectname) %(*objecttype) %(*objectname)"
        ).splitlines():
            name, kind, commit, *tagged = line.split(" ")
            if kind == "tag":
                kind, commit = tagged
            if kind == "commit":
                refs[name] = commit
        return refs

    def merges(self) -> list[list[str]]:
        """Every merge in the history of the main line, oldest first, as [commit, parent, parent …]."""
        listed = self.run("rev-list", "--merges", "--parents", "--topo-order", "--reverse", self.main)
        return [line.split() for line in listed.splitlines()]

    def ancestors_of_main(self) -> set[str]:
        return set(self.run("rev-list", self.main).split())

    def merge_base(self, one: str, two: str) -> str | None:
        """The best common ancestor, None if there is none."""
        return self.run("merge-base", one, two, ok=(0, 1)).strip() or None

    def changes(self, before: str, after: str) -> list[Change]:
        """The Markdown files that differ between two commits, renames paired as git does at 50 %."""
        if (before, after) not in self._changes:
            raw = self.run("diff-tree", "-r", "-z", "--raw", "--no-abbrev", RENAME, before, after)
            self._changes[before, after] = list(_parse_raw(raw))
        return self._changes[before, after]

    def files(self, commit: str) -> dict[str, str]:
        """The blob of every file of a commit, by path."""
        entries = (entry.partition("\t") for entry in self.run("ls-tree", "-r", "-z", commit).split("\0") if entry)
        return {path: head.split()[2] for head, _, path in entries if head.split()[0] in FILES}

    def newest_path(self, path: str, since: str) -> str:
        """Where the main line has a file that stood at `path` in commit `since`, following its renames."""
        if self._renames is None:
            self._renames = self._all_renames()
        for commit in self.run("rev-list", "--first-parent", "--reverse", f"{since}..{self.main}").split():
            path = next((new for old, new in self._renames.get(commit, ()) if old == path), path)
        return path

    def _all_renames(self) -> dict[str, list[tuple[str, str]]]:
        """The renames of each commit of the main line against its first parent."""
        options = ("--first-parent", "-m", RENAME, "--diff-filter=R", "--raw", "--no-abbrev", "-z", "--format=%x01%H")
        found = {}
        for entry in self.run("log", *options, self.main).split("\x01")[1:]:
            commit, _, raw = entry.partition("\0")
            found[commit.strip()] = [(c.path_before, c.path_after) for c in _parse_raw(raw.lstrip("\n\0"))]
        return found

    def blob(self, name: str) -> bytes:
        """The bytes of a file by its id."""
        stdin, stdout = self._blobs.stdin, self._blobs.stdout
        if stdin is None or stdout is None:
            raise NotReadableError("git cat-file was started without pipes")
        stdin.write(name.encode() + b"\n")
        stdin.flush()
        header = stdout.readline().split()
        if len(header) != 3:
            raise NotReadableError(f"the repository lacks the object {name}")
        content = stdout.read(int(header[2]))
        stdout.read(1)
        return content


def _parse_raw(raw: str) -> Iterator[Change]:
    """The Markdown files in the output of `--raw -z`."""
    fields = raw.split("\0")
    at = 0
    while at < len(fields) and fields[at].startswith(":"):
        old_mode, new_mode, old, new, status = fields[at][1:].split(" ")
        paths = fields[at + 1 : at + (3 if status[0] in "RC" else 2)]
        at += 1 + len(paths)
        if {old_mode, new_mode} <= FILES and paths[-1].lower().endswith(".md"):
            yield Change(old if int(old, 16) else None, new if int(new, 16) else None, paths[0], paths[-1])


@contextmanager
def open_reader(path: Path) -> Iterator[GitReader]:
    """The repository at the path; a bundle is first cloned, with all its refs, to a place that is removed again."""
    with tempfile.TemporaryDirectory(prefix="merges-") as made:
        if path.is_file():
            clone = Path(made) / "bundle.git"
            done = subprocess.run(
                ["git", "clone", "--quiet", "--mirror", str(path), str(clone)], capture_output=True, check=False
            )
            if done.returncode:
                raise NotReadableError(f"{path} is no git bundle: {done.stderr.decode(errors='replace').strip()}")
            path = clone
        elif not path.is_dir():
            raise NotReadableError(f"There is nothing at {path}.")
        reader = GitReader(path)
        try:
            yield reader
        finally:
            reader.close()
