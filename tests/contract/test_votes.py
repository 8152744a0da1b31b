import hashlib

import pytest
from fastapi import FastAPI

from app.permissions import Actor, Role, Scope
from tests.conftest import MovableClock, connect
from tests.contract.campaign import API, HOUSING_NOW, Campaign
from tests.factories import Workshop

pytestmark = pytest.mark.anyio


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def voters(workshop: Workshop) -> list[Actor]:
    anna = workshop.member("anna", chapter="north", role=Role.WRITER)
    return [anna, *(workshop.member(f"v{number}", chapter="north") for number in range(4))]


async def test_a_decision_tells_all_that_it_rests_on(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        found = (await client.get(f"{API}/revisions/{campaign.candidate}/decision")).json()
        revision = (await client.get(f"{API}/revisions/{campaign.candidate}")).json()
    assert found == {
        "state": "collecting",
        "reach": 1,
        "need": 2,
        "support": "1",
        "oppose": "1",
        "score": "1/4",
        "to_beat": None,
        "waits_until": None,
        "reasons": found["reasons"],
        "missing": found["missing"],
        "revision": {"id": campaign.candidate, "number": 4, "sha256": revision["sha256"]},
        "carried_to": None,
        "tallies": [
            {"chapter": "at large", "members": 3, "cap": 2, "support": 1, "oppose": 1, "pass": 0, "counted": 1}
        ],
        "electorate": {"active": 3, "chapters": {"north": 2, "south": 1}},
        "rule": {
            "name": "three to one",
            "wait_routine": 0,
            "wait_rapid": None,
            "vote_lasts": 1209600,
            "rival_window": 86400,
            "neighbour_wait": 3600,
            "active_days": 14,
            "rapid_lasts": 172800,
        },
    }
    assert found["reasons"]
    assert all(reason.endswith(".") for reason in found["reasons"])


async def test_a_text_nobody_voted_on_is_a_draft_and_says_what_it_needs(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        head = (await client.get(f"{API}/pages/schools")).json()["shared_draft"]["head"]
        found = (await client.get(f"{API}/revisions/{head}/decision")).json()
    assert (found["state"], found["reach"], found["need"]) == ("draft", 0, 2)
    assert found["missing"] == [{"what": "supporters", "count": 2, "from": ["at large"]}]


async def test_candidates_are_ranked_with_tallies_and_decision(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        listed = (await client.get(f"{API}/pages/housing/candidates")).json()
        decision = (await client.get(f"{API}/revisions/{campaign.candidate}/decision")).json()
        revision = (await client.get(f"{API}/revisions/{campaign.candidate}")).json()
    short = {name: decision[name] for name in list(decision)[:10]}
    revision.pop("text")
    assert listed == {
        "data": [
            {
                "page": "housing",
                "draft": campaign.fork,
                "revision": revision,
                "base": campaign.second,
                "put_forward_at": "2026-11-23T16:00:00Z",
                "opened_at": "2026-11-23T16:00:00Z",
                "score": "1/4",
                "tallies": decision["tallies"],
                "decision": short,
                "look_alikes": [],
            }
        ],
        "next": None,
    }


async def test_approvals_are_listed_newest_first(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        listed = (await client.get(f"{API}/pages/housing/approvals")).json()
        first = (await client.get(f"{API}/pages/housing/approvals?limit=1")).json()
        rest = (await client.get(f"{API}/pages/housing/approvals?limit=1&cursor={first['next']}")).json()
    assert listed["data"][0] == {
        "kind": "promoted",
        "revision": {"id": campaign.second, "number": 2, "sha256": sha256_of(HOUSING_NOW)},
        "at": "2026-11-23T15:00:00Z",
        "reason": "",
        "mode": "routine",
        "contested": False,
        "until": None,
        "replacement": None,
        "ledger": 3,
    }
    assert [row["revision"]["id"] for row in listed["data"]] == [campaign.second, campaign.first]
    assert [*first["data"], *rest["data"]] == listed["data"]
    assert rest["next"] is None


async def test_a_vote_is_cast_changed_taken_back_and_decides(
    app: FastAPI, workshop: Workshop, clock: MovableClock
) -> None:
    anna, bob, *others = voters(workshop)
    page = workshop.page(anna)
    head = workshop.shared_head(page)
    async with connect(app, workshop.token(bob, Scope.VOTE)) as client:
        sha256 = (await client.get(f"{API}/revisions/{head}")).json()["sha256"]
        address, body = f"{API}/revisions/{head}/vote", {"sha256": sha256, "value": "support"}
        cast = await client.put(address, json={**body, "reason": "It  names a number"})
        assert cast.status_code == 200
        assert cast.json()["vote"] == {
            "value": "support",
            "revision": {"id": head, "number": 1, "sha256": sha256},
            "reason": "It names a number",
            "cast_at": "2026-11-22T09:00:00Z",
        }
        assert (cast.json()["decision"]["state"], cast.json()["decision"]["reach"]) == ("collecting", 1)
        changed = await client.put(address, json={**body, "value": "oppose"})
        assert changed.json()["decision"]["tallies"][0]["oppose"] == 1
        assert changed.json()["decision"]["tallies"][0]["support"] == 0
        taken = await client.delete(address)
        assert taken.status_code == 200
        assert taken.json()["vote"] is None
        assert taken.json()["decision"]["tallies"][0]["oppose"] == 0
        none = await client.delete(address)
        assert (none.status_code, none.json()["type"]) == (409, "/problems/conflict")
        for other in others:
            workshop.vote(other, head)
        clock.move(hours=13)
        workshop.follow()
        late = await client.put(address, json=body)
        assert (late.status_code, late.json()["decision"]["state"]) == (200, "approved")
        assert (await client.get(f"{API}/pages/housing/approved")).status_code == 200


async def test_a_vote_needs_the_hash_of_the_text_as_it_stands(app: FastAPI, workshop: Workshop) -> None:
    anna, *_ = voters(workshop)
    head = workshop.shared_head(workshop.page(anna))
    async with connect(app, workshop.token(anna)) as client:
        for sha256 in ("0" * 64, "nonsense"):
            refused = await client.put(f"{API}/revisions/{head}/vote", json={"value": "support", "sha256": sha256})
            assert (refused.status_code, refused.json()["type"]) == (409, "/problems/text-changed")
        for body, pointer in (
            ({"value": "support"}, "/sha256"),
            ({"value": "maybe", "sha256": "0" * 64}, "/value"),
            ({"value": "support", "sha256": ""}, "/sha256"),
            ({"value": "support", "sha256": "0" * 64, "weight": 2}, "/weight"),
        ):
            refused = await client.put(f"{API}/revisions/{head}/vote", json=body)
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
        assert (await client.get(f"{API}/revisions/{head}/decision")).json()["state"] == "draft"


async def test_a_carried_candidate_is_found_at_its_former_revision(
    app: FastAPI, workshop: Workshop, clock: MovableClock
) -> None:
    anna, bob, *others = voters(workshop)
    page = workshop.page(anna)
    for voter in (anna, bob, *others):
        workshop.vote(voter, workshop.shared_head(page))
    carried = workshop.fork(bob, page, ("Anna moved", "Nora moved"))
    beaten = workshop.fork(bob, page, ("can afford", "can keep"))
    winner = workshop.fork(anna, page, ("can afford", "can pay"))
    for fork in (carried, beaten):
        workshop.vote(bob, fork.head_id or 0)
    clock.move(hours=30)
    for voter in (anna, bob, *others):
        workshop.vote(voter, winner.head_id or 0)
    workshop.follow()
    async with connect(app, workshop.token(anna)) as client:
        old = carried.head_id
        found = (await client.get(f"{API}/revisions/{old}/decision")).json()
        assert found["carried_to"] == found["revision"]["id"] != old
        assert found["reach"] == 1
        assert (await client.get(f"{API}/revisions/{found['carried_to']}/decision")).json()["carried_to"] is None
        for id_ in (old, found["carried_to"]):
            sha256 = (await client.get(f"{API}/revisions/{id_}")).json()["sha256"]
            vote = await client.put(f"{API}/revisions/{old}/vote", json={"value": "pass", "sha256": sha256})
            assert (vote.status_code, vote.json()["decision"]["carried_to"]) == (200, found["carried_to"])
        sha256 = (await client.get(f"{API}/revisions/{beaten.head_id}")).json()["sha256"]
        stale = await client.put(f"{API}/revisions/{beaten.head_id}/vote", json={"value": "support", "sha256": sha256})
        assert (stale.status_code, stale.json()["type"]) == (409, "/problems/voting-closed")
        assert (await client.get(f"{API}/revisions/{beaten.head_id}/decision")).json()["state"] == "stale"


async def test_a_draft_is_put_forward_once(app: FastAPI, workshop: Workshop) -> None:
    anna, bob, *_ = voters(workshop)
    page = workshop.page(anna)
    fork = workshop.fork(bob, page, ("Anna", "Nora"))
    async with connect(app, workshop.token(bob)) as his, connect(app, workshop.token(anna)) as hers:
        assert (await hers.post(f"{API}/drafts/{fork.id}/put-forward")).status_code == 403
        first = await his.post(f"{API}/drafts/{fork.id}/put-forward")
        assert first.status_code == 200
        assert (first.json()["revision"]["id"], first.json()["decision"]["state"]) == (fork.head_id, "draft")
        assert first.json()["opened_at"] is None
        again = await his.post(f"{API}/drafts/{fork.id}/put-forward")
        assert again.json() == first.json()
        assert (await his.get(f"{API}/pages/housing")).json()["counts"]["candidates"] == 1


async def test_ranking_goes_on_by_its_cursor_while_candidates_are_added(app: FastAPI, workshop: Workshop) -> None:
    anna, bob, *_ = voters(workshop)
    page = workshop.page(anna)
    forks = [workshop.fork(bob, page, ("Anna", name)) for name in ("Nora", "Mia", "Ida", "Eva")]
    workshop.vote(anna, forks[2].head_id or 0)
    async with connect(app, workshop.token(bob)) as client:
        for fork in forks:
            await client.post(f"{API}/drafts/{fork.id}/put-forward")
        first = (await client.get(f"{API}/pages/housing/candidates?limit=2")).json()
        newer = workshop.fork(bob, page, ("Anna", "Ada"))
        await client.post(f"{API}/drafts/{newer.id}/put-forward")
        second = (await client.get(f"{API}/pages/housing/candidates?limit=2&cursor={first['next']}")).json()
    seen = [row["draft"] for part in (first, second) for row in part["data"]]
    assert seen == [forks[2].id, forks[3].id, forks[1].id, forks[0].id]
    assert second["next"] is None
