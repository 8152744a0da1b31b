"""From documents with scores to pages in order: each page once, by its best text, with counts of what was found."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from heapq import nsmallest
from typing import Protocol

from app.search.engine import Found, Hit, Key, Kind, Place

MAX_TAGS = 20
"""Tags counted for an answer, the commonest."""

GROUP_OF_KIND = (0, 1, 1, 2)
DRAFTS = frozenset({int(Kind.SHARED), int(Kind.FORK)})
KINDS = len(Kind)


class Segment(Protocol):
    """What is known of the documents of a part of an index."""

    @property
    def deleted(self) -> Collection[int]:
        """Documents that are no more."""

    @property
    def numbers(self) -> Sequence[int]:
        """Each document's key as a number."""

    @property
    def pages(self) -> Sequence[int]:
        """Each document's page."""

    @property
    def tags(self) -> Sequence[str]:
        """The tags that any document carries."""

    def tagged(self, tag: str) -> Collection[int]:
        """The documents that carry the tag."""


def number_of(key: Key) -> int:
    """A document's name as one number."""
    return key.id * KINDS + key.kind


def key_of(number: int) -> Key:
    """The name that `number_of` made a number of."""
    return Key(Kind(number % KINDS), number // KINDS)


class PagesFound:
    """The pages with documents of these kinds among the matches, each by the first of its kinds and highest score."""

    def __init__(
        self, segments: Sequence[Segment], matches: Sequence[Mapping[int, float]], kinds: Collection[Kind]
    ) -> None:
        self._segments = segments
        self._best: dict[int, tuple[int, int, int]] = {}
        self._chosen: dict[int, tuple[int, int]] = {}
        self._drafts: dict[int, int] = {}
        self._pages_by_kind: dict[Kind, set[int]] = {kind: set() for kind in kinds}
        for place, (segment, scores) in enumerate(zip(segments, matches, strict=True)):
            self._take_in(place, segment, scores)

    def __bool__(self) -> bool:
        return bool(self._best)

    def found(self, *, limit: int, after: Place | None, any_word: bool) -> Found:
        """Some of the pages in order, with the counts of all."""
        places = [(GROUP_OF_KIND[kind], minus, page) for page, (kind, minus, _) in self._best.items()]
        first = nsmallest(limit + 1, places if after is None else [place for place in places if place > after])
        return Found(
            hits=tuple(self._hit(Place(*place)) for place in first[:limit]),
            by_kind={kind: len(pages) for kind, pages in self._pages_by_kind.items()},
            by_tag=self._count_tags(),
            more=len(first) > limit,
            any_word=any_word,
        )

    def _take_in(self, place: int, segment: Segment, scores: Mapping[int, float]) -> None:
        numbers, pages, deleted = segment.numbers, segment.pages, segment.deleted
        best, chosen, drafts = self._best, self._chosen, self._drafts
        by_kind = [self._pages_by_kind.get(kind) for kind in Kind]
        for document, score in scores.items():
            number = numbers[document]
            kind = number % KINDS
            seen = by_kind[kind]
            if seen is None or document in deleted:
                continue
            page = pages[document]
            seen.add(page)
            if kind in DRAFTS:
                drafts[page] = drafts.get(page, 0) + 1
            better = (kind, -round(score * 1_000_000), number)
            if page not in best or better < best[page]:
                best[page] = better
                chosen[page] = (place, document)

    def _hit(self, place: Place) -> Hit:
        kind, _, number = self._best[place.page_id]
        others = self._drafts.get(place.page_id, 0) - (kind in DRAFTS)
        return Hit(key_of(number), place.page_id, place, other_drafts=others)

    def _count_tags(self) -> dict[str, int]:
        chosen: dict[int, set[int]] = {}
        for place, document in self._chosen.values():
            chosen.setdefault(place, set()).add(document)
        counts: Counter[str] = Counter()
        for place, documents in chosen.items():
            segment = self._segments[place]
            for tag in segment.tags:
                counts[tag] += len(documents.intersection(segment.tagged(tag)))
        return {tag: count for tag, count in counts.most_common(MAX_TAGS) if count}
