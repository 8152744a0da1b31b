"""Many approved texts in one answer, for consumers that keep copies: what differs from what they hold."""

import hashlib

import pytest
from fastapi import FastAPI

from app.pages import service as pages
from app.pages.models import Page
from app.pages.text import sha256_of
from app.permissions import Role, Scope
from app.settings import Settings
from tests.conftest import connect, statements
from tests.contract.campaign import API, HOUSING_NOW, LONG, Campaign
from tests.factories import HOUSING, Workshop

pytestmark = pytest.mark.anyio

BATCH = f"{API}/approved/batch"
REASON = {"reason": "The figure is being checked."}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def test_only_what_differs_is_sent(campaign: Campaign) -> None:
    asked = {
        "slugs": ["housing", "long", "marked", "schools", "nowhere", "housing"],
        "known": {"long": sha(LONG), "housing": sha(HOUSING), "marked": sha("something else")},
    }
    async with connect(campaign.app) as client:
        answer = await client.post(BATCH, json=asked)
        alone = [(await client.get(f"{API}/pages/{slug}/approved")).json() for slug in ("housing", "marked")]
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {
        "changed": alone,
        "unchanged": ["long"],
        "gone": [],
        "missing": ["schools", "nowhere"],
        "renamed": {},
    }
    assert alone[0]["text"] == HOUSING_NOW


async def test_nothing_is_known_to_begin_with_and_a_former_address_leads_on(
    app: FastAPI, workshop: Workshop, housing: Page
) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    with workshop.writing() as session:
        pages.rename_page(session, anna, "housing", new_slug="homes")
    async with connect(app) as client:
        first = (await client.post(BATCH, json={"slugs": ["housing"]})).json()
        assert [text["slug"] for text in first["changed"]] == ["homes"]
        assert first["renamed"] == {"housing": "homes"}
        known = {"housing": first["changed"][0]["revision"]["sha256"]}
        then = (await client.post(BATCH, json={"slugs": ["housing", "homes"], "known": known})).json()
    assert then["unchanged"] == ["housing"]
    assert [text["slug"] for text in then["changed"]] == ["homes"]  # asked by its new name nothing was known of it
    assert then["missing"] == []


@pytest.fixture
def housing(workshop: Workshop) -> Page:
    writer = workshop.member("ina", role=Role.WRITER)
    page = workshop.page(writer)
    workshop.vote(writer, workshop.shared_head(page))
    workshop.vote(workshop.member("jon"), workshop.shared_head(page))
    return page


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"wait_routine": 0})


async def test_what_is_stopped_is_told_each_time_though_its_hash_is_known(
    app: FastAPI, workshop: Workshop, housing: Page
) -> None:
    moderator = workshop.token(workshop.member("ada", role=Role.MODERATOR), Scope.MODERATE)
    asked = {"slugs": ["housing"], "known": {"housing": sha256_of(HOUSING)}}
    async with connect(app) as client, connect(app, moderator) as ada:
        assert (await client.post(BATCH, json=asked)).json()["unchanged"] == ["housing"]
        await ada.post(f"{API}/pages/housing/hold", json=REASON)
        told = await client.post(BATCH, json=asked)
        alone = (await client.get(f"{API}/pages/housing/approved")).json()
        assert told.json() == {"changed": [alone], "unchanged": [], "gone": [], "missing": [], "renamed": {}}
        assert (alone["use"], "text" in alone, "last_safe" in alone) == ("stop", False, False)
        await ada.post(f"{API}/pages/housing/release", json=REASON)
        assert (await client.post(BATCH, json=asked)).json()["unchanged"] == ["housing"]
        await ada.post(f"{API}/pages/housing/withdraw", json=REASON)
        gone = (await client.post(BATCH, json=asked)).json()
    assert gone["changed"] == gone["unchanged"] == gone["missing"] == []
    assert [(text["slug"], text["status"], text["use"], text["reason"]) for text in gone["gone"]] == [
        ("housing", "withdrawn", "stop", "The figure is being checked.")
    ]


async def test_a_page_held_before_it_had_a_text_is_told_as_stopped(app: FastAPI, workshop: Workshop) -> None:
    workshop.page(workshop.member("ina", role=Role.WRITER))
    moderator = workshop.token(workshop.member("ada", role=Role.MODERATOR), Scope.MODERATE)
    async with connect(app) as client, connect(app, moderator) as ada:
        await ada.post(f"{API}/pages/housing/hold", json=REASON)
        told = (await client.post(BATCH, json={"slugs": ["housing"]})).json()
    assert [(text["use"], text["revision"]) for text in told["changed"]] == [("stop", None)]
    assert told["missing"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"slugs": []}, "/slugs"),
        ({}, "/slugs"),
        ({"slugs": [f"page-{n}" for n in range(201)]}, "/slugs"),
        ({"slugs": ["housing"], "known": {"housing": "abc"}}, "/known/housing"),
        ({"slugs": ["housing"], "knwon": {}}, "/knwon"),
        ({"slugs": "housing"}, "/slugs"),
    ],
)
async def test_what_cannot_be_used_is_refused_by_name(
    campaign: Campaign, body: dict[str, object], pointer: str
) -> None:
    async with connect(campaign.app) as client:
        answer = await client.post(BATCH, json=body)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_many_pages_cost_as_many_queries_as_two(app: FastAPI, workshop: Workshop) -> None:
    members = [workshop.member(role=Role.WRITER), workshop.member()]
    for number in range(8):
        page = workshop.page(members[0], f"Page {number}")
        for member in members:
            workshop.vote(member, workshop.shared_head(page))
    numbers = []
    async with connect(app) as client:
        for count in (2, 8):
            with statements(app) as asked:
                answer = await client.post(BATCH, json={"slugs": [f"page-{n}" for n in range(count)]})
            assert len(answer.json()["changed"]) == count
            numbers.append(len(asked))
    assert numbers[0] == numbers[1]


async def test_it_is_not_counted_but_what_is_too_large_is_refused(app: FastAPI) -> None:
    async with connect(app) as client:
        answer = await client.post(BATCH, json={"slugs": ["housing"]})
        assert "RateLimit" not in answer.headers
        large = await client.post(BATCH, json={"slugs": ["x" * 600_000]})
    assert (large.status_code, large.json()["type"]) == (413, "/problems/too-large")


async def test_an_address_that_no_page_can_have_is_missing(app: FastAPI, housing: Page) -> None:
    async with connect(app) as client:
        told = (await client.post(BATCH, json={"slugs": ["a\0", "housing"]})).json()
    assert (told["missing"], [text["slug"] for text in told["changed"]]) == (["a\0"], ["housing"])
