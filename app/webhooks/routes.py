"""Webhooks, for the programs that want to be told."""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlmodel import Session

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.accounts.idempotency import AnswerHeldASecret, OnceRoute
from app.activity.models import Kind
from app.errors import Refused
from app.outbound import TargetRefused
from app.pages import service as pages
from app.pages.service import PageNotFound
from app.permissions import Scope
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor, listing
from app.web.openapi import can_fail, name_operation, needs
from app.web.schemas import Json, Listing, PathId
from app.web.session import SessionDep
from app.webhooks import service
from app.webhooks.addresses import check_address
from app.webhooks.models import State, Webhook
from app.webhooks.schemas import (
    TEST,
    DeliveryOut,
    MessageOut,
    RedeliverIn,
    RedeliverOut,
    SecretOut,
    TestMessage,
    WebhookChange,
    WebhookIn,
    WebhookMade,
    WebhookOut,
)
from app.webhooks.service import TooManyWebhooks, WebhookIsOff, WebhookNotFound
from app.words import _

api = APIRouter(tags=["Webhooks"], route_class=OnceRoute)

_NEEDS = needs(Scope.WEBHOOKS)


def check_new_address(request: Request, body: WebhookIn) -> None:
    """Find out where a new webhook leads to."""
    check_address(request, body.url)


def check_changed_address(request: Request, body: WebhookChange) -> None:
    """Find out where a webhook is to lead to, where that is to change."""
    if body.url is not None:
        check_address(request, body.url)


@api.get("/webhooks", openapi_extra=_NEEDS)
def list_webhooks(
    request: Request,
    response: Response,
    session: SessionDep,
    viewer: Viewer,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[WebhookOut]:
    """Your webhooks, and for admins everybody's."""
    place = decode_cursor(cursor, int)
    found = service.list_webhooks(session, viewer, after=place[0] if place else 0, limit=limit + 1)
    more = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    return listing(request, response, _present(session, found[:limit]), more)


@api.post(
    "/webhooks",
    status_code=201,
    dependencies=[Depends(check_new_address)],
    responses=can_fail(TargetRefused, TooManyWebhooks, PageNotFound, AnswerHeldASecret),
    openapi_extra=_NEEDS,
)
def add_webhook(
    request: Request, response: Response, session: SessionDep, viewer: Viewer, body: WebhookIn
) -> WebhookMade:
    """Have messages sent to an address, from now on. The answer holds the secret, this once."""
    request.state.once_only = True
    webhook, secret = service.add_webhook(session, viewer, **body.model_dump())
    response.headers["Location"] = f"/api/v1/webhooks/{webhook.id}"
    shown = _present(session, [webhook])[0]
    return WebhookMade.with_secret(webhook, secret, owner=shown.owner, page=shown.page)


@api.get("/webhooks/{webhook_id}", responses=can_fail(WebhookNotFound), openapi_extra=_NEEDS)
def get_webhook(session: SessionDep, viewer: Viewer, webhook_id: PathId) -> WebhookOut:
    """One webhook, and how it fares."""
    return _present(session, [service.get_webhook(session, viewer, webhook_id)])[0]


@api.patch(
    "/webhooks/{webhook_id}",
    dependencies=[Depends(check_changed_address)],
    responses=can_fail(WebhookNotFound, TargetRefused, PageNotFound),
    openapi_extra=_NEEDS,
)
def change_webhook(session: SessionDep, viewer: Viewer, webhook_id: PathId, body: WebhookChange) -> WebhookOut:
    """Change what is sent. A null `page` or `tag` ends that filter; `enabled` turns a webhook off, or on again."""
    changes = body.model_dump(exclude_unset=True)
    for name in ("url", "kinds", "description", "enabled"):
        if name in changes and changes[name] is None:
            raise Refused(_("This cannot be null. Leave it out to keep it."), pointer=f"/{name}")
    return _present(session, [service.change_webhook(session, viewer, webhook_id, changes)])[0]


@api.delete("/webhooks/{webhook_id}", status_code=204, responses=can_fail(WebhookNotFound), openapi_extra=_NEEDS)
def remove_webhook(session: SessionDep, viewer: Viewer, webhook_id: PathId) -> None:
    """Remove a webhook with all that waits for it. Admins can remove anybody's."""
    service.remove_webhook(session, viewer, webhook_id)


@api.get("/webhooks/{webhook_id}/deliveries", responses=can_fail(WebhookNotFound), openapi_extra=_NEEDS)
def list_deliveries(
    request: Request,
    response: Response,
    session: SessionDep,
    viewer: Viewer,
    webhook_id: PathId,
    state: Annotated[State | None, Query(description="Only those that stand so.")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[DeliveryOut]:
    """The messages of a webhook and each attempt, the newest first. They are kept for 30 days."""
    place = decode_cursor(cursor, int)
    found = service.list_deliveries(
        session, viewer, webhook_id, before=place[0] if place else None, state=state, limit=limit + 1
    )
    more = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    attempts = service.attempts_of(session, found[:limit])
    rows = [DeliveryOut.of(row, attempts.get(row.id, [])) for row in found[:limit]]
    return listing(request, response, rows, more)


@api.post(
    "/webhooks/{webhook_id}/redeliver",
    status_code=202,
    responses=can_fail(WebhookNotFound, WebhookIsOff),
    openapi_extra=_NEEDS,
)
def redeliver(session: SessionDep, viewer: Viewer, webhook_id: PathId, body: RedeliverIn) -> RedeliverOut:
    """Send one message again, or everything wanted that happened since a time. Ids stay the same."""
    if sum(part is not None for part in (body.delivery, body.message, body.since)) != 1:
        raise Refused(_("Send exactly one of delivery, message and since."), pointer="/since")
    if body.since is not None:
        after = service.send_since(session, viewer, webhook_id, body.since)
        return RedeliverOut(delivery=None, after=after)
    row = service.send_again(session, viewer, webhook_id, delivery=body.delivery, message=body.message)
    attempts = service.attempts_of(session, [row])
    return RedeliverOut(delivery=DeliveryOut.of(row, attempts.get(row.id, [])), after=None)


@api.post(
    "/webhooks/{webhook_id}/test",
    status_code=202,
    responses=can_fail(WebhookNotFound, WebhookIsOff),
    openapi_extra=_NEEDS,
)
def send_test(session: SessionDep, viewer: Viewer, webhook_id: PathId) -> DeliveryOut:
    """Send a message of type `webhook.test` that tells of nothing. What became of it is among the deliveries."""
    return DeliveryOut.of(service.send_test(session, viewer, webhook_id), [])


@api.post(
    "/webhooks/{webhook_id}/rotate-secret",
    responses=can_fail(WebhookNotFound, AnswerHeldASecret),
    openapi_extra=_NEEDS,
)
def rotate_secret(request: Request, session: SessionDep, viewer: Viewer, webhook_id: PathId) -> SecretOut:
    """Another secret, shown this once. For 24 hours messages are signed with the former one as well."""
    request.state.once_only = True
    found = service.rotate_secret(session, viewer, webhook_id)
    return SecretOut(secret=found.secret, former_until=found.former_until)


def _describe_messages() -> APIRouter:
    documented = APIRouter(generate_unique_id_function=name_operation)
    for kind in Kind:
        _describe(documented, kind, MessageOut, description=f"A row `{kind}` of the list of changes.")
    _describe(documented, TEST, TestMessage, description="Asked for, to see whether it arrives.")
    return documented


def _describe(
    documented: APIRouter, kind: str, model: type[MessageOut] | type[TestMessage], *, description: str
) -> None:
    signed = [
        _header("webhook-id", description="The same in every attempt: by it a message that came twice is known."),
        _header("webhook-timestamp", description="When this attempt was made, in seconds since 1970."),
        _header("webhook-signature", description="`v1,` and an HMAC-SHA256 in base64; two while secrets change."),
    ]
    documented.add_api_route(
        kind,
        _receiver(model),
        methods=["POST"],
        name=kind,
        description=description,
        tags=api.tags,
        openapi_extra={"parameters": signed},
    )


def _header(name: str, *, description: str) -> Json:
    return {"name": name, "in": "header", "required": True, "description": description, "schema": {"type": "string"}}


def _receiver(model: type[MessageOut] | type[TestMessage]) -> Callable[..., None]:
    def receive(body: MessageOut | TestMessage) -> None:
        """What the receiver gets, signed in the headers webhook-id, webhook-timestamp and webhook-signature."""

    receive.__annotations__["body"] = model
    return receive


def _present(session: Session, rows: Sequence[Webhook]) -> list[WebhookOut]:
    names = accounts.names_of(session, (row.owner_id for row in rows))
    by_id = pages.pages_by_id(session, (row.page_id for row in rows))
    waiting = service.count_waiting(session, [row.id for row in rows])
    return [
        WebhookOut.of(
            row,
            owner=names[row.owner_id],
            page=by_id[row.page_id].slug if row.page_id is not None else None,
            waiting=waiting.get(row.id, 0),
        )
        for row in rows
    ]


messages = _describe_messages()
"""What is sent, for the `webhooks` of the OpenAPI document: put together once for a process."""
