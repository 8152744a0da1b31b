"""What people see of the rule's numbers, and moderators' forms."""

import re

import pytest
from fastapi import FastAPI

from app.permissions import Actor, Role
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]

FORM = {"setting": "wait_routine", "number": "24", "unit": "hours", "reason": "Nights count too."}


@pytest.fixture
def moderators(workshop: Workshop) -> list[Actor]:
    """One of north and one of south; both chapters count."""
    for n in range(8):
        workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER)
    people = (("ada", "north"), ("bea", "south"), ("cy", "north"))
    return [workshop.member(name, chapter=home, role=Role.MODERATOR) for name, home in people]


async def test_everybody_reads_where_a_number_comes_from_and_who_can_change_it(
    app: FastAPI, workshop: Workshop, moderators: list[Actor]
) -> None:
    async with connect(app) as reader, connect(app, workshop.token(moderators[0])) as ada:
        shown = (await reader.get("/rule")).text
        assert "Set by whoever runs this workshop." in shown, "founders, by this test's settings"
        assert "As the program comes." in shown
        assert "Only moderators propose and confirm." in shown
        assert "/rule/propose" not in shown
        offered = (await ada.get("/rule")).text
        assert "/rule/propose?setting=wait_routine" in offered
        assert "/rule/propose?setting=founders" not in offered
        refused = await reader.get("/rule/propose?setting=wait_routine")
        assert (refused.status_code, "Sign in" in refused.text) == (401, True)
        fixed = (await ada.get("/rule/propose?setting=founders")).text
        assert "WORKSHOP_FOUNDERS" in fixed


async def test_a_number_is_tried_proposed_confirmed_and_explained(
    app: FastAPI, workshop: Workshop, clock: MovableClock, moderators: list[Actor]
) -> None:
    page = workshop.page(workshop.member("wim", chapter="north", role=Role.WRITER))
    for voter in moderators:
        workshop.vote(voter, workshop.shared_head(page))
    workshop.vote(workshop.member("sue", chapter="south"), workshop.shared_head(page))
    clock.move(hours=13)
    workshop.follow()
    assert workshop.approved_text(page)
    tokens = [workshop.token(person) for person in moderators]
    async with connect(app) as reader, connect(app, tokens[0]) as ada, connect(app, tokens[1]) as bea:
        tried = await ada.post("/rule/propose", data={**FORM, "do": "try"})
        assert tried.status_code == 200
        assert "Of 1 vote decided here lately, 0 would have come out otherwise." in tried.text
        assert "1: approved all the same, but later" in tried.text
        assert 'value="Nights count too."' in tried.text
        assert "None. A proposal lapses after 7 days" in (await reader.get("/rule")).text, "trying saves nothing"
        proposed = await ada.post("/rule/propose", data={**FORM, "do": "propose"})
        assert (proposed.status_code, proposed.headers["Location"]) == (303, "/rule#open")
        own, others, everybody = [(await who.get("/rule")).text for who in (ada, bea, reader)]
        assert ("Take it back" in own, "Confirm it" in own) == (True, False)
        assert ("Take it back" in others, "Confirm it" in others) == (False, True)
        assert ("Take it back" in everybody, "Confirm it" in everybody) == (False, False)
        assert "Proposed by a moderator of North." in everybody
        assert not re.search(r"\bada\b", everybody)
        assert "1: approved all the same, but later" in (await reader.get("/rule/changes/1")).text
        confirmed = await bea.post("/rule/changes/1", data={"do": "confirm"})
        assert (confirmed.status_code, confirmed.headers["Location"]) == (303, "/rule#open")
        shown = (await reader.get("/rule")).text
        assert "Changed on 22 November 2026 by moderators of North and South: “Nights count too”." in shown
        assert "<dd>24 hours</dd>" in shown
        entry = (await reader.get("/ledger/3")).text
        assert "Two moderators changed the rule for votes that open from here on: “Nights count too”." in entry


async def test_a_problem_leaves_what_was_typed_in_the_form(
    app: FastAPI, workshop: Workshop, moderators: list[Actor]
) -> None:
    async with connect(app, workshop.token(moderators[0])) as ada:
        for number, unit, status, said in (
            ("31", "days", 422, "can be from no time to 30 days"),
            ("many", "hours", 422, "Write a whole number"),
            ("12", "hours", 409, "It is 12 hours already"),
            ("12", "moons", 422, "Choose what the number counts"),
        ):
            answer = await ada.post("/rule/propose", data={**FORM, "number": number, "unit": unit, "do": "propose"})
            assert (answer.status_code, said in answer.text) == (status, True), said
            assert f'value="{number}"' in answer.text
            assert 'value="Nights count too."' in answer.text
        for setting in ("wait_rapid", "vouches"):
            answer = await ada.post("/rule/propose", data={"setting": setting, "number": "", "reason": "Why not."})
            assert answer.status_code == (409 if setting == "wait_rapid" else 422)


async def test_who_may_not_confirm_is_told_why_on_the_page(
    app: FastAPI, workshop: Workshop, moderators: list[Actor]
) -> None:
    tokens = [workshop.token(person) for person in moderators]
    async with connect(app, tokens[0]) as ada, connect(app, tokens[2]) as cy:
        await ada.post("/rule/propose", data={**FORM, "do": "propose"})
        assert "Confirm it" not in (await cy.get("/rule")).text
        refused = await cy.post("/rule/changes/1", data={"do": "confirm"})
        assert (refused.status_code, "A moderator of your own chapter proposed this" in refused.text) == (409, True)
        assert (await ada.post("/rule/changes/1", data={"do": "shrug"})).status_code == 422
        taken = await ada.post("/rule/changes/1", data={"do": "take-back"})
        assert (taken.status_code, taken.headers["Location"]) == (303, "/rule#open")
        shown = (await cy.get("/rule")).text
        assert "Taken back" in shown[shown.index("Earlier changes") :]
    async with connect(app, workshop.token(workshop.member("mo"))) as mo:
        assert (await mo.post("/rule/propose", data={**FORM, "do": "propose"})).status_code == 403
        assert (await mo.post("/rule/changes/1", data={"do": "confirm"})).status_code == 403
