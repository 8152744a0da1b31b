"""The offer to put a large change forward section by section, as its author meets it without a script."""

import re

import pytest
from fastapi import FastAPI

from app.consensus import candidates
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.permissions import Actor, Role
from tests.conftest import ON_SQLITE_ALONE, connect
from tests.consensus.test_cutting import BASE, rewritten
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]

OFFER = "Put it forward section by section?"


@pytest.fixture
def people(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"member-{n}", role=Role.WRITER) for n in range(2)]


@pytest.fixture
def large(workshop: Workshop, people: list[Actor]) -> Draft:
    page = workshop.page(people[0], "Homes", BASE)
    for voter in people:
        workshop.vote(voter, workshop.shared_head(page))
    with workshop.writing() as session:
        origin = drafts.default_fork_origin(session, page)
        return drafts.fork(session, people[1], origin, text=rewritten(BASE, range(4)))


async def test_its_author_is_offered_it_on_the_draft_and_after_putting_it_forward(
    app: FastAPI, workshop: Workshop, people: list[Actor], large: Draft
) -> None:
    async with connect(app, workshop.token(people[1])) as client:
        before = (await client.get(f"/drafts/{large.id}", follow_redirects=True)).text
        put = await client.post(f"/drafts/{large.id}/put-forward")
        after = (await client.get(put.headers["Location"])).text
    for shown in (before, after):
        assert OFFER in shown
        assert "This change touches 12 paragraphs in 4 sections." in shown
        assert re.findall(r'<li><bdi dir="auto">(Part \d)</bdi>\s*<span[^>]*>3 paragraphs', shown) == [
            f"Part {n}" for n in range(4)
        ]
        assert "Put it to the vote in 4 parts" in shown
    async with connect(app, workshop.token(people[0])) as client:
        assert OFFER not in (await client.get(f"/revisions/{large.head_id}")).text


async def test_one_button_puts_the_parts_to_the_vote_and_leads_to_them(
    app: FastAPI, workshop: Workshop, people: list[Actor], large: Draft
) -> None:
    with workshop.writing() as session:
        candidates.put_forward(session, people[1], large.id)
    async with connect(app, workshop.token(people[1])) as client:
        answer = await client.post(f"/drafts/{large.id}/split")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/me?parts=4")
        own = (await client.get("/me?parts=4")).text
        whole = (await client.get(f"/revisions/{large.head_id}")).text
        refused = await client.post(f"/drafts/{large.id}/split")
        again = await client.post(f"/drafts/{large.id}/put-forward")
    assert "Your change is before the members now, in 4 parts." in own
    assert [f"Part {n}: " in own for n in range(4)] == [True] * 4
    assert OFFER not in whole
    assert "This text was withdrawn." in whole
    assert "Put it to the vote" in whole, "the whole can be asked about again"
    assert refused.status_code == 409
    assert again.headers["Location"] == f"/revisions/{large.head_id}?saved=asked"


async def test_a_small_change_is_not_offered_it(
    app: FastAPI, workshop: Workshop, people: list[Actor], large: Draft
) -> None:
    small = workshop.fork(people[1], workshop.get_page("homes"), ("A few words", "Some words"))
    async with connect(app, workshop.token(people[1])) as client:
        assert OFFER not in (await client.get(f"/revisions/{small.head_id}")).text
        assert "in parts" not in (await client.get("/me")).text
