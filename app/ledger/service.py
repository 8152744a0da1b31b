"""Append to the ledger, and read it."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.activity.service import wait_for_turn
from app.errors import NotFound
from app.ledger.canonical import encode, moment
from app.ledger.keys import KeyFile, NoLedgerKey
from app.ledger.merkle import Frontier, leaf_hash
from app.ledger.models import Checkpoint, EntryKind, LedgerEntry
from app.ledger.notes import BadNote, SigningKey, Statement
from app.words import N_, _

FIELDS: dict[str, Any] = {
    "page": None,
    "page_id": None,
    "text": None,
    "base": None,
    "basis": "",
    "mode": None,
    "rule": None,
    "seasoning": None,
    "electorate": None,
    "tallies": [],
    "opened_at": None,
    "passing_since": None,
    "not_before": None,
    "waits_until": None,
    "score": None,
    "to_beat": [],
    "carried_from": [],
    "reason": "",
    "until": None,
    "by": [],
    "since": None,
    "chapter": None,
}
"""What every entry has besides its sequence, time, kind and the hash of the entry before, and what stands for none."""


class NoSuchEntry(NotFound):
    slug = "no-ledger-entry"
    title = N_("The ledger has no such entry")


def add_entry(
    session: Session,
    kind: EntryKind,
    *,
    at: datetime,
    page_id: int | None = None,
    approval_id: int | None = None,
    stop_id: int | None = None,
    fields: dict[str, Any],
) -> LedgerEntry:
    """Append one entry and the signed checkpoint over all; `fields` are those of `FIELDS` that are not empty.

    The caller waited for its turn. An entry is never dated before the one it follows.
    """
    if unknown := fields.keys() - FIELDS.keys():
        raise TypeError(f"An entry has no {', '.join(sorted(unknown))}.")
    before, newest = _find_end(session)
    key = _signing_key(session, newest)
    tree = Frontier.from_text(newest.size, newest.frontier) if newest else Frontier()
    at = max(at, before.at) if before else at
    body = encode(
        {
            **FIELDS,
            **fields,
            "sequence": tree.size + 1,
            "previous": before.leaf if before else None,
            "at": moment(at),
            "kind": kind.value,
            "page_id": page_id,
        }
    )
    leaf = leaf_hash(body.encode())
    entry = LedgerEntry(
        sequence=tree.size + 1,
        kind=kind,
        page_id=page_id,
        approval_id=approval_id,
        stop_id=stop_id,
        at=at,
        body=body,
        leaf=leaf.hex(),
    )
    tree = tree.append(leaf)
    note = key.sign(Statement(key.name, tree.size, tree.root, moment(at)).to_text())
    session.add(entry)
    session.add(Checkpoint(size=tree.size, root=tree.root.hex(), frontier=tree.to_text(), note=note))
    session.flush()
    session.info["entered_position"] = entry.sequence
    return entry


def wait(session: Session) -> None:
    """Wait until no other transaction appends; the turn lasts until the commit.

    It is the turn of the activity log: a transaction that has one already never waits for the other.
    """
    wait_for_turn(session)


def count_entries(session: Session) -> int:
    """How many entries there are, which is the number of the newest."""
    return session.exec(select(func.max(LedgerEntry.sequence))).one() or 0


def find_newest(session: Session) -> LedgerEntry | None:
    """The newest entry; None in an empty ledger."""
    return session.exec(select(LedgerEntry).order_by(col(LedgerEntry.sequence).desc()).limit(1)).first()


def _find_end(session: Session) -> tuple[LedgerEntry | None, Checkpoint | None]:
    """The newest entry and the checkpoint signed with it."""
    query = select(LedgerEntry, Checkpoint).outerjoin(Checkpoint, col(Checkpoint.size) == LedgerEntry.sequence)
    found = session.exec(query.order_by(col(LedgerEntry.sequence).desc()).limit(1)).first()
    return found if found is not None else (None, None)


def find_checkpoint(session: Session) -> Checkpoint | None:
    """The newest checkpoint; None for an empty ledger."""
    return session.exec(select(Checkpoint).order_by(col(Checkpoint.size).desc()).limit(1)).first()


def get_checkpoint(session: Session) -> Checkpoint:
    """The newest checkpoint; `NoSuchEntry` while nothing is in the ledger."""
    found = find_checkpoint(session)
    if found is None:
        raise NoSuchEntry(_("Nothing is in the ledger yet: it begins with the first text that is approved."))
    return found


def get_entry(session: Session, sequence: int) -> LedgerEntry:
    """The entry with this number; `NoSuchEntry` where there is none."""
    found = session.get(LedgerEntry, sequence)
    if found is None:
        raise NoSuchEntry(
            _("The ledger has no entry {sequence}. Look at the list of all entries.").format(sequence=sequence)
        )
    return found


def list_after(session: Session, sequence: int, *, limit: int) -> Sequence[LedgerEntry]:
    """Entries after this one, oldest first."""
    query = select(LedgerEntry).where(col(LedgerEntry.sequence) > sequence)
    return session.exec(query.order_by(col(LedgerEntry.sequence)).limit(limit)).all()


def list_newest(session: Session, *, before: int | None = None, limit: int) -> Sequence[LedgerEntry]:
    """The newest entries first, those before a number where one is given."""
    query = select(LedgerEntry).order_by(col(LedgerEntry.sequence).desc()).limit(limit)
    return session.exec(query if before is None else query.where(col(LedgerEntry.sequence) < before)).all()


def list_rules(session: Session) -> list[dict[str, Any]]:
    """Every rule that was ever entered, oldest first, each with whose votes counted by it."""
    rows = session.exec(
        select(LedgerEntry.body).where(LedgerEntry.kind == EntryKind.RULE).order_by(col(LedgerEntry.sequence))
    )
    return [{name: told.get(name) for name in ("rule", "seasoning")} for told in map(json.loads, rows)]


def text_in_force(session: Session, page_id: int) -> str | None:
    """The hash of the page's text after its newest entry; None without one, or where it was withdrawn."""
    body = session.exec(
        select(LedgerEntry.body)
        .where(LedgerEntry.page_id == page_id)
        .order_by(col(LedgerEntry.sequence).desc())
        .limit(1)
    ).first()
    text: str | None = json.loads(body)["text"] if body else None
    return text


def sequences_of(session: Session, approval_ids: Iterable[int]) -> dict[int, int]:
    """The numbers of the entries about these approvals."""
    wanted = list(approval_ids)
    if not wanted:
        return {}
    rows = session.exec(
        select(LedgerEntry.approval_id, LedgerEntry.sequence).where(col(LedgerEntry.approval_id).in_(wanted))
    )
    return {approval_id: sequence for approval_id, sequence in rows if approval_id is not None}


def sequences_of_stops(session: Session, stop_ids: Iterable[int]) -> dict[int, int]:
    """The numbers of the entries about these stops."""
    wanted = list(stop_ids)
    if not wanted:
        return {}
    rows = session.exec(select(LedgerEntry.stop_id, LedgerEntry.sequence).where(col(LedgerEntry.stop_id).in_(wanted)))
    return {stop_id: sequence for stop_id, sequence in rows if stop_id is not None}


def check_key(session: Session) -> None:
    """Raise `NoLedgerKey` unless the ledger is empty or this server has the key that signed it."""
    if newest := find_checkpoint(session):
        _signing_key(session, newest)


def read_key(session: Session) -> SigningKey | None:
    """The key that signs; None where none was made yet."""
    keys: KeyFile = session.info["ledger_key"]
    return keys.read()


def _signing_key(session: Session, newest: Checkpoint | None) -> SigningKey:
    """The key of all checkpoints so far; made here for the first. `NoLedgerKey` where this server has another."""
    keys: KeyFile = session.info["ledger_key"]
    key = keys.read()
    if newest is None:
        return key or keys.make()
    if key is None:
        raise NoLedgerKey(f"The ledger was signed with a key that is not in {keys.path}. Put the file back.")
    try:
        key.verifier.open(newest.note)
    except BadNote as error:
        raise NoLedgerKey(f"The ledger was signed with another key than that in {keys.path}.") from error
    return key
