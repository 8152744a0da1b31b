"""The one way to write an entry as text, so that everybody who hashes it hashes the same bytes."""

import json
from datetime import UTC, datetime
from typing import Any


def encode(entry: dict[str, Any]) -> str:
    """Canonical JSON: keys in order, no spaces, letters as they are.

    Only strings, whole numbers, null, lists and objects with strings as keys can be in it; `TypeError` for anything
    else, such as a float, which programs write in different ways.
    """
    _check(entry)
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def moment(at: datetime) -> str:
    """A time as entries hold it: RFC 3339 in UTC, always with microseconds, so that text sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _check(value: object) -> None:
    match value:
        case bool() | float():
            raise TypeError(f"An entry holds whole numbers and strings only, not {value!r}.")
        case None | str() | int():
            pass
        case list():
            for part in value:
                _check(part)
        case dict():
            for key, part in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"The keys of an entry are strings, not {key!r}.")
                _check(part)
        case _:
            raise TypeError(f"An entry cannot hold {value!r}.")
