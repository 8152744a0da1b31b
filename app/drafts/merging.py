"""Bring newer approved text into drafts, and carried texts into forks."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.accounts import service as accounts
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftState
from app.drafts.service import Saved
from app.errors import Conflict, Refused
from app.pages.models import Page
from app.pages.text import Text
from app.permissions import Actor
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.merge import Conflict as Clash
from app.revisions.merge import Merged, merge, resolve
from app.revisions.models import Revision
from app.web.summaries import BROUGHT_IN, CARRIED
from app.words import _


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Two texts that a person has to bring together; `conflicts` is empty where they fit as they are."""

    base: Revision | None
    ours: Revision
    theirs: Revision
    merged: Merged

    @property
    def conflicts(self) -> tuple[Clash, ...]:
        """The sentences that need a choice each."""
        return self.merged.conflicts


def update_from_approved(
    session: Session, actor: Actor | None, draft_id: int, *, resolutions: Sequence[str] = ()
) -> Saved | Unresolved:
    """Bring the approved text into a draft as a merge revision; each clash needs a resolution."""
    draft, actor = drafts.get_draft_to_edit(session, actor, draft_id)
    if draft.state != DraftState.OPEN:
        raise drafts.DraftClosed(
            _("This draft is closed, so nothing can be brought into it. Fork it to go on from its text.")
        )
    approved = approvals.find_current(session, draft.page_id)
    if approved is None:
        raise Conflict(_("This page has no approved text yet, so there is nothing to bring in."))
    newer = revisions.get(session, approved.revision_id)
    outcome = merge_into(session, draft, newer, resolutions, author_id=actor.id, even_if_equal=True)
    if isinstance(outcome, Saved):
        draft.clean = True
        session.add(draft)
        accounts.touch(session, actor)
        record(
            session, Kind.DRAFT_UPDATED, actor, page_id=draft.page_id, subject_id=draft.id, data={"head": draft.head_id}
        )
    return outcome


def merge_into(
    session: Session,
    draft: Draft,
    other: Revision,
    resolutions: Sequence[str] = (),
    *,
    author_id: int | None,
    even_if_equal: bool = False,
) -> Saved | Unresolved:
    """Join another revision into the draft's head, unless it holds it already. The caller holds the page's lock.

    `even_if_equal`: a person chose the draft's own words throughout, which is a merge although no word changed.
    """
    head = revisions.get(session, drafts.head_of(draft))
    if Ancestry(session).is_ancestor(other.id, of=head.id):
        return Saved(head, merged=False)
    found = compare_with(session, draft, other)
    text = resolve(found.merged, resolutions) if found.conflicts and resolutions else found.merged.text
    if text is None:
        return found
    if text == revisions.text_of(session, head) and not even_if_equal:
        return Saved(head, merged=False)
    revision = drafts.append(
        session,
        draft,
        drafts.check_text(text),
        author_id=author_id,
        summary=BROUGHT_IN,
        second_parent_id=other.id,
    )
    return Saved(revision, merged=True)


def compare_with(session: Session, draft: Draft, other: Revision) -> Unresolved:
    """How the draft's head and another revision go together, from their nearest common ancestor; writes nothing."""
    head = revisions.get(session, drafts.head_of(draft))
    base_id = Ancestry(session).nearest_common(head.id, other.id)
    base = revisions.get(session, base_id) if base_id is not None else None
    merged = merge(
        revisions.text_of(session, base) if base else "",
        ours=revisions.text_of(session, head),
        theirs=revisions.text_of(session, other),
    )
    return Unresolved(base, head, other, merged)


def take_approved_in(session: Session, page: Page, approved: Revision) -> None:
    """Let the shared draft hold what was just approved; where the two clash it stays as it is and says so.

    So it does where both together are more than a text can be: what is in a draft never keeps a text from approval.
    """
    shared = drafts.get_shared(session, page.id)
    try:
        outcome = merge_into(session, shared, approved, author_id=None)
    except Refused:
        outcome = None
    shared.clean = isinstance(outcome, Saved)
    session.add(shared)


def append_carried(session: Session, draft: Draft, text: Text, *, newer: Revision, first_parent_id: int) -> Revision:
    """A revision by the system: the draft's text carried onto newer approved text."""
    return drafts.append(
        session,
        draft,
        text,
        author_id=None,
        summary=CARRIED,
        first_parent_id=first_parent_id,
        second_parent_id=newer.id,
    )
