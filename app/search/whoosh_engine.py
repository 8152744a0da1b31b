"""Search by Whoosh: an index in a folder of this machine, written by one process and read by any number."""

import errno
import logging
import traceback
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from whoosh.lang.porter import stem

from app.search import whoosh_index
from app.search.analysis import Analysis, is_dense
from app.search.correction import likeliest, swapped
from app.search.engine import Batch, Document, Found, Group, IndexOutOfReach, IndexUnavailable, Place
from app.search.index_folder import IndexFolder
from app.search.matching import match
from app.search.query import Query, Tagged
from app.search.ranking import KINDS, PagesFound
from app.search.whoosh_index import BEGIN
from app.search.whoosh_reading import OpenIndex, OpenSegment, Readers

log = logging.getLogger(__name__)

THE_MACHINE_ITSELF = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""Errors that say nothing about the index, so making it anew would not help."""

MIN_MISSPELT = 4
MIN_TWICE_MISSPELT = 7
"""Letters a word has at least before another is proposed for it that differs by one letter, and by two."""


class WhooshEngine:
    """The index in `root`, which it shares with every process of this machine that is given the same folder."""

    def __init__(self, root: Path) -> None:
        self._folder = IndexFolder(root, whoosh_index.FORM)
        self._readers = Readers(self._folder)
        self._analysis = Analysis(stem)

    @property
    def analysis(self) -> Analysis:
        return self._analysis

    def search(self, query: Query, groups: Collection[Group], *, limit: int, after: Place | None = None) -> Found:
        if query.is_empty:
            return Found()
        with self._reading() as opened:
            matches = match(query, opened.segments)
            pages = PagesFound(opened.segments, matches, groups)
            words = [clause for clause in query.required if not isinstance(clause, Tagged)]
            any_word = not pages and len(words) > 1
            if any_word:
                pages = PagesFound(opened.segments, match(query, opened.segments, any_word=True), groups)
            return pages.found(limit=limit, after=after, any_word=any_word)

    def suggest(self, typed: str, *, limit: int) -> list[int]:
        words = [token.word for token in self._analysis.asked(typed)]
        if not words:
            return []
        with self._reading() as opened:
            as_typed = [[word] for word in words]
            found = [title for segment in opened.segments for title in _titles(segment, as_typed)]
            if not found:
                found = [title for segment in opened.segments for title in _titles(segment, _misspelt(segment, words))]
        return list(dict.fromkeys(page for *_, page in sorted(found)))[:limit]

    def correct(self, words: Iterable[str]) -> dict[str, str]:
        with self._reading() as opened:
            proposed = {word: _nearest(opened.segments, word, self._analysis) for word in words}
        return {word: nearest for word, nearest in proposed.items() if nearest is not None}

    def mark(self) -> str | None:
        return self._folder.mark()

    def apply(self, batch: Batch) -> None:
        with self._guarded(), self._folder.locked():
            folder = self._folder.current()
            if batch.documents or batch.removed:
                whoosh_index.write(folder, batch, self._analysis)
            self._folder.complete(folder, batch.mark)

    def rebuild(self, documents: Iterable[Document], mark: str) -> None:
        with self._folder.replacing(mark) as folder:
            whoosh_index.create(folder, documents, self._analysis)

    def tidy(self) -> bool:
        with self._guarded(), self._folder.locked():
            mark, folder = self._folder.mark(), self._folder.current()
            merged = mark is not None and whoosh_index.merge(folder)
            if merged and mark is not None:
                self._folder.complete(folder, mark)
            return merged

    def rebuild_asked(self) -> bool:
        return self._folder.rebuild_asked()

    def close(self) -> None:
        """Close the files that stand open for the next search."""
        self._readers.close()

    @contextmanager
    def _reading(self) -> Iterator[OpenIndex]:
        with self._guarded(), self._readers.lend() as opened:
            yield opened

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """The one boundary at which a broken index shows: Whoosh raises almost anything when it meets one."""
        try:
            yield
        except IndexUnavailable:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in THE_MACHINE_ITSELF:
                raise IndexOutOfReach(f"the search index cannot be used just now: {error}") from error
            # As text: a record with the error itself would keep the files open that Whoosh leaves open when it fails.
            log.error("the search index cannot be used\n%s", traceback.format_exc())
            self._folder.ask_for_rebuild()
            raise IndexUnavailable("the search index cannot be used") from error


def _titles(segment: OpenSegment, words: Sequence[Sequence[str]]) -> Iterator[tuple[bool, int, int]]:
    """The pages whose titles hold a word that begins with one of each of these, to be sorted: first the titles that
    begin so themselves, approved texts before drafts.
    """
    documents: set[int] = set()
    for number, spellings in enumerate(words):
        holding = {document for letters in spellings for document in segment.starting("titles", letters).ids}
        documents = holding if number == 0 else documents & holding
    begun = {document for letters in words[0] for document in segment.starting("titles", BEGIN + letters).ids}
    for document in documents - segment.deleted:
        yield document not in begun, segment.numbers[document] % KINDS, segment.pages[document]


def _misspelt(segment: OpenSegment, words: Sequence[str]) -> list[list[str]]:
    """For each word itself and the words of titles that it may have been meant to be."""
    return [[word, *_near(segment, "titles", word)] for word in words]


def _near(segment: OpenSegment, field: str, word: str) -> Iterator[str]:
    if len(word) < MIN_MISSPELT or is_dense(word) or not word.isalpha():
        return
    yield from segment.near(field, word, edits=1, prefix=1)
    yield from (other for other in swapped(word) if segment.holds(field, other))
    if len(word) >= MIN_TWICE_MISSPELT:
        yield from segment.near(field, word, edits=2, prefix=2)


def _nearest(segments: Sequence[OpenSegment], word: str, analysis: Analysis) -> str | None:
    term = analysis.term_of(word)
    if any(segment.holds("text", term) for segment in segments):
        return None
    near = {other for segment in segments for other in _near(segment, "words", word)}
    return likeliest(word, ((other, sum(segment.holds("words", other) for segment in segments)) for other in near))
