"""Files that browsers ask for once."""

import re

import pytest
from fastapi import FastAPI

from tests.conftest import connect


@pytest.mark.anyio
async def test_files_lie_at_addresses_that_change_with_them_and_are_kept_for_good(app: FastAPI) -> None:
    async with connect(app) as client:
        shown = (await client.get("/")).text
        addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', shown))
        assert any(address.endswith("app.css") for address in addresses)
        for address in addresses:
            answer = await client.get(address)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]
        elsewhere = await client.get("/static/0123456789ab/app.css")
    assert elsewhere.status_code == 404
