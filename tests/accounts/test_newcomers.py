"""Newcomers' votes are kept, and count once they have been here for a while and members vouched for them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlmodel import func, select

from app.accounts import seasoning
from app.accounts import service as accounts
from app.accounts.models import Vouch
from app.accounts.seasoning import NotVouchedYet, Seasoning
from app.activity.models import Activity
from app.consensus.candidates import find_by_revision
from app.consensus.facts import State
from app.drafts.models import Draft
from app.errors import Conflict, NotFound, Refused
from app.permissions import Actor, Role
from app.transfer.verification import verify_database
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import Workshop

pytestmark = POSTGRES_IN_SOAK


@pytest.fixture
def founders(workshop: Workshop) -> list[Actor]:
    """Four whose votes count at once, three of them in the north; whoever comes after them is new."""
    workshop.database.info["seasoning"] = Seasoning(hours=72, vouches=2, founders=4)
    north = [workshop.member(f"north-{n}", chapter="north", role=Role.WRITER) for n in range(3)]
    return [*north, workshop.member("south-0", chapter="south")]


@pytest.fixture
def change(workshop: Workshop, founders: list[Actor]) -> Draft:
    """Put to the vote on a page without approved text. Two of four are enough."""
    return workshop.fork(founders[0], workshop.page(founders[0]), ("10,000", "12,000"))


def season(workshop: Workshop, clock: MovableClock, founders: list[Actor], name: str) -> None:
    workshop.vouch(founders[0], name)
    workshop.vouch(founders[1], name)
    clock.move(hours=73)
    workshop.follow()


def test_a_crowd_of_new_accounts_decides_nothing(
    workshop: Workshop, clock: MovableClock, founders: list[Actor], change: Draft
) -> None:
    assert change.head_id is not None
    for number in range(10):
        workshop.vote(workshop.member(f"new-{number}", chapter="south"), change.head_id)
    clock.move(days=10)
    workshop.follow()
    decision = workshop.decision(change.head_id)
    assert (decision.state, decision.count.active, decision.count.supporters) == (State.COLLECTING, 4, 0)
    assert workshop.approved_text(workshop.get_page("housing")) is None


def test_to_vouch_waits_for_nobody_who_decides(workshop: Workshop, founders: list[Actor], change: Draft) -> None:
    assert change.head_id is not None
    workshop.vote(workshop.member("bea", chapter="north"), change.head_id)
    workshop.vouch(founders[0], "bea")
    with ThreadPoolExecutor(1) as pool:
        with workshop.writing() as session:
            candidate = find_by_revision(session, change.head_id)
            assert candidate is not None
            candidate.not_before = candidate.changed_at
            session.flush()
            done = pool.submit(workshop.vouch, founders[1], "bea")
            if not workshop.database.is_sqlite:  # which has one writer at a time
                done.result(timeout=30)
        done.result()


def test_a_kept_vote_counts_from_the_third_day_once_two_have_vouched(
    workshop: Workshop, clock: MovableClock, founders: list[Actor], change: Draft
) -> None:
    assert change.head_id is not None
    workshop.vote(workshop.member("bea", chapter="north"), change.head_id)
    workshop.vouch(founders[0], "bea")
    clock.move(hours=80)
    workshop.follow()
    assert workshop.decision(change.head_id).count.supporters == 0
    workshop.vouch(founders[1], "Bea")
    with workshop.reading() as session:
        bea = accounts.actor_of(accounts.get_user(session, "bea"))
        assert seasoning.counts_from(session, bea) == clock.moment  # never from before the last vouch
    workshop.follow()
    decision = workshop.decision(change.head_id)
    assert (decision.count.supporters, decision.count.active) == (1, 5)


def test_votes_that_begin_to_count_open_the_vote_and_start_the_waiting_then(
    workshop: Workshop, clock: MovableClock, founders: list[Actor], change: Draft
) -> None:
    assert change.head_id is not None
    joined = clock.moment
    for name in ("bea", "cy"):
        workshop.vote(workshop.member(name, chapter="north"), change.head_id)
        workshop.vouch(founders[0], name)
        workshop.vouch(founders[1], name)
    workshop.vote(workshop.member("dee", chapter="south"), change.head_id)
    clock.move(hours=71)
    workshop.follow()
    assert workshop.decision(change.head_id).state is State.COLLECTING
    clock.move(hours=5)
    workshop.vote(founders[3], change.head_id)
    decision = workshop.decision(change.head_id)
    assert decision.state is State.WAITING
    assert decision.passing_since == joined + timedelta(hours=76)
    clock.move(hours=13)
    workshop.follow()
    assert "12,000" in (workshop.approved_text(workshop.get_page("housing")) or "")
    assert verify_database(workshop.database).faults == []


def test_a_vote_that_begins_to_count_decides_without_anybody_voting_then(
    workshop: Workshop, clock: MovableClock, founders: list[Actor], change: Draft
) -> None:
    """Two of the four are needed: one of them, and the newcomer from the third day on."""
    assert change.head_id is not None
    workshop.vote(founders[3], change.head_id)
    workshop.vote(workshop.member("bea", chapter="north"), change.head_id)
    for founder in founders[:2]:
        workshop.vouch(founder, "bea")
    clock.move(hours=71)
    workshop.follow()
    clock.move(hours=12)
    workshop.follow()
    assert workshop.approved_text(workshop.get_page("housing")) is None
    clock.move(hours=2)
    workshop.follow()
    assert "12,000" in (workshop.approved_text(workshop.get_page("housing")) or "")


def test_whoever_may_not_vouch_is_told_why(workshop: Workshop, clock: MovableClock, founders: list[Actor]) -> None:
    bea = workshop.member("bea", chapter="north")
    south = [workshop.member(f"south-{n}", chapter="south") for n in range(1, 3)]
    with pytest.raises(NotVouchedYet):
        workshop.vouch(bea, south[0].name)
    with pytest.raises(Refused, match="another chapter"):
        workshop.vouch(founders[3], "bea")
    with pytest.raises(Refused, match="themselves"):
        workshop.vouch(founders[0], founders[0].name)
    with pytest.raises(NotFound, match="Nobody here"):
        workshop.vouch(founders[0], "nobody")
    workshop.vouch(founders[0], "bea")
    with pytest.raises(Conflict, match="already"):
        workshop.vouch(founders[0], "bea")
    # The south has one whose vote counts, so members from elsewhere may help it.
    season(workshop, clock, founders, south[0].name)
    with pytest.raises(Refused, match="another chapter"):
        workshop.vouch(founders[0], south[1].name)


def test_one_member_vouches_for_five_people_a_week(
    workshop: Workshop, clock: MovableClock, founders: list[Actor]
) -> None:
    for number in range(6):
        workshop.member(f"new-{number}", chapter="north")
    for number in range(5):
        workshop.vouch(founders[0], f"new-{number}")
    with pytest.raises(Refused, match="5 people this week"):
        workshop.vouch(founders[0], "new-5")
    clock.move(days=6, hours=23)
    with pytest.raises(Refused, match="5 people this week"):
        workshop.vouch(founders[0], "new-5")
    clock.move(hours=2)
    workshop.vouch(founders[0], "new-5")


def test_the_first_members_count_at_once_and_later_ones_without_vouches_after_a_while(workshop: Workshop) -> None:
    workshop.database.info["seasoning"] = Seasoning(hours=5, vouches=0, founders=1)
    first, second = workshop.member(), workshop.member()
    with workshop.reading() as session:
        joined = seasoning.counts_from(session, first)
        later = seasoning.counts_from(session, second)
    assert joined is not None
    assert later == joined + timedelta(hours=5)


def test_nobody_vouches_for_a_member_whose_votes_count(
    workshop: Workshop, clock: MovableClock, founders: list[Actor]
) -> None:
    """Neither for one of the first nor for somebody vouched for; the vouches of a week are not used up by it."""
    workshop.member("bea", chapter="north")
    workshop.vouch(founders[0], "bea")
    workshop.vouch(founders[1], "bea")
    with pytest.raises(Conflict, match="needs nobody"):
        workshop.vouch(founders[2], "bea")  # enough have; only the days are missing
    clock.move(hours=73)
    workshop.follow()

    def stored() -> tuple[int, int, datetime | None]:
        with workshop.reading() as session:
            bea = accounts.get_user(session, "bea")
            rows = session.exec(select(func.count()).select_from(Vouch)).one()
            return rows, len(session.exec(select(Activity)).all()), bea.seasoned_at

    before = stored()
    for name in ("bea", founders[1].name):
        with pytest.raises(Conflict, match=f"{name} needs nobody to vouch for them. Nothing was changed."):
            workshop.vouch(founders[2], name)
    assert stored() == before
