"""Changing one's home chapter, which no vote that runs can be won by."""

import pytest
from fastapi import FastAPI

from app.accounts import chapters
from app.accounts import service as accounts
from app.permissions import Actor, Role
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.factories import Workshop

pytestmark = POSTGRES_IN_SOAK

PASSWORD = "four unrelated words"


def home(workshop: Workshop, actor: Actor) -> str | None:
    with workshop.reading() as session:
        user = accounts.get_user(session, actor.name)
        return chapters.slugs_by_id(session).get(user.chapter_id or 0)


def choose(workshop: Workshop, actor: Actor, slug: str) -> None:
    with workshop.writing() as session:
        chapters.choose_chapter(session, actor, slug)


def test_a_move_takes_seven_days_and_can_be_taken_back(workshop: Workshop, clock: MovableClock) -> None:
    anna, bob = workshop.member("anna", chapter="north"), workshop.member("bob", chapter="north")
    workshop.chapter("south")
    choose(workshop, anna, "south")
    choose(workshop, bob, "south")
    choose(workshop, bob, "north")
    clock.move(days=6, hours=23)
    workshop.follow()
    assert (home(workshop, anna), home(workshop, bob)) == ("north", "north")
    clock.move(hours=2)
    workshop.follow()
    assert (home(workshop, anna), home(workshop, bob)) == ("south", "north")
    workshop.follow()
    assert home(workshop, anna) == "south"


def test_a_first_chapter_is_ones_own_at_once(workshop: Workshop) -> None:
    anna = workshop.member("anna")
    workshop.chapter("north")
    choose(workshop, anna, "north")
    assert home(workshop, anna) == "north"


def test_a_vote_stays_in_the_chapter_it_was_cast_in(workshop: Workshop, clock: MovableClock) -> None:
    anna = workshop.member("anna", chapter="north", role=Role.WRITER)
    others = [workshop.member(chapter=slug) for slug in ("north", "north", "south", "south", "south")]
    fork = workshop.fork(anna, workshop.page(anna), ("10,000", "12,000"))
    workshop.vote(anna, fork.head_id or 0)
    choose(workshop, anna, "south")
    clock.move(days=8)
    workshop.follow()
    assert home(workshop, anna) == "south"
    workshop.vote(others[0], fork.head_id or 0)
    by_chapter = {line.chapter: line.votes.support for line in workshop.decision(fork.head_id or 0).count.chapters}
    assert by_chapter == {others[0].chapter_id: 2, others[3].chapter_id: 0}


@pytest.mark.anyio
async def test_ones_own_page_says_where_one_moves_and_when(app: FastAPI, workshop: Workshop) -> None:
    workshop.chapter("south")
    with workshop.writing() as session:
        accounts.add_user(session, "Ada", PASSWORD, chapter_id=chapters.add_chapter(session, "north", "North").id)
    async with connect(app) as client:
        await client.post("/login", data={"name": "Ada", "password": PASSWORD})
        await client.post("/me/chapter", data={"chapter": "south"})
        shown = (await client.get("/me")).text
    assert "You move to <bdi>South</bdi> on 29 Nov 2026, 09:00." in shown
