"""The index on disk: what it finds, how it moves on, and what becomes of it when it breaks."""

import gc
import os
import resource
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whoosh.index import TOC

from app.search.engine import Batch, Document, Group, IndexOutOfReach, IndexUnavailable, Key, Kind, Place
from app.search.index_folder import IndexFolder
from app.search.query import parse
from app.search.whoosh_engine import WhooshEngine
from app.search.whoosh_index import ENOUGH_SEGMENTS, FORM, choose_merge
from app.search.whoosh_reading import OpenIndex, Readers

ALL = tuple(Group)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WhooshEngine]:
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild([], "0")
    yield engine
    engine.close()


def document(page: int, title: str, text: str, *tags: str, kind: Kind = Kind.APPROVED) -> Document:
    return Document(Key(kind, page), page, title, text, tags)


def put(engine: WhooshEngine, *documents: Document, removed: tuple[Key, ...] = (), mark: str = "1") -> None:
    engine.apply(Batch(documents, removed, mark))


def found(engine: WhooshEngine, typed: str, groups: tuple[Group, ...] = ALL, limit: int = 50) -> list[int]:
    return [hit.page_id for hit in engine.search(parse(typed, engine.analysis), groups, limit=limit).hits]


SHELF = [
    document(1, "Housing", "Renters get a fair contract.", "homes", "social care"),
    document(2, "Fair tax", "Everyone pays a fair share of tax. Contracts for builders.", "money"),
    document(3, "住宅政策", "住宅を建てる。家賃の上限を決める。", "homes"),
    document(4, "Élections", "Nous voterons pour l’homme. 10,000 voix."),
    document(5, "นโยบาย", "นโยบายที่อยู่อาศัยที่เป็นธรรม"),
]


@pytest.mark.parametrize(
    ("typed", "pages"),
    [
        ("contract", [1, 2]),
        ("CONTRACTS fair", [1, 2]),
        ("housing renter", [1]),  # title and text together
        ('"fair contract"', [1]),
        ('"housing renters"', []),  # no phrase reaches from the title into the text
        ("contra*", [1, 2]),
        ("contract -tax", [1]),
        ("contract tag:money", [2]),
        ('tag:"social care"', [1]),
        ("tag:homes", [1, 3]),
        ("homme 10000", [4]),
        ("elections", [4]),
        ("住宅", [3]),
        ("賃", [3]),
        ("上限を決", [3]),
        ("ที่อยู่", [5]),
        ("มที่", []),
        ("", []),
        ("-tax", []),
    ],
)
def test_texts_of_any_script_are_found_by_what_they_say(engine: WhooshEngine, typed: str, pages: list[int]) -> None:
    engine.rebuild(SHELF, "1")
    assert sorted(found(engine, typed)) == pages


def test_a_word_in_the_title_outweighs_one_in_the_text(engine: WhooshEngine) -> None:
    put(engine, document(1, "Rents", "About tax."), document(2, "Tax", "About rents."))
    assert found(engine, "rents") == [1, 2]
    assert found(engine, "tax") == [2, 1]


def test_if_no_text_holds_all_words_those_with_some_are_found_and_it_is_said(engine: WhooshEngine) -> None:
    engine.rebuild(SHELF, "1")
    some = engine.search(parse("contract fracking", engine.analysis), ALL, limit=9)
    assert [hit.page_id for hit in some.hits] == [1, 2]
    assert some.any_word
    assert not engine.search(parse("contract fair", engine.analysis), ALL, limit=9).any_word
    assert found(engine, "contract fracking tag:nothing") == []


def test_a_changed_document_is_found_by_its_new_words_only_and_a_removed_one_not_at_all(engine: WhooshEngine) -> None:
    put(engine, document(1, "Housing", "old words"), document(2, "Tax", "old words"))
    assert sorted(found(engine, "old")) == [1, 2]
    put(engine, document(1, "Housing", "new words"), removed=(Key(Kind.APPROVED, 2),))
    assert found(engine, "old") == []
    assert found(engine, "new words") == [1]
    assert found(engine, "tax") == []


def test_the_same_batch_twice_does_no_harm(engine: WhooshEngine) -> None:
    for _ in range(2):
        put(engine, *SHELF, removed=(Key(Kind.FORK, 77),), mark="5")
    assert sorted(found(engine, "contract")) == [1, 2]
    assert engine.search(parse("contract", engine.analysis), ALL, limit=9).by_group[Group.APPROVED] == 2
    assert engine.mark() == "5"


texts = st.lists(st.sampled_from(["home", "rent", "tax", "fair", "住宅"]), min_size=1, max_size=4).map(" ".join)
keys = st.builds(Key, st.sampled_from(list(Kind)), st.integers(1, 4))
steps: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.just("apply"), st.dictionaries(keys, texts, max_size=4), st.lists(keys, max_size=2)),
    st.tuples(st.just("rebuild"), st.just({}), st.just([])),
    st.tuples(st.just("tidy"), st.just({}), st.just([])),
)


@given(script=st.lists(steps, min_size=1, max_size=9))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_index_holds_what_it_was_told_whatever_the_steps(
    engine: WhooshEngine, script: list[tuple[str, dict[Key, str], list[Key]]]
) -> None:
    engine.rebuild([], "0")
    held: dict[Key, str] = {}
    for verb, documents, removed in script:
        if verb == "apply":
            gone = [key for key in removed if key not in documents]
            put(engine, *(Document(key, key.id, "", text) for key, text in documents.items()), removed=tuple(gone))
            held = {key: text for key, text in (held | documents).items() if key not in gone}
        elif verb == "rebuild":
            engine.rebuild([Document(key, key.id, "", text) for key, text in held.items()], "1")
        else:
            engine.tidy()
        for word in ("home", "tax", '"rent tax"', "住宅"):
            holding = [key for key, text in held.items() if word.strip('"') in text]
            for group, kinds in ((Group.APPROVED, {Kind.APPROVED}), (Group.DRAFTS, {Kind.SHARED, Kind.FORK})):
                expected = sorted({key.id for key in holding if key.kind in kinds})
                assert sorted(found(engine, word, (group,))) == expected


def test_many_small_steps_leave_few_segments(engine: WhooshEngine, tmp_path: Path) -> None:
    for number in range(40):
        put(engine, document(number % 7, "Housing", f"words number{number}"))
    assert len(list((tmp_path / "search" / "current").glob("*.trm"))) <= 2 * ENOUGH_SEGMENTS
    assert sorted(found(engine, "housing")) == list(range(7))
    assert found(engine, "number39") == [39 % 7]


def test_segments_are_merged_seldom_and_stay_few() -> None:
    sizes: list[int] = []
    copied = most = 0
    for _ in range(3_000):
        sizes.append(1)
        chosen = choose_merge(sizes, None)
        copied += sum(sizes[number] for number in chosen)
        if chosen:
            sizes = [size for number, size in enumerate(sizes) if number not in chosen] + [
                sum(sizes[n] for n in chosen)
            ]
        most = max(most, len(sizes))
    assert most <= 4 * ENOUGH_SEGMENTS
    assert copied <= 3_000 * 10


def test_along_with_a_commit_only_so_much_is_merged() -> None:
    assert choose_merge([100] * 6, 200) == []
    assert sorted(choose_merge([100] * 6, None)) == [0, 1, 2, 3, 4, 5]
    assert sorted(choose_merge([1, 900, 1, 1, 1, 1], 200)) == [0, 2, 3, 4, 5]
    assert choose_merge([1] * (ENOUGH_SEGMENTS - 1), None) == []


@pytest.mark.parametrize(
    ("typed", "pages"),
    [
        ("h", [1, 2, 3]),
        ("hou", [1, 2]),
        ("rent ho", [3]),
        ("ho rent", [3]),
        ("housng", [1, 2]),
        ("huosing", [1, 2]),
        ("hoousinng", [1, 2]),
        ("住", [4]),
        ("住宅", [4]),
        ("zzz", []),
        ("", []),
        ("  ?", []),
    ],
)
def test_titles_are_suggested_from_the_first_letter_and_when_misspelt(
    engine: WhooshEngine, typed: str, pages: list[int]
) -> None:
    put(
        engine,
        document(1, "Housing", "", kind=Kind.SHARED),
        document(2, "Housing benefit", ""),
        document(3, "Rents for homes", ""),
        document(4, "住宅政策", ""),
        document(9, "Hospitals", "", kind=Kind.FORK),
    )
    assert sorted(engine.suggest(typed, limit=9)) == pages


def test_a_title_that_begins_so_is_suggested_first_and_approved_ones_before_others(engine: WhooshEngine) -> None:
    put(
        engine,
        document(1, "Fair rents", ""),
        document(2, "Rents", "", kind=Kind.SHARED),
        document(3, "Rent caps", ""),
        document(3, "Rent caps", "", kind=Kind.SHARED),
    )
    assert engine.suggest("rent", limit=9) == [3, 2, 1]
    assert engine.suggest("rent", limit=1) == [3]


def test_a_word_nobody_wrote_is_corrected_to_the_nearest_that_most_texts_hold(engine: WhooshEngine) -> None:
    put(
        engine,
        *(document(number, "Housing", "Immigration needs houses") for number in range(1, 4)),
        document(9, "Hosing", "horses"),
    )
    words = ["housng", "huosing", "imigraton", "renters", "house", "ho", "住宅"]
    assert engine.correct(words) == {"housng": "housing", "huosing": "housing", "imigraton": "immigration"}


def test_lists_go_on_where_they_stopped_though_the_index_moves(engine: WhooshEngine) -> None:
    engine.rebuild([document(page, "Housing", "fair rents") for page in range(1, 8)], "1")
    query = parse("rents", engine.analysis)
    first = engine.search(query, ALL, limit=3)
    put(engine, document(99, "Housing", "fair rents rents"), document(98, "Housing", "fair rents"))
    rest: list[int] = []
    after: Place | None = first.hits[-1].place
    while after is not None:
        part = engine.search(query, ALL, limit=3, after=after)
        rest += [hit.page_id for hit in part.hits]
        after = part.hits[-1].place if part.more else None
    assert [hit.page_id for hit in first.hits] == [1, 2, 3]
    assert {4, 5, 6, 7} <= set(rest)
    assert not {1, 2, 3} & set(rest)


def test_there_is_no_index_before_there_is_one(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path / "search")
    assert engine.mark() is None
    assert not engine.rebuild_asked()
    for use in (
        lambda: engine.search(parse("x", engine.analysis), ALL, limit=1),
        lambda: engine.suggest("x", limit=1),
        lambda: engine.correct(["x"]),
        lambda: engine.apply(Batch([], [], "1")),
        engine.tidy,
    ):
        with pytest.raises(IndexUnavailable):
            use()
    assert not engine.rebuild_asked()


def test_an_index_of_another_form_counts_as_missing(engine: WhooshEngine, tmp_path: Path) -> None:
    assert engine.mark() == "0"
    assert IndexFolder(tmp_path / "search", f"{FORM}x").mark() is None
    (tmp_path / "search" / "current" / "mark.json").write_text("{")
    assert engine.mark() is None


def test_a_rebuild_takes_the_place_of_the_index_at_once_and_clears_away(engine: WhooshEngine, tmp_path: Path) -> None:
    put(engine, document(1, "Housing", "old"))
    assert found(engine, "old") == [1]

    def documents() -> Iterator[Document]:
        yield document(2, "Tax", "new")
        assert found(engine, "old") == [1]  # until it is complete

    engine.rebuild(documents(), "9")
    assert found(engine, "old") == []
    assert found(engine, "new") == [2]
    assert engine.mark() == "9"
    assert len(list((tmp_path / "search").glob("index-*"))) == 1


def test_a_rebuild_that_fails_leaves_the_index_as_it_was(engine: WhooshEngine, tmp_path: Path) -> None:
    put(engine, document(1, "Housing", "old"), mark="3")

    def broken() -> Iterator[Document]:
        yield document(2, "Tax", "new")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        engine.rebuild(broken(), "9")
    assert len(list((tmp_path / "search").glob("index-*"))) == 1
    assert found(engine, "old") == [1]
    assert engine.mark() == "3"


def test_only_its_owner_reads_and_writes_the_index(engine: WhooshEngine, tmp_path: Path) -> None:
    put(engine, document(1, "Housing", "words"))
    root = tmp_path / "search"
    for folder in (root, (root / "current").resolve()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (root / "current").resolve().chmod(0o770)
    with pytest.raises(IndexUnavailable, match="others may write"):
        found(WhooshEngine(root), "words")


def _files_of(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("index-*/*") if path.suffix in {".toc", ".trm", ".pst", ".col"})


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("damage", ["cut", "emptied", "overwritten", "gone"])
def test_a_damaged_index_is_noticed_and_asks_to_be_made_anew(tmp_path: Path, damage: str, broken_index: None) -> None:
    noticed = set()
    sound = WhooshEngine(tmp_path / "sound")
    sound.rebuild(SHELF, "1")
    for number, path in enumerate(_files_of(tmp_path / "sound")):
        root = tmp_path / str(number)
        shutil.copytree(tmp_path / "sound", root, symlinks=True)
        victim = root / path.relative_to(tmp_path / "sound")
        content = victim.read_bytes()
        match damage:
            case "cut":
                victim.write_bytes(content[: len(content) // 2])
            case "emptied":
                victim.write_bytes(b"")
            case "overwritten":
                victim.write_bytes(bytes(len(content)))
            case _:
                victim.unlink()
        engine = WhooshEngine(root)
        try:
            found(engine, '"fair contract" -tax')
            engine.suggest("hou", limit=3)
        except IndexUnavailable:
            assert engine.rebuild_asked()
            noticed.add(victim.suffix)
        engine.close()
    assert {".toc", ".trm", ".pst"} <= noticed
    assert damage != "gone" or ".col" in noticed, "a column that a merge deleted would be read as noughts"
    engine = WhooshEngine(tmp_path / "0")
    engine.rebuild(SHELF, "1")
    assert not engine.rebuild_asked()
    assert found(engine, '"fair contract"') == [1]
    engine.close()


@contextmanager
def _files_left(count: int) -> Iterator[None]:
    """Let this process open so many files more: the limit is of numbers, so the free ones below it are taken."""
    gc.collect()  # or files of tests before would be closed in the midst of it
    gc.disable()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 3, hard))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for number in taken[:count]:
            os.close(number)
        del taken[:count]
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        gc.enable()
        for number in taken:
            os.close(number)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_machine_short_of_files_is_no_reason_to_make_the_index_anew(
    engine: WhooshEngine, left: int, broken_index: None
) -> None:
    put(engine, document(1, "Housing", "words"))
    with _files_left(left), pytest.raises(IndexOutOfReach):
        found(engine, "words")
    assert not engine.rebuild_asked()
    assert found(engine, "words") == [1]


def test_what_one_version_is_read_for_changes_nothing_for_readers_of_the_version_before(
    engine: WhooshEngine, tmp_path: Path
) -> None:
    engine.rebuild([document(1, "Constant", "always there"), *SHELF[1:]], "1")
    readers = Readers(IndexFolder(tmp_path / "search", FORM))

    def standing(opened: OpenIndex) -> int:
        return sum(len({*part.standing("text", "constant").ids} - part.deleted) for part in opened.segments)

    with readers.lend() as before:
        put(engine, document(1, "Constant", "always here"))
        with readers.lend() as after:
            assert standing(after) == 1
        assert standing(before) == 1
    readers.close()


def test_readers_are_never_disturbed_by_a_writer(engine: WhooshEngine) -> None:
    engine.rebuild([document(1, "Constant", "always there"), *SHELF[1:]], "1")
    done = threading.Event()
    problems: list[object] = []
    reads = [0] * 2

    def read(reader: int) -> None:
        while not done.is_set() or reads[reader] < 5:
            reads[reader] += 1
            try:
                if found(engine, "constant always") != [1] or engine.suggest("const", limit=2) != [1]:
                    problems.append(found(engine, "constant always"))
            except IndexUnavailable as error:
                problems.append(error)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for number in range(10):
        put(
            engine,
            document(2 + number % 5, "Changing", f"text number{number}"),
            document(1, "Constant", "always there"),
        )
        if number == 5:
            engine.tidy()
    engine.rebuild([document(1, "Constant", "always there")], "2")
    done.set()
    for thread in threads:
        thread.join()
    assert not problems
    assert min(reads) >= 5
    assert not engine.rebuild_asked()


def test_a_folder_that_is_listed_between_two_versions_is_listed_again(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.rebuild(SHELF, "1")
    listed = TOC._latest_generation
    answers = iter([-1, -1])  # what Whoosh finds in a folder that shows neither table of contents
    monkeypatch.setattr(TOC, "_latest_generation", lambda *given: next(answers, None) or listed(*given))
    assert found(engine, "fair") == [2, 1]
    assert next(answers, None) is None


def put_five(engine: WhooshEngine, start: int) -> None:
    for page in range(start, start + 5):
        put(engine, document(page, "Housing", "rents"))


def test_two_writers_take_turns(tmp_path: Path) -> None:
    first, second = WhooshEngine(tmp_path / "search"), WhooshEngine(tmp_path / "search")
    first.rebuild([], "0")
    threads = [threading.Thread(target=put_five, args=(engine, start)) for engine, start in ((first, 1), (second, 11))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found(first, "rents")) == [1, 2, 3, 4, 5, 11, 12, 13, 14, 15]
    first.close()
    second.close()
