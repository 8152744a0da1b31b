"""Feeds of approved texts: what news readers and e-mail builders get, and what they must never keep."""

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.pages import service as pages
from app.pages.models import Page
from app.permissions import Actor, Role, Scope
from app.publishing.feeds import read_feed
from app.settings import Settings
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.factories import HOUSING, Workshop

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]

ATOM = "{http://www.w3.org/2005/Atom}"
REASON = {"reason": "The figure is being checked."}
TWENTY = HOUSING.replace("10,000", "20,000")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"wait_routine": 0})


@pytest.fixture
def members(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"m{n}", role=Role.WRITER) for n in range(2)]


@pytest.fixture
def housing(workshop: Workshop, members: list[Actor]) -> Page:
    return approve(workshop, members, "Housing", HOUSING)


def approve(workshop: Workshop, members: list[Actor], title: str, text: str = HOUSING) -> Page:
    page = workshop.page(members[0], title, text)
    for member in members:
        workshop.vote(member, workshop.shared_head(page))
    return page


def replace(workshop: Workshop, members: list[Actor], page: Page, clock: MovableClock, *change: str) -> None:
    clock.move(hours=30)
    fork = workshop.fork(members[0], page, (change[0], change[1]))
    for member in members:
        workshop.vote(member, fork.head_id or 0)


async def atom(client: httpx.AsyncClient, address: str = "/feeds/approved.atom") -> list[dict[str, Any]]:
    """The entries, newest first."""
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.text)
    for needed in ("id", "title", "updated", "author/" + ATOM + "name"):
        assert feed.findtext(ATOM + needed)
    found = []
    for entry in feed.iter(f"{ATOM}entry"):
        link = entry.find(f"{ATOM}link")
        category = entry.find(f"{ATOM}category")
        assert link is not None
        assert category is not None
        told = {name: entry.findtext(ATOM + name) for name in ("id", "title", "updated", "summary", "content")}
        found.append({**told, "link": link.get("href"), "kind": category.get("term")})
    return found


async def test_an_approval_is_an_entry_with_the_text(app: FastAPI, housing: Page) -> None:
    async with connect(app) as client:
        entries = await atom(client)
        same = (await client.get("/feeds/approved.json")).json()
    [entry] = entries
    assert re.fullmatch(r"tag:workshop\.test,2026:change:[0-9]+", entry["id"])
    assert entry["title"] == "Approved: Housing"
    assert entry["updated"] == "2026-11-22T09:00:00Z"
    assert entry["summary"] == "r1 became the approved text."
    assert entry["link"] == "http://workshop.test/pages/housing"
    assert entry["kind"] == "page.promoted"
    assert "Everyone needs a home they can afford." in entry["content"]
    assert same["version"] == "https://jsonfeed.org/version/1.1"
    assert same["feed_url"] == "http://workshop.test/feeds/approved.json"
    [item] = same["items"]
    assert (item["id"], item["title"], item["url"]) == (entry["id"], entry["title"], entry["link"])
    assert item["content_html"] == entry["content"]
    assert "- We will build 10,000 homes a year." in item["content_text"]
    assert same["_ledger"]["size"] == 2


async def test_only_the_text_to_use_now_can_be_copied_out_of_a_feed(
    app: FastAPI, workshop: Workshop, members: list[Actor], housing: Page, clock: MovableClock
) -> None:
    replace(workshop, members, housing, clock, "10,000", "20,000")
    chair = workshop.token(workshop.member("ada", role=Role.MODERATOR), Scope.MODERATE)
    async with connect(app) as client, connect(app, chair) as ada:
        newest, oldest = await atom(client)
        assert "20,000" in newest["content"]
        assert oldest["content"] is None
        assert "Since then another text is approved" in oldest["summary"]
        await ada.post("/api/v1/pages/housing/hold", json=REASON)
        held = await atom(client)
        assert (held[0]["title"], held[0]["kind"]) == ("Stop using for now: Housing", "page.held")
        assert REASON["reason"] in held[0]["summary"]
        assert [entry["content"] for entry in held] == [None] * 3
        assert "20,000" not in (await client.get("/feeds/approved.json")).text
        await ada.post("/api/v1/pages/housing/release", json=REASON)
        released = await atom(client)
        assert [bool(entry["content"]) for entry in released] == [True, False, True, False]
        await ada.post("/api/v1/pages/housing/withdraw", json={**REASON, "replacement": ""})
        gone = await atom(client)
    assert gone[0]["title"] == "Stop using: Housing"
    assert gone[0]["summary"].endswith("Never use it.")
    assert [entry["content"] for entry in gone] == [None] * 5
    assert "m0" not in str(gone)
    assert "ada" not in str(gone)


async def test_a_withdrawal_names_the_page_to_use_instead(
    app: FastAPI, workshop: Workshop, members: list[Actor], housing: Page
) -> None:
    approve(workshop, members, "Homes")
    chair = workshop.token(workshop.member("ada", role=Role.MODERATOR), Scope.MODERATE)
    async with connect(app) as client, connect(app, chair) as ada:
        await ada.post("/api/v1/pages/housing/withdraw", json={**REASON, "replacement": "homes"})
        entry = (await atom(client))[0]
    assert entry["summary"].endswith("Use this page instead: http://workshop.test/pages/homes")


async def test_feeds_of_a_tag_and_of_a_page(
    app: FastAPI, workshop: Workshop, members: list[Actor], housing: Page
) -> None:
    approve(workshop, members, "Bus fares")
    with workshop.writing() as session:
        pages.rename_page(session, members[0], "housing", tags=["homes & rents"], new_slug="homes")
    async with connect(app) as client:
        titles = [entry["title"] for entry in await atom(client)]
        assert titles == ["Approved: Bus fares", "Approved: Housing"]
        for address in ("/feeds/tag/homes%20%26%20rents.atom", "/feeds/page/homes.atom", "/feeds/page/housing.atom"):
            assert [entry["title"] for entry in await atom(client, address)] == ["Approved: Housing"], address
        assert await atom(client, "/feeds/tag/nothing.atom") == []
        for address in ("/feeds/tag/nothing.json", "/feeds/page/homes.json"):
            assert (await client.get(address)).headers["Content-Type"] == "application/feed+json; charset=utf-8"
        missing = await client.get("/feeds/page/nowhere.atom")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/page-not-found")


async def test_older_entries_follow_once_each_while_new_ones_come(
    app: FastAPI, workshop: Workshop, members: list[Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_feed, "__kwdefaults__", {**(read_feed.__kwdefaults__ or {}), "limit": 2})
    for number in range(5):
        approve(workshop, members, f"Page {number}")
    seen: list[str] = []
    async with connect(app) as client:
        address: str | None = "/feeds/approved.json"
        while address:
            feed = (await client.get(address)).json()
            seen += [item["title"] for item in feed["items"]]
            address = feed.get("next_url")
            if len(seen) == 2:
                approve(workshop, members, "Page 5")
        first = ElementTree.fromstring((await client.get("/feeds/approved.atom")).text)
    assert seen == [f"Approved: Page {number}" for number in (4, 3, 2, 1, 0)]
    [older] = [link.get("href") or "" for link in first.iter(f"{ATOM}link") if link.get("rel") == "next"]
    assert older.startswith("http://workshop.test/feeds/approved.atom?cursor=")


async def test_a_copy_is_confirmed_until_something_happens(
    app: FastAPI, workshop: Workshop, members: list[Actor], housing: Page
) -> None:
    async with connect(app) as client:
        for address in ("/feeds/approved.atom", "/feeds/approved.json", "/feeds/page/housing.atom"):
            first = await client.get(address)
            assert first.headers["Cache-Control"] == "public, max-age=5, stale-if-error=60"
            assert first.headers["Access-Control-Allow-Origin"] == "*"
            assert first.headers["Last-Modified"] == "Sun, 22 Nov 2026 09:00:00 GMT"
            known = {"If-None-Match": first.headers["ETag"]}
            again = await client.get(address, headers=known)
            assert (again.status_code, again.content) == (304, b"")
            strong = await client.get(address, headers={"If-None-Match": first.headers["ETag"].removeprefix("W/")})
            assert strong.status_code == 304
        approve(workshop, members, "Bus fares")
        assert (await client.get("/feeds/approved.atom", headers=known)).status_code == 200
        personal = await client.get("/feeds/approved.atom", headers={"Cookie": "a=b"})
        assert personal.headers["Cache-Control"] == "no-store"


async def test_what_people_wrote_cannot_break_a_feed(app: FastAPI, workshop: Workshop, members: list[Actor]) -> None:
    approve(workshop, members, "<b>&amp; ]]>", "# A\n\n<script>alert(1)</script> ]]> \ufffe\uffff &amp; 😀 مرحبا\n")
    async with connect(app) as client:
        [entry] = await atom(client)
        [item] = (await client.get("/feeds/approved.json")).json()["items"]
    assert entry["title"] == item["title"] == "Approved: <b>&amp; ]]>"
    assert "<script" not in entry["content"]
    assert "😀 مرحبا" in entry["content"]
    assert "\ufffe" not in item["content_text"]


async def test_an_unknown_parameter_or_cursor_is_refused(app: FastAPI) -> None:
    async with connect(app) as client:
        for address in ("/feeds/approved.atom?limit=5", "/feeds/approved.atom?cursor=nonsense"):
            answer = await client.get(address)
            assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
