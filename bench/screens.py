"""How long the server takes for each screen, with many pages and many candidates.

`python -m bench.screens [--pages 2000] [--candidates 10000] [--busy 40] [--database FILE]
[--postgres]`; the reference is `/healthz`
in the same run. The candidates stand on a few busy pages, every fourth with votes. With `--database` a filled file is
kept and used again.
"""

import argparse
import itertools
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
from sqlmodel import Session

from app import schema
from app.accounts import chapters
from app.accounts import service as accounts
from app.consensus import candidates, ranking, votes
from app.consensus.models import Value
from app.database import Database
from app.drafts import service as drafts
from app.main import open_database
from app.permissions import Actor, Role
from app.revisions import service as revisions
from app.settings import Settings
from bench.databases import database_url, gather_statistics
from tests.servers import Server

ROUNDS = 100
PATIENCE = 600
MEMBERS = 200
CROWDED = 26
"""Percent of the candidates that are on one page, as many as one page of an open manifesto drew."""
PARAGRAPHS = 25
PASSWORD = "four unrelated words"
WORDS = [
    "".join(parts)
    for parts in itertools.product(
        "bdfglmnprst", ("a", "e", "i", "o", "u"), ("ll", "rn", "st", "v", "nd"), ("a", "er", "ing", "o")
    )
]
"""1,100 invented words. As in a language, the n-th is used 1/n times as often as the first."""
OFTEN = [1 / rank for rank in range(1, len(WORDS) + 1)]


def text_of(number: int, order: random.Random) -> str:
    """A page of about four kilobytes, of its own words."""
    sections = [f"## Point {n}\n\n" + sentence(order) + " " + sentence(order) for n in range(PARAGRAPHS)]
    return f"# Page {number}\n\n" + "\n\n".join(sections) + "\n"


def sentence(order: random.Random) -> str:
    return " ".join(order.choices(WORDS, OFTEN, k=12)).capitalize() + "."


def fill(database: Database, pages: int, wanted: int, busy: int) -> None:
    """Members in ten chapters, pages, and candidates each changing one sentence of its page."""
    order = random.Random(1)
    schema.upgrade(database)
    with database.transaction(writing=True) as session:
        places = [chapters.add_chapter(session, f"chapter-{n}", f"Chapter {n}").id for n in range(10)]
        people = [
            accounts.actor_of(
                accounts.add_user(
                    session, f"member{n}", PASSWORD if n == 0 else None, role=Role.WRITER, chapter_id=places[n % 10]
                )
            )
            for n in range(MEMBERS)
        ]
    for number in range(pages):
        with database.transaction(writing=True) as session:
            page = drafts.create_page(session, people[0], title=f"Page {number}", text=text_of(number, order))
            base = drafts.default_fork_origin(session, page)
        crowd = wanted * CROWDED // 100 if number == 0 else wanted * (100 - CROWDED) // 100 // max(busy - 1, 1)
        for each in range(crowd if number < busy else 0):
            with database.transaction(writing=True) as session:
                _propose(session, people, base, each, order)


def _propose(session: Session, people: list[Actor], base: int, each: int, order: random.Random) -> None:
    text: str = revisions.text_by_id(session, base)
    mark = f"## Point {order.randrange(PARAGRAPHS)}\n\n"
    changed = text.replace(mark, mark + sentence(order) + " ", 1)
    draft = drafts.fork(session, people[each % MEMBERS], base, text=changed)
    revision = revisions.get(session, drafts.head_of(draft))
    candidates.open_candidate(session, revision)
    if each % 4 == 0:
        for actor in order.sample(people[1:], 3):
            votes.cast_vote(session, actor, revision.id, sha256=revision.sha256, value=Value.SUPPORT)


def measure(server: Server, database: Database) -> None:
    with database.transaction(writing=False) as session:
        busy = ranking.list_ranked(session, 1)
        best, last = busy[0].revision_id, busy[-1].revision_id
    signed_in = httpx.Client(base_url=server.url, headers={"Accept-Encoding": "gzip"}, timeout=60)
    signed_in.post("/login", data={"name": "member0", "password": PASSWORD})
    addresses = {
        "health (the reference)": ["/healthz"],
        "board": ["/"],
        "board, further pages": ["/?cursor=WyJwYWdlLTEyIl0"],
        "page": [f"/pages/page-{n}" for n in range(50, 80)],
        "page with hundreds of wordings": ["/pages/page-0"],
        "its wordings": ["/pages/page-0/drafts"],
        "its wordings, a later part": ["/pages/page-0/drafts?skip=120"],
        "a wording and its vote": [f"/revisions/{best}", f"/revisions/{last}"],
        "two compared": [f"/compare?from=1&to={best}"],
        "history": ["/pages/page-0/history"],
        "who wrote": [f"/revisions/{best}/blame"],
        "editor": ["/pages/page-0/edit"],
        "changes": ["/changes"],
        "search": [f"/search?q={WORDS[30]}", f"/search?q={WORDS[90]}+{WORDS[200]}", f"/search?q={WORDS[400]}"],
        "search for a word on every page": [f"/search?q={WORDS[0]}"],
        "titles while typing": ["/api/v1/suggest?q=page+1"],
        "the queue": ["/review"],
        "by the API: next in the queue": ["/api/v1/review/next"],
        "by the API: a page's wordings, best first": ["/api/v1/pages/page-0/candidates"],
        "own page": ["/me"],
        "chapter": ["/chapters/chapter-1"],
    }
    reference = 0.0
    print(f"{'':42} {'first ms':>8} {'p50 ms':>8} {'p95 ms':>8} {'ratio':>7} {'KB gz':>7}")
    for name, listed in addresses.items():
        times, size = [], 0
        for round_ in range(ROUNDS):
            began = time.perf_counter()
            answer = signed_in.get(listed[round_ % len(listed)])
            times.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200, (name, answer.status_code)
            size = max(size, answer.num_bytes_downloaded)
        first, middle, worst = times[0], statistics.median(times), statistics.quantiles(times, n=20)[-1]
        reference = reference or middle
        print(f"{name:42} {first:8.1f} {middle:8.1f} {worst:8.1f} {middle / reference:7.1f} {size / 1000:7.1f}")


def wait_until_indexed(server: Server) -> None:
    """Until then searches answer from a quick look, with a note that says so."""
    began = time.perf_counter()
    while httpx.get(f"{server.url}/api/v1/search", params={"q": WORDS[0]}).json()["notes"]:
        assert time.perf_counter() - began < PATIENCE, server.log()
    print(f"indexed in {time.perf_counter() - began:.0f} s")


def run(url: str, folder: Path, wanted: tuple[int, int, int] | None) -> None:
    """Measure a database, which is filled first with so many pages, candidates and busy pages if they are given."""
    settings = Settings(database_url=url, data_dir=folder, founders=MEMBERS)
    database = open_database(settings)
    if wanted is not None:
        began = time.perf_counter()
        fill(database, *wanted)
        gather_statistics(database)
        print(f"filled in {time.perf_counter() - began:.0f} s")
    server = Server(settings.database_url, folder)
    server.start()
    try:
        wait_until_indexed(server)
        measure(server, database)
    finally:
        server.kill()
        database.dispose()


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.screens", description="Server time of every screen.")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--busy", type=int, default=40, help="pages that have all the candidates")
    parser.add_argument("--database", type=Path, help="a file that is filled once and used again")
    parser.add_argument("--postgres", action="store_true", help="a PostgreSQL of the tests' own in place of SQLite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="screens-") as name:
        folder = asked.database.parent if asked.database else Path(name)
        path = asked.database or folder / "workshop.db"
        with database_url(path, postgres=asked.postgres) as url:
            run(url, folder, None if path.exists() else (asked.pages, asked.candidates, asked.busy))
    return 0


if __name__ == "__main__":
    sys.exit(main())
