"""API tokens: the keys of programs, with scopes and an end."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from app.accounts import passwords
from app.accounts.models import ApiToken, User
from app.accounts.service import actor_of
from app.database import now
from app.errors import NotFound, Refused
from app.pages.text import clean_line
from app.permissions import Action, Actor, Scope, ScopeMissing, require
from app.words import N_, _

PREFIX = "mw_"
MAX_NAME = 80
MOST = 100
"""Tokens that one member can have at a time."""


class TokenNotFound(NotFound):
    slug = "token-not-found"
    title = N_("You have no such token")


def find_actor(session: Session, secret: str) -> Actor | None:
    """Who the token stands for, with its scopes; None when it is unknown, taken back or over."""
    row = session.exec(
        select(User, ApiToken.scopes)
        .join(ApiToken, col(ApiToken.user_id) == User.id)
        .where(ApiToken.token_sha256 == passwords.digest(secret), _works(now(session)))
    ).first()
    return actor_of(row[0], [Scope(scope) for scope in row[1]]) if row else None


def create(
    session: Session,
    actor: Actor | None,
    scopes: Iterable[Scope],
    *,
    name: str = "",
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token of the actor and its secret, which is shown this once and stored as its hash.

    A token makes no token that may do more than itself. Raises `Refused` without a scope, for an end that is over, and
    beyond `MOST`.
    """
    actor = require(actor, Action.MANAGE_TOKENS)
    chosen = sorted(set(scopes))
    if not chosen:
        raise Refused(_("A token needs at least one scope, such as read."), pointer="/scopes")
    if actor.scopes is not None and (beyond := [scope for scope in chosen if scope not in actor.scopes]):
        raise ScopeMissing(
            _("This token may not “{scope}”, so it can make none that may. Make it in the browser.").format(
                scope=beyond[0]
            )
        )
    if expires_at is not None and expires_at <= now(session):
        raise Refused(_("That time is over. Choose one to come, or none."), pointer="/expires_at")
    count = select(func.count()).where(ApiToken.user_id == actor.id, _works(now(session)))
    if session.exec(count).one() >= MOST:
        raise Refused(
            _("You have {n} tokens that work. Take back one that nobody uses, then make the new one.").format(n=MOST)
        )
    secret = passwords.new_secret(PREFIX)
    row = ApiToken(
        token_sha256=passwords.digest(secret),
        user_id=actor.id,
        scopes=list(chosen),
        name=clean_line(name, pointer="/name", max_length=MAX_NAME),
        created_at=now(session),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return row, secret


def list_own(session: Session, actor: Actor | None) -> Sequence[ApiToken]:
    """The actor's tokens that nobody took back, newest first; also those whose time is over."""
    actor = require(actor, Action.MANAGE_TOKENS)
    query = select(ApiToken).where(ApiToken.user_id == actor.id, col(ApiToken.revoked_at).is_(None))
    return session.exec(query.order_by(col(ApiToken.id).desc())).all()


def get_own(session: Session, actor: Actor | None, token_id: int) -> ApiToken:
    """A token of the actor's that nobody took back; any other is `TokenNotFound`."""
    actor = require(actor, Action.MANAGE_TOKENS)
    row = session.get(ApiToken, token_id)
    if row is None or row.user_id != actor.id or row.revoked_at is not None:
        raise TokenNotFound(_("You have no token with this number. It may be taken back already."))
    return row


def take_back(session: Session, actor: Actor | None, token_id: int) -> None:
    """From now on the token does not work; for ever."""
    row = get_own(session, actor, token_id)
    row.revoked_at = now(session)
    session.add(row)


def _works(at: datetime) -> ColumnElement[bool]:
    lasts = or_(col(ApiToken.expires_at).is_(None), col(ApiToken.expires_at) > at)
    return and_(col(ApiToken.revoked_at).is_(None), lasts)
