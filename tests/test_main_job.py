"""The main job from end to end over HTTP, with fifty people at once, on both databases."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.permissions import Role
from tests.conftest import MovableClock, connect
from tests.factories import HOUSING, Workshop

MEMBERS = 50
API = "/api/v1"


async def put_vote(client: httpx.AsyncClient, revision: dict[str, Any]) -> httpx.Response:
    body = {"value": "support", "sha256": revision["sha256"]}
    return await client.put(f"{API}/revisions/{revision['id']}/vote", json=body)


@pytest.mark.anyio
async def test_a_supporters_sentence_reaches_the_field(app: FastAPI, workshop: Workshop, clock: MovableClock) -> None:
    """Save, clash kept, fork, vote, promote, carry forward, new ETag."""
    writer = workshop.member("writer", chapter="chapter-0", role=Role.WRITER)
    members = [writer] + [workshop.member(chapter=f"chapter-{n % 5}") for n in range(1, MEMBERS)]
    tokens = [workshop.token(member) for member in members]
    clients = [connect(app, token) for token in tokens]
    page = (await clients[0].post(f"{API}/pages", json={"title": "Housing", "text": HOUSING})).json()
    base = page["shared_draft"]["head"]
    first = (await clients[0].get(f"{API}/revisions/{base}")).json()
    assert (await clients[0].get(f"{API}/pages/housing/approved")).status_code == 404

    # The first text is approved by everybody at once, and promoted once.
    votes = await asyncio.gather(*(put_vote(client, first) for client in clients))
    assert {vote.status_code for vote in votes} == {200}
    approved = await clients[0].get(f"{API}/pages/housing/approved.md", headers={"Accept-Encoding": "identity"})
    assert approved.text == HOUSING
    assert approved.headers["ETag"] == f'"{first["sha256"]}"'
    assert len((await clients[0].get(f"{API}/pages/housing/approvals")).json()["data"]) == 1

    # Fifty people rewrite one sentence of the shared draft from the same base: one is saved, the others are kept.
    def edit(number: int) -> dict[str, Any]:
        return {"base": base, "text": HOUSING.replace("three times in two years", f"{number + 4} times in a year")}

    saved = await asyncio.gather(
        *(client.post(f"{API}/pages/housing/revisions", json=edit(number)) for number, client in enumerate(clients))
    )
    assert sorted(answer.status_code for answer in saved) == [201] + [409] * (MEMBERS - 1)
    for number, answer in enumerate(saved):
        if answer.status_code == 409:
            body = answer.json()
            assert body["type"] == "/problems/edit-conflict"
            assert [conflict["base"].strip() for conflict in body["conflicts"]] == [
                "Anna moved three times in two years."
            ]
            kept = (await clients[number].get(f"{API}/revisions/{body['saved_as']['head']}")).json()
            assert kept["text"] == edit(number)["text"]

    # Two forks of the approved text; the one that fifty support becomes the approved text.
    clock.move(days=1)  # for a day whoever rewrites a newly approved sentence has to beat its score

    async def fork(client: httpx.AsyncClient, old: str, new: str) -> dict[str, Any]:
        body = {"text": HOUSING.replace(old, new)}
        draft = (await client.post(f"{API}/pages/housing/drafts", json=body)).json()
        found: dict[str, Any] = (await client.get(f"{API}/revisions/{draft['head']}")).json()
        return found

    other = await fork(clients[1], "10,000 homes", "20,000 homes")
    winner = await fork(clients[2], "a home they can afford", "a warm home they can afford")
    assert (await put_vote(clients[3], other)).json()["decision"]["state"] == "collecting"
    votes = await asyncio.gather(*(put_vote(client, winner) for client in clients))
    assert {vote.status_code for vote in votes} == {200}
    renewed = await clients[0].get(
        f"{API}/pages/housing/approved.md",
        headers={"If-None-Match": approved.headers["ETag"], "Accept-Encoding": "identity"},
    )
    assert renewed.status_code == 200
    assert renewed.headers["ETag"] == f'"{winner["sha256"]}"'
    assert renewed.text == HOUSING.replace("a home they can afford", "a warm home they can afford")
    again = {"If-None-Match": renewed.headers["ETag"], "Accept-Encoding": "identity"}
    assert (await clients[0].get(f"{API}/pages/housing/approved.md", headers=again)).status_code == 304

    # The other fork came along with its vote, and its old address knows where it went.
    workshop.follow()
    decision = (await clients[0].get(f"{API}/revisions/{other['id']}/decision")).json()
    assert decision["reach"] == 1
    carried = (await clients[0].get(f"{API}/revisions/{decision['carried_to']}")).json()
    assert carried["text"] == renewed.text.replace("10,000 homes", "20,000 homes")
    assert carried["parents"] == [other["id"], winner["id"]]
    kinds = [
        row["kind"] for row in (await clients[0].get(f"{API}/changes?limit=200&kinds=page.promoted")).json()["data"]
    ]
    assert kinds == ["page.promoted"] * 2
    for client in clients:
        await client.aclose()
