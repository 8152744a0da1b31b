"""Answers from memory are the framework's own, and end with the next promotion."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.consensus import rule_changes
from app.drafts import service as drafts
from app.live.ring import Wanted
from app.live.rows import read_rows
from app.main import open_database
from app.pages import service as pages
from app.permissions import Role
from app.publishing.hot import HotApproved
from app.settings import Settings
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import HOUSING, Workshop

pytestmark = ON_SQLITE_ALONE

ADDRESS = "/api/v1/pages/housing/approved"
FORMS = ["", ".json", ".txt", ".md", ".html", "/sections", "/sections/topline.txt", "?as_of=2026-11-22T23:00:00Z"]


@pytest.fixture
def approved(workshop: Workshop, clock: MovableClock) -> Workshop:
    writer = workshop.member("writer", role=Role.WRITER)
    page = workshop.page(writer)
    workshop.vote(writer, workshop.shared_head(page))
    clock.move(days=2)
    return workshop


def kept(app: FastAPI) -> int:
    """How many answers the fast read has in memory."""
    return len(app.state.front._kept)


def approve_another(workshop: Workshop) -> None:
    member = workshop.member()
    draft = workshop.fork(member, workshop.get_page("housing"), ("10,000", "20,000"))
    for voter in (member, workshop.member(), workshop.member()):
        workshop.vote(voter, drafts.head_of(draft))


async def fetch(app: FastAPI, path: str, **headers: str) -> httpx.Response:
    async with connect(app) as client:
        return await client.get(ADDRESS + path, headers=headers)


@pytest.mark.anyio
@pytest.mark.parametrize("path", FORMS)
async def test_the_second_answer_is_the_first_one_again(app: FastAPI, approved: Workshop, path: str) -> None:
    first, second = await fetch(app, path), await fetch(app, path)
    assert first.status_code == second.status_code == 200
    assert second.headers == first.headers
    assert second.content == first.content
    assert "content-security-policy" in second.headers
    assert kept(app) == 1


@pytest.mark.anyio
async def test_a_known_text_is_answered_without_a_body(app: FastAPI, approved: Workshop) -> None:
    first = await fetch(app, ".md")
    for known in (first.headers["etag"], f"W/{first.headers['etag']}", "*"):
        again = await fetch(app, ".md", **{"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert (await fetch(app, ".md", **{"If-None-Match": '"another"'})).status_code == 200


@pytest.mark.anyio
async def test_a_promotion_ends_what_was_kept(app: FastAPI, approved: Workshop) -> None:
    before = await fetch(app, ".md")
    await fetch(app, ".md")
    approve_another(approved)
    after = await fetch(app, ".md", **{"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.text == HOUSING.replace("10,000", "20,000")


@pytest.mark.anyio
@pytest.mark.parametrize("learn", ["changes", "stream"])
async def test_whoever_reads_that_another_server_approved_a_text_is_served_it(
    app: FastAPI, approved: Workshop, settings: Settings, learn: str
) -> None:
    await fetch(app, ".md")
    other = Workshop(open_database(settings, clock=app.state.database.clock), app.state.follower)
    writer = other.member("other", role=Role.WRITER)
    with other.writing() as session:
        pages.rename_page(session, writer, "housing", new_slug="homes")
    assert (await fetch(app, ".md")).status_code == 200, "nothing told this server yet"
    if learn == "changes":
        async with connect(app) as client:
            assert "page.renamed" in (await client.get("/api/v1/changes")).text
    else:
        told, _ = read_rows(app.state.database, 0, Wanted(frozenset(), None))
        assert "page.renamed" in [row.kind for row in told]
    assert (await fetch(app, ".md")).status_code == 308
    other.database.dispose()


@pytest.mark.anyio
@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_feed_names_the_newest_checkpoint_after_a_change_of_the_rule_too(
    app: FastAPI, approved: Workshop, settings: Settings, elsewhere: bool
) -> None:
    north, south = (approved.member(chapter=home, role=Role.MODERATOR) for home in ("north", "south"))
    other = Workshop(open_database(settings, clock=app.state.database.clock), app.state.follower)

    async def sizes() -> tuple[int, int]:
        async with connect(app) as client:
            feed = (await client.get("/feeds/approved.json")).json()["_ledger"]
            root = (await client.get("/pages/housing")).text.count(feed["root"])
            checkpoint = (await client.get("/api/v1/ledger/checkpoint")).text.splitlines()
        assert root > 0, "the foot of a page names the same one"
        return feed["size"], int(checkpoint[1])

    told, size = await sizes()
    assert told == size
    with (other if elsewhere else approved).writing() as session:
        proposed = rule_changes.propose(session, north, "neighbour_wait", 60, reason="It is too long.")
        rule_changes.confirm(session, south, proposed.proposal.id)
    if elsewhere:
        approved.follow()
    assert await sizes() == (size + 1, size + 1)
    other.database.dispose()


@pytest.mark.anyio
async def test_an_edit_elsewhere_leaves_the_answers_in_memory(app: FastAPI, approved: Workshop) -> None:
    await fetch(app, ".md")
    approved.fork(approved.member(), approved.get_page("housing"), ("10,000", "20,000"))
    await fetch(app, ".md")
    assert kept(app) == 1


@pytest.mark.anyio
async def test_whoever_is_signed_in_passes_the_memory_by(app: FastAPI, approved: Workshop) -> None:
    token = approved.token(approved.member())
    async with connect(app, token) as client:
        answer = await client.get(f"{ADDRESS}.md")
    assert answer.headers["cache-control"] == "no-store"
    assert kept(app) == 0


@pytest.mark.anyio
async def test_whoever_asks_in_very_many_words_is_answered_and_nothing_is_kept(
    app: FastAPI, approved: Workshop
) -> None:
    answer = await fetch(app, ".md", Accept="text/plain, " * 200)
    assert (answer.status_code, kept(app)) == (200, 0)


@pytest.mark.anyio
async def test_errors_are_not_kept(app: FastAPI, workshop: Workshop) -> None:
    writer = workshop.member("writer", role=Role.WRITER)
    page = workshop.page(writer)
    assert (await fetch(app, ".md")).status_code == 404
    workshop.vote(writer, workshop.shared_head(page))
    assert (await fetch(app, ".md")).status_code == 200


class Counted:
    """The framework, and how often it was asked; `meanwhile` happens while it answers for the first time."""

    def __init__(self, app: FastAPI, meanwhile: Callable[[], Awaitable[object]] | None = None) -> None:
        self._framework = app.state.front._app
        self._meanwhile = meanwhile
        self.times = 0
        self.front = HotApproved(self, app.state.database.published, app.state.database.entered)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.times += 1
        if self.times == 1 and self._meanwhile:
            await self._meanwhile()
        await self._framework(scope, receive, send)

    async def fetch(self, path: str = ".md", method: str = "GET", **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.front)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.request(method, path if path.startswith("/api") else ADDRESS + path, headers=headers)


@pytest.mark.anyio
@pytest.mark.parametrize("known", [None, '"of-an-older-text"', "same", "weak"])
async def test_all_who_ask_at_once_wait_for_one_answer(app: FastAPI, approved: Workshop, known: str | None) -> None:
    etag = (await fetch(app, ".md")).headers["etag"]
    given = {"same": etag, "weak": f"W/{etag}"}.get(known or "", known)
    counted = Counted(app)
    headers = {"If-None-Match": given} if given else {}
    answers = await asyncio.gather(*(counted.fetch(**headers) for _ in range(30)))
    assert counted.times == 1
    if known in ("same", "weak"):
        assert {(answer.status_code, answer.content) for answer in answers} == {(304, b"")}
    else:
        assert {(answer.status_code, answer.text) for answer in answers} == {(200, HOUSING)}
    assert {answer.headers["etag"] for answer in answers} == {etag}


@pytest.mark.anyio
async def test_nobody_waits_for_an_answer_from_before_a_promotion(app: FastAPI, approved: Workshop) -> None:
    promoted: list[httpx.Response] = []

    async def promote_and_ask() -> None:
        approve_another(approved)
        async with asyncio.timeout(10):  # the first is answered only after this
            promoted.append(await counted.fetch())

    counted = Counted(app, promote_and_ask)
    await counted.fetch()
    promoted.append(await counted.fetch())
    assert [answer.text for answer in promoted] == [HOUSING.replace("10,000", "20,000")] * 2
    assert counted.times == 2, "the first answer was over before it was whole"


@pytest.mark.anyio
async def test_those_who_wait_for_what_cannot_be_kept_ask_themselves(app: FastAPI, workshop: Workshop) -> None:
    workshop.page(workshop.member("writer", role=Role.WRITER))
    counted = Counted(app)
    answers = await asyncio.gather(*(counted.fetch() for _ in range(5)))
    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(404, "/problems/no-approved-text")}
    assert counted.times == 5


@pytest.mark.anyio
async def test_a_fault_is_answered_as_everywhere(
    app: FastAPI, approved: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("app.pages.service.get_page", lambda *_args, **_named: 1 // 0)
        answers = await asyncio.gather(*(fetch(app, ".md") for _ in range(3)))
    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(500, "/problems/fault")] * 3
    assert (await fetch(app, ".md")).status_code == 200


@pytest.mark.anyio
async def test_an_old_tag_is_answered_from_memory_and_that_of_the_other_encoding_understood(
    app: FastAPI, approved: Workshop
) -> None:
    writer = approved.member(role=Role.WRITER)
    page = approved.page(writer, "Long", HOUSING * 20)
    for voter in (writer, approved.member()):
        approved.vote(voter, approved.shared_head(page))
    counted, path = Counted(app), "/api/v1/pages/long/approved.json"
    packed = (await counted.fetch(path, **{"Accept-Encoding": "gzip"})).headers["etag"]
    first = await counted.fetch(path, **{"Accept-Encoding": "identity"})
    plain = first.headers["etag"]
    assert packed != plain
    asked = counted.times
    old = await counted.fetch(path, **{"Accept-Encoding": "identity", "If-None-Match": '"of-an-older-text"'})
    assert (old.status_code, old.text, counted.times) == (200, first.text, asked)
    for encoding, known in (("identity", packed), ("gzip", plain)):
        other = await counted.fetch(path, **{"Accept-Encoding": encoding, "If-None-Match": known})
        assert (other.status_code, other.headers["etag"]) == (304, known)
    several = await counted.fetch(path, **{"Accept-Encoding": "identity", "If-None-Match": f'"old", {plain}'})
    assert several.status_code == 304


@pytest.mark.anyio
@pytest.mark.parametrize("path", [f"{ADDRESS}.md", "/feeds/approved.atom", "/feeds/page/housing.json"])
@pytest.mark.parametrize("known", [None, "same", '"old"', "*"])
async def test_from_memory_or_not_an_answer_is_the_same(
    app: FastAPI, approved: Workshop, known: str | None, path: str
) -> None:
    async def ask(front: ASGIApp, method: str, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://testserver") as client:
            return await client.request(method, path, headers=headers)

    framework = app.state.front._app
    etag = (await ask(framework, "GET", {})).headers["etag"]
    headers = {"If-None-Match": etag if known == "same" else known} if known else {}
    for method in ("GET", "HEAD"):
        straight, front = await ask(framework, method, headers), Counted(app).front
        for _ in range(2):
            answer = await ask(front, method, headers)
            assert (answer.status_code, answer.content) == (straight.status_code, straight.content)
            assert answer.headers == straight.headers


@pytest.mark.anyio
async def test_an_answer_in_parts_is_passed_on_as_it_comes(app: FastAPI) -> None:
    sent: list[bytes] = []

    async def in_parts(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"x"')]})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        assert sent == [b"one"], "nobody waits for its end: it may have none"
        await send({"type": "http.response.body", "body": b"two"})

    async def note(message: Message) -> None:
        if message["type"] == "http.response.body":
            sent.append(message["body"])

    async def nothing() -> Message:
        return {"type": "http.request"}

    front = HotApproved(in_parts, app.state.database.published, app.state.database.entered)
    asked = {"path": ADDRESS, "raw_path": ADDRESS.encode(), "query_string": b"", "headers": []}
    for _ in range(2):
        sent.clear()
        await front({"type": "http", "method": "GET", **asked}, nothing, note)
        assert sent == [b"one", b"two"]
