"""From documents with scores to pages in order: each page once, by its best text, with counts of what was found."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from heapq import nsmallest
from typing import Protocol

from app.search.engine import GROUPS, Found, Group, Hit, Key, Kind, Place

MAX_TAGS = 20
"""Tags counted for an answer, the commonest."""

KINDS = len(Kind)
GROUP_OF_KIND = tuple(int(GROUPS[kind]) for kind in Kind)
DRAFTS = int(Group.DRAFTS)


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
    """The pages with documents of these groups among the matches, each by the first of its kinds and highest score."""

    def __init__(
        self, segments: Sequence[Segment], matches: Sequence[Mapping[int, float]], groups: Collection[Group]
    ) -> None:
        self._segments = segments
        self._best: dict[int, tuple[int, int, int]] = {}
        self._chosen: dict[int, tuple[int, int]] = {}
        self._drafts: dict[int, int] = {}
        self._pages_by_group: tuple[set[int], ...] = tuple(set() for _ in Group)
        self._asked = frozenset(map(int, groups))
        for place, (segment, scores) in enumerate(zip(segments, matches, strict=True)):
            self._take_in(place, segment, scores)

    def __bool__(self) -> bool:
        return bool(self._best)

    def found(self, *, limit: int, after: Place | None, any_word: bool) -> Found:
        """Some of the pages in order, with the counts of all."""
        places = [self._place_of(page) for page in self._best]
        if after is not None:
            begin = self._place_now(after)
            places = [place for place in places if place > begin]
        first = nsmallest(limit + 1, places)
        return Found(
            hits=tuple(self._hit(Place(*place)) for place in first[:limit]),
            by_group={group: len(self._pages_by_group[group]) for group in Group},
            by_tag=self._count_tags(),
            more=len(first) > limit,
            any_word=any_word,
        )

    def _take_in(self, place: int, segment: Segment, scores: Mapping[int, float]) -> None:
        numbers, pages, deleted = segment.numbers, segment.pages, segment.deleted
        best, chosen, drafts = self._best, self._chosen, self._drafts
        for document, score in scores.items():
            if document in deleted:
                continue
            number, page = numbers[document], pages[document]
            kind = number % KINDS
            group = GROUP_OF_KIND[kind]
            self._pages_by_group[group].add(page)
            if group == DRAFTS:
                drafts[page] = drafts.get(page, 0) + 1
            if group not in self._asked:
                continue
            better = (kind, -round(score * 1_000_000), number)
            if page not in best or better < best[page]:
                best[page] = better
                chosen[page] = (place, document)

    def _place_of(self, page: int) -> tuple[int, int, int]:
        kind, minus, _ = self._best[page]
        return GROUP_OF_KIND[kind], minus, page

    def _place_now(self, was: Place) -> tuple[int, int, int]:
        """Where that page stands now: each new text shifts all scores a little, but hardly their order."""
        now = self._place_of(was.page_id) if was.page_id in self._best else was
        return now if now[0] == was.group else was

    def _hit(self, place: Place) -> Hit:
        _, _, number = self._best[place.page_id]
        others = self._drafts.get(place.page_id, 0) - (place.group == DRAFTS)
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
