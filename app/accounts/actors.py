"""Who makes a request: the bearer of a token, else the browser's session, else nobody."""

from typing import Annotated

from fastapi import Depends, Request

from app.accounts import service, tokens
from app.permissions import Actor, SignInNeeded
from app.settings import Settings
from app.web.session import SessionDep
from app.words import N_, _


class TokenRefused(SignInNeeded):
    slug = "token-refused"
    title = N_("This token does not work")


def cookie_name(settings: Settings) -> str:
    """`__Host-` binds the cookie to this host, but browsers refuse it over plain http."""
    return "__Host-session" if settings.base_url.startswith("https:") else "session"


def get_viewer(request: Request, session: SessionDep) -> Actor | None:
    """The signed-in doer, or None. A bearer token outranks the cookie; one that does not work is an error."""
    # Read before anything that the page shows, so that a listener who goes on from here misses nothing.
    request.state.position = request.app.state.database.log.newest
    kind, _space, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        actor = tokens.find_actor(session, secret.strip())
        if actor is None:
            raise TokenRefused(
                _("This token is unknown, was taken back or is over. Make a new one and send it as “Bearer mw_…”.")
            )
    else:
        cookie = request.cookies.get(cookie_name(request.app.state.settings))
        actor = service.find_actor_by_cookie(session, cookie) if cookie else None
    request.state.viewer = actor
    return actor


Viewer = Annotated[Actor | None, Depends(get_viewer, scope="function")]
"""Who reads, maybe nobody. Services decide what they may do."""
