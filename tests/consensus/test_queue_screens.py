"""The queue as people use it without a script: forms that answer 303 and lead to the next text."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.consensus import candidates
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.permissions import Actor, Role
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]

WORDS = (("Renters", "Tenants"), ("Anna", "Nora"), ("10,000", "12,000"))


@pytest.fixture
@made_once
def people(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"member-{n}", role=Role.WRITER) for n in range(5)]


@pytest.fixture
@made_once
def forks(workshop: Workshop, people: list[Actor]) -> list[Draft]:
    page = workshop.page(people[0])
    for voter in people:
        workshop.vote(voter, workshop.shared_head(page))
    made = [workshop.fork(people[0], page, words) for words in WORDS]
    with workshop.writing() as session:
        for fork in made:
            candidates.put_forward(session, people[0], fork.id)
    return made


def fields(page: str, form: str = 'id="decide"') -> dict[str, Any]:
    """The hidden fields of a form on the page."""
    found = re.search(rf"<form[^>]*{form}.*?</form>", page, re.S)
    assert found, page
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found[0]))


async def send(client: httpx.AsyncClient, **data: Any) -> httpx.Response:
    answer = await client.post("/review", data=data)
    assert answer.status_code == 303, answer.text
    return await client.get(answer.headers["Location"])


async def test_one_text_after_the_other_to_a_natural_end(
    app: FastAPI, workshop: Workshop, people: list[Actor], forks: list[Draft]
) -> None:
    seen = set()
    async with connect(app, workshop.token(people[1])) as client:
        shown = await client.get("/review")
        assert shown.headers["Cache-Control"] == "no-store"
        for left, value in zip((3, 2, 1), ("support", "oppose", "pass"), strict=True):
            assert f"{left} text" in shown.text
            sent = fields(shown.text)
            seen.add(int(sent["revision"]))
            shown = await send(client, **sent, value=value, reason="It is plain")
    assert seen == {fork.head_id for fork in forks}
    assert "You are done: 4 texts moved today." in shown.text, "the first is the page itself"
    assert 'id="decide"' not in shown.text


async def test_a_vote_is_taken_back_from_the_next_screen(
    app: FastAPI, workshop: Workshop, clock: MovableClock, people: list[Actor], forks: list[Draft]
) -> None:
    clock.move(minutes=1)
    async with connect(app, workshop.token(people[1])) as client:
        first = await client.get("/review")
        assert "data-undo" not in first.text
        voted = await send(client, **fields(first.text), value="support")
        assert "Your vote was counted, for:" in voted.text
        again = await send(client, **fields(voted.text, "data-undo"), value="withdraw")
        assert "Your vote was taken back. Here is the text again." in again.text
        assert fields(again.text) == fields(first.text)
        twice = await send(client, **fields(voted.text, "data-undo"), value="withdraw")
        assert fields(twice.text) == fields(first.text)
        await send(client, **fields(first.text), value="pass")
        clock.move(seconds=31)
        assert "data-undo" not in (await client.get("/review")).text
    assert workshop.decision(int(fields(first.text)["revision"])).count.supporters == 0


async def test_how_others_voted_is_not_told(
    app: FastAPI, workshop: Workshop, people: list[Actor], forks: list[Draft]
) -> None:
    workshop.vote(people[2], drafts.head_of(forks[0]))
    async with connect(app, workshop.token(people[1])) as client:
        shown = (await client.get(f"/review?text={forks[0].head_id}")).text
    decision = workshop.decision(drafts.head_of(forks[0]))
    assert decision.reasons[0] in shown
    assert len(decision.reasons) > 1
    assert not [reason for reason in decision.reasons[1:] if reason in shown]
    assert "table" not in shown


async def test_a_text_that_changed_meanwhile_is_shown_again(
    app: FastAPI, workshop: Workshop, people: list[Actor], forks: list[Draft]
) -> None:
    async with connect(app, workshop.token(people[1])) as client:
        sent = fields((await client.get("/review")).text)
        again = await send(client, **{**sent, "sha256": "0" * 64}, value="support")
    assert "The text changed after you read it, so nothing was counted. Here it is again." in again.text
    assert fields(again.text) == sent
    assert workshop.decision(int(sent["revision"])).count.supporters == 0


async def test_a_vote_that_was_over_leads_on(
    app: FastAPI, workshop: Workshop, clock: MovableClock, people: list[Actor], forks: list[Draft]
) -> None:
    async with connect(app, workshop.token(people[1])) as client:
        sent = fields((await client.get(f"/review?text={forks[0].head_id}")).text)
        workshop.vote(people[0], drafts.head_of(forks[0]))
        clock.move(days=15)
        workshop.follow()
        shown = await send(client, **sent, value="support")
    assert "That vote was over before yours came" in shown.text
    assert fields(shown.text)["revision"] != sent["revision"]


async def test_what_cannot_be_a_vote_is_refused_and_nobody_is_asked_to_sign_in(
    app: FastAPI, workshop: Workshop, people: list[Actor], forks: list[Draft]
) -> None:
    head = drafts.head_of(forks[0])
    with workshop.reading() as session:
        sha256 = revisions.get(session, head).sha256
    async with connect(app, workshop.token(people[1])) as client:
        refused = await client.post("/review", data={"revision": head, "sha256": sha256, "value": "maybe"})
        closed = (await client.get("/review?said=nonsense&text=999999")).text
    assert refused.status_code == 422
    assert fields(closed)["revision"]
    async with connect(app) as client:
        for answer in (await client.get("/review"), await client.post("/review", data={"revision": head})):
            assert answer.status_code in (401, 422)
            assert "/login" in answer.text


async def test_it_is_led_to_from_the_board_the_head_and_after_a_vote(
    app: FastAPI, workshop: Workshop, people: list[Actor], forks: list[Draft]
) -> None:
    workshop.vote(people[1], drafts.head_of(forks[0]))
    async with connect(app, workshop.token(people[1])) as client:
        board = (await client.get("/")).text
        voted = (await client.get(f"/revisions/{forks[0].head_id}")).text
    async with connect(app) as client:
        assert "/review" not in (await client.get("/")).text
    assert board.count('href="/review"') == 2, "in the head, and over the texts that come next in the queue"
    assert voted.count('href="/review"') == 2
