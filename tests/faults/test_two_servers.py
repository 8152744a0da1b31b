"""Two servers on one database, as behind a load balancer: what one decides the other serves, and only once."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.drafts import service as drafts
from app.permissions import Actor, Role, Scope
from app.revisions import service as revisions
from tests.conftest import SQLITE_IN_SOAK
from tests.factories import Workshop
from tests.servers import Server, connect_to, look_again_soon

MEMBERS = 20
WAIT_SECONDS = 2


@pytest.fixture
def servers(database_url: str, tmp_path: Path) -> Iterator[list[Server]]:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    key = tmp_path / "ledger.key"
    running = [Server(database_url, it, wait_routine=WAIT_SECONDS, ledger_key_file=key) for it in folders]
    Server.start_together(running)
    yield running
    for server in running:
        server.kill()


@pytest.fixture
def members(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"voter-{n}", chapter=f"chapter-{n % 4}", role=Role.WRITER) for n in range(MEMBERS)]


@SQLITE_IN_SOAK  # in the suite test_rivals has two servers there
@pytest.mark.anyio
async def test_what_passes_through_two_servers_happens_once_and_both_serve_it(
    servers: list[Server], workshop: Workshop, members: list[Actor]
) -> None:
    # One start of two servers for all three: it is what takes the time.
    await edits_meet_in_one_history(servers, workshop, members)
    await votes_promote_once(servers, workshop, members)
    await a_waiting_time_is_ended_by_one_of_them(servers, workshop, members)


async def edits_meet_in_one_history(servers: list[Server], workshop: Workshop, members: list[Actor]) -> None:
    text = "\n\n".join(f"Paragraph {n} says what it says." for n in range(MEMBERS))
    page = workshop.page(members[0], "Edited", text)
    base = workshop.shared_head(page)
    tokens = [workshop.token(actor, Scope.WRITE) for actor in members]

    async def edit(number: int) -> int:
        mine = text.replace(f"Paragraph {number} says", f"Paragraph {number} word{number} says")
        async with connect_to(tokens[number]) as writer:
            url = f"{servers[number % 2].url}/api/v1/pages/edited/revisions"
            return (await writer.post(url, json={"base": base, "text": mine})).status_code

    assert await asyncio.gather(*map(edit, range(MEMBERS))) == [201] * MEMBERS
    with workshop.reading() as session:
        joined = revisions.text_by_id(session, drafts.head_of(drafts.get_shared(session, page.id)))
    assert all(f" word{number} " in joined for number in range(MEMBERS))


async def votes_promote_once(servers: list[Server], workshop: Workshop, members: list[Actor]) -> None:
    page = workshop.page(members[0], "Voted")
    head = drafts.head_of(workshop.fork(members[0], page, ("Everyone needs", "Everyone deserves")))
    sha256 = sha256_of(workshop, head)
    tokens = [workshop.token(actor, Scope.VOTE) for actor in members]

    async def vote(number: int) -> int:
        async with connect_to(tokens[number]) as voter:
            url = f"{servers[number % 2].url}/api/v1/revisions/{head}/vote"
            return (await voter.put(url, json={"value": "support", "sha256": sha256})).status_code

    async with connect_to(tokens[0]) as reader:
        addresses = [f"{server.url}/api/v1/pages/voted" for server in servers]
        before = [await reader.get(f"{address}/approved.md") for address in addresses]
        assert [answer.status_code for answer in before] == [404, 404]
        assert await asyncio.gather(*map(vote, range(MEMBERS))) == [200] * MEMBERS
        decided = time.monotonic()
        for address in addresses:
            while (answer := await reader.get(f"{address}/approved.md")).status_code != 200:
                assert time.monotonic() < decided + 5
                look_again_soon()
            assert answer.headers["etag"] == f'"{sha256}"'
            rows = (await reader.get(f"{address}/approvals")).json()["data"]
            assert [row["kind"] for row in rows] == ["promoted"]


async def a_waiting_time_is_ended_by_one_of_them(
    servers: list[Server], workshop: Workshop, members: list[Actor]
) -> None:
    page = workshop.page(members[0], "Waited")
    head = drafts.head_of(workshop.fork(members[0], page, ("Everyone needs", "All need")))
    sha256 = sha256_of(workshop, head)
    supporters = [workshop.token(actor, Scope.VOTE) for actor in members[:5]]
    for number, token in enumerate(supporters):
        async with connect_to(token) as voter:
            url = f"{servers[number % 2].url}/api/v1/revisions/{head}/vote"
            answer = await voter.put(url, json={"value": "support", "sha256": sha256})
    assert answer.json()["decision"]["state"] == "waiting"
    async with connect_to(supporters[0]) as reader:
        deadline = time.monotonic() + 30
        for server in servers:
            url = f"{server.url}/api/v1/pages/waited/approvals"
            while not (rows := (await reader.get(url)).json()["data"]):
                assert time.monotonic() < deadline
                look_again_soon()
            assert len(rows) == 1
        kinds = {"kinds": "page.promoted"}
        promoted = (await reader.get(f"{servers[0].url}/api/v1/changes", params=kinds)).json()["data"]
    assert [row["page"] for row in promoted] == ["voted", "waited"]


def sha256_of(workshop: Workshop, revision_id: int) -> str:
    with workshop.reading() as session:
        return revisions.get(session, revision_id).sha256
