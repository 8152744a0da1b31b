"""Vouching and voiding beside whoever writes at the same moment: PostgreSQL alone lets two write at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.accounts import seasoning
from app.accounts import service as accounts
from app.accounts.models import KeptAnswer
from app.accounts.seasoning import Seasoning
from app.consensus import follower, voiding, votes
from app.consensus.candidates import find_by_revision
from app.consensus.models import Value
from app.consensus.withdrawing import withdraw_draft
from app.database import now
from app.permissions import Actor, Role
from app.revisions import service as revisions
from tests.factories import Workshop
from tests.postgres import wait_for_a_waiter

pytestmark = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@pytest.fixture
def founders(workshop: Workshop) -> list[Actor]:
    """Twelve moderators in two chapters by turns; whoever comes after them is new."""
    workshop.database.info["seasoning"] = Seasoning(hours=72, vouches=2, founders=12)
    return [workshop.member(f"m-{n}", chapter=("north", "south")[n % 2], role=Role.MODERATOR) for n in range(12)]


def vouch_together(workshop: Workshop, by: Actor, together: Barrier) -> None:
    with workshop.writing() as session:
        bea = accounts.get_user(session, "bea")
        together.wait(30)
        seasoning.vouch(session, by, bea)


def ask(workshop: Workshop, by: Actor) -> voiding.Wish:
    with workshop.writing() as session:
        return voiding.ask(session, by, "m-4", voids=True, reason="Five accounts of one person.")


def test_two_last_vouches_at_once_are_two(workshop: Workshop, founders: list[Actor]) -> None:
    workshop.member("bea", chapter="north")
    together = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(vouch_together, workshop, by, together) for by in (founders[0], founders[2])]:
            done.result()
    with workshop.reading() as session:
        assert accounts.get_user(session, "bea").seasoned_at is not None


def test_who_closes_a_draft_waits_for_nobody_who_voids_their_votes(workshop: Workshop, founders: list[Actor]) -> None:
    """They have the turn in the log when their answer is kept, which refers to them."""
    draft = workshop.fork(founders[4], workshop.page(founders[0]), ("three times", "twice"))
    ask(workshop, founders[0])
    with ThreadPoolExecutor(1) as pool:
        with workshop.writing() as session:
            withdraw_draft(session, founders[4], draft.id)
            done = pool.submit(ask, workshop, founders[1])
            wait_for_a_waiter(workshop.database, done)
            session.add(
                KeptAnswer(user_id=founders[4].id, key="k", fingerprint="", at=now(session), status=200, media_type="")
            )
            session.flush()
        assert done.result().state is voiding.VoidingState.DONE


def test_a_decision_under_way_does_not_make_forget_when_kept_votes_count(
    workshop: Workshop, founders: list[Actor]
) -> None:
    """A vote is being counted that knows of one vouch; meanwhile comes the second, and the follower looks."""
    page = workshop.page(founders[0])
    head = workshop.shared_head(page)
    for founder in founders[:4]:
        workshop.vote(founder, head)
    workshop.vote(workshop.member("bea", chapter="north"), head)
    workshop.vouch(founders[0], "bea")
    looking = follower.CandidateFollower()
    looking.follow(workshop.database)
    with ThreadPoolExecutor(1) as pool:
        with workshop.writing() as session:
            sha256 = revisions.get(session, head).sha256
            votes.cast_vote(session, founders[0], head, sha256=sha256, value=Value.OPPOSE)
            session.flush()
            workshop.vouch(founders[2], "bea")
            done = pool.submit(looking.follow, workshop.database)
            wait_for_a_waiter(workshop.database, done)
        done.result()
    with workshop.reading() as session:
        candidate = find_by_revision(session, head)
        assert candidate is not None
        assert candidate.due_at == accounts.get_user(session, "bea").seasoned_at
