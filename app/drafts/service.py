"""Drafts: save an edit, fork, withdraw and reopen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.database import now
from app.drafts.models import Autosave, Draft, DraftKind, DraftState
from app.errors import Conflict, NotFound, Refused
from app.pages import service as pages
from app.pages.models import Page
from app.pages.text import Text, clean_line, normalise
from app.permissions import Action, Actor, require
from app.revisions import service as revisions
from app.revisions.merge import Conflict as Clash
from app.revisions.merge import merge
from app.revisions.models import Revision
from app.revisions.segments import require_few_blocks
from app.words import N_, _

MAX_NAME = 120


class DraftNotFound(NotFound):
    slug = "draft-not-found"
    title = N_("There is no such draft")


class DraftClosed(Conflict):
    slug = "draft-closed"
    title = N_("This draft is closed")


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
    checked = check_text(text)
    page = pages.add_page(session, title, slug=slug, tags=tags)
    draft = add_draft(session, page, kind=DraftKind.SHARED, name=page.title, owner_id=None)
    revision = append(session, draft, checked, author_id=actor.id, summary=summary)
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
        raise DraftNotFound(_("There is no such draft. Open the page to see its drafts."))
    return draft


def get_many(session: Session, ids: Iterable[int]) -> dict[int, Draft]:
    """The drafts behind ids."""
    return {draft.id: draft for draft in session.exec(select(Draft).where(col(Draft.id).in_(set(ids))))}


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
    session: Session,
    page_id: int,
    *,
    kind: DraftKind | None = None,
    state: DraftState | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[Draft]:
    """The page's drafts, of one kind and state if these are given, newest first; the shared one is the last."""
    query = select(Draft).where(Draft.page_id == page_id)
    if kind is not None:
        query = query.where(Draft.kind == kind)
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
    fork of their own. Either way it is sent, so what was autosaved of it goes.
    """
    checked = check_text(text)
    draft, actor = get_draft_to_edit(session, actor, draft_id)
    base, head = get_base(session, draft, base_id), revisions.get(session, head_of(draft))
    accounts.touch(session, actor)
    delete_autosave(session, actor.id, draft.id)
    merged = merge(revisions.text_of(session, base), ours=checked, theirs=revisions.text_of(session, head))
    if merged.text is None or draft.state != DraftState.OPEN:
        kept = fork(session, actor, base.id, text=checked, summary=summary, name=f"Kept aside: {draft.name}")
        return KeptAside(kept, base, revisions.get(session, head_of(kept)), head, merged.conflicts)
    if merged.text == revisions.text_of(session, head):
        return Saved(head, merged=head.id != base.id)
    revision = append(session, draft, Text(merged.text), author_id=actor.id, summary=summary)
    record(session, Kind.REVISION_SAVED, actor, page_id=draft.page_id, subject_id=revision.id, data={"draft": draft.id})
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
    checked = check_text(text) if text is not None else None
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
        append(session, draft, checked, author_id=actor.id, summary=summary)
    record(session, Kind.DRAFT_FORKED, actor, page_id=page.id, subject_id=draft.id, data={"head": draft.head_id})
    return draft


def default_fork_origin(session: Session, page: Page) -> int:
    """Where a fork starts when nobody says: the approved text, else the shared head."""
    approved = approvals.find_current(session, page.id)
    return approved.revision_id if approved else head_of(get_shared(session, page.id))


def choose_fork_origin(session: Session, page: Page, from_id: int | None) -> int:
    """Where a fork of this page starts: the revision asked for, if it is one of the page's, else the usual one."""
    if from_id is None:
        return default_fork_origin(session, page)
    origin = revisions.get_many(session, [from_id]).get(from_id)
    if origin is None or origin.page_id != page.id:
        raise Refused(
            _("“{title}” has no such version to fork from. Look at its history.").format(title=page.title),
            pointer="/from",
        )
    return from_id


def withdraw(session: Session, actor: Actor | None, draft_id: int, *, joined_into: int | None = None) -> Draft:
    """Take a fork back. Its text stays readable and it can be reopened.

    `joined_into` names the draft that its words went into, if that is why.
    """
    draft = _get_fork_to_manage(session, actor, draft_id)
    if draft.state != DraftState.OPEN:
        raise DraftClosed(_("This draft is not open, so it cannot be withdrawn."))
    data = {} if joined_into is None else {"joined_into": joined_into}
    return _set_state(session, actor, draft, DraftState.WITHDRAWN, Kind.DRAFT_WITHDRAWN, data)


def reopen(session: Session, actor: Actor | None, draft_id: int) -> Draft:
    """Open a withdrawn fork again."""
    draft = _get_fork_to_manage(session, actor, draft_id)
    if draft.state != DraftState.WITHDRAWN:
        raise DraftClosed(_("Only a withdrawn draft can be reopened. Fork its text to go on from there."))
    return _set_state(session, actor, draft, DraftState.OPEN, Kind.DRAFT_UPDATED)


def list_owned(session: Session, owner_id: int, *, before: int | None = None, limit: int) -> Sequence[Draft]:
    """A member's own forks, newest first; those older than `before` if one is named."""
    query = select(Draft).where(Draft.owner_id == owner_id).order_by(col(Draft.id).desc()).limit(limit)
    return session.exec(query if before is None else query.where(col(Draft.id) < before)).all()


def list_sent(session: Session, author_id: int, *, limit: int = 10) -> Sequence[Revision]:
    """What a member saved in shared drafts, newest first."""
    query = (
        select(Revision)
        .join(Draft, col(Draft.id) == Revision.draft_id)
        .where(Revision.author_id == author_id, Draft.kind == DraftKind.SHARED)
        .order_by(col(Revision.id).desc())
        .limit(limit)
    )
    return session.exec(query).all()


def close(session: Session, draft: Draft, state: DraftState) -> None:
    """End a draft without anybody's asking: its head was approved, or an imported line is history."""
    draft.state = state
    session.add(draft)


def head_of(draft: Draft) -> int:
    """The id of the draft's newest revision; every saved draft has one."""
    if draft.head_id is None:
        raise DraftNotFound(_("This draft has no text yet."))
    return draft.head_id


def check_text(text: str) -> Text:
    """The text as it will be saved; raises `Refused` where it cannot be."""
    checked = normalise(text)
    require_few_blocks(checked)
    return checked


def delete_autosave(session: Session, member_id: int, draft_id: int) -> None:
    """Forget what the member typed into the draft's editor and had not sent, if there is anything."""
    session.exec(delete(Autosave).where(col(Autosave.member_id) == member_id, col(Autosave.draft_id) == draft_id))


def get_base(session: Session, draft: Draft, base_id: int) -> Revision:
    """The revision that a text for this draft started from; raises `Refused` if it is none of the draft's page."""
    base = revisions.get_many(session, [base_id]).get(base_id)
    if base is None or base.page_id != draft.page_id:
        raise Refused(
            _("The base is no version of this page. Open the editor again; your text is kept."), pointer="/base"
        )
    return base


def append(
    session: Session,
    draft: Draft,
    text: Text,
    *,
    author_id: int | None,
    summary: str,
    first_parent_id: int | None = None,
    second_parent_id: int | None = None,
) -> Revision:
    """A revision at the end of the draft's line, whose head moves to it. The caller holds the page's lock."""
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


def _set_state(
    session: Session,
    actor: Actor | None,
    draft: Draft,
    state: DraftState,
    kind: Kind,
    data: dict[str, Any] | None = None,
) -> Draft:
    draft.state = state
    session.add(draft)
    record(session, kind, actor, page_id=draft.page_id, subject_id=draft.id, data=data)
    return draft
