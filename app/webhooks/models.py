"""Webhooks, the messages that wait to be sent to them, and each attempt to do so."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.database import UtcDateTime


class Why(StrEnum):
    """Why nothing is sent to a webhook any more."""

    OWNER = "owner"
    GONE = "gone"
    FAILING = "failing"


class State(StrEnum):
    """Where a message stands: to be sent (again), taken by the receiver, or given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Webhook(SQLModel, table=True):
    """Where a member wants to be told what happens. The secret is not here: it follows from a key and `salt`.

    `position` and `urgent_position` say up to which row of the log messages were made, for each lane.
    """

    __table_args__ = (CheckConstraint("disabled_reason IN ('owner', 'gone', 'failing')", name="disabled_reason"),)

    id: int = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="member.id", index=True)
    url: str
    description: str = ""
    kinds: list[str] = Field(default_factory=list, sa_type=JSON, description="Empty: every kind.")
    page_id: int | None = Field(default=None, foreign_key="page.id")
    tag: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_reason: str | None = None
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    mark: str = Field(unique=True, description="What its messages' ids begin with; unlike any other workshop's.")
    salt: str
    secret_sha256: str
    former_salt: str | None = None
    former_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    position: int = Field(sa_type=BigInteger)
    urgent_position: int = Field(sa_type=BigInteger)
    last_success_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failures: int = Field(default=0, description="Attempts that failed since the last that did not.")
    paused_until: datetime | None = Field(default=None, sa_type=UtcDateTime, description="The receiver asked for it.")

    @property
    def is_enabled(self) -> bool:
        return self.disabled_reason is None


class Delivery(SQLModel, table=True):
    """One message to one webhook. Its id and its bytes are the same in every attempt."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "seq"),
        CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
        Index(
            "ix_webhook_delivery_due",
            "next_at",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_webhook_delivery_webhook_id_state", "webhook_id", "state"),
        Index("ix_webhook_delivery_created_at", "created_at"),
    )

    id: int = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    webhook_id: int = Field(sa_column=Column(ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False))
    seq: int | None = Field(default=None, sa_type=BigInteger, description="The row of the log; None for a test.")
    message: str = Field(unique=True)
    kind: str
    urgent: bool
    body: str
    state: str = State.PENDING
    tries: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime = Field(sa_type=UtcDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Attempt(SQLModel, table=True):
    """One try to deliver. `status` is the answer's, None where none came; then `error` says why."""

    __tablename__ = "webhook_attempt"

    id: int = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    delivery_id: int = Field(
        sa_column=Column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    at: datetime = Field(sa_type=UtcDateTime)
    status: int | None = None
    error: str = ""
    milliseconds: int
