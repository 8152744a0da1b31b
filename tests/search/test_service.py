"""Search over a campaign in a real database, with a real index."""

import pytest

from app.permissions import Actor, Role
from app.search import service
from app.search.service import Results, Where
from app.search.whoosh_engine import WhooshEngine
from tests.factories import HOUSING, Workshop
from tests.search.conftest import Index


def test_smoke(workshop: Workshop, engine: WhooshEngine, index: Index) -> None:
    writer = workshop.member("wanda", role=Role.WRITER)
    workshop.page(writer)
    print(index())
    with workshop.reading() as session:
        r = service.search(session, engine, "rent contracts", limit=10)
        print(r)
        print(service.suggest(session, engine, "hou", limit=5))
        print(service.search(session, engine, "housng", limit=10).suggestion)
    assert 0
