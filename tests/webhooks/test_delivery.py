import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlmodel import col, select
from standardwebhooks.webhooks import WebhookVerificationError

from app.consensus import stopping
from app.database import Database
from app.drafts import service as drafts
from app.main import create_app
from app.pages import service as pages
from app.permissions import Actor, Role
from app.settings import Settings
from app.webhooks import outbox, schedule, service
from app.webhooks.models import Attempt, Delivery, State, Webhook, Why
from tests.conftest import ON_SQLITE_ALONE, MovableClock
from tests.factories import Workshop
from tests.webhooks.conftest import Add
from tests.webhooks.receiver import ENDLESS_BODY, ENDLESS_HEAD, HANG, receiving

Deliver = Callable[[], int]


@pytest.fixture
def anna(workshop: Workshop) -> Actor:
    return workshop.member("anna", chapter="north", role=Role.MODERATOR)


def deliveries(workshop: Workshop) -> list[Delivery]:
    with workshop.reading() as session:
        return list(session.exec(select(Delivery).order_by(col(Delivery.id))))


def reload(workshop: Workshop, webhook: Webhook) -> Webhook:
    with workshop.reading() as session:
        return session.get_one(Webhook, webhook.id)


def deliver_all(deliver: Deliver) -> int:
    tried = 0
    while count := deliver():
        tried += count
    return tried


@ON_SQLITE_ALONE
def test_each_change_is_sent_once_signed_and_told_as_in_the_list(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver
) -> None:
    with receiving() as receiver:
        workshop.page(anna, "Before")
        webhook, secret = add(anna, receiver.url)
        page = workshop.page(anna)
        workshop.vote(anna, workshop.shared_head(page))
        deliver_all(deliver)
        assert deliver() == 0
    found = sorted((got.verified(secret) for got in receiver.got), key=lambda it: int(it["data"]["seq"]))
    kinds = ["page.created", "revision.saved", "vote.cast", "page.promoted"]
    assert [message["type"] for message in found] == kinds, "nothing from before, and nothing twice"
    promoted = found[3]
    assert promoted["timestamp"] == promoted["data"]["at"]
    assert promoted["data"]["page"] == "housing"
    assert promoted["data"]["status"] == "approved"
    assert promoted["data"]["sha256"] == promoted["data"]["data"]["sha256"]
    assert promoted["data"]["links"]["self"] == "http://workshop.test/api/v1/pages/housing/approved"
    assert "\n\n— " in promoted["data"]["checkpoint"]
    vote = found[2]["data"]
    assert (vote["actor"], vote["data"], vote["subject"]) == (None, {}, promoted["data"]["subject"])
    assert "anna" not in next(got.body.decode() for got in receiver.got if got.message["type"] == "vote.cast")
    for got in receiver.got:
        assert got.id == f"msg_{webhook.mark}_{got.message['data']['seq']}"
        assert got.headers["content-type"] == "application/json"
    assert [row.state for row in deliveries(workshop)] == [State.DELIVERED] * 4
    assert reload(workshop, webhook).last_success_at is not None


@ON_SQLITE_ALONE
def test_a_message_that_was_changed_or_signed_by_another_is_not_verified(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver
) -> None:
    with receiving() as receiver:
        _, secret = add(anna, receiver.url, kinds=["page.created"])
        _, other = add(anna, receiver.url, kinds=["page.renamed"])
        workshop.page(anna)
        deliver_all(deliver)
    (got,) = receiver.got
    assert got.verified(secret)["type"] == "page.created"
    with pytest.raises(WebhookVerificationError):
        got.verified(other)
    with pytest.raises(WebhookVerificationError):
        type(got)(got.at, got.path, got.headers, got.body.replace(b"Housing", b"Housings")).verified(secret)


def test_only_what_is_asked_for_is_sent(workshop: Workshop, anna: Actor, add: Add, deliver: Deliver) -> None:
    with receiving() as receiver:
        workshop.page(anna, "Housing")
        add(anna, f"{receiver.url}/kinds", kinds=["page.renamed", "page.created"])
        add(anna, f"{receiver.url}/page", page="housing")
        add(anna, f"{receiver.url}/tag", tag="Homes", kinds=["revision.saved"])
        workshop.page(anna, "Trains")
        with workshop.writing() as session:
            pages.rename_page(session, anna, "housing", tags=["homes"])
        for slug in ("housing", "trains"):
            page = workshop.get_page(slug)
            with workshop.writing() as session:
                shared = drafts.get_shared(session, page.id)
                drafts.save_edit(session, anna, shared.id, base_id=drafts.head_of(shared), text="Other words.\n")
        deliver_all(deliver)
    told = sorted((got.path, got.message["type"], got.message["data"]["page"]) for got in receiver.got)
    assert told == [
        ("/hook/kinds", "page.created", "trains"),
        ("/hook/kinds", "page.renamed", "housing"),
        ("/hook/page", "page.renamed", "housing"),
        ("/hook/page", "revision.saved", "housing"),
        ("/hook/tag", "revision.saved", "housing"),
    ]


@ON_SQLITE_ALONE
def test_a_message_is_tried_on_the_schedule_with_one_id_and_then_given_up(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, clock: MovableClock
) -> None:
    with receiving(500) as receiver:
        _, secret = add(anna, receiver.url, kinds=["page.created"])
        workshop.page(anna)
        times = [clock.moment]
        assert deliver() == 1
        while (row := deliveries(workshop)[0]).state == State.PENDING:
            clock.moment = row.next_at - timedelta(milliseconds=1)
            assert deliver() == 0, "it was sent too early"
            clock.moment = row.next_at
            times.append(clock.moment)
            assert deliver() == 1
        clock.move(days=30)
        assert deliver() == 0
    assert row.state == State.FAILED
    for (before, after), pause in zip(pairwise(times), schedule.DELAYS, strict=True):
        assert pause <= after - before <= pause * (1 + schedule.JITTER)
    assert len(set(receiver.ids())) == 1
    assert len({got.body for got in receiver.got}) == 1
    sent_at = [int(got.headers["webhook-timestamp"]) for got in receiver.got]
    assert sent_at == [int(moment.timestamp()) for moment in times], "each attempt is signed with its own time"
    assert receiver.got[0].verified(secret)
    with workshop.reading() as session:
        assert [it.status for it in session.exec(select(Attempt).order_by(col(Attempt.id)))] == [500] * 10


@ON_SQLITE_ALONE
@pytest.mark.parametrize("answer", [301, 307, 400, 404, 429, 503, 199 + 1])
def test_only_a_2xx_is_success(workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, answer: int) -> None:
    with receiving() as elsewhere, receiving(answer, Location=elsewhere.url) as receiver:
        webhook, _ = add(anna, receiver.url, kinds=["page.created"])
        workshop.page(anna)
        deliver()
        assert elsewhere.got == [], "a redirect was followed"
    assert reload(workshop, webhook).failures == (0 if answer == 200 else 1)
    assert deliveries(workshop)[0].state == (State.DELIVERED if answer == 200 else State.PENDING)


def test_a_receiver_that_is_gone_is_turned_off_at_once(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, clock: MovableClock
) -> None:
    with receiving(410) as receiver:
        webhook, _ = add(anna, receiver.url)
        workshop.page(anna)
        deliver()
        told = len(receiver.got)
        found = reload(workshop, webhook)
        assert (found.disabled_reason, found.disabled_at) == (Why.GONE, clock.moment)
        clock.move(days=2)
        workshop.page(anna, "Later")
        assert deliver() == 0
        assert len(receiver.got) == told
        assert {row.state for row in deliveries(workshop)} == {State.FAILED}
        receiver.answers = [204]
        with workshop.writing() as session:
            service.change_webhook(session, anna, webhook.id, {"enabled": True})
        workshop.page(anna, "Again")
        deliver_all(deliver)
    assert [got.message["data"]["page"] for got in receiver.got[told:]] == ["again", "again"]
    assert reload(workshop, webhook).disabled_reason is None


@ON_SQLITE_ALONE
def test_a_webhook_that_fails_for_five_days_is_turned_off_and_says_so(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, clock: MovableClock
) -> None:
    with receiving(500) as receiver:
        webhook, _ = add(anna, receiver.url, kinds=["page.created"])
        began = clock.moment
        for number in range(11):
            workshop.page(anna, f"Page {number}")
            deliver()
            assert reload(workshop, webhook).disabled_reason is None
            clock.move(hours=11)
        workshop.page(anna, "The last")
        deliver()
    found = reload(workshop, webhook)
    assert (found.disabled_reason, found.failing_since) == (Why.FAILING, began)
    assert clock.moment - began >= schedule.GIVE_UP_AFTER


def test_what_waited_for_a_receiver_goes_out_when_it_answers_again(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, clock: MovableClock
) -> None:
    with receiving(500) as receiver:
        webhook, _ = add(anna, receiver.url, kinds=["page.created"])
        for number in range(6):
            workshop.page(anna, f"Page {number}")
        for _ in range(3):
            deliver_all(deliver)
            clock.move(minutes=7)
        receiver.answers = [204]
        workshop.page(anna, "One more")
        deliver_all(deliver)
        assert {row.state for row in deliveries(workshop)} == {State.DELIVERED}
    assert reload(workshop, webhook).failing_since is None


def test_a_receiver_that_asks_to_wait_is_left_alone_but_for_stops(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, clock: MovableClock
) -> None:
    with receiving(429, 204, Retry_After="600") as receiver:
        add(anna, receiver.url, kinds=["page.created", "page.held"])
        page = workshop.page(anna)
        workshop.vote(anna, workshop.shared_head(page))
        assert deliver() == 1
        workshop.page(anna, "Other")
        clock.move(minutes=9)
        assert deliver() == 0
        with workshop.writing() as session:
            stopping.hold(session, anna, page, reason="Wrong.")
        assert deliver() == 1
        assert receiver.kinds()[-1] == "page.held"
        clock.move(minutes=1)
        assert deliver_all(deliver) == 2


def test_a_receiver_that_answers_with_nonsense_keeps_nobody_else_waiting(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver
) -> None:
    with receiving(503, Retry_After="Mon, 01 Jan 99999999999999 00:00:00 GMT") as odd, receiving() as good:
        add(anna, odd.url, kinds=["page.created"])
        add(anna, good.url, kinds=["page.created"])
        workshop.page(anna)
        assert deliver() == 2
        workshop.page(anna, "Other")
        deliver_all(deliver)
        assert len(good.got) == 2
    assert next(row.tries for row in deliveries(workshop) if row.state != State.DELIVERED) == 1


def test_stops_go_before_everything_that_waits(workshop: Workshop, anna: Actor, add: Add, deliver: Deliver) -> None:
    with receiving() as receiver:
        page = workshop.page(anna)
        workshop.vote(anna, workshop.shared_head(page))
        add(anna, receiver.url)
        for number in range(20):
            workshop.page(anna, f"Page {number}")
        with workshop.writing() as session:
            stopping.withdraw(session, anna, page, reason="Wrong.", replacement=None)
        assert deliver() == 3
        assert "page.withdrawn" in receiver.kinds()
        assert next(got for got in receiver.got if "withdrawn" in got.message["type"]).message["data"]["status"] == (
            "withdrawn"
        )


@ON_SQLITE_ALONE
@pytest.mark.parametrize("answer", [HANG, ENDLESS_BODY, ENDLESS_HEAD])
def test_an_answer_that_never_ends_is_broken_off(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, answer: str
) -> None:
    with receiving(answer) as receiver:
        add(anna, receiver.url, kinds=["page.created"])
        workshop.page(anna)
        assert deliver() == 1
    with workshop.reading() as session:
        (attempt,) = session.exec(select(Attempt)).all()
    assert attempt.milliseconds < 2_500
    assert (attempt.status == 200) == (answer == ENDLESS_BODY)
    assert bool(attempt.error) == (answer != ENDLESS_BODY)


def test_what_is_leased_is_not_taken_by_another_until_the_lease_is_over(
    workshop: Workshop, anna: Actor, add: Add, database: Database, clock: MovableClock
) -> None:
    add(anna, "https://example.org/hook", kinds=["page.created"])
    workshop.page(anna)
    lease = timedelta(seconds=30)

    def take() -> list[str]:
        with database.transaction(writing=True) as session:
            outbox.write_due(session, outbox.Seen(), base_url="http://workshop.test")
            chosen = outbox.choose(session, per_lane=2, busy={}, places=10, urgent=10)
            return [job.message for job in outbox.claim(session, chosen, lease=lease)]

    first = take()
    assert len(first) == 1
    assert take() == []
    clock.move(seconds=29)
    assert take() == []
    clock.move(seconds=1)
    assert take() == first


def test_what_waits_for_one_webhook_is_bounded_and_nothing_is_left_out(
    workshop: Workshop,
    anna: Actor,
    add: Add,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    clock: MovableClock,
) -> None:
    monkeypatch.setattr(outbox, "WINDOW", 5)
    with receiving(500) as receiver:
        add(anna, receiver.url, kinds=["page.created"])
        for number in range(12):
            workshop.page(anna, f"Page {number}")
        deliver_all(deliver)
        assert len(deliveries(workshop)) == 5
        receiver.answers = [204]
        clock.move(minutes=7)
        deliver_all(deliver)
    assert [row.state for row in deliveries(workshop)] == [State.DELIVERED] * 12
    assert len({row.seq for row in deliveries(workshop)}) == 12


def test_a_wanted_row_is_found_behind_many_others(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "ROWS", 3)
    monkeypatch.setattr(outbox, "LOOKED_OVER", 5)
    with receiving() as receiver:
        workshop.page(anna)
        webhook, _ = add(anna, receiver.url, page="housing")
        for number in range(10):
            workshop.page(anna, f"Page {number}")
        assert deliver() == 0
        assert reload(workshop, webhook).position > webhook.position, "it is written down how far it was looked"
        with workshop.writing() as session:
            pages.rename_page(session, anna, "housing", title="Homes")
        deliver_all(deliver)
        assert receiver.kinds() == ["page.renamed"]


def test_going_back_in_the_log_counts_more_than_what_was_passed_over(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, clock: MovableClock
) -> None:
    with receiving() as receiver:
        webhook, _ = add(anna, receiver.url, kinds=["page.created"])
        workshop.page(anna)
        deliver_all(deliver)
        with workshop.writing() as session:
            pages.rename_page(session, anna, "housing", title="Homes")
        assert deliver() == 0
        with workshop.writing() as session:
            service.send_since(session, anna, webhook.id, clock.moment - timedelta(hours=1))
        deliver_all(deliver)
        assert receiver.kinds() == ["page.created"] * 2


def test_messages_are_forgotten_after_thirty_days(
    workshop: Workshop, anna: Actor, add: Add, deliver: Deliver, clock: MovableClock
) -> None:
    with receiving() as receiver:
        add(anna, receiver.url, kinds=["page.created"])
        workshop.page(anna)
        deliver_all(deliver)
        clock.move(days=29)
        with workshop.writing() as session:
            assert outbox.forget_old(session) == 0
        clock.move(days=2)
        with workshop.writing() as session:
            assert outbox.forget_old(session) == 1
    with workshop.reading() as session:
        assert (session.exec(select(Delivery)).all(), session.exec(select(Attempt)).all()) == ([], [])


def test_two_processes_share_the_work_and_send_nothing_twice(
    app: FastAPI, settings: Settings, workshop: Workshop, anna: Actor, add: Add, clock: MovableClock
) -> None:
    second = create_app(settings, clock=clock, follow=False)
    with receiving() as receiver:
        for number in range(3):
            add(anna, f"{receiver.url}/{number}")
        for number in range(6):
            workshop.page(anna, f"Page {number}")

        async def work() -> None:
            couriers = [app.state.courier, second.state.courier]
            while sum(await asyncio.gather(*(courier.deliver_due() for courier in couriers))):
                pass

        asyncio.run(work())
    second.state.database.dispose()
    assert len(receiver.got) == len(set(receiver.ids())) == 3 * 12


@ON_SQLITE_ALONE
def test_without_the_right_key_nothing_is_sent_and_nothing_is_given_up(
    app: FastAPI, settings: Settings, workshop: Workshop, anna: Actor, add: Add, clock: MovableClock
) -> None:
    other = create_app(settings.model_copy(update={"secret_key": SecretStr("k" * 40)}), clock=clock, follow=False)
    with receiving() as receiver:
        webhook, _ = add(anna, receiver.url, kinds=["page.created"])
        workshop.page(anna)
        asyncio.run(other.state.courier.deliver_due())
        assert receiver.got == []
        assert (reload(workshop, webhook).failures, deliveries(workshop)[0].state) == (0, State.PENDING)
        clock.move(minutes=6)
        asyncio.run(app.state.courier.deliver_due())
        assert len(receiver.got) == 1
    other.state.database.dispose()


@ON_SQLITE_ALONE
def test_what_is_broken_off_when_the_server_stops_is_free_at_once(
    app: FastAPI, workshop: Workshop, anna: Actor, add: Add, clock: MovableClock
) -> None:
    with receiving(HANG) as receiver:
        webhook, _ = add(anna, receiver.url, kinds=["page.created"])
        workshop.page(anna)
        app.state.courier.start()
        receiver.wait_for(1)
        app.state.courier.stop()
    (row,) = deliveries(workshop)
    assert (row.state, row.leased_until, row.tries, row.next_at) == (State.PENDING, None, 0, row.created_at)
    assert reload(workshop, webhook).failures == 0
