"""What newcomers and void members voted on is decided anew once their votes count, whatever happens meanwhile."""

from typing import Any

import pytest
from sqlalchemy import event

from app.accounts.seasoning import Seasoning
from app.approvals import service as approvals
from app.consensus import recounting, voiding
from app.consensus.candidates import find_by_revision
from app.consensus.facts import State
from app.consensus.models import Candidate, Value
from app.drafts import service as drafts
from app.pages.models import Page
from app.permissions import Actor, Role
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import Workshop

pytestmark = POSTGRES_IN_SOAK

HOURS = 72


@pytest.fixture(autouse=True)
def seasoned(workshop: Workshop) -> None:
    workshop.database.info["seasoning"] = Seasoning(hours=HOURS, vouches=2, founders=12)


@pytest.fixture
@made_once
def founders(workshop: Workshop) -> list[Actor]:
    """Twelve moderators in two chapters by turns; whoever comes after them is new."""
    return [workshop.member(f"m-{n}", chapter=("north", "south")[n % 2], role=Role.MODERATOR) for n in range(12)]


@pytest.fixture
@made_once
def page(workshop: Workshop, founders: list[Actor]) -> Page:
    return workshop.page(founders[0], "Fares", "# Fares\n\nOne bus every hour.\n")


@pytest.fixture
@made_once
def bea(workshop: Workshop, founders: list[Actor]) -> Actor:
    """Joined when the twelve had."""
    return workshop.member("bea", chapter="north")


def approve(workshop: Workshop, clock: MovableClock, page: Page, founders: list[Actor]) -> int:
    head = workshop.shared_head(page)
    for founder in founders[:6]:
        workshop.vote(founder, head)
    clock.move(hours=30)
    workshop.follow()
    return head


def vouch_for(workshop: Workshop, founders: list[Actor], name: str, *, first: int = 0) -> None:
    """Two of the founders of one chapter."""
    for by in (founders[first], founders[first + 2]):
        workshop.vouch(by, name)


def void(workshop: Workshop, founders: list[Actor], name: str, *, voids: bool) -> None:
    for by in founders[:2]:
        with workshop.writing() as session:
            voiding.ask(session, by, name, voids=voids, reason="Five accounts of one person.")


def candidate_of(workshop: Workshop, head: int) -> Candidate:
    with workshop.reading() as session:
        candidate = find_by_revision(session, head)
        assert candidate is not None
        session.expunge(candidate)
        return candidate


@pytest.mark.parametrize("hours_before_the_vouches", [0, HOURS + 8])
def test_kept_votes_take_an_approval_back_without_anybody_voting_then(
    workshop: Workshop, clock: MovableClock, page: Page, founders: list[Actor], hours_before_the_vouches: int
) -> None:
    head = approve(workshop, clock, page, founders)
    newcomers = [workshop.member(f"new-{n}", chapter=("north", "south")[n % 2]) for n in range(10)]
    for newcomer in newcomers:
        workshop.vote(newcomer, head, Value.OPPOSE)
    clock.move(hours=hours_before_the_vouches)
    for number in range(10):
        vouch_for(workshop, founders, f"new-{number}", first=number % 2 + 4 * (number // 4))
    clock.move(hours=HOURS + 8)
    workshop.follow()
    clock.move(hours=13)
    workshop.follow()
    with workshop.reading() as session:
        current = approvals.find_current(session, page.id)
    assert current is not None
    assert current.contested


def test_what_is_stale_is_not_looked_at_again_and_again(
    workshop: Workshop, clock: MovableClock, page: Page, founders: list[Actor], bea: Actor
) -> None:
    approve(workshop, clock, page, founders)
    winner, loser = (drafts.head_of(workshop.fork(founders[0], page, ("One", many))) for many in ("Two", "Three"))
    workshop.vote(bea, loser)
    for founder in founders:
        workshop.vote(founder, winner)
    clock.move(hours=30)
    workshop.follow()
    workshop.follow()
    assert candidate_of(workshop, loser).stale
    clock.move(hours=HOURS + 8)
    vouch_for(workshop, founders, "bea")
    workshop.follow()
    assert candidate_of(workshop, loser).due_at is None
    with workshop.reading() as session:
        assert recounting.list_members(session) == []


def test_a_voiding_meanwhile_does_not_make_forget_what_opened_before(
    workshop: Workshop, clock: MovableClock, page: Page, founders: list[Actor], bea: Actor
) -> None:
    head = workshop.shared_head(page)
    for founder in founders[3:6]:
        workshop.vote(founder, head)
    workshop.vote(bea, head)
    clock.move(hours=HOURS + 8)
    workshop.follow()
    vouch_for(workshop, founders, "bea")
    void(workshop, founders, "bea", voids=True)
    workshop.follow()
    assert workshop.decision(head).state is State.WAITING
    clock.move(hours=13)
    workshop.follow()
    assert workshop.approved_text(page) is not None


def test_votes_given_back_while_the_follower_ends_are_looked_at_too(
    workshop: Workshop, page: Page, founders: list[Actor], bea: Actor
) -> None:
    vouch_for(workshop, founders, "bea")
    with workshop.reading() as session:
        listed = recounting.list_members(session)
    void(workshop, founders, "bea", voids=True)
    void(workshop, founders, "bea", voids=False)
    with workshop.writing() as session:
        for member_id, asked in listed:
            recounting.finish(session, member_id, asked)
    with workshop.reading() as session:
        assert recounting.list_members(session) == [(bea.id, 2)]


def test_what_went_wrong_with_one_text_is_tried_again_and_keeps_no_other_waiting(
    workshop: Workshop, clock: MovableClock, page: Page, founders: list[Actor], bea: Actor
) -> None:
    pages = [page, workshop.page(founders[0], "Buses", "# Buses\n\nMany.\n")]
    heads = [workshop.shared_head(it) for it in pages]
    for head in heads:
        workshop.vote(bea, head)
    clock.move(hours=HOURS + 8)
    vouch_for(workshop, founders, "bea")
    first = candidate_of(workshop, heads[0]).id

    def fail(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        values = parameters.values() if isinstance(parameters, dict) else parameters
        if statement.startswith("UPDATE candidate") and [*values][-1] == first:
            raise RuntimeError("a fault")

    event.listen(workshop.database.engine, "before_cursor_execute", fail)
    workshop.follow()
    event.remove(workshop.database.engine, "before_cursor_execute", fail)
    assert candidate_of(workshop, heads[0]).opened_at is None
    assert candidate_of(workshop, heads[1]).opened_at == clock()
    workshop.follow()
    assert candidate_of(workshop, heads[0]).opened_at == clock()


def test_to_find_nobody_reads_no_member(workshop: Workshop) -> None:
    if not workshop.database.is_sqlite:
        pytest.skip("PostgreSQL reads a table as small as this one whole")
    with workshop.reading() as session:
        steps = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM member WHERE recounts_asked > recounts_done ORDER BY id"
        )
        assert "ix_member_recounted" in str(steps.all())
