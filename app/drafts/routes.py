"""Drafts: list and read them, edit, autosave, fork, bring the approved text in, withdraw and reopen."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.accounts.idempotency import OnceRoute
from app.consensus import joined, splitting, withdrawing
from app.consensus.candidates import NeedsMerge, NothingToDecide, VotingClosed
from app.consensus.splitting import NothingToSplit
from app.drafts import autosave, merging, service
from app.drafts.autosave import NoAutosave
from app.drafts.clashes import EditConflict, JoinConflict, MergeConflict, edit_conflict, join_conflict, merge_conflict
from app.drafts.joining import NothingToJoin
from app.drafts.merging import Unresolved
from app.drafts.models import Draft, DraftState
from app.drafts.schemas import (
    AutosavedOut,
    AutosaveIn,
    AutosaveOut,
    DraftOut,
    EditIn,
    EditProblem,
    ForkIn,
    JoinIn,
    MergeProblem,
    SavedOut,
    UpdateIn,
)
from app.drafts.service import DraftClosed, DraftNotFound, KeptAside, Saved
from app.drafts.standing import standings_of
from app.pages import service as pages
from app.pages.addresses import page_here
from app.pages.service import PageNotFound
from app.permissions import Scope
from app.revisions.presenting import present_whole
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor, listing
from app.web.openapi import can_fail, needs
from app.web.problems import answer_domain_error
from app.web.schemas import Listing, PathId, PathSlug
from app.web.session import SessionDep

api = APIRouter(tags=["Drafts"], route_class=OnceRoute)


@api.post(
    "/pages/{slug}/revisions",
    status_code=201,
    response_model=SavedOut,
    responses=can_fail(PageNotFound, EditConflict, models={409: EditProblem}),
    openapi_extra=needs(Scope.WRITE),
)
def edit_shared_draft(
    request: Request, response: Response, session: SessionDep, viewer: Viewer, slug: PathSlug, body: EditIn
) -> SavedOut | Response:
    """Save an edit of the page's shared draft, merged with what others saved since `base`."""
    page = page_here(session, request, slug)
    return _save(request, response, session, viewer, service.get_shared(session, page.id).id, body)


@api.post(
    "/drafts/{draft_id}/revisions",
    status_code=201,
    response_model=SavedOut,
    responses=can_fail(DraftNotFound, EditConflict, models={409: EditProblem}),
    openapi_extra=needs(Scope.WRITE),
)
def edit_draft(
    request: Request, response: Response, session: SessionDep, viewer: Viewer, draft_id: PathId, body: EditIn
) -> SavedOut | Response:
    """Save an edit of a draft: a fork's owner may, and everybody may edit a shared draft."""
    return _save(request, response, session, viewer, draft_id, body)


@api.get("/pages/{slug}/drafts", responses={308: {"description": "The page was renamed."}, **can_fail(PageNotFound)})
def list_drafts(
    request: Request,
    response: Response,
    session: SessionDep,
    slug: PathSlug,
    state: Annotated[DraftState | None, Query(description="Only drafts in this state.")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[DraftOut]:
    """A page's drafts, newest first; the shared one is the last."""
    page = page_here(session, request, slug)
    place = decode_cursor(cursor, int)
    found = service.list_drafts(session, page.id, state=state, before=place[0] if place else None, limit=limit + 1)
    rows = _present(session, found[:limit])
    return listing(request, response, rows, encode_cursor(rows[-1].id) if len(found) > limit else None)


@api.get("/drafts/{draft_id}", responses=can_fail(DraftNotFound))
def get_draft(session: SessionDep, draft_id: PathId) -> DraftOut:
    """One draft, and how it stands against the approved text."""
    return _present(session, [service.get_draft(session, draft_id)])[0]


@api.post("/pages/{slug}/drafts", status_code=201, responses=can_fail(PageNotFound), openapi_extra=needs(Scope.WRITE))
def fork_draft(
    request: Request,
    response: Response,
    session: SessionDep,
    viewer: Viewer,
    slug: PathSlug,
    body: ForkIn | None = None,
) -> DraftOut:
    """Open a draft of your own."""
    asked = body or ForkIn()
    page = page_here(session, request, slug)
    origin = service.choose_fork_origin(session, page, asked.from_)
    draft = service.fork(session, viewer, origin, name=asked.name, text=asked.text, summary=asked.summary)
    response.headers["Location"] = f"/api/v1/drafts/{draft.id}"
    return _present(session, [draft])[0]


@api.post(
    "/drafts/{draft_id}/update",
    response_model=SavedOut,
    responses=can_fail(DraftNotFound, DraftClosed, MergeConflict, models={409: MergeProblem}),
    openapi_extra=needs(Scope.WRITE),
)
def update_draft(
    request: Request, session: SessionDep, viewer: Viewer, draft_id: PathId, body: UpdateIn | None = None
) -> SavedOut | Response:
    """Bring newer approved text into a draft. Where the two clash, `resolutions` choose the wording."""
    resolutions = body.resolutions if body else []
    outcome = merging.update_from_approved(session, viewer, draft_id, resolutions=resolutions)
    if isinstance(outcome, Saved):
        return _present_saved(session, outcome)
    return answer_domain_error(request, merge_conflict(session, outcome))


@api.post(
    "/drafts/{draft_id}/join",
    status_code=201,
    response_model=DraftOut,
    responses=can_fail(DraftNotFound, DraftClosed, NothingToJoin, JoinConflict, models={409: MergeProblem}),
    openapi_extra=needs(Scope.WRITE),
)
def join_draft(
    request: Request, response: Response, session: SessionDep, viewer: Viewer, draft_id: PathId, body: JoinIn
) -> DraftOut | Response:
    """Make a draft of your own of two, with both authors credited. Those of the two that are yours are withdrawn."""
    outcome = joined.join_drafts(session, viewer, draft_id, body.with_, resolutions=body.resolutions)
    if isinstance(outcome, Unresolved):
        return answer_domain_error(request, join_conflict(session, outcome))
    response.headers["Location"] = f"/api/v1/drafts/{outcome.id}"
    return _present(session, [outcome])[0]


@api.post(
    "/drafts/{draft_id}/split",
    status_code=201,
    responses=can_fail(DraftNotFound, DraftClosed, NothingToSplit, NeedsMerge, NothingToDecide, VotingClosed),
    openapi_extra=needs(Scope.WRITE),
)
def split_draft(session: SessionDep, viewer: Viewer, draft_id: PathId) -> Listing[DraftOut]:
    """Put a change of more than ten blocks forward section by section, each as a draft of yours. The draft stays."""
    made = splitting.split(session, viewer, draft_id)
    return Listing[DraftOut](data=_present(session, made), next=None)


@api.post(
    "/drafts/{draft_id}/withdraw", responses=can_fail(DraftNotFound, DraftClosed), openapi_extra=needs(Scope.WRITE)
)
def withdraw_draft(session: SessionDep, viewer: Viewer, draft_id: PathId) -> DraftOut:
    """Take a fork of your own back. Its text stays readable."""
    return _present(session, [withdrawing.withdraw_draft(session, viewer, draft_id)])[0]


@api.post("/drafts/{draft_id}/reopen", responses=can_fail(DraftNotFound, DraftClosed), openapi_extra=needs(Scope.WRITE))
def reopen_draft(session: SessionDep, viewer: Viewer, draft_id: PathId) -> DraftOut:
    """Open a fork that you had withdrawn."""
    return _present(session, [withdrawing.reopen_draft(session, viewer, draft_id)])[0]


@api.put("/drafts/{draft_id}/autosave", responses=can_fail(DraftNotFound), openapi_extra=needs(Scope.WRITE))
def keep_autosave(session: SessionDep, viewer: Viewer, draft_id: PathId, body: AutosaveIn) -> AutosavedOut:
    """Keep what is in your editor, for you alone; it makes no revision. Tells who else is at work on the draft."""
    unsent = autosave.keep_autosave(
        session, viewer, draft_id, base_id=body.base, text=body.text, section=body.section or ""
    )
    return AutosavedOut.of(unsent, autosave.others_at_work(session, viewer, draft_id))


@api.get("/drafts/{draft_id}/autosave", responses=can_fail(DraftNotFound, NoAutosave), openapi_extra=needs(Scope.WRITE))
def get_autosave(session: SessionDep, viewer: Viewer, draft_id: PathId) -> AutosaveOut:
    """What you typed into this draft's editor and have not sent."""
    return AutosaveOut.of(autosave.get_autosave(session, viewer, draft_id))


@api.delete(
    "/drafts/{draft_id}/autosave", status_code=204, responses=can_fail(DraftNotFound), openapi_extra=needs(Scope.WRITE)
)
def drop_autosave(session: SessionDep, viewer: Viewer, draft_id: PathId) -> None:
    """Throw away what you have not sent; no error when there is nothing."""
    autosave.drop_autosave(session, viewer, draft_id)


def _save(
    request: Request, response: Response, session: Session, viewer: Viewer, draft_id: int, body: EditIn
) -> SavedOut | Response:
    outcome = service.save_edit(session, viewer, draft_id, base_id=body.base, text=body.text, summary=body.summary)
    if isinstance(outcome, KeptAside):
        return answer_domain_error(request, edit_conflict(session, draft_id, outcome))
    response.headers["Location"] = f"/api/v1/revisions/{outcome.revision.id}"
    return _present_saved(session, outcome)


def _present(session: Session, listed: Sequence[Draft]) -> list[DraftOut]:
    by_id = pages.pages_by_id(session, (draft.page_id for draft in listed))
    names = accounts.names_of(session, (draft.owner_id for draft in listed))
    standings = standings_of(session, listed)
    return [
        DraftOut.of(draft, by_id[draft.page_id].slug, names.get(draft.owner_id or 0), standings[draft.id])
        for draft in listed
    ]


def _present_saved(session: Session, saved: Saved) -> SavedOut:
    return SavedOut(revision=present_whole(session, saved.revision), merged=saved.merged)
