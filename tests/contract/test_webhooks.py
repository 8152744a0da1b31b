"""Webhooks as programs manage them, and what is told of them in the document."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from app.activity.models import Kind
from app.permissions import Actor, Role, Scope
from app.settings import Settings
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.contract.campaign import API
from tests.contract.test_openapi import problems_with
from tests.factories import Workshop
from tests.webhooks.receiver import Receiver, receiving

pytestmark = pytest.mark.anyio

HOOKS = f"{API}/webhooks"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"webhook_networks": "127.0.0.0/8", "wait_routine": 0})


@pytest.fixture
def clock() -> MovableClock:
    found = MovableClock()
    found.moment = datetime.now(UTC).replace(microsecond=0)
    return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def anna(workshop: Workshop) -> Actor:
    return workshop.member("anna", chapter="north", role=Role.WRITER)


@pytest.fixture
def token(workshop: Workshop, anna: Actor) -> str:
    return workshop.token(anna, Scope.WEBHOOKS)


async def deliver(app: FastAPI) -> None:
    while await app.state.courier.deliver_due():
        pass


def told(clock: MovableClock) -> str:
    return clock.moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_webhook_is_made_shown_changed_and_removed(
    app: FastAPI, workshop: Workshop, anna: Actor, token: str, receiver: Receiver, clock: MovableClock
) -> None:
    workshop.page(anna)
    wanted = {
        "url": receiver.url,
        "kinds": ["page.promoted", "page.held"],
        "page": "housing",
        "tag": None,
        "description": "The texting tool",
    }
    async with connect(app, token) as client:
        made = await client.post(HOOKS, json=wanted)
        shown = made.json()
        secret = shown.pop("secret")
        assert (made.status_code, made.headers["Location"]) == (201, f"{HOOKS}/1")
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
        assert shown == {
            "id": 1,
            **wanted,
            "owner": "anna",
            "enabled": True,
            "disabled_reason": None,
            "disabled_at": None,
            "created_at": told(clock),
            "last_success": None,
            "failing_since": None,
            "failures": 0,
            "waiting": 0,
        }
        assert (await client.get(f"{HOOKS}/1")).json() == shown
        assert (await client.get(HOOKS)).json() == {"data": [shown], "next": None}
        changed = await client.patch(f"{HOOKS}/1", json={"page": None, "kinds": ["page.created"], "enabled": False})
        off = {"page": None, "kinds": ["page.created"], "enabled": False}
        assert changed.json() == {**shown, **off, "disabled_reason": "owner", "disabled_at": told(clock)}
        again = await client.patch(f"{HOOKS}/1", json={"enabled": True})
        assert again.json() == {**shown, **off, "enabled": True}
        assert (await client.delete(f"{HOOKS}/1")).status_code == 204
        assert (await client.get(f"{HOOKS}/1")).json()["type"] == "/problems/webhook-not-found"


@ON_SQLITE_ALONE
async def test_the_secret_is_nowhere_in_the_database(
    app: FastAPI, workshop: Workshop, token: str, receiver: Receiver
) -> None:
    async with connect(app, token) as client:
        secret = (await client.post(HOOKS, json={"url": receiver.url})).json()["secret"]
        await client.post(f"{HOOKS}/1/test")
    with workshop.reading() as session:
        for table in ("webhook", "webhook_delivery"):
            rows = session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()
            assert rows
            assert secret.removeprefix("whsec_") not in str(rows)


async def test_a_delivery_tells_each_attempt_and_can_be_sent_again(
    app: FastAPI, workshop: Workshop, anna: Actor, token: str, receiver: Receiver, clock: MovableClock
) -> None:
    receiver.answers = [500, 204]
    async with connect(app, token) as client:
        secret = (await client.post(HOOKS, json={"url": receiver.url, "kinds": ["page.created"]})).json()["secret"]
        workshop.page(anna)
        await deliver(app)
        waiting = (await client.get(f"{HOOKS}/1/deliveries?state=pending")).json()["data"][0]
        assert waiting["next_at"] > told(clock)
        assert (await client.get(f"{HOOKS}/1")).json()["failing_since"] == told(clock)
        clock.move(seconds=6)
        await deliver(app)
        answer = (await client.get(f"{HOOKS}/1/deliveries")).json()
        (row,) = answer["data"]
        attempts = row.pop("attempts")
        assert [(it["status"], it["error"], it["milliseconds"] >= 0) for it in attempts] == [
            (500, "", True),
            (204, "", True),
        ]
        assert row == {
            "id": 1,
            "message": receiver.got[0].id,
            "kind": "page.created",
            "seq": 1,
            "state": "delivered",
            "urgent": False,
            "created_at": waiting["created_at"],
            "next_at": None,
            "delivered_at": told(clock),
        }
        for body in ({"delivery": 1}, {"message": row["message"]}):
            again = await client.post(f"{HOOKS}/1/redeliver", json=body)
            assert (again.status_code, again.json()["delivery"]["state"]) == (202, "pending")
            await deliver(app)
        since = await client.post(f"{HOOKS}/1/redeliver", json={"since": "2026-01-01T00:00:00Z"})
        assert (since.status_code, since.json()) == (202, {"delivery": None, "after": 0})
        await deliver(app)
        assert receiver.ids() == [row["message"]] * 5
        assert receiver.got[-1].verified(secret)["data"]["page"] == "housing"
        shown = (await client.get(f"{HOOKS}/1")).json()
        assert (shown["last_success"], shown["failures"], shown["failing_since"]) == (told(clock), 0, None)


async def test_everything_since_a_time_is_sent_also_what_was_never_sent(
    app: FastAPI, workshop: Workshop, anna: Actor, token: str, receiver: Receiver, clock: MovableClock
) -> None:
    workshop.page(anna, "One")
    clock.move(hours=1)
    since = told(clock)
    workshop.page(anna, "Two")
    async with connect(app, token) as client:
        await client.post(HOOKS, json={"url": receiver.url, "kinds": ["page.created"]})
        workshop.page(anna, "Three")
        await deliver(app)
        await client.post(f"{HOOKS}/1/redeliver", json={"since": since})
        await deliver(app)
    assert sorted(got.message["data"]["page"] for got in receiver.got) == ["three", "three", "two"]


@ON_SQLITE_ALONE
async def test_a_test_message_arrives_and_is_verified(
    app: FastAPI, token: str, receiver: Receiver, clock: MovableClock
) -> None:
    async with connect(app, token) as client:
        secret = (await client.post(HOOKS, json={"url": receiver.url})).json()["secret"]
        sent = await client.post(f"{HOOKS}/1/test")
        assert (sent.status_code, sent.json()["kind"], sent.json()["seq"]) == (202, "webhook.test", None)
        await deliver(app)
    (got,) = receiver.got
    assert got.id == sent.json()["message"]
    assert got.verified(secret) == {"type": "webhook.test", "timestamp": told(clock), "data": {"webhook": 1}}


@ON_SQLITE_ALONE
async def test_both_secrets_verify_for_a_day_after_a_change(
    app: FastAPI, token: str, receiver: Receiver, clock: MovableClock
) -> None:
    async with connect(app, token) as client:
        old = (await client.post(HOOKS, json={"url": receiver.url})).json()["secret"]
        changed = (await client.post(f"{HOOKS}/1/rotate-secret")).json()
        new, until = changed["secret"], changed["former_until"]
        assert new != old
        assert datetime.fromisoformat(until) - clock.moment == timedelta(hours=24)
        await client.post(f"{HOOKS}/1/test")
        await deliver(app)
        assert receiver.got[0].headers["webhook-signature"].count("v1,") == 2
        assert receiver.got[0].verified(old) == receiver.got[0].verified(new)
        clock.move(hours=24)
        await client.post(f"{HOOKS}/1/test")
        await deliver(app)
        assert receiver.got[1].headers["webhook-signature"].count("v1,") == 1


async def test_others_know_nothing_of_a_webhook_and_admins_see_and_remove_it(
    app: FastAPI, workshop: Workshop, token: str, receiver: Receiver
) -> None:
    bob = workshop.token(workshop.member("bob", role=Role.MODERATOR), Scope.WEBHOOKS)
    admin = workshop.token(workshop.member("eve", role=Role.ADMIN), Scope.WEBHOOKS)
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("PATCH", "", {"enabled": False}),
        ("DELETE", "", None),
        ("GET", "/deliveries", None),
        ("POST", "/redeliver", {"since": "2026-01-01T00:00:00Z"}),
        ("POST", "/test", None),
        ("POST", "/rotate-secret", None),
    ]
    async with connect(app, token) as client, connect(app, bob) as other, connect(app, admin) as eve:
        shown = (await client.post(HOOKS, json={"url": receiver.url})).json()
        shown.pop("secret")
        for number in (1, 999):
            for method, path, body in calls:
                answer = await other.request(method, f"{HOOKS}/{number}{path}", json=body)
                assert (answer.status_code, answer.json()["type"]) == (404, "/problems/webhook-not-found"), path
        assert (await other.get(HOOKS)).json()["data"] == []
        assert (await eve.get(HOOKS)).json()["data"] == [shown]
        for method, path, body in calls[1:2] + calls[4:]:
            answer = await eve.request(method, f"{HOOKS}/1{path}", json=body)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed"), path
        assert (await eve.delete(f"{HOOKS}/1")).status_code == 204
        assert (await client.get(HOOKS)).json()["data"] == []


@ON_SQLITE_ALONE
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "https://10.0.0.1/hook"}, "/url"),
        ({"url": "http://169.254.169.254/latest/meta-data/"}, "/url"),
        ({"url": "https://nothing.invalid/"}, "/url"),
        ({"url": "https://a:b@127.0.0.1/"}, "/url"),
        ({"url": "http://127.0.0.1/", "kinds": ["page.burned"]}, "/kinds"),
        ({"url": "http://127.0.0.1/", "secret": "mine"}, "/secret"),
        ({}, "/url"),
    ],
)
async def test_what_cannot_be_used_is_refused(app: FastAPI, token: str, body: dict[str, Any], pointer: str) -> None:
    async with connect(app, token) as client:
        answer = await client.post(HOOKS, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        assert answer.headers["Content-Type"] == "application/problem+json"
        if pointer == "/url" and body:
            assert answer.json()["type"] == "/problems/target-refused"
        assert (await client.get(HOOKS)).json()["data"] == []


@ON_SQLITE_ALONE
async def test_a_changed_address_is_checked_too_and_a_wrong_order_refused(
    app: FastAPI, workshop: Workshop, anna: Actor, token: str, receiver: Receiver
) -> None:
    async with connect(app, token) as client, connect(app) as nobody:
        await client.post(HOOKS, json={"url": receiver.url})
        refused = await client.patch(f"{HOOKS}/1", json={"url": "https://192.168.0.1/"})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/target-refused")
        assert (await client.get(f"{HOOKS}/1")).json()["url"] == receiver.url
        two = {"delivery": 1, "since": "2026-01-01T00:00:00Z"}
        for body in ({}, two, {"delivery": 77}, {"message": "msg_no"}, {"message": "a\u0000"}):
            assert (await client.post(f"{HOOKS}/1/redeliver", json=body)).status_code == 422
        assert (await client.patch(f"{HOOKS}/1", json={"enabled": None})).status_code == 422
        assert (await nobody.post(HOOKS, json={"url": "https://10.0.0.1/"})).status_code == 401
        await client.patch(f"{HOOKS}/1", json={"enabled": False})
        for path, sent in (("test", None), ("redeliver", {"since": "2026-01-01T00:00:00Z"})):
            answer = await client.post(f"{HOOKS}/1/{path}", json=sent)
            assert (answer.status_code, answer.json()["type"]) == (409, "/problems/webhook-off")


@ON_SQLITE_ALONE
async def test_a_member_has_twenty_webhooks_at_most_and_lists_have_pages(
    app: FastAPI, token: str, receiver: Receiver
) -> None:
    async with connect(app, token) as client:
        for _ in range(20):
            assert (await client.post(HOOKS, json={"url": receiver.url})).status_code == 201
        one_more = await client.post(HOOKS, json={"url": receiver.url})
        assert (one_more.status_code, one_more.json()["type"]) == (409, "/problems/too-many-webhooks")
        first = await client.get(f"{HOOKS}?limit=15")
        link = first.headers["Link"].split(">")[0][1:]
        rest = (await client.get(link)).json()
        assert [row["id"] for row in first.json()["data"] + rest["data"]] == list(range(1, 21))
        assert rest["next"] is None
        for _ in range(3):
            await client.post(f"{HOOKS}/7/test")
        newest = (await client.get(f"{HOOKS}/7/deliveries?limit=2")).json()
        older = (await client.get(f"{HOOKS}/7/deliveries?cursor={newest['next']}")).json()
        assert [row["id"] for row in newest["data"] + older["data"]] == [3, 2, 1]


@ON_SQLITE_ALONE
def test_the_document_describes_the_message_of_every_kind(app: FastAPI) -> None:
    document = json.loads(json.dumps(app.openapi()))
    assert set(document["webhooks"]) == {*Kind, "webhook.test"}
    schemas = document["components"]["schemas"]
    for kind, methods in document["webhooks"].items():
        content = methods["post"]["requestBody"]["content"]["application/json"]
        name = "TestMessage" if kind == "webhook.test" else "MessageOut"
        assert content["schema"] == {"$ref": f"#/components/schemas/{name}"}
        assert content["example"]["type"] == kind
        assert problems_with(content["example"], content["schema"], schemas) == []
        assert list(methods["post"]["responses"]) == ["2XX"]
        headers = {it["name"] for it in methods["post"]["parameters"] if it["in"] == "header"}
        assert headers == {"webhook-id", "webhook-timestamp", "webhook-signature"}


@ON_SQLITE_ALONE
async def test_what_is_sent_fits_the_document(
    app: FastAPI, workshop: Workshop, anna: Actor, token: str, receiver: Receiver
) -> None:
    async with connect(app, token) as client:
        await client.post(HOOKS, json={"url": receiver.url})
        page = workshop.page(anna)
        workshop.vote(anna, workshop.shared_head(page))
        await deliver(app)
    schemas = json.loads(json.dumps(app.openapi()))["components"]["schemas"]
    for got in receiver.got:
        assert problems_with(got.message, schemas["MessageOut"], schemas) == []
    assert len(receiver.got) == 4


async def test_a_repeated_request_makes_one_webhook_and_keeps_no_secret(
    app: FastAPI, workshop: Workshop, token: str, receiver: Receiver
) -> None:
    async with connect(app, token) as client:
        sent = {"json": {"url": receiver.url}, "headers": {"Idempotency-Key": "one"}}
        made = await client.post(HOOKS, **sent)  # type: ignore[arg-type]
        again = await client.post(HOOKS, **sent)  # type: ignore[arg-type]
        assert (made.status_code, again.status_code) == (201, 409)
        assert again.json()["type"] == "/problems/answer-held-a-secret"
        assert len((await client.get(HOOKS)).json()["data"]) == 1
        tests = [await client.post(f"{HOOKS}/1/test", headers={"Idempotency-Key": "two"}) for _ in range(2)]
        assert tests[0].json() == tests[1].json()
    with workshop.reading() as session:
        kept = session.connection().exec_driver_sql("SELECT * FROM kept_answer").all()
    assert len(kept) == 2
    assert made.json()["secret"] not in str(kept)
