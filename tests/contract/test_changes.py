import pytest
from fastapi import FastAPI

from app.activity.models import Kind
from app.permissions import Role
from tests.conftest import connect
from tests.contract.campaign import API, Campaign
from tests.factories import Workshop

pytestmark = pytest.mark.anyio


async def test_the_log_is_read_from_its_beginning_in_order(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        whole = (await client.get(f"{API}/changes?limit=200")).json()
        assert whole == (await client.get(f"{API}/changes?since=0&limit=200")).json()
        rows, since = [], "0"
        while True:
            part = (await client.get(f"{API}/changes?since={since}&limit=3")).json()
            if not part["data"]:
                break
            rows += part["data"]
            since = part["next"]
    assert whole["data"][0] == {
        "seq": 1,
        "kind": "page.created",
        "at": "2026-11-22T09:00:00Z",
        "page": "housing",
        "subject": 1,
        "actor": "anna",
        "data": {"title": "Housing"},
    }
    assert rows == whole["data"]
    assert [row["seq"] for row in rows] == sorted({row["seq"] for row in rows})
    assert part["next"] == since == whole["next"]
    assert {row["kind"] for row in rows} <= set(Kind)
    assert "transport" in {row["page"] for row in rows}


async def test_votes_name_no_voter(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        rows = (await client.get(f"{API}/changes?kinds=vote.cast&limit=200")).json()["data"]
    assert len(rows) == 10
    assert {row["actor"] for row in rows} == {None}
    assert all(row["data"] == {} for row in rows)


async def test_rows_are_narrowed_by_kind_and_page_and_next_skips_the_others(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        whole = (await client.get(f"{API}/changes?limit=200")).json()
        answer = await client.get(f"{API}/changes?kinds=page.promoted,page.renamed&page=housing")
        found = answer.json()
        assert [row["kind"] for row in found["data"]] == ["page.promoted", "page.promoted", "page.renamed"]
        assert found["next"] == whole["next"]
        assert answer.headers["Link"] == (
            f'<{API}/changes?kinds=page.promoted%2Cpage.renamed&page=housing&since={whole["next"]}>; rel="next"'
        )
        for name in ("since", "cursor"):
            link = (await client.get(f"{API}/changes?{name}=3&limit=2")).headers["Link"].split(">")[0][1:]
            assert [row["seq"] for row in (await client.get(link)).json()["data"]] == [6, 7]
        assert (await client.get(f"{API}/changes?page=traffic")).json()["data"][0]["page"] == "transport"
        assert (await client.get(f"{API}/changes?cursor={whole['next']}")).json() == {"data": [], "next": whole["next"]}
        assert (await client.get(f"{API}/changes?since=123456")).json() == {"data": [], "next": "123456"}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("since=x", "/since"),
        ("since=-1", "/since"),
        ("since=1.0", "/since"),
        ("since=" + "9" * 19, "/since"),
        ("since=1&cursor=1", "/cursor"),
        ("kinds=page.burned", "/kinds"),
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
    ],
)
async def test_a_malformed_place_or_kind_is_refused(campaign: Campaign, query: str, pointer: str) -> None:
    async with connect(campaign.app) as client:
        answer = await client.get(f"{API}/changes?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_an_empty_log_has_a_place_to_go_on_from(app: FastAPI, workshop: Workshop) -> None:
    async with connect(app) as client:
        empty = (await client.get(f"{API}/changes")).json()
        assert empty == {"data": [], "next": "0"}
        workshop.page(workshop.member("anna", role=Role.WRITER))
        found = (await client.get(f"{API}/changes?since={empty['next']}")).json()
    assert [row["kind"] for row in found["data"]] == ["page.created", "revision.saved"]
