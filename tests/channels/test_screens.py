"""Counts where people read and write."""

import html

import httpx
import pytest
from fastapi import FastAPI

from app.permissions import Role
from tests.conftest import connect
from tests.factories import Workshop

pytestmark = pytest.mark.anyio

TEXT = "# Rents\n\nIt’s time.\n\n## SMS\n\nIt’s time: " + "vote " * 20 + "\n\n## Story\n\nAnna’s.\n"
EDIT = "/pages/rents/edit"


@pytest.fixture
def head(workshop: Workshop) -> int:
    page = workshop.page(workshop.member("ada", role=Role.WRITER), "Rents", TEXT)
    return workshop.shared_head(page)


def shown(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    return html.unescape(answer.text)


async def test_a_page_says_below_the_heading_what_a_channel_counts_and_why(app: FastAPI, head: int) -> None:
    async with connect(app) as client:
        page = shown(await client.get("/pages/rents"))
    below = page.partition('id="u-sms"')[2].partition("It’s time: vote")[0]
    assert "<p>2 texts, 110 of 134 characters</p>" in below
    assert "1 curly quote makes this 2 texts instead of 1." in below
    assert f'<a href="{EDIT}?section=sms">Make it straight?</a>' in below
    assert page.count('class="count"') == 1


async def test_the_editor_counts_what_is_typed_and_makes_it_straight_without_a_script(app: FastAPI, head: int) -> None:
    async with connect(app) as client:
        opened = shown(await client.get(EDIT, params={"section": "sms"}))
        assert "2 texts, 110 of 134 characters" in opened
        form = {"base": str(head), "section": "sms", "heading": "## SMS\n\n", "text": "It’s " + "a" * 80}
        previewed = shown(await client.post(EDIT, data={**form, "action": "preview"}))
        assert "2 texts, 85 of 134 characters" in previewed
        straight = shown(await client.post(EDIT, data={**form, "action": "straighten"}))
        assert "It's aaa" in straight.partition("<textarea")[2].partition("</textarea>")[0]
        assert "1 text, 85 of 160 characters" in straight
        whole = shown(await client.get(EDIT))
        assert "<bdi>SMS</bdi></strong>: 2 texts" in whole
        given = {"base": str(head), "text": TEXT, "action": "straighten"}
        typed = shown(await client.post(EDIT, data=given)).partition("<textarea")[2].partition("</textarea>")[0]
    assert typed.partition(">")[2].lstrip("\n") == TEXT.replace("It’s time: ", "It's time: ")
