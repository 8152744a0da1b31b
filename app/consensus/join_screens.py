"""Join two drafts that say nearly the same into one."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.consensus import joined
from app.drafts import joining
from app.drafts import service as drafts
from app.drafts.editing import choices_in, id_in, marked_choices, written_in
from app.drafts.merging import Unresolved
from app.errors import DomainError
from app.pages import service as pages
from app.permissions import Action, allows
from app.web.forms import FormDep
from app.web.problems import status_of
from app.web.schemas import MAX_ID, PathId
from app.web.session import SessionDep
from app.web.templates import render
from app.words import _

site = APIRouter(include_in_schema=False)


@site.get("/drafts/{draft_id}/join")
def show_join(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    draft_id: PathId,
    other: Annotated[int, Query(alias="with", ge=1, le=MAX_ID)],
) -> Response:
    """Two versions that say nearly the same, and the sentences to choose if they become one."""
    return _join_form(request, session, draft_id, other)


@site.post("/drafts/{draft_id}/join")
def join(request: Request, session: SessionDep, viewer: Viewer, draft_id: PathId, form: FormDep) -> Response:
    """Make one draft of the two, the viewer's own, with the choices made."""
    other = id_in(form, "with")
    found = joining.compare(session, draft_id, other)
    if (str(found.ours.id), str(found.theirs.id)) != (form.get("ours"), form.get("theirs")):
        problem = _("One of the two was edited meanwhile. Nothing is lost; look at the differences once more.")
        return _join_form(request, session, draft_id, other, problem, given=form)
    try:
        with session.begin_nested():
            resolutions = choices_in(form, found.conflicts)
            outcome = joined.join_drafts(session, viewer, draft_id, other, resolutions=resolutions)
    except DomainError as error:
        problem, status = error.detail, status_of(type(error))
        return _join_form(request, session, draft_id, other, problem, given=form, status=status)
    if isinstance(outcome, Unresolved):
        return _join_form(request, session, draft_id, other, given=form)
    return RedirectResponse(f"/revisions/{drafts.head_of(outcome)}?saved=joined", 303)


def _join_form(
    request: Request,
    session: Session,
    draft_id: int,
    with_id: int,
    problem: str | None = None,
    *,
    given: FormData | None = None,
    status: int = 409,
) -> Response:
    found = joining.compare(session, draft_id, with_id)
    both = [drafts.get_draft(session, id_) for id_ in (draft_id, with_id)]
    context = {
        "page": pages.get_by_id(session, both[0].page_id),
        "drafts": both,
        "names": accounts.names_of(session, (draft.owner_id for draft in both)),
        "own": [draft.name for draft in both if allows(request.state.viewer, Action.MANAGE_FORK, draft)],
        "ours": found.ours,
        "theirs": found.theirs,
        "conflicts": found.conflicts,
        "marks": marked_choices(found.conflicts),
        "problem": problem,
        "given": given or {},
        "written": written_in(given),
    }
    return render(request, "drafts/join.html", context, status=status if problem else 200)
