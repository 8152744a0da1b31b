"""Recent changes as people read them."""

import re

import pytest
from fastapi import FastAPI

from app.consensus.models import Value
from app.permissions import Role
from tests.conftest import MovableClock, connect
from tests.factories import Workshop


@pytest.mark.anyio
async def test_votes_on_one_text_are_one_line_with_their_number(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", chapter="north", role=Role.WRITER)
    page = workshop.page(anna)
    members = [workshop.member(f"voter-{number}", chapter="south") for number in range(12)]
    for voter in members[:3]:
        workshop.vote(voter, workshop.shared_head(page))
    async with connect(app) as client:
        shown = (await client.get("/changes")).text
    assert shown.count("Votes on a wording") == 1
    assert "(3)" in shown
    assert "voter-" not in shown


@pytest.mark.anyio
async def test_how_votes_ended_is_told_by_nobodys_name(app: FastAPI, workshop: Workshop, clock: MovableClock) -> None:
    members = [workshop.member(f"member-{n}", role=Role.WRITER) for n in range(5)]
    page = workshop.page(members[0])
    for voter in members[:3]:
        workshop.vote(voter, workshop.shared_head(page))
    clock.move(days=2)
    changes = {"refused": ("three", "nine"), "tired": ("Anna", "Nora"), "first": ("10,000", "12,000")}
    heads = {name: workshop.fork(members[0], page, change).head_id or 0 for name, change in changes.items()}
    said_already = workshop.fork(members[1], page, changes["first"]).head_id or 0
    for head in (heads["tired"], said_already):
        workshop.vote(members[0], head)
    for name, value in (("refused", Value.OPPOSE), ("first", Value.SUPPORT)):
        for voter in members[:3]:
            workshop.vote(voter, heads[name], value)
    workshop.follow()
    clock.move(days=15)
    workshop.follow()
    async with connect(app) as client:
        shown = (await client.get("/changes")).text
        rows = (await client.get("/api/v1/changes?kinds=candidate.declined,candidate.expired,candidate.stale")).json()
    for said in (
        "A wording was declined",
        "A vote ended without a decision",
        "What a wording would change stands in the approved text by now",
    ):
        assert re.search(rf'<a href="/revisions/\d+">{said}</a>', shown), said
    assert [(row["kind"], row["actor"], row["data"]) for row in rows["data"]] == [
        ("candidate.stale", None, {"state": "superseded"}),
        ("candidate.declined", None, {}),
        ("candidate.expired", None, {}),
    ]
