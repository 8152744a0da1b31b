"""Opaque places in a list: what `next` holds and `?cursor=` brings back."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse

from app.errors import Refused


def encode_cursor(*place: int | str) -> str:
    """The place as text that is safe in an address."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> list[Any] | None:
    """The place that `encode_cursor` wrote, checked against the types it must hold; None without a cursor.

    The last type may repeat. Raises `Refused` for anything else.
    """
    if not cursor:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        place = None
    if isinstance(place, list) and len(place) >= len(kinds):
        wanted = [*kinds, *[kinds[-1]] * (len(place) - len(kinds))]
        if all(type(part) is kind for part, kind in zip(place, wanted, strict=True)):
            return place
    raise Refused("This cursor was not made here. Use the one from “next” of the last answer, as it is.", pointer="/cursor")


def answer_list(request: Request, rows: Sequence[Any], next_cursor: str | None, **more: Any) -> JSONResponse:
    """A list with the way to its next page, in the body and as a Link header."""
    answer = JSONResponse({"data": list(rows), "next": next_cursor, **more})
    if next_cursor:
        answer.headers["Link"] = f'<{request.url.include_query_params(cursor=next_cursor)}>; rel="next"'
    return answer
