"""The OpenAPI document, completed with what every endpoint does: problems, headers, scopes and examples."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.errors import DomainError, NotAllowed, Refused
from app.permissions import Scope, ScopeMissing, SignInNeeded
from app.web.deprecation import Deprecated, mark
from app.web.door import is_costly
from app.web.headers import FOR_PROGRAMS
from app.web.help import help_for
from app.web.problems import FAULT, PLAIN, PROBLEM_TYPE, all_kinds, status_of
from app.web.schemas import Json, Problem

_METHODS = ("get", "put", "post", "patch", "delete")
_REF = "#/components/schemas/"

DESCRIPTION = """The approved words of a campaign, and the way they come to be approved.

Every list has `next`, every error is a problem document (RFC 9457) whose `type` opens a help page, every address that
answers GET answers HEAD. Reading needs no account. Writing needs a token with the scope named, or the web session."""

SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "mw_…",
        "description": f"An API token with its scopes: {', '.join(Scope)}. A member makes one at `/me/programs`.",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": "session", "description": "The web session of a browser."},
}


def needs(scope: Scope) -> Json:
    """Who may call a route, for the document: the bearer of a token with this scope, or a signed-in browser."""
    return {"security": [{"token": [scope.value]}, {"session": []}]}


def can_fail(
    *kinds: type[DomainError] | int, models: Mapping[int, type[Problem]] | None = None
) -> dict[int | str, Json]:
    """The problems a route can answer with, each with an example, for its `responses`.

    `models` are for statuses whose document has further members.
    """
    responses: dict[int | str, Json] = {}
    for status, slug, title in map(_named, kinds):
        example = {
            "type": f"/problems/{slug}",
            "title": title,
            "status": status,
            "detail": help_for(slug)[0],
            "instance": "/api/v1/…",
        }
        model = (models or {}).get(status, Problem)
        response = responses.setdefault(
            status, {"model": model, "description": title, "content": {PROBLEM_TYPE: {"examples": {}}}}
        )
        response["content"][PROBLEM_TYPE]["examples"][slug] = {"summary": title, "value": example}
    return responses


def name_operation(route: APIRoute) -> str:
    """An operation is called as its function, so that generated clients read well."""
    return route.name


def install(app: FastAPI, deprecated: Sequence[Deprecated] = ()) -> None:
    """Let the program answer with the completed document."""
    build = app.openapi

    def complete() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(build())
            mark(app.openapi_schema, deprecated)
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]  # the way FastAPI documents


def _named(kind: type[DomainError] | int) -> tuple[int, str, str]:
    if not isinstance(kind, int):
        return status_of(kind), kind.slug, kind.title
    if kind == 500:
        return 500, *FAULT
    slug, title, _ = PLAIN[kind]
    return kind, slug, title


def _complete(document: Json) -> Json:
    document["info"]["description"] = DESCRIPTION
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for framework_s_own in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework_s_own, None)
    document["components"]["securitySchemes"] = SECURITY_SCHEMES
    for path, method, operation in operations_of(document):
        operation["responses"].pop("422", None)
        if path.startswith(FOR_PROGRAMS):
            _add_problems(operation, _follows(path, method, operation))
            operation.setdefault("security", [{}, *needs(Scope.READ)["security"]])
        for status, response in operation["responses"].items():
            _complete_response(status, response)
        operation["responses"] = dict(sorted(operation["responses"].items()))
        for content in _contents(operation):
            content.setdefault("schema", {"type": "string"})  # what is no JSON is text
            if "example" not in content and "examples" not in content:
                content["example"] = example_of(content["schema"], schemas)
    for kind, methods in document.get("webhooks", {}).items():
        _complete_message(kind, methods["post"], schemas)
    return document


def _complete_message(kind: str, operation: Json, schemas: Json) -> None:
    """What a webhook gets: an example of its kind, and that any 2xx says that it arrived."""
    operation["responses"] = {
        "2XX": {"description": "It arrived. Everything else is tried again; 410 ends the webhook."}
    }
    for content in operation["requestBody"]["content"].values():
        content["example"] = example_of(content["schema"], schemas)
        content["example"]["type"] = kind
        if "kind" in content["example"]["data"]:
            content["example"]["data"]["kind"] = kind


def operations_of(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Path, method and description of every operation."""
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _follows(path: str, method: str, operation: Json) -> list[type[DomainError] | int]:
    """The problems that follow from what an operation takes and who may call it."""
    kinds: list[type[DomainError] | int] = [400, 500, 503, Refused]
    if "{" in path:
        kinds.append(404)
    if "security" in operation:
        kinds += [NotAllowed, ScopeMissing, *(kind for kind in all_kinds() if issubclass(kind, SignInNeeded))]
    if "requestBody" in operation:
        kinds += [413, 415]
    if method != "get" or is_costly(path):
        kinds.append(429)
    return kinds


def _add_problems(operation: Json, kinds: list[type[DomainError] | int]) -> None:
    for status, added in can_fail(*kinds).items():
        described = {"description": added["description"], "content": added["content"]}
        known = operation["responses"].setdefault(str(status), described)
        known["content"][PROBLEM_TYPE]["examples"] |= added["content"][PROBLEM_TYPE]["examples"]


def _complete_response(status: str, response: Json) -> None:
    """The headers an answer has, and problem documents in no other form."""
    wanted = dict(_HEADERS.get(status, {}))
    for content in response.get("content", {}).values():
        if content.get("schema", {}).get("$ref", "").startswith(f"{_REF}Listing_"):
            wanted["Link"] = 'The address of the next rows, as `rel="next"`, while there are any.'
    for name, description in wanted.items():
        response.setdefault("headers", {})[name] = {"description": description, "schema": {"type": "string"}}
    if status >= "400":
        plain = {"$ref": f"{_REF}Problem"}
        declared = response["content"].pop("application/json", {}).get("schema", plain)
        # What has further members is one of several problems with that status.
        response["content"][PROBLEM_TYPE]["schema"] = declared if declared == plain else {"anyOf": [declared, plain]}


_HEADERS = {
    "201": {"Location": "Where the new thing is."},
    "308": {"Location": "The present address."},
    "401": {"WWW-Authenticate": "How to sign in."},
    "429": {
        "Retry-After": "Seconds to wait.",
        "RateLimit": "What is left: `r` requests for `t` seconds.",
        "RateLimit-Policy": "What is allowed: `q` requests in `w` seconds.",
    },
    "503": {"Retry-After": "Seconds to wait."},
}


def _contents(operation: Json) -> Iterator[Json]:
    """The media types of the request and of every answer."""
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for response in operation["responses"].values():
        yield from response.get("content", {}).values()


def example_of(schema: Json, schemas: Json) -> Any:
    """A value that fits the schema, put together from the examples of its fields."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(_REF)], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    for key in ("const", "enum"):
        if key in schema:
            return schema[key] if key == "const" else schema[key][0]
    if alternatives := schema.get("anyOf", schema.get("oneOf")):
        return example_of(alternatives[0], schemas)
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {name: example_of(field, schemas) for name, field in fields.items()}
        case "array":
            return [example_of(schema["items"], schemas)]
        case "boolean":
            return True
    return schema.get("default")
