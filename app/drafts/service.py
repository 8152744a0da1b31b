"""Drafts: save an edit, fork, bring newer approved text in, withdraw and reopen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.database import now
from app.drafts.models import Draft, DraftKind, DraftState
from app.errors import Conflict, NotFound, Refused
from app.pages import service as pages
from app.pages.models import Page
from app.pages.text import Text, clean_line, normalise
from app.permissions import Action, Actor, require
from app.revisions import service as revisions
from app.revisions.segments import require_few_blocks
from app.revisions.ancestry import Ancestry
from app.revisions.merge import Conflict as Clash
from app.revisions.merge import merge
from app.revisions.models import Revision

MAX_NAME = 120


class DraftNotFound(NotFound):
    slug = "draft-not-found"
    title = "There is no such draft"


class DraftClosed(Conflict):
    slug = "draft-closed"
    title = "This draft is closed"


@dataclass(frozen=True, slots=True)
class Saved:
    """The edit is in the draft's line; `merged` if it was joined with what others had saved meanwhile."""

    revision: Revision
    merged: bool


@dataclass(frozen=True, slots=True)
class KeptAside:
    """The edit clashes with what was saved meanwhile, so the author's text became a fork of their own."""

    draft: Draft
    base: Revision
    ours: Revision
    theirs: Revision
    conflicts: tuple[Clash, ...]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Bringing the approved text in needs a person's choice for each of these; nothing was written."""

    base: Revision | None
    ours: Revision
    theirs: Revision
    conflicts: tuple[Clash, ...]


def create_page(
    session: Session,
    actor: Actor | None,
    *,
    title: str,
    text: str,
    slug: str | None = None,
    summary: str = "",
    tags: Iterable[str] = (),
) -> Page:
    """A new page with its shared draft and first revision."""
    actor = require(actor, Action.CREATE_PAGE)
    checked = _check(text)
    page = pages.add_page(session, title, slug=slug, tags=tags)
    draft = add_draft(session, page, kind=DraftKind.SHARED, name=page.title, owner_id=None)
    revision = _append(session, draft, checked, author_id=actor.id, summary=summary)
    accounts.touch(session, actor)
    record(session, Kind.PAGE_CREATED, actor, page_id=page.id, subject_id=page.id, data={"title": page.title})
    record(session, Kind.REVISION_SAVED, actor, page_id=page.id, subject_id=revision.id, data={"draft": draft.id})
    return page


def add_draft(
    session: Session,
    page: Page,
    *,
    kind: DraftKind,
    name: str,
    owner_id: int | None,
    base_id: int | None = None,
    head_id: int | None = None,
    at: datetime | None = None,
    import_key: str | None = None,
) -> Draft:
    """A new open draft of the page."""
    draft = Draft(
        page_id=page.id,
        name=clean_line(name, pointer="/name", max_length=MAX_NAME),
        kind=kind,
        owner_id=owner_id,
        base_id=base_id,
        head_id=head_id if head_id is not None else base_id,
        created_at=at or now(session),
        import_key=import_key,
    )
    session.add(draft)
    session.flush()
    return draft


def get_draft(session: Session, draft_id: int) -> Draft:
    """The draft with this id."""
    draft = session.get(Draft, draft_id)
    if draft is None:
        raise DraftNotFound("There is no such draft. Open the page to see its drafts.")
    return draft


def get_shared(session: Session, page_id: int) -> Draft:
    """The page's shared draft."""
    return session.exec(select(Draft).where(Draft.page_id == page_id, Draft.kind == DraftKind.SHARED)).one()


def shared_by_page(session: Session, page_ids: Iterable[int]) -> dict[int, Draft]:
    """The shared drafts of pages."""
    query = select(Draft).where(col(Draft.page_id).in_(list(page_ids)), Draft.kind == DraftKind.SHARED)
    return {draft.page_id: draft for draft in session.exec(query)}


def count_open_forks(session: Session, page_ids: Iterable[int]) -> dict[int, int]:
    """How many open forks each page has."""
    rows = session.exec(
        select(Draft.page_id, func.count())
        .where(col(Draft.page_id).in_(list(page_ids)), Draft.kind == DraftKind.FORK, Draft.state == DraftState.OPEN)
        .group_by(col(Draft.page_id))
    )
    return {page_id: count for page_id, count in rows}


def list_drafts(
    session: Session, page_id: int, *, state: DraftState | None = None, before: int | None = None, limit: int = 50
) -> Sequence[Draft]:
    """The page's drafts, newest first; the shared one is the last."""
    query = select(Draft).where(Draft.page_id == page_id)
    if state is not None:
        query = query.where(Draft.state == state)
    if before is not None:
        query = query.where(col(Draft.id) < before)
    return session.exec(query.order_by(col(Draft.id).desc()).limit(limit)).all()


def get_draft_to_edit(session: Session, actor: Actor | None, draft_id: int) -> tuple[Draft, Actor]:
    """The draft, if the actor may edit it, with its page locked until the transaction ends."""
    draft = get_draft(session, draft_id)
    actor = require(actor, Action.EDIT_DRAFT, draft)
    pages.lock_page(session, draft.page_id)
    session.refresh(draft)
    return draft, actor


def save_edit(
    session: Session, actor: Actor | None, draft_id: int, *, base_id: int, text: str, summary: str = ""
) -> Saved | KeptAside:
    """Append a revision to a draft, merged with what was saved since the author opened the editor.

    Where the two clash, or the draft was closed meanwhile, nothing is overwritten: the author's text is kept as a
    fork of their own.
    """
    checked = _check(text)
    draft, actor = get_draft_to_edit(session, actor, draft_id)
    base, head = _get_base(session, draft, base_id), revisions.get(session, head_of(draft))
    accounts.touch(session, actor)
    merged = merge(
        revisions.text_of(session, base), ours=checked, theirs=revisions.text_of(session, head)
    )
    if merged.text is None or draft.state != DraftState.OPEN:
        kept = fork(session, actor, base.id, text=checked, summary=summary, name=f"Kept aside: {draft.name}")
        return KeptAside(kept, base, revisions.get(session, head_of(kept)), head, merged.conflicts)
    if merged.text == revisions.text_of(session, head):
        return Saved(head, merged=head.id != base.id)
    revision = _append(session, draft, Text(merged.text), author_id=actor.id, summary=summary)
    record(
        session, Kind.REVISION_SAVED, actor, page_id=draft.page_id, subject_id=revision.id, data={"draft": draft.id}
    )
    return Saved(revision, merged=head.id != base.id)


def fork(
    session: Session,
    actor: Actor | None,
    from_id: int,
    *,
    name: str = "",
    text: str | None = None,
    summary: str = "",
    owner_id: int | None = None,
) -> Draft:
    """Open a draft of the actor's own from any revision, with a first text of its own where one is given."""
    actor = require(actor, Action.FORK)
    origin = revisions.get(session, from_id)
    page = pages.lock_page(session, origin.page_id)
    checked = _check(text) if text is not None else None
    draft = add_draft(
        session,
        page,
        kind=DraftKind.FORK,
        name=name or f"{actor.name}’s draft",
        owner_id=owner_id or actor.id,
        base_id=origin.id,
    )
    accounts.touch(session, actor)
    if checked is not None and checked != revisions.text_of(session, origin):
        _append(session, draft, checked, author_id=actor.id, summary=summary)
    record(session, Kind.DRAFT_FORKED, actor, page_id=page.id, subject_id=draft.id, data={"head": draft.head_id})
    return draft


def default_fork_origin(session: Session, page: Page) -> int:
    """Where a fork starts when nobody says: the approved text, else the shared head."""
    approved = approvals.find_current(session, page.id)
    return approved.revision_id if approved else head_of(get_shared(session, page.id))


def update_from_approved(
    session: Session, actor: Actor | None, draft_id: int, *, resolutions: Sequence[str] = ()
) -> Saved | Unresolved:
    """Bring the approved text into a draft as a merge revision; a clash needs a resolution for each of its sentences."""
    draft, actor = get_draft_to_edit(session, actor, draft_id)
    if draft.state != DraftState.OPEN:
        raise DraftClosed("This draft is closed, so nothing can be brought into it. Fork it to go on from its text.")
    approved = approvals.find_current(session, draft.page_id)
    if approved is None:
        raise Conflict("This page has no approved text yet, so there is nothing to bring in.")
    outcome = merge_into(session, draft, revisions.get(session, approved.revision_id), resolutions, author_id=actor.id)
    if isinstance(outcome, Saved):
        accounts.touch(session, actor)
        record(
            session, Kind.DRAFT_UPDATED, actor, page_id=draft.page_id, subject_id=draft.id, data={"head": draft.head_id}
        )
    return outcome


def merge_into(
    session: Session, draft: Draft, other: Revision, resolutions: Sequence[str] = (), *, author_id: int | None
) -> Saved | Unresolved:
    """Join another revision into the draft's head, unless the head holds it already; the caller holds the page's lock."""
    head, ancestry = revisions.get(session, head_of(draft)), Ancestry(session)
    if ancestry.is_ancestor(other.id, of=head.id):
        return Saved(head, merged=False)
    base_id = ancestry.nearest_common(head.id, other.id)
    base = revisions.get(session, base_id) if base_id is not None else None
    ours, theirs = revisions.text_of(session, head), revisions.text_of(session, other)
    merged = merge(revisions.text_of(session, base) if base else "", ours=ours, theirs=theirs)
    text = merged.text if merged.text is not None or not resolutions else merged.resolve(resolutions)
    if text is None:
        return Unresolved(base, head, other, merged.conflicts)
    if text == ours:
        return Saved(head, merged=False)
    revision = _append(
        session,
        draft,
        _check(text),
        author_id=author_id,
        summary="Brought in the approved text",
        second_parent_id=other.id,
    )
    return Saved(revision, merged=True)


def take_approved_in(session: Session, page: Page, approved: Revision) -> None:
    """Let the shared draft hold what was just approved; where the two clash it stays as it is and says so."""
    shared = get_shared(session, page.id)
    outcome = merge_into(session, shared, approved, author_id=None)
    shared.clean = isinstance(outcome, Saved)
    session.add(shared)


def append_carried(
    session: Session, draft: Draft, text: Text, *, newer: Revision, first_parent_id: int
) -> Revision:
    """A revision by the system: the draft's text carried onto newer approved text. Moves the head when it stands there."""
    return _append(
        session,
        draft,
        text,
        author_id=None,
        summary="Carried forward onto the new approved text",
        first_parent_id=first_parent_id,
        second_parent_id=newer.id,
    )


def withdraw(session: Session, actor: Actor | None, draft_id: int) -> Draft:
    """Take a fork back. Its text stays readable and it can be reopened."""
    draft = _get_fork_to_manage(session, actor, draft_id)
    if draft.state != DraftState.OPEN:
        raise DraftClosed("This draft is not open, so it cannot be withdrawn.")
    return _set_state(session, actor, draft, DraftState.WITHDRAWN, Kind.DRAFT_WITHDRAWN)


def reopen(session: Session, actor: Actor | None, draft_id: int) -> Draft:
    """Open a withdrawn fork again."""
    draft = _get_fork_to_manage(session, actor, draft_id)
    if draft.state != DraftState.WITHDRAWN:
        raise DraftClosed("Only a withdrawn draft can be reopened. Fork its text to go on from there.")
    return _set_state(session, actor, draft, DraftState.OPEN, Kind.DRAFT_UPDATED)


def close(session: Session, draft: Draft, state: DraftState) -> None:
    """End a draft without anybody's asking: its head was approved, or an imported line is history."""
    draft.state = state
    session.add(draft)


def head_of(draft: Draft) -> int:
    """The id of the draft's newest revision; every saved draft has one."""
    if draft.head_id is None:
        raise DraftNotFound("This draft has no text yet.")
    return draft.head_id


def _check(text: str) -> Text:
    checked = normalise(text)
    require_few_blocks(checked)
    return checked


def _get_base(session: Session, draft: Draft, base_id: int) -> Revision:
    base = revisions.get(session, base_id)
    if base.page_id != draft.page_id:
        raise Refused("The base is a version of another page. Open the editor again; your text is kept.", pointer="/base")
    return base


def _append(
    session: Session,
    draft: Draft,
    text: Text,
    *,
    author_id: int | None,
    summary: str,
    first_parent_id: int | None = None,
    second_parent_id: int | None = None,
) -> Revision:
    revision = revisions.append(
        session,
        page_id=draft.page_id,
        draft_id=draft.id,
        text=text,
        author_id=author_id,
        summary=summary,
        first_parent_id=first_parent_id if first_parent_id is not None else draft.head_id,
        second_parent_id=second_parent_id,
    )
    draft.head_id = revision.id
    session.add(draft)
    session.flush()
    return revision


def _get_fork_to_manage(session: Session, actor: Actor | None, draft_id: int) -> Draft:
    draft = get_draft(session, draft_id)
    require(actor, Action.MANAGE_FORK, draft)
    pages.lock_page(session, draft.page_id)
    session.refresh(draft)
    return draft


def _set_state(session: Session, actor: Actor | None, draft: Draft, state: DraftState, kind: Kind) -> Draft:
    draft.state = state
    session.add(draft)
    record(session, kind, actor, page_id=draft.page_id, subject_id=draft.id)
    return draft
