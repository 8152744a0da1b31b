"""What consumers are told about a text that moderators stopped, and what moderators send."""

import pytest
from fastapi import FastAPI

from app.pages.models import Page
from app.pages.text import sha256_of
from app.permissions import Role, Scope
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.contract.campaign import API
from tests.factories import HOUSING, Workshop

pytestmark = pytest.mark.anyio

TWENTY = HOUSING.replace("10,000", "20,000")
REASON = {"reason": "The figure is being checked."}


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock) -> Page:
    """Housing, approved twice; r1 at 09:00 on the 22nd, r2 at 15:00 on the 23rd."""
    members = [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(4)]
    page = workshop.page(members[0])
    for member in members[:3]:
        workshop.vote(member, workshop.shared_head(page))
    clock.move(hours=30)
    fork = workshop.fork(members[0], page, ("10,000", "20,000"))
    for member in members[:3]:
        workshop.vote(member, fork.head_id or 0)
    clock.move(minutes=30)
    assert workshop.approved_text(page) == TWENTY
    return page


@pytest.fixture
@made_once
def moderators(workshop: Workshop) -> list[str]:
    people = [
        workshop.member(name, chapter=home, role=Role.MODERATOR) for name, home in (("ada", "north"), ("bea", "south"))
    ]
    return [workshop.token(person, Scope.MODERATE) for person in people]


async def test_a_held_text_says_stop_in_every_form_and_is_never_kept(
    app: FastAPI, page: Page, moderators: list[str]
) -> None:
    async with connect(app) as everybody, connect(app, moderators[0]) as ada:
        assert (await everybody.get(f"{API}/pages/housing/approved.md")).text == TWENTY
        held = await ada.post(f"{API}/pages/housing/hold", json=REASON)
        revision = {"id": 2, "number": 2, "sha256": sha256_of(TWENTY)}
        row = {
            "kind": "held",
            "revision": revision,
            "at": "2026-11-23T15:30:00Z",
            "reason": "The figure is being checked.",
            "mode": "routine",
            "contested": False,
            "until": "2026-11-23T19:30:00Z",
            "replacement": None,
            "ledger": 4,
        }
        assert (held.status_code, held.json()) == (200, row)
        told = await everybody.get(f"{API}/pages/housing/approved")
        base = f"http://workshop.test{API}/pages/housing"
        links = {"self": f"{base}/approved", "html": "http://workshop.test/pages/housing"}
        assert told.json() == {
            "slug": "housing",
            "title": "Housing",
            "status": "held",
            "scope": None,
            "use": "stop",
            "reason": "The figure is being checked.",
            "stopped_at": "2026-11-23T15:30:00Z",
            "until": "2026-11-23T19:30:00Z",
            "replacement": None,
            "revision": {
                **revision,
                "approved_at": "2026-11-23T15:00:00Z",
                "supersedes": 1,
                "basis": "consensus",
                "mode": "routine",
            },
            "links": {**links, "history": f"{base}/revisions", "ledger": f"http://workshop.test{API}/ledger/3"},
        }
        assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
        assert "ETag" not in told.headers
        for form in ("md", "txt", "html"):
            for place in ("approved", "approved/sections/topline"):
                answer = await everybody.get(f"{API}/pages/housing/{place}.{form}")
                assert (answer.status_code, answer.json()["type"]) == (409, "/problems/on-hold"), (place, form)
                assert answer.headers["Cache-Control"] == "no-store"
                assert "20,000" not in answer.text
        assert (await everybody.get(f"{API}/pages/housing")).json()["status"] == "held"
        listed = (await everybody.get(f"{API}/pages?status=held")).json()["data"]
        assert [entry["slug"] for entry in listed] == ["housing"]
        everything = (await everybody.get(f"{API}/approved?updated_since=2026-11-23T15:10:00Z")).json()["data"]
        assert [(entry["slug"], entry["use"]) for entry in everything] == [("housing", "stop")]
        assert (await everybody.get(f"{API}/pages/housing/approvals?limit=1")).json()["data"] == [row]
        log = (await everybody.get(f"{API}/changes?kinds=page.held")).json()["data"]
        assert [(entry["page"], entry["data"]["reason"]) for entry in log] == [("housing", REASON["reason"])]


@POSTGRES_IN_SOAK
async def test_the_last_safe_text_is_given_to_who_asks_for_it(app: FastAPI, page: Page, moderators: list[str]) -> None:
    async with connect(app) as everybody, connect(app, moderators[0]) as ada:
        await ada.post(f"{API}/pages/housing/hold", json=REASON)
        told = (await everybody.get(f"{API}/pages/housing/approved?include=last_safe")).json()
        assert (told["use"], told["last_safe"]["text"]) == ("stop", HOUSING)
        plain = await everybody.get(f"{API}/pages/housing/approved.md?include=last_safe")
        assert (plain.text, plain.headers["Cache-Control"]) == (HOUSING, "no-store")
        assert "ETag" not in plain.headers
        wrong = await everybody.get(f"{API}/pages/housing/approved?include=everything")
        assert wrong.status_code == 422


async def test_a_release_serves_the_text_again_to_those_who_knew_it(
    app: FastAPI, page: Page, moderators: list[str]
) -> None:
    known = {"If-None-Match": f'"{sha256_of(TWENTY)}"'}
    async with connect(app) as everybody, connect(app, moderators[0]) as ada, connect(app, moderators[1]) as bea:
        assert (await everybody.get(f"{API}/pages/housing/approved.md", headers=known)).status_code == 304
        await ada.post(f"{API}/pages/housing/hold", json=REASON)
        assert (await everybody.get(f"{API}/pages/housing/approved.md", headers=known)).status_code == 409
        again = await ada.post(f"{API}/pages/housing/hold", json=REASON)
        assert (again.status_code, again.json()["type"]) == (409, "/problems/stopped-already")
        assert (await bea.post(f"{API}/pages/housing/hold", json=REASON)).json()["until"] is None
        released = await bea.post(f"{API}/pages/housing/release", json={"reason": "It is right."})
        assert (released.status_code, released.json()["kind"]) == (200, "released")
        assert (await everybody.get(f"{API}/pages/housing/approved.md", headers=known)).status_code == 304
        over = await bea.post(f"{API}/pages/housing/release", json={"reason": "It is right."})
        assert (over.status_code, over.json()["type"]) == (409, "/problems/not-stopped")


async def test_a_withdrawn_text_is_gone_with_the_reason_and_what_to_use_instead(
    app: FastAPI, workshop: Workshop, clock: MovableClock, page: Page, moderators: list[str]
) -> None:
    workshop.page(workshop.member("wim", role=Role.WRITER), "Rents, new figures", "Rents rose.\n", slug="rents")
    body = {"reason": "The figure was wrong.", "replacement": "rents"}
    async with connect(app) as everybody, connect(app, moderators[0]) as ada, connect(app, moderators[1]) as bea:
        missing = await ada.post(f"{API}/pages/housing/withdraw", json={**body, "replacement": "nowhere"})
        assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (422, "/replacement")
        withdrawn = await ada.post(f"{API}/pages/housing/withdraw", json=body)
        assert (withdrawn.status_code, withdrawn.json()["replacement"]) == (200, "rents")
        for form in ("", ".json", ".md", ".txt", ".html", "/sections", "/sections/topline.txt"):
            answer = await everybody.get(f"{API}/pages/housing/approved{form}")
            problem = answer.json()
            assert (answer.status_code, problem["type"]) == (410, "/problems/withdrawn"), form
            assert (problem["reason"], problem["replacement"]) == ("The figure was wrong.", "rents")
            assert answer.headers["Cache-Control"] == "no-store"
        before = await everybody.get(f"{API}/pages/housing/approved.md?as_of=2026-11-23T15:10:00Z")
        assert (before.status_code, before.text) == (200, TWENTY)
        asked = await ada.post(f"{API}/pages/housing/restore", json={"reason": "It was right."})
        assert (asked.status_code, asked.json()["kind"]) == (202, "restored")
        assert (await everybody.get(f"{API}/pages/housing/approved.md")).status_code == 410
        restored = await bea.post(f"{API}/pages/housing/restore", json={"reason": "It was right."})
        assert (restored.status_code, restored.json()["kind"]) == (200, "restored")
        assert (await everybody.get(f"{API}/pages/housing/approved.md")).text == TWENTY


@POSTGRES_IN_SOAK
async def test_a_correction_is_served_at_once_and_nothing_unapproved_can_be_one(
    app: FastAPI, workshop: Workshop, page: Page, moderators: list[str]
) -> None:
    fork = workshop.fork(workshop.member("wim", chapter="north"), page, ("20,000", "99,000"))
    async with connect(app) as everybody, connect(app, moderators[0]) as ada:
        refused = await ada.post(f"{API}/pages/housing/correct", json={"revision": fork.head_id, **REASON})
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/not-agreed")
        corrected = await ada.post(f"{API}/pages/housing/correct", json={"revision": 1, **REASON})
        assert (corrected.status_code, corrected.json()["kind"]) == (200, "corrected")
        assert corrected.json()["revision"]["id"] == 1
        assert (await everybody.get(f"{API}/pages/housing/approved.md")).text == HOUSING


@POSTGRES_IN_SOAK
async def test_rapid_mode_takes_two_members(app: FastAPI, workshop: Workshop, page: Page) -> None:
    people = [workshop.member(f"r{n}", chapter=("north", "south")[n]) for n in range(2)]
    first, second = (workshop.token(person, Scope.VOTE) for person in people)
    async with connect(app, first) as one, connect(app, second) as other:
        called = await one.post(f"{API}/pages/housing/rapid")
        assert (called.status_code, called.json()) == (202, {"until": None})
        opened = await other.post(f"{API}/pages/housing/rapid")
        assert (opened.status_code, opened.json()) == (200, {"until": "2026-11-25T15:30:00Z"})
        again = await one.post(f"{API}/pages/housing/rapid")
        assert again.status_code == 409
