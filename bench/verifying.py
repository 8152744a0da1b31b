"""How long a stranger waits for `docs/verify.py` on a live instance with many promotions behind it.

`python -m bench.verifying [--promotions 1000] [--json]`. A scratch database with pages whose texts are replaced again
and again: each change is a fork that twenty of two hundred members in five chapters support, promoted by the shipped
rule after its hour; every second one has half of its votes from before the other was approved, and was carried over
it with them. Then a server serves it on a port of its own, and the program runs against it as anybody would run it, in
a process of its own; shown is its whole time. The reference is the same entries, approved texts and lists of versions,
fetched and parsed by a process of its own too, and not looked at. For the last row one entry of the database is
changed behind the workshop's back by one vote: a checker that does not look would call that good.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app import schema
from app.consensus import ledger
from app.main import create_app, open_database
from app.pages.models import Page
from app.permissions import Actor, Role
from app.settings import Settings
from tests.conftest import MovableClock
from tests.factories import Workshop
from tests.ledger.campaign import OUTSIDE, Hand
from tests.servers import Server

TARGET_SECONDS = 5.0
PAGES, MEMBERS, CHAPTERS, SUPPORTERS, ROUNDS = 20, 200, 5, 20, 3
TEXT = (
    "# Point {page}\n\nWe said 0 before.\n\nThey said 0 before.\n\n"
    + "A sentence that stays as it is, year after year. " * 30
    + "\n"
)

FETCH = """
import json, sys, urllib.request
def rows(address, key, following):
    while following is not None:
        with urllib.request.urlopen(f"{address}?limit=200&{key}={following}", timeout=60) as answer:
            found = json.loads(answer.read())
        yield from found["data"]
        following = found["next"]
url = sys.argv[1] + "/api/v1"
print(len(list(rows(f"{url}/ledger", "after", 0))))
for row in list(rows(f"{url}/approved", "cursor", "")):
    list(rows(f"{url}/pages/{row['slug']}/revisions", "cursor", ""))
"""


@dataclass
class Result:
    """Seconds are medians of the rounds; `ratio` is the check against fetching the same without looking at it."""

    promotions: int
    entries: int
    seconds: float
    fetching_seconds: float
    ratio: float
    says: str
    of_a_changed_entry: str
    target: float
    met: bool


class Campaign:
    """Members who approve one change after the other."""

    def __init__(self, settings: Settings, promotions: int) -> None:
        self.clock = MovableClock()
        self.clock.moment = datetime.now(UTC) - timedelta(days=2 + 2 * promotions / PAGES)  # no entry is of the future
        self.app = create_app(settings, clock=self.clock, follow=False)
        self.workshop = Workshop(self.app.state.database, self.app.state.follower)
        ledger.begin(self.app.state.database)
        self.members = [
            self.workshop.member(f"member {n}", chapter=f"chapter-{n % CHAPTERS}", role=Role.WRITER)
            for n in range(MEMBERS)
        ]
        self.drawn = random.Random(11)
        self.pages = [
            self.workshop.page(self.members[n], f"Point {n}", TEXT.format(page=n), slug=f"point-{n}")
            for n in range(PAGES)
        ]

    def _support(self, revision_id: int, voters: Sequence[Actor]) -> None:
        for voter in voters:
            self.workshop.vote(voter, revision_id)

    def _change(self, page: Page, who: str, said: int) -> int:
        author: Actor = self.drawn.choice(self.members)
        draft = self.workshop.fork(author, page, (f"{who} said {said} ", f"{who} said {said + 1} "))
        return draft.head_id or 0

    def promote(self, promotions: int) -> None:
        """A first text for each page, then changes in turn; a day lies between two of one page."""
        halfway: dict[int, tuple[int, list[Actor]]] = {}
        for number in range(promotions):
            page, turn = self.pages[number % PAGES], number // PAGES
            voters = self.drawn.sample(self.members, SUPPORTERS)
            if page.id in halfway:
                self._support(*halfway.pop(page.id))
            elif turn == 0:
                self._support(self.workshop.shared_head(page), voters)
            else:
                slow = self._change(page, "They", turn // 2)
                self._support(slow, voters[: SUPPORTERS // 2])
                halfway[page.id] = (slow, voters[SUPPORTERS // 2 :])
                self._support(self._change(page, "We", turn // 2), voters)
            if number % PAGES == PAGES - 1 or number == promotions - 1:
                self.clock.move(hours=1, seconds=1)
                self.workshop.follow()
                self.clock.move(days=1, hours=1)
        self.app.state.database.dispose()


def timed(command: list[str]) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return time.perf_counter() - began, (done.stdout + done.stderr).strip()


def change_one_vote(folder: Path) -> None:
    """One supporter more in the newest promotion, as somebody with the database at hand could write it."""
    hand = Hand(folder)
    entries = hand.entries()
    entries[-1]["tallies"][0]["support"] += 1
    hand.put(entries)
    hand.database.close()


def measure(folder: Path, promotions: int) -> Result:
    path = folder / "workshop.db"
    settings = Settings(database_url=f"sqlite:///{path}", data_dir=folder, founders=MEMBERS, wait_routine=3600)
    database = open_database(settings)
    schema.upgrade(database)
    database.dispose()
    server = Server(f"sqlite:///{path}", folder, founders=MEMBERS, wait_routine=3600)
    # The ledger's name is the address it begins at.
    Campaign(settings.model_copy(update={"base_url": server.url}), promotions).promote(promotions)
    try:
        server.start()
        check = [sys.executable, str(OUTSIDE), server.url]
        checks, fetches = [], []
        for _ in range(ROUNDS):
            checks.append(timed(check))
            fetches.append(timed([sys.executable, "-c", FETCH, server.url]))
        change_one_vote(folder)
        _, of_changed = timed(check)
    finally:
        server.kill()
    seconds, fetching = (statistics.median(took for took, _ in rounds) for rounds in (checks, fetches))
    return Result(
        promotions=promotions,
        entries=int(fetches[0][1]),
        seconds=seconds,
        fetching_seconds=fetching,
        ratio=seconds / fetching,
        says=checks[0][1],
        of_a_changed_entry=of_changed,
        target=TARGET_SECONDS,
        met=seconds <= TARGET_SECONDS and checks[0][1].startswith("Good"),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promotions", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="verifying-") as folder:
        found = measure(Path(folder), asked.promotions)
    if asked.json:
        print(json.dumps(asdict(found), indent=1))
        return 0
    print(f"{'promotions':>10} {'entries':>8} {'seconds':>8} {'fetching':>9} {'ratio':>6}  says")
    print(
        f"{found.promotions:10,} {found.entries:8,} {found.seconds:8.2f} {found.fetching_seconds:9.2f}"
        f" {found.ratio:6.2f}  {found.says}"
    )
    print(f"of an entry with a vote more: {found.of_a_changed_entry}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
