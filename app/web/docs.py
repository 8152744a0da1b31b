"""The human side of the OpenAPI document: every endpoint on one page, without a script."""

import json
from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.web.openapi import operations_of
from app.web.schemas import Json
from app.web.templates import render

site = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint as the page shows it; examples are JSON."""

    name: str
    method: str
    path: str
    summary: str
    scopes: list[str]
    parameters: list[Json]
    request: str
    answer: str
    statuses: list[tuple[str, str]]


@site.get("/docs")
def show_docs(request: Request) -> Response:
    document = request.app.openapi()
    listed = [
        (operation["tags"][0], _read(path, method, operation)) for path, method, operation in operations_of(document)
    ]
    listed.sort(key=lambda entry: entry[0])
    groups = [(tag, [operation for _, operation in group]) for tag, group in groupby(listed, lambda entry: entry[0])]
    return render(request, "docs.html", {"groups": groups, "description": document["info"]["description"]})


def _read(path: str, method: str, operation: Json) -> Operation:
    security = [scheme["token"] for scheme in operation.get("security", []) if "token" in scheme]
    is_open = {} in operation.get("security", [{}])
    responses: Json = operation["responses"]
    success = next(status for status in responses if status.startswith("2"))
    return Operation(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["description"],
        scopes=[] if is_open else [scope for scopes in security for scope in scopes],
        parameters=operation.get("parameters", []),
        request=_example(operation.get("requestBody", {})),
        answer=_example(responses[success]),
        statuses=[(status, response["description"]) for status, response in responses.items()],
    )


def _example(described: Json) -> str:
    content = described.get("content", {}).get("application/json", {})
    return json.dumps(content["example"], indent=2, ensure_ascii=False) if "example" in content else ""
