"""Accounts in answers."""

from pydantic import Field

from app.permissions import Scope
from app.web.schemas import Moment, Out


class VouchOut(Out):
    """How many members have vouched for a newcomer, and from when their votes count."""

    name: str = Field(examples=["bea"])
    vouches: int = Field(examples=[2])
    needed: int = Field(examples=[2])
    votes_count_from: Moment | None = Field(description="Null while not enough members have vouched.")


class MeOut(Out):
    """Who the caller is. `scopes` is null in a web session, which may do all that the role allows."""

    name: str = Field(examples=["anna"])
    role: str = Field(examples=["writer"], description="member, writer, moderator or admin.")
    chapter: str | None = Field(examples=["north"])
    scopes: list[Scope] | None = Field(examples=[["read", "vote", "write"]])
    votes_count_from: Moment | None = Field(description="Null while not enough members have vouched for the caller.")
