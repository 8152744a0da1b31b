"""What people see of stopped texts, and moderators' forms."""

import pytest
from fastapi import FastAPI

from app.approvals import stops
from app.pages.models import Page
from app.permissions import Actor, Role
from tests.beginnings import made_once
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import HOUSING, Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock) -> Page:
    """Housing, approved, and a fork of it that waits with enough support."""
    members = [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(9)]
    page = workshop.page(members[0])
    for member in members[:5]:
        workshop.vote(member, workshop.shared_head(page))
    clock.move(hours=30)
    fork = workshop.fork(members[0], page, ("10,000", "20,000"))
    for member in members[:4]:
        workshop.vote(member, fork.head_id or 0)
    assert workshop.approved_text(page) == HOUSING
    return page


@pytest.fixture
@made_once
def ada(workshop: Workshop) -> Actor:
    return workshop.member("ada", chapter="north", role=Role.MODERATOR)


async def test_a_stop_is_seen_wherever_the_text_appears_and_nothing_there_copies_it(
    app: FastAPI, workshop: Workshop, page: Page, ada: Actor
) -> None:
    async with connect(app) as reader, connect(app, workshop.token(ada)) as moderator:
        assert "data-copy" in (await reader.get("/pages/housing")).text
        assert "Stop use" not in (await reader.get("/pages/housing")).text
        assert "/pages/housing/stop" in (await moderator.get("/pages/housing")).text
        assert "Hold: stop it for now" in (await moderator.get("/pages/housing/stop")).text
        answer = await moderator.post("/pages/housing/stop", data={"what": "hold", "reason": "The figure is wrong."})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/pages/housing")
        for address in ("/pages/housing", "/revisions/1", "/moderation"):
            shown = (await reader.get(address)).text
            assert "Do not use this text now." in shown, address
            assert "“The figure is wrong”" in shown, address
            assert "data-copy" not in shown, address
        assert "chip-held" in (await reader.get("/")).text
        assert "chip-held" in (await reader.get("/search?q=home")).text
        assert "ada stopped r1 for now" in (await reader.get("/pages/housing/history")).text
        assert "stopped the text for now" in (await reader.get("/changes")).text
        assert "A moderator has stopped this text for now." in (await reader.get("/revisions/2")).text


async def test_a_withdrawn_text_is_folded_away_behind_what_to_use_instead(
    app: FastAPI, workshop: Workshop, page: Page, ada: Actor
) -> None:
    workshop.page(workshop.member("wim", role=Role.WRITER), "Rents, new figures", "Rents rose.\n", slug="rents")
    body = {"what": "withdraw", "reason": "It was wrong", "replacement": "rents"}
    async with connect(app) as reader, connect(app, workshop.token(ada)) as moderator:
        assert (await moderator.post("/pages/housing/stop", data=body)).status_code == 303
        shown = (await reader.get("/pages/housing")).text
        assert "Never use this text." in shown
        assert shown.index('href="/pages/rents"') < shown.index("Show the withdrawn text")
        asked = await moderator.post("/pages/housing/stop", data={"what": "restore", "reason": "It was right"})
        assert asked.headers["Location"] == "/pages/housing/stop"
        assert "asks to bring it back" in (await reader.get("/moderation")).text


async def test_a_correction_offers_only_what_members_agreed_to(
    app: FastAPI, workshop: Workshop, page: Page, ada: Actor
) -> None:
    other = workshop.fork(ada, page, ("10,000", "99,000"))
    async with connect(app, workshop.token(ada)) as moderator:
        form = (await moderator.get("/pages/housing/stop")).text
        assert 'id="revision-2"' in form
        assert f'id="revision-{other.head_id}"' not in form
        body = {"what": "correct", "reason": "Now", "revision": str(other.head_id)}
        refused = await moderator.post("/pages/housing/stop", data=body)
        assert refused.status_code == 409
        assert "It takes a vote." in refused.text
        assert 'value="Now"' in refused.text
        assert (await moderator.post("/pages/housing/stop", data={**body, "revision": "2"})).status_code == 303
    assert workshop.approved_text(page) == HOUSING.replace("10,000", "20,000")


@pytest.mark.parametrize(
    "body", [{"what": "approve", "reason": "x"}, {"what": "hold", "reason": " "}, {"what": "correct"}]
)
async def test_a_form_that_cannot_be_used_says_so_and_stops_nothing(
    app: FastAPI, workshop: Workshop, page: Page, ada: Actor, body: dict[str, str]
) -> None:
    async with connect(app, workshop.token(ada)) as moderator:
        answer = await moderator.post("/pages/housing/stop", data=body)
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    with workshop.reading() as session:
        assert stops.find_stop(session, page.id) is None


async def test_only_moderators_get_the_form(app: FastAPI, workshop: Workshop, page: Page) -> None:
    member = workshop.token(workshop.member("mia"))
    async with connect(app, member) as client:
        assert (await client.get("/pages/housing/stop")).status_code == 403
        assert (await client.post("/pages/housing/stop", data={"what": "hold", "reason": "x"})).status_code == 403
    async with connect(app) as nobody:
        assert (await nobody.get("/pages/housing/stop")).status_code == 401


async def test_rapid_mode_is_called_for_on_the_page(app: FastAPI, workshop: Workshop, page: Page) -> None:
    people = [workshop.token(workshop.member(f"r{n}", chapter=("north", "south")[n])) for n in range(2)]
    async with connect(app, people[0]) as one, connect(app, people[1]) as other:
        assert (await one.post("/pages/housing/rapid")).headers["Location"] == "/pages/housing#hurry"
        assert "It was you." in (await one.get("/pages/housing")).text
        await other.post("/pages/housing/rapid")
        assert "Rapid mode is on" in (await one.get("/pages/housing")).text
