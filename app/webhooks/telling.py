"""How a member's webhooks fare, in sentences for their own page."""

from dataclasses import dataclass

from sqlmodel import Session

from app.permissions import Actor
from app.webhooks import service
from app.webhooks.models import Webhook, Why
from app.words import N_, _, _n, in_words

_ENDED = {
    Why.OWNER: N_("You turned it off {when}."),
    Why.GONE: N_("Nothing has been sent since {when}: the receiver said that it is gone."),
    Why.FAILING: N_("Nothing has been sent since {when}: for five days no message had arrived."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A webhook in words. `needs_care`: the workshop turned it off, or messages do not arrive."""

    webhook: Webhook
    sentence: str
    needs_care: bool


def tell_own(session: Session, actor: Actor) -> list[Told]:
    """The actor's webhooks, those that need care first."""
    rows = service.list_own(session, actor)
    waiting = service.count_waiting(session, [row.id for row in rows]) if rows else {}
    told = [Told(row, _tell(row, waiting.get(row.id, 0)), _needs_care(row)) for row in rows]
    return sorted(told, key=lambda it: not it.needs_care)


def _needs_care(row: Webhook) -> bool:
    return row.failing_since is not None if row.is_enabled else row.disabled_reason != Why.OWNER


def _tell(row: Webhook, waiting: int) -> str:
    if row.disabled_reason is not None and row.disabled_at is not None:
        return _(_ENDED[Why(row.disabled_reason)]).format(when=in_words(row.disabled_at))
    if row.failing_since is not None:
        said = _n(
            "No message has arrived since {when}; {n} waits.", "No message has arrived since {when}; {n} wait.", waiting
        )
        return said.format(when=in_words(row.failing_since), n=waiting)
    if row.last_success_at is not None:
        return _("The last message arrived {when}.").format(when=in_words(row.last_success_at))
    return _("Nothing has been sent to it yet.")
