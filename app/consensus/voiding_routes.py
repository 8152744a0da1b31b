"""Void a member's votes, or let them count again, for programs of moderators."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlmodel import Session

from app.accounts import chapters
from app.accounts.actors import Viewer
from app.accounts.idempotency import OnceRoute
from app.consensus import voiding
from app.consensus.schemas import Slugs, name_chapter
from app.consensus.voiding import VoidingState, Wish
from app.errors import Conflict, NotFound
from app.permissions import Scope
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor, listing
from app.web.openapi import can_fail, needs
from app.web.schemas import Id, In, Listing, Moment, Out
from app.web.session import SessionDep

api = APIRouter(tags=["Voided votes"], route_class=OnceRoute)

_MODERATES = needs(Scope.MODERATE)


class VoidingIn(In):
    """Whose votes, and whether they are to count no more, or again. The second moderator needs no reason."""

    member: Annotated[str, Field(max_length=200, examples=["Vera"])]
    void: Annotated[bool, Field(examples=[True], description="False: let them count again.")]
    reason: Annotated[str, Field(max_length=2_000, examples=["Five accounts of one person."])] = ""


class VoidingOut(Out):
    """What was asked, and what became of it. `asked_by` and `confirmed_by` are chapters.

    `until` is when it lapses by itself, `ledger` its entry in the public log, which names nobody.
    """

    id: Id
    member: str = Field(examples=["Vera"])
    void: bool
    reason: str = Field(examples=["Five accounts of one person."])
    state: Literal["asked", "done", "lapsed"]
    asked_at: Moment
    asked_by: str = Field(examples=["north"])
    until: Moment
    done_at: Moment | None = Field(examples=[None])
    confirmed_by: str | None = Field(examples=[None])
    ledger: int | None = Field(examples=[None])

    @classmethod
    def of(cls, wish: Wish, slugs: Slugs) -> "VoidingOut":
        """The wish, its chapters by their addresses."""
        done = wish.confirmed
        return cls(
            id=wish.asked.id,
            member=wish.member,
            void=wish.asked.voids,
            reason=wish.asked.reason,
            state=wish.state.value,
            asked_at=wish.asked.at,
            asked_by=name_chapter(wish.asked.chapter_id, slugs),
            until=wish.until,
            done_at=done.at if done else None,
            confirmed_by=name_chapter(done.chapter_id, slugs) if done else None,
            ledger=done.entry if done else None,
        )


@api.get("/voidings", openapi_extra=_MODERATES)
def list_voidings(
    request: Request,
    response: Response,
    session: SessionDep,
    viewer: Viewer,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[VoidingOut]:
    """Whose votes moderators asked to void or to give back, and what became of it, newest first."""
    place = decode_cursor(cursor, int)
    found = voiding.list_wishes(session, viewer, before=place[0] if place else None, limit=limit + 1)
    slugs = chapters.slugs_by_id(session)
    rows = [VoidingOut.of(wish, slugs) for wish in found[:limit]]
    return listing(request, response, rows, encode_cursor(rows[-1].id) if len(found) > limit else None)


@api.post(
    "/voidings",
    openapi_extra=_MODERATES,
    responses={**can_fail(NotFound, Conflict), 202: {"model": VoidingOut, "description": "Asked; one more is needed."}},
)
def void_votes(response: Response, session: SessionDep, viewer: Viewer, body: VoidingIn) -> VoidingOut:
    """Ask that a member's votes count no more, or again; the second moderator, of another chapter, carries it out.

    It touches only votes that open later.
    """
    wish = voiding.ask(session, viewer, body.member, voids=body.void, reason=body.reason)
    response.status_code = 200 if wish.state is VoidingState.DONE else 202
    return _present(session, wish)


def _present(session: Session, wish: Wish) -> VoidingOut:
    return VoidingOut.of(wish, chapters.slugs_by_id(session))
