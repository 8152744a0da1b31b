"""A large change put forward section by section."""

import pytest
from fastapi import FastAPI

from app.drafts import service as drafts
from app.drafts.models import Draft
from app.permissions import Actor, Role, Scope
from tests.conftest import POSTGRES_IN_SOAK, connect
from tests.consensus.test_cutting import BASE, rewritten
from tests.contract.campaign import API
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]


@pytest.fixture
def people(workshop: Workshop) -> list[Actor]:
    return [workshop.member(name, role=Role.WRITER) for name in ("anna", "bob")]


@pytest.fixture
def large(workshop: Workshop, people: list[Actor]) -> Draft:
    """Bob's change of twelve blocks in four sections of the approved text."""
    page = workshop.page(people[0], "Homes", BASE)
    for voter in people:
        workshop.vote(voter, workshop.shared_head(page))
    with workshop.writing() as session:
        origin = drafts.default_fork_origin(session, page)
        return drafts.fork(session, people[1], origin, name="Plain words", text=rewritten(BASE, range(4)))


async def test_it_answers_with_the_drafts_that_were_made(
    app: FastAPI, workshop: Workshop, people: list[Actor], large: Draft
) -> None:
    async with connect(app, workshop.token(people[1], Scope.WRITE)) as client:
        answer = await client.post(f"{API}/drafts/{large.id}/split")
        made = answer.json()
        again = await client.post(f"{API}/drafts/{large.id}/split")
        first = made["data"][0]
        assert (await client.get(f"{API}/drafts/{first['id']}")).json() == first
        stays = (await client.get(f"{API}/drafts/{large.id}")).json()
        text = (await client.get(f"{API}/revisions/{first['head']}")).json()["text"]
        listed = (await client.get(f"{API}/pages/homes/candidates")).json()["data"]
    assert answer.status_code == 201
    assert first == {
        "id": first["id"],
        "page": "homes",
        "name": "Part 0: Plain words",
        "kind": "fork",
        "owner": "bob",
        "state": "open",
        "base": large.base_id,
        "head": first["head"],
        "behind": 0,
        "ahead": 1,
        "clean": True,
    }
    assert made == {"data": [first, *made["data"][1:]], "next": None}
    assert [draft["name"] for draft in made["data"]] == [f"Part {n}: Plain words" for n in range(4)]
    assert (stays["state"], stays["head"]) == ("open", large.head_id)
    assert text == rewritten(BASE, [0])
    assert {row["draft"] for row in listed} == {draft["id"] for draft in made["data"]}
    assert (again.status_code, again.json()["type"]) == (409, "/problems/nothing-to-split")


async def test_what_cannot_be_split_is_told_and_nothing_is_made(
    app: FastAPI, workshop: Workshop, people: list[Actor], large: Draft
) -> None:
    small = workshop.fork(people[1], workshop.get_page("homes"), ("A few words", "Some words"))
    shared = large.id - 1
    async with connect(app, workshop.token(people[1])) as client:
        answers = [await client.post(f"{API}/drafts/{id_}/split") for id_ in (small.id, shared, 4711)]
        await client.post(f"{API}/drafts/{large.id}/withdraw")
        answers.append(await client.post(f"{API}/drafts/{large.id}/split"))
    async with connect(app, workshop.token(people[0])) as client:
        answers.append(await client.post(f"{API}/drafts/{large.id}/split"))
    async with connect(app) as client:
        answers.append(await client.post(f"{API}/drafts/{large.id}/split"))
        kinds = [row["kind"] for row in (await client.get(f"{API}/changes?since=0")).json()["data"]]
    assert [(found.status_code, found.json()["type"].rpartition("/")[2]) for found in answers] == [
        (409, "nothing-to-split"),
        (409, "nothing-to-split"),
        (404, "draft-not-found"),
        (409, "draft-closed"),
        (403, "not-allowed"),
        (401, "sign-in-needed"),
    ]
    assert answers[0].json()["detail"].startswith("This change touches 1 paragraph")
    assert kinds.count("draft.forked") == 2
