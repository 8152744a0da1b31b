"""Accounts in answers."""

from pydantic import Field

from app.permissions import Scope
from app.web.schemas import Out


class MeOut(Out):
    """Who the caller is. `scopes` is null in a web session, which may do all that the role allows."""

    name: str = Field(examples=["anna"])
    role: str = Field(examples=["writer"], description="member, writer, moderator or admin.")
    chapter: str | None = Field(examples=["north"])
    scopes: list[Scope] | None = Field(examples=[["read", "vote", "write"]])
