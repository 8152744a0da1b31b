"""Search for people and programs: pages with the passage that fits, counts, and what may have been meant."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from sqlmodel import Session

from app.approvals import service as approvals
from app.approvals import stops
from app.pages import service as pages
from app.pages.models import Page
from app.search.analysis import Analysis
from app.search.engine import Engine, Found, Group, Hit, IndexUnavailable, Place
from app.search.fallback import scan
from app.search.query import Query, parse
from app.search.snippets import Marker, Passage
from app.search.sources import Source, find_sources, texts_of
from app.words import N_, _

SOME_WORDS = N_("No text holds all of these words, so these hold some of them.")
NO_INDEX = N_("The search index is being made, so this is only a quick look. Search again in a minute for all of it.")
MAX_TYPED = 60
MAX_TITLES = 40
"""Pages among which the likeliest titles are chosen while somebody types."""


class Where(StrEnum):
    """The texts to search; without one of these, approved texts and drafts."""

    APPROVED = "approved"
    DRAFTS = "drafts"
    HISTORY = "history"


GROUPS: dict[Where | None, tuple[Group, ...]] = {
    None: (Group.APPROVED, Group.DRAFTS),
    Where.APPROVED: (Group.APPROVED,),
    Where.DRAFTS: (Group.DRAFTS,),
    Where.HISTORY: (Group.REPLACED,),
}
Status = Literal["approved", "draft", "replaced"]
STATUS: dict[Group, Status] = {Group.APPROVED: "approved", Group.DRAFTS: "draft", Group.REPLACED: "replaced"}


Doubt = Literal["held", "withdrawn", "contested"]
DOUBTS: dict[str, Doubt] = {"held": "held", "withdrawn": "withdrawn", "contested": "contested"}


@dataclass(frozen=True, slots=True)
class Result:
    """A page, by the one of its texts that says best what was asked; `other_drafts` of its drafts say it too.

    `doubt` is why an approved text is not to be used as it is.
    """

    source: Source
    status: Status
    passage: Passage
    score: float = 0.0
    other_drafts: int = 0
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """What a search found. `notes` say in plain words how it differs from what was typed."""

    rows: Sequence[Result] = ()
    next: Place | None = None
    found: Found = field(default_factory=Found)
    suggestion: str | None = None
    notes: tuple[str, ...] = ()


def search(
    session: Session,
    engine: Engine,
    typed: str,
    *,
    where: Where | None = None,
    tag: str = "",
    limit: int,
    after: Place | None = None,
) -> Results:
    """The pages that fit what was typed: approved texts first, then drafts, each page once.

    What is shown of a page is its text as the database has it now: an index that lags never makes an old text pass
    for the approved one. Without an index titles and texts are looked through for a moment.
    """
    query = parse(typed, engine.analysis)
    if tag.strip():
        query = query.tagged(tag)
    try:
        found = engine.search(query, GROUPS[where], limit=limit, after=after)
        missed = query.words if not found.hits or found.any_word else ()
        suggestion = _replace(typed, engine.correct(missed), engine.analysis) if missed and after is None else None
    except IndexUnavailable:
        return _scan(session, engine.analysis, query, GROUPS[where], limit=limit)
    notes = (*query.notes, _(SOME_WORDS)) if found.any_word else query.notes
    rows = _present(session, query, engine.analysis, found.hits)
    place = found.hits[-1].place if found.more else None
    return Results(_with_doubts(session, rows), place, found, suggestion, notes)


def suggest(session: Session, engine: Engine, typed: str, *, limit: int) -> list[tuple[Page, bool]]:
    """Pages whose titles begin as typed, and whether each has approved text; short titles first."""
    try:
        ranked = engine.suggest(typed[:MAX_TYPED], limit=MAX_TITLES)
        by_id = pages.pages_by_id(session, ranked)
        found = [by_id[page_id] for page_id in ranked if page_id in by_id]
    except IndexUnavailable:
        found = list(pages.list_pages(session, words=typed.strip(), limit=MAX_TITLES)) if typed.strip() else []
    begun = typed.strip().casefold()
    found.sort(key=lambda page: (not page.title.casefold().startswith(begun), len(page.title)))
    approved = approvals.current_by_page(session, [page.id for page in found[:limit]])
    return [(page, page.id in approved) for page in found[:limit]]


def _present(session: Session, query: Query, analysis: Analysis, hits: Sequence[Hit]) -> list[Result]:
    sources = find_sources(session, (hit.key for hit in hits))
    texts = texts_of(session, sources.values())
    marker = Marker(query.required, analysis)
    return [
        Result(
            source=sources[hit.key],
            status=STATUS[Group(hit.place.group)],
            passage=marker.passage(texts[sources[hit.key].sha256]),
            score=hit.score,
            other_drafts=hit.other_drafts,
        )
        for hit in hits
        if hit.key in sources and sources[hit.key].sha256 in texts
    ]


def _scan(session: Session, analysis: Analysis, query: Query, groups: Sequence[Group], *, limit: int) -> Results:
    rows: list[Result] = []
    marker = Marker(query.required, analysis)
    for group in groups:
        sources = scan(session, query, analysis, group, limit=limit - len(rows))
        texts = texts_of(session, sources)
        rows += [
            Result(source, STATUS[group], marker.passage(texts.get(source.sha256, "")))
            for source in sources
            if source.page_id not in {row.source.page_id for row in rows}
        ]
    return Results(_with_doubts(session, rows), notes=(*query.notes, _(NO_INDEX)))


def _with_doubts(session: Session, rows: Sequence[Result]) -> list[Result]:
    ids = [row.source.page_id for row in rows if row.status == "approved"]
    current = approvals.current_by_page(session, ids)
    stopped = stops.stops_by_page(session, current, ids)
    doubts = {id_: DOUBTS.get(stops.status_of(current.get(id_), stopped.get(id_))) for id_ in ids}
    return [replace(row, doubt=doubts.get(row.source.page_id)) for row in rows]


def _replace(typed: str, corrections: dict[str, str], analysis: Analysis) -> str | None:
    """What was typed with words replaced; None if none is."""
    pieces, at = [], 0
    for token in analysis.tokens(typed):
        if token.word in corrections:
            pieces += [typed[at : token.start], corrections[token.word]]
            at = token.end
    return "".join([*pieces, typed[at:]]) if pieces else None
