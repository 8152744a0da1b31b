"""Two rival texts, fifty members who vote at the same moment through two servers, a moderator who stops it half-way."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.ledger import service as ledger
from app.pages.models import Page
from app.permissions import Actor, Role, Scope
from app.revisions import service as revisions
from app.transfer.verification import verify_database
from tests.conftest import ENGINES, ON_SQLITE_ALONE
from tests.factories import Workshop
from tests.servers import Server, connect_to, look_again_soon

MEMBERS, ROUNDS, SOAK_ROUNDS = 50, 1, 200
HELD_EVERY = 2
TOO_LATE = ("/problems/voting-closed", "/problems/needs-merge")
"""The rival was approved before this vote: on a candidate that clashes with it now, or is none yet."""

pytestmark = pytest.mark.anyio


@pytest.fixture
def servers(database_url: str, tmp_path: Path) -> Iterator[list[Server]]:
    """Two on one database, with one key and no waiting time."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    key = tmp_path / "ledger.key"
    running = [Server(database_url, folder, wait_routine=0, ledger_key_file=key) for folder in folders]
    Server.start_together(running)
    yield running
    for server in running:
        server.kill()


class Contest:
    """A page of as many sentences as there are rounds; in each round two texts rewrite the same one."""

    def __init__(self, servers: list[Server], workshop: Workshop, rounds: int) -> None:
        self.apis = [f"{server.url}/api/v1" for server in servers]
        self.workshop, self.rounds = workshop, rounds
        self.members = [
            workshop.member(f"voter-{n}", chapter=f"chapter-{n % 4}", role=Role.WRITER) for n in range(MEMBERS)
        ]
        text = "\n\n".join(f"Paragraph {number} says what it says." for number in range(rounds))
        self.page: Page = workshop.page(self.members[0], "Contested", text)
        self.moderator: Actor = workshop.member("moderator", chapter="chapter-0", role=Role.MODERATOR)
        self.random = random.Random(rounds)
        self.tokens: list[str] = []

    async def run(self) -> None:
        self.tokens = [self.workshop.token(actor, Scope.VOTE) for actor in self.members]
        chair = self.workshop.token(self.moderator, Scope.MODERATE)
        await self.vote_all([self.workshop.shared_head(self.page)])
        for number in range(self.rounds):
            rivals = [self.rewrite(number, side, word) for side, word in enumerate(("claims", "denies"))]
            async with connect_to(chair) as moderator:
                await self.play(moderator, rivals, held=number % HELD_EVERY == 0)

    def rewrite(self, number: int, side: int, word: str) -> int:
        change = (f"Paragraph {number} says", f"Paragraph {number} {word}")
        return self.workshop.fork(self.members[side], self.page, change).head_id or 0

    async def play(self, moderator: httpx.AsyncClient, rivals: list[int], *, held: bool) -> None:
        """One round: exactly one of the two becomes the approved text, with a stop in between or without."""
        actions = [self.vote_all(rivals)]
        if held:
            actions.append(self.moderate(moderator, "hold"))
        await asyncio.gather(*actions)
        if held:
            await self.moderate(moderator, "release")
        deadline = time.monotonic() + 30
        while (newest := await self.newest_approval(moderator))[1] not in rivals:
            assert time.monotonic() < deadline
            look_again_soon()
        assert newest[0] == "promoted"

    async def newest_approval(self, reader: httpx.AsyncClient) -> tuple[str, int]:
        """The newest approval that is no stop, and the text that it approved."""
        answer = await reader.get(f"{self.apis[1]}/pages/contested/approvals", params={"limit": 5})
        rows = [row for row in answer.json()["data"] if row["kind"] not in ("held", "released")]
        return rows[0]["kind"], rows[0]["revision"]["id"]

    async def moderate(self, moderator: httpx.AsyncClient, what: str) -> None:
        answer = await moderator.post(f"{self.apis[0]}/pages/contested/{what}", json={"reason": "Is it so?"})
        assert answer.status_code == 200, answer.text

    async def vote_all(self, texts: list[int]) -> None:
        """Everybody votes at once, each on one of the texts and through one of the servers."""
        with self.workshop.reading() as session:
            hashes = {id_: row.sha256 for id_, row in revisions.get_many(session, texts).items()}

        async def vote(token: str) -> None:
            revision_id, api = self.random.choice(texts), self.random.choice(self.apis)
            body = {"value": "support", "sha256": hashes[revision_id]}
            async with connect_to(token) as voter:  # kept open, the server would close it between two rounds
                answer = await voter.put(f"{api}/revisions/{revision_id}/vote", json=body)
            too_late = answer.status_code == 409 and answer.json()["type"] in TOO_LATE
            assert answer.status_code == 200 or too_late, answer.text

        await asyncio.gather(*map(vote, self.tokens))


def check(workshop: Workshop, rounds: int) -> None:
    """Each promotion followed the rule at its moment, one for each base, and none came while the page was held."""
    assert verify_database(workshop.database).faults == []
    with workshop.reading() as session:
        entries: list[tuple[str, str | None]] = []
        after = 0
        while batch := ledger.list_after(session, after, limit=200):
            entries += [(row.kind, row.leaf) for row in batch]
            after = batch[-1].sequence
    kinds = [kind for kind, _ in entries]
    assert kinds.count("promoted") == rounds + 1
    held = [number for number, kind in enumerate(kinds) if kind == "held"]
    assert len(held) == -(-rounds // HELD_EVERY)
    assert all(kinds[number + 1] == "released" for number in held)


@ON_SQLITE_ALONE  # on PostgreSQL behind `make soak`
async def test_one_of_two_rivals_wins_however_the_votes_arrive(servers: list[Server], workshop: Workshop) -> None:
    await Contest(servers, workshop, ROUNDS).run()
    check(workshop, ROUNDS)


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ENGINES, indirect=True)
async def test_one_of_two_rivals_wins_two_hundred_times(servers: list[Server], workshop: Workshop) -> None:
    await Contest(servers, workshop, SOAK_ROUNDS).run()
    check(workshop, SOAK_ROUNDS)
