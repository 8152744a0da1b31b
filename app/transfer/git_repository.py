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
from typing import IO

from app.errors import Refused
from app.pages.text import MAX_BYTES, Text, normalise
from app.transfer.git_history import Change, Commit, GitHistory, Progress

_MARKDOWN = "*.md"
_FILE_MODES = ("100644", "100755", "100664")
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

    def _git(self, *arguments: str) -> list[str]:
        return ["git", "--git-dir", str(self._git_dir), *arguments]

    def _refs(self) -> dict[str, str]:
        """Ref → commit; tags count as what they point to."""
        form = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"
        refs: dict[str, str] = {}
        for line in _ask(self._git("for-each-ref", f"--format={form}")).splitlines():
            kind, commit, tagged_kind, tagged, ref = line.split(" ", 4)
            if "commit" in (kind, tagged_kind):
                refs[ref] = commit if kind == "commit" else tagged
        return refs

    def _main_branch(self, refs: Mapping[str, str]) -> tuple[str, str]:
        named = _ask(self._git("symbolic-ref", "--quiet", "HEAD"), or_nothing=True).strip()
        for branch in (named, "refs/heads/main", "refs/heads/master"):
            if branch in refs:
                return branch, refs[branch]
        head = _ask(self._git("rev-parse", "--verify", "--quiet", "HEAD^{commit}"), or_nothing=True).strip()
        if head:
            return "HEAD", head
        if not refs:
            raise Refused("This git repository holds no commits yet, so there is nothing to import.")
        raise Refused(
            "This git repository has no branch named main or master, and its HEAD names none that exists. It has: "
            f"{', '.join(list(refs)[:5])}. Point its HEAD at the branch to import (git symbolic-ref HEAD …)."
        )

    def _commits(self, heads: Iterable[str]) -> tuple[list[Commit], dict[str, str]]:
        """All commits behind the heads, parents first, older first; and the tree of each."""
        form = "%H%n%T%n%P%n%at%n%ct%n%an%n%B"
        options = ("--date-order", "--reverse", "--no-show-signature", "--encoding=UTF-8", "-z", "--stdin")
        given = "".join(f"{head}\n" for head in dict.fromkeys(heads))
        commits: list[Commit] = []
        trees: dict[str, str] = {}
        for record in _ask(self._git("log", *options, f"--format={form}"), given=given).split("\0"):
            if record:
                name, tree, parents, authored, committed, author, message = record.split("\n", 6)
                times = (_seconds(authored), _seconds(committed))
                commits.append(Commit(name, tuple(parents.split()), author, *times, message, changes=()))
                trees[name] = tree
        return commits, trees

    def _with_changes(self, commits: list[Commit], trees: Mapping[str, str], progress: Progress) -> list[Commit]:
        """The commits with what each did to the Markdown files, renames as git finds them at half alike."""
        nothing = _ask(self._git("hash-object", "-t", "tree", "--stdin")).strip()
        before = {c.id: [trees[parent] for parent in c.parents] or [nothing] for c in commits}
        pairs = dict.fromkeys((old, trees[name]) for name, olds in before.items() for old in olds if old != trees[name])
        changes: dict[tuple[str, str], tuple[Change, ...]] = {}
        for done, (pair, found) in enumerate(self._compare(pairs), start=1):
            changes[pair] = found
            progress(done, len(pairs), "reading changes")
        read: list[Commit] = []
        for commit in commits:
            first, *further = (changes.get((old, trees[commit.id]), ()) for old in before[commit.id])
            renames = tuple(tuple((c.before, c.after) for c in found if c.before and c.after) for found in further)
            read.append(replace(commit, changes=first, renames=renames))
        return read

    def _compare(self, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], tuple[Change, ...]]]:
        options = ("--stdin", "-r", "--raw", "-z", "-M50%", "-l2000", "--no-abbrev")
        with tempfile.TemporaryFile() as given:
            # A file, not a pipe: git answers while it still reads, and two full pipes would wait for each other.
            given.writelines(f"{old} {new}\n".encode() for old, new in pairs)
            given.seek(0)
            command = self._git("diff-tree", *options, "--", _MARKDOWN)
            with subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, env=_environment()) as git:
                assert git.stdout is not None
                yield from _read_comparisons(git.stdout)
            if git.returncode:
                raise Refused("git could not compare the commits of this repository. Check it with git fsck.")

    def _read_text(self, blob: str) -> Text:
        if self._texts is None:
            command = self._git("cat-file", "--batch")
            pipe = subprocess.PIPE
            self._texts = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=_environment())
        asked, answered = self._texts.stdin, self._texts.stdout
        assert asked is not None
        assert answered is not None
        asked.write(f"{blob}\n".encode())
        asked.flush()
        header = answered.readline().split()
        if len(header) != 3:
            raise Refused("The repository does not hold this text: it was cloned in part, or is damaged.")
        return _text_from(answered, int(header[2]))


@contextmanager
def open_repository(path: Path, *, progress: Progress = lambda done, total, what: None) -> Iterator[GitRepository]:
    """The repository at a path: a bundle file, a bare repository or a work tree. Nothing in it is written.

    A bundle is unpacked into a temporary directory, which goes when this ends. Raises `Refused` in plain words.
    """
    with tempfile.TemporaryDirectory(prefix="workshop-import-") as scratch:
        if _is_bundle(path):
            progress(0, 1, "unpacking the bundle")
            git_dir = Path(scratch) / "bundle.git"
            _ask(["git", "clone", "--quiet", "--mirror", "--template=", str(path.resolve()), str(git_dir)])
            progress(1, 1, "unpacking the bundle")
        else:
            git_dir = _find_git_dir(path)
        repository = GitRepository(git_dir)
        try:
            yield repository
        finally:
            repository.close()


def _is_bundle(path: Path) -> bool:
    """Whether to unpack; raises `Refused` for a path that holds nothing, and for any other file."""
    try:
        if path.is_dir():
            return False
        with path.open("rb") as file:
            if file.read(16).startswith((b"# v2 git bundle", b"# v3 git bundle")):
                return True
    except FileNotFoundError:
        raise Refused(f"There is nothing at {path}. Give the path of a git repository or of a git bundle.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    raise Refused(f"{path} is a file, but not a git bundle. Give a repository, or a file made by git bundle create.")


def _find_git_dir(path: Path) -> Path:
    # Without the ceiling a plain directory inside some repository would import the repository around it.
    top = path.resolve()
    found = _ask(["git", "-C", str(top), "rev-parse", "--absolute-git-dir"], ceiling=top.parent)
    return Path(found.rstrip("\n"))


def _ask(command: Sequence[str], *, given: str = "", or_nothing: bool = False, ceiling: Path | None = None) -> str:
    """What git answers; with `or_nothing`, nothing where it says no."""
    environment = _environment() | ({"GIT_CEILING_DIRECTORIES": str(ceiling)} if ceiling else {})
    try:
        answer = subprocess.run(command, input=given.encode(), capture_output=True, env=environment, check=False)
    except FileNotFoundError:
        raise Refused(
            "git is not installed here, and this import reads through it. Install git and try again."
        ) from None
    if answer.returncode and not or_nothing:
        raise Refused(_in_plain_words(answer.stderr.decode(errors="replace")))
    return "" if answer.returncode else answer.stdout.decode(errors="backslashreplace")


def _in_plain_words(complaint: str) -> str:
    if "not a git repository" in complaint:
        return "There is no git repository at this path. Give the top of a work tree, a bare repository or a bundle."
    if "dubious ownership" in complaint:
        return (
            "This git repository belongs to another user, so git does not read it. Import as that user, or allow it: "
            "git config --global --add safe.directory PATH."
        )
    if "prerequisite" in complaint:
        return "This bundle holds only a part of a history. Make one with everything: git bundle create FILE --all."
    said = complaint.strip().splitlines() or ["nothing"]
    return f"git could not read this repository. It says: {said[-1].removeprefix('fatal: ')}"


def _environment() -> dict[str, str]:
    """Ours without what would point git at another repository, in English, and with histories as they were written."""
    kept = {name: value for name, value in os.environ.items() if name[:4] != "GIT_" or name[:11] == "GIT_CONFIG_"}
    return kept | {"LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_TERMINAL_PROMPT": "0"}


def _matches(ref: str, pattern: str) -> bool:
    return fnmatchcase(ref, pattern) or ref.startswith(pattern.rstrip("/") + "/")


def _seconds(number: str) -> int | None:
    return int(number) if number.lstrip("-").isdecimal() else None


def _text_from(answer: IO[bytes], size: int) -> Text:
    """The text of `size` bytes that comes next, with the line end that git adds."""
    if size > _READ_AT_MOST:
        left = size + 1
        while left:
            left -= len(answer.read(min(left, _CHUNK))) or left
        raise Refused(f"This text is {size:,} bytes long; {MAX_BYTES:,} is the most.")
    raw = answer.read(size + 1)[:size]
    try:
        return normalise(raw.decode())
    except UnicodeDecodeError as error:
        raise Refused(f"This text is not UTF-8 (at byte {error.start + 1:,}).") from None


def _read_comparisons(answer: IO[bytes]) -> Iterator[tuple[tuple[str, str], tuple[Change, ...]]]:
    """Each pair of trees with what differs, from `git diff-tree --stdin --raw -z`.

    A line `OLD NEW` heads each pair; then for each file `:MODE MODE BLOB BLOB STATUS`, NUL, path, NUL, and for a
    rename the second path, NUL.
    """
    pair: tuple[str, str] | None = None
    changes: list[Change] = []
    fields = _split_at_nul(answer)
    for entry in fields:
        *heads, file = entry.decode().split("\n")
        for head in heads:
            if pair:
                yield pair, tuple(changes)
            old, new = head.split(" ")
            pair, changes = (old, new), []
        if file:
            paths = [next(fields).decode(errors="backslashreplace")]
            if file[-4:-3] == "R":
                paths.append(next(fields).decode(errors="backslashreplace"))
            changes += _change(file[1:].split(" "), paths)
    if pair:
        yield pair, tuple(changes)


def _change(file: list[str], paths: list[str]) -> Iterator[Change]:
    """What this means for Markdown files: links and submodules are none, even where their name ends so."""
    old_mode, new_mode, _, blob, _ = file
    before = paths[0] if old_mode in _FILE_MODES and paths[0].endswith(".md") else None
    after = paths[-1] if new_mode in _FILE_MODES and paths[-1].endswith(".md") else None
    if before or after:
        yield Change(before, after, blob if after else None)


def _split_at_nul(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        *fields, rest = (rest + chunk).split(b"\0")
        yield from fields
    yield rest
