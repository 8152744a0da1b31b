"""Check everything stored against itself: texts, lines of drafts, approvals, votes, carry-forwards, the ledger."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlmodel import Session, col, select

from app.accounts import chapters
from app.accounts.models import User
from app.approvals.models import Approval, ApprovalKind
from app.consensus import candidates, carrying, voided
from app.consensus.carry import Carried
from app.consensus.models import Candidate, CandidateRevision, Value, VoteEntry
from app.consensus.tallies import Count, Counts, Electorate, count_tally
from app.database import Database
from app.drafts.models import Draft
from app.ledger import service as ledger
from app.pages.models import Page
from app.pages.text import sha256_of
from app.revisions import delta
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.models import Revision
from app.transfer.git_history import Progress
from app.transfer.ledger_check import check_approvals, check_ledger, tallies_agree
from app.transfer.rule_check import check_rule_changes
from app.transfer.voiding_check import check_voidings


@dataclass(slots=True)
class Verification:
    """What was looked at, and each fault in words."""

    pages: int = 0
    revisions: int = 0
    approvals: int = 0
    carried: int = 0
    entries: int = 0
    faults: list[str] = field(default_factory=list)

    def in_words(self) -> str:
        return (
            f"All is well: {self.pages} pages, {self.revisions} texts, {self.approvals} approvals, "
            f"{self.carried} texts carried forward, {self.entries} ledger entries."
        )


def verify_database(database: Database, progress: Progress = lambda done, total, what: None) -> Verification:
    """Rebuild every text, recount every approval and redo every carry-forward; nothing is written."""
    report = Verification()
    with database.transaction(writing=False) as session:
        listed = session.exec(select(Page).order_by(col(Page.id))).all()
        for number, page in enumerate(listed, start=1):
            report.pages += 1
            for fault in _check_page(session, page, report):
                report.faults.append(f"{page.slug}: {fault}")
            session.expunge_all()
            progress(number, len(listed), "checking pages")
        report.faults.extend(check_ledger(session))
        report.faults.extend(check_rule_changes(session))
        report.faults.extend(check_voidings(session))
        newest = ledger.find_newest(session)
        report.entries = newest.sequence if newest else 0
    return report


def _check_page(session: Session, page: Page, report: Verification) -> Iterator[str]:
    rows = session.exec(select(Revision).where(Revision.page_id == page.id).order_by(col(Revision.number))).all()
    report.revisions += len(rows)
    damaged = list(_check_texts(rows))
    yield from damaged
    yield from _check_lines(session, page, {row.id: row for row in rows})
    if damaged:
        return  # approvals and carry-forwards could only be compared with texts that are wrong
    approvals = session.exec(select(Approval).where(Approval.page_id == page.id).order_by(col(Approval.id))).all()
    report.approvals += len(approvals)
    yield from _check_approvals(session, approvals)
    yield from check_approvals(session, page.id)
    for candidate in session.exec(select(Candidate).where(Candidate.page_id == page.id)):
        yield from _check_carrying(session, candidate, approvals, report)


def _check_texts(rows: Sequence[Revision]) -> Iterator[str]:
    """Each text from the bytes stored, never from memory; a damaged one is named, not what follows from it."""
    found: dict[int, str] = {}
    for number, row in enumerate(rows, start=1):
        if row.number != number:
            yield f"revision {row.id} has number {row.number} where {number} comes next"
        parent = found.get(row.first_parent_id) if row.first_parent_id is not None else None
        if row.steps and parent is None:
            yield f"r{row.number} is a delta to a text that is missing or damaged"
            continue
        try:
            text = (
                delta.decode(parent, row.payload)
                if row.steps and parent is not None
                else delta.read_keyframe(row.payload)
            )
        except delta.CorruptDelta as error:
            yield f"r{row.number} cannot be read: {error}"
            continue
        if sha256_of(text) != row.sha256 or len(text.encode()) != row.size:
            yield f"r{row.number} rebuilds to another text than was saved"
            continue
        found[row.id] = text


def _check_lines(session: Session, page: Page, rows: dict[int, Revision]) -> Iterator[str]:
    for row in rows.values():
        for parent_id in (row.first_parent_id, row.second_parent_id):
            parent = rows.get(parent_id) if parent_id is not None else None
            if parent_id is not None and (parent is None or parent.number >= row.number):
                yield f"r{row.number} has a parent that is no earlier text of this page"
    for draft in session.exec(select(Draft).where(Draft.page_id == page.id)):
        head = rows.get(draft.head_id or 0)
        if head is None:
            yield f"draft {draft.id} has no text at its head"
        newest = max((row.number for row in rows.values() if row.draft_id == draft.id), default=0)
        if head is not None and newest > head.number:
            yield f"draft {draft.id} has a revision that its head does not know"


def _check_approvals(session: Session, approvals: Sequence[Approval]) -> Iterator[str]:
    for before, approval in pairwise([None, *approvals]):
        if approval is None:
            continue
        if approval.supersedes_id != (before.id if before else None):
            yield f"approval {approval.id} does not follow the one before it"
        by_vote = approval.kind == ApprovalKind.CORRECTED and approval.candidate_id is not None
        if approval.kind == ApprovalKind.PROMOTED or by_vote:
            yield from _check_promotion(session, approval)


def _check_promotion(session: Session, approval: Approval) -> Iterator[str]:
    candidate = session.get(Candidate, approval.candidate_id) if approval.candidate_id is not None else None
    if candidate is None or candidate.electorate is None:
        yield f"approval {approval.id} rests on no vote"
        return
    if candidate.revision_id != approval.revision_id:
        yield f"approval {approval.id} approves another text than its candidate's"
    counts = list(recounts(session, candidate, approval))
    count = counts[-1]
    if not any(each.has_enough_people and each.is_three_to_one for each in counts):
        yield f"approval {approval.id} has {count.reach} of {count.need} supporters, {count.support} to {count.oppose}"
    if not tallies_agree(session, approval, counts, chapters.slugs_by_id(session)):
        yield f"the ledger has other votes for approval {approval.id} than were cast"


def recounts(session: Session, candidate: Candidate, approval: Approval) -> Iterator[Count]:
    """The tally at the moment of the approval, from the record of every vote cast.

    More than one where votes are of the very same moment: before and after each of them, the last with all.
    """
    entries = session.exec(
        select(VoteEntry)
        .join(User, col(User.id) == VoteEntry.member_id)
        .where(VoteEntry.candidate_id == candidate.id, VoteEntry.at <= approval.at)
        .where(col(User.seasoned_at) <= approval.at)
        .order_by(col(VoteEntry.id))
    ).all()
    timeline, newest = voided.read_timeline(session), voided.seen_by(candidate)
    entries = [it for it in entries if not voided.is_void(timeline, it.member_id, newest)]
    sooner = sum(entry.at < approval.at for entry in entries)
    for end in range(sooner, len(entries) + 1):
        tally: dict[int | None, Counts] = {}
        for entry in {entry.member_id: entry for entry in entries[:end]}.values():
            if entry.value is not None:
                one = Counts(entry.value == Value.SUPPORT, entry.value == Value.OPPOSE, entry.value == Value.PASS)
                tally[entry.chapter_id] = tally.get(entry.chapter_id, Counts()) + one
        yield count_tally(tally, Electorate.from_json(candidate.electorate or {}))


def _check_carrying(
    session: Session, candidate: Candidate, approvals: Sequence[Approval], report: Verification
) -> Iterator[str]:
    rows = session.exec(
        select(CandidateRevision)
        .where(CandidateRevision.candidate_id == candidate.id)
        .order_by(col(CandidateRevision.revision_id))
    ).all()
    if not rows or rows[-1].revision_id != candidate.revision_id:
        yield f"candidate {candidate.id} does not stand on the last text it was carried to"
    for before, after in pairwise(rows):
        report.carried += 1
        if _redo(session, candidate, before, after, approvals) != revisions.text_by_id(session, after.revision_id):
            yield f"revision {after.revision_id} is not what carrying {before.revision_id} forward gives"


def _redo(
    session: Session,
    candidate: Candidate,
    before: CandidateRevision,
    after: CandidateRevision,
    approvals: Sequence[Approval],
) -> str | None:
    """The text that carrying gives today: step by step, or at once where a candidate came from elsewhere."""
    target = next(row for row in approvals if row.id == after.approval_id)
    at_opening = next((row for row in reversed(approvals) if row.at <= candidate.put_forward_at), None)
    since = before.approval_id or (at_opening.id if at_opening else 0)
    start = revisions.get(session, before.revision_id)
    if (
        before.approval_id is None
        and at_opening is not None
        and not Ancestry(session).is_ancestor(at_opening.revision_id, of=start.id)
    ):
        outcome = candidates.carry_from_elsewhere(session, start, target)
        return outcome.text if isinstance(outcome, Carried) else None
    base = next((row.revision_id for row in approvals if row.id == since), None)
    newer = [row for row in approvals if since < row.id <= target.id]
    carried = carrying.carry_over(session, start.id, base, newer)
    if not isinstance(carried, carrying.CarriedOver) and base is not None:
        # It was stale until the text that it clashed with lost its place.
        carried = carrying.carry_over(session, start.id, base, [target])
    return carried.text if isinstance(carried, carrying.CarriedOver) else None
