"""Bring the index up to the end of the activity log, or make it anew from the database."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from sqlmodel import Session

from app.activity import service as activity
from app.activity.models import Activity
from app.activity.models import Kind as Happened
from app.approvals import service as approvals
from app.database import Database
from app.revisions import service as revisions
from app.search import sources
from app.search.engine import Batch, Document, Engine, IndexOutOfReach, IndexUnavailable, Key, Kind

log = logging.getLogger(__name__)

MAX_ROWS = 100
MAX_DOCUMENTS = 50
"""Activities read in one step, and documents written in one commit: what follows waits no longer than that takes."""

PAGES_AT_ONCE = 100
BEGINNING = "0"

Progress = Callable[[int, int], None]
"""Called with how many pages are done, and how many there are."""

CHANGES_NO_TEXT = frozenset(
    {
        Happened.VOTE_CAST,
        Happened.VOTE_WITHDRAWN,
        Happened.CANDIDATE_LEADING,
        Happened.CANDIDATE_STALE,
        Happened.CANDIDATE_DECLINED,
        Happened.CANDIDATE_EXPIRED,
    }
)
CHANGES_A_WHOLE_PAGE = frozenset({Happened.PAGE_CREATED, Happened.PAGE_RENAMED})


class Outcome(Enum):
    """What became of the index."""

    UNCHANGED = auto()
    FOLLOWED = auto()
    REBUILT = auto()


def index_once(database: Database, engine: Engine) -> Outcome:
    """Bring the index up to the end of the log, from scratch where there is none to go on from.

    Doing it twice does no harm.
    """
    try:
        if engine.rebuild_asked():
            raise IndexUnavailable("somebody found it broken")
        return _follow(database, engine)
    except IndexOutOfReach:
        raise
    except IndexUnavailable as error:
        log.warning("the search index is made anew: %s", error)
        reindex(database, engine)
        return Outcome.REBUILT


def reindex(database: Database, engine: Engine, progress: Progress = lambda _done, _all: None) -> None:
    """Make the index anew. Searches go on in the old one meanwhile; what happens meanwhile is followed afterwards."""
    with database.transaction(writing=False) as session:
        newest = activity.latest(session, limit=1)
    engine.rebuild(_all_documents(database, progress), _mark_of(newest[0]) if newest else BEGINNING)


@dataclass(frozen=True, slots=True)
class _Step:
    """The documents that some activities touched, and the mark of an index that holds them."""

    keys: Sequence[Key]
    mark: str


def _follow(database: Database, engine: Engine) -> Outcome:
    mark = engine.mark()
    if mark is None:
        raise IndexUnavailable("there is none yet, or an older program made it")
    outcome = Outcome.UNCHANGED
    while True:
        with database.transaction(writing=False) as session:
            step = _next_step(session, mark)
        if step is None:
            return outcome
        for batch in _batches(database, step, mark):
            engine.apply(batch)
        mark, outcome = step.mark, Outcome.FOLLOWED


def _next_step(session: Session, mark: str) -> _Step | None:
    """What to do after the mark; None at the end of the log. Raises when the mark is not one of this log."""
    position = mark.partition("@")[0]
    if not position.isdecimal():
        raise IndexUnavailable(f"its mark {mark!r} cannot be read")
    rows = list(activity.since(session, max(0, int(position) - 1), limit=MAX_ROWS + 1))
    if mark != BEGINNING:
        if not rows or _mark_of(rows[0]) != mark:
            raise IndexUnavailable("it was made from another database, or this one was restored")
        rows = rows[1:]
    if not rows:
        return None
    keys: dict[Key, None] = {}
    for row in rows:
        keys |= dict.fromkeys(_keys_touched(session, row))
        if len(keys) >= MAX_DOCUMENTS:
            break
    return _Step(list(keys), _mark_of(row))


def _mark_of(row: Activity) -> str:
    """A place in the log, with its time, so that the same number in another log is not taken for it."""
    return f"{row.id}@{row.at.isoformat()}"


def _keys_touched(session: Session, row: Activity) -> list[Key]:
    """The documents that an activity may have changed."""
    if row.page_id is None or row.kind in CHANGES_NO_TEXT:
        return []
    if row.kind in CHANGES_A_WHOLE_PAGE:
        return sources.all_keys(session, [row.page_id])
    keys = sources.keys_of_page(row.page_id)
    if row.subject_id is not None and row.kind.startswith("draft."):
        keys.append(Key(Kind.FORK, row.subject_id))
    elif row.subject_id is not None:
        revision = revisions.get_many(session, [row.subject_id])
        keys.extend(Key(Kind.FORK, found.draft_id) for found in revision.values())
    for approval in approvals.get_many(session, [row.data.get("approval")]).values():
        keys.extend([Key(Kind.REPLACED, approval.supersedes_id)] if approval.supersedes_id is not None else [])
    return keys


def _batches(database: Database, step: _Step, mark: str) -> Iterator[Batch]:
    """The step's documents as they stand now, some at a time. Only the last batch moves the mark."""
    starts = range(0, len(step.keys), MAX_DOCUMENTS)
    for start in starts:
        keys = step.keys[start : start + MAX_DOCUMENTS]
        with database.transaction(writing=False) as session:
            documents = sources.find_documents(session, keys)
        held = {document.key for document in documents}
        removed = [key for key in keys if key not in held]
        yield Batch(documents, removed, step.mark if start == starts[-1] else mark)
    if not step.keys:
        yield Batch([], [], step.mark)


def _all_documents(database: Database, progress: Progress) -> Iterator[Document]:
    done, newest = 0, 0
    with database.transaction(writing=False) as session:
        total = sources.count_pages(session)
    while True:
        with database.transaction(writing=False) as session:
            page_ids = sources.page_ids_after(session, newest, limit=PAGES_AT_ONCE)
            keys = sources.all_keys(session, page_ids)
        for start in range(0, len(keys), MAX_DOCUMENTS):
            with database.transaction(writing=False) as session:
                documents = sources.find_documents(session, keys[start : start + MAX_DOCUMENTS])
            yield from documents
        if not page_ids:
            return
        done, newest = done + len(page_ids), page_ids[-1]
        progress(done, max(done, total))
