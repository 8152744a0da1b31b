"""Acts out a history through the services: somebody does something at some moment of the last two weeks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, time, timedelta
from itertools import chain, zip_longest
from pathlib import Path

from sqlmodel import Session

from app.accounts import chapters
from app.accounts import service as accounts
from app.consensus import ranking, votes
from app.consensus.follower import CandidateFollower
from app.consensus.models import Value
from app.database import Database
from app.demo.people import CHAPTERS, FOUNDER, PASSWORD, PEOPLE
from app.drafts import service as drafts
from app.drafts.service import KeptAside, Saved
from app.pages import service as pages
from app.permissions import Actor
from app.revisions import service as revisions

TEXTS = Path(__file__).resolve().parent / "texts"

Voters = Mapping[str, int]
"""How many of each chapter, by its address."""


class StageClock:
    """Stands where the story is. It begins a fortnight before `today`, the moment the story leads up to."""

    def __init__(self, today: datetime) -> None:
        self.today = today
        self.moment = today - timedelta(days=14)

    def __call__(self) -> datetime:
        return self.moment

    def move_to(self, moment: datetime) -> None:
        """Go on; raises `ValueError` when the story would run backwards or into the future."""
        if not self.moment <= moment <= self.today:
            raise ValueError(f"The story stands at {self.moment} and cannot go on at {moment}.")
        self.moment = moment


class Stage:
    """The campaign as it is acted out. `database` runs on `clock`; each call is a transaction as in a request."""

    def __init__(self, database: Database, clock: StageClock) -> None:
        self._database = database
        self._clock = clock
        self._follower = CandidateFollower()
        self._actors: dict[str, Actor] = {}
        self._next_to_vote = {
            slug: [person.name for person in PEOPLE if person.chapter == slug and not person.visits]
            for slug in CHAPTERS
        }
        self._voted: dict[int, set[str]] = {}

    def at(self, days_ago: int, hour: str) -> None:
        """Go to a time of day in UTC. Yesterday ends at nine, so that the last two hours of today come after it."""
        day = (self._clock.today - timedelta(days=days_ago)).date()
        self._go_to(datetime.combine(day, time.fromisoformat(hour), self._clock.today.tzinfo))
        self._follower.follow(self._database)

    def minutes_ago(self, minutes: int) -> None:
        """Go to so many minutes before the end of the story."""
        self._go_to(self._clock.today - timedelta(minutes=minutes))
        self._follower.follow(self._database)

    def _go_to(self, moment: datetime) -> None:
        """Let every waiting time end at its own moment on the way."""
        while (end := self._next_end_of_waiting()) is not None and end <= moment:
            self._clock.move_to(max(end, self._clock.moment))
            self._follower.follow(self._database)
        self._clock.move_to(moment)

    def _next_end_of_waiting(self) -> datetime | None:
        with self._reading() as session:
            nearest = ranking.list_nearest_decision(session, limit=1)
        return nearest[0].due_at if nearest and nearest[0].passing_since is not None else None

    def gather(self) -> None:
        """The founder opens the chapters, and members bring in members, one every quarter of an hour."""
        with self._writing() as session:
            homes = {slug: chapters.add_chapter(session, slug, name).id for slug, name in CHAPTERS.items()}
        first: dict[str, int] = {}
        for person in PEOPLE:
            with self._writing() as session:
                user = accounts.add_user(
                    session,
                    person.name,
                    PASSWORD,
                    role=person.role,
                    chapter_id=homes[person.chapter],
                    invited_by_id=first.get(person.chapter, first.get(FOUNDER)),
                )
                self._actors[person.name] = accounts.actor_of(user)
            first.setdefault(FOUNDER, user.id)
            first.setdefault(person.chapter, user.id)
            self._clock.move_to(self._clock.moment + timedelta(minutes=15))

    def page(self, writer: str, slug: str, *tags: str) -> int:
        """The page whose text is in `texts/`, titled as its first line says; returns its first revision."""
        text = (TEXTS / f"{slug}.md").read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        with self._writing() as session:
            drafts.create_page(
                session, self._actors[writer], title=title, text=text, slug=slug, summary="First version", tags=tags
            )
        return self.shared(slug)

    def shared(self, slug: str) -> int:
        """The newest revision of the page's shared draft."""
        with self._reading() as session:
            return drafts.head_of(drafts.get_shared(session, pages.get_page(session, slug).id))

    def edit(
        self, who: str, slug: str, old: str, new: str, summary: str, *, opened_at: int | None = None
    ) -> Saved | KeptAside:
        """Other words in the shared draft, in an editor opened at its newest revision or an earlier one."""
        with self._writing() as session:
            shared = drafts.get_shared(session, pages.get_page(session, slug).id)
            base_id = opened_at or drafts.head_of(shared)
            text = _reworded(revisions.text_by_id(session, base_id), old, new)
            return drafts.save_edit(session, self._actors[who], shared.id, base_id=base_id, text=text, summary=summary)

    def fork(self, who: str, slug: str, name: str, old: str, new: str, summary: str = "") -> int:
        """A draft of somebody's own, from the approved text if there is one; returns its revision."""
        with self._writing() as session:
            origin = drafts.default_fork_origin(session, pages.get_page(session, slug))
            text = _reworded(revisions.text_by_id(session, origin), old, new)
            draft = drafts.fork(session, self._actors[who], origin, name=name, text=text, summary=summary)
            return drafts.head_of(draft)

    def vote(
        self,
        revision_id: int,
        backed_by: Voters,
        opposed_by: Voters | None = None,
        *,
        also: Sequence[str] = (),
        because: Sequence[str] = (),
        but: Sequence[str] = (),
        seconds_apart: int = 60,
    ) -> None:
        """So many members of each chapter back or oppose the text, and those named back it, one after the other.

        The first of them give a reason each, as far as `because` and `but` reach.
        """
        backing = [*also, *self._take(revision_id, backed_by)]
        opposing = self._take(revision_id, opposed_by or {})
        ballots = [
            *((name, Value.SUPPORT, reason) for name, reason in zip_longest(backing, because, fillvalue="")),
            *((name, Value.OPPOSE, reason) for name, reason in zip_longest(opposing, but, fillvalue="")),
        ]
        for name, value, reason in ballots:
            with self._writing() as session:
                votes.cast_vote(
                    session,
                    self._actors[name],
                    revision_id,
                    sha256=revisions.get(session, revision_id).sha256,
                    value=value,
                    reason=reason,
                )
            self._clock.move_to(min(self._clock.moment + timedelta(seconds=seconds_apart), self._clock.today))

    def _take(self, revision_id: int, wanted: Voters) -> list[str]:
        """Members in turn, so that everybody is heard now and then; nobody twice on one text. Chapters take turns."""
        voted = self._voted.setdefault(revision_id, set())
        taken = []
        for slug, count in wanted.items():
            queue = self._next_to_vote[slug]
            names = [name for name in queue if name not in voted][:count]
            if len(names) < count:
                raise ValueError(f"Only {len(names)} members of {slug} have not voted on this yet, not {count}.")
            self._next_to_vote[slug] = [*(name for name in queue if name not in names), *names]
            voted.update(names)
            taken.append(names)
        return [name for name in chain.from_iterable(zip_longest(*taken)) if name is not None]

    def _reading(self) -> AbstractContextManager[Session]:
        return self._database.transaction(writing=False)

    def _writing(self) -> AbstractContextManager[Session]:
        return self._database.transaction(writing=True)


def _reworded(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"These words stand {text.count(old)} times in the text, not once: {old}")
    return text.replace(old, new)
