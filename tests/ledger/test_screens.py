"""The ledger as people see it, and the checkpoint at the foot of every page."""

import base64
import html
import re

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.database import Database
from app.permissions import Actor, Role
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]


@pytest.fixture
def voters(workshop: Workshop) -> list[Actor]:
    writer = workshop.member(chapter="north", role=Role.WRITER)
    return [writer, *(workshop.member(chapter="north") for _ in range(3))]


def approve(workshop: Workshop, clock: MovableClock, title: str, *voters: Actor) -> int:
    page = workshop.page(voters[0], title)
    for voter in voters:
        workshop.vote(voter, workshop.shared_head(page))
    clock.move(hours=13)
    workshop.follow()
    return workshop.shared_head(page)


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]*>", "", page)))


async def test_the_ledger_tells_what_happened_newest_first(
    app: FastAPI, workshop: Workshop, clock: MovableClock, voters: list[Actor]
) -> None:
    head = approve(workshop, clock, "Housing", *voters[:3])
    approve(workshop, clock, "Schools", *voters[:2])
    async with connect(app) as client:
        page = (await client.get("/ledger")).text
        note = (await client.get("/api/v1/ledger/checkpoint")).text
    said = words_of(page)
    assert "Housing r1 was approved: 3 for, 0 against, from 1 chapter." in said
    assert said.index("Schools r1 was approved: 2 for") < said.index("Housing r1") < said.index("The rule for votes")
    assert f'href="/revisions/{head}"' in page
    assert html.escape(note) in page
    assert "python verify.py http://workshop.test checkpoint.txt" in said


async def test_an_entry_explains_every_field(
    app: FastAPI, workshop: Workshop, clock: MovableClock, voters: list[Actor]
) -> None:
    approve(workshop, clock, "Housing", *voters[:3])
    async with connect(app) as client:
        page = words_of((await client.get("/ledger/2")).text)
        entry = (await client.get("/api/v1/ledger/2")).json()
        none = await client.get("/ledger/3")
    for name, value in entry["entry"].items():
        assert re.search(rf"\b{name} [A-Z]", page), name
        assert not isinstance(value, str) or value in page
    assert entry["leaf"] in page
    assert none.status_code == 404


async def test_an_empty_ledger_says_so(app: FastAPI) -> None:
    async with connect(app) as client:
        page = words_of((await client.get("/ledger")).text)
        checkpoint = await client.get("/api/v1/ledger/checkpoint")
        key = await client.get("/api/v1/ledger/key")
    assert "Nothing is in the ledger yet" in page
    assert checkpoint.status_code == key.status_code == 404


async def test_many_entries_come_in_pages(
    app: FastAPI, workshop: Workshop, clock: MovableClock, voters: list[Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ledger.screens.SHOWN", 2)
    for title in ("Housing", "Schools"):
        approve(workshop, clock, title, *voters[:3])
    async with connect(app) as client:
        first = (await client.get("/ledger")).text
        more = re.search(r'href="(/ledger\?cursor=[^"]+)"', first)
        assert more is not None
        second = (await client.get(more.group(1))).text
    assert "/ledger/3" in first
    assert "/ledger/2" in first
    assert "/ledger/1" in second
    assert "cursor=" not in second


async def test_every_page_has_the_newest_checkpoint_at_its_foot_without_a_query_for_it(
    app: FastAPI, database: Database, workshop: Workshop, clock: MovableClock, voters: list[Actor]
) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    approve(workshop, clock, "Housing", *voters[:3])
    async with connect(app) as client:
        for number, title in ((2, "Schools"), (3, "Trains")):
            note = (await client.get("/api/v1/ledger/checkpoint")).text
            root = base64.b64decode(note.split("\n")[2]).hex()
            asked = [await client.get(address) for address in ("/", "/changes", "/docs", "/chapters")]
            statements.clear()
            again = await client.get("/chapters")
            assert not [it for it in statements if "ledger" in it]
            for answer in (*asked, again):
                foot = words_of(answer.text.partition("<footer>")[2])
                assert f"Ledger: {number} entries, " in foot
            shown = re.search(r"entries,\S*\s*<code[^>]*><bdi>([0-9a-f]{8})", again.text)
            assert shown is not None
            assert root.startswith(shown.group(1))
            approve(workshop, clock, title, *voters[:2])
