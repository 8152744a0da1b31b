"""One filled campaign per database for the tests that only read."""

import shutil
from collections.abc import Iterator

import pytest

from app.main import create_app
from app.settings import Settings
from tests.conftest import ENGINES, MovableClock, create_postgres_database
from tests.contract.campaign import Campaign, fill


@pytest.fixture(scope="session", params=ENGINES)
def campaign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    folder = tmp_path_factory.mktemp("campaign")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "workshop.db")
        url = f"sqlite:///{folder / 'workshop.db'}"
    else:
        template = request.getfixturevalue("postgres_template")
        url = create_postgres_database(request.getfixturevalue("postgres"), "campaign", template)
    clock = MovableClock()
    settings = Settings(database_url=url, data_dir=folder, base_url="http://workshop.test", wait_routine=0)
    app = create_app(settings, clock=clock, follow=False)
    yield fill(app, clock)
    app.state.database.dispose()
