"""Tokens in the browser: made, shown once, tried with the line that stands there, and taken back."""

import re
import shlex
from html import unescape

import anyio
import httpx
import pytest
from fastapi import FastAPI

from app.accounts import service as accounts
from app.accounts import tokens
from app.permissions import Role, Scope
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.factories import Workshop
from tests.webhooks.conftest import SignIn
from tests.webhooks.reading import chosen, field, offered, problem, said

HOME = "/me/programs"
MAKE = "/me/programs/tokens"
pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]


async def make(client: httpx.AsyncClient, *scopes: str, name: str = "The texting tool", **more: str) -> httpx.Response:
    """A token by the form, as a browser sends it."""
    once = field(await client.get(MAKE), "once")
    data = {"name": name, "scopes": list(scopes), "lasts": "90", "once": once, **more}
    return await client.post(MAKE, data=data)


async def run(app: FastAPI, answer: httpx.Response) -> httpx.Response:
    """What the line that the page shows answers when it is pasted."""
    shown = re.search(r'<pre id="line".*?<bdi>(.*?)</bdi>', answer.text, re.DOTALL)
    assert shown
    words = shlex.split(unescape(shown[1]))
    assert words[:3] == ["curl", "-fsS", "-H"]
    assert words[4].startswith("http://workshop.test/api/v1/")
    name, _, value = words[3].partition(": ")
    async with connect(app) as program:
        return await program.get(words[4], headers={name: value})


async def test_a_token_is_made_shown_once_and_works(app: FastAPI, sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        assert f'href="{HOME}"' in (await ada.get("/me")).text
        made = await make(ada, "read", "webhooks")
        assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
        secret = field(made, "secret")
        async with connect(app, secret) as program:
            me = (await program.get("/api/v1/me")).json()
        assert (me["name"], me["scopes"]) == ("Ada", ["read", "webhooks"])
        listed = await ada.get(HOME)
        assert secret not in listed.text
        assert "The texting tool" in said(listed)
        assert "Add, change and remove your webhooks." in said(listed)
        assert "Works until" in said(listed)


@pytest.mark.parametrize("scope", list(Scope))
async def test_the_line_to_paste_works_for_every_scope(app: FastAPI, sign_in: SignIn, scope: Scope) -> None:
    async with sign_in("Ada", Role.ADMIN) as ada:
        made = await make(ada, scope)
        answer = await run(app, made)
    assert answer.status_code == 200, answer.text
    assert field(made, "secret") in unescape(made.text)


async def test_sending_the_form_again_makes_no_second_token(sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        once = field(await ada.get(MAKE), "once")
        data = {"name": "Bot", "scopes": "read", "lasts": "never", "once": once}
        first = await ada.post(MAKE, data=data)
        again = await ada.post(MAKE, data=data)
        listed = await ada.get(HOME)
    assert (first.status_code, again.status_code) == (200, 409)
    assert "shown that once" in problem(again)
    assert field(first, "secret") not in again.text
    assert listed.text.count("/take-back") == 1


async def test_a_form_sent_twice_at_once_makes_one_token(sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        data = {"name": "Bot", "scopes": "read", "lasts": "90", "once": field(await ada.get(MAKE), "once")}
        statuses: list[int] = []

        async def send() -> None:
            statuses.append((await ada.post(MAKE, data=data)).status_code)

        async with anyio.create_task_group() as sending:
            for _ in range(4):
                sending.start_soon(send)
        listed = await ada.get(HOME)
    assert sorted(statuses) == [200, 409, 409, 409]
    assert listed.text.count("/take-back") == 1


async def test_a_form_that_was_refused_can_be_sent_again(sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        refused = await make(ada, "read", name=" ")
        assert refused.status_code == 422
        mended = {"name": "Bot", "scopes": "read", "lasts": "30", "once": field(refused, "once")}
        assert (await ada.post(MAKE, data=mended)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": " "}, "Give it a name"),
        ({"name": "x" * 81}, "80"),
        ({"scopes": []}, "Choose what it may do"),
        ({"scopes": ["read", "moderate"]}, "Choose what it may do"),
        ({"scopes": ["everything"]}, "Choose what it may do"),
        ({"lasts": "a week"}, "Choose how long it works"),
    ],
)
async def test_what_is_wrong_stands_on_the_form_with_what_was_typed(
    sign_in: SignIn, wrong: dict[str, object], words: str
) -> None:
    data = {"name": "The “bot”", "scopes": ["read", "vote"], "lasts": "365", **wrong}
    async with sign_in("Ada") as ada:
        answer = await ada.post(MAKE, data=data)
        listed = await ada.get(HOME)
    assert answer.status_code == 422
    assert words in problem(answer)
    assert field(answer, "name") == data["name"]
    assert set(chosen(answer, "scopes")) == set(data["scopes"]) - {"moderate", "everything"}  # type: ignore[call-overload]
    assert "/take-back" not in listed.text


async def test_as_many_as_there_can_be_is_said_on_the_form(workshop: Workshop, sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        with workshop.writing() as session:
            owner = accounts.actor_of(accounts.get_user(session, "Ada"))
            for _ in range(tokens.MOST):
                tokens.create(session, owner, [Scope.READ])
        answer = await make(ada, "vote", name="One too many")
    assert (answer.status_code, "Take back one that nobody uses" in problem(answer)) == (422, True)
    assert (field(answer, "name"), chosen(answer, "scopes")) == ("One too many", ["vote"])


async def test_only_what_the_role_may_is_offered(sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada, sign_in("Mo", Role.MODERATOR) as mo:
        assert offered(await ada.get(MAKE), "scopes") == ["read", "write", "vote", "webhooks", "admin"]
        assert offered(await mo.get(MAKE), "scopes") == list(Scope)


async def test_a_token_ends_by_itself_and_the_list_says_so(app: FastAPI, sign_in: SignIn, clock: MovableClock) -> None:
    async with sign_in("Ada") as ada:
        short = field(await make(ada, "read", name="Short", lasts="30"), "secret")
        long = field(await make(ada, "read", name="Long", lasts="never"), "secret")
        clock.move(days=29)
        assert "Over:" not in said(await ada.get(HOME))
        async with connect(app, short) as program:
            assert (await program.get("/api/v1/me")).status_code == 200
        clock.move(days=2)
        await ada.post("/login", data={"name": "Ada", "password": "four unrelated words"})
        listed = said(await ada.get(HOME))
        assert "Over: it does not work any more since" in listed
        assert "No end: it works until you take it back." in listed
        async with connect(app, short) as program:
            assert (await program.get("/api/v1/me")).status_code == 401
        async with connect(app, long) as program:
            assert (await program.get("/api/v1/me")).status_code == 200


async def test_a_token_is_taken_back_after_a_question(app: FastAPI, sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        secret = field(await make(ada, "read"), "secret")
        found = re.search(r'href="(/me/programs/tokens/\d+/take-back)"', (await ada.get(HOME)).text)
        assert found
        asked = await ada.get(found[1])
        assert "This cannot be undone" in said(asked)
        async with connect(app, secret) as program:
            assert (await program.get("/api/v1/me")).status_code == 200
        done = await ada.post(found[1])
        assert (done.status_code, done.headers["location"]) == (303, "/me/programs?said=taken-back")
        assert "You have no tokens." in said(await ada.get(done.headers["location"]))
        async with connect(app, secret) as program:
            assert (await program.get("/api/v1/me")).status_code == 401
        assert (await ada.post(found[1])).status_code == 404


async def test_nobody_elses_tokens_are_seen_or_taken_back(app: FastAPI, sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada, sign_in("Root", Role.ADMIN) as root:
        secret = field(await make(ada, "read", name="Ada’s tool"), "secret")
        found = re.search(r'href="(/me/programs/tokens/\d+/take-back)"', (await ada.get(HOME)).text)
        assert found
        assert "Ada’s tool" not in (await root.get(HOME)).text
        assert (await root.get(found[1])).status_code == 404
        assert (await root.post(found[1])).status_code == 404
        async with connect(app, secret) as program:
            assert (await program.get("/api/v1/me")).status_code == 200
    async with connect(app) as nobody:
        answers = [await nobody.get(HOME), await nobody.get(MAKE), await nobody.get(found[1])]
        answers += [await nobody.post(MAKE, data={"name": "x", "scopes": "read"}), await nobody.post(found[1])]
    assert [answer.status_code for answer in answers] == [401] * 5


async def test_a_programs_token_makes_none_that_may_do_more(app: FastAPI, workshop: Workshop) -> None:
    owner = workshop.member("Ada")
    reader = workshop.token(owner, Scope.READ, Scope.WRITE)
    async with connect(app, reader) as program:
        for answer in (await program.get(HOME), await program.get(MAKE)):
            assert answer.status_code == 403
        refused = await program.post(MAKE, data={"name": "More", "scopes": ["admin"], "lasts": "never"})
        assert refused.status_code == 403
    async with connect(app, workshop.token(owner, Scope.ADMIN, Scope.READ)) as program:
        assert offered(await program.get(MAKE), "scopes") == ["read", "admin"]
        beyond = await program.post(MAKE, data={"name": "More", "scopes": ["read", "vote"], "lasts": "never"})
        assert (beyond.status_code, "Choose what it may do" in problem(beyond)) == (422, True)
        webhooks = await program.get("/me/programs/webhooks")
        assert webhooks.status_code == 403
    with workshop.reading() as session:
        assert [row.name for row in tokens.list_own(session, owner)] == ["", ""]


async def test_another_site_can_send_none_of_these_forms(sign_in: SignIn) -> None:
    async with sign_in("Ada") as ada:
        for address in (MAKE, "/me/programs/tokens/1/take-back", "/me/programs/webhooks"):
            data = {"name": "x", "scopes": "read"}
            answer = await ada.post(address, data=data, headers={"sec-fetch-site": "cross-site"})
            assert (answer.status_code, "Another site" in answer.text) == (403, True)
        assert "You have no tokens." in said(await ada.get(HOME))
