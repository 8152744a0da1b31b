"""Recent changes as people read them."""

import pytest
from fastapi import FastAPI

from app.permissions import Role
from tests.conftest import connect
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
