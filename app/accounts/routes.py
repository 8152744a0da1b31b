"""Who the caller is."""

from fastapi import APIRouter

from app.accounts import chapters
from app.accounts.actors import Viewer
from app.accounts.schemas import MeOut
from app.permissions import Scope
from app.web.openapi import needs
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
    )
