"""Chapters, who belongs to them, and the invite links that bring people in."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, update
from sqlmodel import Session, col, select

from app.accounts import passwords, seasoning, service
from app.accounts.models import Chapter, Invite, User
from app.database import Database, now
from app.errors import Conflict, Gone, NotFound
from app.pages.slugs import check_slug
from app.pages.text import clean_line
from app.permissions import Action, Actor, Role, SignInNeeded, require
from app.words import _

MAX_NAME = 80
_CALLED = "chapters_called"
_EVERY_NAME = select(Chapter.id, Chapter.slug, Chapter.name).order_by(col(Chapter.name))
MOVE_DAYS = 7
"""Longer than any waiting time, so that nobody moves to where their vote weighs more while one runs."""


def add_chapter(session: Session, slug: str, name: str, *, counts_from: datetime | None = None) -> Chapter:
    """A new chapter, counted by itself from a moment on; raises `Conflict` when its address is taken."""
    slug = check_slug(slug, pointer="/slug")
    if find_chapter(session, slug) is not None:
        raise Conflict(
            _("There is a chapter at “{slug}” already. Choose another address.").format(slug=slug), pointer="/slug"
        )
    chapter = Chapter(
        slug=slug,
        name=clean_line(name, pointer="/name", max_length=MAX_NAME, required=True),
        created_at=now(session),
        counts_from=counts_from,
    )
    session.add(chapter)
    session.flush()
    session.info.pop(_CALLED, None)
    return chapter


def found_chapter(session: Session, actor: Actor | None, slug: str, name: str, *, at_once: bool) -> Chapter:
    """Let an admin make a chapter. It is counted at large for some days first, unless `at_once`.

    Whoever could make chapters that count tomorrow could cut the others' weight tonight.
    """
    require(actor, Action.MANAGE_CHAPTERS)
    days = timedelta(days=seasoning.seasoning_of(session).chapter_days)
    return add_chapter(session, slug, name, counts_from=None if at_once else now(session) + days)


def find_chapter(session: Session, slug: str) -> Chapter | None:
    return session.exec(select(Chapter).where(Chapter.slug == slug)).first()


def get_chapter(session: Session, slug: str) -> Chapter:
    """The chapter at this address."""
    chapter = find_chapter(session, slug)
    if chapter is None:
        raise NotFound(_("There is no chapter called “{slug}”.").format(slug=slug))
    return chapter


def list_chapters(session: Session) -> Sequence[Chapter]:
    return session.exec(select(Chapter).order_by(col(Chapter.name))).all()


def names_by_id(session: Session) -> dict[int, str]:
    """Every chapter's name, for tallies and explanations; read once in a transaction."""
    return {id_: name for id_, _slug, name in _called(session)}


def slugs_by_id(session: Session) -> dict[int, str]:
    """Every chapter's address, for programs; read once in a transaction."""
    return {id_: slug for id_, slug, _name in _called(session)}


def _called(session: Session) -> Sequence[tuple[int, str, str]]:
    """What each chapter is called, by name; that never changes, though more are founded."""
    found: Sequence[tuple[int, str, str]] | None = session.info.get(_CALLED)
    if found is None:
        found = session.info[_CALLED] = session.exec(_EVERY_NAME).all()
    return found


def count_members(session: Session) -> dict[int | None, int]:
    """Members per chapter; None holds those without one."""
    rows = session.exec(
        select(User.chapter_id, func.count()).where(col(User.role) >= Role.MEMBER).group_by(col(User.chapter_id))
    ).all()
    return {chapter_id: count for chapter_id, count in rows}


def count_active(session: Session, *, days: int, with_void: bool = False) -> dict[int | None, int]:
    """Members per chapter whose votes count, and who joined, signed in, edited or voted in the last `days`.

    They are the electorate of a vote that opens now. Those of a chapter too new to count are among those without one.
    `with_void` counts those too whose votes moderators voided.
    """
    counted = and_(col(Chapter.id) == User.chapter_id, func.coalesce(Chapter.counts_from, now(session)) <= now(session))
    home = col(Chapter.id).label("home")  # type: ignore[var-annotated]  # a label has no type
    rows = session.exec(
        select(home, func.count())
        .select_from(User)
        .join(Chapter, counted, isouter=True)
        .where(
            col(User.role) >= Role.MEMBER,
            col(User.seasoned_at) <= now(session),
            *([] if with_void else [col(User.is_void).is_(False)]),
            col(User.last_active_at) > now(session) - timedelta(days=days),
        )
        .group_by(home)
    ).all()
    return {chapter_id: count for chapter_id, count in rows}


def choose_chapter(session: Session, actor: Actor | None, slug: str) -> Chapter:
    """Make this the actor's home chapter: the first at once, another after `MOVE_DAYS`, so that no vote is moved into.

    Choosing the present one again takes the move back. Votes already cast stay where they were counted.
    """
    actor = require(actor, Action.CHOOSE_CHAPTER)
    chapter = get_chapter(session, slug)
    user = session.get_one(User, actor.id)
    user.next_chapter_id = user.next_chapter_at = None
    if user.chapter_id is None:
        user.chapter_id = chapter.id
    elif user.chapter_id != chapter.id:
        user.next_chapter_id, user.next_chapter_at = chapter.id, now(session) + timedelta(days=MOVE_DAYS)
    session.add(user)
    return chapter


def next_chapter_of(session: Session, actor: Actor) -> tuple[Chapter, datetime] | None:
    """Where the actor moves to, and when."""
    user = session.get_one(User, actor.id)
    if user.next_chapter_id is None or user.next_chapter_at is None:
        return None
    return session.get_one(Chapter, user.next_chapter_id), user.next_chapter_at


def is_anybody_moving(session: Session) -> bool:
    """Whether a move is due."""
    return session.exec(select(User.id).where(col(User.next_chapter_at) <= now(session)).limit(1)).first() is not None


def move(session: Session) -> None:
    """Carry out the moves that are due."""
    session.exec(
        update(User)
        .where(col(User.next_chapter_at) <= now(session))
        .values(chapter_id=User.next_chapter_id, next_chapter_id=None, next_chapter_at=None)
    )


class MoveFollower:
    """Moves members to their next chapter when it is time."""

    def follow(self, database: Database) -> None:
        with database.transaction(writing=False) as session:
            due = is_anybody_moving(session)
        if due:
            with database.transaction(writing=True) as session:
                move(session)


def who_am_i(session: Session, actor: Actor | None) -> tuple[Actor, Chapter | None]:
    """The actor and their home chapter; raises `SignInNeeded` for nobody."""
    if actor is None:
        raise SignInNeeded(_("Nobody is signed in. Send a token as “Authorization: Bearer mw_…”, or sign in."))
    return actor, session.get(Chapter, actor.chapter_id) if actor.chapter_id is not None else None


def invite(session: Session, actor: Actor | None, *, days: int) -> str:
    """A secret for a link that lets people join the actor's chapter for `days`."""
    actor = require(actor, Action.INVITE)
    secret, at = passwords.new_secret(), now(session)
    session.add(
        Invite(
            token_sha256=passwords.digest(secret),
            chapter_id=actor.chapter_id,
            created_by_id=actor.id,
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
    )
    return secret


def get_invite(session: Session, secret: str) -> Invite:
    """The invite behind a link; raises `Gone` when it is unknown or over."""
    found = session.exec(select(Invite).where(Invite.token_sha256 == passwords.digest(secret))).first()
    if found is None or found.expires_at <= now(session):
        raise Gone(_("That invite link does not work any more. Ask the person who sent it for a new one."))
    return found


def join(session: Session, secret: str, name: str, password: str) -> User:
    """A new member of the chapter that the invite is for."""
    found = get_invite(session, secret)
    return service.add_user(session, name, password, chapter_id=found.chapter_id, invited_by_id=found.created_by_id)
