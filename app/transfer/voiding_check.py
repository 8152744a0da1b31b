"""Check whose votes are void against the ledger, which told everybody of each."""

import json
from collections.abc import Iterator

from sqlmodel import Session, col, select

from app.accounts import chapters
from app.accounts.models import User
from app.consensus import voided
from app.consensus.models import Voiding
from app.consensus.schemas import name_chapter
from app.consensus.voiding import LASTS
from app.ledger.canonical import moment
from app.ledger.models import EntryKind, LedgerEntry

_KINDS = {True: EntryKind.VOIDED, False: EntryKind.GIVEN_BACK}


def check_voidings(session: Session) -> Iterator[str]:
    """Every fault, in words: two moderators each time, what their entry says, and no entry or void votes besides.

    Nothing is written.
    """
    bodies = session.exec(select(LedgerEntry.body).where(col(LedgerEntry.kind).in_(_KINDS.values())))
    told = {body["sequence"]: body for body in map(json.loads, bodies)}
    rows = session.exec(select(Voiding).order_by(col(Voiding.id))).all()
    asked = {row.id: row for row in rows if row.asked_id is None}
    slugs = chapters.slugs_by_id(session)
    for row in rows:
        if row.asked_id is None:
            continue
        first = asked.get(row.asked_id)
        if first is None or first.actor_id == row.actor_id:
            yield f"voiding {row.id} was not asked for by one and confirmed by another"
            continue
        if (first.member_id, first.voids) != (row.member_id, row.voids):
            yield f"voiding {row.id} is not what was asked for"
        if row.member_id in (first.actor_id, row.actor_id) or not first.at <= row.at < first.at + LASTS:
            yield f"voiding {row.id} was confirmed too late or too early, or by the member whom it is about"
        entry = told.pop(row.entry or 0, None)
        by = [name_chapter(it.chapter_id, slugs) for it in (first, row)]
        wanted = (_KINDS[row.voids], first.reason, by, moment(row.at))
        if entry is None or wanted != (entry["kind"], entry["reason"], entry["by"], entry["at"]):
            yield f"voiding {row.id} is not in the ledger as it was confirmed"
    for sequence in told:
        yield f"entry {sequence} of the ledger tells of votes whose voiding is not here"
    timeline = voided.read_timeline(session)
    for user in session.exec(select(User).where(col(User.is_void) | col(User.id).in_(list(timeline)))):
        if user.is_void != voided.is_void(timeline, user.id, None) or (user.id in timeline and user.voided_at is None):
            yield f"whether the votes of member {user.id} are void is not what was confirmed"
