"""Moderators void votes and give them back in the browser; nobody else sees whose."""

import pytest
from fastapi import FastAPI

from app.permissions import Actor, Role
from tests.conftest import ON_SQLITE_ALONE, connect
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]

PLACE = "/moderation/votes"


@pytest.fixture
def moderators(workshop: Workshop) -> list[Actor]:
    """One of north and one of south; both chapters count."""
    for n in range(8):
        workshop.member(f"m{n}", chapter=("north", "south")[n % 2])
    workshop.member("Vera <b>", chapter="north")
    people = (("ada", "north"), ("bea", "south"))
    return [workshop.member(name, chapter=home, role=Role.MODERATOR) for name, home in people]


async def test_two_moderators_void_votes_and_give_them_back(
    app: FastAPI, workshop: Workshop, moderators: list[Actor]
) -> None:
    tokens = [workshop.token(person) for person in moderators]
    async with connect(app, tokens[0]) as ada, connect(app, tokens[1]) as bea:
        assert PLACE in (await ada.get("/moderation")).text
        asked = await ada.post(PLACE, data={"member": "vera <b>", "reason": "Bought votes.", "do": "void"})
        assert (asked.status_code, asked.headers["Location"]) == (303, PLACE)
        own, others = (await ada.get(PLACE)).text, (await bea.get(PLACE)).text
        assert ("Vera &lt;b&gt;" in own, "Confirm it" in own) == (True, False)
        assert "Confirm it" in others
        assert (await bea.post(PLACE, data={"member": "Vera <b>", "do": "void"})).status_code == 303
        shown = (await ada.get(PLACE)).text
        assert "Let them count again" in shown
        assert 'href="/ledger/2"' in shown
        assert "voided the votes of a member of north" in (await ada.get("/ledger")).text
        back = {"member": "Vera <b>", "reason": "It was a mistake.", "do": "give-back"}
        assert (await bea.post(PLACE, data=back)).status_code == 303
        assert "Let their votes count again" in (await ada.get(PLACE)).text
        assert (await ada.post(PLACE, data={**back, "reason": ""})).status_code == 303
        assert "Every member’s votes count." in (await ada.get(PLACE)).text


async def test_a_refusal_keeps_what_was_typed(app: FastAPI, workshop: Workshop, moderators: list[Actor]) -> None:
    async with connect(app, workshop.token(moderators[0])) as ada:
        answer = await ada.post(PLACE, data={"member": "Nobody Here", "reason": "Bought votes.", "do": "void"})
    assert answer.status_code == 404
    assert 'value="Nobody Here"' in answer.text
    assert 'value="Bought votes."' in answer.text


async def test_nobody_else_sees_whose_votes_are_void(app: FastAPI, workshop: Workshop, moderators: list[Actor]) -> None:
    async with connect(app) as reader, connect(app, workshop.token(workshop.member("Mo"))) as member:
        for client, status in ((reader, 401), (member, 403)):
            for answer in (await client.get(PLACE), await client.post(PLACE, data={"member": "m1", "do": "void"})):
                assert answer.status_code == status
            assert PLACE not in (await client.get("/moderation")).text
