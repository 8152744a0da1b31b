import pytest
from fastapi import FastAPI

from app.permissions import Role, Scope
from tests.conftest import MovableClock, connect
from tests.contract.campaign import API, Campaign
from tests.factories import HOUSING, Workshop

pytestmark = pytest.mark.anyio


async def test_a_draft_says_whose_it_is_and_how_it_stands(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        fork = (await client.get(f"{API}/drafts/{campaign.fork}")).json()
        listed = (await client.get(f"{API}/pages/housing/drafts")).json()["data"]
        head = (await client.get(f"{API}/pages/housing")).json()["shared_draft"]["head"]
    assert fork == {
        "id": campaign.fork,
        "page": "housing",
        "name": "cara’s draft",
        "kind": "fork",
        "owner": "cara",
        "state": "open",
        "base": campaign.second,
        "head": campaign.candidate,
        "behind": 0,
        "ahead": 1,
        "clean": True,
    }
    assert [row["state"] for row in listed] == ["open", "approved", "open"]
    assert listed[0] == fork
    assert listed[-1] == {
        "id": listed[-1]["id"],
        "page": "housing",
        "name": "Housing",
        "kind": "shared",
        "owner": None,
        "state": "open",
        "base": None,
        "head": head,
        "behind": 0,
        "ahead": 1,
        "clean": True,
    }


async def test_drafts_are_listed_by_state_and_cursor(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        open_ = (await client.get(f"{API}/pages/housing/drafts?state=open")).json()["data"]
        first = (await client.get(f"{API}/pages/housing/drafts?limit=1")).json()
        rest = (await client.get(f"{API}/pages/housing/drafts?cursor={first['next']}")).json()
        odd = await client.get(f"{API}/pages/housing/drafts?state=lost")
    assert [row["kind"] for row in open_] == ["fork", "shared"]
    assert len(first["data"]) == 1
    assert (len(rest["data"]), rest["next"]) == (2, None)
    assert odd.json()["errors"][0]["pointer"] == "/state"


async def test_an_edit_of_the_shared_draft_is_merged_with_what_others_saved(app: FastAPI, workshop: Workshop) -> None:
    anna, bob = workshop.member("anna", role=Role.WRITER), workshop.member("bob")
    base = workshop.shared_head(workshop.page(anna))
    address = f"{API}/pages/housing/revisions"
    async with connect(app, workshop.token(anna)) as hers, connect(app, workshop.token(bob)) as his:
        first = await hers.post(
            address, json={"base": base, "text": HOUSING.replace("10,000", "20,000"), "summary": "More homes"}
        )
        assert first.status_code == 201
        saved = first.json()
        assert list(saved) == ["revision", "merged"]
        assert (saved["merged"], saved["revision"]["parents"]) == (False, [base])
        assert (saved["revision"]["author"], saved["revision"]["summary"]) == ("anna", "More homes")
        assert first.headers["Location"] == f"{API}/revisions/{saved['revision']['id']}"
        assert (await his.get(first.headers["Location"])).json() == saved["revision"]
        second = (await his.post(address, json={"base": base, "text": HOUSING.replace("Anna", "Nora")})).json()
        assert second["merged"] is True
        assert second["revision"]["parents"] == [saved["revision"]["id"]]
        assert second["revision"]["text"] == HOUSING.replace("10,000", "20,000").replace("Anna", "Nora")


async def test_an_edit_that_clashes_is_kept_as_a_draft_and_told_in_full(app: FastAPI, workshop: Workshop) -> None:
    anna, bob = workshop.member("anna", role=Role.WRITER), workshop.member("bob")
    base = workshop.shared_head(workshop.page(anna))
    ours, theirs = HOUSING.replace("can afford", "can pay"), HOUSING.replace("can afford", "can keep")
    address = f"{API}/pages/housing/revisions"
    async with connect(app, workshop.token(anna)) as hers, connect(app, workshop.token(bob)) as his:
        head = (await hers.post(address, json={"base": base, "text": theirs})).json()["revision"]["id"]
        clash = await his.post(address, json={"base": base, "text": ours})
        assert clash.status_code == 409
        assert clash.headers["Content-Type"] == "application/problem+json"
        found = clash.json()
        assert (found["type"], found["status"], found["instance"]) == ("/problems/edit-conflict", 409, address)
        kept = found["saved_as"]
        for side, id_, author, text in (
            ("base", base, "anna", HOUSING),
            ("ours", kept["head"], "bob", ours),
            ("theirs", head, "anna", theirs),
        ):
            assert found[side]["text"] == text
            assert (found[side]["revision"]["id"], found[side]["revision"]["author"]) == (id_, author)
        assert found["conflicts"] == [
            {
                "base": "Everyone needs a home they can afford.",
                "ours": "Everyone needs a home they can pay.",
                "theirs": "Everyone needs a home they can keep.",
                "reason": found["conflicts"][0]["reason"],
            }
        ]
        assert found["conflicts"][0]["reason"].endswith(".")
        assert (await his.get(f"{API}/drafts/{kept['id']}")).json()["owner"] == "bob"
        assert (await his.get(f"{API}/revisions/{kept['head']}")).json()["text"] == ours
        assert (await his.get(f"{API}/pages/housing")).json()["shared_draft"]["head"] == head
        chosen = await his.post(address, json={"base": head, "text": ours})
        assert (chosen.status_code, chosen.json()["merged"]) == (201, False)


async def test_a_base_from_elsewhere_is_refused(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    workshop.page(anna)
    other = workshop.shared_head(workshop.page(anna, "Schools", "Schools.\n"))
    async with connect(app, workshop.token(anna)) as client:
        for base in (other, 4711):
            answer = await client.post(f"{API}/pages/housing/revisions", json={"base": base, "text": "x"})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/base")
            answer = await client.post(f"{API}/pages/housing/drafts", json={"from": base})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/from")
        missing = await client.post(f"{API}/pages/housing/revisions", json={"text": "x"})
        assert missing.json()["errors"] == [{"pointer": "/base", "detail": "this is needed"}]


async def test_a_fork_is_its_owners_from_opening_to_reopening(app: FastAPI, workshop: Workshop) -> None:
    anna, bob = workshop.member("anna", role=Role.WRITER), workshop.member("bob")
    head = workshop.shared_head(workshop.page(anna))
    async with connect(app, workshop.token(anna)) as hers, connect(app, workshop.token(bob)) as his:
        plain = await his.post(f"{API}/pages/housing/drafts")
        assert plain.status_code == 201
        assert plain.headers["Location"] == f"{API}/drafts/{plain.json()['id']}"
        assert (plain.json()["head"], plain.json()["base"], plain.json()["owner"]) == (head, head, "bob")
        body = {"from": head, "name": "Shorter", "text": "# Housing\n\nHomes.\n", "summary": "Cut"}
        fork = (await his.post(f"{API}/pages/housing/drafts", json=body)).json()
        assert (fork["name"], fork["kind"], fork["state"], fork["ahead"], fork["behind"]) == (
            "Shorter",
            "fork",
            "open",
            1,
            0,
        )
        address = f"{API}/drafts/{fork['id']}"
        edit = {"base": fork["head"], "text": "# Housing\n\nHomes for all.\n"}
        strange = await hers.post(f"{address}/revisions", json=edit)
        assert (strange.status_code, strange.json()["type"]) == (403, "/problems/not-allowed")
        saved = await his.post(f"{address}/revisions", json=edit)
        assert (saved.status_code, saved.json()["revision"]["draft"]) == (201, fork["id"])
        for step in ("withdraw", "reopen", "update"):
            assert (await hers.post(f"{address}/{step}")).status_code == 403
        assert (await his.post(f"{address}/withdraw")).json()["state"] == "withdrawn"
        again = await his.post(f"{address}/withdraw")
        assert (again.status_code, again.json()["type"]) == (409, "/problems/draft-closed")
        late = await his.post(
            f"{address}/revisions", json={"base": saved.json()["revision"]["id"], "text": "Too late.\n"}
        )
        assert (late.status_code, late.json()["type"], late.json()["conflicts"]) == (409, "/problems/edit-conflict", [])
        assert "This draft was closed while you wrote." in late.json()["detail"]
        assert (await his.post(f"{address}/reopen")).json()["state"] == "open"


async def test_newer_approved_text_is_brought_into_a_draft(
    app: FastAPI, workshop: Workshop, clock: MovableClock
) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    page = workshop.page(anna)
    workshop.vote(anna, workshop.shared_head(page))
    clean = workshop.fork(anna, page, ("Anna moved", "Nora moved"))
    clashing = workshop.fork(anna, page, ("can afford", "can keep"))
    winner = workshop.fork(anna, page, ("can afford", "can pay"))
    clock.move(hours=30)
    workshop.vote(anna, winner.head_id or 0)
    assert "can pay" in (workshop.approved_text(page) or "")
    async with connect(app, workshop.token(anna)) as client:
        before = (await client.get(f"{API}/drafts/{clean.id}")).json()
        assert (before["ahead"], before["behind"], before["clean"]) == (1, 1, True)
        updated = await client.post(f"{API}/drafts/{clean.id}/update")
        assert (updated.status_code, updated.json()["merged"]) == (200, True)
        assert updated.json()["revision"]["parents"] == [clean.head_id, winner.head_id]
        after = (await client.get(f"{API}/drafts/{clean.id}")).json()
        assert (after["ahead"], after["behind"], after["clean"]) == (2, 0, True)
        assert (await client.get(f"{API}/drafts/{clashing.id}")).json()["clean"] is False
        clash = await client.post(f"{API}/drafts/{clashing.id}/update", json={})
        assert (clash.status_code, clash.json()["type"]) == (409, "/problems/merge-conflict")
        found = clash.json()
        assert [found[side]["revision"]["id"] for side in ("ours", "theirs")] == [clashing.head_id, winner.head_id]
        assert [conflict["ours"] for conflict in found["conflicts"]] == ["Everyone needs a home they can keep."]
        miscounted = await client.post(f"{API}/drafts/{clashing.id}/update", json={"resolutions": ["a", "b"]})
        assert (miscounted.status_code, miscounted.json()["errors"][0]["pointer"]) == (422, "/resolutions")
        resolved = await client.post(
            f"{API}/drafts/{clashing.id}/update", json={"resolutions": ["Everyone needs a home they can pay and keep."]}
        )
        assert resolved.status_code == 200
        assert "can pay and keep." in resolved.json()["revision"]["text"]
        assert (await client.get(f"{API}/drafts/{clashing.id}")).json()["clean"] is True


async def test_nothing_can_be_brought_in_before_a_text_is_approved(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    fork = workshop.fork(anna, workshop.page(anna), ("Anna", "Nora"))
    async with connect(app, workshop.token(anna, Scope.WRITE)) as client:
        answer = await client.post(f"{API}/drafts/{fork.id}/update")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
