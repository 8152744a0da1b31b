"""Webhooks in requests and answers, and the messages that they get."""

from typing import Annotated, Final, Literal

from pydantic import Field

from app.activity.models import Kind
from app.activity.schemas import ChangeRow
from app.approvals.schemas import PageStatus
from app.outbound import MAX_URL
from app.web.schemas import Id, In, Moment, MomentAsked, Out, Sha256, Slug
from app.webhooks.models import Attempt, Delivery, State, Webhook, Why

TEST: Final = "webhook.test"
MAX_BIG_ID = 2**53 - 1

Url = Annotated[str, Field(max_length=MAX_URL, examples=["https://example.org/hooks/words"])]
Kinds = Annotated[
    list[str], Field(max_length=40, examples=[["page.promoted", "page.held"]], description="Empty: every kind.")
]
PageFilter = Annotated[
    str | None, Field(max_length=200, examples=["housing"], description="Only what happens to this page.")
]
TagFilter = Annotated[
    str | None, Field(max_length=60, examples=[None], description="Only what happens to pages that have this tag then.")
]
Description = Annotated[str, Field(max_length=200, examples=["The texting tool of the north"])]
Secret = Annotated[
    str,
    Field(
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
        description="What messages are signed with. Shown this once.",
    ),
]


class WebhookIn(In):
    """Where to send what."""

    url: Url
    kinds: Kinds = Field(default_factory=list)
    page: PageFilter = None
    tag: TagFilter = None
    description: Description = ""


class WebhookChange(In):
    """What is to be different; what is left out stays."""

    url: Annotated[Url | None, Field(examples=["https://example.org/hooks/words"])] = None
    kinds: Kinds | None = None
    page: PageFilter = None
    tag: TagFilter = None
    description: Description | None = None
    enabled: Annotated[bool | None, Field(examples=[True])] = None


class WebhookOut(Out):
    """A webhook and how it fares. `failing_since` is null while messages arrive."""

    id: Id
    url: str = Field(examples=["https://example.org/hooks/words"])
    owner: str = Field(examples=["anna"])
    kinds: list[Kind] = Field(examples=[["page.promoted", "page.held"]], description="Empty: every kind.")
    page: Slug | None
    tag: str | None = Field(examples=[None])
    description: str = Field(examples=["The texting tool of the north"])
    enabled: bool
    disabled_reason: Why | None = Field(
        examples=[None],
        description="`owner`: turned off; `gone`: the receiver answered 410; `failing`: nothing arrived for five days.",
    )
    disabled_at: Moment | None = Field(examples=[None])
    created_at: Moment
    last_success: Moment | None
    failing_since: Moment | None = Field(examples=[None])
    failures: int = Field(examples=[0], description="Attempts that failed since the last that did not.")
    waiting: int = Field(examples=[0], description="Messages that are yet to be sent, or sent again.")

    @classmethod
    def of(cls, row: Webhook, *, owner: str, page: str | None, waiting: int) -> "WebhookOut":
        return cls.model_validate(_fields(row, owner=owner, page=page, waiting=waiting))


class WebhookMade(WebhookOut):
    """A new webhook, with its secret."""

    secret: Secret

    @classmethod
    def with_secret(cls, row: Webhook, secret: str, *, owner: str, page: str | None) -> "WebhookMade":
        return cls.model_validate({**_fields(row, owner=owner, page=page, waiting=0), "secret": secret})


def _fields(row: Webhook, *, owner: str, page: str | None, waiting: int) -> dict[str, object]:
    same = ("id", "url", "kinds", "tag", "description", "disabled_reason", "disabled_at", "created_at")
    found = {name: getattr(row, name) for name in (*same, "failing_since", "failures")}
    return {
        **found,
        "owner": owner,
        "page": page,
        "enabled": row.is_enabled,
        "last_success": row.last_success_at,
        "waiting": waiting,
    }


class SecretOut(Out):
    """The new secret. Until `former_until` messages are signed with the one before as well."""

    secret: Secret
    former_until: Moment


class AttemptOut(Out):
    """One try. `status` is the answer's; null where none came, then `error` says why."""

    at: Moment
    status: int | None = Field(examples=[204])
    error: str = Field(examples=[""])
    milliseconds: int = Field(examples=[83])


class DeliveryOut(Out):
    """One message to a webhook, and each attempt to deliver it; the newest last, ten at most."""

    id: int = Field(examples=[9001])
    message: str = Field(examples=["msg_7Jk2aPq9XwTz_4711"], description="The header webhook-id, in every attempt.")
    kind: str = Field(examples=["page.promoted"])
    seq: int | None = Field(examples=[4711], description="The row of the list of changes; null for a test.")
    state: State = Field(examples=["delivered"])
    urgent: bool = Field(examples=[False])
    created_at: Moment
    next_at: Moment | None = Field(examples=[None], description="When it is sent again; null when it is not.")
    delivered_at: Moment | None
    attempts: list[AttemptOut]

    @classmethod
    def of(cls, row: Delivery, attempts: list[Attempt]) -> "DeliveryOut":
        same = ("id", "message", "kind", "seq", "state", "urgent", "created_at", "delivered_at")
        tries = [
            AttemptOut(at=it.at, status=it.status, error=it.error, milliseconds=it.milliseconds) for it in attempts
        ]
        found = {name: getattr(row, name) for name in same}
        found["next_at"] = row.next_at if row.state == State.PENDING else None
        return cls.model_validate({**found, "attempts": tries})


class RedeliverIn(In):
    """Exactly one of these: a delivery, a message, or everything from a time on."""

    delivery: Annotated[int | None, Field(ge=1, le=MAX_BIG_ID, examples=[9001])] = None
    message: Annotated[str | None, Field(max_length=80, pattern=r"^[\w-]+$", examples=[None])] = None
    since: Annotated[MomentAsked | None, Field(examples=[None])] = None


class RedeliverOut(Out):
    """What is sent again: one message, or all wanted ones after a row of the list of changes."""

    delivery: DeliveryOut | None
    after: int | None = Field(examples=[None])


class MessageLinks(Out):
    """Where to read on, as whole addresses."""

    self: str | None = Field(examples=["https://workshop.example/api/v1/pages/housing/approved"])
    html: str | None = Field(examples=["https://workshop.example/pages/housing"])
    revision: str | None = Field(examples=["https://workshop.example/api/v1/revisions/128"])
    ledger: str = Field(examples=["https://workshop.example/api/v1/ledger/checkpoint"])


class MessageData(ChangeRow):
    """The row of the list of changes, and what goes with it.

    `status` and `checkpoint` are as of the moment the message was written: in every attempt the same.
    """

    status: PageStatus | None = Field(examples=["approved"], description="How the page stands.")
    sha256: Sha256 | None = Field(description="Of the revision that `subject` names; null where it names none.")
    links: MessageLinks
    checkpoint: str | None = Field(
        examples=["words.example.org/ledger\n2\nn4bQ…\n\n— words.example.org/ledger 4Yq3…\n"],
        description="The newest checkpoint of the public ledger; null while that is empty.",
    )


class MessageOut(Out):
    """A message. `timestamp` is when it happened; when it was sent is in the header `webhook-timestamp`."""

    type: Kind
    timestamp: Moment
    data: MessageData


class TestData(Out):
    """Which webhook is tried."""

    webhook: Id


class TestMessage(Out):
    """A message that tells of nothing."""

    type: Literal["webhook.test"] = TEST
    timestamp: Moment
    data: TestData
