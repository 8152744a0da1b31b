"""What follows the log for candidates: carry them after a promotion, and end waiting times."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from app.activity import service as activity
from app.activity.models import CHANGES_WHICH_IS_APPROVED
from app.approvals import stops
from app.consensus import candidates, carrying, promotion, recounting, stacks, stopping
from app.consensus.models import Candidate
from app.database import Database
from app.pages import service as pages

log = logging.getLogger(__name__)

BATCH = 1
"""Candidates put into their stacks in one transaction, so that a member's own write waits for one at most."""

HELD = 0.03
"""Seconds for which candidates are carried in one transaction, so that a member's own write waits no longer for it."""

LOOK_EVERY = 10
"""Carried candidates, about a tenth of a second, after which stops and waiting times that are over get their turn."""


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
        for page_id, ids in behind:
            self._settle_all(database, page_id, deque(ids))
        self._position = newest
        self._end_what_is_over(database)

    def _settle_all(self, database: Database, page_id: int, waiting: deque[int]) -> None:
        """Carry and decide these candidates of a page, some at a time; what is over gets its turn in between."""
        looked = len(waiting)
        while waiting:
            if looked - len(waiting) >= LOOK_EVERY:
                self._end_what_is_over(database)
                looked = len(waiting)
            try:
                done = self._settle_some(database, page_id, waiting)
            except OperationalError:
                raise
            except Exception:
                log.debug("each gets a transaction of its own until it is found", exc_info=True)
                self._alone(database, waiting[0], promotion.settle)
                done = 1
            for _ in range(done):
                waiting.popleft()

    def _settle_some(self, database: Database, page_id: int, waiting: Sequence[int]) -> int:
        """Settle the first ones in one transaction, which ends early; says how many. What they share is read once."""
        done = 0
        with database.transaction(writing=True) as session:
            pages.lock_page(session, page_id)
            # On PostgreSQL others write meanwhile: to hold many rows, and then the log, could lock each other out.
            until = time.monotonic() + (HELD if database.is_sqlite else 0)
            for candidate_id in waiting:
                promotion.settle(session, session.get_one(Candidate, candidate_id))
                done += 1
                if time.monotonic() > until or "published_position" in session.info:
                    break
        return done

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
        self._recount(database)
        self._end_waits(database)

    def _end_holds(self, database: Database) -> None:
        with database.transaction(writing=False) as session:
            ended = stops.list_ended_holds(session)
        for hold in ended:
            with database.transaction(writing=True) as session:
                stopping.end_hold(session, hold.id)

    def _recount(self, database: Database) -> None:
        """Make due what the members voted on whose votes begin to count."""
        with database.transaction(writing=False) as session:
            voted_on = [
                (*member, recounting.list_voted_on(session, member[0])) for member in recounting.list_members(session)
            ]
        for member_id, asked, candidate_ids in voted_on:
            make_due = partial(recounting.make_due, member_id=member_id)
            went_well = [self._alone(database, candidate_id, make_due) for candidate_id in candidate_ids]
            if all(went_well):
                with database.transaction(writing=True) as session:
                    recounting.finish(session, member_id, asked)

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

    def _alone(self, database: Database, candidate_id: int, work: Callable[[Session, Candidate], object]) -> bool:
        """Work on one in a transaction of its own; whether that went well.

        A fault in one keeps no other waiting; it is tried again.
        """
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
            return False
        return True


def _revive(session: Session, candidate: Candidate) -> None:
    if carrying.revive(session, candidate):
        promotion.settle(session, candidate)
