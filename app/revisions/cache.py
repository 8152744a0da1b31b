"""Immutable things kept in memory by what they are made of, within a bound of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from app.pages.text import Text

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

MAX_BYTES = 16 * 1024 * 1024


class TextCache:
    """Texts by SHA-256, so that no rollback or second database can make an entry wrong; the least used go first."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._texts: OrderedDict[str, Text] = OrderedDict()
        self._lock = threading.Lock()
        self._bytes = 0
        self._max_bytes = max_bytes

    def get(self, sha256: str) -> Text | None:
        with self._lock:
            text = self._texts.get(sha256)
            if text is not None:
                self._texts.move_to_end(sha256)
            return text

    def put(self, sha256: str, text: Text) -> None:
        with self._lock:
            if sha256 not in self._texts:
                self._texts[sha256] = text
                self._bytes += len(text)
            while self._bytes > self._max_bytes and self._texts:
                _, dropped = self._texts.popitem(last=False)
                self._bytes -= len(dropped)


class Kept(Generic[Key, Found]):
    """What was found out about immutable rows of one database; of more than `most`, the least used go first."""

    def __init__(self, most: int) -> None:
        self._found: OrderedDict[Key, Found] = OrderedDict()
        self._lock = threading.Lock()
        self._most = most

    def get(self, key: Key) -> Found | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: Key, found: Found) -> None:
        with self._lock:
            self._found[key] = found
            while len(self._found) > self._most:
                self._found.popitem(last=False)


texts = TextCache()
"""The texts this process has in memory."""
