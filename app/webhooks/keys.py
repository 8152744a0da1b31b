"""The key that the secrets of webhooks follow from: a setting, or a file outside the database."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

MIN_LENGTH = 32


class NoSecretKey(RuntimeError):
    """The key cannot be read, or is another than the secrets were made with. An operator has to put it back."""


class SecretKey:
    """Given as a setting, else kept in a file that only its owner may read, made when it is first needed."""

    def __init__(self, path: Path, given: str | None = None) -> None:
        self._path = path
        self._key = given.encode() if given else None

    def read(self) -> bytes:
        """The key; raises `NoSecretKey` where the file cannot be read or made."""
        if self._key is None:
            try:
                self._key = self._read() or self._make()
            except (OSError, UnicodeError) as error:
                raise NoSecretKey(f"The key in {self._path} cannot be used: {error}") from error
        return self._key

    def _read(self) -> bytes | None:
        try:
            found = self._path.read_text().strip()
        except FileNotFoundError:
            return None
        if len(found) < MIN_LENGTH:
            raise NoSecretKey(f"The key in {self._path} is too short.")
        return found.encode()

    def _make(self) -> bytes:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Readable by its owner alone from the first byte, and whole before it has its name.
        with tempfile.NamedTemporaryFile("w", dir=self._path.parent, prefix=".secret-") as draft:
            draft.write(secrets.token_urlsafe(48) + "\n")
            draft.flush()
            os.fsync(draft.fileno())
            with suppress(FileExistsError):  # another process was faster, and its key counts
                os.link(draft.name, self._path)
        made = self._read()
        if made is None:
            raise NoSecretKey(f"The key could not be written to {self._path}.")
        return made
