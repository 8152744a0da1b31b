"""Opaque places in a list: what `next` holds and `?cursor=` brings back."""

import base64
import json
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request, Response

from app.errors import Refused
from app.web.schemas import MAX_ID, Item, Listing
from app.words import _

Cursor = Annotated[
    str | None, Query(max_length=8_000, description="`next` of the answer before, as it is.", examples=["WzEyOF0"])
]
Limit = Annotated[int, Query(ge=1, le=200, description="The most rows to answer with.")]
DEFAULT_LIMIT = 50


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
    except (ValueError, RecursionError):
        place = None
    if isinstance(place, list) and len(place) >= len(kinds):
        wanted = [*kinds, *[kinds[-1]] * (len(place) - len(kinds))]
        if all(_is_whole(part, kind) for part, kind in zip(place, wanted, strict=True)):
            return place
    raise refuse_cursor()


def refuse_cursor() -> Refused:
    """What to raise for a cursor that leads nowhere."""
    return Refused(
        _("This cursor was not made here. Use the one from “next” of the last answer, as it is."),
        pointer="/cursor",
    )


def listing(
    request: Request, response: Response, rows: Iterable[Item], next_cursor: str | None, *, key: str = "cursor"
) -> Listing[Item]:
    """A list with the way to its next page, in the body and as a Link header; `key` names the parameter it goes in."""
    if next_cursor:
        query = request.url.include_query_params(**{key: next_cursor}).query
        response.headers["Link"] = f'<{quote(request.url.path)}?{query}>; rel="next"'
    return Listing[Item](data=list(rows), next=next_cursor)


def _is_whole(part: object, kind: type) -> bool:
    """Of exactly this type, and such as a database can hold."""
    if isinstance(part, str) and not part.isascii() and part != part.encode("utf-8", "replace").decode():
        return False
    return type(part) is kind and (not isinstance(part, int) or abs(part) <= MAX_ID)
