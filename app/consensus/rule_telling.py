"""The numbers of the rule and the changes to them, in the words of the screens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.accounts import saved
from app.consensus import rule_changes
from app.consensus.rule_changes import Change, ChangeState
from app.consensus.rule_settings import SETTINGS
from app.permissions import Action, Actor, allows
from app.words import N_, _, day_in_words, in_words, unended

ENDED = {
    ChangeState.OPEN: N_("It waits for a second moderator until {until}."),
    ChangeState.CONFIRMED: N_("Confirmed {ended} by a moderator of {other}."),
    ChangeState.TAKEN_BACK: N_("Taken back {ended}."),
    ChangeState.LAPSED: N_("Nobody confirmed it until {until}."),
    ChangeState.REPLACED: N_("A newer change of the same number was confirmed first."),
}


@dataclass(frozen=True, slots=True)
class NumberTold:
    """One number in force and where it comes from. `entry` is that of the change in the ledger."""

    name: str
    title: str
    value: str
    source: str
    entry: int | None
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class ChangeTold:
    """A proposal and what became of it. What the viewer can do about it is told last."""

    id: int
    title: str
    now: str
    value: str
    reason: str
    at: datetime
    proposed: str
    ended: str
    entry: int | None
    is_open: bool
    can_confirm: bool
    is_own: bool


def tell_numbers(session: Session) -> list[NumberTold]:
    """Every number that can be set, in the order in which the rule is explained."""
    fixed, changed = saved.fixed_settings(session), rule_changes.list_in_force(session)
    values = rule_changes.values_in_force(session)
    told = []
    for name, setting in SETTINGS.items():
        change = changed.get(name)
        source = _("Set by whoever runs this workshop.") if name in fixed else _("As the program comes.")
        if change is not None and change.end is not None:
            one, other = (side or _("no chapter") for side in rule_changes.name_sides(session, change))
            source = _("Changed on {day} by moderators of {one} and {other}: “{reason}”.").format(
                day=day_in_words(change.end.at), one=one, other=other, reason=unended(change.proposal.reason)
            )
        entry = change.end.entry if change is not None and change.end is not None else None
        told.append(NumberTold(name, _(setting.title), setting.in_words(values[name]), source, entry, name in fixed))
    return told


def tell_changes(session: Session, changes: Sequence[Change], viewer: Actor | None) -> list[ChangeTold]:
    """These proposals, as the viewer sees them."""
    values = rule_changes.values_in_force(session)
    acts = viewer if allows(viewer, Action.CHANGE_RULE) else None
    return [_tell(session, change, values[change.setting.name], acts) for change in changes]


def _tell(session: Session, change: Change, value: int | None, acts: Actor | None) -> ChangeTold:
    row, end, setting = change.proposal, change.end, change.setting
    one, *others = (side or _("no chapter") for side in rule_changes.name_sides(session, change))
    ended = _(ENDED[change.state]).format(
        until=in_words(change.until), ended=in_words(end.at) if end else "", other="".join(others)
    )
    return ChangeTold(
        id=row.id,
        title=_(setting.title),
        now=setting.in_words(value),
        value=setting.in_words(row.value),
        reason=row.reason,
        at=row.at,
        proposed=_("Proposed by a moderator of {one}.").format(one=one),
        ended=ended,
        entry=end.entry if end else None,
        is_open=change.state is ChangeState.OPEN,
        can_confirm=acts is not None and rule_changes.may_confirm(session, acts, change),
        is_own=acts is not None and row.actor_id == acts.id and change.state is ChangeState.OPEN,
    )
