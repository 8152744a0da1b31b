"""What moderators do to a text, and rapid mode, for programs."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlmodel import Session

from app.accounts.actors import Viewer
from app.accounts.idempotency import OnceRoute
from app.approvals.schemas import ApprovalOut
from app.consensus import rapid, stopping
from app.consensus.presenting import present_steps
from app.consensus.stopping import Done, NotAgreed, NothingToStop, NotStopped, StoppedAlready
from app.errors import Conflict
from app.pages.addresses import page_here
from app.pages.service import PageNotFound
from app.permissions import Scope
from app.revisions.service import RevisionNotFound
from app.web.openapi import can_fail, needs
from app.web.schemas import Id, In, Json, Moment, Out, PathSlug
from app.web.session import SessionDep

api = APIRouter(tags=["Stopping a text"], route_class=OnceRoute)

Reason = Annotated[str, Field(max_length=2_000, examples=["The figure is being checked."])]
_ASKED: dict[int | str, Json] = {
    202: {"model": ApprovalOut, "description": "Noted. A second moderator has to do the same."}
}
_MODERATES = needs(Scope.MODERATE)


class ReasonIn(In):
    """Why, in a sentence that everybody can read."""

    reason: Reason


class WithdrawIn(ReasonIn):
    """`replacement` is the address of the page to use instead."""

    replacement: Annotated[str | None, Field(max_length=80, examples=["rents-new-figures"])] = None


class CorrectIn(ReasonIn):
    """`revision` is the text to put in its place at once."""

    revision: Id


class RapidOut(Out):
    """`until` is when rapid mode ends, null while it is only called for."""

    until: Moment | None


@api.post(
    "/pages/{slug}/hold",
    responses=can_fail(PageNotFound, StoppedAlready, Conflict),
    openapi_extra=_MODERATES,
)
def hold(request: Request, session: SessionDep, viewer: Viewer, slug: PathSlug, body: ReasonIn) -> ApprovalOut:
    """Stop the text for now. It ends by itself after four hours, unless a second moderator holds it too."""
    done = stopping.hold(session, viewer, page_here(session, request, slug), reason=body.reason)
    return present_steps(session, [done.step])[0]


@api.post("/pages/{slug}/release", responses=can_fail(PageNotFound, NotStopped), openapi_extra=_MODERATES)
def release(request: Request, session: SessionDep, viewer: Viewer, slug: PathSlug, body: ReasonIn) -> ApprovalOut:
    """End a hold."""
    done = stopping.release(session, viewer, page_here(session, request, slug), reason=body.reason)
    return present_steps(session, [done.step])[0]


@api.post(
    "/pages/{slug}/correct",
    responses=can_fail(PageNotFound, RevisionNotFound, NotAgreed, NothingToStop, Conflict),
    openapi_extra=_MODERATES,
)
def correct(request: Request, session: SessionDep, viewer: Viewer, slug: PathSlug, body: CorrectIn) -> ApprovalOut:
    """Put a text in its place at once: one approved before, or one that passes and only waits out its time."""
    page = page_here(session, request, slug)
    done = stopping.correct(session, viewer, page, revision_id=body.revision, reason=body.reason)
    return present_steps(session, [done.step])[0]


@api.post(
    "/pages/{slug}/withdraw",
    responses=can_fail(PageNotFound, NothingToStop, StoppedAlready),
    openapi_extra=_MODERATES,
)
def withdraw(request: Request, session: SessionDep, viewer: Viewer, slug: PathSlug, body: WithdrawIn) -> ApprovalOut:
    """Never use this text again."""
    page = page_here(session, request, slug)
    done = stopping.withdraw(session, viewer, page, reason=body.reason, replacement=body.replacement)
    return present_steps(session, [done.step])[0]


@api.post(
    "/pages/{slug}/restore",
    responses={**_ASKED, **can_fail(PageNotFound, NotStopped, Conflict)},
    openapi_extra=_MODERATES,
)
def restore(
    request: Request, response: Response, session: SessionDep, viewer: Viewer, slug: PathSlug, body: ReasonIn
) -> ApprovalOut:
    """Bring a withdrawn text back; it takes two moderators of different chapters."""
    done = stopping.restore(session, viewer, page_here(session, request, slug), reason=body.reason)
    return _answer(session, response, done)


def _answer(session: Session, response: Response, done: Done) -> ApprovalOut:
    response.status_code = 200 if done.takes_effect else 202
    return present_steps(session, [done.step])[0]


@api.post(
    "/pages/{slug}/rapid",
    responses={202: {"model": RapidOut, "description": "Noted."}, **can_fail(PageNotFound, Conflict)},
    openapi_extra=needs(Scope.VOTE),
)
def call_rapid(request: Request, response: Response, session: SessionDep, viewer: Viewer, slug: PathSlug) -> RapidOut:
    """Call for rapid mode, or second the call, which opens it. 202 while it takes one more."""
    found = rapid.call(session, viewer, page_here(session, request, slug))
    response.status_code = 200 if found.until else 202
    return RapidOut(until=found.until)
