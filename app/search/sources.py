"""Where the documents of the index come from: which texts there are to find, read from the database as they stand."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Select, bindparam, func, null, select
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from app.approvals.models import Approval
from app.drafts.models import Draft, DraftKind, DraftState
from app.pages import service as pages
from app.pages.models import Page
from app.pages.text import Text
from app.revisions import service as revisions
from app.revisions.cache import texts
from app.revisions.models import Revision
from app.revisions.service import DamagedText
from app.search.engine import Document, Key, Kind

log = logging.getLogger(__name__)


class Source(NamedTuple):
    """A text that can be found now, and the page it belongs to. `draft_id` is None for approved texts, now or once."""

    key: Key
    page_id: int
    slug: str
    title: str
    revision_id: int
    number: int
    sha256: str
    draft_id: int | None


_Rows = Select[*tuple[Any, ...]]
_PAGE_AND_TEXT = (
    col(Page.id),
    col(Page.slug),
    col(Page.title),
    col(Revision.id),
    col(Revision.number),
    col(Revision.sha256),
)


def find_sources(session: Session, keys: Iterable[Key]) -> dict[Key, Source]:
    """What stands behind each of the keys; those behind which nothing stands are left out.

    A fork counts while it is open and has a text of its own; a replaced text once another was approved after it.
    """
    wanted: dict[Kind, list[int]] = {}
    for key in keys:
        wanted.setdefault(key.kind, []).append(key.id)
    found: dict[Key, Source] = {}
    for kind, ids in wanted.items():
        # Rows straight from the connection: a search reads dozens of them and needs no entities.
        for key_id, *columns in session.connection().execute(_SELECTS[kind], {"ids": ids}):
            key = Key(kind, key_id)
            found[key] = Source(key, *columns)
    return found


def find_documents(session: Session, keys: Sequence[Key]) -> list[Document]:
    """The documents behind the keys; a text that says the same as the page's approved one is not another to find."""
    sources = find_sources(session, keys)
    page_ids = {source.page_id for source in sources.values()}
    approved = find_sources(session, (Key(Kind.APPROVED, page_id) for page_id in page_ids))
    said = {source.page_id: source.sha256 for source in approved.values()}
    kept = [
        source
        for key, source in sources.items()
        if key.kind not in (Kind.SHARED, Kind.REPLACED) or said.get(source.page_id) != source.sha256
    ]
    tags, by_hash = pages.tags_of(session, page_ids), texts_of(session, kept)
    return [
        Document(source.key, source.page_id, source.title, by_hash[source.sha256], tuple(tags.get(source.page_id, ())))
        for source in kept
        if source.sha256 in by_hash
    ]


def texts_of(session: Session, sources: Iterable[Source]) -> Mapping[str, Text]:
    """The sources' texts by SHA-256; a damaged one is left out, as it may not be shown."""
    found: dict[str, Text] = {}
    missing: list[int] = []
    for source in sources:
        text = texts.get(source.sha256)
        if text is None:
            missing.append(source.revision_id)
        else:
            found[source.sha256] = text
    for revision in revisions.get_many(session, missing).values():
        try:
            found[revision.sha256] = revisions.text_of(session, revision)
        except DamagedText as error:
            log.error("not searchable: %s", error)
    return found


def keys_of_page(page_id: int) -> list[Key]:
    """The page's approved text and shared draft."""
    return [Key(Kind.APPROVED, page_id), Key(Kind.SHARED, page_id)]


def all_keys(session: Session, page_ids: Sequence[int]) -> list[Key]:
    """Every text of the pages that may be found."""
    connection = session.connection()
    forks = connection.scalars(
        select(col(Draft.id)).where(col(Draft.page_id).in_(page_ids), col(Draft.kind) == DraftKind.FORK)
    )
    approvals = connection.scalars(select(col(Approval.id)).where(col(Approval.page_id).in_(page_ids)))
    return [
        *(key for page_id in page_ids for key in keys_of_page(page_id)),
        *(Key(Kind.FORK, draft_id) for draft_id in forks),
        *(Key(Kind.REPLACED, approval_id) for approval_id in approvals),
    ]


def count_pages(session: Session) -> int:
    return session.connection().scalar(select(func.count()).select_from(Page)) or 0


def page_ids_after(session: Session, page_id: int, *, limit: int) -> Sequence[int]:
    """The next pages by id."""
    query = select(col(Page.id)).where(col(Page.id) > page_id).order_by(col(Page.id)).limit(limit)
    return session.connection().scalars(query).all()


def _approvals(key_id: Mapped[int]) -> _Rows:
    return (
        select(key_id, *_PAGE_AND_TEXT, null())
        .join_from(Approval, Page, col(Page.id) == col(Approval.page_id))
        .join(Revision, col(Revision.id) == col(Approval.revision_id))
    )


def _drafts(key_id: Mapped[int]) -> _Rows:
    return (
        select(key_id, *_PAGE_AND_TEXT, col(Draft.id))
        .join_from(Draft, Page, col(Page.id) == col(Draft.page_id))
        .join(Revision, col(Revision.id) == col(Draft.head_id))
    )


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
# Made once: putting a statement together takes longer than running it.
_SELECTS: Mapping[Kind, _Rows] = {
    Kind.APPROVED: _approvals(col(Approval.page_id)).where(
        col(Approval.id).in_(
            select(func.max(col(Approval.id))).where(col(Approval.page_id).in_(_IDS)).group_by(col(Approval.page_id))
        )
    ),
    Kind.SHARED: _drafts(col(Draft.page_id)).where(col(Draft.kind) == DraftKind.SHARED, col(Draft.page_id).in_(_IDS)),
    Kind.FORK: _drafts(col(Draft.id)).where(
        col(Draft.kind) == DraftKind.FORK,
        col(Draft.state) == DraftState.OPEN,
        col(Draft.id).in_(_IDS),
        col(Draft.head_id).is_distinct_from(col(Draft.base_id)),
    ),
    Kind.REPLACED: _approvals(col(Approval.id)).where(
        col(Approval.id).in_(select(col(Approval.supersedes_id)).where(col(Approval.supersedes_id).in_(_IDS)))
    ),
}
