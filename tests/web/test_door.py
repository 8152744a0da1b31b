"""How often somebody may ask, whoever they say that they are."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.database import Database
from app.main import create_app, open_database
from app.settings import ROOT, Settings
from app.web.door import PEOPLE_BEHIND_ONE_ADDRESS
from app.web.rates import SharedCounts


@pytest.mark.anyio
async def test_made_up_cookies_do_not_multiply_what_one_address_may_ask(settings: Settings) -> None:
    few = settings.model_copy(update={"reads_per_minute": 2})
    app = create_app(few, follow=False)
    transport = httpx.ASGITransport(app.state.front)
    async with httpx.AsyncClient(transport=transport, base_url="http://workshop.test") as client:
        answers = [
            await client.get("/api/v1/search?q=homes", headers={"Cookie": f"workshop=made-up-{number}"})
            for number in range(2 * PEOPLE_BEHIND_ONE_ADDRESS + 1)
        ]
    app.state.database.dispose()
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) in range(1, 61)


@pytest.mark.anyio
async def test_all_processes_count_together(settings: Settings) -> None:
    few = settings.model_copy(update={"reads_per_minute": 4})
    apps = [create_app(few, follow=False) for _ in range(2)]
    clients = [
        httpx.AsyncClient(transport=httpx.ASGITransport(app.state.front), base_url="http://workshop.test")
        for app in apps
    ]
    answers = [await clients[number % 2].get("/api/v1/search?q=homes") for number in range(5)]
    for app in apps:
        app.state.database.dispose()
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=3", "r=2", "r=1", "r=0", "r=0"]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"reads";q=4;w=60'}


STARTERS = 6
START_TOGETHER = f"""
import os, sys
from app.database import Database
from app.web.rates import SharedCounts

for number in range(20):
    begin, go = os.pipe()
    starters = []
    for _ in range({STARTERS}):
        if not (starter := os.fork()):
            os.close(go)
            os.read(begin, 1)  # ends when the last writer closes, for all of them at once
            SharedCounts(Database(f"sqlite:///{{sys.argv[1]}}/{{number}}.db")).incr("one", 60)
            os._exit(0)
        starters.append(starter)
    os.close(go)
    if any([os.waitpid(starter, 0)[1] for starter in starters]):
        sys.exit(f"round {{number}}")
"""


def test_processes_that_start_together_make_their_counts_once(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", START_TOGETHER, str(tmp_path)], cwd=ROOT, check=True)
    for number in range(20):
        database = Database(f"sqlite:///{tmp_path}/{number}.db")
        assert SharedCounts(database).get("one") == STARTERS
        database.dispose()


def test_a_window_ends_and_old_counts_are_swept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(settings)
    counts = SharedCounts(database)
    at = [1_000.0]
    monkeypatch.setattr("app.web.rates.time.time", lambda: at[0])
    assert [counts.incr("one", 60), counts.incr("one", 60, 2), counts.incr("two", 60)] == [1, 3, 1]
    assert (counts.get("one"), counts.get_expiry("one")) == (3, 1_060.0)
    at[0] = 1_059.9
    assert counts.get("one") == 3
    at[0] = 1_060.0
    assert (counts.get("one"), counts.get_expiry("one")) == (0, 1_060.0)
    assert counts.incr("one", 60) == 1
    monkeypatch.setattr("app.web.rates.SWEPT_EVERY", 1)
    counts.incr("three", 60)
    assert counts.reset() == 2  # "two" is gone already
    assert counts.check()
    database.dispose()


@pytest.mark.anyio
async def test_a_request_passes_where_nothing_can_be_counted(settings: Settings) -> None:
    app = create_app(settings, follow=False)
    counts = SharedCounts(app.state.database)
    with counts._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE rate_count")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app.state.front), base_url="http://workshop.test"
    ) as client:
        answer = await client.get("/api/v1/search?q=homes")
    app.state.database.dispose()
    assert (answer.status_code, "RateLimit" in answer.headers) == (200, False)
