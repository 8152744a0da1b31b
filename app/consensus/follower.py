"""What follows the log for candidates: carry them after a promotion, and end waiting times."""

import logging
from collections.abc import Callable

from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from app.activity import service as activity
from app.activity.models import CHANGES_WHICH_IS_APPROVED
from app.approvals import stops
from app.consensus import candidates, carrying, promotion, stacks, stopping
from app.consensus.models import Candidate
from app.database import Database
from app.pages import service as pages

log = logging.getLogger(__name__)

BATCH = 1
"""Candidates put into their stacks in one transaction, so that a member's own write waits for one at most."""

LOOK_EVERY = 10
"""Carried candidates, some quarter of a second, after which stops and waiting times that are over get their turn."""


class CandidateFollower:
    """Idempotent: it looks at what is behind or due, not at what it did before."""

    def __init__(self) -> None:
        self._position = -1
        self._faulty: set[int] = set()

    def follow(self, database: Database) -> None:
        """Carry forward after promotions, then end the waiting times that are due, one transaction each."""
        if self._position < 0:
            self._note_stacks(database)
        with database.transaction(writing=False) as session:
            newest = activity.newest_position(session)
            changed = self._changed_since(session)
            behind = carrying.list_behind(session) if changed else []
            given_back = carrying.list_given_back(session) if changed else []
        for stale in given_back:
            self._alone(database, stale.id, _revive)
        for number, candidate_id in enumerate(id_ for _page_id, ids in behind for id_ in ids):
            if number and number % LOOK_EVERY == 0:
                self._end_what_is_over(database)
            self._alone(database, candidate_id, promotion.settle)
        self._position = newest
        self._end_what_is_over(database)

    def _note_stacks(self, database: Database) -> None:
        """Put candidates from before stacks were kept into theirs, oldest first."""
        while True:
            with database.transaction(writing=True) as session:
                unnoted = stacks.list_unnoted(session, limit=BATCH)
                for candidate in unnoted:
                    pages.lock_page(session, candidate.page_id)
                    candidates.note_dependencies(session, candidate)
            if not unnoted:
                return

    def _changed_since(self, session: Session) -> bool:
        if self._position < 0:
            return True
        return bool(activity.since(session, self._position, kinds=sorted(CHANGES_WHICH_IS_APPROVED), limit=1))

    def _end_what_is_over(self, database: Database) -> None:
        self._end_holds(database)
        self._end_waits(database)

    def _end_holds(self, database: Database) -> None:
        with database.transaction(writing=False) as session:
            ended = stops.list_ended_holds(session)
        for hold in ended:
            with database.transaction(writing=True) as session:
                stopping.end_hold(session, hold.id)

    def _end_waits(self, database: Database) -> None:
        done: set[int] = set()
        while True:
            with database.transaction(writing=False) as session:
                moments = [set(ids) - done for ids in promotion.list_due(session)]
            if not any(moments):
                return
            for waiting in moments:
                done |= waiting
                while waiting:
                    waiting.remove(self._end_first(database, waiting))

    def _end_first(self, database: Database, waiting: set[int]) -> int:
        first = self._first_of(database, waiting)
        self._alone(database, first, promotion.settle)
        return first

    def _first_of(self, database: Database, waiting: set[int]) -> int:
        """Which comes first in the rule's order; where one of them cannot be decided, simply the oldest."""
        try:
            with database.transaction(writing=False) as session:
                return promotion.first_of(session, waiting).id
        except OperationalError:
            raise
        except Exception:
            log.exception("candidates %s cannot be put in order", sorted(waiting))
            return min(waiting)

    def _alone(self, database: Database, candidate_id: int, work: Callable[[Session, Candidate], object]) -> None:
        """Work on one in a transaction of its own. A fault in one keeps no other waiting; it is tried again."""
        try:
            with database.transaction(writing=True) as session:
                on_page = select(Candidate.page_id).where(Candidate.id == candidate_id)
                pages.lock_page(session, session.exec(on_page).one())
                work(session, session.get_one(Candidate, candidate_id))
        except OperationalError:  # the database is away, for all of them
            raise
        except Exception:
            if candidate_id not in self._faulty:
                log.exception("candidate %s cannot be decided; the others go on", candidate_id)
            self._faulty.add(candidate_id)


def _revive(session: Session, candidate: Candidate) -> None:
    if carrying.revive(session, candidate):
        promotion.settle(session, candidate)
