"""One's own page: what became of what one wrote, without telling how others voted."""

import re

import pytest
from fastapi import FastAPI

from app.accounts import service as accounts
from app.permissions import Role
from app.webhooks import service as webhooks
from app.webhooks.models import Why
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import Workshop

pytestmark = ON_SQLITE_ALONE

PASSWORD = "four unrelated words"


@pytest.mark.anyio
async def test_it_lists_what_was_sent_and_how_versions_stand(app: FastAPI, workshop: Workshop) -> None:
    with workshop.writing() as session:
        ada = accounts.actor_of(accounts.add_user(session, "Ada", PASSWORD, role=Role.WRITER))
    page = workshop.page(ada, "Housing")
    voters = [workshop.member(chapter="north") for _ in range(6)] + [workshop.member(chapter="south") for _ in range(6)]
    fork = workshop.fork(ada, page, ("10,000", "12,000"))
    for voter in voters[:3]:
        workshop.vote(voter, fork.head_id or 0)
    async with connect(app) as client:
        await client.post("/login", data={"name": "Ada", "password": PASSWORD})
        base = {"base": str(workshop.shared_head(page)), "text": "Only this.", "summary": "Shorter by far"}
        await client.post("/pages/housing/edit", data=base)
        shown = (await client.get("/me")).text
    assert "Shorter by far" in shown
    decision = workshop.decision(fork.head_id or 0)
    assert decision.reasons[0] in shown
    for telling in decision.reasons[1:]:
        assert telling not in shown


@pytest.mark.anyio
async def test_older_versions_come_in_parts(app: FastAPI, workshop: Workshop) -> None:
    with workshop.writing() as session:
        ada = accounts.actor_of(accounts.add_user(session, "Ada", PASSWORD, role=Role.WRITER))
    page = workshop.page(ada, "Housing")
    forks = [workshop.fork(ada, page, ("10,000", f"{number},000")) for number in range(11, 33)]
    async with connect(app) as client:
        await client.post("/login", data={"name": "Ada", "password": PASSWORD})
        first = (await client.get("/me")).text
        more = re.search(r'href="(/me\?cursor=[^"#]+)', first)
        assert more is not None
        second = (await client.get(more[1])).text
    shown = [set(re.findall(r'href="/drafts/(\d+)"', text)) for text in (first, second)]
    assert shown[0] | shown[1] == {str(fork.id) for fork in forks}
    assert not shown[0] & shown[1]


@pytest.mark.anyio
async def test_a_changed_password_ends_every_other_session(app: FastAPI, workshop: Workshop) -> None:
    with workshop.writing() as session:
        accounts.add_user(session, "Ada", PASSWORD)
        accounts.add_user(session, "Ben", PASSWORD)
    async with connect(app) as here, connect(app) as elsewhere, connect(app) as somebody_else:
        for client, name in ((here, "Ada"), (elsewhere, "Ada"), (somebody_else, "Ben")):
            await client.post("/login", data={"name": name, "password": PASSWORD})
        wrong = await here.post("/me/password", data={"current": "a guess", "password": "five other words"})
        assert (wrong.status_code, "That is not your password" in wrong.text) == (422, True)
        short = await here.post("/me/password", data={"current": PASSWORD, "password": "short"})
        assert short.status_code == 422
        assert (await elsewhere.get("/me")).status_code == 200
        changed = await here.post("/me/password", data={"current": PASSWORD, "password": "five other words"})
        assert changed.status_code == 200
        assert (await here.get("/me")).status_code == 200
        assert (await elsewhere.get("/me")).status_code == 401
        assert (await somebody_else.get("/me")).status_code == 200
        old = await elsewhere.post("/login", data={"name": "Ada", "password": PASSWORD})
        assert old.status_code == 401
        new = await elsewhere.post("/login", data={"name": "Ada", "password": "five other words"})
        assert new.status_code == 303


@pytest.mark.anyio
async def test_guesses_at_ones_own_password_are_limited(app: FastAPI, workshop: Workshop, clock: MovableClock) -> None:
    """Whoever finds a browser signed in cannot try one password after the other."""
    with workshop.writing() as session:
        accounts.add_user(session, "Ada", PASSWORD)
    right = {"current": PASSWORD, "password": "five other words"}
    async with connect(app) as client:
        await client.post("/login", data={"name": "Ada", "password": PASSWORD})
        for _ in range(10):
            guess = await client.post("/me/password", data=right | {"current": "a guess"})
            assert guess.status_code == 422
        paused = await client.post("/me/password", data=right)
        assert (paused.status_code, "Too many tries. Wait" in paused.text) == (429, True)
        clock.move(seconds=61)
        assert (await client.post("/me/password", data=right)).status_code == 200


@pytest.mark.anyio
async def test_as_many_versions_as_fit_are_all_shown_at_once(app: FastAPI, workshop: Workshop) -> None:
    with workshop.writing() as session:
        ada = accounts.actor_of(accounts.add_user(session, "Ada", PASSWORD, role=Role.WRITER))
    page = workshop.page(ada, "Housing")
    async with connect(app) as client:
        await client.post("/login", data={"name": "Ada", "password": PASSWORD})
        for number in range(21):
            workshop.fork(ada, page, ("10,000", f"{number + 11},000"))
            if number >= 19:
                shown = (await client.get("/me")).text
                assert ("/me?cursor=" in shown) is (number == 20)
                assert len(set(re.findall(r'href="/drafts/(\d+)"', shown))) == 20


@pytest.mark.anyio
async def test_it_says_that_a_webhook_was_turned_off_and_why(app: FastAPI, workshop: Workshop) -> None:
    with workshop.writing() as session:
        ada = accounts.actor_of(accounts.add_user(session, "Ada", PASSWORD))
        made = [webhooks.add_webhook(session, ada, url=f"https://example.org/{name}")[0] for name in "abc"]
        webhooks.turn_off(session, made[0], Why.GONE)
        webhooks.turn_off(session, made[1], Why.FAILING)
    async with connect(app) as client:
        await client.post("/login", data={"name": "Ada", "password": PASSWORD})
        shown = (await client.get("/me")).text
    for row, why in (made[0], "the receiver said that it is gone"), (made[1], "for five days no message had arrived"):
        named = rf'said warn" role="status"><a href="/me/programs/webhooks/{row.id}"><bdi dir="ltr">{row.url}</bdi></a>'
        assert re.search(rf"{named}: Nothing has been sent since .*{why}", shown)
    assert made[2].url not in shown, "what is well stands with the programs"
    assert 'href="/me/programs"' in shown
