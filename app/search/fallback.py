"""Search without an index: a short look through titles and texts in the database, until the index is there again."""

import time
from collections.abc import Iterator
from itertools import starmap

from sqlmodel import Session

from app.pages import service as pages
from app.search.analysis import Analysis
from app.search.engine import Group, Key, Kind
from app.search.query import Clause, Query, Tagged
from app.search.snippets import Marker
from app.search.sources import Source, find_sources, page_ids_after, texts_of

MAX_SECONDS = 0.3
PAGES_AT_ONCE = 100

KINDS = {Group.APPROVED: Kind.APPROVED, Group.DRAFTS: Kind.SHARED}


def scan(session: Session, query: Query, analysis: Analysis, group: Group, *, limit: int) -> list[Source]:
    """Approved texts or shared drafts that fit, titles first, as far as `MAX_SECONDS` go."""
    if query.is_empty or group not in KINDS:
        return []
    looked_for = _LookedFor(query, analysis)
    deadline = time.monotonic() + MAX_SECONDS
    by_title: list[Source] = []
    by_text: list[Source] = []
    newest = 0
    while page_ids := page_ids_after(session, newest, limit=PAGES_AT_ONCE):
        if time.monotonic() > deadline or len(by_title) >= limit:
            break
        newest = page_ids[-1]
        found = find_sources(session, [Key(KINDS[group], page_id) for page_id in page_ids])
        for source, in_title in _fitting(session, looked_for, list(found.values())):
            (by_title if in_title else by_text).append(source)
    return [*by_title, *by_text][:limit]


def _fitting(session: Session, looked_for: "_LookedFor", sources: list[Source]) -> Iterator[tuple[Source, bool]]:
    """The sources that fit, and whether their titles alone do."""
    texts = texts_of(session, sources)
    tags = pages.tags_of(session, [source.page_id for source in sources])
    for source in sources:
        carried = tags.get(source.page_id, [])
        if looked_for.fits(f"{source.title}\n\n{texts.get(source.sha256, '')}", carried):
            yield source, looked_for.fits(source.title, carried)


class _LookedFor:
    """A query, for texts that are read one by one."""

    def __init__(self, query: Query, analysis: Analysis) -> None:
        self._required = [(clause, Marker([clause], analysis)) for clause in query.required]
        self._excluded = [(clause, Marker([clause], analysis)) for clause in query.excluded]

    def fits(self, text: str, tags: list[str]) -> bool:
        def holds(clause: Clause, marker: Marker) -> bool:
            return clause.tag in tags if isinstance(clause, Tagged) else marker.stands_in(text)

        return all(starmap(holds, self._required)) and not any(starmap(holds, self._excluded))
