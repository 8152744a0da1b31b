"""The folder an index lives in: its current version, swapped as a whole, a mark of how far that goes, and a lock."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.search.engine import IndexUnavailable

Stamp = tuple[int, ...]
"""Differs after every commit, whichever process made it."""

_CURRENT = "current"
_MARK = "mark.json"
_LOCK = "lock"
_ASKED = "rebuild-asked"


class IndexFolder:
    """Private to the user who runs the program, because reading an index runs what somebody wrote into it.

    `form` names how the index is laid out; one of another form counts as missing.
    """

    def __init__(self, root: Path, form: str) -> None:
        self._root = root
        self._form = form

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, over all processes of this machine."""
        self._make_root()
        handle = os.open(self._root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def current(self) -> Path:
        """Where the index is now."""
        try:
            folder = (self._root / _CURRENT).resolve(strict=True)
            self._check_private(folder)
        except OSError as error:
            raise IndexUnavailable(f"there is no index in {self._root}") from error
        return folder

    def stamp(self) -> Stamp:
        """The identity of the newest commit; read before the index is opened, it is never newer than what is opened."""
        try:
            found = os.stat(self._root / _CURRENT / _MARK)
        except OSError as error:
            raise IndexUnavailable(f"there is no index in {self._root}") from error
        return (found.st_dev, found.st_ino, found.st_mtime_ns)

    def mark(self) -> str | None:
        """The mark of the newest commit; None without an index of this form."""
        try:
            held = json.loads((self.current() / _MARK).read_bytes())
        except (IndexUnavailable, OSError, ValueError):
            return None
        if not isinstance(held, dict) or held.get("form") != self._form or not isinstance(held.get("mark"), str):
            return None
        return str(held["mark"])

    def complete(self, folder: Path, mark: str) -> None:
        """End a commit: all reaches the disk before the mark does, so no mark promises what a power cut took."""
        for name in os.listdir(folder):
            _sync(folder / name)
        handle, temporary = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w") as file:
            json.dump({"form": self._form, "mark": mark}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / _MARK)
        _sync(folder)

    @contextmanager
    def replacing(self, mark: str) -> Iterator[Path]:
        """An empty folder; what the block puts there becomes the index at once, or goes away when the block raises.

        Whoever reads the former index reads on.
        """
        with self.locked():
            folder = Path(tempfile.mkdtemp(prefix="index-", dir=self._root))
            try:
                yield folder
                self.complete(folder, mark)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._swap_in(folder)

    def _swap_in(self, folder: Path) -> None:
        link = self._root / f"{folder.name}.link"
        link.symlink_to(folder.name)
        os.replace(link, self._root / _CURRENT)
        _sync(self._root)
        for other in self._root.glob("index-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        (self._root / _ASKED).unlink(missing_ok=True)

    def ask_for_rebuild(self) -> None:
        """Leave word for the process that writes; on a full disk it finds out by itself."""
        with suppress(OSError):
            (self._root / _ASKED).touch(0o600)

    def rebuild_asked(self) -> bool:
        """Whether anybody left word since the last swap."""
        return (self._root / _ASKED).exists()

    def _make_root(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root.chmod(0o700)

    def _check_private(self, folder: Path) -> None:
        for place in (self._root, folder):
            found = place.stat()
            if found.st_uid != os.geteuid() or found.st_mode & 0o022:
                raise IndexUnavailable(f"others may write to {place}, so what stands there is not read")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
