"""An index of the test's own, and a campaign whose log is indexed by hand."""

import gc
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from whoosh.lang.porter import stem

from app.database import Database
from app.permissions import Actor, Role
from app.search.analysis import Analysis
from app.search.indexer import Outcome, index_once
from app.search.indexer_process import engine_of
from app.search.whoosh_engine import WhooshEngine
from app.settings import Settings
from tests.conftest import MovableClock
from tests.factories import Workshop

Index = Callable[[], Outcome]
Approve = Callable[[int], None]


@pytest.fixture(scope="session")
def analysis() -> Analysis:
    return Analysis(stem)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"wait_routine": 0})


@pytest.fixture
def engine(app: FastAPI, settings: Settings) -> Iterator[WhooshEngine]:
    """The engine of the program under test."""
    engine = engine_of(settings)
    app.state.search = engine
    yield engine
    engine.close()


@pytest.fixture
def index(database: Database, engine: WhooshEngine) -> Index:
    """Bring the index up to date."""
    return lambda: index_once(database, engine)


@pytest.fixture
def broken_index() -> Iterator[None]:
    """For tests that break an index: Whoosh leaves files open when it fails to open one more."""
    yield
    gc.collect()


@pytest.fixture
def writer(workshop: Workshop) -> Actor:
    return workshop.member("anna", role=Role.WRITER)


@pytest.fixture
def approve(workshop: Workshop, writer: Actor, clock: MovableClock) -> Approve:
    """Let two members make a revision the approved text of its page."""
    second = workshop.member("bob")

    def vote(revision_id: int) -> None:
        clock.move(days=2)
        for actor in (writer, second):
            cast = workshop.vote(actor, revision_id)
        assert cast.decision.state == "approved"

    return vote
