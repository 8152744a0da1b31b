"""Who wrote what of a revision, over all its ancestors."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.accounts import service as accounts
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.blame import Version, blame
from app.revisions.models import Revision


@dataclass(frozen=True, slots=True)
class AuthoredRun:
    """Neighbouring words with the revision that first wrote them, and its author's name; None is the system."""

    text: str
    revision: Revision
    author: str | None


def blame_revision(session: Session, revision: Revision) -> list[AuthoredRun]:
    """The revision's text as runs of words, each with where it was first written, through forks and merges."""
    ancestors = revisions.get_many(session, (step.id for step in Ancestry(session).walk([revision.id])))
    oldest_first = sorted(ancestors.values(), key=lambda row: row.number)
    runs = blame(_versions(session, oldest_first), revision.id)
    names = accounts.names_of(session, (ancestors[run.origin].author_id for run in runs))
    return [
        AuthoredRun(run.text, ancestors[run.origin], names.get(ancestors[run.origin].author_id or 0)) for run in runs
    ]


def _versions(session: Session, oldest_first: Sequence[Revision]) -> list[Version]:
    texts = revisions.texts_of(session, oldest_first)
    return [
        Version(
            row.id, tuple(id_ for id_ in (row.first_parent_id, row.second_parent_id) if id_ is not None), texts[row.id]
        )
        for row in oldest_first
    ]
