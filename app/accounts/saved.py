"""Settings of the rule that moderators saved: they hold where the environment says nothing."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from app.accounts.models import RuleChange, RuleStep

_SAVED = (
    "SELECT setting, value FROM rule_change WHERE id IN "
    "(SELECT max(id) FROM rule_change WHERE kind = 'confirmed' GROUP BY setting)"
)
"""As it is sent: each vote asks it, and to go through the mapper takes twice as long."""


def settings_saved(session: Session) -> Mapping[str, int | None]:
    """The saved value of each setting that has one and that the environment leaves open, by its name.

    Read once in a transaction and kept no longer, so that every process goes by a change from its next one on.
    """
    found: dict[str, int | None] | None = session.info.get("settings_saved")
    if found is None:
        fixed = fixed_settings(session)
        rows = session.connection().exec_driver_sql(_SAVED)
        found = {setting: value for setting, value in rows if setting not in fixed}
        session.info["settings_saved"] = found
    return found


def read_again(session: Session) -> None:
    """Forget what was read: another transaction may have committed a change while this one waited for its turn."""
    session.info.pop("settings_saved", None)


def fixed_settings(session: Session) -> frozenset[str]:
    """The settings that the environment gives, which nobody can save."""
    fixed: frozenset[str] = session.info.get("fixed_settings", frozenset())
    return fixed


def add_step(session: Session, row: RuleChange) -> RuleChange:
    """Note a proposal or its end. The caller waited for its turn and knows that it may."""
    session.add(row)
    session.flush()
    read_again(session)
    return row


def find_proposal(session: Session, change_id: int) -> RuleChange | None:
    """The proposal with this number."""
    row = session.get(RuleChange, change_id)
    return row if row is not None and row.kind == RuleStep.PROPOSED else None


def list_proposals(session: Session, *, before: int | None = None, limit: int) -> Sequence[RuleChange]:
    """Every proposal that was ever made, the newest first; those before a number where one is given."""
    query = select(RuleChange).where(RuleChange.kind == RuleStep.PROPOSED)
    query = query if before is None else query.where(col(RuleChange.id) < before)
    return session.exec(query.order_by(col(RuleChange.id).desc()).limit(limit)).all()


def list_ends(session: Session) -> Sequence[RuleChange]:
    """How every proposal ended that moderators ended, in that order."""
    return session.exec(
        select(RuleChange).where(RuleChange.kind != RuleStep.PROPOSED).order_by(col(RuleChange.id))
    ).all()
