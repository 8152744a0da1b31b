"""One filled campaign per database for the tests that only read."""

from collections.abc import Iterator

import pytest

from app.main import create_app
from app.settings import Settings
from tests.conftest import ENGINES, MovableClock, migrated_database, reuse_compiled_statements
from tests.contract.campaign import Campaign, fill

ON_EITHER_ENGINE = [pytest.param(one, marks=pytest.mark.xdist_group(f"campaign on {one}")) for one in ENGINES]
"""One worker runs all tests of a campaign, so that it is filled once."""

CAMPAIGN_ON_SQLITE = pytest.mark.parametrize("campaign", ON_EITHER_ENGINE[:1], indirect=True)
"""For what is the same whatever is stored where."""


@pytest.fixture(scope="session", params=ON_EITHER_ENGINE)
def campaign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    folder = tmp_path_factory.mktemp("campaign")
    url = migrated_database(request, folder)
    clock = MovableClock()
    settings = Settings(database_url=url, data_dir=folder, base_url="http://workshop.test", wait_routine=0)
    app = create_app(settings, clock=clock, follow=False)
    reuse_compiled_statements(app.state.database)
    yield fill(app, clock)
    app.state.database.dispose()
