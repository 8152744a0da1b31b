"""Who the caller is, and a word for those who are new."""

from fastapi import APIRouter

from app.accounts import chapters, seasoning
from app.accounts.actors import Viewer
from app.accounts.schemas import MeOut, VouchOut
from app.accounts.seasoning import NotVouchedYet
from app.consensus import newcomers
from app.errors import Conflict, NotFound, Refused
from app.permissions import Scope
from app.web.openapi import can_fail, needs
from app.web.session import SessionDep

api = APIRouter(tags=["Accounts"])


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


@api.post(
    "/members/{name}/vouch",
    responses=can_fail(NotVouchedYet, NotFound, Refused, Conflict),
    openapi_extra=needs(Scope.WRITE),
)
def vouch(session: SessionDep, viewer: Viewer, name: str) -> VouchOut:
    """Say that you know a newcomer of your chapter, so that their votes count."""
    user = newcomers.vouch(session, viewer, name)
    return VouchOut(
        name=user.name,
        vouches=seasoning.count_vouches(session, [user.id]).get(user.id, 0),
        needed=seasoning.seasoning_of(session).vouches,
        votes_count_from=user.seasoned_at,
    )
