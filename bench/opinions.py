"""Real conversations with individual votes: read, split in two, judged by one half, sorted into made-up chapters.

A folder of conversations holds one folder for each, with `votes.csv` (`timestamp_ms, comment_id, voter_id, vote`: 1, -1
or 0 for pass) and `participants.csv` (`participant, group_id`; empty or missing: no opinion group).
"""

import csv
import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from app.consensus.tallies import Electorate

SIZES = (40, 25, 15, 12, 8)
"""The chapters' shares of all voters, in percent."""

LEAST_GROUP, LEAST_VOTES, LEAST_IN_GROUP = 8, 8, 4
GOOD_PERCENT = 60

LATEST = 1e14
"""Milliseconds since 1970, in the year 5138; what claims to be later, or before 1970, is no moment."""

Verdict = Literal["good", "bad", "between"]
VERDICTS: Sequence[Verdict] = ("good", "bad", "between")


class NoConversationsError(Exception):
    """The folder holds no conversation that can be read; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote at a moment in milliseconds: 1 for, -1 against, 0 pass."""

    at: float
    text: str
    voter: str
    choice: int


@dataclass(frozen=True)
class Conversation:
    """Votes in order of time, the last row of each voter on each text, and the opinion groups of those who have one."""

    name: str
    votes: Sequence[Vote]
    last: Mapping[tuple[str, str], int]
    """The choice by text and voter. The last row is the one that stands, whatever its moment says."""
    groups: Mapping[str, str]

    @property
    def voters(self) -> list[str]:
        return sorted({vote.voter for vote in self.votes})


@dataclass(frozen=True)
class Half:
    """What one half of a conversation's voters decides: their votes on texts that the other half judged good or bad."""

    conversation: str
    votes: Mapping[str, Sequence[Vote]]
    """By text, in order of time; all texts, also those that are not judged."""
    verdicts: Mapping[str, Verdict]
    chapters: Mapping[str, int]
    """Of each voter of this half."""

    @cached_property
    def electorate(self) -> Electorate:
        """All voters of this half, so that the goal is counted once and does not move."""
        return Electorate(Counter(self.chapters.values()))

    def judged(self, verdict: Verdict) -> list[str]:
        return [text for text, given in self.verdicts.items() if given == verdict]

    def last(self, text: str) -> dict[str, int]:
        """Each voter's choice in the end."""
        return {vote.voter: vote.choice for vote in self.votes.get(text, ())}


def read_folder(folder: Path) -> list[Conversation]:
    """Every conversation in the folder, by path; the folder itself may be one. Raises `NoConversationsError`."""
    found = sorted(folder.rglob("votes.csv"))
    if not found:
        raise NoConversationsError(f"There is no votes.csv in {folder} or in a folder of it.")
    return [_read(path.parent) for path in found]


def _read(folder: Path) -> Conversation:
    """Rows without a voter, a text, a moment or one of the three choices are passed over."""
    read = [vote for row in _rows(folder / "votes.csv") if (vote := _vote(row)) is not None]
    groups = {
        (row.get("participant") or "").strip(): (row.get("group_id") or "").strip()
        for row in _rows(folder / "participants.csv")
    }
    known = {voter: group for voter, group in groups.items() if group}
    last = {(vote.text, vote.voter): vote.choice for vote in read}
    return Conversation(folder.name, sorted(read, key=lambda vote: vote.at), last, known)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            yield from csv.DictReader(stream)


def _vote(row: Mapping[str, str | None]) -> Vote | None:
    text, voter = (row.get("comment_id") or "").strip(), (row.get("voter_id") or "").strip()
    try:
        at, choice = float(row.get("timestamp_ms") or ""), float(row.get("vote") or "")
    except ValueError:
        return None
    if not text or not voter or not 0 <= at < LATEST or choice not in {-1, 0, 1}:
        return None
    return Vote(at, text, voter, int(choice))


def halves_of(conversation: Conversation, seed: int) -> list[Half]:
    """Both halves, each deciding once while the other judges."""
    sides = {voter: _digest(seed, "half", conversation.name, voter) % 2 for voter in conversation.voters}
    chapters = deal_chapters(conversation, seed)
    halves = []
    for side in (0, 1):
        votes: dict[str, list[Vote]] = defaultdict(list)
        judging: dict[str, dict[str, int]] = defaultdict(dict)
        for vote in conversation.votes:
            if sides[vote.voter] == side:
                votes[vote.text].append(vote)
        for (text, voter), choice in conversation.last.items():
            if sides[voter] != side:
                judging[text][voter] = choice
        judges = [voter for voter, other in sides.items() if other != side]
        verdicts = judge(judging, {voter: conversation.groups.get(voter) for voter in judges})
        own = {voter: chapters[voter] for voter, other in sides.items() if other == side}
        halves.append(Half(conversation.name, votes, verdicts, own))
    return halves


def judge(choices: Mapping[str, Mapping[str, int]], groups: Mapping[str, str | None]) -> dict[str, Verdict]:
    """Each text by the votes of the judging half, whose voters and groups are given.

    Good: at least 60 % of the votes in every group of eight or more are for it; where no group is so large, of all
    votes. Bad: in some such group, or in all, more are against than for. Left out: fewer than eight votes, or fewer
    than four in one such group. A pass is a vote here, as it is in the counts that come with the data.
    """
    sizes = Counter(group for group in groups.values() if group is not None)
    large = sorted(group for group, size in sizes.items() if size >= LEAST_GROUP)
    verdicts: dict[str, Verdict] = {}
    for text, cast in choices.items():
        by_group: list[Counter[int]] = [
            Counter(choice for voter, choice in cast.items() if groups[voter] == group) for group in large
        ]
        total = Counter(cast.values())
        if total.total() < LEAST_VOTES or any(count.total() < LEAST_IN_GROUP for count in by_group):
            continue
        if any(count[-1] > count[1] for count in (*by_group, total)):
            verdicts[text] = "bad"
        elif all(100 * count[1] >= GOOD_PERCENT * count.total() for count in by_group or [total]):
            verdicts[text] = "good"
        else:
            verdicts[text] = "between"
    return verdicts


def deal_chapters(conversation: Conversation, seed: int) -> dict[str, int]:
    """A chapter for each voter: with probability 1/2 one that their opinion group was dealt, else any, by size.

    Groups are dealt to the chapters in turn, in order of their names, until every chapter has one and every group too.
    """
    groups = sorted({conversation.groups[voter] for voter in conversation.voters if voter in conversation.groups})
    dealt: dict[str, list[int]] = defaultdict(list)
    for turn in range(max(len(SIZES), len(groups)) if groups else 0):
        dealt[groups[turn % len(groups)]].append(turn % len(SIZES))
    chapters = {}
    for voter in conversation.voters:
        draw = random.Random(_digest(seed, "chapter", conversation.name, voter))
        own = dealt.get(conversation.groups.get(voter, ""), [])
        among: Sequence[int] = own if own and draw.random() < 1 / 2 else range(len(SIZES))
        chapters[voter] = draw.choices(among, [SIZES[chapter] for chapter in among])[0]
    return chapters


def _digest(seed: int, *parts: str) -> int:
    written = "\0".join((str(seed), *parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(written).digest()[:8])
