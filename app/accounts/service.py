"""Users: add, sign in and out, name."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from app.accounts import passwords, seasoning
from app.accounts.models import FailedSignIn, User, WebSession
from app.database import now
from app.errors import Conflict, NotFound, Refused
from app.pages.text import clean_line
from app.permissions import Actor, Role, Scope
from app.words import _

MAX_NAME = 60
TRIES_WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The secret for the cookie, and who it stands for."""

    secret: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """Counted, so it is an outcome and not an error: an error would take its own count back."""

    detail: str


@dataclass(frozen=True, slots=True)
class SignInPaused:
    """Too many wrong tries for this name or from this address; `seconds` until the next counts."""

    seconds: int


def add_user(
    session: Session,
    name: str,
    password: str | None,
    *,
    role: Role = Role.MEMBER,
    chapter_id: int | None = None,
    invited_by_id: int | None = None,
) -> User:
    """A new user; raises `Conflict` when the name is taken, however its letters are cased."""
    name = clean_line(name, pointer="/name", max_length=MAX_NAME, required=True)
    key = name.casefold()
    if session.exec(select(User.id).where(User.name_key == key)).first() is not None:
        raise Conflict(
            _("Someone here is called “{name}” already. Choose another name.").format(name=name), pointer="/name"
        )
    at = now(session)
    user = User(
        name=name,
        name_key=key,
        password_hash=passwords.hash_password(password) if password is not None else None,
        role=role,
        chapter_id=chapter_id,
        created_at=at,
        last_active_at=at,
        invited_by_id=invited_by_id,
    )
    session.add(user)
    session.flush()
    if role != Role.NAME:
        seasoning.welcome(session, user)
    return user


def author_named(session: Session, name: str) -> User:
    """The user of this name, made without membership when an imported history is the first to mention it."""
    key = name.casefold()[:MAX_NAME]
    user = session.exec(select(User).where(User.name_key == key)).first()
    return user or add_user(session, name[:MAX_NAME], None, role=Role.NAME)


def get_user(session: Session, name: str) -> User:
    """The user of this name, in any case of letters."""
    user = session.exec(select(User).where(User.name_key == name.casefold())).first()
    if user is None:
        raise NotFound(_("Nobody here is called “{name}”.").format(name=name))
    return user


def actor_of(user: User, scopes: Collection[Scope] | None = None) -> Actor:
    """The user as a doer."""
    return Actor(
        id=user.id,
        name=user.name,
        role=Role(user.role),
        chapter_id=user.chapter_id,
        scopes=None if scopes is None else frozenset(scopes),
    )


def sign_in(
    session: Session, name: str, password: str, *, address: str, days: int, tries: int
) -> SignedIn | SignInFailed | SignInPaused:
    """Open a web session of `days`. After `tries` failures in a minute, by name or by address, it waits."""
    checked = check_password(session, name, password, address=address, tries=tries)
    return open_session(session, checked, days=days) if isinstance(checked, User) else checked


def check_password(
    session: Session, name: str, password: str, *, address: str, tries: int
) -> User | SignInFailed | SignInPaused:
    """Who signs in with this name and password; after `tries` failures in a minute, by name or by address, it waits."""
    name = name.replace("\0", "")[:MAX_NAME]  # nobody's name holds that, and PostgreSQL takes no text with it
    keys = [f"name:{name.casefold()}", f"address:{address}"]
    at = now(session)
    failures = session.exec(
        select(FailedSignIn.key, func.count(), func.min(FailedSignIn.at))
        .where(col(FailedSignIn.key).in_(keys), col(FailedSignIn.at) > at - TRIES_WINDOW)
        .group_by(FailedSignIn.key)
    ).all()
    for _key, count, first in failures:
        if count >= tries:
            return SignInPaused(seconds=max(1, int((first + TRIES_WINDOW - at).total_seconds()) + 1))
    user = session.exec(select(User).where(User.name_key == name.casefold())).first()
    if not passwords.matches(password, user.password_hash if user else None) or user is None:
        session.exec(delete(FailedSignIn).where(col(FailedSignIn.at) < at - TRIES_WINDOW))
        session.add_all(FailedSignIn(key=key, at=at) for key in keys)
        return SignInFailed(_("That name and password do not belong together. Check both and try again."))
    return user


def open_session(session: Session, user: User, *, days: int) -> SignedIn:
    """A new web session for someone whose identity is settled."""
    secret, at = passwords.new_secret(), now(session)
    session.exec(delete(WebSession).where(col(WebSession.expires_at) < at))
    session.add(
        WebSession(
            token_sha256=passwords.digest(secret), user_id=user.id, created_at=at, expires_at=at + timedelta(days=days)
        )
    )
    user.last_active_at = at
    session.add(user)
    return SignedIn(secret, actor_of(user))


def sign_out(session: Session, secret: str) -> None:
    """End the web session of this cookie, if there is one."""
    session.exec(delete(WebSession).where(col(WebSession.token_sha256) == passwords.digest(secret)))


def set_password(session: Session, user: User, password: str) -> None:
    """Give the user another password and end all their sessions; `Refused` where it is too short."""
    user.password_hash = passwords.hash_password(password)
    session.add(user)
    session.exec(delete(WebSession).where(col(WebSession.user_id) == user.id))


def set_role(session: Session, user: User, role: Role) -> None:
    """Let the user do what the role may, from now on."""
    if user.role == Role.NAME:
        problem = _("{name} is only a name in an imported history and cannot sign in.").format(name=user.name)
        raise Refused(problem, pointer="/name")
    user.role = role
    session.add(user)


def list_users(session: Session) -> Sequence[User]:
    """Everyone who may sign in, by name."""
    return session.exec(select(User).where(User.role != Role.NAME).order_by(col(User.name_key))).all()


def find_actor_by_cookie(session: Session, secret: str) -> Actor | None:
    """Who the cookie stands for, while its session lasts."""
    user = session.exec(
        select(User)
        .join(WebSession, col(WebSession.user_id) == User.id)
        .where(WebSession.token_sha256 == passwords.digest(secret), col(WebSession.expires_at) > now(session))
    ).first()
    return actor_of(user) if user else None


def touch(session: Session, actor: Actor) -> None:
    """Note that the actor was here now: edits and votes keep a member active."""
    user = session.get_one(User, actor.id)
    user.last_active_at = now(session)
    session.add(user)


def names_of(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """The names behind ids, for lists of authors."""
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    rows = session.exec(select(User.id, User.name).where(col(User.id).in_(wanted))).all()
    return {id_: name for id_, name in rows}
