"""Proposals by the hundred a day, and members who vote: how soon each is decided, by the order in which they are asked.

`python -m bench.replay --repo GIT --drafts REFGLOB --voters N --votes-per-day K --arrivals PER_DAY [--days 10]
[--seed 1] [--thin N] [--support clear|measured] [--join SHARE] [--ordering NAME] [--json]`, for any git repository or
bundle. The proposals are imported, repeated and reworded, and arrive at random times; members vote through the real
services on what each ordering asks them next; waiting times end by the real follower, on an SQLite file in memory.
Progress goes to stderr.
"""

import argparse
import json
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from app.consensus import decisions, joined, nearness, votes
from app.consensus.candidates import VotingClosed
from app.consensus.follower import CandidateFollower
from app.consensus.models import Candidate, Value
from app.main import collect_less_garbage
from app.permissions import Actor
from app.revisions import service as revisions
from bench.git_reader import NotReadableError, open_reader
from bench.merges import DRAFTS
from bench.replay_orderings import ORDERINGS, SUPPORT
from bench.replay_world import World, arrive, join_look_alike, prepare, room

BATCH = 25
"""Votes in one transaction; each at its own moment."""

STEPS = 144
"""A day has so many: in each, what arrives comes first, then members vote, then the follower promotes what is due."""

MOST_VOTES = 40_000
"""In each ordering; of more, a replay is thinned."""

JOIN = 0.5
"""The share of authors who join their text with an open one that says nearly the same, as its page offers them to."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """What was asked for on the command line."""

    voters: int
    votes_per_day: int
    arrivals: int
    days: int
    seed: int
    support: str
    thin: int = 1
    end_torn: bool = False
    join: float = JOIN
    wait: float | None = None


@dataclass
class Told:
    """What is known of one replay besides its database."""

    support: dict[int, float] = field(default_factory=dict)
    """By candidate, the share of members who would support it."""

    numbers: dict[int, int] = field(default_factory=dict)
    """By candidate, which arrival it was."""

    arrived: dict[int, datetime] = field(default_factory=dict)
    unfitting: int = 0
    cast: int = 0
    idle: int = 0
    refused: int = 0
    torn: dict[int, datetime] = field(default_factory=dict)
    """By candidate, since when no number of votes can be expected to decide it; only where torn texts are ended."""

    undecided: list[int] = field(default_factory=list)
    """Open ones at the end of each day, stale ones left out."""


class Replay:
    """One ordering on a database that `prepare` made."""

    def __init__(self, ordering: str, folder: Path, asked: Asked) -> None:
        self.world, self.told = World.open(folder, asked.voters), Told()
        self._ordering, self._asked = ordering, asked
        if asked.wait is not None:
            rule = self.world.database.info["rule"]
            self.world.database.info["rule"] = replace(rule, wait_routine=round(asked.wait * 3600))
        self._follower = CandidateFollower()

    def run(self) -> dict[str, Any]:
        """All days; the ordering's row of the table."""
        asked, order, began = self._asked, random.Random(self._asked.seed), time.process_time()
        steps = asked.days * STEPS
        turns = [member for _ in range(asked.votes_per_day) for member in range(asked.voters)]
        arrivals = sorted(order.randrange(steps) for _ in range(asked.arrivals * asked.days))
        came = 0
        for step in range(steps):
            if step % STEPS == 0:
                order.shuffle(turns)
            self.world.clock.set(step / STEPS)
            while came < len(arrivals) and arrivals[came] == step:
                self._arrive(came)
                came += 1
            at = step % STEPS
            self._vote(step, turns[len(turns) * at // STEPS : len(turns) * (at + 1) // STEPS])
            self.world.clock.set((step + 1) / STEPS)
            self._follower.follow(self.world.database)
            if self._asked.end_torn:
                self._end_torn()
            if at == STEPS - 1:
                self._end_day((step + 1) // STEPS)
        row = {"ordering": self._ordering, **figures(self.world, self.told, asked)}
        self.world.database.dispose()
        return row | {"cpu_s": round(time.process_time() - began, 1)}

    def _arrive(self, number: int) -> None:
        chance = random.Random(f"{self._asked.seed} {number}")
        with self.world.database.transaction(writing=True) as session:
            candidate = arrive(self.world, session, number, chance)
        if candidate is None:
            self.told.unfitting += 1
            return
        self.told.numbers[candidate.id] = number
        self.told.arrived[candidate.id] = self.world.clock()
        self.told.support[candidate.id] = SUPPORT[self._asked.support][0](chance)
        if chance.random() < self._asked.join:
            self._join(candidate.id, number)

    def _join(self, candidate_id: int, number: int) -> None:
        """Its author finds an open text that says nearly the same, takes its words for what differs, and joins the two.

        What they hold together is a text more only if it says more than that one; its support is that one's.
        """
        with self.world.database.transaction(writing=True) as session:
            found = join_look_alike(session, session.get_one(Candidate, candidate_id))
        if found is not None and found.new_id is not None:
            self.told.numbers[found.new_id] = number
            self.told.support[found.new_id] = self.told.support[found.other_id]

    def _vote(self, step: int, voters: Sequence[int]) -> None:
        for start in range(0, len(voters), BATCH):
            with self.world.database.transaction(writing=True) as session:
                for place, member in enumerate(voters[start : start + BATCH], start):
                    self.world.clock.set((step + place / len(voters)) / STEPS)
                    self._vote_once(session, self.world.members[member])

    def _vote_once(self, session: Session, member: Actor) -> None:
        candidate = ORDERINGS[self._ordering](session, member)
        if candidate is None:
            self.told.idle += 1
            return
        opinion = random.Random(f"{self._asked.seed} {self.told.numbers[candidate.id]} {member.id}").random()
        value = Value.SUPPORT if opinion < self.told.support[candidate.id] else Value.OPPOSE
        revision = revisions.get(session, candidate.revision_id)
        try:
            votes.cast_vote(session, member, revision.id, sha256=revision.sha256, value=value)
        except VotingClosed:  # it went stale when it was brought onto the newest text: nothing was counted
            self.told.refused += 1
            return
        self.told.cast += 1

    def _end_torn(self) -> None:
        """What the rule does not do: close what has long been such that no number of votes is expected to decide it."""
        with self.world.database.transaction(writing=True) as session:
            at, told = self.world.clock(), self.told
            settled = session.exec(
                select(Candidate).where(
                    col(Candidate.closed).is_(None),
                    ~col(Candidate.stale),
                    col(Candidate.passing_since).is_(None),
                    Candidate.urgency <= nearness.HOPELESS,
                )
            ).all()
            wait = timedelta(seconds=decisions.rule_in_force(session).wait_routine)
            since = {row.id: told.torn.get(row.id, at) for row in settled}
            for row in settled:
                if since[row.id] + wait <= at:
                    row.closed, row.closed_at, row.due_at = TORN, at, None
                    session.add(row)
            told.torn = since

    def _end_day(self, day: int) -> None:
        with self.world.database.transaction(writing=False) as session:
            found = session.exec(select(Candidate.id).where(col(Candidate.closed).is_(None), ~col(Candidate.stale)))
            self.told.undecided.append(len(found.all()))
        said = f"{self._ordering}: day {day}, {self.told.cast} votes, {self.told.undecided[-1]} undecided"
        print(said, file=sys.stderr, flush=True)


def figures(world: World, told: Told, asked: Asked) -> dict[str, Any]:
    """What became of the texts; shares are of those that arrived a day or more before the end.

    Joined texts are no arrivals, but they too are among those approved, rightly or wrongly. *Settled*: decided, or
    superseded, as all that it says was approved in another.
    """
    with world.database.transaction(writing=False) as session:
        whole = [session.get_one(Candidate, id_) for id_ in told.support]
        rows = [row for row in whole if row.id in told.arrived]
        united = joined_look_alikes(session)
    last = world.clock() - DAY
    judged = [row for row in rows if told.arrived[row.id] <= last]
    within = Counter(_ended(row) for row in judged if row.closed_at and row.closed_at - told.arrived[row.id] <= DAY)
    within["joined"] = sum(id_ in united for id_ in (row.id for row in judged))
    decided = [row for row in rows if _ended(row) in DECIDED or row.id in united]
    approved = [row for row in whole if _ended(row) == "approved"]
    reachable = [row for row in judged if not 0.5 <= told.support[row.id] < 0.75]
    in_time = {row.id for row in judged if _in_time(row, told.arrived[row.id], united)}
    total = max(1, len(judged))
    return {
        "decided_24h": round(len(in_time) / total, 3),
        **{f"{name}_24h": round(within[name] / total, 3) for name in (*DECIDED, "joined", "superseded")},
        "settled_24h": round((len(in_time) + within["superseded"]) / total, 3),
        "stale": round(sum(row.stale and row.closed is None for row in judged) / total, 3),
        "decided_24h_of_clear": round(sum(row.id in in_time for row in reachable) / max(1, len(reachable)), 3),
        "votes_per_decision": round(told.cast / max(1, len(decided)), 1),
        "undecided_by_day": told.undecided,
        "undecided_end": told.undecided[-1] if told.undecided else 0,
        "wrong": sum(told.support[row.id] < 0.5 for row in approved),
        "approved": len(approved),
        "closed": dict(Counter(_ended(row) or ("stale" if row.stale else "open") for row in whole)),
        "joined_texts": len(whole) - len(rows),
        "arrived": len(rows),
        "unfitting": told.unfitting,
        "votes": told.cast,
        "unused_votes": told.idle,
        "refused": told.refused,
    }


DECIDED = ("approved", "declined")
"""States in which members decided; look-alikes that were joined come on top."""

TORN = "expired"
"""How `Replay._end_torn` closes, counted as declined; nothing expires by itself in less than fourteen days."""

_ENDS = {TORN: "declined", "contested": "approved", "unpromoted": "approved"}
"""What a state in which a candidate closed counts as; what lost its approval later was approved."""


def _ended(row: Candidate) -> str | None:
    return _ENDS.get(row.closed, row.closed) if row.closed is not None else None


def _in_time(row: Candidate, arrived: datetime, united: Mapping[int, datetime]) -> bool:
    ended = united.get(row.id) or (row.closed_at if _ended(row) in DECIDED else None)
    return ended is not None and ended - arrived <= DAY


def joined_look_alikes(session: Session) -> dict[int, datetime]:
    """Candidates whose authors took them back for a text joined of them and a look-alike, and when."""
    rows = session.exec(select(Candidate).where(Candidate.closed == "withdrawn"))
    return {row.id: row.closed_at for row in rows if row.closed_at and joined.is_joined(session, row)}


def main() -> int:
    asked = _parse()
    orderings = list(ORDERINGS) if asked.ordering is None else asked.ordering
    thin = asked.thin or thinned(asked.voters * asked.votes_per_day * asked.days, asked.votes_per_day)
    about = Asked(
        asked.voters,
        max(1, asked.votes_per_day // thin),
        max(1, round(asked.arrivals / thin)),
        asked.days,
        asked.seed,
        asked.support,
        thin,
        asked.end_torn,
        asked.join,
        asked.wait,
    )
    with tempfile.TemporaryDirectory(prefix="replay-", dir=room()) as name:
        folders = [Path(name) / ordering.replace(" ", "-") for ordering in orderings]
        folders[0].mkdir()
        try:
            with open_reader(asked.repo):
                pass
        except NotReadableError as unreadable:
            print(unreadable, file=sys.stderr)
            return 2
        most = about.arrivals * about.days
        prepare(folders[0], asked.repo, asked.drafts, voters=asked.voters, most=most, seed=asked.seed)
        for folder in folders[1:]:
            shutil.copytree(folders[0], folder)
        world = World.open(folders[0], asked.voters)
        print(f"{len(world.proposals)} proposals; left out: {world.left_out}", file=sys.stderr)
        if not world.proposals:
            print("This repository has no proposal that changes an approved page. Look at --drafts.", file=sys.stderr)
            return 2
        world.database.dispose()
        with ProcessPoolExecutor(asked.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            rows = list(pool.map(replay, orderings, folders, [about] * len(orderings)))
    if asked.json:
        print(json.dumps({"support": SUPPORT[asked.support][1], "asked": vars(about), "rows": rows}, indent=1))
    else:
        print_table(rows, about)
    return 0


def thinned(planned: int, votes_per_day: int) -> int:
    """One in how many proposals and votes is replayed, so that each ordering casts no more than `MOST_VOTES`.

    As many votes for each text as without, of as many members, so that as many are needed.
    """
    return min(votes_per_day, max(1, -(-planned // MOST_VOTES)))


def replay(ordering: str, folder: Path, asked: Asked) -> dict[str, Any]:
    """One ordering, in a process of its own."""
    collect_less_garbage()
    return Replay(ordering, folder, asked).run()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.replay", description="How soon proposals are decided, by ordering.")
    parser.add_argument("--repo", type=Path, required=True, help="a git repository or bundle")
    parser.add_argument("--drafts", default=DRAFTS, help="the refs that are proposals (default: %(default)s)")
    parser.add_argument("--voters", type=int, default=1000)
    parser.add_argument("--votes-per-day", type=int, default=20, help="of each voter, while anything is left")
    parser.add_argument("--arrivals", type=int, default=374, help="proposals a day")
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--thin", type=int, help="only every so-manieth proposal and vote; 1 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--support", choices=SUPPORT, default="clear", help="how true support is distributed")
    parser.add_argument("--end-torn", action="store_true", help="what if: decline what neither end can be hoped for")
    parser.add_argument("--join", type=float, default=JOIN, help="the share of authors who join look-alikes")
    parser.add_argument("--wait", type=float, help="what if: hours that what passes waits, in place of twelve")
    parser.add_argument("--ordering", action="append", choices=ORDERINGS, help="only this one; may be repeated")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def print_table(rows: Sequence[Mapping[str, Any]], asked: Asked) -> None:
    print(f"{vars(asked)}\ntrue support: {SUPPORT[asked.support][1]}")
    names = [name for name in rows[0] if name not in ("ordering", "undecided_by_day", "closed")]
    print(f"{'':24}", *(f"{row['ordering']:>20}" for row in rows))
    for name in names:
        print(f"{name:24}", *(f"{row[name]!s:>20}" for row in rows))
    for row in rows:
        print(f"{row['ordering']}: undecided at the end of each day {row['undecided_by_day']}; in all {row['closed']}")


if __name__ == "__main__":
    sys.exit(main())
