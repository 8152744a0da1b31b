"""Rapid mode: who opens it, what it shortens, and how a rapid approval goes back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.approvals import service as approvals
from app.consensus import rapid, rule_changes
from app.consensus.circumstances import circumstances_of
from app.consensus.facts import State
from app.consensus.models import Value
from app.drafts import service as drafts
from app.errors import Conflict, NotAllowed
from app.pages.models import Page
from app.permissions import Actor, Role
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import HOUSING, Workshop

pytestmark = POSTGRES_IN_SOAK

TWENTY = HOUSING.replace("10,000", "20,000")


@pytest.fixture
@made_once
def members(workshop: Workshop) -> list[Actor]:
    """Twelve: four are needed, and below ten the rapid wait is two hours."""
    return [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(12)]


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock, members: list[Actor]) -> Page:
    page = workshop.page(members[0])
    for member in members[:7]:
        workshop.vote(member, workshop.shared_head(page))
    clock.move(hours=30)
    workshop.follow()
    return page


def call(workshop: Workshop, actor: Actor, page: Page) -> rapid.Rapid:
    with workshop.writing() as session:
        return rapid.call(session, actor, page)


def open_rapid(workshop: Workshop, page: Page, members: list[Actor]) -> None:
    call(workshop, members[0], page)
    assert call(workshop, members[1], page).until is not None


def waiting(workshop: Workshop, page: Page, members: list[Actor]) -> int:
    head = drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000")))
    for member in members[:5]:
        workshop.vote(member, head)
    return head


def test_it_takes_two_members_of_different_chapters(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    assert call(workshop, members[0], page).until is None
    with pytest.raises(Conflict, match="one more member"):
        call(workshop, members[0], page)
    with pytest.raises(Conflict, match="your own chapter"):
        call(workshop, members[2], page)
    assert call(workshop, members[1], page).until == clock.moment + timedelta(hours=48)
    with pytest.raises(Conflict, match="on here already"):
        call(workshop, members[3], page)


def test_two_members_do_where_only_one_chapter_counts(workshop: Workshop) -> None:
    alone = [workshop.member(f"a{n}", chapter="north", role=Role.WRITER) for n in range(5)]
    page = workshop.page(alone[0])
    call(workshop, alone[0], page)
    assert call(workshop, alone[1], page).until is not None


def test_a_call_that_nobody_seconds_lapses_after_a_day(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    call(workshop, members[0], page)
    clock.move(hours=24)
    assert call(workshop, members[1], page).until is None


def test_newcomers_cannot_call(workshop: Workshop, page: Page) -> None:
    workshop.database.info["seasoning"] = replace(workshop.database.info["seasoning"], founders=1)
    newcomer = workshop.member("new", chapter="south")
    with pytest.raises(NotAllowed):
        call(workshop, newcomer, page)


def test_what_waits_already_waits_no_longer_than_the_rapid_time(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    head = waiting(workshop, page, members)
    clock.move(hours=1)
    open_rapid(workshop, page, members)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING
    clock.move(hours=1)
    workshop.follow()
    assert workshop.approved_text(page) == TWENTY
    with workshop.reading() as session:
        found = approvals.find_current(session, page.id)
    assert found is not None
    assert found.mode == "rapid"
    assert "approved in rapid mode" in workshop.decision(head).reasons[2]


def test_a_rapid_approval_goes_back_after_two_days_unless_it_passes_for_the_routine_time(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    head = waiting(workshop, page, members)
    open_rapid(workshop, page, members)
    clock.move(hours=2)
    workshop.follow()
    assert workshop.approved_text(page) == TWENTY
    for member in members[5:7]:  # five for and two against: neither three to one nor refused
        workshop.vote(member, head, Value.OPPOSE)
    clock.move(hours=47)
    workshop.follow()
    assert workshop.approved_text(page) == TWENTY
    clock.move(hours=1)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING
    assert workshop.decision(head).state is State.UNPROMOTED


def test_a_rapid_approval_stays_once_it_has_passed_for_the_routine_time(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    head = waiting(workshop, page, members)
    open_rapid(workshop, page, members)
    clock.move(hours=2)
    workshop.follow()
    clock.move(hours=11)
    workshop.follow()
    for member in members[5:7]:
        workshop.vote(member, head, Value.OPPOSE)
    clock.move(hours=50)
    workshop.follow()
    assert workshop.approved_text(page) == TWENTY


def test_when_rapid_mode_is_over_what_waits_waits_the_routine_time_again(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    open_rapid(workshop, page, members)
    clock.move(hours=47)
    head = waiting(workshop, page, members)
    clock.move(hours=2)
    workshop.follow()
    decision = workshop.decision(head)
    assert decision.state is State.WAITING
    assert decision.waits_until == clock.moment + timedelta(hours=10)


def test_it_lasts_as_long_as_it_was_opened_for_whatever_the_rule_says_later(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    ada, bea = (workshop.member(chapter=chapter, role=Role.MODERATOR) for chapter in ("north", "south"))
    for seconds in (14 * 86_400, 3_600):
        with workshop.writing() as session:
            proposed = rule_changes.propose(session, ada, "rapid_lasts", seconds, reason="The last days.")
            rule_changes.confirm(session, bea, proposed.proposal.id)
        if seconds > 3_600:
            open_rapid(workshop, page, members)
    clock.move(hours=25)
    with workshop.reading() as session:
        until = circumstances_of(session, [page.id])[page.id].rapid_until
        assert until is not None
        assert rapid.rapid_of(session, page).until == until
