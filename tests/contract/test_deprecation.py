"""What will end is said in every answer, in the OpenAPI document and in the docs, at least a year ahead."""

from datetime import UTC, datetime

import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings import ROOT, Settings
from app.web.deprecation import DEPRECATED, LEAST_NOTICE, Deprecated
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect

PATH = "/api/v1/pages/{slug}/approved"
SAID = {"Deprecation": "@1798761600", "Sunset": "Sun, 02 Jan 2028 00:00:00 GMT"}
ENTRY = Deprecated("GET", PATH, datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 2, tzinfo=UTC), "Use another.")


@pytest.fixture
def aging(settings: Settings, clock: MovableClock) -> FastAPI:
    return create_app(settings, clock=clock, follow=False, deprecated=[ENTRY])


@pytest.mark.anyio
@ON_SQLITE_ALONE
async def test_answers_of_a_deprecated_operation_say_so_and_no_others(aging: FastAPI) -> None:
    async with connect(aging) as client:
        old = [await client.get("/api/v1/pages/nowhere/approved"), await client.head("/api/v1/pages/nowhere/approved")]
        old.append(await client.get("/api/v1/pages/nowhere/approved?unknown=1"))
        others = [await client.get("/api/v1/pages/nowhere/approved.txt"), await client.get("/api/v1/pages")]
        others.append(await client.post("/api/v1/pages/nowhere/approved"))
    for answer in old:
        assert {name: answer.headers.get(name) for name in SAID} == SAID, answer.request.url
    for answer in others:
        assert not SAID.keys() & {name.title() for name in answer.headers}


@pytest.mark.anyio
@ON_SQLITE_ALONE
async def test_the_documents_say_so_too(aging: FastAPI) -> None:
    async with connect(aging) as client:
        document, page = (await client.get("/openapi.json")).json(), (await client.get("/docs")).text
    sentence = "Deprecated since 2027-01-01, works until 2028-01-02. Use another."
    operation = document["paths"][PATH]["get"]
    assert operation["deprecated"] is True
    assert sentence in operation["description"]
    assert all(SAID.keys() <= response["headers"].keys() for response in operation["responses"].values())
    marked = [path for path, methods in document["paths"].items() for it in methods.values() if it.get("deprecated")]
    assert marked == [PATH]
    assert sentence in page


def test_a_year_is_given_and_the_page_for_people_tells_all() -> None:
    for entry in DEPRECATED:
        assert entry.until - entry.since >= LEAST_NOTICE
    section = (ROOT / "docs/api.md").read_text().partition("## Changes to this contract")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ")][1:]
    told = [
        f"| `{it.method} {it.path}` | {it.since:%Y-%m-%d} | {it.until:%Y-%m-%d} | {it.instead} |" for it in DEPRECATED
    ]
    assert rows == (told or ["| none | | | |"])


@ON_SQLITE_ALONE
def test_an_entry_for_an_operation_that_there_is_not_fails(settings: Settings) -> None:
    wrong = Deprecated("GET", "/api/v1/nowhere", ENTRY.since, ENTRY.until, "Use another.")
    with pytest.raises(KeyError):
        create_app(settings, follow=False, deprecated=[wrong]).openapi()
