"""Make, change, list and try webhooks; each belongs to the member who made it."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, delete, select, update

from app.activity import service as activity
from app.activity.models import Kind
from app.database import now
from app.errors import Conflict, NotFound, Refused
from app.live.rows import parse_kinds
from app.outbound import parse_target
from app.pages import service as pages
from app.pages.text import clean_line
from app.permissions import Action, Actor, allows, require
from app.webhooks import messages, signing
from app.webhooks.keys import NoSecretKey, SecretKey
from app.webhooks.models import Attempt, Delivery, State, Webhook, Why
from app.webhooks.schemas import TEST
from app.words import N_, _

MOST = 20
"""Webhooks of one member."""

OVERLAP = timedelta(hours=24)
"""How long messages are signed with the former secret too."""

MAX_DESCRIPTION = 200
MAX_TAG = 60
ATTEMPTS_SHOWN = 10


class WebhookNotFound(NotFound):
    slug = "webhook-not-found"
    title = N_("There is no such webhook")


class TooManyWebhooks(Conflict):
    slug = "too-many-webhooks"
    title = N_("You have as many webhooks as there can be")


class WebhookIsOff(Conflict):
    slug = "webhook-off"
    title = N_("This webhook is turned off")


@dataclass(frozen=True, slots=True)
class Secret:
    """A new secret, and until when the former one is used as well."""

    secret: str
    former_until: datetime


def add_webhook(
    session: Session,
    actor: Actor | None,
    *,
    url: str,
    kinds: Collection[str] = (),
    page: str | None = None,
    tag: str | None = None,
    description: str = "",
) -> tuple[Webhook, str]:
    """A new webhook that gets what happens from now on, and its secret, which is shown this once.

    Whoever calls this has checked where the address leads: that takes time which no transaction should last.
    """
    actor = require(actor, Action.MANAGE_WEBHOOKS)
    count = session.exec(select(func.count()).select_from(Webhook).where(Webhook.owner_id == actor.id)).one()
    if count >= MOST:
        raise TooManyWebhooks(
            _("One member can have {most} webhooks. Remove one that is not needed, or change it.").format(most=MOST)
        )
    parse_target(url)
    salt, secret = _new_secret(session)
    newest = activity.newest_position(session)
    webhook = Webhook(
        owner_id=actor.id,
        url=url,
        kinds=_clean_kinds(kinds),
        page_id=pages.get_page(session, page).id if page else None,
        tag=_clean_tag(tag),
        description=clean_line(description, pointer="/description", max_length=MAX_DESCRIPTION),
        created_at=now(session),
        mark=secrets.token_hex(8),
        salt=salt,
        secret_sha256=signing.digest(secret),
        position=newest,
        urgent_position=newest,
    )
    session.add(webhook)
    session.flush()
    return webhook, secret


def change_webhook(session: Session, actor: Actor | None, webhook_id: int, changes: dict[str, Any]) -> Webhook:
    """Change what is given of url, kinds, page, tag, description and enabled.

    Turned off, what waits is given up. Turned on again, it gets what happens from then on.
    """
    webhook = _get_to_change(session, actor, webhook_id)
    if "url" in changes:
        parse_target(changes["url"])
        webhook.url = changes["url"]
    if "kinds" in changes:
        webhook.kinds = _clean_kinds(changes["kinds"])
    if "page" in changes:
        webhook.page_id = pages.get_page(session, changes["page"]).id if changes["page"] else None
    if "tag" in changes:
        webhook.tag = _clean_tag(changes["tag"])
    if "description" in changes:
        webhook.description = clean_line(changes["description"], pointer="/description", max_length=MAX_DESCRIPTION)
    if changes.get("enabled") is False and webhook.is_enabled:
        turn_off(session, webhook, Why.OWNER)
    elif changes.get("enabled") is True and not webhook.is_enabled:
        webhook.disabled_reason = webhook.disabled_at = webhook.failing_since = webhook.paused_until = None
        webhook.failures = 0
        webhook.position = webhook.urgent_position = activity.newest_position(session)
    session.add(webhook)
    session.flush()
    return webhook


def turn_off(session: Session, webhook: Webhook, why: Why) -> None:
    """Send it nothing more, and give up what waits. Whoever calls this holds the webhook's row."""
    webhook.disabled_reason, webhook.disabled_at = why, now(session)
    session.add(webhook)
    session.flush()
    waiting = col(Delivery.webhook_id) == webhook.id, col(Delivery.state) == State.PENDING
    session.exec(update(Delivery).where(*waiting).values(state=State.FAILED, leased_until=None))


def remove_webhook(session: Session, actor: Actor | None, webhook_id: int) -> None:
    """Remove it with all that waits for it. Its owner can, and an admin."""
    webhook = get_webhook(session, actor, webhook_id)
    require(actor, Action.REMOVE_WEBHOOK, webhook)
    _lock(session, webhook)
    session.exec(delete(Webhook).where(col(Webhook.id) == webhook.id))


def rotate_secret(session: Session, actor: Actor | None, webhook_id: int) -> Secret:
    """Another secret. For a day messages are signed with the former one too, so that none is refused meanwhile."""
    webhook = _get_to_change(session, actor, webhook_id)
    salt, secret = _new_secret(session)
    webhook.former_salt, webhook.former_until = webhook.salt, now(session) + OVERLAP
    webhook.salt, webhook.secret_sha256 = salt, signing.digest(secret)
    session.add(webhook)
    return Secret(secret, webhook.former_until)


def get_webhook(session: Session, actor: Actor | None, webhook_id: int) -> Webhook:
    """A webhook of the actor's own, any for an admin; to others it does not exist."""
    actor = require(actor, Action.MANAGE_WEBHOOKS)
    webhook = session.get(Webhook, webhook_id)
    if webhook is None or (webhook.owner_id != actor.id and not allows(actor, Action.SEE_ALL_WEBHOOKS)):
        raise WebhookNotFound(_("There is no such webhook, or it is not yours."))
    return webhook


def get_own(session: Session, actor: Actor | None, webhook_id: int) -> Webhook:
    """A webhook of the actor's own; to everybody else it does not exist, admins included."""
    webhook = get_webhook(session, actor, webhook_id)
    if not allows(actor, Action.CHANGE_WEBHOOK, webhook):
        raise WebhookNotFound(_("There is no such webhook, or it is not yours."))
    return webhook


def list_webhooks(session: Session, actor: Actor | None, *, after: int = 0, limit: int = 50) -> Sequence[Webhook]:
    """The actor's own by id, after the one named; an admin's list has everybody's."""
    actor = require(actor, Action.MANAGE_WEBHOOKS)
    query = select(Webhook).where(col(Webhook.id) > after).order_by(col(Webhook.id)).limit(limit)
    if not allows(actor, Action.SEE_ALL_WEBHOOKS):
        query = query.where(Webhook.owner_id == actor.id)
    return session.exec(query).all()


def list_own(session: Session, actor: Actor) -> Sequence[Webhook]:
    """The webhooks of one member, for their own page."""
    return session.exec(select(Webhook).where(Webhook.owner_id == actor.id).order_by(col(Webhook.id))).all()


def count_waiting(session: Session, webhook_ids: Collection[int]) -> dict[int, int]:
    """How many messages wait for each of these."""
    query = (
        select(Delivery.webhook_id, func.count())
        .where(col(Delivery.webhook_id).in_(webhook_ids), Delivery.state == State.PENDING)
        .group_by(col(Delivery.webhook_id))
    )
    return dict(session.exec(query).all())


def list_deliveries(
    session: Session,
    actor: Actor | None,
    webhook_id: int,
    *,
    before: int | None = None,
    state: State | None = None,
    limit: int = 50,
) -> Sequence[Delivery]:
    """A webhook's messages, the newest first, before the one named."""
    webhook = get_webhook(session, actor, webhook_id)
    query = select(Delivery).where(Delivery.webhook_id == webhook.id).order_by(col(Delivery.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(Delivery.id) < before)
    if state is not None:
        query = query.where(Delivery.state == state)
    return session.exec(query).all()


def find_delivery(session: Session, webhook: Webhook, delivery_id: int) -> Delivery | None:
    """One message of this webhook; None where it has none such, or none any more."""
    return session.exec(select(Delivery).where(Delivery.webhook_id == webhook.id, Delivery.id == delivery_id)).first()


def attempts_of(session: Session, deliveries: Sequence[Delivery]) -> dict[int, list[Attempt]]:
    """The newest attempts for each message, oldest first."""
    found: dict[int, list[Attempt]] = {}
    wanted = [row.id for row in deliveries]
    query = select(Attempt).where(col(Attempt.delivery_id).in_(wanted)).order_by(col(Attempt.id))
    for row in session.exec(query):
        found.setdefault(row.delivery_id, []).append(row)
    return {key: rows[-ATTEMPTS_SHOWN:] for key, rows in found.items()}


def send_test(session: Session, actor: Actor | None, webhook_id: int) -> Delivery:
    """Put a message in line that tells of nothing, before all others."""
    webhook = _get_to_send(session, actor, webhook_id)
    at = now(session)
    row = Delivery(
        webhook_id=webhook.id,
        message=f"msg_{webhook.mark}_test{secrets.token_hex(6)}",
        kind=TEST,
        urgent=True,
        body=messages.write_test(at, webhook.id),
        created_at=at,
        next_at=at,
    )
    session.add(row)
    session.flush()
    return row


def send_again(
    session: Session,
    actor: Actor | None,
    webhook_id: int,
    *,
    delivery: int | None = None,
    message: str | None = None,
) -> Delivery:
    """Put one message in line again, whatever became of it; its id stays the same."""
    webhook = _get_to_send(session, actor, webhook_id)
    which = Delivery.id == delivery if delivery is not None else Delivery.message == message
    row = session.exec(select(Delivery).where(Delivery.webhook_id == webhook.id, which)).first()
    if row is None:
        raise Refused(
            _("This webhook has no such message any more. Ask for everything since a time instead."),
            pointer="/delivery" if delivery is not None else "/message",
        )
    row.state, row.tries, row.next_at, row.leased_until = State.PENDING, 0, now(session), None
    session.add(row)
    session.flush()
    return row


def send_since(session: Session, actor: Actor | None, webhook_id: int, moment: datetime) -> int:
    """Go back in the log, so that everything wanted since a moment is sent again; the row it goes on after."""
    webhook = _get_to_send(session, actor, webhook_id)
    position = activity.position_before(session, moment)
    webhook.position = min(webhook.position, position)
    webhook.urgent_position = min(webhook.urgent_position, position)
    session.add(webhook)
    return position


def secrets_for(key: bytes, webhook: Webhook, at: datetime) -> list[str]:
    """What a message sent at this moment is signed with; raises `NoSecretKey` where the key is not the right one."""
    secret = signing.secret_of(key, webhook.salt)
    if signing.digest(secret) != webhook.secret_sha256:
        raise NoSecretKey("The secrets of webhooks were made with another key. Put that one back.")
    former = webhook.former_salt if webhook.former_until and at < webhook.former_until else None
    return [secret, *([signing.secret_of(key, former)] if former else [])]


def _get_to_change(session: Session, actor: Actor | None, webhook_id: int) -> Webhook:
    webhook = get_webhook(session, actor, webhook_id)
    require(actor, Action.CHANGE_WEBHOOK, webhook)
    return _lock(session, webhook)


def _get_to_send(session: Session, actor: Actor | None, webhook_id: int) -> Webhook:
    webhook = _get_to_change(session, actor, webhook_id)
    if not webhook.is_enabled:
        raise WebhookIsOff(_("Nothing is sent to a webhook that is turned off. Turn it on first."))
    return webhook


def _lock(session: Session, webhook: Webhook) -> Webhook:
    """The row as it is now; others who change it, or what waits for it, wait until the commit."""
    return session.exec(
        select(Webhook).where(Webhook.id == webhook.id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _new_secret(session: Session) -> tuple[str, str]:
    key: SecretKey = session.info["secret_key"]
    salt = secrets.token_hex(16)
    return salt, signing.secret_of(key.read(), salt)


def _clean_kinds(kinds: Collection[str]) -> list[str]:
    wanted = parse_kinds(",".join(kinds))
    return [kind.value for kind in Kind if kind in wanted]


def _clean_tag(tag: str | None) -> str | None:
    return clean_line(tag, pointer="/tag", max_length=MAX_TAG).casefold() or None if tag else None
