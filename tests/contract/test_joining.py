"""Look-alikes in the list of candidates, and two drafts that become one."""

import httpx
import pytest
from fastapi import FastAPI

from app.consensus.models import Value
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.permissions import Actor, Role, Scope
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.contract.campaign import API
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]

SENTENCE = "Rents have risen faster than wages."
FAR, MUCH = "Rents have risen far faster than our wages.", "Rents have risen much faster than our wages."


@pytest.fixture
@made_once
def people(workshop: Workshop) -> list[Actor]:
    return [workshop.member("anna", role=Role.WRITER), workshop.member("bob"), workshop.member("cara")]


@pytest.fixture
@made_once
def forks(workshop: Workshop, clock: MovableClock, people: list[Actor]) -> list[Draft]:
    """Anna's and Bob's words for one sentence of an approved text, which nearly agree."""
    page = workshop.page(people[0])
    for member in people:
        workshop.vote(member, workshop.shared_head(page))
    clock.move(hours=13)
    workshop.follow()
    return [
        workshop.fork(people[0], page, (SENTENCE, FAR), ("Anna moved", "Nora moved")),
        workshop.fork(people[1], page, (SENTENCE, MUCH)),
    ]


async def candidates_of(client: httpx.AsyncClient) -> list[tuple[int, list[int]]]:
    listed = (await client.get(f"{API}/pages/housing/candidates")).json()["data"]
    return [(row["revision"]["id"], row["look_alikes"]) for row in listed]


async def test_a_candidate_names_those_that_say_nearly_the_same(
    app: FastAPI, workshop: Workshop, people: list[Actor], forks: list[Draft]
) -> None:
    page = workshop.get_page("housing")
    same = workshop.fork(people[2], page, (SENTENCE, f"{MUCH[:-1]}!"))
    other = workshop.fork(people[2], page, ("Her children changed school", "Her son and her daughter changed school"))
    for draft in (forks[1], same, other):
        workshop.vote(people[0], draft.head_id or 0)
    workshop.vote(people[1], same.head_id or 0)
    rival = workshop.fork(people[1], page, (SENTENCE, FAR))
    workshop.vote(people[1], rival.head_id or 0, Value.PASS)
    async with connect(app) as client:
        listed = dict(await candidates_of(client))
    assert next(iter(listed)) == same.head_id
    assert listed == {
        same.head_id: [forks[1].head_id, rival.head_id],
        forks[1].head_id: [same.head_id, rival.head_id],
        rival.head_id: [same.head_id, forks[1].head_id],
        other.head_id: [],
    }


async def test_two_drafts_become_one_with_both_as_parents(
    app: FastAPI, workshop: Workshop, people: list[Actor], forks: list[Draft]
) -> None:
    for member, draft in zip(people, forks, strict=False):
        workshop.vote(member, draft.head_id or 0)
    async with connect(app, workshop.token(people[0], Scope.WRITE)) as client:
        clash = await client.post(f"{API}/drafts/{forks[0].id}/join", json={"with": forks[1].id})
        assert (clash.status_code, clash.json()["type"]) == (409, "/problems/join-conflict")
        found = clash.json()
        assert [found[side]["revision"]["id"] for side in ("ours", "theirs")] == [draft.head_id for draft in forks]
        assert [(it["base"], it["ours"], it["theirs"]) for it in found["conflicts"]] == [(SENTENCE, FAR, MUCH)]
        assert len(await candidates_of(client)) == 2
        miscounted = await client.post(
            f"{API}/drafts/{forks[0].id}/join", json={"with": forks[1].id, "resolutions": ["a", "b"]}
        )
        assert (miscounted.status_code, miscounted.json()["errors"][0]["pointer"]) == (422, "/resolutions")
        answer = await client.post(
            f"{API}/drafts/{forks[0].id}/join", json={"with": forks[1].id, "resolutions": [MUCH]}
        )
        assert answer.status_code == 201
        joined = answer.json()
        assert answer.headers["Location"] == f"{API}/drafts/{joined['id']}"
        assert (joined["owner"], joined["kind"], joined["state"]) == ("anna", "fork", "open")
        head = (await client.get(f"{API}/revisions/{joined['head']}")).json()
        assert head["parents"] == [draft.head_id for draft in forks]
        assert MUCH in head["text"]
        assert "Nora moved" in head["text"]
        states = [(await client.get(f"{API}/drafts/{draft.id}")).json()["state"] for draft in forks]
        assert states == ["withdrawn", "open"]
        assert await candidates_of(client) == [(forks[1].head_id, [])]
        decision = (await client.get(f"{API}/revisions/{joined['head']}/decision")).json()
        assert (decision["state"], decision["support"]) == ("draft", "0")
        log = (await client.get(f"{API}/changes?since=0")).json()["data"]
        last = {row["kind"]: (row["subject"], row["data"]) for row in log}
        assert last["draft.forked"] == (
            joined["id"],
            {"head": joined["head"], "joined": [draft.id for draft in forks]},
        )
        assert last["draft.withdrawn"] == (forks[0].id, {"joined_into": joined["id"]})


async def test_both_authors_words_stay_theirs_in_a_joined_draft(
    app: FastAPI, workshop: Workshop, people: list[Actor], forks: list[Draft]
) -> None:
    async with connect(app, workshop.token(people[2])) as client:
        answer = await client.post(
            f"{API}/drafts/{forks[0].id}/join", json={"with": forks[1].id, "resolutions": [MUCH]}
        )
        blame = (await client.get(f"{API}/revisions/{answer.json()['head']}/blame")).json()
        states = [(await client.get(f"{API}/drafts/{draft.id}")).json()["state"] for draft in forks]
    wrote = {run["text"].strip(): run["author"] for run in blame["runs"]}
    assert wrote["Nora"] == "anna"
    assert wrote["much"] == "bob"
    assert "cara" not in wrote.values()
    assert states == ["open", "open"]


async def test_what_cannot_be_joined_is_told_and_nothing_is_made(
    app: FastAPI, workshop: Workshop, people: list[Actor], forks: list[Draft]
) -> None:
    elsewhere = workshop.fork(people[0], workshop.page(people[0], "Trams", "# Trams\n\nThey run.\n"), ("run", "ring"))
    with workshop.writing() as session:
        from_it = drafts.fork(session, people[2], forks[0].head_id or 0).id
    async with connect(app, workshop.token(people[0])) as client:

        async def answer(with_: object) -> tuple[int, str]:
            found = await client.post(f"{API}/drafts/{forks[0].id}/join", json={"with": with_})
            return found.status_code, found.json()["type"]

        assert await answer(forks[0].id) == (422, "/problems/refused")
        assert await answer(elsewhere.id) == (422, "/problems/refused")
        assert await answer(4711) == (404, "/problems/draft-not-found")
        assert await answer("x") == (422, "/problems/refused")
        assert await answer(from_it) == (409, "/problems/nothing-to-join")
        await client.post(f"{API}/drafts/{forks[0].id}/withdraw")
        assert await answer(forks[1].id) == (409, "/problems/draft-closed")
        kinds = [row["kind"] for row in (await client.get(f"{API}/changes?since=0")).json()["data"]]
    assert kinds.count("draft.forked") == 4
    async with connect(app) as client:
        nobody = await client.post(f"{API}/drafts/{forks[0].id}/join", json={"with": forks[1].id})
    assert nobody.status_code == 401
