"""Accounts in answers."""

from typing import Annotated

from pydantic import Field

from app.accounts.models import ApiToken
from app.permissions import Scope
from app.web.schemas import Id, In, Moment, MomentIn, Out


class VouchOut(Out):
    """How many members have vouched for a newcomer, and from when their votes count."""

    name: str = Field(examples=["bea"])
    vouches: int = Field(examples=[2])
    needed: int = Field(examples=[2])
    votes_count_from: Moment | None = Field(description="Null while too few vouched, or while their votes are void.")


class TokenIn(In):
    """A token to be made. Without `expires_at` it works until it is taken back."""

    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(
        min_length=1, max_length=len(Scope), examples=[["read", "write"]]
    )
    name: str = Field(default="", max_length=200, examples=["The texting tool"])
    expires_at: MomentIn | None = Field(default=None, examples=["2027-01-31T00:00:00Z"])


class TokenOut(Out):
    """A token of the caller's; its secret is not stored."""

    id: Id
    name: str = Field(examples=["The texting tool"])
    scopes: list[Scope] = Field(examples=[["read", "write"]])
    created_at: Moment
    expires_at: Moment | None

    @classmethod
    def of(cls, row: ApiToken) -> "TokenOut":
        return cls(
            id=row.id,
            name=row.name,
            scopes=[Scope(scope) for scope in row.scopes],
            created_at=row.created_at,
            expires_at=row.expires_at,
        )


class NewTokenOut(TokenOut):
    """A token that was made now. `token` is shown this once."""

    token: str = Field(examples=["mw_…"])


class MeOut(Out):
    """Who the caller is. `scopes` is null in a web session, which may do all that the role allows."""

    name: str = Field(examples=["anna"])
    role: str = Field(examples=["writer"], description="member, writer, moderator or admin.")
    chapter: str | None = Field(examples=["north"])
    scopes: list[Scope] | None = Field(examples=[["read", "vote", "write"]])
    votes_count_from: Moment | None = Field(
        description="Null while not enough members have vouched for the caller, or while their votes are void."
    )
