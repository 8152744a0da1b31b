import pytest
from fastapi import FastAPI

from app.consensus import candidates
from app.consensus.models import Value
from app.drafts.models import Draft
from app.permissions import Actor, Role, Scope
from tests.conftest import POSTGRES_IN_SOAK, connect
from tests.contract.campaign import API
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]


def propose(workshop: Workshop, actor: Actor, draft: Draft) -> int:
    with workshop.writing() as session:
        return candidates.put_forward(session, actor, draft.id).revision_id


async def test_the_next_text_comes_with_what_it_changes(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", chapter="north", role=Role.WRITER)
    others = [workshop.member(f"v{number}", chapter="north") for number in range(3)]
    page = workshop.page(anna)
    for voter in (anna, *others):
        workshop.vote(voter, workshop.shared_head(page))
    workshop.vote(others[0], propose(workshop, anna, workshop.fork(anna, page, ("Anna", "Nora"))))
    async with connect(app, workshop.token(others[1], Scope.READ)) as client:
        answer = await client.get(f"{API}/review/next")
        found = answer.json()
        listed = (await client.get(f"{API}/pages/housing/candidates")).json()["data"]
        revision = found["candidate"]["revision"]
        diff = (await client.get(f"{API}/diff?from={revision['parents'][0]}&to={revision['id']}")).json()
        again = (await client.get(f"{API}/review/next")).json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert found["candidate"] in listed
    assert found == {
        "candidate": found["candidate"],
        "page": {"slug": "housing", "title": "Housing"},
        "diff": {**diff, "from": found["candidate"]["base"]},
        "why": found["why"],
        "progress": {"today": 1, "left": 1},
        "done": None,
        "asked_again": [],
    }
    assert found["diff"]["ops"][1] == {"op": "delete", "text": "Anna", "change": 1}
    assert found["why"].endswith(".")
    assert again == found


async def test_at_the_end_it_says_that_nothing_is_left(app: FastAPI, workshop: Workshop) -> None:
    anna, bob = workshop.member("anna", role=Role.WRITER), workshop.member("bob")
    head = workshop.shared_head(workshop.page(anna))
    workshop.vote(anna, head, Value.PASS)
    for actor, today, done in (
        (anna, 1, "You are done: 1 text moved today."),
        (workshop.member("cara"), 0, "Nothing needs your vote right now."),
    ):
        if not today:
            workshop.vote(actor, head)
            workshop.vote(bob, head)
        async with connect(app, workshop.token(actor, Scope.READ)) as client:
            found = (await client.get(f"{API}/review/next")).json()
        if today:
            assert found == {
                "candidate": None,
                "page": None,
                "diff": None,
                "why": None,
                "progress": {"today": today, "left": 0},
                "done": done,
                "asked_again": [],
            }
    nobody_voted = workshop.member("dora")
    with workshop.writing() as session:
        candidates.find_by_revision(session, head).closed = "expired"  # type: ignore[union-attr]
    async with connect(app, workshop.token(nobody_voted, Scope.READ)) as client:
        assert (await client.get(f"{API}/review/next")).json()["done"] == "Nothing needs your vote right now."


async def test_it_can_be_narrowed_to_what_lacks_a_chapter(app: FastAPI, workshop: Workshop) -> None:
    north = [workshop.member(f"n{number}", chapter="north", role=Role.WRITER) for number in range(8)]
    south = [workshop.member(f"s{number}", chapter="south") for number in range(8)]
    page = workshop.page(north[0])
    head = workshop.shared_head(page)
    for voter in north[:3]:  # 4 of 16 are needed, no chapter counts for more than 3
        workshop.vote(voter, head)
    async with connect(app, workshop.token(south[0], Scope.READ)) as client:
        lacking = (await client.get(f"{API}/review/next?chapter=south")).json()
        full = (await client.get(f"{API}/review/next?chapter=north")).json()
        unknown = await client.get(f"{API}/review/next?chapter=nowhere")
    assert lacking["candidate"]["revision"]["id"] == head
    assert (full["candidate"], full["progress"]) == (None, {"today": 0, "left": 1})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")


async def test_before_a_first_approval_all_of_it_is_new(app: FastAPI, workshop: Workshop) -> None:
    anna, bob = workshop.member("anna", role=Role.WRITER), workshop.member("bob")
    workshop.vote(anna, workshop.shared_head(workshop.page(anna, text="Words.\n")))
    async with connect(app, workshop.token(bob)) as client:
        found = (await client.get(f"{API}/review/next")).json()
    assert found["candidate"]["base"] is None
    assert found["diff"]["from"] is None
    assert found["diff"]["ops"] == [{"op": "insert", "text": "Words.\n", "change": 1}]


async def test_it_needs_somebody_who_may_read(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna")
    async with connect(app) as client:
        nobody = await client.get(f"{API}/review/next")
    async with connect(app, workshop.token(anna, Scope.WRITE)) as client:
        cannot = await client.get(f"{API}/review/next")
    assert (nobody.status_code, nobody.json()["type"]) == (401, "/problems/sign-in-needed")
    assert (cannot.status_code, cannot.json()["type"]) == (403, "/problems/scope-missing")
