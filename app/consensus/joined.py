"""Join two drafts that say nearly the same, and tell what became of the two."""

from collections.abc import Sequence

from sqlmodel import Session

from app.consensus import candidates, withdrawing
from app.consensus.models import Candidate
from app.drafts import joining
from app.drafts import service as drafts
from app.drafts.merging import Unresolved
from app.drafts.models import Draft
from app.permissions import Action, Actor, allows


def join_drafts(
    session: Session, actor: Actor | None, draft_id: int, with_id: int, *, resolutions: Sequence[str] = ()
) -> Draft | Unresolved:
    """A draft of the actor's own made of two; those of the two that are theirs are withdrawn in the same step.

    What others own stays open, with its votes.
    """
    outcome = joining.join(session, actor, draft_id, with_id, resolutions=resolutions)
    if isinstance(outcome, Draft):
        for id_ in (draft_id, with_id):
            if allows(actor, Action.MANAGE_FORK, drafts.get_draft(session, id_)):
                withdrawing.withdraw_draft(session, actor, id_, joined_into=outcome.id)
    return outcome


def is_joined(session: Session, candidate: Candidate) -> bool:
    """Whether the candidate's text, as it stands or stood, went into a joined draft that was not taken back."""
    return bool(list_joined_into(session, candidate))


def list_joined_into(session: Session, candidate: Candidate) -> Sequence[Draft]:
    """The drafts that the candidate's text went into, oldest first."""
    stood_on = [revision.id for revision in candidates.revisions_stood_on(session, candidate)]
    return joining.joined_into(session, stood_on)
