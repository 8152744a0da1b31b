"""Colours, contrast and keys, as one browser keeps them."""

import pytest
from fastapi import FastAPI

from tests.conftest import ON_SQLITE_ALONE, connect

pytestmark = ON_SQLITE_ALONE


@pytest.mark.anyio
async def test_a_chosen_look_stays_and_leads_back(app: FastAPI) -> None:
    async with connect(app) as client:
        before = await client.get("/")
        chosen = await client.post("/look", data={"theme": "dark", "strong": "true", "next": "/changes"})
        after = await client.get("/")
    assert 'data-theme="dark"' not in before.text
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/changes")
    assert 'data-theme="dark"' in after.text
    assert 'data-contrast="more"' in after.text


@pytest.mark.anyio
@pytest.mark.parametrize("cookie", ['"><script>alert(1)</script>', "purple.loud", "", "dark" * 1_000, "\u00e9"])
async def test_whatever_stands_in_the_cookie_is_a_look(app: FastAPI, cookie: str) -> None:
    async with connect(app) as client:
        answer = await client.get("/", headers={b"cookie": f"look={cookie}".encode()})
    assert answer.status_code == 200
    assert "alert(1)" not in answer.text
    assert 'data-theme="dark"' not in answer.text


@pytest.mark.anyio
async def test_a_choice_never_leads_to_another_site(app: FastAPI) -> None:
    async with connect(app) as client:
        answer = await client.post("/look", data={"theme": "light", "next": "//evil.example"})
    assert answer.headers["location"] == "/"
