"""Signing in, joining and leaving in a browser without scripts, and what another site cannot do."""

import pytest
from fastapi import FastAPI

from app.accounts import chapters
from app.accounts import service as accounts
from app.permissions import Role
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.factories import Workshop

pytestmark = POSTGRES_IN_SOAK

PASSWORD = "four unrelated words"


@pytest.fixture
def ada(workshop: Workshop) -> str:
    with workshop.writing() as session:
        return accounts.add_user(session, "Ada", PASSWORD, role=Role.WRITER).name


@pytest.mark.anyio
async def test_a_right_password_signs_in_and_leads_back(app: FastAPI, ada: str) -> None:
    async with connect(app) as client:
        answer = await client.post("/login", data={"name": "ada", "password": PASSWORD, "next": "/changes"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/changes")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        assert (await client.get("/me")).status_code == 200
        await client.post("/logout")
        assert (await client.get("/me")).status_code == 401


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_signing_in_never_leads_to_another_site(app: FastAPI, ada: str, address: str) -> None:
    async with connect(app) as client:
        answer = await client.post("/login", data={"name": "Ada", "password": PASSWORD, "next": address})
    assert answer.headers["location"] == "/"


@pytest.mark.anyio
async def test_ten_wrong_passwords_make_the_name_wait_even_for_the_right_one(
    app: FastAPI, ada: str, clock: MovableClock
) -> None:
    async with connect(app) as client:
        for _ in range(10):
            answer = await client.post("/login", data={"name": "Ada", "password": "wrong"})
            assert answer.status_code == 401
            assert "do not belong together" in answer.text
            assert 'value="Ada"' in answer.text
        assert (await client.post("/login", data={"name": "Ada", "password": PASSWORD})).status_code == 429
        clock.move(seconds=61)
        assert (await client.post("/login", data={"name": "Ada", "password": PASSWORD})).status_code == 303


@pytest.mark.anyio
async def test_an_invite_link_makes_a_member_of_its_chapter(
    app: FastAPI, workshop: Workshop, clock: MovableClock
) -> None:
    host = workshop.member("host", chapter="north")
    with workshop.writing() as session:
        secret = chapters.invite(session, host, days=14)
    async with connect(app) as client:
        assert "North" in (await client.get(f"/join/{secret}")).text
        short = await client.post(f"/join/{secret}", data={"name": "Newcomer", "password": "short"})
        assert short.status_code == 422
        assert 'value="Newcomer"' in short.text
        taken = await client.post(f"/join/{secret}", data={"name": "HOST", "password": PASSWORD})
        assert "called “HOST” already" in taken.text
        assert (
            await client.post(f"/join/{secret}", data={"name": "Newcomer", "password": PASSWORD})
        ).status_code == 303
        assert "Newcomer" in (await client.get("/me")).text
    with workshop.reading() as session:
        assert accounts.get_user(session, "newcomer").chapter_id == host.chapter_id
    clock.move(days=15)
    async with connect(app) as client:
        assert (await client.get(f"/join/{secret}")).status_code == 410


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_another_sites_page_cannot_act_in_a_members_name(app: FastAPI, ada: str, headers: dict[str, str]) -> None:
    async with connect(app) as client:
        await client.post("/login", data={"name": "Ada", "password": PASSWORD})
        refused = await client.post("/new", data={"title": "Stolen", "text": "x"}, headers=headers)
        assert refused.status_code == 403
        own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://workshop.test"}
        assert (await client.post("/new", data={"title": "Mine", "text": "x"}, headers=own)).status_code == 303
        assert (await client.get("/pages/stolen")).status_code == 404


@pytest.mark.anyio
async def test_a_password_is_stored_as_argon2id_and_secrets_as_hashes(
    app: FastAPI, ada: str, workshop: Workshop
) -> None:
    async with connect(app) as client:
        answer = await client.post("/login", data={"name": "Ada", "password": PASSWORD})
        secret = answer.cookies["session"]
    with workshop.reading() as session:
        user = accounts.get_user(session, "Ada")
        assert (user.password_hash or "").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        dump = "".join(str(row) for row in session.connection().exec_driver_sql("SELECT * FROM web_session"))
    assert secret not in dump
