"""One row for everything that happened, in the order it was committed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer
from sqlmodel import Field, SQLModel

from app.database import UtcDateTime


class Kind(StrEnum):
    """What happened: `noun.past`. The list is part of the API contract."""

    PAGE_CREATED = "page.created"
    PAGE_RENAMED = "page.renamed"
    REVISION_SAVED = "revision.saved"
    DRAFT_FORKED = "draft.forked"
    DRAFT_UPDATED = "draft.updated"
    DRAFT_WITHDRAWN = "draft.withdrawn"
    VOTE_CAST = "vote.cast"
    VOTE_WITHDRAWN = "vote.withdrawn"
    CANDIDATE_LEADING = "candidate.leading"
    CANDIDATE_CARRIED = "candidate.carried"
    CANDIDATE_STALE = "candidate.stale"
    CANDIDATE_DECLINED = "candidate.declined"
    CANDIDATE_EXPIRED = "candidate.expired"
    PAGE_PROMOTED = "page.promoted"
    PAGE_UNPROMOTED = "page.unpromoted"
    PAGE_HELD = "page.held"
    PAGE_RELEASED = "page.released"
    PAGE_CORRECTED = "page.corrected"
    PAGE_WITHDRAWN = "page.withdrawn"
    PAGE_RESTORED = "page.restored"


CHANGES_WHICH_IS_APPROVED = frozenset({Kind.PAGE_PROMOTED, Kind.PAGE_UNPROMOTED, Kind.PAGE_CORRECTED})
"""After a row of these another text is approved, and candidates have to be carried onto it."""

CHANGES_WHAT_IS_PUBLISHED = CHANGES_WHICH_IS_APPROVED | {
    Kind.PAGE_CREATED,
    Kind.PAGE_RENAMED,
    Kind.PAGE_HELD,
    Kind.PAGE_RELEASED,
    Kind.PAGE_WITHDRAWN,
    Kind.PAGE_RESTORED,
}
"""After a row of these, answers about approved texts may be others than before."""


class Activity(SQLModel, table=True):
    """Plain integer ids and no foreign keys up: the log stands below everything it tells of."""

    id: int = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    kind: str = Field(index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    actor_id: int | None = None
    page_id: int | None = Field(default=None, index=True)
    subject_id: int | None = None
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
