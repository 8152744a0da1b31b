"""A real server that sends to real receivers, good and bad, and is killed while it does."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlmodel import col, select

from app.activity.models import Activity
from app.consensus import stopping
from app.pages.models import Page
from app.permissions import Actor, Role
from app.settings import Settings
from app.webhooks import service
from app.webhooks.models import Delivery, Webhook
from tests.conftest import ON_SQLITE_ALONE
from tests.factories import Workshop
from tests.servers import Server
from tests.webhooks.receiver import ENDLESS_BODY, HANG, Receiver, receiving

SOON = 5.0
"""Seconds within which every receiver is told to stop, whatever the others do."""

KILLS, CHANGES = 1, 20
SOAK_KILLS, SOAK_CHANGES = 5, 1_000


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    running = Server(database_url, tmp_path, webhook_networks="127.0.0.0/8", webhook_timeout=1, wait_routine=0)
    yield running
    running.kill()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"wait_routine": 0})


@pytest.fixture
def anna(workshop: Workshop) -> Actor:
    return workshop.member("anna", chapter="north", role=Role.MODERATOR)


def add(workshop: Workshop, actor: Actor, receiver: Receiver, **wanted: object) -> tuple[Webhook, str]:
    with workshop.writing() as session:
        return service.add_webhook(session, actor, url=receiver.url, **wanted)  # type: ignore[arg-type]


def wanted_ids(workshop: Workshop, webhook: Webhook) -> set[str]:
    """The id of a message for each row since the webhook was made."""
    with workshop.reading() as session:
        rows = session.exec(select(Activity.id).where(col(Activity.id) > webhook.position)).all()
    return {f"msg_{webhook.mark}_{row}" for row in rows}


def standing(workshop: Workshop, webhook: Webhook) -> list[tuple[str, int, int]]:
    """How many messages stand how, by state and tries: for whoever reads why a test failed."""
    with workshop.reading() as session:
        query = select(Delivery.state, Delivery.tries, func.count()).where(Delivery.webhook_id == webhook.id)
        return [(*row,) for row in session.exec(query.group_by(col(Delivery.state), col(Delivery.tries))).all()]


@ON_SQLITE_ALONE  # on PostgreSQL behind `make soak`: each start of a server takes seconds
def test_bad_receivers_delay_nobody_and_no_kill_loses_a_message(
    server: Server, workshop: Workshop, anna: Actor
) -> None:
    # One server for both: to start it is what takes the time.
    page = workshop.page(anna, "Stopped")
    workshop.vote(anna, workshop.shared_head(page))
    server.start()
    everybody_is_told_to_stop(workshop, anna, page)
    changes_survive_kills(server, workshop, anna, KILLS, CHANGES)


def everybody_is_told_to_stop(workshop: Workshop, anna: Actor, page: Page) -> None:
    """With one receiver that hangs, one whose answer never ends, and much that waits for both."""
    with receiving() as good, receiving(HANG) as hanging, receiving(ENDLESS_BODY) as endless:
        made = [add(workshop, anna, receiver)[0] for receiver in (good, hanging, endless)]
        for number in range(8):
            workshop.page(anna, f"Before {number}")
        hanging.wait_for(1)
        began = time.monotonic()
        with workshop.writing() as session:
            stopping.withdraw(session, anna, page, reason="The figure is wrong.", replacement=None)
        for receiver in (good, hanging, endless):
            told = receiver.wait_for_kind("page.withdrawn", SOON)
            assert told.at - began <= SOON
        assert good.wait_for(17)[-1].at - began <= SOON, "the others kept a good receiver waiting"
        with workshop.writing() as session:
            for webhook in made:
                service.remove_webhook(session, anna, webhook.id)


def changes_survive_kills(server: Server, workshop: Workshop, anna: Actor, kills: int, changes: int) -> None:
    """Each is taken at least once, with one id and a signature that the official library verifies."""
    with receiving() as receiver:
        webhook, secret = add(workshop, anna, receiver)
        made, came = 0, 0
        for round_ in range(kills):
            receiver.answers = [204, HANG, HANG, 204]
            for _ in range(changes // 2 // (kills + 1)):
                workshop.page(anna, f"Round {round_} {made}")
                made += 2
            came += 4
            receiver.wait_for(came)
            server.kill()  # with two messages on their way, and others waiting
            workshop.page(anna, f"While it is down {round_}")
            made += 2
            came = len(receiver.got)
            server.start()
        while made < changes:
            workshop.page(anna, f"After {made}")
            made += 2
        wanted = wanted_ids(workshop, webhook)
        assert len(wanted) >= changes
        with receiver.arrived:
            assert receiver.arrived.wait_for(lambda: receiver.acknowledged == wanted, 120), (
                len(receiver.acknowledged),
                len(wanted),
                standing(workshop, webhook),
                server.log()[-2_000:],
            )
        for got in receiver.got:
            message = got.verified(secret)
            assert got.id == f"msg_{webhook.mark}_{message['data']['seq']}"
        bodies = {(got.id, got.body) for got in receiver.got}
        assert len(bodies) == len(wanted), "a message came with other words the second time"


@pytest.mark.soak
def test_a_thousand_changes_survive_five_kills(server: Server, workshop: Workshop, anna: Actor) -> None:
    server.start()
    changes_survive_kills(server, workshop, anna, SOAK_KILLS, SOAK_CHANGES)
