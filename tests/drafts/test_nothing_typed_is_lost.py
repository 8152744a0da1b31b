"""Forms that are not taken come back with everything that was typed."""

import re
from html import unescape

import httpx
import pytest
from fastapi import FastAPI

from app.accounts import service as accounts
from app.permissions import Role
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.factories import HOUSING, Workshop

pytestmark = POSTGRES_IN_SOAK

PASSWORD = "four unrelated words"
MINE = "My own words, which took an hour."


def with_account(workshop: Workshop, name: str, role: Role = Role.MEMBER) -> None:
    with workshop.writing() as session:
        accounts.add_user(session, name, PASSWORD, role=role)


async def sign_in(client: httpx.AsyncClient, name: str, **kept: str) -> httpx.Response:
    fields = {"name": name, "password": PASSWORD, **{f"kept_{key}": value for key, value in kept.items()}}
    return await client.post("/login", data={**fields, "next": kept.get("next", "/")})


@pytest.mark.anyio
async def test_an_edit_travels_through_signing_in(app: FastAPI, workshop: Workshop) -> None:
    workshop.page(workshop.member("anna", role=Role.WRITER))
    with_account(workshop, "Ben")
    base = workshop.shared_head(workshop.get_page("housing"))
    sent = {"base": str(base), "text": MINE, "section": "story", "summary": "", "reason": "clearer"}
    async with connect(app) as client:
        refused = await client.post("/pages/housing/edit", data=sent)
        assert refused.status_code == 401
        assert MINE in refused.text
        wrong = await client.post("/login", data={"name": "Ben", "password": "no", "kept_text": MINE, "next": "/"})
        assert wrong.status_code == 401
        assert MINE in wrong.text
        asked = await client.post(
            "/login",
            data={"name": "Ben", "password": PASSWORD, "next": "/pages/housing/edit"}
            | {f"kept_{key}": value for key, value in sent.items()},
        )
        assert asked.status_code == 200
        assert MINE in asked.text
        saved = await client.post("/pages/housing/edit", data=sent)
        assert saved.status_code == 303
        shown = await client.get(saved.headers["location"])
    assert MINE in shown.text
    assert "Clearer" in shown.text
    assert "10,000 homes" in shown.text, "only the section was replaced"


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "status"), [(None, 401), ("Ben", 403)])
async def test_a_new_page_that_is_refused_comes_back(
    app: FastAPI, workshop: Workshop, name: str | None, status: int
) -> None:
    with_account(workshop, "Ben")
    async with connect(app) as client:
        if name:
            await sign_in(client, name)
        answer = await client.post("/new", data={"title": "Trees", "text": MINE})
    assert answer.status_code == status
    assert MINE in answer.text
    assert "Trees" in answer.text


@pytest.mark.anyio
async def test_an_edit_of_a_base_that_is_none_comes_back(app: FastAPI, workshop: Workshop) -> None:
    workshop.page(workshop.member("anna", role=Role.WRITER))
    with_account(workshop, "Ben")
    async with connect(app) as client:
        await sign_in(client, "Ben")
        answer = await client.post("/pages/housing/edit", data={"base": "999999", "text": MINE})
    assert answer.status_code == 422
    assert MINE in answer.text


@pytest.mark.anyio
@pytest.mark.parametrize("signed_in", [True, False])
async def test_a_wording_written_in_a_merge_comes_back(
    app: FastAPI, workshop: Workshop, clock: MovableClock, signed_in: bool
) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    page = workshop.page(anna)
    workshop.vote(anna, workshop.shared_head(page))
    clock.move(days=1)
    workshop.follow()
    fork = workshop.fork(anna, page, ("Everyone needs", "All need"))
    other = workshop.fork(anna, page, ("Everyone needs", "Everyone deserves"))
    clock.move(days=2)
    assert other.head_id is not None
    workshop.vote(anna, other.head_id)
    clock.move(days=1)
    workshop.follow()
    assert "Everyone deserves" in (workshop.approved_text(page) or "")
    with_account(workshop, "Ben")
    choices = {"theirs": str(other.head_id), "choice-1": "own", "own-1": MINE + ("\u202e" if signed_in else "")}
    async with connect(app) as client:
        if signed_in:
            await sign_in(client, "Ben")
        answer = await client.post(f"/drafts/{fork.id}/merge", data=choices)
        newer = await client.post(f"/drafts/{fork.id}/merge", data={**choices, "theirs": "1"})
    assert answer.status_code == (422 if signed_in else 401)
    assert MINE in answer.text
    assert newer.status_code == 409
    assert MINE in newer.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    "address",
    [
        "/revisions/99999999999999999999",
        "/drafts/99999999999/edit",
        "/compare?from=99999999999&to=1",
        "/pages/housing/history?cursor=Wzk5OTk5OV0",
        "/pages/housing/history?cursor=Wy0xXQ",
        "/api/v1/pages?cursor=WyJcdWQ4MDAiXQ",
        "/api/v1/pages/housing/candidates?cursor=WzEsIC01MF0",
        "/api/v1/drafts/1099511627776",
        "/pages/housing/at?day=2020-01-01",
    ],
)
async def test_odd_addresses_are_answered_not_broken(app: FastAPI, workshop: Workshop, address: str) -> None:
    workshop.page(workshop.member("anna", role=Role.WRITER))
    async with connect(app) as client:
        answer = await client.get(address)
    assert answer.status_code < 500
    assert HOUSING not in answer.text


@pytest.mark.anyio
async def test_a_section_that_is_refused_is_sent_again_as_that_section(app: FastAPI, workshop: Workshop) -> None:
    workshop.page(workshop.member("anna", role=Role.WRITER))
    with_account(workshop, "Ben")
    sent = {"base": "999999", "text": MINE, "section": "story"}
    async with connect(app) as client:
        await sign_in(client, "Ben")
        refused = await client.post("/pages/housing/edit", data=sent)
    assert MINE in refused.text
    assert '<input type="hidden" name="section" value="story">' in refused.text


@pytest.mark.anyio
async def test_a_version_that_was_taken_back_is_not_put_to_the_vote(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    fork = workshop.fork(anna, workshop.page(anna), ("10,000", "12,000"))
    token = workshop.token(anna)
    async with connect(app, token) as client:
        await client.post(f"/api/v1/drafts/{fork.id}/withdraw")
        refused = await client.post(f"/api/v1/drafts/{fork.id}/put-forward")
        open_ = (await client.get("/api/v1/pages/housing/candidates")).json()["data"]
    assert refused.status_code == 409
    assert open_ == []


SPACED = (
    "Hello.\n\n## Greeting\n\nHello from us. \n \t\nAnd from them.\n \nTitle\n-----\n\nUnder it.\n\n"
    "## Empty\n\n## Last\n\nEnd.\n"
)


async def send_section(client: httpx.AsyncClient, key: str, typed: str | None) -> str:
    """Open a section's editor, send what it holds or something else, and return the whole text that comes of it."""
    shown = (await client.get(f"/pages/spaced/edit?section={key}")).text
    base, heading = (re.search(rf'name="{name}" value="([^"]*)"', shown) for name in ("base", "heading"))
    held = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", shown, re.DOTALL)
    assert base
    assert heading
    assert held
    fields = {"base": base[1], "section": key, "heading": unescape(heading[1]), "text": typed or unescape(held[1])}
    await client.post("/pages/spaced/edit", data=fields)
    revision = (await client.get("/api/v1/pages/spaced")).json()["shared_draft"]["head"]
    return str((await client.get(f"/api/v1/revisions/{revision}")).json()["text"])


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["intro", "greeting", "title", "empty", "last"])
async def test_a_section_sent_untouched_changes_nothing(app: FastAPI, workshop: Workshop, key: str) -> None:
    workshop.page(workshop.member("anna", role=Role.WRITER), "Spaced", SPACED)
    with_account(workshop, "Ben")
    async with connect(app) as client:
        await sign_in(client, "Ben")
        assert await send_section(client, key, None) == SPACED


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("key", "typed", "old", "new"),
    [
        ("greeting", "Hello from all of us.", "Hello from us. \n \t\nAnd from them.", "Hello from all of us."),
        ("greeting", "## Greeting\n\nHello again.", "Hello from us. \n \t\nAnd from them.", "Hello again."),
        ("intro", "Good day.", "Hello.", "Good day."),
        ("empty", "Full.", "## Empty\n\n", "## Empty\n\nFull.\n\n"),
    ],
)
async def test_only_what_stands_under_a_heading_is_replaced(
    app: FastAPI, workshop: Workshop, key: str, typed: str, old: str, new: str
) -> None:
    workshop.page(workshop.member("anna", role=Role.WRITER), "Spaced", SPACED)
    with_account(workshop, "Ben")
    async with connect(app) as client:
        await sign_in(client, "Ben")
        assert await send_section(client, key, typed) == SPACED.replace(old, new, 1)


@pytest.mark.anyio
@pytest.mark.parametrize("action", ["vote", "fork"])
async def test_signing_in_leads_back_to_where_a_button_was_pressed(
    app: FastAPI, workshop: Workshop, action: str
) -> None:
    page = workshop.page(workshop.member("anna", role=Role.WRITER))
    head = workshop.shared_head(page)
    target = f"/revisions/{head}/vote" if action == "vote" else "/pages/housing/fork"
    came_from = {"Referer": f"http://workshop.test/revisions/{head}?draft=1"}
    async with connect(app) as client:
        asked = await client.post(target, data={"sha256": "", "value": "support"}, headers=came_from)
        strange = await client.post(target, data={}, headers={"Referer": "https://evil.example/login"})
    assert asked.status_code == 401
    assert f'href="/login?next=/revisions/{head}%3Fdraft%3D1"' in asked.text
    assert 'href="/login?next=/"' in strange.text
