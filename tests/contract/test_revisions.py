import hashlib

import pytest
from fastapi import FastAPI

from app.permissions import Role
from tests.conftest import connect
from tests.contract.campaign import API, HOUSING_NOW, Campaign
from tests.factories import HOUSING, Workshop

pytestmark = pytest.mark.anyio


async def test_a_revision_knows_its_place_and_its_text(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        found = (await client.get(f"{API}/revisions/{campaign.second}")).json()
        drafts = (await client.get(f"{API}/pages/housing/drafts?state=approved")).json()["data"]
    assert found == {
        "id": campaign.second,
        "page": "housing",
        "draft": drafts[0]["id"],
        "number": 2,
        "parents": [campaign.first],
        "author": "bob",
        "created_at": "2026-11-23T15:00:00Z",
        "summary": "",
        "sha256": hashlib.sha256(HOUSING_NOW.encode()).hexdigest(),
        "size": len(HOUSING_NOW.encode()),
        "text": HOUSING_NOW,
    }


async def test_a_pages_history_is_all_that_led_to_shared_and_approved_text(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        whole = (await client.get(f"{API}/pages/housing/revisions")).json()
        assert [row["number"] for row in whole["data"]] == [3, 2, 1]
        assert whole["next"] is None
        assert "text" not in whole["data"][0]
        merge = whole["data"][0]
        assert (merge["author"], merge["parents"]) == (None, [campaign.first, campaign.second])
        numbers, cursor = [], ""
        while cursor is not None:
            part = (await client.get(f"{API}/pages/housing/revisions?limit=1&cursor={cursor}")).json()
            numbers += [row["number"] for row in part["data"]]
            cursor = part["next"]
    assert numbers == [3, 2, 1]


async def test_a_drafts_history_is_all_that_led_to_its_head(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        found = (await client.get(f"{API}/pages/housing/revisions?draft={campaign.fork}")).json()
        assert [row["id"] for row in found["data"]] == [campaign.candidate, campaign.second, campaign.first]
        elsewhere = await client.get(f"{API}/pages/schools/revisions?draft={campaign.fork}")
    assert (elsewhere.status_code, elsewhere.json()["type"]) == (404, "/problems/draft-not-found")


async def test_a_cursor_of_another_page_or_of_nobody_is_refused(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        cursor = (await client.get(f"{API}/pages/housing/revisions?limit=1")).json()["next"]
        for address in (
            f"{API}/pages/schools/revisions?cursor={cursor}",
            f"{API}/pages/housing/revisions?cursor=WzEyMzQ1Njc4OTBd",
            f"{API}/pages/housing/revisions?cursor=W10",
            f"{API}/pages?cursor=nonsense",
            f"{API}/pages?cursor=WzFd",
            f"{API}/approved?cursor=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDBd",
        ):
            refused = await client.get(address)
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/cursor"), address


@pytest.mark.parametrize("id_", ["4711", "0", "-1", "x", "9" * 30, "1.5"])
async def test_an_unknown_id_is_404_however_it_is_written(campaign: Campaign, id_: str) -> None:
    async with connect(campaign.app) as client:
        for path in (f"revisions/{id_}", f"drafts/{id_}", f"revisions/{id_}/decision", f"revisions/{id_}/blame"):
            assert (await client.get(f"{API}/{path}")).status_code == 404


async def test_a_diff_tells_the_words_in_three_forms(campaign: Campaign) -> None:
    address = f"{API}/diff?from={campaign.first}&to={campaign.second}"
    async with connect(campaign.app) as client:
        found = (await client.get(address)).json()
        html = await client.get(f"{address}&format=html")
        unified = await client.get(f"{address}&format=unified")
    assert list(found) == ["from", "to", "ops", "counts", "sentence"]
    assert (found["from"], found["to"]) == (campaign.first, campaign.second)
    changed = [op for op in found["ops"] if op["op"] != "equal"]
    assert changed == [
        {"op": "delete", "text": "10,000", "change": 1},
        {"op": "insert", "text": "12,000", "change": 1},
    ]
    assert "".join(op["text"] for op in found["ops"] if op["op"] != "insert") == HOUSING
    assert "".join(op["text"] for op in found["ops"] if op["op"] != "delete") == HOUSING_NOW
    assert found["counts"] == {"words_added": 1, "words_removed": 1, "words_moved": 0, "changes": 1}
    assert found["sentence"] == "1 change: 1 word replaced in Key points."
    assert html.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<ins>" in html.text
    assert unified.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert unified.text.startswith("--- r1\n+++ r2\n@@ ")


async def test_a_passage_that_moved_says_where_it_was(app: FastAPI, workshop: Workshop) -> None:
    writer = workshop.member("anna", role=Role.WRITER)
    old = "One sentence stays here.\n\nThis whole one goes elsewhere.\n\nAnd this is the end of it.\n"
    new = "This whole one goes elsewhere.\n\nOne sentence stays here.\n\nAnd this is the end of it.\n"
    page = workshop.page(writer, "Moved", old)
    fork = workshop.fork(writer, page, (old, new))
    async with connect(app) as client:
        ops = (await client.get(f"{API}/diff?from={workshop.shared_head(page)}&to={fork.head_id}")).json()["ops"]
    moved = [op for op in ops if op["op"] == "move"]
    assert len(moved) == 2
    assert [op.get("from", False) for op in moved].count(True) == 1
    assert moved[0]["text"].strip() == moved[1]["text"].strip()


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ("from=1", 422, "/to"),
        ("from=x&to=1", 422, "/from"),
        ("from=1&to=1&format=pdf", 422, "/format"),
        ("from=1&to=4711", 404, None),
    ],
)
async def test_a_diff_of_what_is_not_there_is_refused(
    campaign: Campaign, query: str, status: int, pointer: str | None
) -> None:
    async with connect(campaign.app) as client:
        answer = await client.get(f"{API}/diff?{query}")
    assert answer.status_code == status
    assert pointer is None or answer.json()["errors"][0]["pointer"] == pointer


async def test_blame_names_who_wrote_which_words_through_forks(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        found = (await client.get(f"{API}/revisions/{campaign.candidate}/blame")).json()
        text = (await client.get(f"{API}/revisions/{campaign.candidate}")).json()["text"]
    assert found["revision"] == campaign.candidate
    assert "".join(run["text"] for run in found["runs"]) == text
    assert set(found["runs"][0]) == {"text", "revision", "number", "author", "created_at"}
    by = {run["author"] for run in found["runs"]}
    assert by == {"anna", "bob", "cara"}
    assert any("12,000" in run["text"] and run["author"] == "bob" for run in found["runs"])


async def test_a_merge_can_be_tried_out_by_anybody_with_texts_or_ids(campaign: Campaign) -> None:
    base = "Rents rise. Wages fall. Homes are few.\n"
    async with connect(campaign.app) as client:
        clean = await client.post(
            f"{API}/merge/preview",
            json={
                "base": base,
                "ours": base.replace("Rents rise", "Rents rise fast"),
                "theirs": base.replace("few", "too few"),
            },
        )
        assert clean.json() == {"text": "Rents rise fast. Wages fall. Homes are too few.\n", "conflicts": []}
        clash = await client.post(
            f"{API}/merge/preview",
            json={"base": base, "ours": base.replace("fall", "sink"), "theirs": base.replace("fall", "drop")},
        )
        found = clash.json()
        assert found["text"] is None
        assert len(found["conflicts"]) == 1
        assert set(found["conflicts"][0]) == {"base", "ours", "theirs", "reason"}
        assert (found["conflicts"][0]["ours"], found["conflicts"][0]["theirs"]) == ("Wages sink.", "Wages drop.")
        ids = {"base": campaign.first, "ours": campaign.second, "theirs": campaign.first}
        assert (await client.post(f"{API}/merge/preview", json=ids)).json()["text"] == HOUSING_NOW
        unknown = await client.post(f"{API}/merge/preview", json={**ids, "ours": 4711})
        assert unknown.status_code == 404
        hidden = await client.post(f"{API}/merge/preview", json={**ids, "ours": "a\u202eb"})
        assert hidden.json()["errors"][0]["pointer"] == "/ours"
