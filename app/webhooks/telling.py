"""How a member's webhooks and their messages fare, and what there is to be told of, in sentences for their pages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from app.activity.models import Kind
from app.permissions import Actor
from app.webhooks import service
from app.webhooks.models import Attempt, Delivery, State, Webhook, Why
from app.webhooks.schemas import TEST
from app.words import N_, _, _n, in_words

_ENDED = {
    Why.OWNER: N_("You turned it off: {when}"),
    Why.GONE: N_("Nothing has been sent since {when}: the receiver said that it is gone."),
    Why.FAILING: N_("Nothing has been sent since {when}: for five days no message had arrived."),
}

KINDS: tuple[tuple[str, dict[Kind, str]], ...] = (
    (
        N_("Texts that may be used, or no longer"),
        {
            Kind.PAGE_PROMOTED: N_("A new text is approved"),
            Kind.PAGE_CORRECTED: N_("An agreed text is put in place at once"),
            Kind.PAGE_HELD: N_("A text is stopped for now"),
            Kind.PAGE_RELEASED: N_("A stop ends"),
            Kind.PAGE_WITHDRAWN: N_("A text is withdrawn: never use it"),
            Kind.PAGE_RESTORED: N_("A withdrawn text comes back"),
            Kind.PAGE_UNPROMOTED: N_("Members take an approval back"),
        },
    ),
    (
        N_("Pages"),
        {
            Kind.PAGE_CREATED: N_("A page is started"),
            Kind.PAGE_RENAMED: N_("A page gets another title, address or tag"),
        },
    ),
    (
        N_("Drafts and votes"),
        {
            Kind.REVISION_SAVED: N_("Somebody saves a version"),
            Kind.DRAFT_FORKED: N_("Somebody begins a version of their own"),
            Kind.DRAFT_UPDATED: N_("A draft is brought up to date"),
            Kind.DRAFT_WITHDRAWN: N_("A draft is withdrawn"),
            Kind.VOTE_CAST: N_("Somebody votes"),
            Kind.VOTE_WITHDRAWN: N_("Somebody takes a vote back"),
            Kind.CANDIDATE_LEADING: N_("A wording has enough support and waits"),
            Kind.CANDIDATE_CARRIED: N_("A wording is carried onto the new approved text"),
            Kind.CANDIDATE_STALE: N_("A wording needs somebody to merge it"),
            Kind.CANDIDATE_DECLINED: N_("A wording is declined"),
            Kind.CANDIDATE_EXPIRED: N_("A vote ends without a decision"),
        },
    ),
)
"""What a webhook can be told of, in groups as people choose among them."""

ABOUT_USE = frozenset(KINDS[0][1])
"""What a program that sends texts has to know."""

_WORDS: dict[str, str] = {kind: words for _name, kinds in KINDS for kind, words in kinds.items()} | {
    TEST: N_("A test that you asked for")
}


_NO_ANSWER = {
    "no answer": N_("No answer came in time."),
    "no connection": N_("No connection could be made."),
    "no such machine": N_("No machine of that name was found."),
    "the answer was no HTTP": N_("What answers there is no web server."),
    "the connection broke": N_("The connection broke off."),
}
"""What the way out says where no answer came, by how it begins."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A sentence in which `{when}` stands for the moment, if there is one."""

    words: str
    when: datetime | None = None

    def __str__(self) -> str:
        return self.words.replace("{when}", in_words(self.when)) if self.when else self.words


@dataclass(frozen=True, slots=True)
class Told:
    """A webhook in words. `needs_care`: the workshop turned it off, or messages do not arrive."""

    webhook: Webhook
    sentence: Timed
    needs_care: bool


@dataclass(frozen=True, slots=True)
class ToldDelivery:
    """A message in words: what it tells and of which page, where it stands, and what the receiver answered last."""

    delivery: Delivery
    what: str
    page: str | None
    standing: Timed
    answer: str

    @property
    def is_under_way(self) -> bool:
        """Whether the first answer is yet to come."""
        return self.delivery.state == State.PENDING and not self.delivery.tries

    @property
    def has_arrived(self) -> bool:
        return self.delivery.state == State.DELIVERED


def tell_own(session: Session, actor: Actor) -> list[Told]:
    """The actor's webhooks, those that need care first."""
    rows = service.list_own(session, actor)
    waiting = service.count_waiting(session, [row.id for row in rows]) if rows else {}
    told = [_told(row, waiting.get(row.id, 0)) for row in rows]
    return sorted(told, key=lambda it: not it.needs_care)


def tell_one(session: Session, webhook: Webhook) -> Told:
    """How this webhook fares."""
    return _told(webhook, service.count_waiting(session, [webhook.id]).get(webhook.id, 0))


def tell_deliveries(session: Session, rows: Sequence[Delivery]) -> list[ToldDelivery]:
    """What became of these messages, in their order."""
    attempts = service.attempts_of(session, rows) if rows else {}
    return [_tell_delivery(row, attempts.get(row.id, [])) for row in rows]


def _told(row: Webhook, waiting: int) -> Told:
    return Told(row, _tell(row, waiting), _needs_care(row))


def _needs_care(row: Webhook) -> bool:
    return row.failing_since is not None if row.is_enabled else row.disabled_reason != Why.OWNER


def _tell(row: Webhook, waiting: int) -> Timed:
    if row.disabled_reason is not None and row.disabled_at is not None:
        return Timed(_(_ENDED[Why(row.disabled_reason)]), row.disabled_at)
    if row.failing_since is not None:
        said = _n(
            "No message has arrived since {when}; {n} waits.", "No message has arrived since {when}; {n} wait.", waiting
        )
        return Timed(said.replace("{n}", str(waiting)), row.failing_since)
    if row.last_success_at is not None:
        return Timed(_("All is well. Last message: {when}"), row.last_success_at)
    return Timed(_("Nothing has been sent to it yet."))


def _tell_delivery(row: Delivery, attempts: Sequence[Attempt]) -> ToldDelivery:
    what = _(_WORDS.get(row.kind, row.kind))
    page: str | None = json.loads(row.body)["data"].get("page")
    told = ToldDelivery(row, what, page, _stand(row, len(attempts)), "")
    # What is sent again has an old answer, which says nothing of this time.
    return replace(told, answer=_answered(attempts[-1])) if attempts and not told.is_under_way else told


def _stand(row: Delivery, tries: int) -> Timed:
    if row.state == State.DELIVERED:
        if tries <= 1:
            return Timed(_("Arrived at the first try."))
        said = _n("Arrived {when}, after {n} try.", "Arrived {when}, after {n} tries.", tries)
        return Timed(said.replace("{n}", str(tries)), row.delivered_at)
    if row.state == State.FAILED:
        if not tries:
            return Timed(_("Never sent: the webhook was turned off first."))
        return Timed(_n("Given up after {n} try.", "Given up after {n} tries.", tries).replace("{n}", str(tries)))
    if not row.tries:
        return Timed(_("On its way."))
    said = _n("Next try {when}, after {n} try.", "Next try {when}, after {n} tries.", row.tries)
    return Timed(said.replace("{n}", str(row.tries)), row.next_at)


def _answered(attempt: Attempt) -> str:
    if attempt.status is None:
        words = next((_(words) for begins, words in _NO_ANSWER.items() if attempt.error.startswith(begins)), "")
        return _("{words} ({detail})").format(words=words, detail=attempt.error) if words else attempt.error
    if 200 <= attempt.status < 300:
        return _("The receiver answered {status}: it took the message.").format(status=attempt.status)
    return _("The receiver answered {status}: it did not take the message.").format(status=attempt.status)
