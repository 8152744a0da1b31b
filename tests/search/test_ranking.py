"""From documents with scores to pages in order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from app.search.correction import likeliest, swapped
from app.search.engine import Group, Key, Kind, Place
from app.search.ranking import PagesFound, key_of, number_of

BOTH = (Group.APPROVED, Group.DRAFTS)


@dataclass
class Shelf:
    """Documents by their keys; a document's page is the key's id, or the hundreds of a fork's or approval's."""

    keys: Sequence[Key]
    deleted: Collection[int] = frozenset()
    carrying: Mapping[str, Collection[int]] = field(default_factory=dict)

    @property
    def numbers(self) -> list[int]:
        return [number_of(key) for key in self.keys]

    @property
    def pages(self) -> list[int]:
        return [key.id if key.kind in (Kind.APPROVED, Kind.SHARED) else key.id // 100 for key in self.keys]

    @property
    def tags(self) -> list[str]:
        return list(self.carrying)

    def tagged(self, tag: str) -> Collection[int]:
        return self.carrying[tag]


def approved(page: int) -> Key:
    return Key(Kind.APPROVED, page)


def shared(page: int) -> Key:
    return Key(Kind.SHARED, page)


def fork(page: int, number: int) -> Key:
    return Key(Kind.FORK, 100 * page + number)


def replaced(page: int, number: int) -> Key:
    return Key(Kind.REPLACED, 100 * page + number)


def test_a_key_survives_being_a_number() -> None:
    keys = [Key(kind, number) for kind in Kind for number in (1, 2, 3_000_000_000)]
    assert [key_of(number_of(key)) for key in keys] == keys
    assert len({number_of(key) for key in keys}) == len(keys)


def test_approved_texts_come_first_and_then_the_best_score() -> None:
    shelf = Shelf([approved(1), shared(2), approved(3), fork(4, 1)])
    found = PagesFound([shelf], [{0: 1.0, 1: 9.0, 2: 2.0, 3: 8.5}], BOTH).found(limit=10, after=None, any_word=False)
    assert [hit.key for hit in found.hits] == [approved(3), approved(1), shared(2), fork(4, 1)]
    assert [hit.score for hit in found.hits] == [2.0, 1.0, 9.0, 8.5]


def test_a_page_is_listed_once_by_its_approved_text_else_the_shared_draft_else_the_best_fork() -> None:
    first = Shelf([fork(1, 1), fork(1, 2), shared(1), fork(2, 1), fork(2, 2)])
    second = Shelf([approved(1), fork(2, 3)])
    matches = [{0: 9.0, 1: 9.0, 2: 3.0, 3: 1.0, 4: 2.0}, {0: 0.5, 1: 1.5}]
    found = PagesFound([first, second], matches, BOTH).found(limit=10, after=None, any_word=False)
    assert [(hit.key, hit.page_id, hit.other_drafts) for hit in found.hits] == [(approved(1), 1, 3), (fork(2, 2), 2, 2)]
    drafts = PagesFound([first, second], matches, [Group.DRAFTS]).found(limit=10, after=None, any_word=False)
    assert [(hit.key, hit.other_drafts) for hit in drafts.hits] == [(shared(1), 2), (fork(2, 2), 2)]


def test_what_is_deleted_does_not_count() -> None:
    shelf = Shelf([approved(1), shared(1)], deleted={0})
    found = PagesFound([shelf], [{0: 1.0, 1: 1.0}], BOTH).found(limit=10, after=None, any_word=False)
    assert [hit.key for hit in found.hits] == [shared(1)]
    assert found.by_group == {Group.APPROVED: 0, Group.DRAFTS: 1, Group.REPLACED: 0}


def test_every_group_is_counted_in_pages_and_every_tag_among_what_was_asked_for() -> None:
    shelf = Shelf(
        [approved(1), shared(1), fork(1, 1), replaced(1, 7), approved(2), shared(3)],
        carrying={"rents": [0, 1, 2, 3, 4], "homes": [5], "none": []},
    )
    found = PagesFound([shelf], [dict.fromkeys(range(6), 1.0)], [Group.APPROVED]).found(
        limit=1, after=None, any_word=False
    )
    assert found.by_group == {Group.APPROVED: 2, Group.DRAFTS: 2, Group.REPLACED: 1}
    assert found.by_tag == {"rents": 2}
    assert found.more


def test_going_on_after_a_place_meets_every_page_once_also_among_equal_scores() -> None:
    shelf = Shelf([*(approved(page) for page in range(1, 8)), *(shared(page) for page in range(8, 12))])
    pages = PagesFound([shelf], [{document: float(document % 2) for document in range(11)}], BOTH)
    listed: list[int] = []
    after: Place | None = None
    while True:
        found = pages.found(limit=3, after=after, any_word=False)
        listed += [hit.page_id for hit in found.hits]
        if not found.more:
            break
        after = found.hits[-1].place
    assert listed == [2, 4, 6, 1, 3, 5, 7, 8, 10, 9, 11]
    assert sorted(listed) == list(range(1, 12))


def test_two_neighbouring_letters_change_places() -> None:
    assert list(swapped("rent")) == ["ernt", "rnet", "retn"]
    assert list(swapped("aa")) == []


def test_the_likeliest_word_begins_alike_and_stands_in_many_texts() -> None:
    assert likeliest("hose", [("house", 3), ("horse", 1), ("rose", 90), ("hose", 5), ("hoses", 0)]) == "house"
    assert likeliest("hose", [("rose", 1)]) == "rose"
    assert likeliest("hose", [("hoses", 0)]) is None
