"""What an engine of full-text search does for this program, whatever it is built on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol

from app.search.analysis import Analysis
from app.search.query import Query


class IndexUnavailable(Exception):
    """The index is missing or broken. Nothing of worth is lost: it is made again from the database."""


class IndexOutOfReach(IndexUnavailable):
    """The machine lacks what it takes to use the index just now, such as room on the disk; the index is sound."""


class Kind(IntEnum):
    """What a text is to its page. Of a page's texts that fit a query, the one with the lowest number stands for it."""

    APPROVED = 0
    SHARED = 1
    FORK = 2
    REPLACED = 3


class Group(IntEnum):
    """Kinds that are searched and listed together, in this order."""

    APPROVED = 0
    DRAFTS = 1
    REPLACED = 2


GROUPS: Mapping[Kind, Group] = {
    Kind.APPROVED: Group.APPROVED,
    Kind.SHARED: Group.DRAFTS,
    Kind.FORK: Group.DRAFTS,
    Kind.REPLACED: Group.REPLACED,
}


class Key(NamedTuple):
    """The one name of a document: the id is the page's for its approved text and shared draft, the draft's for a fork,
    and the approval's for a text that was approved once.
    """

    kind: Kind
    id: int


@dataclass(frozen=True, slots=True)
class Document:
    """A text to find, with the title and tags of its page."""

    key: Key
    page_id: int
    title: str
    text: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """A step of the index: documents as they stand now, those that are no more, and the mark it brings the index to."""

    documents: Sequence[Document]
    removed: Sequence[Key]
    mark: str


class Place(NamedTuple):
    """Where a hit stands in its list: by group, then by score in millionths, then by page."""

    group: int
    minus_score: int
    page_id: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A page, by its best text for the query, and how many of its other drafts fit too."""

    key: Key
    page_id: int
    place: Place
    other_drafts: int = 0

    @property
    def score(self) -> float:
        return -self.place.minus_score / 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """Some hits in order, and whether more follow.

    `by_group` counts the pages found in every group, asked for or not; `by_tag` the pages among all hits. `any_word`
    says that no text holds all words, so these hold some.
    """

    hits: tuple[Hit, ...] = ()
    by_group: Mapping[Group, int] = field(default_factory=dict)
    by_tag: Mapping[str, int] = field(default_factory=dict)
    more: bool = False
    any_word: bool = False


class Engine(Protocol):
    """Finds documents, in one process or many; only the indexer's process calls `apply` and `rebuild`.

    Everything but `rebuild` raises `IndexUnavailable` where the index cannot be used.
    """

    @property
    def analysis(self) -> Analysis:
        """How this engine reads texts, for whoever has to read queries and passages alike."""

    def search(self, query: Query, groups: Collection[Group], *, limit: int, after: Place | None = None) -> Found:
        """The pages with texts in these groups that fit, the best first, after a place."""

    def suggest(self, typed: str, *, limit: int) -> list[int]:
        """Pages whose titles hold words that begin as typed, the likeliest first; misspelt ones if there are none."""

    def correct(self, words: Iterable[str]) -> dict[str, str]:
        """For each word that no text holds, the nearest one that some do, if any is near."""

    def mark(self) -> str | None:
        """What the newest `apply` or `rebuild` was marked with; None if there is no index to go on from."""

    def apply(self, batch: Batch) -> None:
        """Bring the index to the batch's mark; the same batch twice does no harm."""

    def rebuild(self, documents: Iterable[Document], mark: str) -> None:
        """Make the index anew from these documents; searches go on in the old one until it is complete."""

    def tidy(self) -> bool:
        """Do some upkeep that can wait for a quiet moment; returns whether there was any."""

    def rebuild_asked(self) -> bool:
        """Whether a search found the index broken since it was last made, in whatever process."""
