"""Webhooks in the browser: added, tried, changed, sent again and removed, each by its owner alone."""

import re
from collections.abc import Callable
from datetime import timedelta

import anyio
import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import col, select

from app.activity.models import Kind
from app.permissions import Actor, Role, Scope
from app.webhooks import service
from app.webhooks.models import Delivery, State, Webhook, Why
from app.webhooks.telling import ABOUT_USE, KINDS
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.factories import Workshop
from tests.webhooks.conftest import Add, SignIn
from tests.webhooks.reading import chosen, field, offered, problem, said
from tests.webhooks.receiver import receiving

HOME = "/me/programs"
ADD = "/me/programs/webhooks"
pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]

Deliver = Callable[[], int]


async def add_by_form(client: httpx.AsyncClient, url: str, *kinds: str, **more: str) -> httpx.Response:
    """A webhook by the form, as a browser sends it."""
    once = field(await client.get(ADD), "once")
    return await client.post(ADD, data={"url": url, "kinds": list(kinds), "once": once, **more})


def place_of(answer: httpx.Response) -> str:
    """Where the webhook is that was just added."""
    found = re.search(r'href="(/me/programs/webhooks/\d+)"', answer.text)
    assert found, answer.text
    return found[1]


def the_webhook(workshop: Workshop) -> Webhook:
    with workshop.reading() as session:
        return session.exec(select(Webhook)).one()


def the_deliveries(workshop: Workshop) -> list[Delivery]:
    with workshop.reading() as session:
        return list(session.exec(select(Delivery).order_by(col(Delivery.id))))


async def send_due(deliver: Deliver) -> None:
    """Everything that is due, in a thread of its own as the courier runs its own loop."""
    while await anyio.to_thread.run_sync(deliver):
        pass


async def test_a_webhook_is_added_and_its_secret_shown_once(workshop: Workshop, sign_in: SignIn) -> None:
    page = workshop.page(workshop.member(role=Role.WRITER))
    async with sign_in("Ada") as ada:
        with receiving() as receiver:
            pasted = f"http://workshop.test/pages/{page.slug}/history"
            kinds = ("page.held", "page.promoted")
            made = await add_by_form(ada, receiver.url, *kinds, page=pasted, description="The tool")
            secret = field(made, "secret")
            listed = await ada.get(HOME)
            shown = await ada.get(place_of(made))
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert secret.startswith("whsec_")
    assert "Every message is signed with it" in said(made)
    assert "The tool" in said(listed)
    assert "Nothing has been sent to it yet." in said(listed)
    assert secret not in listed.text + shown.text
    webhook = the_webhook(workshop)
    assert (webhook.url, webhook.page_id, webhook.description) == (receiver.url, page.id, "The tool")
    assert webhook.kinds == ["page.promoted", "page.held"]
    assert set(chosen(shown, "kinds")) == {"page.promoted", "page.held"}
    assert (field(shown, "url"), field(shown, "page")) == (receiver.url, page.slug)


async def test_sending_the_form_again_adds_no_second_webhook(workshop: Workshop, sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        data = {"url": "http://127.0.0.1:9/", "once": field(await ada.get(ADD), "once")}
        first, again = await ada.post(ADD, data=data), await ada.post(ADD, data=data)
    assert (first.status_code, again.status_code) == (200, 409)
    assert "shown that once" in problem(again)
    assert the_webhook(workshop).kinds == []


async def test_every_kind_can_be_chosen_and_what_senders_need_is_chosen_already(sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        form = await ada.get(ADD)
    assert sorted(offered(form, "kinds")) == sorted(Kind)
    assert set(chosen(form, "kinds")) == ABOUT_USE
    assert sum(len(kinds) for _name, kinds in KINDS) == len(Kind)


@pytest.mark.parametrize(
    ("wrong", "status", "words"),
    [
        ({"url": ""}, 422, "https://"),
        ({"url": "ftp://example.org/"}, 422, "has to begin with https://"),
        ({"url": "https://10.1.2.3/hook"}, 422, "no public machine"),
        ({"page": "nowhere"}, 404, "No page is called “nowhere”"),
        ({"kinds": ["page.eaten"]}, 422, "There is no kind “page.eaten”"),
        ({"description": "x" * 201}, 422, "200"),
        ({"tag": "x" * 61}, 422, "60"),
    ],
)
async def test_what_is_wrong_stands_on_the_form_with_what_was_typed(
    workshop: Workshop, sign_in: SignIn, wrong: dict[str, str], status: int, words: str
) -> None:
    typed: dict[str, object] = {"url": "http://127.0.0.1:9/", "kinds": ["vote.cast"], "description": "Mine", **wrong}
    async with sign_in("Ada") as ada:
        once = field(await ada.get(ADD), "once")
        refused = await ada.post(ADD, data=typed | {"once": once})
        assert (refused.status_code, words in problem(refused)) == (status, True), problem(refused)
        for name in ("url", "description", "page", "tag"):
            assert field(refused, name) == typed.get(name, "")
        assert chosen(refused, "kinds") == (["vote.cast"] if "kinds" not in wrong else [])
        with workshop.reading() as session:
            assert session.exec(select(Webhook)).all() == []
        mended = {"url": "http://127.0.0.1:9/", "kinds": "vote.cast", "once": field(refused, "once")}
        assert (await ada.post(ADD, data=mended)).status_code == 200
        place = f"/me/programs/webhooks/{the_webhook(workshop).id}"
        changed = await ada.post(place, data=typed)
        assert (changed.status_code, words in problem(changed)) == (status, True)
        assert field(changed, "url") == typed["url"]
        assert field(changed, "description") == typed["description"]
    assert the_webhook(workshop).kinds == ["vote.cast"]


async def test_too_many_is_said_on_the_form(workshop: Workshop, sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        for number in range(service.MOST):
            await add_by_form(ada, f"http://127.0.0.1:9/{number}")
        answer = await add_by_form(ada, "http://127.0.0.1:9/more")
    assert (answer.status_code, "One member can have 20 webhooks" in problem(answer)) == (409, True)
    assert field(answer, "url") == "http://127.0.0.1:9/more"


async def test_a_test_says_first_that_it_is_under_way_and_then_what_came_of_it(
    workshop: Workshop, sign_in: SignIn, deliver: Deliver
) -> None:
    async with sign_in("Ada") as ada:
        with receiving(204, 500) as receiver:
            made = await add_by_form(ada, receiver.url)
            place = place_of(made)
            asked = await ada.post(f"{place}/test")
            assert asked.status_code == 303
            under_way = await ada.get(asked.headers["location"])
            assert receiver.got == [], "no request waits for a receiver"
            assert "The test message is on its way." in said(under_way)
            await send_due(deliver)
            assert receiver.got[0].verified(field(made, "secret"))["type"] == "webhook.test"
            arrived = said(await ada.get(asked.headers["location"]))
            assert "The test message arrived. The receiver answered 204: it took the message." in arrived
            asked = await ada.post(f"{place}/test")
            await send_due(deliver)
            refused = said(await ada.get(asked.headers["location"]))
        assert "The test message did not arrive. The receiver answered 500" in refused
        assert "after 1 try." in refused
        asked = await ada.post(f"{place}/test")
        await send_due(deliver)
        assert "No connection could be made. (no connection: " in said(await ada.get(asked.headers["location"]))


async def test_what_was_sent_is_listed_in_pages_with_what_became_of_it(
    workshop: Workshop, sign_in: SignIn, deliver: Deliver, clock: MovableClock
) -> None:
    writer = workshop.member(role=Role.WRITER)
    async with sign_in("Ada") as ada:
        with receiving(500, 204) as receiver:
            place = place_of(await add_by_form(ada, receiver.url, "page.created"))
            workshop.page(writer, "First")
            await send_due(deliver)
            first = await ada.get(place)
            assert "A page is started first" in said(first)
            assert 'href="/pages/first"' in first.text
            assert "after 1 try." in said(await ada.get(place))
            clock.move(minutes=1)
            await send_due(deliver)
            shown = said(await ada.get(place))
            assert re.search(r"Arrived [^.]*, after 2 tries\.", shown)
            assert "The receiver answered 204: it took the message." in shown
            for number in range(20):
                workshop.page(writer, f"Page {number}")
            await send_due(deliver)
            newest = await ada.get(place)
            more = re.search(rf'href="({place}\?cursor=[^"#]+)', newest.text)
            assert more
            older = await ada.get(more[1])
        ids = [set(re.findall(r'name="delivery" value="(\d+)"', it.text)) for it in (newest, older)]
    assert (len(ids[0]), len(ids[1])) == (20, 1)
    assert ids[0] | ids[1] == {str(row.id) for row in the_deliveries(workshop)}
    assert "Back to the newest" in said(older)


async def test_one_message_or_all_since_a_time_are_sent_again(
    workshop: Workshop, sign_in: SignIn, deliver: Deliver, clock: MovableClock
) -> None:
    writer = workshop.member(role=Role.WRITER)
    async with sign_in("Ada") as ada:
        with receiving() as receiver:
            place = place_of(await add_by_form(ada, receiver.url, "page.created"))
            workshop.page(writer, "First")
            clock.move(hours=2)
            workshop.page(writer, "Second")
            await send_due(deliver)
            one = the_deliveries(workshop)[0].id
            first, second = (row.message for row in the_deliveries(workshop))
            done = await ada.post(f"{place}/again", data={"delivery": str(one)})
            assert done.headers["location"] == f"{place}?said=again"
            assert "The message is sent again now." in said(await ada.get(done.headers["location"]))
            await send_due(deliver)
            assert receiver.ids()[2:] == [first]
            done = await ada.post(f"{place}/again", data={"span": "1"})
            assert done.headers["location"] == f"{place}?said=since"
            await send_due(deliver)
            assert receiver.ids()[3:] == [second]
            exactly = f"{clock.moment - timedelta(hours=3):%Y-%m-%dT%H:%M}"
            assert (await ada.post(f"{place}/again", data={"span": "1", "since": exactly})).status_code == 303
            await send_due(deliver)
            assert sorted(receiver.ids()[4:]) == sorted([first, second])


@pytest.mark.parametrize(
    "typed", [{"delivery": "999999"}, {"delivery": "²"}, {"delivery": "9" * 40}, {"span": "2"}, {"since": "yesterday"}]
)
async def test_what_cannot_be_sent_again_is_said(sign_in: SignIn, typed: dict[str, str]) -> None:
    async with sign_in("Ada") as ada:
        place = place_of(await add_by_form(ada, "http://127.0.0.1:9/"))
        answer = await ada.post(f"{place}/again", data=typed)
    assert (answer.status_code, bool(problem(answer))) == (422, True)
    assert field(answer, "since") == typed.get("since", "")


async def test_its_settings_are_changed_without_looking_up_an_address_that_stays(
    workshop: Workshop, sign_in: SignIn
) -> None:
    async with sign_in("Ada") as ada:
        place = place_of(await add_by_form(ada, "http://127.0.0.1:9/", "page.held", tag="Homes"))
        with workshop.writing() as session:  # a name that nobody knows any more
            session.get_one(Webhook, the_webhook(workshop).id).url = "https://gone.invalid/hook"
        kept = {"url": "https://gone.invalid/hook", "kinds": ["page.held", "vote.cast"], "description": "Now named"}
        done = await ada.post(place, data=kept)
        assert (done.status_code, done.headers["location"]) == (303, f"{place}?said=changed")
        assert "Your changes are saved." in said(await ada.get(done.headers["location"]))
        refused = await ada.post(place, data=kept | {"url": "https://other.invalid/hook"})
        assert (refused.status_code, "No machine called" in problem(refused)) == (422, True)
        assert chosen(refused, "kinds") == ["page.held", "vote.cast"]
    webhook = the_webhook(workshop)
    assert (webhook.kinds, webhook.description, webhook.tag) == (["vote.cast", "page.held"], "Now named", None)
    assert webhook.url == "https://gone.invalid/hook"


async def test_it_is_turned_off_and_on_again(workshop: Workshop, sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        place = place_of(await add_by_form(ada, "http://127.0.0.1:9/"))
        await ada.post(f"{place}/test")
        off = await ada.post(f"{place}/switch", data={"to": "off"})
        shown = await ada.get(off.headers["location"])
        assert "You turned it off" in said(shown)
        assert "Never sent: the webhook was turned off first." in said(shown)
        assert "Send a test" not in shown.text
        for step in ("test", "again"):
            late = await ada.post(f"{place}/{step}", data={"span": "1"})
            assert (late.status_code, "Turn it on first." in problem(late)) == (409, True)
        assert (await ada.post(f"{place}/switch", data={"to": "maybe"})).status_code == 422
        assert the_webhook(workshop).disabled_reason == Why.OWNER
        on = await ada.post(f"{place}/switch", data={"to": "on"})
        assert "It is on again" in said(await ada.get(on.headers["location"]))
    assert the_webhook(workshop).is_enabled


async def test_a_new_secret_is_shown_once_and_the_old_one_works_for_a_day(
    workshop: Workshop, sign_in: SignIn, deliver: Deliver
) -> None:
    async with sign_in("Ada") as ada:
        with receiving() as receiver:
            made = await add_by_form(ada, receiver.url)
            place, old = place_of(made), field(made, "secret")
            asked = await ada.get(f"{place}/secret")
            assert "also works for 24 hours" in said(asked)
            data = {"once": field(asked, "once")}
            renewed = await ada.post(f"{place}/secret", data=data)
            assert (renewed.status_code, renewed.headers["cache-control"]) == (200, "no-store")
            assert "The old secret also works until" in said(renewed)
            again = await ada.post(f"{place}/secret", data=data)
            assert (again.status_code, "shown that once" in problem(again)) == (409, True)
            await ada.post(f"{place}/test")
            await send_due(deliver)
        assert "stops working at once" in said(await ada.get(f"{place}/secret"))
    assert field(renewed, "secret") != old
    for secret in (old, field(renewed, "secret")):
        assert receiver.got[0].verified(secret)["type"] == "webhook.test"


async def test_it_is_removed_after_a_question(workshop: Workshop, sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        place = place_of(await add_by_form(ada, "http://127.0.0.1:9/"))
        assert "This cannot be undone." in said(await ada.get(f"{place}/remove"))
        assert the_webhook(workshop).is_enabled
        done = await ada.post(f"{place}/remove")
        assert (done.status_code, done.headers["location"]) == (303, "/me/programs?said=removed")
        assert "You have no webhooks." in said(await ada.get(done.headers["location"]))
        assert (await ada.get(place)).status_code == 404


STEPS = ("", "/switch", "/test", "/again", "/secret", "/remove")


async def test_nobody_elses_webhook_is_seen_or_changed(app: FastAPI, workshop: Workshop, sign_in: SignIn) -> None:
    """Not by an admin either: what admins may do with webhooks of others is the API's."""
    data = {"url": "http://127.0.0.1:9/other", "to": "off", "span": "1"}
    async with sign_in("Ada") as ada, sign_in("Ben") as ben, sign_in("Root", Role.ADMIN) as root:
        place = place_of(await add_by_form(ada, "http://127.0.0.1:9/"))
        for other in (ben, root):
            assert "127.0.0.1" not in (await other.get(HOME)).text
            for step in ("", "/secret", "/remove"):
                assert (await other.get(place + step)).status_code == 404
            for step in STEPS:
                assert (await other.post(place + step, data=data)).status_code == 404, step
    async with connect(app) as nobody:
        for step in STEPS:
            assert (await nobody.post(place + step, data=data)).status_code == 401, step
        assert (await nobody.get(place)).status_code == 401
    webhook = the_webhook(workshop)
    assert (webhook.url, webhook.is_enabled, webhook.former_salt) == ("http://127.0.0.1:9/", True, None)
    assert the_deliveries(workshop) == []


async def test_another_webhooks_messages_are_not_sent_or_shown(workshop: Workshop, sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada, sign_in("Ben") as ben:
        place = place_of(await add_by_form(ada, "http://127.0.0.1:9/"))
        await ada.post(f"{place}/test")
        (row,) = the_deliveries(workshop)
        other = place_of(await add_by_form(ben, "http://127.0.0.1:9/ben"))
        assert "test message" not in said(await ben.get(f"{other}?test={row.id}"))
        refused = await ben.post(f"{other}/again", data={"delivery": str(row.id)})
        assert (refused.status_code, "no such message" in problem(refused)) == (422, True)


async def test_a_program_without_the_scope_has_no_way_in(app: FastAPI, workshop: Workshop, add: Add) -> None:
    owner: Actor = workshop.member("Ada")
    webhook, _secret = add(owner, "http://127.0.0.1:9/")
    token = workshop.token(owner, *(set(Scope) - {Scope.WEBHOOKS}))
    async with connect(app, token) as program:
        assert "127.0.0.1" not in (await program.get(HOME)).text
        assert (await program.get(f"{ADD}/{webhook.id}")).status_code == 403
        for step in STEPS:
            assert (await program.post(f"{ADD}/{webhook.id}{step}", data={"to": "off"})).status_code == 403
        assert (await program.post(ADD, data={"url": "http://127.0.0.1:9/"})).status_code == 403
    assert the_webhook(workshop).is_enabled


async def test_one_that_fails_is_named_on_ones_own_page(workshop: Workshop, sign_in: SignIn, deliver: Deliver) -> None:
    async with sign_in("Ada") as ada:
        with receiving(500) as receiver:
            well = place_of(await add_by_form(ada, "http://127.0.0.1:9/well", "page.held"))
            ill = place_of(await add_by_form(ada, receiver.url))
            await ada.post(f"{ill}/test")
            await send_due(deliver)
        own = await ada.get("/me")
    assert f'href="{ill}"' in own.text
    assert "No message has arrived since" in said(own)
    assert f'href="{well}"' not in own.text
    assert [row.state for row in the_deliveries(workshop)] == [State.PENDING]
