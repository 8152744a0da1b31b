"""What request and answer models share: strictness, ids, moments, lists and problem documents."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from app.web.templates import iso

MAX_ID = 2**31 - 1
MAX_TEXT = 128 * 1024
"""Characters read before a text is measured in bytes; longer ones are refused unread."""

A_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

Item = TypeVar("Item")


class In(BaseModel):
    """A request's body: unknown fields are refused and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Out(BaseModel):
    """An answer: every field is listed, none is passed through."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Listing(Out, Generic[Item]):
    """Some rows of a list, and the cursor of the next ones; null at the end."""

    data: list[Item]
    next: str | None = Field(examples=["WzEyOF0"])


class FieldError(Out):
    """One field that cannot be used, as a JSON pointer into the request, and why."""

    pointer: str = Field(examples=["/title"])
    detail: str = Field(examples=["This is empty. Write at least one letter, digit or sign."])


class Problem(BaseModel):
    """What stopped a request, as RFC 9457 has it; `type` opens a help page. Some problems carry further members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/not-found"])
    title: str = Field(examples=["There is nothing here"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No such address. Check its spelling, or start from the first page."])
    instance: str = Field(examples=["/api/v1/pages/housing"])
    errors: list[FieldError] | None = None


def parse_moment(raw: object) -> object:
    """RFC 3339 with a zone, and nothing else that could be taken for a time."""
    if isinstance(raw, str) and "T" in raw.upper():
        try:
            moment = datetime.fromisoformat(raw)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("write a time as 2026-11-22T14:32:05Z, with “+” in an address as %2B")


Id = Annotated[int, Field(ge=1, le=MAX_ID, examples=[128])]
PathId = Annotated[int, Path(ge=1, le=MAX_ID, description="An id, as another answer gave it.", examples=[128])]
Slug = Annotated[str, Field(examples=["housing"])]
PathSlug = Annotated[str, Path(description="The page's address; a former one leads on with 308.", examples=["housing"])]
Sha256 = Annotated[str, Field(examples=[A_SHA256], description="SHA-256 of exactly the text's bytes.")]
Moment = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str),
    Field(examples=["2026-11-22T14:32:05Z"], json_schema_extra={"format": "date-time"}),
]
MomentAsked = Annotated[datetime, BeforeValidator(parse_moment)]
MomentIn = Annotated[datetime, BeforeValidator(parse_moment), Field(json_schema_extra={"format": "date-time"})]
TextIn = Annotated[str, Field(max_length=MAX_TEXT, examples=["# Housing\n\nEveryone needs a home they can afford.\n"])]
SummaryIn = Annotated[str, Field(max_length=2_000, examples=["Say how many homes"])]

Json = dict[str, Any]
