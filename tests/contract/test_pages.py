import pytest
from fastapi import FastAPI

from app.permissions import Role
from tests.conftest import connect
from tests.contract.campaign import API, Campaign
from tests.factories import Workshop

pytestmark = pytest.mark.anyio


async def test_a_page_says_what_is_approved_and_what_is_open(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        found = (await client.get(f"{API}/pages/housing")).json()
        approved = (await client.get(f"{API}/pages/housing/approved")).json()
        drafts = (await client.get(f"{API}/pages/housing/drafts")).json()["data"]
    shared = drafts[-1]
    assert found == {
        "slug": "housing",
        "title": "Housing",
        "tags": ["cost", "homes"],
        "status": "approved",
        "approved": approved["revision"],
        "shared_draft": {"id": shared["id"], "head": shared["head"]},
        "counts": {"revisions": 4, "open_drafts": 1, "candidates": 1},
    }


async def test_a_page_without_an_approved_text_has_none(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        found = (await client.get(f"{API}/pages/schools")).json()
    assert (found["status"], found["approved"]) == ("none", None)
    assert found["counts"] == {"revisions": 1, "open_drafts": 0, "candidates": 0}


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("", ["housing", "long", "marked", "schools", "transport"]),
        ("?tag=homes", ["housing"]),
        ("?tag=Homes", ["housing"]),
        ("?q=HOUS", ["housing"]),
        ("?q=%25", []),
        ("?status=approved", ["housing", "long", "marked"]),
        ("?status=none", ["schools", "transport"]),
        ("?status=held", []),
        ("?status=none&q=traf", ["transport"]),
    ],
)
async def test_pages_are_listed_by_address_and_narrowed(campaign: Campaign, query: str, slugs: list[str]) -> None:
    async with connect(campaign.app) as client:
        answer = await client.get(f"{API}/pages{query}")
        row = answer.json()["data"][0] if slugs else None
        assert [row["slug"] for row in answer.json()["data"]] == slugs
        assert answer.json()["next"] is None
        assert "Link" not in answer.headers
        if row:
            assert row == (await client.get(f"{API}/pages/{row['slug']}")).json()


async def test_a_list_goes_on_by_its_cursor_while_rows_are_added(app: FastAPI, workshop: Workshop) -> None:
    writer = workshop.member("anna", role=Role.WRITER)
    for title in ("Buses", "Climate", "Energy", "Health"):
        workshop.page(writer, title)
    async with connect(app) as client:
        first = await client.get(f"{API}/pages?limit=2")
        assert first.headers["Link"] == f'<{API}/pages?limit=2&cursor={first.json()["next"]}>; rel="next"'
        workshop.page(writer, "Arts")
        workshop.page(writer, "Defence")
        second = await client.get(f"{API}/pages?limit=10&cursor={first.json()['next']}")
    seen = [row["slug"] for answer in (first, second) for row in answer.json()["data"]]
    assert seen == ["buses", "climate", "defence", "energy", "health"]
    assert second.json()["next"] is None


async def test_a_page_is_made_with_its_shared_draft_and_first_revision(app: FastAPI, workshop: Workshop) -> None:
    token = workshop.token(workshop.member("anna", role=Role.WRITER))
    body = {
        "title": "Housing",
        "text": "\ufeff# Housing\r\n\r\nCafe\u0301\x00 \n",
        "slug": "homes",
        "summary": "A start",
        "tags": ["Cost", "homes"],
    }
    async with connect(app, token) as client:
        made = await client.post(f"{API}/pages", json=body)
        assert made.status_code == 201
        assert made.headers["Location"] == f"{API}/pages/homes"
        page = made.json()
        revision = (await client.get(f"{API}/revisions/{page['shared_draft']['head']}")).json()
        again = await client.post(f"{API}/pages", json=body)
    assert (page["slug"], page["tags"], page["status"]) == ("homes", ["cost", "homes"], "none")
    assert (revision["text"], revision["author"]) == ("# Housing\n\nCafé \n", "anna")
    assert revision["summary"] == "A start"
    assert (again.status_code, again.json()["type"]) == (409, "/problems/slug-taken")


async def test_a_renamed_page_is_found_at_both_addresses(app: FastAPI, workshop: Workshop) -> None:
    writer = workshop.member("anna", role=Role.WRITER)
    workshop.page(writer, "Housing")
    workshop.page(writer, "Wohnen für alle")
    async with connect(app, workshop.token(writer)) as client:
        renamed = await client.patch(f"{API}/pages/housing", json={"title": "Homes", "slug": "homes", "tags": ["rent"]})
        assert (renamed.status_code, renamed.json()["slug"], renamed.json()["tags"]) == (200, "homes", ["rent"])
        moved = await client.get(f"{API}/pages/housing?")
        assert (moved.status_code, moved.headers["Location"]) == (308, f"{API}/pages/homes")
        by_former = await client.patch(f"{API}/pages/housing", json={"title": "Homes for all"})
        assert (by_former.status_code, by_former.json()["title"]) == (200, "Homes for all")
        taken = await client.patch(f"{API}/pages/wohnen-fur-alle", json={"slug": "housing"})
        assert (taken.status_code, taken.json()["type"]) == (409, "/problems/slug-taken")
        back = await client.patch(f"{API}/pages/homes", json={"slug": "housing"})
        assert back.json()["slug"] == "housing"
        assert (await client.get(f"{API}/pages/homes")).headers["Location"] == f"{API}/pages/housing"


async def test_addresses_in_other_scripts_work_everywhere(app: FastAPI, workshop: Workshop) -> None:
    writer = workshop.member("anna", role=Role.WRITER)
    async with connect(app, workshop.token(writer)) as client:
        made = await client.post(f"{API}/pages", json={"title": "住宅", "text": "家。\n"})
        assert made.json()["slug"] == "住宅"
        for _ in range(2):
            await client.post(
                f"{API}/pages/住宅/revisions",
                json={"base": made.json()["shared_draft"]["head"], "text": "家が要る。\n"},
            )
        found = await client.get(made.headers["Location"])
        assert found.status_code == 200
        listed = await client.get(f"{API}/pages/住宅/revisions?limit=1")
        assert (await client.get(listed.headers["Link"].split(">")[0][1:])).status_code == 200
        await client.patch(f"{API}/pages/住宅", json={"slug": "すまい"})
        moved = await client.get(f"{API}/pages/住宅/drafts", follow_redirects=True)
        assert moved.json()["data"][0]["page"] == "すまい"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "x"}, "/title"),
        ({"title": "x"}, "/text"),
        ({"title": " ", "text": "x"}, "/title"),
        ({"title": "x" * 121, "text": "x"}, "/title"),
        ({"title": "x", "text": "x" * 65_537}, "/text"),
        ({"title": "x", "text": "a\u202eb"}, "/text"),
        ({"title": "x", "text": "a&#x202E;b"}, "/text"),
        ({"title": "x", "text": "[a](https://good.example&#8238;)"}, "/text"),
        ({"title": "x", "text": "x", "slug": "No Slug"}, "/slug"),
        ({"title": "x", "text": "x", "slug": "new"}, "/slug"),
        ({"title": "x", "text": "x", "tags": ["a" * 41]}, "/tags"),
        ({"title": "x", "text": "x", "tags": [str(number) for number in range(13)]}, "/tags"),
        ({"title": "x", "text": 7}, "/text"),
        ({"title": "x", "text": "x", "colour": "red"}, "/colour"),
    ],
)
async def test_what_cannot_be_a_page_is_refused_by_field(
    campaign: Campaign, body: dict[str, object], pointer: str
) -> None:
    async with connect(campaign.app, campaign.token) as client:
        refused = await client.post(f"{API}/pages", json=body)
    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/refused"
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert "invalid" not in refused.text.lower()
