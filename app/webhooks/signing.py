"""Secrets of webhooks and the signatures made with them, by the library of Standard Webhooks."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks.webhooks import Webhook as Signer

PREFIX = "whsec_"


def secret_of(key: bytes, salt: str) -> str:
    """The secret that belongs to a salt: 256 bits that nobody can tell without the key."""
    derived = hmac.new(key, b"webhook secret\0" + salt.encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(derived).decode()


def digest(secret: str) -> str:
    """By which a secret made with another key is noticed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def headers_for(message: str, at: datetime, body: str, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers of a message sent at this moment, signed with each of the secrets."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(message, at, body) for secret in secrets),
    }
