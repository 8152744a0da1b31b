"""“Does your vote still stand?” as people answer it without a script, from each screen that asks."""

import re

import httpx
import pytest
from fastapi import FastAPI

from app.approvals import service as approvals
from app.consensus import rivals
from app.consensus.models import Value
from app.drafts import service as drafts
from app.permissions import Actor, Role
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]

ASKS = "Does your vote still stand?"
ASKS_MORE = "Do your votes still stand?"


@pytest.fixture
@made_once
def people(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"member-{n}", role=Role.WRITER) for n in range(5)]


@pytest.fixture
@made_once
def stale(workshop: Workshop, clock: MovableClock, people: list[Actor]) -> list[int]:
    """Five rewrites of one sentence that another took the place of. 3 was for all of them, 4 against the first."""
    page = workshop.page(people[0])
    for voter in people[:3]:
        workshop.vote(voter, workshop.shared_head(page))
    clock.move(hours=30)
    made = [drafts.head_of(workshop.fork(people[2], page, ("10,000", f"1{n},500"))) for n in range(5)]
    for revision_id in made:
        workshop.vote(people[3], revision_id)
    workshop.vote(people[4], made[0], Value.OPPOSE)
    winner = drafts.head_of(workshop.fork(people[0], page, ("10,000", "20,000")))
    for voter in people[:3]:
        workshop.vote(voter, winner)
    workshop.vote(people[1], drafts.head_of(workshop.fork(people[1], page, ("Anna moved", "Nora moved"))))
    workshop.follow()
    return made


async def send(client: httpx.AsyncClient, **data: object) -> httpx.Response:
    answer = await client.post("/review/stands", data=data)
    assert answer.status_code == 303, answer.text
    return answer


def card(page: str) -> str:
    found = re.search(r'<section class="card stands".*?</section>', page, re.S)
    return found[0] if found else ""


async def test_it_comes_before_the_next_text_and_the_queue_goes_on_after_it(
    app: FastAPI, workshop: Workshop, people: list[Actor], stale: list[int]
) -> None:
    async with connect(app, workshop.token(people[4])) as client:
        shown = (await client.get("/review")).text
        asked = card(shown)
        assert ASKS in asked
        assert "You voted against this wording" in asked
        assert "was approved" in asked
        assert re.search(r"<del[^>]*>.*20,000.*</del>.*<ins[^>]*>.*10,500.*</ins>", asked, re.S), "against what is now"
        assert 'id="decide"' not in shown
        approval = re.search(r'name="approval" value="(\d+)"', asked)
        assert approval
        answer = await send(client, approval=approval[1], value="keep", back="review")
        after = (await client.get(answer.headers["Location"])).text
    assert "Your votes stay as they are." in after
    assert card(after) == ""
    assert 'id="decide"' in after


async def test_a_vote_on_what_is_being_declined_is_not_said_to_decide_nothing(
    app: FastAPI, workshop: Workshop, people: list[Actor], stale: list[int], clock: MovableClock
) -> None:
    housing = workshop.get_page("housing")
    unwanted, wanted = (
        drafts.head_of(workshop.fork(people[0], housing, ("three times", words))) for words in ("four times", "twice")
    )
    workshop.vote(people[3], unwanted)
    for voter in people[:2]:
        workshop.vote(voter, unwanted, Value.OPPOSE)
    clock.move(hours=2)
    for voter in people[:3]:
        workshop.vote(voter, wanted)
    workshop.follow()
    async with connect(app, workshop.token(people[0])) as client:
        asked = card((await client.get(f"/revisions/{unwanted}")).text)
        assert "So many are against it that it is declined at 03:00 UTC on 24 November 2026, unless votes" in asked
        assert "Your vote still counts towards whether it is declined" in asked
        assert "decides nothing" not in asked
    for voter in people[:2]:
        with workshop.writing() as session:
            rivals.answer(session, voter, unwanted, None)
    async with connect(app, workshop.token(people[3])) as client:
        asked = card((await client.get(f"/revisions/{unwanted}")).text)
    assert "so your vote on it decides nothing now" in asked
    assert "declined" not in asked


async def test_a_text_that_was_asked_for_comes_first(
    app: FastAPI, workshop: Workshop, people: list[Actor], stale: list[int]
) -> None:
    async with connect(app, workshop.token(people[4])) as client:
        found = (await client.get(f"/review?text={stale[0]}")).text
    assert card(found) == ""


async def test_three_are_shown_the_rest_is_counted_and_one_answer_ends_all(
    app: FastAPI, workshop: Workshop, people: list[Actor], stale: list[int]
) -> None:
    async with connect(app, workshop.token(people[3])) as client:
        asked = card((await client.get("/review")).text)
        assert ASKS_MORE in asked
        assert asked.count("You are for it.") == 3
        assert "/pages/housing/drafts?show=stale" in asked
        assert "and 2 more wordings you voted on" in asked
        approval = re.search(r'name="approval" value="(\d+)"', asked)
        assert approval
        assert (await send(client, approval=approval[1], value="keep", back="me")).headers["Location"] == "/me"
        assert card((await client.get("/me")).text) == ""


async def test_the_own_page_and_that_of_the_stale_text_ask_too_but_nobody_else(
    app: FastAPI, workshop: Workshop, people: list[Actor], stale: list[int]
) -> None:
    text = f"/revisions/{stale[4]}"
    async with connect(app, workshop.token(people[3])) as client:
        assert ASKS_MORE in card((await client.get("/me")).text)
        asked = card((await client.get(text)).text)
        assert f'href="{text}"' in asked.partition("</li>")[0], "the text that one looks at stands first"
        answer = await send(client, revision=stale[4], value="oppose", back=stale[4])
        assert answer.headers["Location"] == f"{text}#vote"
        assert card((await client.get(text)).text) == ""
        assert asked.count("<li>") == card((await client.get("/me")).text).count("<li>") == 3
    async with connect(app, workshop.token(people[4])) as client:
        assert card((await client.get(text)).text) == ""
    async with connect(app) as client:
        assert card((await client.get(text)).text) == ""


async def test_each_answer_says_what_was_done(
    app: FastAPI, workshop: Workshop, people: list[Actor], stale: list[int]
) -> None:
    async with connect(app, workshop.token(people[3])) as client:
        for value, said in (("oppose", "Your vote was changed."), ("withdraw", "Your vote was taken back.")):
            revision = re.search(r'name="revision" value="(\d+)"', card((await client.get("/review")).text))
            assert revision
            answer = await send(client, revision=revision[1], value=value, back="review")
            assert said in (await client.get(answer.headers["Location"])).text
        again = await send(client, revision=stale[3], value="again", back="review")
        shown = (await client.get(again.headers["Location"])).text
    assert "It is before the members now." in shown
    assert "Nobody has voted on this text yet." in shown


async def test_what_cannot_be_an_answer_is_refused(
    app: FastAPI, workshop: Workshop, people: list[Actor], stale: list[int]
) -> None:
    async with connect(app, workshop.token(people[3])) as client:
        for data in ({"value": "keep"}, {"value": "pass", "revision": stale[0]}, {"value": "oppose"}):
            assert (await client.post("/review/stands", data=data)).status_code == 422
        elsewhere = await send(client, revision=stale[0], value="oppose", back="//elsewhere.test")
    assert elsewhere.headers["Location"] == "/review?said=other"
    async with connect(app) as client:
        nobody = await client.post("/review/stands", data={"value": "oppose", "revision": stale[0]})
    assert nobody.status_code == 401


async def test_a_merged_text_leads_to_its_newer_version(
    app: FastAPI, workshop: Workshop, people: list[Actor], stale: list[int]
) -> None:
    async with connect(app, workshop.token(people[2])) as client:
        await send(client, revision=stale[0], value="again")
    async with connect(app, workshop.token(people[4])) as client:
        asked = card((await client.get("/review")).text)
    assert "Read the newer version" in asked
    assert 'value="again"' not in asked


async def test_an_answer_leads_back_to_the_queue_from_an_address_that_is_none(
    app: FastAPI, workshop: Workshop, people: list[Actor], stale: list[int]
) -> None:
    with workshop.reading() as session:
        approved = approvals.find_current(session, revisions.get(session, stale[0]).page_id)
        assert approved is not None
    async with connect(app, workshop.token(people[3])) as client:
        for back in ("9" * 5_000, "9" * 19, "²", "-1"):
            answered = await send(client, value="keep", approval=approved.id, back=back)
            assert (answered.status_code, answered.headers["location"]) == (303, "/review?said=stands")
