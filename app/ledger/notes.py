"""Checkpoints as C2SP signed notes: how many entries there are, the root over them, when, and a signature.

https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note say how they are written.
"""

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
"""The kind of key, as the specification numbers them."""

_TIME = "time "


class BadNote(ValueError):
    """A note that cannot be read or that this key did not sign."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a checkpoint says. `at` is the time of the newest entry, as entries write times."""

    origin: str
    size: int
    root: bytes
    at: str

    def to_text(self) -> str:
        """The text that is signed, with its final line end."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{_TIME}{self.at}\n"

    @classmethod
    def from_text(cls, text: str) -> "Statement":
        """Read the text of a note; `BadNote` when it is none of ours."""
        try:
            origin, size, root, at = text.removesuffix("\n").split("\n")
            found = cls(origin, int(size), base64.b64decode(root, validate=True), at.removeprefix(_TIME))
        except ValueError:
            raise BadNote("The checkpoint cannot be read.") from None
        if found.to_text() != text:
            raise BadNote("The checkpoint is not written as checkpoints are.")
        return found


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key, with the name that its signatures carry."""

    name: str
    public: Ed25519PublicKey

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public.public_bytes_raw()).digest()[:4]

    def to_text(self) -> str:
        """The key as verifiers are given it: name, id and public bytes."""
        encoded = base64.b64encode(ED25519 + self.public.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def from_text(cls, text: str) -> "VerifierKey":
        """Read what `to_text` wrote; `BadNote` for anything else."""
        try:
            name, _id, encoded = text.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
            found = cls(name, Ed25519PublicKey.from_public_bytes(raw.removeprefix(ED25519)))
        except ValueError:
            raise BadNote("The public key cannot be read.") from None
        if found.to_text() != text.strip():
            raise BadNote("The public key does not fit its name and id.")
        return found

    def open(self, note: str) -> str:
        """The text of a note that this key signed; `BadNote` if it did not."""
        text, _blank, signatures = note.rpartition("\n\n")
        for line in signatures.splitlines():
            if line.startswith(f"— {self.name} "):
                try:
                    signature = base64.b64decode(line.rpartition(" ")[2], validate=True)
                    if signature[:4] == self.key_id:
                        self.public.verify(signature[4:], f"{text}\n".encode())
                        return f"{text}\n"
                except (ValueError, InvalidSignature):
                    raise BadNote("The signature of the checkpoint is wrong.") from None
        raise BadNote("The checkpoint was not signed with this key.")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key with its name, which is also the origin of the checkpoints it signs."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.private.public_key())

    def sign(self, text: str) -> str:
        """The text as a note with one signature."""
        signature = base64.b64encode(self.verifier.key_id + self.private.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"

    def to_text(self) -> str:
        """The secret key, in the form that Go's note package gave to such keys."""
        encoded = base64.b64encode(ED25519 + self.private.private_bytes_raw()).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{encoded}"

    @classmethod
    def from_text(cls, text: str) -> "SigningKey":
        """Read what `to_text` wrote; `BadNote` for anything else."""
        try:
            private, key, name, _id, encoded = text.strip().split("+", 4)
            raw = base64.b64decode(encoded, validate=True)
            found = cls(name, Ed25519PrivateKey.from_private_bytes(raw.removeprefix(ED25519)))
        except ValueError:
            raise BadNote("The secret key cannot be read.") from None
        if (private, key) != ("PRIVATE", "KEY") or found.to_text() != text.strip():
            raise BadNote("The secret key does not fit its name and id.")
        return found
