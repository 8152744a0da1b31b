"""Who the caller is, and a word for those who are new."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from app.accounts import chapters, seasoning, service, tokens
from app.accounts.actors import Viewer
from app.accounts.idempotency import AnswerHeldASecret, OnceRoute
from app.accounts.schemas import MeOut, NewTokenOut, TokenIn, TokenOut, VouchOut
from app.accounts.seasoning import NotVouchedYet
from app.errors import Conflict, NotFound, Refused
from app.permissions import Scope, ScopeMissing
from app.web.openapi import can_fail, needs
from app.web.schemas import Listing, PathId
from app.web.session import SessionDep

api = APIRouter(tags=["Accounts"], route_class=OnceRoute)

MemberName = Annotated[str, Path(description="The name that the newcomer signs in with.", examples=["bob"])]


@api.get("/me", openapi_extra=needs(Scope.READ))
def get_me(session: SessionDep, viewer: Viewer) -> MeOut:
    """Whom this token or session stands for, and what it may do."""
    actor, chapter = chapters.who_am_i(session, viewer)
    return MeOut(
        name=actor.name,
        role=actor.role.name.lower(),
        chapter=chapter.slug if chapter else None,
        scopes=sorted(actor.scopes) if actor.scopes is not None else None,
        votes_count_from=seasoning.counts_from(session, actor),
    )


@api.get("/tokens", openapi_extra=needs(Scope.ADMIN))
def list_tokens(session: SessionDep, viewer: Viewer) -> Listing[TokenOut]:
    """Your tokens, newest first, without their secrets; also those whose time is over."""
    return Listing[TokenOut](data=[TokenOut.of(row) for row in tokens.list_own(session, viewer)], next=None)


@api.post(
    "/tokens", status_code=201, responses=can_fail(ScopeMissing, AnswerHeldASecret), openapi_extra=needs(Scope.ADMIN)
)
def create_token(request: Request, session: SessionDep, viewer: Viewer, body: TokenIn) -> NewTokenOut:
    """Make a token for a program. Its secret is in this answer and nowhere else."""
    request.state.once_only = True
    row, secret = tokens.create(session, viewer, body.scopes, name=body.name, expires_at=body.expires_at)
    return NewTokenOut(token=secret, **TokenOut.of(row).model_dump())


@api.delete(
    "/tokens/{token_id}", status_code=204, responses=can_fail(tokens.TokenNotFound), openapi_extra=needs(Scope.ADMIN)
)
def take_token_back(session: SessionDep, viewer: Viewer, token_id: PathId) -> None:
    """From now on the token does not work."""
    tokens.take_back(session, viewer, token_id)


@api.post(
    "/members/{name}/vouch",
    responses=can_fail(NotVouchedYet, NotFound, Refused, Conflict),
    openapi_extra=needs(Scope.WRITE),
)
def vouch(session: SessionDep, viewer: Viewer, name: MemberName) -> VouchOut:
    """Say that you know a newcomer of your chapter, so that their votes count."""
    user = service.get_user(session, name)
    seasoning.vouch(session, viewer, user)
    return VouchOut(
        name=user.name,
        vouches=seasoning.count_vouches(session, [user.id]).get(user.id, 0),
        needed=seasoning.seasoning_of(session).vouches,
        votes_count_from=None if user.is_void else user.seasoned_at,
    )
