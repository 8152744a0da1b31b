"""Revisions as answers, with their page's address and their author's name read together."""

from collections.abc import Iterable

from sqlmodel import Session

from app.accounts import service as accounts
from app.pages import service as pages
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.revisions.schemas import RevisionOut, RevisionRow


def present_rows(session: Session, listed: Iterable[Revision]) -> list[RevisionRow]:
    """Revisions without their texts."""
    rows = list(listed)
    by_id = pages.pages_by_id(session, (row.page_id for row in rows))
    names = accounts.names_of(session, (row.author_id for row in rows))
    return [RevisionRow.of(row, by_id[row.page_id].slug, names.get(row.author_id or 0)) for row in rows]


def present_whole(session: Session, revision: Revision) -> RevisionOut:
    """One revision with its text."""
    row = present_rows(session, [revision])[0]
    return RevisionOut(**row.model_dump(), text=revisions.text_of(session, revision))
