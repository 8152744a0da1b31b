"""A vote on a text that went stale: that its voter is asked about it, and what they can answer."""

import pytest
from fastapi import FastAPI

from app.consensus.models import Value
from app.drafts import service as drafts
from app.permissions import Actor, Role, Scope
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.contract.campaign import API
from tests.factories import HOUSING, Workshop

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]


@pytest.fixture
@made_once
def people(workshop: Workshop) -> list[Actor]:
    return [workshop.member(name, role=Role.WRITER) for name in ("anna", "bob", "cara", "dora", "emil")]


@pytest.fixture
@made_once
def revisions(workshop: Workshop, clock: MovableClock, people: list[Actor]) -> dict[str, int]:
    """Dora's change, which she and Emil voted on, and the approved text that made it stale."""
    page = workshop.page(people[0])
    for voter in people[:3]:
        workshop.vote(voter, workshop.shared_head(page))
    clock.move(hours=30)
    stale = drafts.head_of(workshop.fork(people[3], page, ("10,000", "12,000")))
    workshop.vote(people[3], stale)
    workshop.vote(people[4], stale, Value.OPPOSE)
    approved = drafts.head_of(workshop.fork(people[0], page, ("10,000", "20,000")))
    for voter in people[:3]:
        workshop.vote(voter, approved)
    workshop.follow()
    return {"stale": stale, "approved": approved}


async def test_the_next_text_comes_with_the_votes_that_are_in_doubt(
    app: FastAPI, workshop: Workshop, people: list[Actor], revisions: dict[str, int]
) -> None:
    found = {}
    for actor in people[2:]:
        async with connect(app, workshop.token(actor, Scope.READ)) as client:
            found[actor.name] = (await client.get(f"{API}/review/next")).json()["asked_again"]
    about = {"page": "housing", "revision": revisions["stale"], "approved": revisions["approved"]}
    assert found == {"cara": [], "dora": [{**about, "value": "support"}], "emil": [{**about, "value": "oppose"}]}


@pytest.mark.parametrize(("value", "counted"), [("support", 1), ("oppose", 0), (None, 0)])
async def test_it_is_kept_changed_or_taken_back_by_its_voter(
    app: FastAPI,
    workshop: Workshop,
    people: list[Actor],
    revisions: dict[str, int],
    value: str | None,
    counted: int,
) -> None:
    async with connect(app, workshop.token(people[3])) as client:
        answer = await client.post(f"{API}/revisions/{revisions['stale']}/answer", json={"value": value})
        found = answer.json()
        assert answer.status_code == 200
        assert found["vote"] == (found["vote"] and {**found["vote"], "value": value})
        assert (found["vote"] is None) == (value is None)
        assert found["decision"]["state"] == "stale"
        assert sum(line["support"] for line in found["decision"]["tallies"]) == counted
        assert (await client.get(f"{API}/review/next")).json()["asked_again"] == []
        kinds = [row["kind"] for row in (await client.get(f"{API}/changes?since=0")).json()["data"]]
    assert kinds[-1] == {"support": "candidate.stale", "oppose": "vote.cast", None: "vote.withdrawn"}[value]


async def test_whoever_is_not_asked_cannot_answer(
    app: FastAPI, workshop: Workshop, people: list[Actor], revisions: dict[str, int]
) -> None:
    address = f"{API}/revisions/{revisions['stale']}/answer"
    async with connect(app, workshop.token(people[0])) as client:
        stranger = await client.post(address, json={"value": "oppose"})
        approved = await client.post(f"{API}/revisions/{revisions['approved']}/answer", json={"value": "oppose"})
        missing = await client.post(f"{API}/revisions/4711/answer", json={"value": None})
        passing = await client.post(address, json={"value": "pass"})
        vote = await client.put(
            f"{API}/revisions/{revisions['stale']}/vote", json={"value": "pass", "sha256": "0" * 64}
        )
    async with connect(app, workshop.token(people[3], Scope.READ)) as client:
        reader = await client.post(address, json={"value": None})
    async with connect(app) as client:
        nobody = await client.post(address, json={"value": None})
    assert [found.status_code for found in (stranger, approved, missing, passing, vote, reader, nobody)] == [
        *(409, 409, 404, 422, 409, 403, 401)
    ]
    assert (stranger.json()["type"], vote.json()["type"]) == ("/problems/conflict", "/problems/voting-closed")


async def test_a_wording_is_put_to_the_vote_again_and_its_votes_begin_at_zero(
    app: FastAPI, workshop: Workshop, people: list[Actor], revisions: dict[str, int]
) -> None:
    address = f"{API}/revisions/{revisions['stale']}/again"
    async with connect(app, workshop.token(people[4])) as client:
        answer = await client.post(address)
        made = answer.json()
        draft = (await client.get(f"{API}/drafts/{made['draft']}")).json()
        text = (await client.get(f"{API}/revisions/{made['revision']['id']}")).json()["text"]
        again = await client.post(address)
        assert (await client.get(f"{API}/review/next")).json()["asked_again"] == []
        twice = await client.post(f"{API}/revisions/{made['revision']['id']}/again")
    assert (answer.status_code, again.status_code) == (201, 201)
    assert (made["base"], made["decision"]["state"]) == (revisions["approved"], "draft")
    assert [line["support"] + line["oppose"] for line in made["tallies"]] == [0]
    assert (draft["owner"], draft["kind"]) == ("emil", "fork")
    assert text == HOUSING.replace("10,000", "12,000")
    assert again.json()["draft"] == made["draft"]
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/conflict")
