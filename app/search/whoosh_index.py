"""Whoosh's side of the index: its fields, and how segments are written and merged."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from whoosh import columns, fields, index, query
from whoosh.analysis import IDAnalyzer
from whoosh.codec.base import Segment
from whoosh.reading import SegmentReader
from whoosh.writing import SegmentWriter

from app.search.analysis import Analysis
from app.search.engine import Batch, Document, Kind
from app.search.ranking import number_of

FORM = "1"
"""Raised whenever fields or analysis change, so that an older index is made anew."""

BOUNDARY = "¶"
"""Stands between title and text, so that no phrase reaches from one into the other; no word contains it."""

TITLE_WEIGHT = 2
"""How often the title stands in what is searched."""

BEGIN = "^"
"""Before the first word of a title, for whoever types a title from its beginning."""

WRITER_MEGABYTES = 32
LOCK_SECONDS = 5.0
ENOUGH_SEGMENTS = 5
QUICK_MERGE = 200
"""Documents that are merged along with a commit; more have to wait for a quiet moment."""


def make_schema() -> fields.Schema:
    """Terms are handed over ready-made, so Whoosh analyses nothing, and texts stay in the database alone.

    Every field is `scorable` though Whoosh scores nothing: it looks on disk for the lengths of those that are not, once
    for each posting it writes.
    """
    return fields.Schema(
        key=fields.ID(unique=True),
        text=fields.TEXT(analyzer=IDAnalyzer()),
        words=fields.KEYWORD(scorable=True),
        titles=fields.KEYWORD(scorable=True),
        tags=fields.KEYWORD(scorable=True),
        number=fields.COLUMN(columns.NumericColumn("Q")),
        page=fields.COLUMN(columns.NumericColumn("I")),
        length=fields.COLUMN(columns.NumericColumn("I")),
    )


def open_index(folder: Path) -> index.FileIndex:
    """The index in this folder; raises EmptyIndexError without one, and OSError where the machine has no file left."""
    try:
        return index.open_dir(folder)
    except index.EmptyIndexError:
        os.listdir(folder)  # Whoosh takes a folder that it could not list for an empty one
        raise


def create(folder: Path, documents: Iterable[Document], analysis: Analysis) -> None:
    """Make an index of these documents in an empty folder, as one segment."""
    with index.create_in(folder, make_schema()).writer(limitmb=WRITER_MEGABYTES, compound=False) as writer:
        for document in documents:
            writer.add_document(**_fields_of(document, analysis))


def write(folder: Path, batch: Batch, analysis: Analysis) -> None:
    """Put the batch's documents in the place of what had their keys."""
    with _opened_writer(open_index(folder), _merge_quickly) as writer:
        with writer.searcher() as searcher:
            for key in {*batch.removed, *(document.key for document in batch.documents)}:
                writer.delete_by_query(query.Term("key", str(number_of(key))), searcher=searcher)
        for document in batch.documents:
            writer.add_document(**_fields_of(document, analysis))


def merge(folder: Path) -> bool:
    """Merge what is due, however long it takes; returns whether anything was."""
    found = open_index(folder)
    if not _due(found._segments(), None):
        return False
    with _opened_writer(found, _merge_thoroughly):
        return True


def _opened_writer(found: index.FileIndex, mergetype: object) -> SegmentWriter:
    """A writer to be used with `with`: what it did counts when the block ends, and is dropped when it raises."""
    writer = found.writer(limitmb=WRITER_MEGABYTES, compound=False, timeout=LOCK_SECONDS)
    writer.mergetype = mergetype
    return writer


def _merge_quickly(writer: SegmentWriter, segments: list[Segment]) -> list[Segment]:
    return _merge(writer, segments, QUICK_MERGE)


def _merge_thoroughly(writer: SegmentWriter, segments: list[Segment]) -> list[Segment]:
    return _merge(writer, segments, None)


def _merge(writer: SegmentWriter, segments: list[Segment], limit: int | None) -> list[Segment]:
    """Whoosh's hook: read the segments that are due into the one being written; returns those that stay."""
    alive = [segment for segment in segments if segment.doc_count() > 0]
    due = _due(alive, limit)
    for segment in due:
        reader = SegmentReader(writer.storage, writer.schema, segment)
        writer.add_reader(reader)
        reader.close()
    return [segment for segment in alive if segment not in due]


def _due(segments: Sequence[Segment], limit: int | None) -> list[Segment]:
    chosen = choose_merge([segment.doc_count() for segment in segments], limit)
    return [segments[number] for number in chosen]


def choose_merge(sizes: Sequence[int], limit: int | None) -> list[int]:
    """Which segments to merge, by the number of their documents; none while there are few.

    The smallest, as long as each is no larger than all before it together and a bit: so every document is copied
    about as often as the index grows fivefold, and an index of any size stays in a few segments. With a `limit`, only
    so many documents.
    """
    chosen: list[int] = []
    total = 0
    for number in sorted(range(len(sizes)), key=sizes.__getitem__):
        if len(chosen) > 1 and sizes[number] > total + ENOUGH_SEGMENTS:
            break
        if limit is not None and total + sizes[number] > limit:
            break
        chosen.append(number)
        total += sizes[number]
    return chosen if len(chosen) >= ENOUGH_SEGMENTS else []


def _fields_of(document: Document, analysis: Analysis) -> dict[str, object]:
    title = list(analysis.tokens(document.title))
    text = list(analysis.tokens(document.text))
    titles = [token.term for token in title]
    terms = [*([*titles, BOUNDARY] * TITLE_WEIGHT), *(token.term for token in text)]
    held = {
        "key": str(number_of(document.key)),
        "text": terms,
        "words": sorted({token.word for token in (*title, *text)}),
        "tags": list(document.tags),
        "number": number_of(document.key),
        "page": document.page_id,
        "length": len(terms),
    }
    if document.key.kind in (Kind.APPROVED, Kind.SHARED) and title:
        held["titles"] = sorted({BEGIN + title[0].word, *(token.word for token in title)})
    return held
