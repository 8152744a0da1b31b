"""A POST that is sent again acts once: the promise to programs whose line breaks."""

import asyncio
import random
import uuid
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.permissions import Actor, Role, Scope
from tests.conftest import MovableClock, connect
from tests.contract.campaign import API
from tests.factories import HOUSING, Workshop

pytestmark = pytest.mark.anyio


@pytest.fixture
def anna(workshop: Workshop) -> Actor:
    return workshop.member("anna", role=Role.WRITER)


def key(value: str = "one") -> dict[str, str]:
    return {"Idempotency-Key": value}


async def test_a_request_that_is_repeated_is_answered_as_the_first_time(
    app: FastAPI, workshop: Workshop, anna: Actor
) -> None:
    body = {"title": "Housing", "text": HOUSING}
    async with connect(app, workshop.token(anna)) as client:
        first = await client.post(f"{API}/pages", json=body, headers=key())
        again = await client.post(f"{API}/pages", json=body, headers=key())
        without = await client.post(f"{API}/pages/housing/drafts", json={"name": "mine"})
        and_again = await client.post(f"{API}/pages/housing/drafts", json={"name": "mine"})
        pages = (await client.get(f"{API}/pages")).json()["data"]
    assert (first.status_code, "Idempotency-Replayed" in first.headers) == (201, False)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert without.json()["id"] != and_again.json()["id"]
    assert [page["slug"] for page in pages] == ["housing"]


async def test_a_key_belongs_to_one_request_of_one_member_for_a_day(
    app: FastAPI, workshop: Workshop, anna: Actor, clock: MovableClock
) -> None:
    workshop.page(anna)
    bob = workshop.member("bob")
    fork = f"{API}/pages/housing/drafts"
    async with connect(app, workshop.token(anna)) as client, connect(app, workshop.token(bob)) as other:
        first = await client.post(fork, json={"name": "mine"}, headers=key())
        for address, body in ((fork, {"name": "yours"}), (f"{API}/pages", {"name": "mine"}), (f"{fork}?a=b", {})):
            wrong = await client.post(address, json=body, headers=key())
            assert wrong.status_code == 422, address
        assert wrong.json()["type"] == "/problems/refused"
        reused = await client.post(fork, json={"name": "yours"}, headers=key())
        assert reused.json()["type"] == "/problems/idempotency-key-reused"
        assert [error["pointer"] for error in reused.json()["errors"]] == ["/idempotency-key"]
        assert (await other.post(fork, json={"name": "mine"}, headers=key())).json()["id"] != first.json()["id"]
        clock.move(hours=23, minutes=59)
        assert (await client.post(fork, json={"name": "mine"}, headers=key())).json() == first.json()
        clock.move(minutes=2)
        assert (await client.post(fork, json={"name": "mine"}, headers=key())).json()["id"] != first.json()["id"]


async def test_an_answer_is_not_given_to_a_token_that_may_do_less(
    app: FastAPI, workshop: Workshop, anna: Actor
) -> None:
    body = {"title": "Housing", "text": HOUSING}
    writing, reading = workshop.token(anna, Scope.READ, Scope.WRITE), workshop.token(anna, Scope.READ)
    async with connect(app, writing) as client, connect(app, reading) as reader:
        first = await client.post(f"{API}/pages", json=body, headers=key())
        refused = await reader.post(f"{API}/pages", json=body, headers=key())
    async with connect(app, workshop.token(anna, Scope.WRITE, Scope.READ)) as client:
        again = await client.post(f"{API}/pages", json=body, headers=key())
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert "Housing" not in refused.text


async def test_what_failed_is_tried_again_and_what_was_kept_aside_is_not(
    app: FastAPI, workshop: Workshop, anna: Actor
) -> None:
    page = workshop.page(anna)
    base = workshop.shared_head(page)
    edits = f"{API}/pages/housing/revisions"
    async with connect(app, workshop.token(anna)) as client:
        assert (await client.post(f"{API}/pages", json={"title": "", "text": ""}, headers=key("a"))).status_code == 422
        made = await client.post(f"{API}/pages", json={"title": "Homes", "text": "Homes."}, headers=key("a"))
        assert made.status_code == 201  # nothing had been done under this key
        await client.post(edits, json={"base": base, "text": HOUSING.replace("Anna", "Eva")})
        clash = {"base": base, "text": HOUSING.replace("Anna", "Ida")}
        first = await client.post(edits, json=clash, headers=key("b"))
        again = await client.post(edits, json=clash, headers=key("b"))
        assert (first.status_code, again.status_code) == (409, 409)
        assert again.json() == first.json()
        drafts = (await client.get(f"{API}/pages/housing/drafts")).json()["data"]
    assert sum(draft["kind"] == "fork" for draft in drafts) == 1


async def test_two_at_once_with_one_key_act_once(app: FastAPI, workshop: Workshop, anna: Actor) -> None:
    async with connect(app, workshop.token(anna)) as client:
        body = {"title": "Housing", "text": HOUSING}
        answers = await asyncio.gather(*(client.post(f"{API}/pages", json=body, headers=key()) for _ in range(8)))
        pages = (await client.get(f"{API}/pages")).json()["data"]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 7
    assert len(pages) == 1


class LosesAnswers(httpx.AsyncBaseTransport):
    """A line that breaks after one in ten requests was done."""

    def __init__(self, inner: httpx.AsyncBaseTransport, chance: random.Random) -> None:
        self._inner, self._chance, self.lost = inner, chance, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if self._chance.random() < 0.1:
            self.lost += 1
            raise httpx.ReadError("The line broke.")
        return answer


async def test_one_effect_for_each_key_though_one_answer_in_ten_is_lost(
    app: FastAPI, workshop: Workshop, anna: Actor
) -> None:
    workshop.page(anna)
    line = LosesAnswers(httpx.ASGITransport(app.state.front), random.Random(4))
    headers = {"Authorization": f"Bearer {workshop.token(anna)}"}
    async with httpx.AsyncClient(transport=line, base_url="http://workshop.test", headers=headers) as client:

        async def until_answered(body: dict[str, Any]) -> httpx.Response:
            own = str(uuid.UUID(int=body["number"]))
            while True:
                try:
                    return await client.post(
                        f"{API}/pages/housing/drafts", json={"name": body["name"]}, headers=key(own)
                    )
                except httpx.ReadError:
                    continue

        answers = [await until_answered({"number": n, "name": f"draft {n}"}) for n in range(40)]
    assert line.lost > 2
    assert {answer.status_code for answer in answers} == {201}
    async with connect(app) as reader:
        drafts = (await reader.get(f"{API}/pages/housing/drafts?limit=200")).json()["data"]
    assert sorted(draft["name"] for draft in drafts if draft["kind"] == "fork") == sorted(
        f"draft {n}" for n in range(40)
    )


@pytest.mark.parametrize("wrong", ["", "x" * 201, "two words", "ü"])
async def test_a_key_that_is_none_is_refused(app: FastAPI, workshop: Workshop, anna: Actor, wrong: str) -> None:
    async with connect(app, workshop.token(anna)) as client:
        headers = {"Idempotency-Key": wrong.encode()}
        answer = await client.post(f"{API}/pages", json={"title": "A", "text": "A"}, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/idempotency-key"]
