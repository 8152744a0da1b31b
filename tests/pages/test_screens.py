"""A page's addresses, and what stands beside its text."""

import re

import pytest
from fastapi import FastAPI

from app.activity import service as activity
from app.permissions import Role
from tests.conftest import ON_SQLITE_ALONE, connect
from tests.factories import Workshop

pytestmark = ON_SQLITE_ALONE


@pytest.fixture
def approved(workshop: Workshop) -> int:
    """The revision of Housing that its only member approved at 9:00 UTC."""
    anna = workshop.member("anna", role=Role.WRITER)
    head = workshop.shared_head(workshop.page(anna))
    workshop.vote(anna, head)
    return head


@pytest.mark.anyio
async def test_what_we_said_at_a_moment_is_one_address_away(app: FastAPI, approved: int) -> None:
    async with connect(app) as client:
        then = await client.get("/pages/housing/at", params={"day": "2026-11-22", "time": "09:00"})
        that_day = await client.get("/pages/housing/at", params={"day": "2026-11-22", "time": ""})
        before = await client.get("/pages/housing/at", params={"day": "2026-11-22", "time": "08:59"})
    assert (then.status_code, then.headers["location"]) == (303, f"/revisions/{approved}")
    assert that_day.headers["location"] == f"/revisions/{approved}"
    assert before.status_code == 404


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["housing.html", "housing.md"])
async def test_a_pages_name_as_a_file_leads_to_the_page(app: FastAPI, approved: int, name: str) -> None:
    async with connect(app) as client:
        answer = await client.get(f"/pages/{name}")
    assert (answer.status_code, answer.headers["location"]) == (308, "/pages/housing")


@pytest.mark.anyio
async def test_each_section_can_be_copied_and_edited_by_itself(app: FastAPI, approved: int) -> None:
    async with connect(app) as client:
        shown = (await client.get("/pages/housing")).text
        copies = re.findall(r'href="(/api/v1/pages/housing/approved/sections/[^"]+)" aria-label="([^"]+)"', shown)
        assert [label for _, label in copies] == [
            f"Copy the section {name}" for name in ("Topline", "Key points", "Story")
        ]
        texts = [await client.get(address) for address, _ in copies]
        assert texts[0].text == "Everyone needs a home they can afford. Rents have risen faster than wages."
        assert {text.status_code for text in texts} == {200}
        editor = re.findall(r'href="(/pages/housing/edit\?section=[^"]+)"', shown)
        assert len(editor) == 3
        assert "Anna moved" not in (await client.get(editor[0])).text


@pytest.mark.anyio
async def test_a_page_says_from_where_to_listen_on(app: FastAPI, workshop: Workshop, approved: int) -> None:
    async with connect(app) as client:
        shown = (await client.get("/pages/housing")).text
    with workshop.reading() as session:
        newest = activity.latest(session, page_id=None, before=None, limit=1)[0].id
    assert f'data-since="{newest}"' in shown


@pytest.mark.anyio
async def test_a_mistyped_address_is_answered_with_those_like_it(app: FastAPI, approved: int) -> None:
    async with connect(app) as client:
        near = await client.get("/pages/housng")
        far = await client.get("/pages/fracking")
    assert near.status_code == far.status_code == 404
    assert '<a href="/pages/housing">' in near.text
    assert '<a href="/pages/' not in far.text


@pytest.mark.anyio
async def test_what_stands_before_the_first_heading_has_a_pencil_too(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    text = "Homes for all, said in one line.\n\n## Topline\n\nEveryone needs a home.\n"
    page = workshop.page(anna, "Homes", text)
    workshop.vote(anna, workshop.shared_head(page))
    async with connect(app) as client:
        shown = (await client.get("/pages/homes")).text
        assert 'href="/pages/homes/edit?section=intro" aria-label="Edit the section Intro"' in shown
        editor = (await client.get("/pages/homes/edit?section=intro")).text
    typed = editor.partition("<textarea")[2].partition("</textarea>")[0]
    assert "said in one line." in typed
    assert "Everyone needs a home." not in typed
    assert "This part was renamed or taken out" not in editor


@pytest.mark.anyio
async def test_a_board_of_as_many_pages_as_fit_has_no_more(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    async with connect(app) as client:
        for number in range(41):
            workshop.page(anna, f"Page {number:02}", f"Words {number}.\n")
            if number >= 39:
                shown = (await client.get("/")).text
                assert ("More pages" in shown) is (number == 40)
                assert len(set(re.findall(r'href="/pages/(page-\d+)"', shown))) == 40
