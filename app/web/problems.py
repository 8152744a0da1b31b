"""Errors as answers: which status each kind has, problem documents for programs and a page for people."""

import json
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.errors import Conflict, DomainError, Gone, NotAllowed, NotFound, Refused
from app.permissions import SignInNeeded
from app.web.headers import FOR_PROGRAMS, headers_for
from app.web.methods import methods_at
from app.web.templates import render
from app.words import N_, _

log = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"

STATUS: dict[type[DomainError], int] = {
    NotFound: 404,
    NotAllowed: 403,
    SignInNeeded: 401,
    Conflict: 409,
    Refused: 422,
    Gone: 410,
}

PLAIN: dict[int, tuple[str, str, str]] = {
    400: (
        "bad-request",
        N_("This request cannot be read"),
        N_("The request is broken. Check how it is built and send it again."),
    ),
    404: (
        "not-found",
        N_("There is nothing here"),
        N_("No such address. Check its spelling, or start from the first page."),
    ),
    405: (
        "method-not-allowed",
        N_("This address does not do that"),
        N_("Use one of the methods that the Allow header names."),
    ),
    406: (
        "not-acceptable",
        N_("No such form of this"),
        N_("Ask for application/json, text/plain, text/markdown or text/html."),
    ),
    413: (
        "too-large",
        N_("This is too large"),
        N_("A request may hold at most 512 KiB. Nothing was saved; shorten it and send it again."),
    ),
    415: ("unsupported-type", N_("This kind of content is not read here"), N_("Send application/json.")),
    429: (
        "too-many-requests",
        N_("Too many at once"),
        N_("Wait as long as Retry-After says, then go on. Nothing you wrote is lost."),
    ),
    503: (
        "unavailable",
        N_("Busy or unable to save just now"),
        N_("Nothing was saved. Keep your text and try again in a few seconds."),
    ),
}


FAULT = ("fault", N_("Something broke on our side"))

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Accept, If-Modified-Since, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
"""What a browser may do here for another site's page: read, as everybody may."""


def status_of(kind: type[DomainError]) -> int:
    """The HTTP status of the nearest kind."""
    return next(STATUS[known] for known in kind.__mro__ if known in STATUS)


def all_kinds() -> Iterator[type[DomainError]]:
    """Every domain error there is, for the help pages and the test that each has a status."""
    waiting: list[type[DomainError]] = [DomainError]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if kind is not DomainError:
            yield kind


def is_for_programs(request: Request) -> bool:
    """Whether the answer is read by a program: under the API's prefix, or where JSON is asked for."""
    accept = request.headers.get("accept", "")
    return request.url.path.startswith(FOR_PROGRAMS) or ("json" in accept and "text/html" not in accept)


def answer(
    request: Request,
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    near: Sequence[object] = (),
) -> Response:
    """The problem as RFC 9457 wants it, or as a page; `title` is in English, `detail` in the reader's language.

    `near` are pages that somebody may have meant.
    """
    given = dict(headers or {})
    if status in (401, 403, 404, 409, 410):
        given.setdefault("Cache-Control", "no-store")
    if is_for_programs(request):
        body = {"type": f"/problems/{slug}", "title": title, "status": status, "detail": detail}
        body |= {"instance": request.url.path, **(extra or {})}
        # Names that a client sent may hold half a character, which no UTF-8 can carry.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        return Response(content, status, given, media_type=PROBLEM_TYPE)
    return render(
        request,
        "error.html",
        {"title": _(title), "detail": detail, "status": status, "near": near},
        status=status,
        headers=given,
    )


def answer_domain_error(request: Request, error: DomainError) -> Response:
    """The one handler of domain errors."""
    status, extra = status_of(type(error)), dict(error.extra)
    if isinstance(error, Refused):
        extra["errors"] = [{"pointer": error.pointer, "detail": error.detail}]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 and is_for_programs(request) else None
    return answer(request, status, error.slug, error.title, error.detail, extra=extra, headers=headers)


def answer_plain(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A status that the framework or a middleware decided on."""
    phrase = HTTPStatus(status).phrase
    if status in PLAIN:
        slug, title, detail = PLAIN[status]
        return answer(request, status, slug, title, _(detail), headers=headers)
    detail = _("The answer is {status}: {phrase}.").format(status=status, phrase=phrase)
    return answer(request, status, phrase.lower().replace(" ", "-"), phrase, detail, headers=headers)


def answer_invalid(request: Request, error: RequestValidationError) -> Response:
    """Each field that cannot be used, with why. An id in the address that cannot be one leads nowhere, so 404."""
    if any(entry["loc"][0] == "path" for entry in error.errors()):
        return answer_plain(request, 404)
    errors = [
        {"pointer": "/" + "/".join(str(part) for part in entry["loc"][1:]), "detail": _plain_words(entry)}
        for entry in error.errors()
    ]
    problems = "; ".join(
        _("{field}: {problem}").format(field=entry["pointer"].strip("/") or _("the request"), problem=entry["detail"])
        for entry in errors
    )
    detail = _("{problems}. Nothing was changed.").format(problems=problems)
    return answer(request, 422, Refused.slug, Refused.title, detail, extra={"errors": errors})


def _plain_words(entry: Mapping[str, Any]) -> str:
    match entry["type"]:
        case "missing":
            return _("this is needed")
        case "extra_forbidden":
            return _("this field does not exist here")
        case "json_invalid":
            return _("this is not JSON")
        case _:
            return str(entry["msg"]).removeprefix("Value error, ")


def answer_unexpected(request: Request, error: Exception) -> Response:
    """A fault of ours: a reference for the log, nothing of the inside."""
    reference = secrets.token_hex(4).upper()
    log.error("reference %s at %s %s", reference, request.method, request.url.path, exc_info=error)
    detail = _(
        "Something broke on our side. Everything saved before is safe; this was not saved. Reference {reference}."
    ).format(reference=reference)
    # This answer leaves outside all middleware, so it brings the security headers along.
    headers = {**headers_for(request.url.path, request.app.state.settings.base_url), "Cache-Control": "no-store"}
    return answer(request, 500, *FAULT, detail, extra={"reference": reference}, headers=headers)


def _answer_http(request: Request, error: HTTPException) -> Response:
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    if error.status_code == 405:
        methods = methods_at(request)
        allow = {"Allow": ", ".join(methods)}
        if request.method == "OPTIONS" and "OPTIONS" in methods:
            return Response(status_code=204, headers=allow | PREFLIGHT)
        return answer_plain(request, 405, allow)
    return answer_plain(request, error.status_code, error.headers)


def _answer_busy(request: Request, error: OperationalError) -> Response:
    log.warning("the database refused: %s", error.orig)
    return answer_plain(request, 503, {"Retry-After": "2"})


def install(app: FastAPI) -> None:
    """Let every error leave the program as an answer of this module."""
    app.add_exception_handler(DomainError, answer_domain_error)  # type: ignore[arg-type]  # narrower than Exception
    app.add_exception_handler(RequestValidationError, answer_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _answer_http)  # type: ignore[arg-type]
    app.add_exception_handler(OperationalError, _answer_busy)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, answer_unexpected)
