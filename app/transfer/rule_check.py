"""Check the saved settings of the rule against the ledger, which told everybody of each."""

import json
from collections.abc import Iterator

from sqlmodel import Session, col, select

from app.accounts import chapters, saved, seasoning
from app.accounts.models import RuleStep
from app.consensus.schemas import name_chapter
from app.ledger.models import EntryKind, LedgerEntry


def check_rule_changes(session: Session) -> Iterator[str]:
    """Every fault, in words: a saved setting is what its entry says, and each entry by moderators is of one.

    Nothing is written.
    """
    bodies = session.exec(
        select(LedgerEntry.body).where(LedgerEntry.kind == EntryKind.RULE).order_by(col(LedgerEntry.sequence))
    )
    told = {body["sequence"]: body for body in map(json.loads, bodies) if body["basis"] == "moderators"}
    confirmed = [row for row in saved.list_ends(session) if row.kind == RuleStep.CONFIRMED]
    slugs = chapters.slugs_by_id(session)
    for row in confirmed:
        proposal = saved.find_proposal(session, row.proposal_id or 0)
        if proposal is None or proposal.actor_id == row.actor_id:
            yield f"change {row.id} of the rule was not proposed by one and confirmed by another"
            continue
        if (proposal.setting, proposal.value) != (row.setting, row.value):
            yield f"change {row.id} of the rule is not what was proposed"
        entry = told.pop(row.entry or 0, None)
        if entry is None:
            yield f"change {row.id} of the rule is not in the ledger"
            continue
        wanted = {
            "value": row.value,
            "reason": proposal.reason,
            "by": [name_chapter(chapter_id, slugs) for chapter_id in (proposal.chapter_id, row.chapter_id)],
        }
        if wanted != {"value": _value(entry, row.setting), "reason": entry["reason"], "by": entry["by"]}:
            yield f"entry {row.entry} of the ledger tells something else than change {row.id} of the rule"
    for sequence in told:
        yield f"entry {sequence} of the ledger tells of a change of the rule that is not here"
    if [row.entry for row in confirmed] != sorted(row.entry or 0 for row in confirmed):
        yield "the changes of the rule are not in the order of the ledger"


def _value(entry: dict[str, dict[str, int | None]], setting: str) -> int | None:
    """What an entry says of a setting."""
    if setting in seasoning.SETTINGS:
        return (entry["seasoning"] or {}).get(seasoning.SETTINGS[setting])
    return entry["rule"].get(setting)
