"""What another number would have made of votes that are over, counted anew from their record."""

import pytest

from app.consensus import stopping, trial
from app.consensus.models import Value
from app.consensus.trial import Outcome, Trial
from app.permissions import Actor, Role
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import Workshop

pytestmark = POSTGRES_IN_SOAK

HOUR = 3_600
NOTHING: dict[tuple[Outcome, Outcome], int] = {}


@pytest.fixture
@made_once
def members(workshop: Workshop) -> list[Actor]:
    """Twelve members: four are needed."""
    return [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(12)]


def put_up(workshop: Workshop, members: list[Actor], title: str) -> int:
    return workshop.shared_head(workshop.page(members[0], title, f"# {title}\n\nWords of {title}.\n"))


def vote(workshop: Workshop, head: int, voters: list[Actor], value: Value = Value.SUPPORT) -> None:
    for voter in voters:
        workshop.vote(voter, head, value)


def pass_time(workshop: Workshop, clock: MovableClock, **by: float) -> None:
    clock.move(**by)
    workshop.follow()


def try_it(workshop: Workshop, value: int | None, name: str = "wait_routine") -> Trial | None:
    with workshop.reading() as session:
        return trial.try_value(session, name, value)


def test_without_decisions_there_is_nothing_to_try_it_on(workshop: Workshop, members: list[Actor]) -> None:
    vote(workshop, put_up(workshop, members, "Open"), members[:4])
    assert try_it(workshop, 60) == Trial(0, 0, NOTHING, 0, 0)


def test_approvals_move_when_nobody_changed_their_mind(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    vote(workshop, put_up(workshop, members, "Quiet"), members[:4])
    pass_time(workshop, clock, hours=13)
    assert try_it(workshop, 12 * HOUR) == Trial(1, 0, NOTHING, 0, 0)
    assert try_it(workshop, HOUR) == Trial(1, 0, NOTHING, 1, 0)
    assert try_it(workshop, 24 * HOUR) == Trial(1, 0, NOTHING, 0, 1), "its votes are taken to stay as they are"
    expired = {(Outcome.APPROVED, Outcome.NEITHER): 1}
    assert try_it(workshop, 15 * 24 * HOUR) == Trial(1, 0, expired, 0, 0), "a vote lasts fourteen days"


def test_a_majority_waits_for_nothing(workshop: Workshop, clock: MovableClock, members: list[Actor]) -> None:
    vote(workshop, put_up(workshop, members, "Clear"), members[:7])
    pass_time(workshop, clock, hours=1)
    assert try_it(workshop, 20 * 24 * HOUR) == Trial(1, 0, NOTHING, 0, 0)


def test_a_shorter_wait_approves_what_was_declined(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    head = put_up(workshop, members, "Regretted")
    vote(workshop, head, members[:4])
    pass_time(workshop, clock, hours=2)
    vote(workshop, head, members[2:9], Value.OPPOSE)
    pass_time(workshop, clock, hours=13)
    assert workshop.decision(head).state == "declined"
    found = try_it(workshop, HOUR)
    assert found == Trial(1, 0, {(Outcome.DECLINED, Outcome.APPROVED): 1}, 0, 0)
    assert found.changed == 1
    assert try_it(workshop, 2 * HOUR) == found, "a wait that ends as a vote comes ends first"
    assert try_it(workshop, 2 * HOUR + 1) == Trial(1, 0, NOTHING, 0, 0)


def test_votes_after_the_approval_count_for_a_longer_wait(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    head = put_up(workshop, members, "Hasty")
    vote(workshop, head, members[:4])
    pass_time(workshop, clock, hours=13)
    vote(workshop, head, members[4:6], Value.OPPOSE)
    assert try_it(workshop, 12 * HOUR) == Trial(1, 0, NOTHING, 0, 0)
    assert try_it(workshop, 24 * HOUR) == Trial(1, 0, {(Outcome.APPROVED, Outcome.NEITHER): 1}, 0, 0)


def test_a_vote_that_ended_undecided_stays_so_without_support(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    vote(workshop, put_up(workshop, members, "Unread"), members[:2])
    pass_time(workshop, clock, days=15)
    assert try_it(workshop, 0) == Trial(1, 0, NOTHING, 0, 0)


def test_only_the_last_ninety_days_and_the_newest_are_looked_at(
    workshop: Workshop, clock: MovableClock, members: list[Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("One", "Two", "Three"):
        vote(workshop, put_up(workshop, members, title), members[:4])
    pass_time(workshop, clock, hours=13)
    assert try_it(workshop, HOUR) == Trial(3, 0, NOTHING, 3, 0)
    monkeypatch.setattr(trial, "MOST_DECISIONS", 2)
    assert try_it(workshop, HOUR) == Trial(2, 0, NOTHING, 2, 0)
    monkeypatch.setattr(trial, "MOST_VOTES", 7)
    assert try_it(workshop, HOUR) == Trial(1, 0, NOTHING, 1, 0)
    pass_time(workshop, clock, days=90)
    assert try_it(workshop, HOUR) == Trial(0, 0, NOTHING, 0, 0)


def test_what_the_votes_do_not_explain_is_left_out(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    """A moderator cuts the waiting short, and the votes turn before it would have been over."""
    page = workshop.page(members[0])
    vote(workshop, workshop.shared_head(page), members[:4])
    pass_time(workshop, clock, hours=13)
    pass_time(workshop, clock, hours=30)
    fork = workshop.fork(members[0], page, ("10,000", "20,000"))
    vote(workshop, fork.head_id or 0, members[:4])
    moderator = workshop.member("ada", chapter="north", role=Role.MODERATOR)
    with workshop.writing() as session:
        stopping.correct(session, moderator, page, revision_id=fork.head_id or 0, reason="It is urgent.")
    vote(workshop, fork.head_id or 0, members[4:7], Value.OPPOSE)
    assert try_it(workshop, 12 * HOUR) == Trial(1, 1, NOTHING, 0, 0)


def test_the_time_after_a_neighbour_can_be_tried(workshop: Workshop, clock: MovableClock, members: list[Actor]) -> None:
    """Two sentences of one line: the second text has waited long enough half an hour after the first is approved."""
    page = workshop.page(members[0])
    vote(workshop, workshop.shared_head(page), members[:7])
    clock.move(hours=30)
    changes = (("fair contract", "firm contract"), ("fair hearing", "fast hearing"))
    for change in changes:
        vote(workshop, workshop.fork(members[0], page, change).head_id or 0, members[:4])
        clock.move(minutes=30)
    pass_time(workshop, clock, hours=11)
    for _ in range(3):
        pass_time(workshop, clock, minutes=30)
    text = workshop.approved_text(page) or ""
    assert all(new in text for _old, new in changes)
    assert try_it(workshop, HOUR, "neighbour_wait") == Trial(3, 0, NOTHING, 0, 0)
    assert try_it(workshop, 0, "neighbour_wait") == Trial(3, 0, NOTHING, 1, 0)
    assert try_it(workshop, 2 * HOUR, "neighbour_wait") == Trial(3, 0, NOTHING, 0, 1)


@pytest.mark.parametrize("name", ["vouches", "active_days", "founders", "rapid_lasts"])
def test_numbers_that_votes_cannot_tell_of_are_not_tried(workshop: Workshop, members: list[Actor], name: str) -> None:
    assert try_it(workshop, 3, name) is None
