"""Change a number of the rule: one moderator proposes it with a reason, one of another chapter confirms it.

A change touches only votes that open later, is entered in the public ledger, and stays on record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from app.accounts import chapters, saved, seasoning
from app.accounts import service as accounts
from app.accounts.models import RuleChange, RuleStep, User
from app.consensus import decisions, ledger
from app.consensus.rule_settings import SETTINGS, Setting, get_setting
from app.database import now
from app.errors import Conflict, NotAllowed, NotFound
from app.pages.text import clean_line
from app.permissions import Action, Actor, Role, require
from app.words import _, in_words

MAX_REASON = 500
LASTS = timedelta(days=7)
"""How long a proposal waits for a second moderator."""


class ChangeState(StrEnum):
    """How a proposal stands. `REPLACED`: a newer change of the same number was confirmed first."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    TAKEN_BACK = "taken_back"
    LAPSED = "lapsed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Change:
    """A proposal, how it stands, and the row that ended it, where a moderator did; chapters by their addresses."""

    proposal: RuleChange
    state: ChangeState
    end: RuleChange | None

    @property
    def setting(self) -> Setting:
        return SETTINGS[self.proposal.setting]

    @property
    def until(self) -> datetime:
        """When it lapses by itself."""
        return self.proposal.at + LASTS


def propose(session: Session, actor: Actor | None, name: str, value: int | None, *, reason: str) -> Change:
    """Propose another value of a setting. It changes nothing until a second moderator confirms it.

    Times are seconds. Raises `Refused` for what a setting cannot be, and `Conflict` where the environment gives it,
    where that is its value already, or where the same is proposed already.
    """
    actor = require(actor, Action.CHANGE_RULE)
    check(session, name, value)
    reason = clean_line(reason, pointer="/reason", max_length=MAX_REASON, required=True)
    accounts.touch(session, actor)
    ledger.wait(session)
    check(session, name, value)
    if any((it.proposal.setting, it.proposal.value) == (name, value) for it in list_open(session)):
        raise Conflict(_("This is proposed already. It takes a second moderator to confirm it."))
    row = saved.add_step(session, _row(session, RuleStep.PROPOSED, actor, name, value, reason=reason))
    return Change(row, ChangeState.OPEN, None)


def check(session: Session, name: str, value: int | None) -> Setting:
    """The setting, if this value of it could be proposed now. Raises as `propose` does."""
    setting = get_setting(name)
    _require_open_to_change(session, setting)
    setting.check(value)
    if value_in_force(session, name) == value:
        raise Conflict(_("It is {value} already. Nothing was changed.").format(value=setting.in_words(value)))
    return setting


def confirm(session: Session, actor: Actor | None, change_id: int) -> Change:
    """Confirm another moderator's proposal: it is in force from this transaction's commit on, in every process.

    The two are of different chapters, where more than one counts. Entered in the ledger in the same transaction, by
    their chapters alone.
    """
    actor = require(actor, Action.CHANGE_RULE)
    accounts.touch(session, actor)
    ledger.wait(session)
    change = _get_open(session, change_id)
    proposal, setting = change.proposal, change.setting
    if proposal.actor_id == actor.id:
        raise Conflict(_("You proposed this. A moderator of another chapter has to confirm it."))
    if session.get_one(User, proposal.actor_id).role < Role.MODERATOR:
        raise Conflict(_("Whoever proposed this is no moderator any more. Propose it anew if you want it."))
    if proposal.chapter_id == actor.chapter_id and not decisions.only_one_chapter_counts(session):
        raise Conflict(_("A moderator of your own chapter proposed this. It takes one of another to confirm it."))
    _require_open_to_change(session, setting)
    setting.check(proposal.value)
    values = {**saved.settings_saved(session), setting.name: proposal.value}
    entry = ledger.enter_change(
        session,
        decisions.rule_with(session, values),
        seasoning.seasoning_with(session, values),
        by=[proposal.chapter_id, actor.chapter_id],
        reason=proposal.reason,
    )
    end = _row(session, RuleStep.CONFIRMED, actor, setting.name, proposal.value, proposal=proposal, entry=entry)
    return Change(proposal, ChangeState.CONFIRMED, saved.add_step(session, end))


def take_back(session: Session, actor: Actor | None, change_id: int) -> Change:
    """Take one's own proposal back while it is open; it stays on record."""
    actor = require(actor, Action.CHANGE_RULE)
    accounts.touch(session, actor)
    ledger.wait(session)
    proposal = _get_open(session, change_id).proposal
    if proposal.actor_id != actor.id:
        raise NotAllowed(_("Only whoever proposed this takes it back. It lapses by itself if nobody confirms it."))
    end = _row(session, RuleStep.TAKEN_BACK, actor, proposal.setting, proposal.value, proposal=proposal)
    return Change(proposal, ChangeState.TAKEN_BACK, saved.add_step(session, end))


def get_change(session: Session, change_id: int) -> Change:
    """The proposal with this number, whatever became of it; `NotFound` where there is none."""
    proposal = saved.find_proposal(session, change_id)
    if proposal is None:
        raise NotFound(_("There is no such proposal. Look at the list of all changes of the rule."))
    return _tell(session, [proposal])[0]


def list_open(session: Session) -> list[Change]:
    """The proposals that wait for a second moderator, the newest first."""
    rows = [row for row in saved.list_proposals(session, limit=500) if row.at + LASTS > now(session)]
    return [change for change in _tell(session, rows) if change.state is ChangeState.OPEN]


def list_changes(session: Session, *, before: int | None = None, limit: int = 50) -> list[Change]:
    """Every proposal and what became of it, the newest first."""
    return _tell(session, saved.list_proposals(session, before=before, limit=limit))


def list_in_force(session: Session) -> dict[str, Change]:
    """The change that each saved setting has its value from, by its name."""
    newest = {row.setting: row for row in saved.list_ends(session) if row.kind == RuleStep.CONFIRMED}
    fixed = saved.fixed_settings(session)
    return {
        name: Change(proposal, ChangeState.CONFIRMED, row)
        for name, row in newest.items()
        if name not in fixed and (proposal := saved.find_proposal(session, row.proposal_id or 0)) is not None
    }


def value_in_force(session: Session, name: str) -> int | None:
    """What a setting is now."""
    return values_in_force(session)[name]


def values_in_force(session: Session) -> dict[str, int | None]:
    """What every setting is now, by its name."""
    rule, asked = decisions.rule_in_force(session).to_json(), seasoning.seasoning_of(session)
    others = {name: getattr(asked, field) for name, field in seasoning.SETTINGS.items()}
    return {name: others[name] if name in others else rule[name] for name in SETTINGS}


def may_confirm(session: Session, actor: Actor, change: Change) -> bool:
    """Whether this moderator is the second that the proposal waits for."""
    proposal = change.proposal
    other_side = proposal.chapter_id != actor.chapter_id or decisions.only_one_chapter_counts(session)
    return change.state is ChangeState.OPEN and proposal.actor_id != actor.id and other_side


def _tell(session: Session, proposals: Sequence[RuleChange]) -> list[Change]:
    ends = saved.list_ends(session)
    own = {row.proposal_id: row for row in ends}
    return [_tell_one(session, row, own.get(row.id), ends) for row in proposals]


def _tell_one(session: Session, proposal: RuleChange, end: RuleChange | None, ends: Sequence[RuleChange]) -> Change:
    if end is not None:
        return Change(proposal, ChangeState(end.kind), end)
    for row in ends:
        newer = row.kind == RuleStep.CONFIRMED and row.setting == proposal.setting and row.id > proposal.id
        if newer and row.at < proposal.at + LASTS:
            return Change(proposal, ChangeState.REPLACED, None)
    over = proposal.at + LASTS <= now(session)
    return Change(proposal, ChangeState.LAPSED if over else ChangeState.OPEN, None)


def _get_open(session: Session, change_id: int) -> Change:
    change = get_change(session, change_id)
    match change.state:
        case ChangeState.CONFIRMED:
            raise Conflict(_("This was confirmed already and is in force. Nothing was changed."))
        case ChangeState.TAKEN_BACK:
            raise Conflict(_("Whoever proposed this took it back. Propose it anew if you want it."))
        case ChangeState.REPLACED:
            raise Conflict(_("A newer change of the same number was confirmed meanwhile. Propose yours anew."))
        case ChangeState.LAPSED:
            raise Conflict(
                _("Nobody confirmed this until {end}, so it lapsed. Propose it anew if you want it.").format(
                    end=in_words(change.until)
                )
            )
    return change


def _require_open_to_change(session: Session, setting: Setting) -> None:
    if setting.name in saved.fixed_settings(session):
        raise Conflict(
            _(
                "Whoever runs this workshop fixed this number with {variable}, so nobody can change it here. Ask them "
                "to take that setting away first."
            ).format(variable=setting.variable)
        )


def _row(
    session: Session,
    kind: RuleStep,
    actor: Actor,
    setting: str,
    value: int | None,
    *,
    reason: str = "",
    proposal: RuleChange | None = None,
    entry: int | None = None,
) -> RuleChange:
    return RuleChange(
        kind=kind,
        proposal_id=proposal.id if proposal else None,
        setting=setting,
        value=value,
        reason=reason,
        at=now(session),
        actor_id=actor.id,
        chapter_id=actor.chapter_id,
        entry=entry,
    )


def name_sides(session: Session, change: Change) -> list[str]:
    """The names of the chapters of those who proposed and confirmed it; empty for one without a chapter."""
    names = chapters.names_by_id(session)
    rows = [change.proposal, *([change.end] if change.end else [])]
    return [names.get(row.chapter_id or 0, "") for row in rows]
