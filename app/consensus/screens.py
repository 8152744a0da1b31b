"""Vote on a text, or take the vote back."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actors import Viewer
from app.consensus import votes
from app.consensus.models import Value
from app.errors import Refused
from app.web.schemas import PathId
from app.web.session import SessionDep
from app.words import _

site = APIRouter(include_in_schema=False)


@site.post("/revisions/{revision_id}/vote")
def vote(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    revision_id: PathId,
    value: Annotated[str, Form()] = "",
    sha256: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Count the viewer's vote on the text they read."""
    if value == "withdraw":
        cast = votes.withdraw_vote(session, viewer, revision_id)
    elif value in set(Value):
        cast = votes.cast_vote(session, viewer, revision_id, sha256=sha256, value=Value(value), reason=reason)
    else:
        raise Refused(_("Choose support, oppose or pass."), pointer="/value")
    return RedirectResponse(f"/revisions/{cast.candidate.revision_id}#vote", 303)
