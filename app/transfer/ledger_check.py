"""Check the stored ledger against itself, against its signatures and against the approvals it tells of."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlmodel import Session, col, select

from app.approvals.models import Approval
from app.consensus.ledger import BEFORE
from app.consensus.schemas import TallyOut
from app.consensus.tallies import Count
from app.ledger import service
from app.ledger.canonical import encode, moment
from app.ledger.merkle import Frontier, leaf_hash
from app.ledger.models import Checkpoint, EntryKind, LedgerEntry
from app.ledger.notes import BadNote, Statement
from app.revisions.models import Revision

BATCH = 500


def check_ledger(session: Session) -> Iterator[str]:
    """Every fault of entries and checkpoints, in words; nothing is written."""
    tree, before, key = Frontier(), None, service.read_key(session)
    while batch := service.list_after(session, tree.size, limit=BATCH):
        covered = col(Checkpoint.size).between(batch[0].sequence, batch[-1].sequence)
        signed = {row.size: row for row in session.exec(select(Checkpoint).where(covered))}
        for entry in batch:
            yield from _check_entry(entry, before, tree.size + 1)
            tree = tree.append(leaf_hash(entry.body.encode()))
            yield from _check_checkpoint(signed.get(entry.sequence), tree, moment(entry.at))
            before = entry
        if before is None or before.sequence != tree.size:
            return  # a gap was named; what follows cannot be placed
    newest = service.find_checkpoint(session)
    if newest is not None and newest.size != tree.size:
        yield f"the newest checkpoint covers {newest.size} entries, but there are {tree.size}"
    elif newest is not None:
        try:
            if key is None:
                raise BadNote("the key is not here")
            key.verifier.open(newest.note)
        except BadNote as error:
            yield f"the newest checkpoint is not signed as it should be: {error}"


def check_approvals(session: Session, page_id: int) -> Iterator[str]:
    """Each approval of the page has one entry, which tells of its text."""
    rows = session.exec(
        select(Approval, Revision.sha256, LedgerEntry)
        .join(Revision, col(Revision.id) == Approval.revision_id)
        .outerjoin(LedgerEntry, col(LedgerEntry.approval_id) == Approval.id)
        .where(Approval.page_id == page_id)
        .order_by(col(Approval.id))
    )
    for approval, sha256, entry in rows:
        if entry is None:
            yield f"approval {approval.id} is not in the ledger"
            continue
        told = json.loads(entry.body)
        # What was approved before the ledger began was entered as imported, whatever it was.
        kinds = (approval.kind, EntryKind.IMPORTED) if told["basis"] == BEFORE else (approval.kind,)
        if entry.page_id != page_id or entry.kind not in kinds or told["text"] != sha256:
            yield f"entry {entry.sequence} of the ledger tells something else than approval {approval.id}"


def tallies_agree(session: Session, approval: Approval, counts: Sequence[Count], slugs: dict[int, str]) -> bool:
    """Whether the approval's entry has one of these counts of votes; also true where an entry never had any."""
    entry = session.exec(select(LedgerEntry).where(LedgerEntry.approval_id == approval.id)).first()
    told = json.loads(entry.body)["tallies"] if entry else []
    return not told or told in [[_line(TallyOut.of(line, slugs)) for line in count.chapters] for count in counts]


def _line(line: TallyOut) -> dict[str, Any]:
    return line.model_dump(by_alias=True, include={"chapter", "members", "support", "oppose", "passes"})


def _check_entry(entry: LedgerEntry, before: LedgerEntry | None, place: int) -> Iterator[str]:
    if entry.sequence != place:
        yield f"entry {entry.sequence} of the ledger stands where {place} comes next"
        return
    try:
        body = json.loads(entry.body)
        whole = encode(body) == entry.body
    except (ValueError, TypeError):
        yield f"entry {place} of the ledger cannot be read"
        return
    told = tuple(body.get(name) for name in ("sequence", "kind", "page_id", "at"))
    if not whole or told != (entry.sequence, entry.kind, entry.page_id, moment(entry.at)):
        yield f"entry {place} of the ledger is not written as entries are"
    if leaf_hash(entry.body.encode()).hex() != entry.leaf:
        yield f"entry {place} of the ledger was changed after it was hashed"
    if body.get("previous") != (before.leaf if before else None):
        yield f"entry {place} of the ledger does not follow on the one before"
    if before is not None and entry.at < before.at:
        yield f"entry {place} of the ledger is dated before the one it follows"


def _check_checkpoint(found: Checkpoint | None, tree: Frontier, at: str) -> Iterator[str]:
    if found is None:
        yield f"there is no checkpoint over the first {tree.size} entries of the ledger"
        return
    try:
        said = Statement.from_text(found.note.rpartition("\n\n")[0] + "\n")
    except BadNote as error:
        yield f"the checkpoint over {tree.size} entries cannot be read: {error}"
        return
    stored = (said.size, said.root, said.at, found.root, found.frontier)
    if stored != (tree.size, tree.root, at, tree.root.hex(), tree.to_text()):
        yield f"the checkpoint over {tree.size} entries is not of the entries that are here"
