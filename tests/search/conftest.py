"""An index of the test's own, and a campaign whose log is indexed by hand."""

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from whoosh.lang.porter import stem

from app.database import Database
from app.search.analysis import Analysis
from app.search.indexer import Outcome, index_once
from app.search.indexer_process import engine_of
from app.search.whoosh_engine import WhooshEngine
from app.settings import Settings

Index = Callable[[], Outcome]


@pytest.fixture(scope="session")
def analysis() -> Analysis:
    return Analysis(stem)


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
