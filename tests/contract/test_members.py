"""Vouching for a newcomer by the API, and from when their votes count."""

import pytest
from fastapi import FastAPI

from app.accounts.seasoning import Seasoning
from app.consensus import voiding
from app.permissions import Role
from tests.conftest import connect
from tests.contract.campaign import API
from tests.factories import Workshop

pytestmark = pytest.mark.anyio


async def test_a_newcomer_is_vouched_for_and_told_from_when_votes_count(app: FastAPI, workshop: Workshop) -> None:
    workshop.database.info["seasoning"] = Seasoning(hours=72, vouches=2, founders=2)
    anna, bob = (workshop.member(name, chapter="north") for name in ("anna", "bob"))
    dee = workshop.member("dee", chapter="north")
    async with connect(app, workshop.token(anna)) as client:
        first = await client.post(f"{API}/members/dee/vouch")
        again = await client.post(f"{API}/members/dee/vouch")
        counted = await client.post(f"{API}/members/bob/vouch")
        nobody = await client.post(f"{API}/members/nobody/vouch")
    async with connect(app, workshop.token(dee)) as client:
        assert (await client.get(f"{API}/me")).json()["votes_count_from"] is None
        new_here = await client.post(f"{API}/members/bob/vouch")
    async with connect(app, workshop.token(bob)) as client:
        second = await client.post(f"{API}/members/dee/vouch")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == {"name": "dee", "vouches": 1, "needed": 2, "votes_count_from": None}
    assert second.json() == {"name": "dee", "vouches": 2, "needed": 2, "votes_count_from": "2026-11-25T09:00:00Z"}
    assert [(answer.status_code, answer.json()["type"]) for answer in (again, counted, nobody, new_here)] == [
        (409, "/problems/conflict"),
        (409, "/problems/conflict"),
        (404, "/problems/not-found"),
        (403, "/problems/not-vouched-yet"),
    ]
    assert again.json()["detail"] == "You have vouched for dee already. Nothing was changed."
    assert counted.json()["detail"] == "bob needs nobody to vouch for them. Nothing was changed."


async def test_a_newcomer_whose_votes_are_void_is_told_of_no_moment(app: FastAPI, workshop: Workshop) -> None:
    workshop.database.info["seasoning"] = Seasoning(hours=72, vouches=2, founders=12)
    known = [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.MODERATOR) for n in range(12)]
    workshop.member("dee", chapter="north")
    for moderator in known[:2]:
        with workshop.writing() as session:
            voiding.ask(session, moderator, "dee", voids=True, reason="Nobody knows them.")
    for voucher in (known[0], known[2]):
        async with connect(app, workshop.token(voucher)) as client:
            answer = await client.post(f"{API}/members/dee/vouch")
    assert answer.json() == {"name": "dee", "vouches": 2, "needed": 2, "votes_count_from": None}
