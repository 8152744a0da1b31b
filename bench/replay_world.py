"""What a replay begins with: an imported repository, members in chapters, and its proposals as they arrive."""

import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlmodel import Session, col, select

from app import schema
from app.accounts import chapters
from app.accounts import service as accounts
from app.accounts.models import User
from app.approvals import service as approvals
from app.consensus import candidates, joined
from app.consensus.carry import Carried, Stale, carry
from app.consensus.models import Candidate
from app.consensus.spots import change_between
from app.consensus.stacks import look_alikes_of
from app.database import Database
from app.drafts import joining
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftKind
from app.errors import DomainError
from app.main import open_database
from app.permissions import Actor
from app.revisions import service as revisions
from app.settings import Settings
from app.transfer.git_import import import_git

SHARES = (40, 25, 15, 12, 8)
"""Members in each chapter, in a hundred."""

MANY_SPOTS = 10
"""Changes at more spots are left out: they are offered to their author split."""

REWORDED = 0.2
"""The share of an added line's longer words that a rewording replaces by others of the same text."""

TRIES = 12
PROPOSALS = "proposals.json"
START = datetime(2026, 3, 2, tzinfo=UTC)
_WORD = re.compile(r"\w{4,}")


class MovableClock:
    """The world's time."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def set(self, days: float) -> None:
        self.moment = START + timedelta(days=days)


@dataclass(frozen=True)
class Proposal:
    """A change that somebody proposed to a page of the repository."""

    page_id: int
    base: str
    text: str


@dataclass
class World:
    """An open database with its clock, its members and the repository's proposals."""

    database: Database
    clock: MovableClock
    members: list[Actor]
    proposals: list[Proposal]
    left_out: dict[str, int]
    """How many proposals are not replayed, by why."""

    taken: Counter[int] = field(default_factory=Counter)
    """How many times each proposal has arrived, by its place in the list."""

    @classmethod
    def open(cls, folder: Path, voters: int) -> "World":
        """Open what `prepare` made."""
        clock = MovableClock()
        database = open_database(settings_of(folder, voters), clock=clock)
        with database.transaction(writing=False) as session:
            users = [session.get_one(User, id_) for id_ in _member_ids(session)]
        stored = json.loads((folder / PROPOSALS).read_text())
        kept = [Proposal(**one) for one in stored["kept"]]
        return cls(database, clock, [accounts.actor_of(user) for user in users], kept, stored["left_out"])


def room() -> str | None:
    """A folder in memory where there is one: a replay commits a hundred thousand times."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else tempfile.gettempdir()


def settings_of(folder: Path, voters: int) -> Settings:
    return Settings(database_url=f"sqlite:///{folder / 'workshop.db'}", data_dir=folder, founders=voters)


def prepare(folder: Path, repo: Path, drafts_glob: str, *, voters: int, most: int, seed: int) -> None:
    """Chapters, members and the repository, its main branch approved; at most so many of its proposals, drawn."""
    clock = MovableClock()
    database = open_database(settings_of(folder, voters), clock=clock)
    schema.upgrade(database)
    with database.transaction(writing=True) as session:
        places = [chapters.add_chapter(session, f"chapter-{n}", f"Chapter {n}").id for n in range(len(SHARES))]
        ends = [voters * sum(SHARES[: n + 1]) / 100 for n in range(len(SHARES))]
        for number in range(voters):
            home = places[next(n for n, end in enumerate(ends) if number < end)]
            accounts.add_user(session, f"member {number}", None, chapter_id=home)
    import_git(database, repo, drafts_glob=drafts_glob, approve=True)
    with database.transaction(writing=False) as session:
        found = list(_proposals(session))
        random.Random(seed).shuffle(found)  # or they would arrive page by page
        kept, left_out = _choose(session, found, most)
    stored = {"kept": [asdict(one) for one in kept], "left_out": left_out}
    (folder / PROPOSALS).write_text(json.dumps(stored))
    database.dispose()


def _member_ids(session: Session) -> Sequence[int]:
    user = User
    return session.exec(select(user.id).where(col(user.name).startswith("member "), user.role > 0)).all()


def _proposals(session: Session) -> Iterator[Proposal]:
    query = select(Draft).where(Draft.kind == DraftKind.FORK, col(Draft.import_key).is_not(None))
    for draft in session.exec(query.order_by(col(Draft.id))).all():
        if draft.base_id is None or draft.head_id is None or approvals.find_current(session, draft.page_id) is None:
            continue
        base, text = revisions.text_by_id(session, draft.base_id), revisions.text_by_id(session, draft.head_id)
        if base != text:
            yield Proposal(draft.page_id, base, text)


def _choose(session: Session, found: Sequence[Proposal], most: int) -> tuple[list[Proposal], dict[str, int]]:
    """Those whose change fits onto the approved text, is no other's and is not too large; the rest is counted.

    Once there are as many as ever arrive, no more are looked at.
    """
    seen: set[tuple[int, str]] = set()
    kept: list[Proposal] = []
    left_out = {"clash with the main branch": 0, "say what it says": 0, "twins": 0, "too large": 0}
    for one in found:
        if len(kept) == most:
            break
        approved = _approved_text(session, one.page_id)
        outcome = carry(one.base, one.text, approved)
        if not isinstance(outcome, Carried):
            left_out["clash with the main branch" if isinstance(outcome, Stale) else "say what it says"] += 1
        elif (one.page_id, outcome.text) in seen:
            left_out["twins"] += 1
        elif len(change_between(approved, outcome.text).spots) > MANY_SPOTS:
            left_out["too large"] += 1
        else:
            kept.append(one)
            seen.add((one.page_id, outcome.text))
    return kept, left_out


def _approved_text(session: Session, page_id: int) -> str:
    current = approvals.find_current(session, page_id)
    assert current is not None
    return revisions.text_by_id(session, current.revision_id)


def arrive(world: World, session: Session, number: int, order: random.Random) -> Candidate | None:
    """Put the next proposal to the vote as a fork of the approved text; None if none of `TRIES` fits onto it.

    The repository's proposals come in turn; from its second time on each is reworded.
    """
    for attempt in range(TRIES):
        place = (number + attempt * 7) % len(world.proposals)
        proposal = world.proposals[place]
        current = approvals.find_current(session, proposal.page_id)
        assert current is not None
        approved = revisions.text_by_id(session, current.revision_id)
        outcome = carry(proposal.base, proposal.text, approved)
        if not isinstance(outcome, Carried):
            continue
        text = reword(approved, outcome.text, order) if world.taken[place] else outcome.text
        author = order.choice(world.members)
        try:
            with session.begin_nested():
                draft = drafts.fork(session, author, current.revision_id, text=text)
                candidate = candidates.put_forward(session, author, draft.id)
        except DomainError:
            continue
        world.taken[place] += 1
        return candidate
    return None


class Joined(NamedTuple):
    """With which open candidate another was joined, and the candidate that came of it if it says more than that one."""

    other_id: int
    new_id: int | None


def join_look_alike(session: Session, candidate: Candidate) -> Joined | None:
    """Let its author join it with the best open text of its stack, whose words they take wherever the two differ.

    None where there is no such text or the two cannot be joined; then nothing is written.
    """
    [alike] = look_alikes_of(session, [candidate], limit=1).values()
    if not alike:
        return None
    other, draft = session.get_one(Candidate, alike[0].id), drafts.get_draft(session, candidate.draft_id)
    author = accounts.actor_of(session.get_one(User, draft.owner_id))
    try:
        with session.begin_nested():
            clashes = joining.compare(session, draft.id, other.draft_id).conflicts
            words = [clash.theirs for clash in clashes]
            made = joined.join_drafts(session, author, draft.id, other.draft_id, resolutions=words)
            if not isinstance(made, Draft):
                return None
            text = revisions.text_by_id(session, drafts.head_of(made))
            if text == revisions.text_by_id(session, other.revision_id):
                return Joined(other.id, None)
            return Joined(other.id, candidates.put_forward(session, author, made.id).id)
    except DomainError:
        return None


def reword(approved: str, text: str, order: random.Random) -> str:
    """The text with other words in the lines that it adds."""
    before, vocabulary = set(approved.splitlines()), _WORD.findall(approved) or ["other"]

    def other(found: re.Match[str]) -> str:
        return order.choice(vocabulary) if order.random() < REWORDED else found[0]

    lines = [
        line if line.rstrip("\n") in before or line.startswith("#") else _WORD.sub(other, line)
        for line in text.splitlines(keepends=True)
    ]
    return "".join(lines)
