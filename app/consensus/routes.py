"""Votes and decisions: put forward, vote, and see how texts stand."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.accounts import chapters
from app.accounts.actors import Viewer
from app.accounts.idempotency import OnceRoute
from app.approvals import stops
from app.approvals.schemas import ApprovalOut
from app.consensus import candidates, ranking, rivals, votes
from app.consensus.candidates import NeedsMerge, NothingToDecide, VotingClosed
from app.consensus.models import Value
from app.consensus.presenting import present_candidates, present_cast, present_decision, present_next, present_steps
from app.consensus.schemas import AnswerIn, CandidateOut, CastOut, FullDecisionOut, ReviewOut, VoteIn
from app.consensus.votes import TextChanged
from app.drafts.service import DraftNotFound
from app.errors import Conflict, NotFound
from app.pages.addresses import page_here
from app.pages.service import PageNotFound
from app.permissions import Scope
from app.revisions import service as revisions
from app.revisions.service import RevisionNotFound
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor, listing
from app.web.openapi import can_fail, needs
from app.web.schemas import Json, Listing, PathId, PathSlug
from app.web.session import SessionDep

api = APIRouter(tags=["Votes and decisions"], route_class=OnceRoute)

MOVED: Json = {"description": "The page was renamed."}


@api.post(
    "/drafts/{draft_id}/put-forward",
    responses=can_fail(DraftNotFound, NeedsMerge, NothingToDecide, VotingClosed),
    openapi_extra=needs(Scope.WRITE),
)
def put_forward(session: SessionDep, viewer: Viewer, draft_id: PathId) -> CandidateOut:
    """Put a draft's newest text to the vote. A first vote on it does the same."""
    return present_candidates(session, [candidates.put_forward(session, viewer, draft_id)])[0]


@api.put(
    "/revisions/{revision_id}/vote",
    responses=can_fail(RevisionNotFound, TextChanged, VotingClosed, NeedsMerge, NothingToDecide),
    openapi_extra=needs(Scope.VOTE),
)
def cast_vote(session: SessionDep, viewer: Viewer, revision_id: PathId, body: VoteIn) -> CastOut:
    """Support, oppose or pass on a text, by the hash of what you read. The last vote counts."""
    cast = votes.cast_vote(
        session, viewer, revision_id, sha256=body.sha256, value=Value(body.value), reason=body.reason
    )
    return present_cast(session, cast, revision_id)


@api.delete(
    "/revisions/{revision_id}/vote",
    responses=can_fail(RevisionNotFound, VotingClosed, Conflict),
    openapi_extra=needs(Scope.VOTE),
)
def withdraw_vote(session: SessionDep, viewer: Viewer, revision_id: PathId) -> CastOut:
    """Take your vote back."""
    return present_cast(session, votes.withdraw_vote(session, viewer, revision_id), revision_id)


@api.post(
    "/revisions/{revision_id}/answer", responses=can_fail(RevisionNotFound, Conflict), openapi_extra=needs(Scope.VOTE)
)
def answer_again(session: SessionDep, viewer: Viewer, revision_id: PathId, body: AnswerIn) -> CastOut:
    """Say whether your vote on a text that went stale still stands: keep it, change it, or take it back."""
    value = Value(body.value) if body.value else None
    return present_cast(session, rivals.answer(session, viewer, revision_id, value), revision_id)


@api.post(
    "/revisions/{revision_id}/again",
    status_code=201,
    responses=can_fail(RevisionNotFound, NothingToDecide, VotingClosed, Conflict),
    openapi_extra=needs(Scope.WRITE),
)
def put_again(session: SessionDep, viewer: Viewer, revision_id: PathId) -> CandidateOut:
    """Put a stale text's wording to a new vote, on the text approved now, in a draft of yours. Votes begin at zero."""
    return present_candidates(session, [rivals.put_again(session, viewer, revision_id)])[0]


@api.get("/pages/{slug}/candidates", responses={308: MOVED, **can_fail(PageNotFound)})
def list_candidates(
    request: Request,
    response: Response,
    session: SessionDep,
    slug: PathSlug,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[CandidateOut]:
    """The texts of a page that can be voted on, best first; those without votes come last."""
    page = page_here(session, request, slug)
    start = 0
    if place := decode_cursor(cursor, int):
        last, position = place[0], max(0, place[-1])
        before = ranking.find_place(session, page.id, last)
        start = position if before is None else before + 1
    found = ranking.list_ranked(session, page.id, skip=start, limit=limit + 1)
    more = encode_cursor(found[limit - 1].id, start + limit) if len(found) > limit else None
    return listing(request, response, present_candidates(session, found[:limit]), more)


@api.get("/revisions/{revision_id}/decision", responses=can_fail(RevisionNotFound))
def get_decision(session: SessionDep, revision_id: PathId) -> FullDecisionOut:
    """How a text stands, why, and what would change it."""
    return present_decision(session, revisions.get(session, revision_id))


@api.get("/pages/{slug}/approvals", responses={308: MOVED, **can_fail(PageNotFound)})
def list_approvals(
    request: Request,
    response: Response,
    session: SessionDep,
    slug: PathSlug,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[ApprovalOut]:
    """Every time that the approved text of a page changed or was stopped, newest first."""
    page = page_here(session, request, slug)
    place = decode_cursor(cursor, int)
    before = (place[0], place[-1]) if place else None
    found = stops.list_steps(session, page.id, before=before, limit=limit + 1)
    rows = present_steps(session, found[:limit])
    return listing(request, response, rows, encode_cursor(*found[limit - 1].place) if len(found) > limit else None)


@api.get(
    "/review/next",
    responses=can_fail(NotFound),
    openapi_extra=needs(Scope.READ),
)
def get_next_review(
    response: Response,
    session: SessionDep,
    viewer: Viewer,
    chapter: Annotated[
        str | None,
        Query(max_length=200, description="Only texts that still lack votes of this chapter.", examples=["north"]),
    ] = None,
) -> ReviewOut:
    """The next text for you to vote on, with what it changes: where your vote moves most."""
    response.headers["Cache-Control"] = "no-store"
    found = chapters.get_chapter(session, chapter) if chapter is not None else None
    return present_next(session, viewer, found)
