"""Entries of the ledger and the checkpoints over them. Triggers refuse update and delete."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from app.database import UtcDateTime


class EntryKind(StrEnum):
    """What an entry is about. The list is part of the API contract."""

    RULE = "rule"
    IMPORTED = "imported"
    PROMOTED = "promoted"
    UNPROMOTED = "unpromoted"
    HELD = "held"
    RELEASED = "released"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    RESTORED = "restored"
    VOIDED = "voided"
    GIVEN_BACK = "given_back"


class LedgerEntry(SQLModel, table=True):
    """One leaf of the tree. `body` is what was hashed, byte for byte; the other columns are for finding it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ix_ledger_entry_page_id_sequence", "page_id", "sequence"),
        Index(
            "ix_ledger_entry_rule",
            "sequence",
            sqlite_where=text("kind = 'rule'"),
            postgresql_where=text("kind = 'rule'"),
        ),
    )

    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False}, description="From 1, no gaps.")
    kind: str
    page_id: int | None = Field(default=None, foreign_key="page.id", description="None: about the rule or a member.")
    approval_id: int | None = Field(default=None, foreign_key="approval.id", unique=True)
    stop_id: int | None = Field(default=None, foreign_key="stop.id", unique=True)
    at: datetime = Field(sa_type=UtcDateTime)
    body: str = Field(sa_type=Text, description="Canonical JSON.")
    leaf: str = Field(description="The leaf's hash, in hexadecimal.")


class Checkpoint(SQLModel, table=True):
    """The signed note over the first `size` entries, made in the transaction of the last of them."""

    __tablename__ = "ledger_checkpoint"

    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    root: str = Field(description="In hexadecimal.")
    frontier: str = Field(sa_type=Text, description="The peaks of the tree, from which it grows on.")
    note: str = Field(sa_type=Text)
