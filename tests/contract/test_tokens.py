"""The keys of programs: made by their owner, shown once, with scopes and an end."""

import pytest
from fastapi import FastAPI

from app.accounts.models import ApiToken
from app.permissions import Actor, Role, Scope
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.contract.campaign import API
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]

TOKENS = f"{API}/tokens"


@pytest.fixture
def anna(workshop: Workshop) -> Actor:
    return workshop.member("anna", role=Role.WRITER)


async def test_a_token_is_shown_once_listed_without_its_secret_and_taken_back(
    app: FastAPI, workshop: Workshop, anna: Actor
) -> None:
    async with connect(app, workshop.token(anna, Scope.ADMIN, Scope.READ)) as client:
        made = await client.post(TOKENS, json={"scopes": ["read"], "name": " The  texting tool "})
        assert made.status_code == 201
        secret = made.json()["token"]
        assert made.json() == {
            "id": 2,
            "name": "The texting tool",
            "scopes": ["read"],
            "created_at": "2026-11-22T09:00:00Z",
            "expires_at": None,
            "token": secret,
        }
        assert secret.startswith("mw_")
        async with connect(app, secret) as program:
            assert (await program.get(f"{API}/me")).json()["scopes"] == ["read"]
            listed = (await client.get(TOKENS)).json()
            assert [(row["id"], row["name"]) for row in listed["data"]] == [(2, "The texting tool"), (1, "")]
            assert secret not in str(listed)
            assert (await client.delete(f"{TOKENS}/2")).status_code == 204
            assert (await program.get(f"{API}/me")).json()["type"] == "/problems/token-refused"
        assert [row["id"] for row in (await client.get(TOKENS)).json()["data"]] == [1]
        again = await client.delete(f"{TOKENS}/2")
        assert (again.status_code, again.json()["type"]) == (404, "/problems/token-not-found")
    with workshop.reading() as session:
        stored = session.get_one(ApiToken, 2)
        assert secret not in str(stored.model_dump())


async def test_a_token_ends_when_it_was_told_to(
    app: FastAPI, workshop: Workshop, anna: Actor, clock: MovableClock
) -> None:
    async with connect(app, workshop.token(anna)) as client:
        over = await client.post(TOKENS, json={"scopes": ["read"], "expires_at": "2026-11-22T09:00:00Z"})
        assert (over.status_code, over.json()["errors"][0]["pointer"]) == (422, "/expires_at")
        made = (await client.post(TOKENS, json={"scopes": ["read"], "expires_at": "2026-11-22T11:00:00+01:00"})).json()
        assert made["expires_at"] == "2026-11-22T10:00:00Z"
        async with connect(app, made["token"]) as program:
            clock.move(minutes=59, seconds=59)
            assert (await program.get(f"{API}/me")).status_code == 200
            clock.move(seconds=1)
            assert (await program.get(f"{API}/me")).status_code == 401
        assert made["id"] in [row["id"] for row in (await client.get(TOKENS)).json()["data"]]


async def test_nobody_sees_or_takes_back_a_token_of_somebody_else(
    app: FastAPI, workshop: Workshop, anna: Actor
) -> None:
    workshop.token(anna)
    async with connect(app, workshop.token(workshop.member("bob", role=Role.ADMIN))) as bob:
        assert [row["id"] for row in (await bob.get(TOKENS)).json()["data"]] == [2]
        assert (await bob.delete(f"{TOKENS}/1")).status_code == 404


async def test_a_token_makes_none_that_may_do_more(app: FastAPI, workshop: Workshop, anna: Actor) -> None:
    async with connect(app, workshop.token(anna, Scope.ADMIN, Scope.READ)) as client:
        more = await client.post(TOKENS, json={"scopes": ["read", "vote"]})
        assert (more.status_code, more.json()["type"]) == (403, "/problems/scope-missing")
        mistaken: list[dict[str, object]] = [
            {"scopes": []},
            {"scopes": ["everything"]},
            {},
            {"scopes": ["read"], "name": "x" * 81},
        ]
        for wrong in mistaken:
            assert (await client.post(TOKENS, json=wrong)).status_code == 422
        for _ in range(99):
            assert (await client.post(TOKENS, json={"scopes": ["read"]})).status_code == 201
        assert (await client.post(TOKENS, json={"scopes": ["read"]})).status_code == 422


async def test_the_secret_is_not_kept_for_a_repeated_request(app: FastAPI, workshop: Workshop, anna: Actor) -> None:
    key = {"Idempotency-Key": "one"}
    async with connect(app, workshop.token(anna)) as client:
        first = await client.post(TOKENS, json={"scopes": ["read"]}, headers=key)
        again = await client.post(TOKENS, json={"scopes": ["read"]}, headers=key)
        assert (again.status_code, again.json()["type"]) == (409, "/problems/answer-held-a-secret")
        assert first.json()["token"] not in again.text
        assert len((await client.get(TOKENS)).json()["data"]) == 2
