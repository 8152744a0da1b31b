"""What a stranger can read: why this text is the approved one, and what it would take to change it."""

import pytest
from fastapi import FastAPI

from app.consensus.models import Value
from app.drafts import service as drafts
from app.permissions import Role
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]


async def test_a_stranger_reads_why_a_text_is_approved_and_what_would_change_it(
    app: FastAPI, workshop: Workshop, clock: MovableClock
) -> None:
    members = [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(12)]
    page = workshop.page(members[0])
    for member in members[:7]:
        workshop.vote(member, workshop.shared_head(page))
    clock.move(hours=30)
    winner = drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000")))
    rival = drafts.head_of(workshop.fork(members[1], page, ("10,000", "15,000")))
    other = drafts.head_of(workshop.fork(members[2], page, ("three times", "four times")))
    third = drafts.head_of(workshop.fork(members[3], page, ("three times", "nine times")))
    for text, voters in ((rival, members[:2]), (other, members[:3]), (third, members[:1]), (winner, members[:7])):
        for member in voters:
            workshop.vote(member, text)
    workshop.follow()
    async with connect(app) as stranger:
        approved = (await stranger.get(f"/revisions/{winner}")).text
        assert "7 people support it and nobody is against" in approved
        assert "1 other text rewrites the same sentences." in approved
        assert "It loses its approval when at least 2 are against it" in approved
        assert "Votes on the approved text stay open" in approved
        assert f'action="/revisions/{winner}/vote"' in approved
        assert "It stands first here" in (await stranger.get(f"/revisions/{other}")).text
        assert "1 other open text of this page has a higher score" in (await stranger.get(f"/revisions/{third}")).text
        stale = (await stranger.get(f"/revisions/{rival}")).text
        assert "Why this one?" not in stale
    async with connect(app, workshop.token(members[11])) as signed_in:
        assert "Why this one?" not in (await signed_in.get(f"/revisions/{other}")).text, "before one has voted"
        assert "1 other text rewrites the same sentences." in (await signed_in.get(f"/revisions/{winner}")).text
        sha256 = (await signed_in.get(f"/api/v1/revisions/{winner}")).json()["sha256"]
        answer = await signed_in.post(f"/revisions/{winner}/vote", data={"value": "oppose", "sha256": sha256})
        assert answer.status_code == 303
    assert workshop.decision(winner).count.opposers == 1
    assert workshop.vote(members[10], winner, Value.SUPPORT).decision.count.supporters == 8
