"""Many people at one page at the same moment, and the process killed under them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from _pytest.mark import ParameterSet

from app.consensus.models import Value
from app.drafts import service as drafts
from app.main import create_app
from app.pages.models import Page
from app.permissions import Actor, Role, Scope
from app.revisions import service as revisions
from app.settings import Settings
from tests.conftest import ENGINES, migrated_database
from tests.factories import Workshop
from tests.servers import Server, connect_to

CLIENTS = 50
PARAGRAPHS = "\n\n".join(f"Paragraph {number} says what it says." for number in range(CLIENTS))


@dataclass
class Crowd:
    """Fifty signed-in members, ten to a chapter, and a server of their own."""

    server: Server
    workshop: Workshop
    actors: list[Actor]
    tokens: list[str]
    api: str = field(init=False)

    def __post_init__(self) -> None:
        self.api = f"{self.server.url}/api/v1"

    def client(self, number: int) -> httpx.AsyncClient:
        return connect_to(self.tokens[number])

    def page(self, title: str) -> Page:
        """A page that they all want to change."""
        return self.workshop.page(self.actors[0], title, PARAGRAPHS)


def on(engine: str, *marks: pytest.MarkDecorator) -> ParameterSet:
    """The crowd on an engine, where one worker runs all its tests."""
    return pytest.param(engine, marks=[pytest.mark.xdist_group(f"crowd on {engine}"), *marks])


POSTGRES_IN_SOAK = pytest.mark.parametrize("crowd", [on("sqlite"), on("postgres", pytest.mark.soak)], indirect=True)


@pytest.fixture(scope="module", params=[on(engine) for engine in ENGINES])
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """One crowd and one server for each engine: to start them is what takes the time."""
    folder = tmp_path_factory.mktemp("crowd")
    url = migrated_database(request, folder)
    app = create_app(Settings(database_url=url, data_dir=folder, founders=CLIENTS), follow=False)
    workshop = Workshop(app.state.database, app.state.follower)
    actors = [
        workshop.member(f"crowd-{n}", chapter=f"chapter-{n % 5}", role=Role.MEMBER if n else Role.WRITER)
        for n in range(CLIENTS)
    ]
    tokens = [workshop.token(actor, Scope.WRITE, Scope.VOTE) for actor in actors]
    server = Server(url, folder)
    server.start()
    yield Crowd(server, workshop, actors, tokens)
    server.kill()
    app.state.database.dispose()


async def texts_in(client: httpx.AsyncClient, api: str, address: str) -> AsyncIterator[str]:
    """The text of every revision in a list, all its pages."""
    cursor = None
    while True:
        listed = (await client.get(f"{api}{address}", params={"cursor": cursor} if cursor else {})).json()
        for row in listed["data"]:
            yield (await client.get(f"{api}/revisions/{row['id']}")).json()["text"]
        cursor = listed["next"]
        if cursor is None:
            return


@POSTGRES_IN_SOAK
@pytest.mark.anyio
async def test_100_parallel_edits_are_in_history_or_kept_aside(crowd: Crowd) -> None:
    page = crowd.page("Edited")
    base = crowd.workshop.shared_head(page)
    words = itertools.count()

    async def edit_twice(number: int) -> list[tuple[str, httpx.Response]]:
        answers: list[tuple[str, httpx.Response]] = []
        async with crowd.client(number) as client:
            for _ in range(2):
                # Every other edit is of a paragraph of one's own, the rest are of one sentence that all fight over.
                mark = f"word{next(words)}"
                target = number if len(answers) % 2 == 0 else 0
                text = PARAGRAPHS.replace(f"Paragraph {target} says", f"Paragraph {target} {mark} says")
                body = {"base": base, "text": text}
                answer = await client.post(f"{crowd.api}/pages/{page.slug}/revisions", json=body)
                answers.append((mark, answer))
        return answers

    done = [pair for pairs in await asyncio.gather(*map(edit_twice, range(CLIENTS))) for pair in pairs]
    assert len(done) == 2 * CLIENTS
    assert {answer.status_code for _, answer in done} <= {201, 409}, crowd.server.log()[-3000:]
    assert any(answer.status_code == 409 for _, answer in done)
    async with crowd.client(0) as client:
        history = [text async for text in texts_in(client, crowd.api, f"/pages/{page.slug}/revisions")]
        for mark, answer in done:
            if answer.status_code == 201:
                assert any(f" {mark} " in text for text in history)
            else:
                kept = await client.get(f"{crowd.api}/revisions/{answer.json()['saved_as']['head']}")
                assert f" {mark} " in kept.json()["text"]
        saved = {answer.json()["revision"]["id"] for _, answer in done if answer.status_code == 201}
    assert len(saved) == sum(answer.status_code == 201 for _, answer in done)


@POSTGRES_IN_SOAK  # in the suite test_main_job has fifty clients vote there
@pytest.mark.anyio
async def test_100_parallel_votes_promote_exactly_once(crowd: Crowd) -> None:
    page = crowd.page("Voted")
    draft = crowd.workshop.fork(crowd.actors[0], page, ("Paragraph 7 says", "Paragraph 7 shouts"))
    head = drafts.head_of(draft)
    async with crowd.client(0) as client:
        sha256 = (await client.get(f"{crowd.api}/revisions/{head}")).json()["sha256"]

    async def vote_twice(number: int) -> list[httpx.Response]:
        async with crowd.client(number) as client:
            return [
                await client.put(f"{crowd.api}/revisions/{head}/vote", json={"value": value, "sha256": sha256})
                for value in (Value.PASS, Value.SUPPORT)
            ]

    answers = [answer for some in await asyncio.gather(*map(vote_twice, range(CLIENTS))) for answer in some]
    assert len(answers) == 2 * CLIENTS
    assert {answer.status_code for answer in answers} == {200}, crowd.server.log()[-3000:]
    async with crowd.client(0) as client:
        approvals = (await client.get(f"{crowd.api}/pages/{page.slug}/approvals")).json()["data"]
        rows = (await client.get(f"{crowd.api}/changes", params={"kinds": "page.promoted", "page": page.slug})).json()[
            "data"
        ]
        approved = await client.get(f"{crowd.api}/pages/{page.slug}/approved.md")
        decision = (await client.get(f"{crowd.api}/revisions/{head}/decision")).json()
    assert [row["kind"] for row in approvals] == ["promoted"]
    assert len(rows) == 1
    assert approved.headers["etag"] == f'"{sha256}"'
    assert sum(line["support"] for line in decision["tallies"]) == CLIENTS


@POSTGRES_IN_SOAK
@pytest.mark.anyio
async def test_nothing_acknowledged_is_missing_after_a_kill(crowd: Crowd) -> None:
    page = crowd.page("Killed")
    base = crowd.workshop.shared_head(page)
    draft = crowd.workshop.fork(crowd.actors[0], page, ("Paragraph 7 says", "Paragraph 7 shouts"))
    head = drafts.head_of(draft)
    with crowd.workshop.reading() as session:
        sha256 = revisions.get(session, head).sha256
    acknowledged: list[tuple[str, int]] = []
    voters: set[int] = set()
    enough = asyncio.Event()

    async def write_until_killed(number: int) -> None:
        async with crowd.client(number) as client:
            for step in itertools.count():
                mark = f"word{number}x{step}"
                text = PARAGRAPHS.replace(f"Paragraph {number} says", f"Paragraph {number} {mark} says")
                try:
                    answer = await client.post(
                        f"{crowd.api}/pages/{page.slug}/revisions", json={"base": base, "text": text}
                    )
                    body = answer.json()
                    kept = body["revision"]["id"] if answer.status_code == 201 else body["saved_as"]["head"]
                    acknowledged.append((mark, kept))
                    vote = await client.put(
                        f"{crowd.api}/revisions/{head}/vote", json={"value": "pass", "sha256": sha256}
                    )
                    if vote.status_code == 200:
                        voters.add(number)
                except httpx.TransportError:
                    return
                if len(acknowledged) >= 30:
                    enough.set()

    async def kill() -> None:
        await enough.wait()
        crowd.server.kill()

    await asyncio.gather(kill(), *map(write_until_killed, range(CLIENTS)))
    crowd.server.start()
    async with crowd.client(0) as client:
        for mark, kept in acknowledged:
            assert f" {mark} " in (await client.get(f"{crowd.api}/revisions/{kept}")).json()["text"]
        decision = (await client.get(f"{crowd.api}/revisions/{head}/decision")).json()
    assert sum(line["pass"] for line in decision["tallies"]) >= len(voters) > 0
    assert crowd.workshop.shared_head(page) > base
