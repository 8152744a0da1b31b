"""Whoosh's segments as lists of postings, kept in memory as long as the segment lives."""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

from whoosh import index
from whoosh.reading import IndexReader, SegmentReader, TermNotFound

from app.search import whoosh_index
from app.search.index_folder import IndexFolder, Stamp
from app.search.matching import NOWHERE, Leg, Postings, impact
from app.search.query import Start, Tagged

MAX_STARTS = 100
"""Words that one start stands for, at most, in each segment."""

MAX_KEPT = 400_000
"""Postings in memory, at 8 bytes each."""

ENTRY_COST = 64
"""Postings that the entry of a term is counted as, so that many rare terms are bounded too."""

MAX_OPEN = 4
"""Threads that search at the same moment; more would only take turns at one processor, with all files open."""

OPENINGS = 5


class PostingsCache:
    """Postings by segment and term, as segments never change; the least used go first."""

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, str], Postings] = OrderedDict()
        self._most = most
        self._size = 0

    def get(self, name: tuple[str, str, str]) -> Postings | None:
        with self._lock:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
            return found

    def put(self, name: tuple[str, str, str], postings: Postings) -> None:
        with self._lock:
            if name not in self._kept:
                self._kept[name] = postings
                self._size += len(postings.ids) + ENTRY_COST
            while self._size > self._most and self._kept:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped.ids) + ENTRY_COST


class SegmentFacts:
    """What is known of each document of one segment, read once: its key's number, its page and its length."""

    def __init__(self, reader: SegmentReader) -> None:
        self.size: int = reader.doc_count_all()
        self.numbers = _column(reader, "number", "Q", self.size)
        self.pages = _column(reader, "page", "I", self.size)
        self.lengths = _column(reader, "length", "I", self.size)
        self.tags = [tag.decode() for tag in reader.lexicon("tags")]


class OpenSegment:
    """One segment as one thread reads it. Whoosh's readers are no good for two threads at once."""

    def __init__(self, name: str, reader: SegmentReader, facts: SegmentFacts, cache: PostingsCache) -> None:
        self.size = facts.size
        self.numbers, self.pages, self.tags = facts.numbers, facts.pages, facts.tags
        self.deleted = frozenset(reader.segment().deleted_docs())
        self._lengths = facts.lengths
        self._reader = reader
        self._name = name
        self._cache = cache

    def postings(self, leg: Leg) -> Postings:
        """Where the leg stands; documents that are deleted are among them."""
        if isinstance(leg, Start):
            return self.starting("words", leg.letters)
        return self.standing("tags", leg.tag) if isinstance(leg, Tagged) else self.standing("text", leg.term)

    def tagged(self, tag: str) -> "array[int]":
        return self.standing("tags", tag).ids

    def standing(self, field: str, term: str) -> Postings:
        """Where exactly this term stands in the field."""
        return self._kept(field, term, lambda: self._read(field, term))

    def starting(self, field: str, letters: str) -> Postings:
        """Where any of the field's terms stands that begin with the letters; of many the first `MAX_STARTS`."""
        return self._kept(field, f"{letters}*", lambda: self._read_starts(field, letters))

    def positions(self, term: str, documents: Sequence[int]) -> Mapping[int, Sequence[int]]:
        found: dict[int, Sequence[int]] = {}
        try:
            matcher = self._reader.postings("text", term)
        except TermNotFound:
            return found
        for document in documents:
            if not matcher.is_active():
                break
            matcher.skip_to(document)
            if matcher.is_active() and matcher.id() == document:
                found[document] = matcher.value_as("positions")
        return found

    def holds(self, field: str, term: str) -> int:
        """How many documents hold the term in the field."""
        return int(self._reader.doc_frequency(field, term))

    def near(self, field: str, word: str, *, edits: int, prefix: int) -> Iterator[str]:
        """The field's words that differ from this one by so many letters at most, but not in its first ones."""
        yield from self._reader.terms_within(field, word, edits, prefix=prefix)

    def _kept(self, field: str, name: str, read: Callable[[], Postings]) -> Postings:
        place = (self._name, field, name)
        postings = self._cache.get(place)
        if postings is None:
            postings = read()
            self._cache.put(place, postings)
        return postings

    def _read(self, field: str, term: str) -> Postings:
        # Not `postings()`, which leaves out what is deleted by now: a reader of the version before goes by what is kept
        # here too, and would miss a text that was only replaced.
        kind = self._reader.schema[field]
        try:
            matcher = self._reader._terms.matcher(field, kind.to_bytes(term), kind.format)
        except TermNotFound:
            return NOWHERE
        ids, impacts, lengths = array("I"), array("f"), self._lengths
        while matcher.is_active():
            document = matcher.id()
            ids.append(document)
            impacts.append(impact(matcher.weight(), lengths[document]))
            matcher.next()
        return Postings(ids, impacts)

    def _read_starts(self, field: str, letters: str) -> Postings:
        heaviest: dict[int, float] = {}
        for term in islice(self._reader.expand_prefix(field, letters), MAX_STARTS):
            ids, impacts = self.standing(field, term.decode())
            for document, weight in zip(ids, impacts, strict=True):
                heaviest[document] = max(weight, heaviest.get(document, 0.0))
        ids = array("I", sorted(heaviest))
        return Postings(ids, array("f", (heaviest[document] for document in ids)))


class OpenIndex:
    """A version of the index as one thread reads it."""

    def __init__(self, stamp: Stamp, reader: IndexReader, segments: Sequence[OpenSegment]) -> None:
        self.stamp = stamp
        self.segments = segments
        self._reader = reader

    def close(self) -> None:
        self._reader.close()


class Readers:
    """Open versions of the index, each lent to one thread at a time and dropped when the index has moved on."""

    def __init__(self, folder: IndexFolder) -> None:
        self._folder = folder
        self._places = threading.BoundedSemaphore(MAX_OPEN)
        self._lock = threading.Lock()
        self._idle: list[OpenIndex] = []
        self._facts: dict[str, SegmentFacts] = {}
        self._cache = PostingsCache()

    @contextmanager
    def lend(self) -> Iterator[OpenIndex]:
        """The newest version of the index; raises whatever Whoosh raises if it is broken."""
        with self._places:
            stamp = self._folder.stamp()
            opened = self._take(stamp) or self._open(stamp)
            try:
                yield opened
            except BaseException:
                opened.close()
                raise
            with self._lock:
                self._idle.append(opened)

    def close(self) -> None:
        """Close what nobody has borrowed."""
        with self._lock:
            idle, self._idle = self._idle, []
        for opened in idle:
            opened.close()

    def _take(self, stamp: Stamp) -> OpenIndex | None:
        with self._lock:
            current = [opened for opened in self._idle if opened.stamp == stamp]
            stale = [opened for opened in self._idle if opened.stamp != stamp]
            taken = current.pop() if current else None
            self._idle = current
        for opened in stale:
            opened.close()
        return taken

    def _open(self, stamp: Stamp) -> OpenIndex:
        for attempts_left in reversed(range(OPENINGS)):
            try:
                return self._open_once(stamp)
            except (OSError, index.EmptyIndexError):
                # A commit deletes the segments it has merged, perhaps before all their files are open here; and a
                # folder that is listed while its table of contents is replaced may show neither the old nor the new.
                if not attempts_left:
                    raise
        raise AssertionError("unreachable")

    def _open_once(self, stamp: Stamp) -> OpenIndex:
        folder = self._folder.current()
        reader = whoosh_index.open_index(folder).reader()
        try:
            leaves = {
                f"{folder.name}/{leaf.segment().segment_id()}": leaf
                for leaf, _ in reader.leaf_readers()
                if isinstance(leaf, SegmentReader)
            }
            facts = {name: self._facts.get(name) or SegmentFacts(leaf) for name, leaf in leaves.items()}
            segments = [OpenSegment(name, leaf, facts[name], self._cache) for name, leaf in leaves.items()]
        except BaseException:
            reader.close()
            raise
        self._facts = facts
        return OpenIndex(stamp, reader, segments)


def _column(reader: SegmentReader, field: str, kind: str, size: int) -> "array[int]":
    column = reader.column_reader(field, translate=False)
    if not reader.has_column(field):
        # A commit that merged the segment deletes its files. Where this one is gone, Whoosh reads noughts in silence.
        raise FileNotFoundError(f"the column {field} of the segment is gone")
    return array(kind, (column[document] for document in range(size)))
