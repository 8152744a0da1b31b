"""A POST that is sent again, since its answer was lost on the way, acts once: `Idempotency-Key`.

Follows draft-ietf-httpapi-idempotency-key-header: the key is the client's, best a UUID, and is known for a day.
"""

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import delete, text
from sqlmodel import Session, col, select
from starlette.concurrency import run_in_threadpool

from app.accounts.actors import Viewer
from app.accounts.models import KeptAnswer
from app.database import now
from app.errors import Conflict, Refused
from app.permissions import Actor
from app.web.openapi import can_fail
from app.web.session import SessionDep
from app.words import N_, _

LASTS = timedelta(hours=24)
KEPT_HEADERS = ("location", "link")
SECRETS_INSIDE = "once_only"
"""Set on `request.state` by a route whose answer holds a secret, which is never stored."""


class KeyReused(Refused):
    slug = "idempotency-key-reused"
    title = N_("This key was sent with another request")


class AnswerHeldASecret(Conflict):
    slug = "answer-held-a-secret"
    title = N_("This was done already, and its answer is shown once")


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that is done for the first time, and what its answer is to be kept under."""

    session: Session
    actor: Actor
    key: str
    fingerprint: str


class Replayed(Exception):  # no error: the way out of a request that was answered before
    """The answer that was given the first time."""

    def __init__(self, kept: KeptAnswer) -> None:
        super().__init__(kept.key)
        self.kept = kept


async def fingerprint_of(request: Request, viewer: Viewer) -> str:
    """The SHA-256 of all that makes two requests the same: what is asked for, with which scopes, and the body.

    Without the scopes a token that may only read would be given an answer to what it may not do.
    """
    body = await request.body()
    scopes = " ".join(sorted(viewer.scopes)) if viewer and viewer.scopes is not None else "all"
    asked = f"{request.method} {request.url.path}?{request.url.query}\n{scopes}\n".encode()
    return hashlib.sha256(asked + body).hexdigest()


def act_once(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    fingerprint: Annotated[str, Depends(fingerprint_of)],
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="Sent again with the same key, this acts once and answers the same, for 24 hours.",
            examples=["9f1c2d3e-7a54-4d0a-9a51-5d1f3c2b7e10"],
        ),
    ] = None,
) -> None:
    """Raise `Replayed` if this very request was answered before, `KeyReused` if another one had the key."""
    if idempotency_key is None or viewer is None:
        return
    _wait_for_the_first(session, viewer, idempotency_key)
    kept = session.exec(
        select(KeptAnswer).where(
            KeptAnswer.user_id == viewer.id,
            KeptAnswer.key == idempotency_key,
            col(KeptAnswer.at) > now(session) - LASTS,
        )
    ).first()
    if kept is None:
        request.state.pending = Pending(session, viewer, idempotency_key, fingerprint)
    elif kept.fingerprint == fingerprint:
        raise Replayed(kept)
    else:
        raise KeyReused(
            _(
                "You sent another request with this Idempotency-Key less than a day ago. Nothing was done now. Give "
                "each request a key of its own."
            ),
            pointer="/idempotency-key",
        )


def send_form_once(session: Session, actor: Actor, key: str) -> None:
    """Note that a form which shows a secret was sent; raise `AnswerHeldASecret` where that was done before.

    `key` is the form's own, made when the form was; without one every sending counts. Called with what the form does
    in one savepoint, so that a form that was refused can be sent again.
    """
    if not key:
        return
    # With a space, which no Idempotency-Key has: the two never meet.
    key = f"form {hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}"
    _wait_for_the_first(session, actor, key)
    _forget_old(session)
    if session.exec(select(KeptAnswer).where(KeptAnswer.user_id == actor.id, KeptAnswer.key == key)).first():
        raise _held_a_secret()
    session.add(KeptAnswer(user_id=actor.id, key=key, fingerprint="", at=now(session), status=200, media_type=""))
    session.flush()


def _wait_for_the_first(session: Session, actor: Actor, key: str) -> None:
    """Two at once with one key are done one after the other. On SQLite every two writers are."""
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"{actor.id} {key}".encode()).digest()[:8], "big", signed=True)
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": number})


class OnceRoute(APIRoute):
    """A route whose POSTs act once for each `Idempotency-Key`. The answer is kept in the transaction of its effect."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        once = Depends(act_once)
        if "POST" in (given.get("methods") or ()) and once not in (given.get("dependencies") or ()):
            given["dependencies"] = [*(given.get("dependencies") or ()), once]
            given["responses"] = can_fail(KeyReused) | (given.get("responses") or {})
        super().__init__(path, endpoint, **given)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As it is, and then the answer is kept."""
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            try:
                response = await handle(request)
            except Replayed as replayed:
                return _answer_again(replayed.kept)
            pending: Pending | None = getattr(request.state, "pending", None)
            if pending is not None:
                await run_in_threadpool(_keep, pending, response, secret=hasattr(request.state, SECRETS_INSIDE))
            return response

        return handle_once


def _keep(pending: Pending, response: Response, *, secret: bool) -> None:
    session = pending.session
    _forget_old(session)
    session.add(
        KeptAnswer(
            user_id=pending.actor.id,
            key=pending.key,
            fingerprint=pending.fingerprint,
            at=now(session),
            status=response.status_code,
            headers={name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
            media_type=response.headers.get("content-type", ""),
            body=None if secret else bytes(response.body),
        )
    )
    session.flush()


def _forget_old(session: Session) -> None:
    session.execute(delete(KeptAnswer).where(col(KeptAnswer.at) <= now(session) - LASTS))


def _held_a_secret() -> AnswerHeldASecret:
    return AnswerHeldASecret(
        _(
            "This was done when you sent it first; the secret in its answer is shown that once and stored nowhere. "
            "If you never got it, take back what was made and make a new one."
        )
    )


def _answer_again(kept: KeptAnswer) -> Response:
    if kept.body is None:
        raise _held_a_secret()
    headers = {**kept.headers, "Idempotency-Replayed": "true"}
    if kept.media_type:
        headers["Content-Type"] = kept.media_type
    return Response(kept.body, kept.status, headers)
