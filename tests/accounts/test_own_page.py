"""One's own page: what became of what one wrote, without telling how others voted."""

import pytest
from fastapi import FastAPI

from app.accounts import service as accounts
from app.permissions import Role
from tests.conftest import connect
from tests.factories import Workshop

PASSWORD = "four unrelated words"


@pytest.mark.anyio
async def test_it_lists_what_was_sent_and_how_versions_stand(app: FastAPI, workshop: Workshop) -> None:
    with workshop.writing() as session:
        ada = accounts.actor_of(accounts.add_user(session, "Ada", PASSWORD, role=Role.WRITER))
    page = workshop.page(ada, "Housing")
    voters = [workshop.member(chapter="north") for _ in range(6)] + [workshop.member(chapter="south") for _ in range(6)]
    fork = workshop.fork(ada, page, ("10,000", "12,000"))
    for voter in voters[:3]:
        workshop.vote(voter, fork.head_id or 0)
    async with connect(app) as client:
        await client.post("/login", data={"name": "Ada", "password": PASSWORD})
        base = {"base": str(workshop.shared_head(page)), "text": "Only this.", "summary": "Shorter by far"}
        await client.post("/pages/housing/edit", data=base)
        shown = (await client.get("/me")).text
    assert "Shorter by far" in shown
    decision = workshop.decision(fork.head_id or 0)
    assert decision.reasons[0] in shown
    for telling in decision.reasons[1:]:
        assert telling not in shown
