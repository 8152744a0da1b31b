"""Users, chapters, web sessions, API tokens, invites, failed sign-ins, and changes of the rule's numbers."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from app.database import UtcDateTime


class Chapter(SQLModel, table=True):
    """A micro-community whose members vote together: a town, a union branch, veterans."""

    id: int = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    counts_from: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When it is counted by itself; None: from the start."
    )


class User(SQLModel, table=True):
    """A person, or the name of one who wrote in an imported history (role NAME: no sign-in, no vote)."""

    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint("role BETWEEN 0 AND 4", name="role"),
        Index(
            "ix_member_moving",
            "next_chapter_at",
            sqlite_where=text("next_chapter_at IS NOT NULL"),
            postgresql_where=text("next_chapter_at IS NOT NULL"),
        ),
        Index(
            "ix_member_recounted",
            "id",
            sqlite_where=text("recounts_asked > recounts_done"),
            postgresql_where=text("recounts_asked > recounts_done"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    name: str
    name_key: str = Field(unique=True, description="The name case-folded: no two differ by case alone.")
    password_hash: str | None = None
    role: int
    chapter_id: int | None = Field(default=None, foreign_key="chapter.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    # Joined, signed in, edited or voted last.
    last_active_at: datetime = Field(sa_type=UtcDateTime, index=True)
    invited_by_id: int | None = Field(default=None, foreign_key="member.id")
    next_chapter_id: int | None = Field(default=None, foreign_key="chapter.id", description="Where they move to.")
    next_chapter_at: datetime | None = Field(default=None, sa_type=UtcDateTime, description="When they move there.")
    seasoned_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When their votes begin to count; None: not vouched for yet."
    )
    voided_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When two moderators voided their votes last; it stays."
    )
    is_void: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": false()},
        description="Whether their votes count in no vote that opens now.",
    )
    recounts_asked: int = Field(
        default=0,
        sa_column_kwargs={"server_default": "0"},
        description="How often their votes began to count, so that what they voted on is to be looked at again.",
    )
    recounts_done: int = Field(
        default=0, sa_column_kwargs={"server_default": "0"}, description="For how many of these it has been."
    )


class Vouch(SQLModel, table=True):
    """One member's word that they know another. It stays on record."""

    __table_args__ = (UniqueConstraint("member_id", "by_id"),)

    id: int = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    by_id: int = Field(foreign_key="member.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)


class WebSession(SQLModel, table=True):
    """A signed-in browser. The cookie holds the secret, the row its SHA-256."""

    __tablename__ = "web_session"

    id: int = Field(default=None, primary_key=True)
    token_sha256: str = Field(unique=True)
    user_id: int = Field(foreign_key="member.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class ApiToken(SQLModel, table=True):
    """A program's key, shown once and stored as its SHA-256."""

    __tablename__ = "api_token"

    id: int = Field(default=None, primary_key=True)
    token_sha256: str = Field(unique=True)
    user_id: int = Field(foreign_key="member.id", index=True)
    scopes: list[Any] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    name: str = Field(default="", description="What its owner calls it: the program that uses it.")
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime, description="When it stops working.")


class Invite(SQLModel, table=True):
    """A link that lets people join a chapter, until it expires."""

    id: int = Field(default=None, primary_key=True)
    token_sha256: str = Field(unique=True)
    chapter_id: int | None = Field(default=None, foreign_key="chapter.id")
    created_by_id: int = Field(foreign_key="member.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class FailedSignIn(SQLModel, table=True):
    """One wrong password, counted by name and by address."""

    __tablename__ = "failed_sign_in"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(index=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)


class KeptAnswer(SQLModel, table=True):
    """What a POST with an `Idempotency-Key` was answered, for a day. `body` is None where it held a secret."""

    __tablename__ = "kept_answer"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    id: int = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="member.id")
    key: str
    fingerprint: str = Field(description="SHA-256 of the method, the address and the body.")
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    status: int
    headers: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    media_type: str
    body: bytes | None = None


class RuleStep(StrEnum):
    """What a moderator can do about a number of the rule."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    TAKEN_BACK = "taken_back"


class RuleChange(SQLModel, table=True):
    """A proposal to change one setting of the rule, or its end. The newest confirmed row of a setting is its value.

    Rows are only ever added; triggers refuse update and delete.
    """

    __tablename__ = "rule_change"
    __table_args__ = (
        CheckConstraint("kind IN ('proposed', 'confirmed', 'taken_back')", name="kind"),
        UniqueConstraint("proposal_id"),  # each proposal ends once
        Index(
            "ix_rule_change_saved",
            "setting",
            "id",
            sqlite_where=text("kind = 'confirmed'"),
            postgresql_where=text("kind = 'confirmed'"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    kind: str
    proposal_id: int | None = Field(default=None, foreign_key="rule_change.id", description="What it ends.")
    setting: str
    value: int | None = Field(default=None, description="None: the three tiers of rapid mode.")
    reason: str = ""
    at: datetime = Field(sa_type=UtcDateTime)
    actor_id: int = Field(foreign_key="member.id")
    chapter_id: int | None = Field(default=None, foreign_key="chapter.id", description="The actor's, at that moment.")
    entry: int | None = Field(default=None, description="A plain integer: the ledger stands above accounts.")
