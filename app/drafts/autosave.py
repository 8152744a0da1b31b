"""Words that are not sent yet: kept for the member who types them, with who else is at work on the draft."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.database import now
from app.drafts import service as drafts
from app.drafts.models import Autosave, Draft
from app.errors import NotFound, Refused
from app.pages.models import Page
from app.pages.sections import Section, replace_section, sections_of
from app.pages.text import MAX_BYTES, Text
from app.permissions import Action, Actor, allows, require
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.merge import merge
from app.revisions.models import Revision
from app.words import N_, _, language

MAX_AUTOSAVED = MAX_BYTES + 32 * 1024
"""Bytes of UTF-8: more than can be saved, so that a text that must be shortened is kept until it is."""

MAX_KEY = 100
MAX_COUNTED = 50
PRESENT = timedelta(seconds=90)
MAX_OTHERS = 5
MAX_LOOKED_AT = 20
MAX_LISTED = 10

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


class NoAutosave(NotFound):
    slug = "no-autosave"
    title = N_("You have no unsent words here")


@dataclass(frozen=True, slots=True)
class Unsent:
    """A member's unsent text, and where the draft has got to since the base it started from.

    `section` is the key of the base's section that `text` stands for, heading included; empty: it is the whole text.
    `behind` counts the revisions of the draft's line after the base, up to `MAX_COUNTED`.
    """

    base_id: int
    section: str
    text: str
    saved_at: datetime
    head_id: int
    behind: int


@dataclass(frozen=True, slots=True)
class AtWork:
    """Somebody who is changing the draft just now, and the key and title of the section that they are in."""

    name: str
    section: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Resume:
    """What an editor offers on opening: always the whole text, with a section in the place it has in the base.

    `merged` has the words on top of the newest text; None where they clash or cannot be saved as they are.
    """

    unsent: Unsent
    age: timedelta
    merged: str | None


class UnsentPlace(NamedTuple):
    """Where words wait to be sent: the draft, the section's key or nothing, since when, and the page's title."""

    draft_id: int
    section: str
    updated_at: datetime
    title: str


def keep_autosave(
    session: Session, actor: Actor | None, draft_id: int, *, base_id: int, text: str, section: str = ""
) -> Unsent:
    """Keep the text, or one section's, as it was typed, in the place of what this member had unsent in this draft.

    Also for a closed draft, or one that the member may not edit: what they typed is theirs. It is no sign of life
    for the electorate. Raises `Refused` for a base of another page, a section that the base lacks, and what no
    database can keep.
    """
    actor = require(actor, Action.AUTOSAVE)
    _check_typed(text)
    draft = drafts.get_draft(session, draft_id)
    base, at = drafts.get_base(session, draft, base_id), now(session)
    if section:
        _get_section(revisions.text_of(session, base), section)
    _write(
        session,
        Autosave(member_id=actor.id, draft_id=draft.id, base_id=base.id, section=section, text=text, updated_at=at),
    )
    return _against_head(session, draft, base, section=section, text=text, saved_at=at)


def find_autosave(session: Session, actor: Actor | None, draft_id: int) -> Unsent | None:
    """The member's own unsent text of this draft."""
    actor = require(actor, Action.AUTOSAVE)
    draft = drafts.get_draft(session, draft_id)
    row = session.exec(
        select(Autosave).where(Autosave.member_id == actor.id, Autosave.draft_id == draft.id)
    ).one_or_none()
    if row is None:
        return None
    base = revisions.get(session, row.base_id)
    return _against_head(session, draft, base, section=row.section, text=row.text, saved_at=row.updated_at)


def get_autosave(session: Session, actor: Actor | None, draft_id: int) -> Unsent:
    """The member's own unsent text of this draft; raises `NoAutosave` where there is none."""
    found = find_autosave(session, actor, draft_id)
    if found is None:
        raise NoAutosave(_("You have no unsent words in this draft. What you sent is in its history."))
    return found


def drop_autosave(session: Session, actor: Actor | None, draft_id: int) -> None:
    """Throw the member's own unsent text of this draft away, if there is any."""
    actor = require(actor, Action.AUTOSAVE)
    drafts.delete_autosave(session, actor.id, drafts.get_draft(session, draft_id).id)


def others_at_work(session: Session, actor: Actor | None, draft_id: int) -> tuple[AtWork, ...]:
    """Who else autosaved a change of this draft within `PRESENT`, newest first; nobody's name for the signed-out.

    At most `MAX_OTHERS`, found among the newest `MAX_LOOKED_AT` autosaves.
    """
    if actor is None or not allows(actor, Action.AUTOSAVE):
        return ()
    rows = session.exec(
        select(Autosave)
        .where(
            Autosave.draft_id == draft_id,
            Autosave.member_id != actor.id,
            col(Autosave.updated_at) >= now(session) - PRESENT,
        )
        .order_by(col(Autosave.updated_at).desc(), col(Autosave.id).desc())
        .limit(MAX_LOOKED_AT)
    ).all()
    bases = revisions.texts_of(session, revisions.get_many(session, (row.base_id for row in rows)).values())
    changed = [(row, at) for row in rows if (at := _find_change(bases[row.base_id], row)) is not None][:MAX_OTHERS]
    names = accounts.names_of(session, (row.member_id for row, _ in changed))
    return tuple(AtWork(names[row.member_id], *at) for row, at in changed)


def present_resume(session: Session, actor: Actor | None, draft: Draft) -> Resume | None:
    """What the editor offers someone who comes back; None if nothing they typed is missing from the newest text."""
    if not allows(actor, Action.AUTOSAVE):
        return None
    unsent = find_autosave(session, actor, draft.id)
    if unsent is None:
        return None
    base, theirs = (revisions.text_by_id(session, id_) for id_ in (unsent.base_id, unsent.head_id))
    whole = replace_section(base, unsent.section, unsent.text) if unsent.section else unsent.text
    merged = _merged(base, whole, theirs)
    if merged == theirs:
        return None
    return Resume(replace(unsent, section="", text=whole), age=now(session) - unsent.saved_at, merged=merged)


def list_unsent(session: Session, actor: Actor) -> Sequence[UnsentPlace]:
    """Where the member has words that they have not sent, newest first."""
    query = (
        select(Autosave.draft_id, Autosave.section, Autosave.updated_at, Page.title)
        .join(Draft, col(Draft.id) == Autosave.draft_id)
        .join(Page, col(Page.id) == Draft.page_id)
        .where(Autosave.member_id == actor.id)
        .order_by(col(Autosave.updated_at).desc())
        .limit(MAX_LISTED)
    )
    return [UnsentPlace(*row) for row in session.exec(query)]


def _check_typed(text: str) -> None:
    if _NOT_STORABLE.search(text):
        raise Refused(
            _(
                "This text holds half of a character or a null, which cannot be kept. What you typed is "
                "still in the form. Paste it again as plain text."
            ),
            pointer="/text",
        )
    size = len(text.encode())
    if size > MAX_AUTOSAVED:
        raise Refused(
            _(
                "This text is {size:,} bytes long; {most_kept:,} is the most that is kept unsent and "
                "{most:,} the most that can be saved. What you typed is still in the form. Shorten it or "
                "split it over several pages."
            ).format(size=size, most_kept=MAX_AUTOSAVED, most=MAX_BYTES),
            pointer="/text",
        )


def _write(session: Session, row: Autosave) -> None:
    """Insert or replace in one statement: two windows of one member may write at the same moment."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = row.model_dump(exclude={"id"})
    keys = ["member_id", "draft_id"]
    replaced = {name: value for name, value in values.items() if name not in keys}
    session.exec(insert(Autosave).values(values).on_conflict_do_update(index_elements=keys, set_=replaced))


def _against_head(
    session: Session, draft: Draft, base: Revision, *, section: str, text: str, saved_at: datetime
) -> Unsent:
    head_id = drafts.head_of(draft)
    return Unsent(base.id, section, text, saved_at, head_id, _count_after(session, base, head_id))


def _count_after(session: Session, base: Revision, head_id: int) -> int:
    """How many revisions lie between base and head along first parents."""
    if head_id == base.id:
        return 0
    ancestry, at = Ancestry(session), head_id
    for count in range(MAX_COUNTED):
        step = ancestry.step(at)
        if step.number <= base.number or not step.parents:
            return count
        at = step.parents[0]
    return MAX_COUNTED


def _get_section(base: str, key: str) -> Section:
    found = next((section for section in _sections_of(base) if section.key == key), None)
    if found is None:
        raise Refused(
            _(
                "The version you began from has no section “{key}”. Send the whole text without a "
                "section. What you typed is still in the form."
            ).format(key=key),
            pointer="/section",
        )
    return found


def _find_change(base: str, row: Autosave) -> tuple[str | None, str | None] | None:
    """Key and title of the section that an autosave changes; None if it changes nothing."""
    if not row.section:
        return _changed_section(base, row.text) if row.text != base else None
    section = _get_section(base, row.section)
    typed = row.text.replace("\r\n", "\n").strip("\n")
    return (section.key, section.title) if typed != base[section.start : section.end].strip("\n") else None


def _changed_section(base: str, text: str) -> tuple[str | None, str | None]:
    """Key and title of the first section that is not as it was, else of the first that is gone."""
    before = {section.key: section for section in _sections_of(base)}
    for section in _sections_of(text):
        old = before.pop(section.key, None)
        if old is None or (old.title, old.text) != (section.title, section.text):
            return section.key, section.title
    gone = next(iter(before.values()), None)
    return (gone.key, gone.title) if gone else (None, None)


def _sections_of(text: str) -> tuple[Section, ...]:
    """The sections, named as the reader reads them: the one before the first heading has a name of the interface."""
    return _sections_in(text, language().code)


@lru_cache(maxsize=64)  # everybody at work asks about the same texts every few seconds
def _sections_in(text: str, _language: str) -> tuple[Section, ...]:
    return tuple(sections_of(text))


def _merged(base: Text, typed: str, theirs: Text) -> str | None:
    """What was typed on top of the newest text; None where they clash or it cannot be saved as it is."""
    try:
        ours = drafts.check_text(typed)
    except Refused:
        return None
    return merge(base, ours=ours, theirs=theirs).text
