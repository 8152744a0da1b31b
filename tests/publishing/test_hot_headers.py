"""A header in several lines never decides what others get from memory."""

import pytest
from fastapi import FastAPI

from app.permissions import Role
from tests.conftest import MovableClock, connect
from tests.factories import Workshop


@pytest.mark.anyio
async def test_joined_header_lines_leave_nothing_behind_for_others(
    app: FastAPI, workshop: Workshop, clock: MovableClock
) -> None:
    writer = workshop.member("anna", role=Role.WRITER)
    page = workshop.page(writer)
    workshop.vote(writer, workshop.shared_head(page))
    clock.move(days=1)
    workshop.follow()
    assert workshop.approved_text(page)
    async with connect(app) as client:
        # Asked for first, so that what it is given would be what is kept.
        page_for_people = await client.get(
            "/api/v1/pages/housing/approved", headers=[("accept", "text/html"), ("accept", "*/*")]
        )
        for_programs = await client.get("/api/v1/pages/housing/approved", headers={"accept": "*/*"})
    assert page_for_people.headers["content-type"].startswith("text/html")
    assert for_programs.headers["content-type"].startswith("application/json")
