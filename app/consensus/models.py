"""Candidates, the votes on them, and what each depends on in the approved text."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel, col

from app.database import UtcDateTime


class Value(StrEnum):
    SUPPORT = "support"
    OPPOSE = "oppose"
    PASS = "pass"


class Candidate(SQLModel, table=True):
    """A change put to the vote: draft, base, electorate, current revision.

    `passing_since`, `failing_since`, `not_before` and `due_at` are what the rule asked to be remembered; `due_at` is
    the next moment at which its answer can change without a vote. `closed` names the state in which the candidate
    ended.
    """

    __table_args__ = (
        CheckConstraint(
            "closed IN ('approved', 'contested', 'unpromoted', 'declined', 'superseded', 'withdrawn', 'expired')",
            name="closed",
        ),
        Index(
            "ix_candidate_page_open",
            "page_id",
            "id",
            sqlite_where=text("closed IS NULL"),
            postgresql_where=text("closed IS NULL"),
        ),
        Index(
            "ix_candidate_opened",
            "opened_at",
            "id",
            sqlite_where=text("closed IS NULL AND opened_at IS NOT NULL"),
            postgresql_where=text("closed IS NULL AND opened_at IS NOT NULL"),
        ),
        Index(
            "ix_candidate_passing",
            "due_at",
            "id",
            sqlite_where=text("closed IS NULL AND passing_since IS NOT NULL"),
            postgresql_where=text("closed IS NULL AND passing_since IS NOT NULL"),
        ),
        Index(
            "ix_candidate_queue",
            "urgency",
            "id",
            sqlite_where=text("closed IS NULL AND stale IS 0"),
            postgresql_where=text("closed IS NULL AND stale IS false"),
        ),
        Index(
            "ix_candidate_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id", index=True)
    draft_id: int = Field(foreign_key="draft.id", index=True)
    revision_id: int = Field(foreign_key="revision.id", index=True, description="Where it stands now.")
    base_approval_id: int | None = Field(default=None, foreign_key="approval.id", description="None before the first.")
    base_revision_id: int | None = Field(
        default=None, foreign_key="revision.id", description="What it changes; None: the whole text is new."
    )
    put_forward_at: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime, description="When the first vote counted.")
    voidings_seen: int | None = Field(
        default=None,
        description="The newest voiding confirmed when the vote opened; later ones do not touch it.",
    )
    electorate: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    rule: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    passing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    unconfirmed_until: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="Approved in rapid mode: when the text before it comes back."
    )
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime, description="When its votes, text or state last changed.")
    score: float | None = Field(default=None, description="For ranking alone; None while nobody has voted.")
    supporters: int = Field(default=0, sa_column_kwargs={"server_default": "0"}, description="For ranking alone.")
    urgency: int = Field(
        default=0, sa_column_kwargs={"server_default": "0"}, description="For the queue alone; see `nearness`."
    )
    room: dict[str, bool] | None = Field(
        default=None, sa_type=JSON, description="For the queue alone: whether a chapter's further votes still count."
    )
    stack_id: int | None = Field(
        default=None, description="Which stack of look-alikes it is in: that of the candidate that began it."
    )
    stale: bool = False
    stale_by_id: int | None = Field(
        default=None, foreign_key="approval.id", description="The approval that changed the same sentences."
    )
    closed: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def _read_in_order(name: str, votes: str, *columns: Any) -> None:
    """An index along which `ranking` reads open candidates that have votes, or none."""
    which = text(f"closed IS NULL AND score IS {votes}")
    Index(f"ix_candidate_{name}", *columns, sqlite_where=which, postgresql_where=which)


_BEST_FIRST = col(Candidate.stale), col(Candidate.score).desc(), col(Candidate.supporters).desc()
_read_in_order("rank", "NOT NULL", col(Candidate.page_id), *_BEST_FIRST)
_read_in_order("unvoted", "NULL", col(Candidate.page_id), col(Candidate.id))
_read_in_order("stack_rank", "NOT NULL", col(Candidate.stack_id), *_BEST_FIRST)
_read_in_order("stack_unvoted", "NULL", col(Candidate.stack_id), col(Candidate.id).desc())


class CandidateRevision(SQLModel, table=True):
    """Every revision a candidate has stood on, so that old addresses and votes on old texts find it."""

    __tablename__ = "candidate_revision"

    revision_id: int = Field(foreign_key="revision.id", primary_key=True)
    candidate_id: int = Field(foreign_key="candidate.id", index=True)
    approval_id: int | None = Field(
        default=None, foreign_key="approval.id", description="The approved text it was carried onto; None: as written."
    )


class Vote(SQLModel, table=True):
    """One member's vote on one candidate, with the exact text they saw. The last one counts."""

    __table_args__ = (
        UniqueConstraint("candidate_id", "member_id"),
        CheckConstraint("value IN ('support', 'oppose', 'pass')", name="value"),
        Index("ix_vote_tally", "candidate_id", "chapter_id", "value"),
    )

    id: int = Field(default=None, primary_key=True)
    candidate_id: int = Field(foreign_key="candidate.id")
    member_id: int = Field(foreign_key="member.id", index=True)
    chapter_id: int | None = Field(default=None, foreign_key="chapter.id", description="Home chapter when cast.")
    value: str
    revision_id: int = Field(foreign_key="revision.id")
    sha256: str
    reason: str = ""
    cast_at: datetime = Field(sa_type=UtcDateTime)
    answered_id: int | None = Field(
        default=None, foreign_key="approval.id", description="The approval after which the member said that it stands."
    )


class VoteEntry(SQLModel, table=True):
    """Every vote cast, changed or taken back, in order. Triggers refuse update and delete."""

    __tablename__ = "vote_entry"

    id: int = Field(default=None, primary_key=True)
    candidate_id: int = Field(foreign_key="candidate.id", index=True)
    member_id: int = Field(foreign_key="member.id")
    chapter_id: int | None = Field(default=None, foreign_key="chapter.id")
    value: str | None = Field(default=None, description="None: taken back.")
    revision_id: int = Field(foreign_key="revision.id")
    sha256: str
    at: datetime = Field(sa_type=UtcDateTime)


class Dependency(SQLModel, table=True):
    """The hash of what a candidate's change needs to find unchanged in its base, or of a sentence that it adds."""

    __table_args__ = (Index("ix_dependency_page_hash", "page_id", "hash"),)

    candidate_id: int = Field(foreign_key="candidate.id", primary_key=True)
    hash: str = Field(primary_key=True)
    page_id: int = Field(foreign_key="page.id")
    rewrites: bool = Field(description="A sentence it alters or removes, and so a rival of whoever else does.")


class WrittenSentence(SQLModel, table=True):
    """The hash of a sentence that a promotion wrote, with its score: what a rival has to beat for a day."""

    __tablename__ = "written_sentence"
    __table_args__ = (Index("ix_written_sentence_page_hash", "page_id", "hash"),)

    approval_id: int = Field(foreign_key="approval.id", primary_key=True)
    hash: str = Field(primary_key=True)
    page_id: int = Field(foreign_key="page.id")
    score: str = Field(description="A fraction, as in 13/2.")
    at: datetime = Field(sa_type=UtcDateTime)


class RapidCall(SQLModel, table=True):
    """A member's call for rapid mode on a page. The second of another chapter opens it: `until` says for how long."""

    __tablename__ = "rapid_call"

    id: int = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id", index=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    chapter_id: int | None = Field(default=None, foreign_key="chapter.id")
    at: datetime = Field(sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Voiding(SQLModel, table=True):
    """A moderator asks that a member's votes count no more, or again; or another one confirms what was asked.

    Rows are only ever added; triggers refuse update and delete.
    """

    __table_args__ = (UniqueConstraint("asked_id"),)  # each is confirmed once

    id: int = Field(default=None, primary_key=True)
    asked_id: int | None = Field(default=None, foreign_key="voiding.id", description="What it confirms.")
    member_id: int = Field(foreign_key="member.id", index=True)
    voids: bool = Field(description="False: their votes are to count again.")
    reason: str
    at: datetime = Field(sa_type=UtcDateTime)
    actor_id: int = Field(foreign_key="member.id")
    chapter_id: int | None = Field(default=None, foreign_key="chapter.id", description="The actor's, at that moment.")
    entry: int | None = Field(default=None, description="In the ledger; only of one that confirms.")


class LookAlike(SQLModel, table=True):
    """What a candidate says, as far as it takes to find others that say nearly the same."""

    __tablename__ = "look_alike"

    candidate_id: int = Field(foreign_key="candidate.id", primary_key=True)
    shingles: bytes = Field(description="Hashes of what it says, eight bytes each.")


class StackBand(SQLModel, table=True):
    """A hash that whoever belongs in a stack has in common, nearly always, with the candidate that began it."""

    __tablename__ = "stack_band"
    __table_args__ = (Index("ix_stack_band_page_hash", "page_id", "hash"),)

    stack_id: int = Field(foreign_key="candidate.id", primary_key=True)
    hash: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    page_id: int = Field(foreign_key="page.id")
