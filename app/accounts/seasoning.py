"""From when a newcomer's votes count: after a while, once members of their chapter have vouched for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.accounts import saved
from app.accounts.models import User, Vouch
from app.database import now
from app.errors import Conflict, NotAllowed, Refused
from app.permissions import Action, Actor, Role, require
from app.words import N_, _, _n, in_words

VOUCHES_A_WEEK = 5
"""By one member; whoever could vouch for everybody could bring in a crowd alone."""


@dataclass(frozen=True, slots=True)
class Seasoning:
    """When votes begin to count: `hours` after joining, with so many `vouches`; at once for the first `founders`.

    A new chapter is counted by itself after `chapter_days`.
    """

    hours: int = 72
    vouches: int = 2
    founders: int = 20
    chapter_days: int = 14


SETTINGS = {
    "seasoning_hours": "hours",
    "vouches": "vouches",
    "founders": "founders",
    "chapter_days": "chapter_days",
}
"""The settings that can be saved, and their fields."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A member whose votes do not count yet, how many have vouched for them, and whether the viewer has."""

    name: str
    joined_at: datetime
    vouches: int
    vouched_by_viewer: bool


class NotVouchedYet(NotAllowed):
    """Somebody whose own votes do not count yet cannot make other people's count."""

    slug = "not-vouched-yet"
    title = N_("You are new here yourself")


def seasoning_of(session: Session) -> Seasoning:
    """What is in force: what the environment says, else what was saved."""
    return seasoning_with(session, saved.settings_saved(session))


def seasoning_with(session: Session, values: Mapping[str, int | None]) -> Seasoning:
    """What would be asked with these settings, by their names; those that are not its own are passed over."""
    asked: Seasoning = session.info.get("seasoning", Seasoning())
    changed = {field: value for name, field in SETTINGS.items() if (value := values.get(name)) is not None}
    return replace(asked, **changed) if changed else asked


def welcome(session: Session, user: User) -> None:
    """Say from when a new member's votes count, if that is known already."""
    asked = seasoning_of(session)
    before = session.exec(select(func.count()).where(col(User.role) >= Role.MEMBER, User.id != user.id)).one()
    if before < asked.founders:
        user.seasoned_at = user.created_at
    elif asked.vouches == 0:
        user.seasoned_at = user.created_at + timedelta(hours=asked.hours)
    session.add(user)


def counts_from(session: Session, actor: Actor) -> datetime | None:
    """From when the actor's votes count; None while too few have vouched for them, or while they are void."""
    user = session.get_one(User, actor.id)
    return None if user.is_void else user.seasoned_at


def counts(session: Session, actor: Actor) -> bool:
    """Whether the actor's votes count by now."""
    seasoned_at = counts_from(session, actor)
    return seasoned_at is not None and seasoned_at <= now(session)


def why_not_yet(session: Session, actor: Actor) -> str:
    """What keeps the actor's votes from counting, in words; nothing once they count."""
    if counts(session, actor):
        return ""
    user = session.get_one(User, actor.id)
    if user.is_void and user.voided_at is not None:
        return _(
            "Your votes are kept, and count in what was open before {when}. Two moderators took them out of every vote "
            "that opened later; the public ledger says why. Ask them if you think that it is a mistake."
        ).format(when=in_words(user.voided_at))
    asked, seasoned_at = seasoning_of(session), counts_from(session, actor)
    if seasoned_at is not None:
        return _("Your votes are kept, and count from {when}.").format(when=in_words(seasoned_at))
    given = count_vouches(session, [actor.id]).get(actor.id, 0)
    return _n(
        "Your votes are kept, and count {hours} hours after you joined, once {n} member of your chapter has vouched "
        "for you; {given} has so far. They find you on your chapter's page.",
        "Your votes are kept, and count {hours} hours after you joined, once {n} members of your chapter have vouched "
        "for you; {given} have so far. They find you on your chapter's page.",
        asked.vouches,
    ).format(hours=asked.hours, n=asked.vouches, given=given)


def vouch(session: Session, actor: Actor | None, user: User) -> None:
    """Say that the actor knows this newcomer; the last one needed settles from when the newcomer's votes count.

    Both are of one chapter, unless it has fewer than two whose votes count: then any two members may. Raises
    `NotVouchedYet`, `Refused` for oneself, another chapter or too many in a week, and `Conflict` for a second time or
    somebody who needs no more vouches.
    """
    actor = require(actor, Action.VOUCH)
    session.refresh(user, with_for_update={"key_share": True})  # or two at once would each count one vouch
    _check(session, actor, user)
    session.add(Vouch(member_id=user.id, by_id=actor.id, at=now(session)))
    session.flush()
    if user.seasoned_at is None and count_vouches(session, [user.id]).get(user.id, 0) >= seasoning_of(session).vouches:
        user.seasoned_at = max(now(session), user.created_at + timedelta(hours=seasoning_of(session).hours))
        user.recounts_asked += 1
        session.add(user)


def _check(session: Session, actor: Actor, user: User) -> None:
    if user.id == actor.id:
        raise Refused(_("Nobody vouches for themselves. Ask two members who know you."), pointer="/name")
    if not counts(session, actor):
        raise NotVouchedYet(_("You can vouch for others as soon as your own votes count."))
    if user.role == Role.NAME or user.seasoned_at is not None:
        raise Conflict(_("{name} needs nobody to vouch for them. Nothing was changed.").format(name=user.name))
    if user.chapter_id != actor.chapter_id and count_seasoned(session, user.chapter_id) >= 2:
        raise Refused(
            _("{name} is of another chapter. Only members of that chapter can vouch for them.").format(name=user.name),
            pointer="/name",
        )
    mine = select(Vouch).where(Vouch.by_id == actor.id)
    if session.exec(mine.where(Vouch.member_id == user.id)).first() is not None:
        raise Conflict(_("You have vouched for {name} already. Nothing was changed.").format(name=user.name))
    week = select(func.count()).where(Vouch.by_id == actor.id, col(Vouch.at) > now(session) - timedelta(days=7))
    if session.exec(week).one() >= VOUCHES_A_WEEK:
        raise Refused(
            _n(
                "You have vouched for {n} person this week, which is the most. Try again in some days.",
                "You have vouched for {n} people this week, which is the most. Try again in some days.",
                VOUCHES_A_WEEK,
            ).format(n=VOUCHES_A_WEEK),
            pointer="/name",
        )


def count_seasoned(session: Session, chapter_id: int | None) -> int:
    """Members of a chapter whose votes count by now."""
    query = select(func.count()).where(
        col(User.role) >= Role.MEMBER,
        User.chapter_id == chapter_id,
        col(User.seasoned_at) <= now(session),
        col(User.is_void).is_(False),
    )
    return session.exec(query).one()


def count_vouches(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """How many vouched for each of these members; those whom nobody vouched for are left out."""
    rows = session.exec(
        select(Vouch.member_id, func.count()).where(col(Vouch.member_id).in_(ids)).group_by(col(Vouch.member_id))
    )
    return {member_id: count for member_id, count in rows}


def list_newcomers(session: Session, chapter_id: int, viewer: Actor | None, *, limit: int = 50) -> list[Newcomer]:
    """The chapter's members whom not enough have vouched for, those who wait longest first."""
    users = session.exec(
        select(User)
        .where(User.chapter_id == chapter_id, col(User.role) >= Role.MEMBER, col(User.seasoned_at).is_(None))
        .order_by(col(User.created_at), col(User.id))
        .limit(limit)
    ).all()
    vouches = count_vouches(session, [user.id for user in users])
    mine = set(session.exec(select(Vouch.member_id).where(Vouch.by_id == viewer.id))) if viewer else set()
    return [Newcomer(user.name, user.created_at, vouches.get(user.id, 0), user.id in mine) for user in users]
