"""The activity log in answers."""

from typing import Any

from pydantic import Field

from app.activity.models import Activity, Kind
from app.web.schemas import Id, Moment, Out, Slug


class ChangeRow(Out):
    """One thing that happened. `subject` is the id of what it happened to, `actor` null for votes and the workshop."""

    seq: int = Field(examples=[4711], description="Rises with every row; the order in which things were saved.")
    kind: Kind
    at: Moment
    page: Slug | None
    subject: Id | None
    actor: str | None = Field(examples=["anna"])
    data: dict[str, Any] = Field(examples=[{"draft": 3}], description="More about it, by kind.")

    @classmethod
    def of(cls, row: Activity, page: str | None, actor: str | None) -> "ChangeRow":
        return cls(
            seq=row.id, kind=Kind(row.kind), at=row.at, page=page, subject=row.subject_id, actor=actor, data=row.data
        )


class Changes(Out):
    """Some rows of the log, oldest first, and where to go on; at the end `next` is where to ask again later."""

    data: list[ChangeRow]
    next: str = Field(examples=["4711"])
