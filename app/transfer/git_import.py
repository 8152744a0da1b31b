"""Write what a git history holds into the database: pages, revisions, drafts. Can be stopped and repeated."""

import itertools
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals.models import ApprovalKind
from app.consensus import ledger
from app.database import Database
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftKind, DraftState
from app.errors import Refused
from app.ledger.models import EntryKind
from app.pages import service as pages
from app.pages.models import Page
from app.pages.slugs import slug_of
from app.pages.text import Text
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.transfer.git_history import Progress
from app.transfer.git_plan import ImportPlan, PlannedDraft, PlannedPage, PlannedRevision
from app.transfer.git_planning import plan_import
from app.transfer.git_repository import open_repository

CHUNK = 200
"""Revisions saved in one transaction: a server beside the import waits no longer than that."""


@dataclass(slots=True)
class ImportReport:
    """What an import did, and what it left out by name."""

    plan: ImportPlan
    pages: int = 0
    revisions: int = 0
    forks: int = 0
    approved: int = 0
    known: int = 0
    kept_local: list[str] = field(default_factory=list)
    """Pages edited here since an earlier import; what is new in git stands in a closed draft beside them."""

    refused: list[str] = field(default_factory=list)
    """Pages that cannot be had here at all, such as those whose names mix alphabets in one word."""

    def to_json(self) -> dict[str, Any]:
        """Counts, and everything left out by name."""
        return {
            "branch": self.plan.branch,
            "proposals": self.plan.proposals,
            "unmerged": self.plan.unmerged,
            "pages": self.pages,
            "revisions": self.revisions,
            "forks": self.forks,
            "approved": self.approved,
            "already_here": self.known,
            "skipped": [asdict(entry) for entry in self.plan.skipped],
            "left_out": [asdict(entry) for entry in self.plan.left_out],
            "kept_local": self.kept_local,
            "refused": self.refused,
            "other_addresses": dict(self.plan.clashing_slugs),
        }

    def in_words(self) -> str:
        """The report for a person."""
        lines = [
            f"Imported {self.pages} pages, {self.revisions} revisions and {self.forks} forks from {self.plan.branch}; "
            f"{self.approved} texts are approved now, {self.known} revisions were here already.",
            f"Of {self.plan.proposals} proposals {self.plan.unmerged} were never merged; these became the forks.",
        ]
        lines += [f"Skipped {entry.path} at {entry.commit[:10]}: {entry.reason}" for entry in self.plan.skipped]
        lines += [
            f"Left out {entry.path}{f' of {entry.ref}' if entry.ref else ''}: {entry.reason}"
            for entry in self.plan.left_out
        ]
        lines += [
            f"{slug} was edited here; what is new in git stands beside it as a closed draft."
            for slug in self.kept_local
        ]
        return "\n".join(lines)


def import_git(
    database: Database,
    path: Path,
    *,
    drafts_glob: str | None = None,
    approve: bool = False,
    progress: Progress = lambda done, total, what: None,
) -> ImportReport:
    """Import the repository or bundle at `path`; what an earlier run saved is left as it is.

    With `approve`, what stands on the main branch becomes the approved text of pages that never had one.
    """
    with open_repository(path, progress=progress) as repository:
        history = repository.history(drafts=drafts_glob, progress=progress)
        plan = plan_import(
            history, text_of=repository.text_of, slug_of=slug_of, now=database.clock(), progress=progress
        )
        report = ImportReport(plan)
        total = sum(len(page.revisions) for page in plan.pages)
        for planned in plan.pages:
            page = _PageImport(database, planned, repository.text_of, report)
            try:
                page.run(lambda: progress(report.revisions + report.known, total, "saving revisions"))
            except Refused as error:
                report.refused.append(f"{planned.path}: {error.detail}")
                continue
            if approve:
                _approve(database, planned, report)
    return report


class _PageImport:
    """One page on its way in: which planned keys have which rows."""

    def __init__(
        self, database: Database, planned: PlannedPage, text_of: Callable[[str], Text], report: ImportReport
    ) -> None:
        self._database = database
        self._planned = planned
        self._text_of = text_of
        self._report = report
        self._plans = {draft.key: draft for draft in planned.drafts}
        self._former_key: str | None = None
        self._revision_ids: dict[str, int] = {}
        self._draft_ids: dict[str, int] = {}
        self._new: set[int] = set()

    def run(self, tick: Callable[[], None]) -> None:
        """Save the page, then its revisions in chunks, then the drafts that add no revision of their own."""
        with self._database.transaction(writing=True) as session:
            page_id = self._open_page(session)
        for start in range(0, len(self._planned.revisions), CHUNK):
            with self._database.transaction(writing=True) as session:
                page = pages.lock_page(session, page_id)
                for planned in self._planned.revisions[start : start + CHUNK]:
                    self._save_revision(session, page, planned)
                    tick()
        with self._database.transaction(writing=True) as session:
            page = pages.lock_page(session, page_id)
            for draft in self._planned.drafts:
                self._finish_draft(session, page, draft)

    def _open_page(self, session: Session) -> int:
        page = session.exec(select(Page).where(col(Page.import_key).in_(self._planned.origins))).first()
        if page is None:
            page = pages.add_page(
                session,
                self._planned.title[: pages.MAX_TITLE],
                slug=_unused_slug(session, self._planned.slug),
                at=self._planned.at,
                import_key=self._planned.key,
            )
            self._report.pages += 1
            record(session, Kind.PAGE_CREATED, None, page_id=page.id, subject_id=page.id, data={"title": page.title})
        self._former_key = page.import_key
        for former in self._planned.former_slugs:
            pages.add_redirect(session, page, former)
        shared = self._planned.drafts[0]
        if self._known_draft(session, shared.key) is None:
            draft = self._add_draft(session, page, shared)
            if shared.head is None:
                self._add_empty_revision(session, draft, shared)
        return page.id

    def _add_empty_revision(self, session: Session, draft: Draft, planned: PlannedDraft) -> None:
        """A page that only a proposal has begins with no words, so that the proposal has something to differ from."""
        empty = revisions.append(
            session, page_id=draft.page_id, draft_id=draft.id, text=Text(""), author_id=None, at=planned.at
        )
        draft.head_id = empty.id
        session.add(draft)

    def _save_revision(self, session: Session, page: Page, planned: PlannedRevision) -> None:
        known = session.exec(select(Revision.id).where(Revision.import_key == planned.key)).first()
        if known is not None:
            self._revision_ids[planned.key] = known
            self._report.known += 1
            return
        draft = self._draft_for(session, page, planned)
        parents = [self._revision_ids[key] for key in planned.parents]
        if not parents and draft.head_id is not None:
            parents = [draft.head_id]
        revision = revisions.append(
            session,
            page_id=page.id,
            draft_id=draft.id,
            text=self._text_of(planned.blob),
            author_id=accounts.author_named(session, planned.author).id,
            summary=planned.summary,
            first_parent_id=parents[0] if parents else None,
            second_parent_id=parents[1] if len(parents) > 1 else None,
            at=planned.at,
            import_key=planned.key,
        )
        draft.head_id = revision.id
        session.add(draft)
        session.flush()
        self._revision_ids[planned.key] = revision.id
        self._report.revisions += 1

    def _draft_for(self, session: Session, page: Page, planned: PlannedRevision) -> Draft:
        """The draft the revision belongs to; a closed one beside it where its place in the line is taken here."""
        draft = self._known_draft(session, planned.draft) or self._add_draft(session, page, self._plans[planned.draft])
        parent = self._revision_ids[planned.parents[0]] if planned.parents else None
        if draft.head_id in (None, parent) or parent is None:
            return draft
        if page.slug not in self._report.kept_local:
            self._report.kept_local.append(page.slug)
        beside = self._known_draft(session, f"{planned.draft}:beside")
        if beside is None:
            beside = drafts.add_draft(
                session,
                page,
                kind=DraftKind.FORK,
                name=draft.name,
                owner_id=draft.owner_id,
                base_id=parent,
                import_key=f"{planned.draft}:beside",
            )
            drafts.close(session, beside, DraftState.CLOSED)
        return beside

    def _stored_key(self, key: str) -> str:
        """The draft's key as saved: a page that main took over from a proposal keeps the key it came in with."""
        ending = f":{self._planned.key.removeprefix('git:')}"
        if self._former_key is None or not key.endswith(ending):
            return key
        return f"{key.removesuffix(ending)}:{self._former_key.removeprefix('git:')}"

    def _known_draft(self, session: Session, key: str) -> Draft | None:
        if key in self._draft_ids:
            return drafts.get_draft(session, self._draft_ids[key])
        draft = session.exec(select(Draft).where(Draft.import_key == self._stored_key(key))).first()
        if draft is not None:
            self._draft_ids[key] = draft.id
        return draft

    def _add_draft(self, session: Session, page: Page, planned: PlannedDraft) -> Draft:
        base_id = self._revision_ids[planned.base] if planned.base is not None else None
        if base_id is None and planned.kind == "fork":
            base_id = drafts.get_shared(session, page.id).head_id
        draft = drafts.add_draft(
            session,
            page,
            kind=DraftKind.SHARED if planned.kind == "shared" else DraftKind.FORK,
            name=planned.name or page.title,
            owner_id=accounts.author_named(session, planned.owner).id if planned.owner else None,
            base_id=base_id,
            at=planned.at,
            import_key=self._stored_key(planned.key),
        )
        self._draft_ids[planned.key] = draft.id
        self._new.add(draft.id)
        return draft

    def _finish_draft(self, session: Session, page: Page, planned: PlannedDraft) -> None:
        draft = self._known_draft(session, planned.key)
        if draft is None:
            draft = self._add_draft(session, page, planned)
            draft.head_id = self._revision_ids[planned.head] if planned.head else draft.base_id
        if planned.state == "closed" and draft.state == DraftState.OPEN:
            drafts.close(session, draft, DraftState.CLOSED)
        session.add(draft)
        session.flush()
        if draft.id not in self._new:
            return
        if planned.kind == "fork":
            self._report.forks += 1
            record(session, Kind.DRAFT_FORKED, None, page_id=page.id, subject_id=draft.id, data={"head": draft.head_id})
        elif planned.kind == "shared":
            record(
                session, Kind.REVISION_SAVED, None, page_id=page.id, subject_id=draft.head_id, data={"draft": draft.id}
            )


def _approve(database: Database, planned: PlannedPage, report: ImportReport) -> None:
    """Approve what stands on the main branch, where nothing was ever approved and there is a text to approve."""
    if planned.drafts[0].head is None:
        return
    with database.transaction(writing=True) as session:
        head = session.exec(select(Revision).where(Revision.import_key == planned.drafts[0].head)).one()
        page = pages.lock_page(session, head.page_id)
        if approvals.find_current(session, head.page_id) is not None:
            return
        approval = approvals.approve(session, head, kind=ApprovalKind.IMPORTED, basis="import")
        report.approved += 1
        ledger.append(
            session, EntryKind.IMPORTED, page, at=approval.at, text=head.sha256, basis="import", approval_id=approval.id
        )
        record(
            session,
            Kind.PAGE_PROMOTED,
            None,
            page_id=head.page_id,
            subject_id=head.id,
            data={"approval": approval.id, "sha256": head.sha256},
        )


def _unused_slug(session: Session, slug: str) -> str:
    """The address, or the first of `-2`, `-3` … that leads nowhere yet."""
    return next(
        free
        for free in itertools.chain([slug], (f"{slug}-{number}" for number in itertools.count(2)))
        if pages.find_page(session, free) is None
    )
