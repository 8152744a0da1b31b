"""New chapters: who makes them, and from when they count by themselves."""

import pytest
from fastapi import FastAPI

from app.accounts import chapters
from app.permissions import Role
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, ON_SQLITE_ALONE]


def electorate(workshop: Workshop) -> dict[str | None, int]:
    with workshop.reading() as session:
        slugs = chapters.slugs_by_id(session)
        return {slugs.get(id_ or 0): count for id_, count in chapters.count_active(session, days=100).items()}


async def test_a_chapter_made_after_the_first_approval_is_counted_at_large_for_two_weeks(
    app: FastAPI, workshop: Workshop, clock: MovableClock
) -> None:
    boss = workshop.member("boss", chapter="north", role=Role.ADMIN)
    async with connect(app, workshop.token(boss)) as client:
        early = await client.post("/chapters", data={"name": "Harbour Quarter"})
        assert (early.status_code, early.headers["Location"]) == (303, "/chapters/harbour-quarter")
        workshop.vote(boss, workshop.shared_head(workshop.page(boss)))
        await client.post("/chapters", data={"name": "Night Shift", "slug": "night"})
        workshop.member("ann", chapter="harbour-quarter")
        workshop.member("bob", chapter="night")
        assert electorate(workshop) == {"north": 1, "harbour-quarter": 1, None: 1}
        assert "counted with those at large until" in (await client.get("/chapters")).text
    clock.move(days=14)
    assert electorate(workshop) == {"north": 1, "harbour-quarter": 1, "night": 1}


async def test_only_admins_make_chapters_and_a_taken_address_is_said(app: FastAPI, workshop: Workshop) -> None:
    writer = workshop.token(workshop.member("wim", chapter="north", role=Role.WRITER))
    boss = workshop.token(workshop.member("boss", chapter="north", role=Role.ADMIN))
    async with connect(app, writer) as client:
        assert "Make a chapter" not in (await client.get("/chapters")).text
        assert (await client.post("/chapters", data={"name": "South"})).status_code == 403
    async with connect(app, boss) as client:
        taken = await client.post("/chapters", data={"name": "North", "slug": "north"})
        assert taken.status_code == 422
        assert "There is a chapter at “north” already." in taken.text
        assert 'value="North"' in taken.text


async def test_the_rule_is_explained_with_the_numbers_in_force(app: FastAPI, workshop: Workshop) -> None:
    for number in range(12):
        workshop.member(f"m{number}", chapter=("north", "south")[number % 2])
    async with connect(app) as reader:
        shown = (await reader.get("/rule")).text
    for words in ("12 members: all whose votes count", "4 supporters now", "12 hours", "120 minutes", "2 hours"):
        assert (words in shown) == (words != "120 minutes"), words
    assert shown.count('<td class="number">6</td>') == 3, "North, South, and the need of thirty"
