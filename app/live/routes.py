"""The activity log as it grows, for whoever keeps a connection open."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.activity import service as activity
from app.live.hub import Hub, Stream
from app.live.ring import Wanted
from app.live.rows import parse_kinds, parse_position
from app.pages import service as pages
from app.pages.service import PageNotFound
from app.web.headers import NO_STORE
from app.web.openapi import can_fail
from app.web.session import SessionDep

api = APIRouter(tags=["Following along"])

RETRY_AFTER = "10"
EXAMPLE = """retry: 2000

id: 4711
event: page.promoted
data: {"seq":4711,"kind":"page.promoted","at":"2026-11-22T14:32:05Z","page":"housing","subject":128,"actor":null,\
"data":{"approval":41,"sha256":"9f86…"}}

: ping

"""


def get_hub(request: Request) -> Hub:
    """The one hub of this process."""
    hub: Hub = request.app.state.hub
    return hub


class EventStream(StreamingResponse):
    """Server-sent events to one listener, who counts as listening for as long as the connection is open."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, stream: Stream, newest: int) -> None:
        super().__init__(hub.tell(stream), headers={"Cache-Control": NO_STORE, "X-Accel-Buffering": "no"})
        self._hub, self._stream, self._newest = hub, stream, newest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _check_room(self._hub, self._stream.address)
        with self._hub.admitted(self._stream, self._newest):
            await super().__call__(scope, receive, send)


@api.get(
    "/stream",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The stream.",
            "content": {EventStream.media_type: {"schema": {"type": "string"}, "example": EXAMPLE}},
        },
        **can_fail(PageNotFound, 429),
    },
)
def follow_stream(
    request: Request,
    session: SessionDep,
    hub: Annotated[Hub, Depends(get_hub)],
    since: Annotated[
        str | None,
        Query(
            max_length=40, description="Begin after this row, 0 being the beginning; else with now.", examples=["4711"]
        ),
    ] = None,
    kinds: Annotated[
        str, Query(max_length=1_000, description="Only these kinds, with commas between.", examples=["page.promoted"])
    ] = "",
    page: Annotated[
        str | None, Query(max_length=200, description="Only what happens to this page.", examples=["housing"])
    ] = None,
    last_event_id: Annotated[
        str | None,
        Header(max_length=40, description="The `id` of the last message; goes before `since`.", examples=["4711"]),
    ] = None,
) -> EventStream:
    """What happens, as it happens: server-sent events, each a row of the list of changes, strictly in order."""
    address = request.client.host if request.client else "unknown"
    _check_room(hub, address)
    wanted = Wanted(frozenset(parse_kinds(kinds)), pages.get_page(session, page).id if page else None)
    newest = activity.newest_position(session)
    return EventStream(hub, Stream(wanted, _position(since, last_event_id, newest), address), newest)


def _position(since: str | None, last_event_id: str | None, newest: int) -> int:
    if last_event_id:
        return parse_position(last_event_id, pointer="/last-event-id")
    return parse_position(since, pointer="/since") if since else newest


def _check_room(hub: Hub, address: str) -> None:
    """Before the first byte, as long as the answer can still be another one."""
    if not hub.has_room:
        raise HTTPException(503, headers={"Retry-After": RETRY_AFTER})
    if not hub.has_room_for(address):
        raise HTTPException(429, headers={"Retry-After": RETRY_AFTER})
