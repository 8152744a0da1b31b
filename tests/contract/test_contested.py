"""A page's only text that members turned against: it is served as contested, and whoever has a copy learns of it."""

import pytest
from fastapi import FastAPI

from app.consensus.models import Value
from app.permissions import Actor, Role
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.contract.campaign import API
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]

HOUSE = f"{API}/pages/housing/approved"
BATCH = f"{API}/approved/batch"


@pytest.fixture
def members(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(12)]


@pytest.fixture
def text(workshop: Workshop, members: list[Actor], clock: MovableClock) -> int:
    """The first approved text of `housing`."""
    head = workshop.shared_head(workshop.page(members[0]))
    for member in members[:7]:
        workshop.vote(member, head)
    settle(workshop, clock)
    return head


def settle(workshop: Workshop, clock: MovableClock) -> None:
    clock.move(hours=13)
    workshop.follow()


def contest(workshop: Workshop, members: list[Actor], text: int, clock: MovableClock) -> None:
    for member in members[3:10]:
        workshop.vote(member, text, Value.OPPOSE)
    settle(workshop, clock)


async def test_whoever_keeps_the_json_learns_that_it_is_contested(
    app: FastAPI, workshop: Workshop, members: list[Actor], text: int, clock: MovableClock
) -> None:
    forms = (".json", "/sections/topline.json", "?as_of=2099-01-01T00:00:00Z")
    async with connect(app) as client:
        first = {form: await client.get(HOUSE + form) for form in forms}
        plain = await client.get(f"{HOUSE}.md")
        contest(workshop, members, text, clock)
        for form, known in first.items():
            assert known.json()["status"] == "approved"
            again = await client.get(HOUSE + form, headers={"If-None-Match": known.headers["ETag"]})
            assert (again.status_code, again.json()["status"]) == (200, "contested"), form
            kept = await client.get(HOUSE + form, headers={"If-None-Match": again.headers["ETag"]})
            assert kept.status_code == 304
        same = await client.get(f"{HOUSE}.md", headers={"If-None-Match": plain.headers["ETag"]})
        assert same.status_code == 304  # the text alone is what it was
        for member in members[:10]:
            workshop.vote(member, text)
        settle(workshop, clock)
        later = await client.get(f"{HOUSE}.json", headers={"If-None-Match": first[".json"].headers["ETag"]})
    assert (later.status_code, later.json()["status"]) == (200, "approved")  # with another date: it is another approval
    assert later.json()["revision"]["approved_at"] != first[".json"].json()["revision"]["approved_at"]


async def test_a_contested_text_is_told_each_time_though_its_hash_is_known(
    app: FastAPI, workshop: Workshop, members: list[Actor], text: int, clock: MovableClock
) -> None:
    async with connect(app) as client:
        alone = (await client.get(HOUSE)).json()
        asked = {"slugs": ["housing"], "known": {"housing": alone["revision"]["sha256"]}}
        assert (await client.post(BATCH, json=asked)).json()["unchanged"] == ["housing"]
        contest(workshop, members, text, clock)
        for _time in range(2):
            told = (await client.post(BATCH, json=asked)).json()
            assert [(it["status"], it["text"]) for it in told["changed"]] == [("contested", alone["text"])]
            assert told["unchanged"] == told["missing"] == []


async def test_a_feed_says_that_it_is_contested_and_puts_the_doubt_above_it(
    app: FastAPI, workshop: Workshop, members: list[Actor], text: int, clock: MovableClock
) -> None:
    async with connect(app) as client:
        contest(workshop, members, text, clock)
        newest, oldest = (await client.get("/feeds/approved.json")).json()["items"]
        page = (await client.get("/feeds/page/housing.atom")).text
        assert newest["title"] == "Contested: Housing"
        assert newest["summary"] == "Members turned against r1. There is no earlier text, so it stands as contested."
        assert oldest["title"] == "Approved: Housing"
        for item in (newest, oldest):
            assert item["content_html"].startswith("<p><strong>Think twice before you use this text")
            assert item["content_text"].startswith("Think twice before you use this text")
            assert "Everyone needs a home" in item["content_text"]
        assert "in force again" not in page
        for member in members[:10]:
            workshop.vote(member, text)
        settle(workshop, clock)
        again = (await client.get("/feeds/approved.json")).json()["items"]
    assert [item["title"] for item in again] == ["Approved: Housing", "Contested: Housing", "Approved: Housing"]
    assert "Think twice" not in str(again)
