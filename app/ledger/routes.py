"""The ledger, for whoever checks it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import PlainTextResponse

from app.ledger import service
from app.ledger.schemas import LedgerRow, PathSequence
from app.ledger.service import NoSuchEntry
from app.web.cursors import DEFAULT_LIMIT, Limit, listing
from app.web.openapi import can_fail
from app.web.schemas import MAX_ID, Listing
from app.web.session import SessionDep
from app.words import _

api = APIRouter(tags=["Ledger"])

_NOTE = """words.example.org/ledger
2
n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=
time 2026-11-22T14:32:05.000000Z

— words.example.org/ledger 4Yq3…
"""
_KEY = "words.example.org/ledger+e18ab7f2+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n"


@api.get("/ledger")
def list_ledger(
    request: Request,
    response: Response,
    session: SessionDep,
    after: Annotated[int, Query(ge=0, le=MAX_ID, description="`next` of the answer before; 0 is the beginning.")] = 0,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[LedgerRow]:
    """Every decision about an approved text, oldest first, with all that is needed to recompute it."""
    found = service.list_after(session, after, limit=limit + 1)
    more = str(found[limit - 1].sequence) if len(found) > limit else None
    return listing(request, response, [LedgerRow.of(row) for row in found[:limit]], more, key="after")


@api.get(
    "/ledger/checkpoint",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": _NOTE}}}, **can_fail(NoSuchEntry)},
)
def get_checkpoint(session: SessionDep) -> PlainTextResponse:
    """The newest checkpoint: how many entries there are and the root over them, as a signed note."""
    return PlainTextResponse(service.get_checkpoint(session).note, headers={"Cache-Control": "no-cache"})


@api.get(
    "/ledger/key",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": _KEY}}}, **can_fail(NoSuchEntry)},
)
def get_key(session: SessionDep) -> PlainTextResponse:
    """The public key that checkpoints are signed with."""
    key = service.read_key(session)
    if key is None:
        raise NoSuchEntry(_("Nothing is in the ledger yet: it begins with the first text that is approved."))
    return PlainTextResponse(f"{key.verifier.to_text()}\n", headers={"Cache-Control": "no-cache"})


@api.get("/ledger/{sequence}", responses=can_fail(NoSuchEntry))
def get_entry(session: SessionDep, sequence: PathSequence) -> LedgerRow:
    """One entry."""
    return LedgerRow.of(service.get_entry(session, sequence))
