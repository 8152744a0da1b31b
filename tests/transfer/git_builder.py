"""Builds small git histories for tests, each in one call of `git fast-import`, always with the same commit ids."""

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

START = 1_400_000_000
"""Seconds since 1970; each further commit is an hour later."""


@dataclass(frozen=True)
class _Told:
    name: str
    files: Mapping[str, str | bytes]
    parents: tuple[str, ...]
    author: str
    at: int
    message: str
    mode: str

    def is_markdown(self, path: str) -> bool:
        return path.endswith(".md") and self.mode == "100644"


@dataclass
class Story:
    """Commits by name, each with all its files. The parent is the commit told before, where none is given."""

    told: list[_Told] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    """Name → commit id, once written."""

    def commit(
        self,
        name: str,
        files: Mapping[str, str | bytes],
        *,
        after: Sequence[str] | None = None,
        author: str = "Ann",
        at: int | None = None,
        message: str = "",
        mode: str = "100644",
    ) -> None:
        """Tell one commit: its files whole, and the commits it comes after."""
        parents = tuple(after) if after is not None else tuple(told.name for told in self.told[-1:])
        time = START + 3600 * len(self.told) if at is None else at
        self.told.append(_Told(name, files, parents, author, time, message or name, mode))

    def write(self, git_dir: Path, refs: Mapping[str, str]) -> Path:
        """Make the bare repository, with refs given as ref → commit name; HEAD names `refs/heads/main`."""
        git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(git_dir))
        marks = {told.name: number for number, told in enumerate(self.told, start=1)}
        stream = b"".join(_commit(told, marks) for told in self.told)
        stream += b"".join(f"reset {ref}\nfrom :{marks[name]}\n\n".encode() for ref, name in refs.items())
        stream += f"reset refs/telling\nfrom {'0' * 40}\n".encode()
        saved = git_dir / "marks"
        git("--git-dir", str(git_dir), "fast-import", "--quiet", f"--export-marks={saved}", given=stream)
        by_mark = dict(line.split() for line in saved.read_text().splitlines())
        self.ids = {name: by_mark[f":{mark}"] for name, mark in marks.items()}
        return git_dir

    def trees(self) -> dict[str, dict[str, str]]:
        """Commit id → path → blob id of the Markdown files, as they were told."""
        return {
            self.ids[told.name]: {path: _blob(text) for path, text in told.files.items() if told.is_markdown(path)}
            for told in self.told
        }


def git(*arguments: str, given: bytes = b"") -> str:
    """What git answers; a test fails where it complains."""
    return subprocess.run(["git", *arguments], input=given, capture_output=True, check=True).stdout.decode()


def _blob(text: str | bytes) -> str:
    raw = _raw(text)
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _raw(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _commit(told: _Told, marks: Mapping[str, int]) -> bytes:
    person = f"{told.author} <x@example.org> {told.at} +0000"
    parts = [f"commit refs/telling\nmark :{marks[told.name]}\nauthor {person}\ncommitter {person}\n"]
    parts.append(f"data {len(told.message.encode())}\n{told.message}\n")
    parts += [f"{'merge' if number else 'from'} :{marks[parent]}\n" for number, parent in enumerate(told.parents)]
    if not told.parents:
        parts.insert(0, "reset refs/telling\n")
    stream = "".join(parts).encode() + b"deleteall\n"
    for path, text in told.files.items():
        raw = _raw(text)
        stream += f"M {told.mode} inline {path}\ndata {len(raw)}\n".encode() + raw + b"\n"
    return stream
