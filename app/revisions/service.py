"""Append revisions, and rebuild their texts from keyframes and deltas."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, event, func
from sqlalchemy.orm import Session as SqlSession
from sqlalchemy.orm import SessionTransaction, aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.database import now
from app.errors import NotFound
from app.pages.text import Text, clean_line, sha256_of
from app.revisions import delta
from app.revisions.ancestry import Ancestry
from app.revisions.cache import texts
from app.revisions.models import Revision
from app.words import N_, _

MAX_SUMMARY = 500


class RevisionNotFound(NotFound):
    slug = "revision-not-found"
    title = N_("There is no such version")


HELD = 20
"""Revisions, which never change, that a session remembers having been asked for."""
_HELD = "revisions_held"


class DamagedText(Exception):
    """A stored text does not give the hash it was saved under; it is never shown, and `workshop verify` names it."""

    def __init__(self, revision_id: int) -> None:
        super().__init__(f"revision {revision_id} does not rebuild to its SHA-256")
        self.revision_id = revision_id


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some revisions, newest first, and the ids from which the next page goes on; empty at the end."""

    revisions: Sequence[Revision]
    next_heads: tuple[int, ...]


def append(
    session: Session,
    *,
    page_id: int,
    draft_id: int,
    text: Text,
    author_id: int | None,
    summary: str = "",
    first_parent_id: int | None = None,
    second_parent_id: int | None = None,
    at: datetime | None = None,
    import_key: str | None = None,
) -> Revision:
    """A new revision of the page, numbered next. The caller holds the page's lock and moves the draft's head."""
    parent = session.get_one(Revision, first_parent_id) if first_parent_id is not None else None
    stored = delta.store(text_of(session, parent) if parent else None, text, parent.steps if parent else 0)
    revision = Revision(
        page_id=page_id,
        draft_id=draft_id,
        number=_newest_number(session, page_id) + 1,
        first_parent_id=first_parent_id,
        second_parent_id=second_parent_id,
        author_id=author_id,
        created_at=at or now(session),
        summary=clean_line(summary, pointer="/summary", max_length=MAX_SUMMARY),
        sha256=sha256_of(text),
        size=len(text.encode()),
        steps=stored.steps,
        payload=stored.payload,
        import_key=import_key,
    )
    session.add(revision)
    session.flush()
    texts.put(revision.sha256, text)
    return revision


def get(session: Session, revision_id: int) -> Revision:
    """The revision with this id."""
    revision = session.get(Revision, revision_id)
    if revision is None:
        raise RevisionNotFound(
            _("There is no version with that number. Open the page's history to find the one you mean.")
        )
    # A session forgets at once what nobody holds, and the same few are asked for again and again.
    session.info.setdefault(_HELD, deque(maxlen=HELD)).append(revision)
    return revision


@event.listens_for(SqlSession, "after_soft_rollback")
def _hold_nothing(session: SqlSession, _: SessionTransaction) -> None:
    """What was taken back, to a savepoint too, may be gone, and its number be given to another."""
    session.info.pop(_HELD, None)


def get_many(session: Session, ids: Iterable[int]) -> dict[int, Revision]:
    """The revisions behind ids."""
    wanted = set(ids)
    if len(wanted) < 2:  # a single one may be in memory by now
        return {row.id: row for id_ in wanted if (row := session.get(Revision, id_))}
    return {row.id: row for row in session.exec(select(Revision).where(col(Revision.id).in_(wanted)))}


def text_of(session: Session, revision: Revision) -> Text:
    """The text of the revision, from memory or rebuilt."""
    text = texts.get(revision.sha256)
    if text is None:
        text = rebuild(session, revision)
        texts.put(revision.sha256, text)
    return text


def rebuild(session: Session, revision: Revision) -> Text:
    """The text from the nearest keyframe in at most 50 steps; raises `DamagedText` if its SHA-256 is another."""
    try:
        text = delta.rebuild(_payloads_from_keyframe(session, revision))
    except delta.CorruptDelta as error:
        raise DamagedText(revision.id) from error
    if sha256_of(text) != revision.sha256:
        raise DamagedText(revision.id)
    return Text(text)


def texts_of(session: Session, rows: Iterable[Revision]) -> dict[int, Text]:
    """The texts of many revisions by id; what several of them are rebuilt from is read once."""
    missing: dict[int, Revision] = {}
    found: dict[int, Text] = {}
    for row in rows:
        text = texts.get(row.sha256)
        if text is None:
            missing[row.id] = row
        else:
            found[row.id] = text
    rebuilt = _rebuild_together(session, missing) if missing else {}
    for id_, row in missing.items():
        found[id_] = Text(rebuilt[id_])
        if sha256_of(found[id_]) != row.sha256:
            raise DamagedText(id_)
        texts.put(row.sha256, found[id_])
    return found


def text_by_id(session: Session, revision_id: int) -> Text:
    """The text of the revision with this id."""
    return text_of(session, get(session, revision_id))


def history(session: Session, heads: Iterable[int], *, limit: int) -> HistoryPage:
    """The newest `limit` revisions among the heads and all their ancestors."""
    ancestry, waiting = Ancestry(session), set(heads)
    ids: list[int] = []
    for step in ancestry.walk(waiting.copy()):
        if len(ids) == limit:
            break
        ids.append(step.id)
        waiting.discard(step.id)
        waiting.update(step.parents)
    rows = get_many(session, ids)
    return HistoryPage([rows[id_] for id_ in ids], tuple(sorted(waiting)))


def first_line(session: Session, head_id: int, *, limit: int) -> HistoryPage:
    """The newest `limit` revisions of one draft's own line, from its head along first parents of the same draft."""
    head = get(session, head_id)
    query = select(Revision).where(Revision.draft_id == head.draft_id, col(Revision.number) <= head.number)
    rows = session.exec(query.order_by(col(Revision.number).desc()).limit(limit + 1)).all()
    return HistoryPage(rows[:limit], (rows[limit].id,) if len(rows) > limit else ())


def count_by_page(session: Session, page_ids: Iterable[int]) -> dict[int, int]:
    """How many revisions each page has; numbers have no gaps, so the newest number is the count."""
    rows = session.exec(
        select(Revision.page_id, func.max(Revision.number))
        .where(col(Revision.page_id).in_(list(page_ids)))
        .group_by(col(Revision.page_id))
    )
    return {page_id: number for page_id, number in rows}


def _newest_number(session: Session, page_id: int) -> int:
    return session.exec(select(func.max(Revision.number)).where(Revision.page_id == page_id)).one() or 0


def _payloads_from_keyframe(session: Session, revision: Revision) -> Sequence[bytes]:
    """The payloads to apply in order, the keyframe's first."""
    return session.exec(_chain(), params={"revision_id": revision.id}).all()


@cache  # to put it together takes three times as long as to run it
def _chain() -> SelectOfScalar[bytes]:
    start = (
        select(Revision.first_parent_id, Revision.steps, Revision.payload)
        .where(Revision.id == bindparam("revision_id"))
        .cte("chain", recursive=True)
    )
    parent = aliased(Revision)
    chain = start.union_all(
        select(parent.first_parent_id, parent.steps, parent.payload)
        .join(start, start.c.first_parent_id == parent.id)
        .where(start.c.steps > 0)
    )
    return select(chain.c.payload).order_by(chain.c.steps)


def _rebuild_together(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """The texts of these revisions and of all between them and their keyframes."""
    start = (
        select(Revision.id, Revision.first_parent_id, Revision.steps)
        .where(col(Revision.id).in_(list(ids)))
        .cte("chains", recursive=True)
    )
    parent = aliased(Revision)
    chains = start.union(
        select(parent.id, parent.first_parent_id, parent.steps)
        .join(start, start.c.first_parent_id == parent.id)
        .where(start.c.steps > 0)
    )
    rebuilt: dict[int, str] = {}
    rows = session.exec(
        select(Revision.id, Revision.first_parent_id, Revision.steps, Revision.payload)
        .join(chains, chains.c.id == Revision.id)
        .order_by(col(Revision.steps))
    )
    for id_, parent_id, steps, payload in rows:
        if steps == 0 or parent_id is None:
            rebuilt[id_] = delta.read_keyframe(payload)
        else:
            rebuilt[id_] = delta.decode(rebuilt[parent_id], payload)
    return rebuilt
