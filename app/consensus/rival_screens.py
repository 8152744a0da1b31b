"""Answer whether a vote still stands, from any screen that asks."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from app.accounts.actors import Viewer
from app.consensus import rivals
from app.consensus.models import Value
from app.errors import Refused
from app.web.schemas import MAX_ID
from app.web.session import SessionDep
from app.words import _

site = APIRouter(include_in_schema=False)

OptionalId = Annotated[int | None, Form(ge=1, le=MAX_ID)]


@site.post("/review/stands")
def answer(
    session: SessionDep,
    viewer: Viewer,
    value: Annotated[str, Form()] = "",
    approval: OptionalId = None,
    revision: OptionalId = None,
    back: Annotated[str, Form()] = "",
) -> Response:
    """Keep all votes that an approval made doubtful, or change, take back or renew one; then `back` to the screen."""
    if value == "keep" and approval is not None:
        rivals.keep_votes(session, viewer, approval)
        return RedirectResponse(_address(back, "stands"), 303)
    if revision is None or value not in ("support", "oppose", "withdraw", "again"):
        raise Refused(_("Choose what becomes of your vote."), pointer="/value")
    if value == "again":
        candidate = rivals.put_again(session, viewer, revision)
        return RedirectResponse(f"/revisions/{candidate.revision_id}?saved=asked", 303)
    rivals.answer(session, viewer, revision, None if value == "withdraw" else Value(value))
    return RedirectResponse(_address(back, "back" if value == "withdraw" else "other"), 303)


def _address(back: str, said: str) -> str:
    """The screen that asked: a member's own page, a text, else the queue, which says what was done."""
    if back == "me":
        return "/me"
    if back.isdecimal() and len(back) <= len(str(MAX_ID)) and int(back) <= MAX_ID:
        return f"/revisions/{int(back)}#vote"
    return f"/review?said={said}"
