"""How long look-alikes take on one page with thousands of candidates.

`python -m bench.lookalikes [--candidates 2600] [--ideas 400] [--database URL]`. Every candidate rewords one of so many
sentences: up to three of its 14 words are others. With one idea all of them reword the same sentence. Every fourth has
votes. The reference is the plain list of the same page's candidates, best first, in the same run.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlmodel import Session, col, select

from app import schema
from app.accounts import service as accounts
from app.consensus import candidates, panel, ranking, stacks, variants, votes
from app.consensus.models import Candidate, LookAlike, Value
from app.consensus.spots import change_between
from app.drafts import service as drafts
from app.main import open_database
from app.permissions import Actor, Role
from app.revisions import service as revisions
from app.settings import Settings
from bench.screens import OFTEN, WORDS

ROUNDS = 60
SHOWN, EACH = 15, variants.SHOWN_IN_LIST
BASE = "# Fares\n\n## Topline\n\nThe fare is fair.\n\n## Notes\n\n" + "\n\n".join(
    f"Point {n} stands as it was agreed." for n in range(25)
)


def words_of(order: random.Random) -> list[str]:
    return order.choices(WORDS, OFTEN, k=14)


def reworded(idea: list[str], order: random.Random) -> str:
    words = list(idea)
    for place in order.sample(range(len(words)), order.randint(0, 3)):
        words[place] = order.choices(WORDS, OFTEN)[0]
    return " ".join(words).capitalize() + "."


def fill(session: Session, members: list[Actor], wanted: int, ideas: list[list[str]], order: random.Random) -> None:
    page = drafts.create_page(session, members[0], title="Fares", text=BASE)
    shared = revisions.get(session, drafts.head_of(drafts.get_shared(session, page.id)))
    for member in members:
        votes.cast_vote(session, member, shared.id, sha256=shared.sha256, value=Value.SUPPORT)
    took = []
    for number in range(wanted):
        text = BASE.replace("The fare is fair.", reworded(order.choice(ideas), order))
        draft = drafts.fork(session, members[number % len(members)], shared.id, text=text)
        revision = revisions.get(session, drafts.head_of(draft))
        candidate = candidates.open_candidate(session, revision)
        took.append(noting(session, candidate))
        if number % 4 == 0:
            votes.cast_vote(session, members[0], revision.id, sha256=revision.sha256, value=Value.SUPPORT)
    show("put one into its stack, the last 500", took[-500:])


def noting(session: Session, candidate: Candidate) -> float:
    """Milliseconds to find the stack once more, from the change to the rows."""
    row = session.get_one(LookAlike, candidate.id)
    row.shingles = b""
    session.flush()
    change = change_between(BASE, revisions.text_by_id(session, candidate.revision_id))
    began = time.perf_counter()
    stacks.note_stack(session, candidate, change)
    return (time.perf_counter() - began) * 1000


def timed(ask: Callable[[], object]) -> tuple[list[float], float]:
    """Milliseconds that passed in each round, and of this process's own work in the middle one."""
    times, worked = [], []
    for _round in range(ROUNDS):
        began, began_work = time.perf_counter(), time.process_time()
        ask()
        times.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - began_work) * 1000)
    return times, statistics.median(worked)


def show(name: str, times: list[float], work: float | None = None) -> None:
    worst = statistics.quantiles(times, n=20)[-1]
    own = f"{work:8.1f}" if work is not None else f"{'–':>8}"
    print(f"{name:56} {times[0]:8.1f} {statistics.median(times):8.1f} {worst:8.1f} {own}")


def measure(session: Session, order: random.Random) -> None:
    page_id = 1
    open_ = session.exec(select(Candidate).where(col(Candidate.closed).is_(None), Candidate.page_id == page_id)).all()
    found = stacks.list_stacks(session, page_id, limit=10_000, shown=0)
    sizes = sorted((stack.size for stack in found), reverse=True)
    print(f"{len(open_)} candidates in {len(found)} stacks, the largest of {sizes[0]}")

    def cards() -> None:
        listed = stacks.list_stacks(session, page_id, limit=SHOWN + 1, shown=EACH)[:SHOWN]
        panel.cards(session, [stack.top for stack in listed])
        variants.alike_in_stacks(session, None, listed)

    def plain() -> None:
        panel.cards(session, ranking.list_ranked(session, page_id, limit=SHOWN))

    print(f"{'':56} {'first ms':>8} {'p50 ms':>8} {'p95 ms':>8} {'own work':>8}")
    show("look-alikes of one", *timed(lambda: stacks.look_alikes_of(session, [order.choice(open_)], limit=20)))
    show(
        "look-alikes of 50, as the API lists them", *timed(lambda: stacks.look_alikes_of(session, open_[:50], limit=20))
    )
    show(
        "the page's stacks",
        *timed(lambda: stacks.list_stacks(session, page_id, limit=SHOWN, shown=EACH)),
    )
    show("the page's list with its stacks and differences", *timed(cards))
    show("the plain list of the same (the reference)", *timed(plain))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.lookalikes", description="Look-alikes on one page.")
    parser.add_argument("--candidates", type=int, default=2_600)
    parser.add_argument("--ideas", type=int, default=400)
    parser.add_argument("--database", help="an empty database; else a file in a folder of this run's own")
    asked = parser.parse_args()
    order = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="lookalikes-") as name:
        url = asked.database or f"sqlite:///{name}/workshop.db"
        database = open_database(Settings(database_url=url, data_dir=Path(name), founders=100, wait_routine=0))
        schema.upgrade(database)
        with database.transaction(writing=True) as session:
            members = [
                accounts.actor_of(accounts.add_user(session, f"member{n}", None, role=Role.WRITER)) for n in range(20)
            ]
            fill(session, members, asked.candidates, [words_of(order) for _idea in range(asked.ideas)], order)
        with database.transaction(writing=False) as session:
            measure(session, order)
        database.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
