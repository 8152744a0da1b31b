"""What a request to the API may hold: nothing is passed over in silence."""

import json
from collections import Counter
from typing import Any

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from app.errors import Refused
from app.words import _

_parameters: dict[str, frozenset[str]] = {}


async def check_request(request: Request) -> None:
    """Refuse unknown and repeated query parameters, bodies that are not JSON, and fields sent twice."""
    route = request.scope["route"]
    _check_parameters(request, _parameters_of(route))
    if route.body_field is not None and (body := await request.body()):
        if not _is_json(request.headers.get("content-type", "")):
            raise HTTPException(415)
        json.loads(body, object_pairs_hook=_refuse_repeated)


def _parameters_of(route: APIRoute) -> frozenset[str]:
    if route.unique_id not in _parameters:
        fields = get_flat_params(route.dependant)
        _parameters[route.unique_id] = frozenset(
            field.alias for field in fields if isinstance(field.field_info, params.Query)
        )
    return _parameters[route.unique_id]


def _check_parameters(request: Request, known: frozenset[str]) -> None:
    for name, count in Counter(name for name, _value in request.query_params.multi_items()).items():
        if name not in known:
            has = _("It has {names}.").format(names=", ".join(sorted(known))) if known else _("It has none.")
            raise Refused(
                _("This address has no parameter “{name}”. {has}").format(name=name[:60], has=has),
                pointer=f"/{name[:60]}",
            )
        if count > 1:
            raise Refused(
                _("The parameter “{name}” stands here {count} times. Send it once.").format(name=name, count=count),
                pointer=f"/{name}",
            )


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        name = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise Refused(
            _("The field “{name}” stands here twice, so it is unclear which one counts.").format(name=name[:60]),
            pointer=f"/{name[:60]}",
        )
    return found
