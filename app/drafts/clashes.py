"""Clashes as answers: outcomes that keep what was typed, told like errors."""

from sqlmodel import Session

from app.drafts.merging import Unresolved
from app.drafts.models import DraftState
from app.drafts.schemas import ClashOut, EditClashOut, SavedAsOut, SideOut
from app.drafts.service import KeptAside, get_draft, head_of
from app.errors import Conflict
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.revisions.presenting import present_rows
from app.revisions.schemas import ConflictOut
from app.words import N_, _


class EditConflict(Conflict):
    """Not raised, as that would take back the draft in which the author's text was kept."""

    slug = "edit-conflict"
    title = N_("Somebody else changed the same sentences")


class MergeConflict(Conflict):
    slug = "merge-conflict"
    title = N_("The two texts say different things")


class JoinConflict(Conflict):
    slug = "join-conflict"
    title = N_("The two versions word the same sentences differently")


def edit_conflict(session: Session, draft_id: int, kept: KeptAside) -> EditConflict:
    """What an author is told whose edit of the draft clashes: the texts, what clashes, and where theirs is kept."""
    if get_draft(session, draft_id).state != DraftState.OPEN:
        happened = _("This draft was closed while you wrote.")
    else:
        happened = _("Somebody saved other words for the same sentences while you wrote.")
    out = EditClashOut(
        base=_side(session, kept.base),
        ours=_side(session, kept.ours),
        theirs=_side(session, kept.theirs),
        conflicts=[ConflictOut.of(conflict) for conflict in kept.conflicts],
        saved_as=SavedAsOut(id=kept.draft.id, head=head_of(kept.draft)),
    )
    return EditConflict(
        _(
            "{happened} Nothing was overwritten and nothing is lost: your text is in a draft of your "
            "own, see saved_as. Choose the wording and save again with theirs as base, or go on in "
            "your draft."
        ).format(happened=happened),
        **out.model_dump(mode="json"),
    )


def merge_conflict(session: Session, found: Unresolved) -> MergeConflict:
    """What there is to decide before the approved text can be brought into a draft."""
    out = _clash(session, found)
    return MergeConflict(
        _(
            "The approved text and this draft hold different words for the same sentences. Nothing "
            "was changed. Send one wording for each of the conflicts, in their order, as resolutions."
        ),
        **out.model_dump(mode="json"),
    )


def join_conflict(session: Session, found: Unresolved) -> JoinConflict:
    """What there is to decide before two drafts can become one: ours is the draft named in the address."""
    return JoinConflict(
        _(
            "The two versions hold different words for the same sentences. Nothing was changed. Send "
            "one wording for each of the conflicts, in their order, as resolutions."
        ),
        **_clash(session, found).model_dump(mode="json"),
    )


def _clash(session: Session, found: Unresolved) -> ClashOut:
    return ClashOut(
        base=_side(session, found.base) if found.base else None,
        ours=_side(session, found.ours),
        theirs=_side(session, found.theirs),
        conflicts=[ConflictOut.of(conflict) for conflict in found.conflicts],
    )


def _side(session: Session, revision: Revision) -> SideOut:
    return SideOut(revision=present_rows(session, [revision])[0], text=revisions.text_of(session, revision))
