"""What a page with thousands of candidates costs those who vote on it.

`python -m bench.crowded [--candidates 2600]`. One database, two pages of the same text: one with so many candidates,
the other with twelve. Members vote on both by turns, each vote a committed transaction; the quiet page is the
reference. Then a text of the crowded page is approved, by the vote that decides, with no waiting time. While the
follower carries the others onto it, members go on voting there; shown is how long they wait, and how many went stale.
"""

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from sqlmodel import func, select

from app import schema
from app.accounts import chapters
from app.accounts import service as accounts
from app.consensus import candidates, votes
from app.consensus.facts import State
from app.consensus.follower import CandidateFollower
from app.consensus.models import Candidate, Value
from app.database import Database
from app.drafts import service as drafts
from app.main import open_database
from app.pages.models import Page
from app.permissions import Actor, Role
from app.revisions import service as revisions
from app.settings import Settings
from bench.databases import database_url, gather_statistics

MEMBERS, TURNS, PARAGRAPHS, FEW = 400, 150, 40, 12
TEXT = "# Fares\n\n" + "\n\n".join(f"Point {n} stands as it was agreed in spring." for n in range(PARAGRAPHS)) + "\n"


class Stage:
    """The two pages and who votes on them."""

    def __init__(self, database: Database, wanted: int) -> None:
        self.database, self.order = database, random.Random(7)
        with database.transaction(writing=True) as session:
            homes = [chapters.add_chapter(session, f"chapter-{n}", f"Chapter {n}").id for n in range(5)]
            people = [
                accounts.add_user(session, f"member {n}", None, role=Role.WRITER, chapter_id=homes[n % 5])
                for n in range(MEMBERS)
            ]
            self.members = [accounts.actor_of(person) for person in people]
            self.crowded, self.quiet = self._page("Crowded", session), self._page("Quiet", session)
        for page in (self.crowded, self.quiet):
            for member in self.members[:40]:
                self.vote(member, self._shared(page))
        self.open = {page.id: self._fill(page, number) for page, number in ((self.crowded, wanted), (self.quiet, FEW))}

    def _page(self, title: str, session: object) -> Page:
        return drafts.create_page(session, self.members[0], title=title, text=TEXT)  # type: ignore[arg-type]

    def _shared(self, page: Page) -> int:
        with self.database.transaction(writing=False) as session:
            return drafts.head_of(drafts.get_shared(session, page.id))

    def _fill(self, page: Page, wanted: int) -> list[int]:
        made = []
        for start in range(0, wanted, 50):
            with self.database.transaction(writing=True) as session:
                origin = drafts.default_fork_origin(session, page)
                for number in range(start, min(start + 50, wanted)):
                    point = f"Point {number % PARAGRAPHS} stands"
                    text = TEXT.replace(point, f"{point} and falls with number {number},")
                    draft = drafts.fork(session, self.members[number % MEMBERS], origin, text=text)
                    revision = revisions.get(session, drafts.head_of(draft))
                    candidates.open_candidate(session, revision)
                    made.append(revision.id)
        return made

    def vote(self, member: Actor, revision_id: int) -> float:
        """Milliseconds from asking for the transaction to its commit; a text that went stale is passed over."""
        began = time.perf_counter()
        with self.database.transaction(writing=True) as session:
            sha256 = revisions.get(session, revision_id).sha256
            votes.cast_vote(session, member, revision_id, sha256=sha256, value=Value.SUPPORT)
        return (time.perf_counter() - began) * 1000

    def take_turns(self) -> dict[str, list[float]]:
        """Votes on twelve texts of each page, and first votes on others of the crowded one, which open the vote."""
        few, many = self.open[self.quiet.id], self.open[self.crowded.id][-FEW - TURNS :]
        took: dict[str, list[float]] = {"few": [], "crowded": [], "first": []}
        for number, member in enumerate(self.members[60 : 60 + TURNS]):
            took["few"].append(self.vote(member, few[number % FEW]))
            took["crowded"].append(self.vote(member, many[number % FEW]))
            took["first"].append(self.vote(member, many[FEW + number]))
        return took

    def _is_approved(self, revision_id: int) -> bool:
        with self.database.transaction(writing=False) as session:
            return votes.decision_of(session, revisions.get(session, revision_id)).state == State.APPROVED

    def approve(self) -> tuple[float, list[float], float]:
        """The deciding vote, the votes given while the follower works, and how long it works in all."""
        winner, *others = self.open[self.crowded.id]
        for other in others[: PARAGRAPHS * 10]:
            self.vote(self.members[50], other)
        supporters = iter(self.members)
        while not self._is_approved(winner):
            decided = self.vote(next(supporters), winner)
        follower, done = CandidateFollower(), threading.Event()
        began = time.perf_counter()

        def follow() -> None:
            follower.follow(self.database)
            done.set()

        thread = threading.Thread(target=follow)
        thread.start()
        waited, number = [], 0
        while not done.is_set():
            number += 1
            if number % PARAGRAPHS:  # the others of that paragraph went stale
                member = self.members[51 + number // len(others)]
                waited.append(self.vote(member, others[number % len(others) - 1]))
        thread.join()
        return decided, waited, (time.perf_counter() - began) * 1000


def show(name: str, times: list[float], reference: float | None = None) -> float:
    middle, worst = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    ratio = f"{middle / reference:7.2f}" if reference else f"{'–':>7}"
    print(f"{name:52} {middle:8.1f} {worst:8.1f} {max(times):8.1f} {ratio}")
    return middle


def measure(database: Database, wanted: int) -> None:
    stage = Stage(database, wanted)
    gather_statistics(database)
    print(f"{'votes, each committed':52} {'p50 ms':>8} {'p95 ms':>8} {'most':>8} {'ratio':>7}")
    took = stage.take_turns()
    reference = show(f"on a page with {FEW}", took["few"])
    show(f"on a page with {wanted:,}", took["crowded"], reference)
    show("the first vote on a text there, which opens its vote", took["first"], reference)
    decided, waited, whole = stage.approve()
    show("while a promotion is carried to the others", waited, reference)
    with database.transaction(writing=False) as session:
        stale = session.exec(select(func.count()).where(Candidate.stale)).one()
    print(f"the vote that decides: {decided:.0f} ms; all others carried, {stale} stale, after {whole / 1000:.1f} s")
    print(f"votes meanwhile: {len(waited)}, {len(waited) * 1000 / whole:.1f} a second")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=2_600)
    parser.add_argument("--postgres", action="store_true", help="a PostgreSQL of the tests' own in place of SQLite")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="crowded-") as folder,
        database_url(Path(folder) / "w.db", postgres=asked.postgres) as url,
    ):
        database = open_database(
            Settings(database_url=url, data_dir=Path(folder), founders=MEMBERS, wait_routine=0, neighbour_wait=0)
        )
        schema.upgrade(database)
        measure(database, asked.candidates)
        database.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
