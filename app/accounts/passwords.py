"""Argon2id password hashes, and secrets that are stored only as their SHA-256."""

import hashlib
import secrets

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.errors import Refused
from app.words import _

# The floor that OWASP names: 19 MiB, two passes, one lane. About 18 ms on one core.
_hasher = PasswordHash([Argon2Hasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)])
_UNKNOWN = _hasher.hash(secrets.token_urlsafe(16))

MIN_LENGTH = 8
MAX_LENGTH = 256


def hash_password(password: str) -> str:
    """The argon2id hash; raises `Refused` when the password is too short or absurdly long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Refused(
            _("A password has {least} to {most} characters. Three or four unrelated words make a good one.").format(
                least=MIN_LENGTH, most=MAX_LENGTH
            ),
            pointer="/password",
        )
    return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is right. An unknown user costs the same time as a known one."""
    known = password_hash is not None
    right = _hasher.verify(password[:MAX_LENGTH], password_hash or _UNKNOWN)
    return right and known


def new_secret(prefix: str = "") -> str:
    """256 random bits, safe in addresses."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
