"""How many proposals survive when others are approved: carried by the program's rule, and by git's line merge.

`python -m bench.carrying --repo PATH [--drafts REFGLOB] [--json]`, for any git repository or bundle. Each unmerged
proposal is first brought onto the newest text of its page, as a fork is before it can be voted on; those that fit are
the page's candidates. Then a share of each page's candidates, drawn and ordered by a fixed seed, is approved one after
the other, and the rest is carried onto each newly approved text. *Alive*: neither approved nor stale nor superseded.
"""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.consensus.carry import Carried, carry
from app.consensus.spots import change_between
from bench.git_reader import NotReadableError, open_reader
from bench.merges import DRAFTS, Row, merge_file, proposals_of

SHARES = (0.05, 0.2, 0.5)
ROUNDS = 20
MANY_SPOTS = 10
"""Changes at more spots are left out: they are offered to their author split, and make most others stale."""

Step = Callable[[str, str, str], str | None]
"""Base, candidate and newly approved text to the candidate's new text; None if it is stale or has nothing left."""


@dataclass(frozen=True)
class Figures:
    """What one way of carrying makes of all pages, as shares between 0 and 1."""

    name: str
    pairs_alive: float
    """Of the ordered pairs of one page's candidates: the second lives on after the first is approved."""
    alive: dict[float, float]
    """By the share approved of each page's candidates: of the rest, those alive."""


def by_rule(base: str, candidate: str, newer: str) -> str | None:
    """The rule of docs/carry-forward.md."""
    outcome = carry(base, candidate, newer)
    return outcome.text if isinstance(outcome, Carried) else None


def by_line(base: str, candidate: str, newer: str) -> str | None:
    """`git merge-file`; a candidate of which nothing is left is no longer alive."""
    text = merge_file(base, candidate, newer)
    return None if text == newer else text


def candidates_of(path: Path, drafts: str) -> dict[str, tuple[str, list[str]]]:
    """For each page with two or more: its newest text, and the texts of the proposals that fit onto it."""
    pages: dict[str, tuple[str, list[str]]] = {}
    with open_reader(path) as reader:
        for _, case in proposals_of(reader, (Row("proposals"), Row("renamed")), drafts):
            outcome = carry(case.base, case.ours, case.theirs)
            few = isinstance(outcome, Carried) and len(change_between(case.theirs, outcome.text).spots) <= MANY_SPOTS
            if isinstance(outcome, Carried) and few:
                pages.setdefault(case.name.partition(" ")[2], (case.theirs, []))[1].append(outcome.text)
    return {name: page for name, page in pages.items() if len(page[1]) > 1}


def approve(newest: str, texts: Sequence[str], count: int, step: Step, order: random.Random) -> tuple[int, int]:
    """Approve `count` of a page's candidates; how many of the rest are alive, and how many there were.

    A candidate drawn after it went stale is passed over and another one drawn, as nobody can approve it.
    """
    waiting: list[str | None] = list(texts)
    drawn = order.sample(range(len(waiting)), len(waiting))
    approved = 0
    for number in drawn:
        text = waiting[number]
        if approved == count or text is None:
            continue
        approved, waiting[number] = approved + 1, None
        waiting = [other and step(newest, other, text) for other in waiting]
        newest = text
    return sum(text is not None for text in waiting), len(texts) - approved


def pairs(pages: dict[str, tuple[str, list[str]]], step: Step) -> Iterator[bool]:
    for newest, texts in pages.values():
        for first, one in enumerate(texts):
            yield from (step(newest, other, one) is not None for second, other in enumerate(texts) if second != first)


def measure(name: str, pages: dict[str, tuple[str, list[str]]], step: Step) -> Figures:
    survived = list(pairs(pages, step))
    alive: dict[float, float] = {}
    for share in SHARES:
        totals: dict[str, int] = defaultdict(int)
        for seed in range(ROUNDS):
            order = random.Random(seed)
            for newest, texts in pages.values():
                living, rest = approve(newest, texts, max(1, round(share * len(texts))), step, order)
                totals["alive"] += living
                totals["rest"] += rest
        alive[share] = totals["alive"] / max(1, totals["rest"])
    return Figures(name, sum(survived) / max(1, len(survived)), alive)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.carrying", description="Proposals alive after others are approved.")
    parser.add_argument("--repo", type=Path, required=True, help="a git repository or bundle")
    parser.add_argument("--drafts", default=DRAFTS, help="the refs that are proposals (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    try:
        pages = candidates_of(asked.repo, asked.drafts)
    except NotReadableError as unreadable:
        print(unreadable, file=sys.stderr)
        return 2
    rows = [measure("git line merge", pages, by_line), measure("this rule", pages, by_rule)]
    counts = {"pages": len(pages), "candidates": sum(len(texts) for _, texts in pages.values()), "rounds": ROUNDS}
    if asked.json:
        print(json.dumps({**counts, "rows": [vars(row) for row in rows]}, indent=1))
        return 0
    print(", ".join(f"{count} {name}" for name, count in counts.items()))
    print(f"{'':16}  pairs", *(f"{share:>4.0%} approved" for share in SHARES), "ratio to git, pairs", sep="  ")
    for row in rows:
        shares = (f"{row.alive[share]:>13.1%}" for share in SHARES)
        print(
            f"{row.name:16}  {row.pairs_alive:>5.1%}", *shares, f"{row.pairs_alive / rows[0].pairs_alive:.2f}", sep="  "
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
