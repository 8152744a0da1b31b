"""The newest rows of the log, rendered once and kept for all streams together."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one stream asked for; without kinds every kind, without a page every page."""

    kinds: frozenset[str] = frozenset()
    page_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row of the log as the bytes that every stream sends."""

    seq: int
    kind: str
    page_id: int | None
    message: bytes

    def is_among(self, wanted: Wanted) -> bool:
        """Whether a stream that wants this tells the row."""
        kind_fits = not wanted.kinds or self.kind in wanted.kinds
        return kind_fits and (wanted.page_id is None or self.page_id == wanted.page_id)


class Ring:
    """Every row after `start` and up to `newest`, at most `size` of them; older ones are in the database only."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: deque[Rendered] = deque()
        self.start = self.newest = 0

    def __len__(self) -> int:
        return len(self._rows)

    def restart(self, position: int) -> None:
        """Forget all rows, and go on with the next one after this position."""
        self._rows.clear()
        self.start = self.newest = position

    def add(self, rows: Iterable[Rendered]) -> None:
        """Append the rows that follow `newest` in the log, in their order and without a gap."""
        for row in rows:
            if len(self._rows) == self._size:
                self.start = self._rows.popleft().seq
            self._rows.append(row)
            self.newest = row.seq

    def after(self, position: int) -> list[Rendered]:
        """The rows after a position that is not before `start`, oldest first. Costs only as much as there are."""
        found = list(takewhile(lambda row: row.seq > position, reversed(self._rows)))
        found.reverse()
        return found
