"""Void a member's votes, or let them count again: one moderator asks with a reason, one of another chapter confirms.

It touches only votes that open later: what is open now is decided as if nothing had happened. Entered in the public
ledger, which names nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.accounts import chapters
from app.accounts import service as accounts
from app.accounts.models import User
from app.consensus import decisions, ledger
from app.consensus.models import Voiding
from app.database import now
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.pages.text import clean_line
from app.permissions import Action, Actor, Role, require
from app.words import _, _n

MAX_REASON = 500
LASTS = timedelta(days=7)
"""How long a moderator's wish waits for a second one."""

WINDOW = timedelta(days=14)
FEWEST_MEMBERS = 10
SHARE = 20
"""In a window one in so many of the active members may be voided, at least one, and nobody where there are fewer than
`FEWEST_MEMBERS`: two moderators could otherwise choose who decides from now on."""


class VoidingState(StrEnum):
    """What became of a wish. `LAPSED`: nobody confirmed it in time, or the same was settled by another one."""

    ASKED = "asked"
    DONE = "done"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a moderator asked for, about whom, how it stands, and the row that confirmed it."""

    asked: Voiding
    member: str
    state: VoidingState
    confirmed: Voiding | None

    @property
    def until(self) -> datetime:
        """When it lapses by itself."""
        return self.asked.at + LASTS


def ask(session: Session, actor: Actor | None, name: str, *, voids: bool, reason: str = "") -> Wish:
    """Ask for it, or confirm what a moderator of another chapter asked for, which carries it out.

    The reason is public and needed of the first alone. Raises `Conflict` where it is so already or was asked by the
    actor or their chapter before, and `Refused` for oneself or too many members at once.
    """
    actor = require(actor, Action.VOID_VOTES)
    member = accounts.get_user(session, name)
    _lock(session, actor, member)
    accounts.touch(session, actor)
    ledger.wait(session)
    session.refresh(member)
    _check(session, actor, member, voids)
    open_ones = [wish for wish in _list_of(session, member) if wish.state is VoidingState.ASKED]
    standing = next((wish for wish in open_ones if wish.asked.voids == voids), None)
    if standing is None:
        reason = clean_line(reason, pointer="/reason", max_length=MAX_REASON, required=True)
        row = _row(session, actor, member, voids, reason)
        return Wish(_add(session, row), member.name, VoidingState.ASKED, None)
    if standing.asked.actor_id == actor.id:
        raise Conflict(_("You asked for this already. A moderator of another chapter has to ask for it too."))
    if not may_confirm(session, actor, standing):
        raise Conflict(_("A moderator of your own chapter asked for this already. It takes one of another chapter."))
    return _carry_out(session, actor, member, standing)


def list_wishes(session: Session, actor: Actor | None, *, before: int | None = None, limit: int = 50) -> list[Wish]:
    """All that was ever asked for and what became of it, the newest first. For moderators: it names members."""
    require(actor, Action.VOID_VOTES)
    query = select(Voiding).where(col(Voiding.asked_id).is_(None)).order_by(col(Voiding.id).desc()).limit(limit)
    return _tell(session, session.exec(query if before is None else query.where(col(Voiding.id) < before)).all())


def list_void(session: Session, actor: Actor | None) -> Sequence[User]:
    """The members whose votes count in no vote that opens now, by their names."""
    require(actor, Action.VOID_VOTES)
    return session.exec(select(User).where(col(User.is_void)).order_by(col(User.name_key))).all()


def may_confirm(session: Session, actor: Actor, wish: Wish) -> bool:
    """Whether this moderator is the second that the wish waits for."""
    asked = wish.asked
    other_side = asked.chapter_id != actor.chapter_id or decisions.only_one_chapter_counts(session)
    not_about = actor.id not in (asked.actor_id, asked.member_id)
    return wish.state is VoidingState.ASKED and not_about and other_side


def _check(session: Session, actor: Actor, member: User, voids: bool) -> None:
    if member.role == Role.NAME:
        raise NotFound(_("{name} is the name of an author, who has no vote.").format(name=member.name))
    if session.get_one(User, actor.id).is_void:
        raise NotAllowed(_("Your own votes are void, so this is not for you to decide. Two other moderators can."))
    if member.id == actor.id:
        raise Refused(_("This is about you. It takes two other moderators."), pointer="/member")
    if member.is_void == voids:
        raise Conflict(
            _("The votes of {name} are void already. Nothing was changed.").format(name=member.name)
            if voids
            else _("The votes of {name} count as they are. Nothing was changed.").format(name=member.name)
        )
    if not voids:
        return
    most = _most_in_a_window(session)
    recent = select(func.count(col(Voiding.member_id).distinct())).where(
        col(Voiding.asked_id).is_not(None), col(Voiding.voids), col(Voiding.at) > now(session) - WINDOW
    )
    if most == 0:
        raise Refused(
            _(
                "With fewer than {n} active members nobody’s votes can be voided: two moderators would choose who "
                "decides. A text that should not be used can be stopped or withdrawn."
            ).format(n=FEWEST_MEMBERS),
            pointer="/member",
        )
    if session.exec(recent).one() >= most:
        raise Refused(
            _n(
                "The votes of {n} member were voided in the last two weeks, which is the most here. More would let two "
                "moderators choose who decides.",
                "The votes of {n} members were voided in the last two weeks, which is the most here. More would let "
                "two moderators choose who decides.",
                most,
            ).format(n=most),
            pointer="/member",
        )


def _most_in_a_window(session: Session) -> int:
    days = decisions.rule_in_force(session).active_days
    active = sum(chapters.count_active(session, days=days, with_void=True).values())
    return max(1, active // SHARE) if active >= FEWEST_MEMBERS else 0


def _lock(session: Session, actor: Actor, member: User) -> None:
    """Hold both rows before the turn in the ledger, as whoever votes holds their own when they wait for it.

    Not against rows that merely refer to them, which somebody may add who has the turn already.
    """
    both = col(User.id).in_([actor.id, member.id])
    session.exec(select(User.id).where(both).order_by(col(User.id)).with_for_update(key_share=True)).all()


def _carry_out(session: Session, actor: Actor, member: User, wish: Wish) -> Wish:
    asked = wish.asked
    row = _row(session, actor, member, asked.voids, asked.reason)
    row.asked_id = asked.id
    entry = ledger.enter_voiding(
        session,
        voids=asked.voids,
        chapter_id=member.chapter_id,
        by=[asked.chapter_id, actor.chapter_id],
        reason=asked.reason,
    )
    row.entry, row.at = entry.sequence, entry.at
    member.is_void = asked.voids
    member.voided_at = row.at if asked.voids else member.voided_at
    member.recounts_asked += not asked.voids
    session.add(member)
    return Wish(asked, member.name, VoidingState.DONE, _add(session, row))


def _row(session: Session, actor: Actor, member: User, voids: bool, reason: str) -> Voiding:
    return Voiding(
        member_id=member.id,
        voids=voids,
        reason=reason,
        at=now(session),
        actor_id=actor.id,
        chapter_id=actor.chapter_id,
    )


def _add(session: Session, row: Voiding) -> Voiding:
    session.add(row)
    session.flush()
    return row


def _list_of(session: Session, member: User) -> list[Wish]:
    asked = select(Voiding).where(Voiding.member_id == member.id, col(Voiding.asked_id).is_(None))
    return _tell(session, session.exec(asked.order_by(col(Voiding.id).desc())).all())


def _tell(session: Session, asked: Sequence[Voiding]) -> list[Wish]:
    members = {row.member_id for row in asked}
    done = session.exec(
        select(Voiding).where(col(Voiding.member_id).in_(members), col(Voiding.asked_id).is_not(None))
    ).all()
    confirmed = {row.asked_id: row for row in done}
    newest = {row.member_id: row.id for row in sorted(done, key=lambda row: row.id)}
    askers = {row.actor_id for row in asked}
    moderators = select(User.id).where(col(User.id).in_(askers), col(User.role) >= Role.MODERATOR)
    still = set(session.exec(moderators))
    users = session.exec(select(User).where(col(User.id).in_(members))).all()
    names = {user.id: user.name for user in users}
    wishes = []
    for row in asked:
        over = row.at + LASTS <= now(session) or newest.get(row.member_id, 0) > row.id or row.actor_id not in still
        state = VoidingState.DONE if row.id in confirmed else VoidingState.LAPSED if over else VoidingState.ASKED
        wishes.append(Wish(row, names[row.member_id], state, confirmed.get(row.id)))
    return wishes
