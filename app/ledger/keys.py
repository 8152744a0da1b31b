"""The key that signs checkpoints: a file outside the database, made when it is first needed."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.ledger.notes import BadNote, SigningKey


class NoLedgerKey(RuntimeError):
    """The ledger cannot go on: the key that signed it is not here. An operator has to put it back."""


class KeyFile:
    """The key in a file that only its owner may read. Several servers share one file, or copies of it.

    The key keeps the name it was made with, so that the ledger stays the same one at another address.
    """

    def __init__(self, path: Path, *, base_url: str) -> None:
        self.path = path
        self._name = _name_of(base_url)
        self._read: SigningKey | None = None

    def read(self) -> SigningKey | None:
        """The key, None where there is none yet; `NoLedgerKey` when the file holds something else."""
        if self._read is None:
            try:
                self._read = SigningKey.from_text(self.path.read_text())
            except FileNotFoundError:
                return None
            except (OSError, UnicodeError, BadNote) as error:
                raise NoLedgerKey(f"The ledger's key in {self.path} cannot be used: {error}") from error
        return self._read

    def make(self) -> SigningKey:
        """A new key, or the one that another process made meanwhile."""
        key = SigningKey(self._name, Ed25519PrivateKey.generate())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Readable by its owner alone from the first byte, and whole before it has its name.
        with tempfile.NamedTemporaryFile("w", dir=self.path.parent, prefix=".ledger-") as draft:
            draft.write(key.to_text() + "\n")
            draft.flush()
            os.fsync(draft.fileno())
            with suppress(FileExistsError):
                os.link(draft.name, self.path)
        made = self.read()
        if made is None:
            raise NoLedgerKey(f"The ledger's key could not be written to {self.path}.")
        return made


def _name_of(base_url: str) -> str:
    """A name as the specification advises: an address without its scheme, with neither spaces nor plus signs."""
    parts = urlsplit(base_url)
    return f"{parts.netloc}{parts.path.rstrip('/')}/ledger".replace("+", "-").replace(" ", "-")
