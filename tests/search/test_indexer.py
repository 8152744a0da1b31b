"""The index follows what happens, and ends where a new one would."""

from pathlib import Path

import pytest

from app.activity import service as activity
from app.database import Database
from app.drafts import service as drafts
from app.drafts.service import Saved
from app.pages import service as pages
from app.pages.models import Page
from app.permissions import Actor
from app.revisions import service as revisions
from app.search import indexer
from app.search.engine import Batch, Group, IndexUnavailable, Key, Kind
from app.search.indexer import Outcome, index_once, reindex
from app.search.indexer_process import engine_of
from app.search.query import parse
from app.search.whoosh_engine import WhooshEngine
from app.settings import Settings
from tests.factories import Workshop
from tests.search.conftest import Approve, Index


def found(engine: WhooshEngine, typed: str) -> list[Key]:
    """The best document of each page."""
    return [hit.key for hit in engine.search(parse(typed, engine.analysis), tuple(Group), limit=50).hits]


def found_by_group(engine: WhooshEngine, typed: str) -> list[tuple[Key, int]]:
    """The best document of each page in each group, and how many other drafts fit."""
    query = parse(typed, engine.analysis)
    return [(hit.key, hit.other_drafts) for group in Group for hit in engine.search(query, [group], limit=50).hits]


def edit(workshop: Workshop, actor: Actor, page: Page, old: str, new: str) -> int:
    """Save other words in the shared draft."""
    with workshop.writing() as session:
        draft = drafts.get_shared(session, page.id)
        head = drafts.head_of(draft)
        text = revisions.text_by_id(session, head).replace(old, new)
        saved = drafts.save_edit(session, actor, draft.id, base_id=head, text=text)
        assert isinstance(saved, Saved)
        return saved.revision.id


def test_an_empty_log_makes_an_empty_index(index: Index, engine: WhooshEngine) -> None:
    assert index() is Outcome.REBUILT
    assert index() is Outcome.UNCHANGED
    assert found(engine, "rents") == []


def test_a_new_page_and_an_edit_are_found(
    workshop: Workshop, writer: Actor, index: Index, engine: WhooshEngine
) -> None:
    index()
    page = workshop.page(writer)
    assert index() is Outcome.FOLLOWED
    assert found(engine, "landlords") == [Key(Kind.SHARED, page.id)]
    edit(workshop, writer, page, "Landlords", "Owners")
    index()
    assert found(engine, "landlords") == []
    assert found(engine, "owners") == [Key(Kind.SHARED, page.id)]


def test_a_fork_is_found_while_it_is_open_and_says_something_of_its_own(
    workshop: Workshop, writer: Actor, index: Index, engine: WhooshEngine
) -> None:
    page = workshop.page(writer)
    untouched, fork = workshop.fork(writer, page), workshop.fork(writer, page, ("Landlords", "Owners"))
    index()
    assert found_by_group(engine, "landlords") == [(Key(Kind.SHARED, page.id), 0)]
    with workshop.writing() as session:
        drafts.withdraw(session, writer, fork.id)
    assert found(engine, "owners") == [Key(Kind.FORK, fork.id)]
    index()
    assert found(engine, "owners") == []
    with workshop.writing() as session:
        drafts.reopen(session, writer, fork.id)
        drafts.save_edit(session, writer, untouched.id, base_id=drafts.head_of(untouched), text="Tenants")
    index()
    assert found(engine, "owners") == [Key(Kind.FORK, fork.id)]
    assert found(engine, "tenants") == [Key(Kind.FORK, untouched.id)]


def test_an_approved_text_is_found_once_and_the_text_before_it_in_history(
    workshop: Workshop, writer: Actor, approve: Approve, index: Index, engine: WhooshEngine
) -> None:
    page = workshop.page(writer)
    index()
    approve(workshop.shared_head(page))
    index()
    # The shared draft says the same, so it is not another text to find.
    assert found_by_group(engine, "landlords") == [(Key(Kind.APPROVED, page.id), 0)]
    fork = workshop.fork(writer, page, ("Landlords", "Owners"))
    approve(fork.head_id or 0)
    index()
    assert found(engine, "owners") == [Key(Kind.APPROVED, page.id)]
    assert found(engine, "landlords") == [Key(Kind.REPLACED, 1)]


def test_a_candidate_that_was_carried_is_found_as_it_stands_now(
    workshop: Workshop, writer: Actor, approve: Approve, index: Index, engine: WhooshEngine
) -> None:
    page = workshop.page(writer)
    approve(workshop.shared_head(page))
    first = workshop.fork(writer, page, ("Landlords", "Owners"))
    second = workshop.fork(writer, page, ("three times", "seven times"))
    workshop.vote(writer, second.head_id or 0)
    index()
    assert found(engine, '"seven times" landlords') == [Key(Kind.FORK, second.id)]
    approve(first.head_id or 0)
    workshop.follow()
    index()
    assert found(engine, '"seven times" owners') == [Key(Kind.FORK, second.id)]


def test_a_rename_reaches_every_text_of_a_page_however_many(
    workshop: Workshop, writer: Actor, index: Index, engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "MAX_DOCUMENTS", 2)
    page = workshop.page(writer)
    forks = [workshop.fork(writer, page, ("Landlords", f"Owners number{count}")) for count in range(5)]
    index()
    with workshop.writing() as session:
        pages.rename_page(session, writer, "housing", title="Shelter", tags=["Social care"])
    index()
    assert found(engine, "shelter number4") == [Key(Kind.FORK, forks[4].id)]
    assert found(engine, 'tag:"social care" number0') == [Key(Kind.FORK, forks[0].id)]
    assert engine.suggest("shel", limit=3) == [page.id]
    assert engine.suggest("hous", limit=3) == []


class StoppedAfter(WhooshEngine):
    """An engine whose process ends after so many commits."""

    def __init__(self, root: Path, commits: int) -> None:
        super().__init__(root)
        self._commits = commits

    def apply(self, batch: Batch) -> None:
        if self._commits == 0:
            raise KeyboardInterrupt
        self._commits -= 1
        super().apply(batch)


def test_an_indexer_stopped_half_way_through_an_activity_does_all_of_it_again(
    workshop: Workshop,
    writer: Actor,
    database: Database,
    settings: Settings,
    index: Index,
    engine: WhooshEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexer, "MAX_DOCUMENTS", 1)
    page = workshop.page(writer)
    workshop.fork(writer, page, ("Landlords", "Owners"))
    index()
    with workshop.writing() as session:
        pages.rename_page(session, writer, "housing", title="Shelter")
    before = engine.mark()
    with pytest.raises(KeyboardInterrupt):
        index_once(database, StoppedAfter(settings.data_dir / "search", commits=2))
    assert engine.mark() == before
    assert index() is Outcome.FOLLOWED
    assert found(engine, "shelter owners") != []
    assert engine.suggest("shelter", limit=1) == [page.id]


def test_votes_write_no_documents_but_are_passed(
    workshop: Workshop, writer: Actor, settings: Settings, index: Index, engine: WhooshEngine
) -> None:
    for _ in range(3):
        workshop.member()
    page = workshop.page(writer)
    index()
    segments = settings.data_dir / "search" / "current"
    before = sorted(path.name for path in segments.glob("*.trm"))
    workshop.vote(writer, workshop.shared_head(page))
    assert index() is Outcome.FOLLOWED
    assert sorted(path.name for path in segments.glob("*.trm")) == before
    with workshop.reading() as session:
        assert (engine.mark() or "").startswith(f"{activity.newest_position(session)}@")


def test_following_ends_where_a_new_index_would(
    workshop: Workshop, writer: Actor, approve: Approve, database: Database, settings: Settings, index: Index
) -> None:
    index()
    housing, tax = workshop.page(writer), workshop.page(writer, "Tax", "Everyone pays a fair share.")
    index()
    approve(workshop.shared_head(housing))
    fork = workshop.fork(writer, housing, ("Anna", "Berta"))
    other = workshop.fork(writer, tax, ("fair", "just"))
    index()
    approve(fork.head_id or 0)
    edit(workshop, writer, housing, "Renters", "Tenants")
    workshop.follow()
    with workshop.writing() as session:
        pages.rename_page(session, writer, "tax", title="Taxes", new_slug="taxes", tags=["money"])
        drafts.withdraw(session, writer, other.id)
    index()
    followed = engine_of(settings)
    anew = WhooshEngine(settings.data_dir / "anew")
    reindex(database, anew)
    for typed in (
        "housing",
        "tax",
        "anna",
        "berta",
        "tenants",
        "renters",
        "just",
        "fair",
        "tag:money",
        "taxes",
        "rents*",
    ):
        assert found_by_group(followed, typed) == found_by_group(anew, typed), typed
    assert followed.mark() == anew.mark()
    followed.close()
    anew.close()


def test_progress_is_told_in_pages(
    workshop: Workshop, writer: Actor, database: Database, engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "PAGES_AT_ONCE", 2)
    for number in range(3):
        workshop.page(writer, f"Page {number}")
    told: list[tuple[int, int]] = []
    reindex(database, engine, lambda done, total: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]


def test_what_happens_during_a_rebuild_is_followed_afterwards(
    workshop: Workshop, writer: Actor, database: Database, engine: WhooshEngine, index: Index
) -> None:
    page = workshop.page(writer)

    def meanwhile(_done: int, _total: int) -> None:
        edit(workshop, writer, page, "Landlords", "Owners")

    reindex(database, engine, meanwhile)
    assert found(engine, "owners") == []
    assert index() is Outcome.FOLLOWED
    assert found(engine, "owners") == [Key(Kind.SHARED, page.id)]


@pytest.mark.parametrize("mark", ["999@2026-01-01T00:00:00+00:00", "1@2020-01-01T00:00:00+00:00", "x", ""])
def test_an_index_of_another_log_is_made_anew(
    workshop: Workshop, writer: Actor, engine: WhooshEngine, index: Index, mark: str
) -> None:
    page = workshop.page(writer)
    engine.rebuild([], mark)
    assert found(engine, "landlords") == []
    assert index() is Outcome.REBUILT
    assert found(engine, "landlords") == [Key(Kind.SHARED, page.id)]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_index_found_broken_by_a_search_is_made_anew(
    workshop: Workshop,
    writer: Actor,
    settings: Settings,
    database: Database,
    engine: WhooshEngine,
    index: Index,
    broken_index: None,
) -> None:
    page = workshop.page(writer)
    index()
    [terms] = (settings.data_dir / "search").glob("current/*.trm")
    terms.write_bytes(b"")
    elsewhere = engine_of(settings)
    with pytest.raises(IndexUnavailable):
        found(elsewhere, "landlords")
    assert index_once(database, engine) is Outcome.REBUILT
    assert found(elsewhere, "landlords") == [Key(Kind.SHARED, page.id)]
    elsewhere.close()
