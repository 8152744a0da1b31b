"""Moderators can stop a text. They can never approve one, whatever they try."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.approvals import service as approvals
from app.approvals import stops
from app.approvals.models import StopKind
from app.consensus import candidates, stopping
from app.consensus.facts import State
from app.consensus.models import Value
from app.consensus.stopping import NotAgreed, NothingToStop, NotStopped, StoppedAlready
from app.drafts import service as drafts
from app.errors import Conflict, NotAllowed, Refused
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
    return [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(12)]


@pytest.fixture
@made_once
def ada(workshop: Workshop) -> Actor:
    return workshop.member("ada", chapter="north", role=Role.MODERATOR)


@pytest.fixture
@made_once
def bea(workshop: Workshop) -> Actor:
    return workshop.member("bea", chapter="south", role=Role.MODERATOR)


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock, members: list[Actor], ada: Actor, bea: Actor) -> Page:
    """Housing, its first text approved thirty hours ago."""
    page = workshop.page(members[0])
    choose(workshop, workshop.shared_head(page), members[:8])
    clock.move(hours=30)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING
    return page


def choose(workshop: Workshop, revision_id: int, members: list[Actor], value: Value = Value.SUPPORT) -> None:
    for member in members:
        workshop.vote(member, revision_id, value)


def status(workshop: Workshop, page: Page) -> str:
    with workshop.reading() as session:
        return stops.status_of(approvals.find_current(session, page.id), stops.find_stop(session, page.id))


def do(workshop: Workshop, what: Callable[..., stopping.Done], actor: Actor | None, page: Page, **more: object) -> bool:
    with workshop.writing() as session:
        return what(session, actor, page, **{"reason": "The figure is wrong.", **more}).takes_effect


def current_id(workshop: Workshop, page: Page) -> int:
    with workshop.reading() as session:
        found = approvals.find_current(session, page.id)
        assert found is not None
        return found.revision_id


def test_a_hold_stops_every_promotion_on_the_page_while_votes_go_on_counting(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor], ada: Actor
) -> None:
    head = drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000")))
    choose(workshop, head, members[:4])
    do(workshop, stopping.hold, ada, page)
    assert status(workshop, page) == "held"
    choose(workshop, head, members[4:10])
    clock.move(hours=3)
    workshop.follow()
    decision = workshop.decision(head)
    assert (decision.state, decision.count.supporters) == (State.ON_HOLD, 10)
    assert "“The figure is wrong”" in decision.reasons[1]
    assert workshop.approved_text(page) == HOUSING
    do(workshop, stopping.release, ada, page)
    workshop.follow()
    assert status(workshop, page) == "approved"
    assert workshop.approved_text(page) == TWENTY


def test_a_hold_on_a_page_without_approved_text_stops_its_first_approval(
    workshop: Workshop, members: list[Actor], ada: Actor
) -> None:
    page = workshop.page(members[0], "Trains", "Trains run on time.\n")
    do(workshop, stopping.hold, ada, page)
    choose(workshop, workshop.shared_head(page), members[:9])
    assert (status(workshop, page), workshop.approved_text(page)) == ("held", None)
    do(workshop, stopping.release, ada, page)
    workshop.follow()
    assert workshop.approved_text(page) == "Trains run on time.\n"


def test_a_hold_ends_by_itself_after_four_hours_and_what_waited_is_taken_in_order(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor], ada: Actor
) -> None:
    clock.move(hours=1)
    later = drafts.head_of(workshop.fork(members[1], page, ("three times", "four times")))
    sooner = drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000")))
    choose(workshop, sooner, members[:6])
    clock.move(minutes=5)
    choose(workshop, later, members[:6])
    clock.move(hours=10)
    do(workshop, stopping.hold, ada, page)
    clock.move(hours=3, minutes=59)
    workshop.follow()
    assert status(workshop, page) == "held"
    assert workshop.approved_text(page) == HOUSING, "both waits are over by now"
    clock.move(minutes=1)
    workshop.follow()
    workshop.follow()
    assert workshop.approved_text(page) == TWENTY.replace("three times", "four times")
    with workshop.reading() as session:
        steps = stops.list_steps(session, page.id)
    told = [row.kind for step in steps if (row := step.stop or step.approval)]
    assert told == ["promoted", "promoted", "released", "held", "promoted"]
    assert steps[1].approval is not None
    assert steps[1].approval.revision_id == sooner


def test_a_second_moderator_makes_a_hold_last(
    workshop: Workshop, clock: MovableClock, page: Page, ada: Actor, bea: Actor
) -> None:
    do(workshop, stopping.hold, ada, page)
    with pytest.raises(StoppedAlready, match="ends by itself"):
        do(workshop, stopping.hold, ada, page)
    do(workshop, stopping.hold, bea, page)
    clock.move(days=3)
    workshop.follow()
    assert status(workshop, page) == "held"
    do(workshop, stopping.release, bea, page)
    assert status(workshop, page) == "approved"


def test_one_moderator_cannot_go_on_holding_a_text_that_nobody_else_would_hold(
    workshop: Workshop, clock: MovableClock, page: Page, ada: Actor, bea: Actor
) -> None:
    do(workshop, stopping.hold, ada, page)
    clock.move(hours=5)
    workshop.follow()
    with pytest.raises(Conflict, match="nobody confirmed it"):
        do(workshop, stopping.hold, ada, page)
    do(workshop, stopping.hold, bea, page)
    assert status(workshop, page) == "held"


def test_one_moderator_holds_a_text_no_longer_by_releasing_it_now_and_then(
    workshop: Workshop, clock: MovableClock, page: Page, ada: Actor, bea: Actor
) -> None:
    for _ in range(2):
        do(workshop, stopping.hold, ada, page)
        clock.move(hours=1)
        do(workshop, stopping.release, ada, page)
    until = clock.moment + timedelta(hours=2)
    do(workshop, stopping.hold, ada, page)
    with workshop.reading() as session:
        held = stops.find_stop(session, page.id)
        assert held is not None
        assert held.until == until, "of four hours, two are left"
    clock.move(hours=1, minutes=59)
    do(workshop, stopping.release, ada, page)
    do(workshop, stopping.hold, ada, page)
    clock.move(minutes=1)
    assert status(workshop, page) == "approved"
    with pytest.raises(Conflict, match="nobody confirmed it"):
        do(workshop, stopping.hold, ada, page)
    do(workshop, stopping.hold, bea, page)
    assert status(workshop, page) == "held"


def test_the_approved_text_cannot_lose_its_approval_while_it_is_held(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor], ada: Actor, bea: Actor
) -> None:
    text = current_id(workshop, page)
    choose(workshop, text, members[2:10], Value.OPPOSE)
    do(workshop, stopping.hold, ada, page)
    do(workshop, stopping.hold, bea, page)
    clock.move(hours=20)
    workshop.follow()
    assert status(workshop, page) == "held"
    do(workshop, stopping.release, ada, page)
    workshop.follow()
    assert status(workshop, page) == "contested"


def test_a_withdrawn_text_comes_back_by_two_moderators_of_different_chapters(
    workshop: Workshop, page: Page, ada: Actor, bea: Actor
) -> None:
    do(workshop, stopping.withdraw, ada, page)
    assert status(workshop, page) == "withdrawn"
    decision = workshop.decision(current_id(workshop, page))
    assert (decision.state, decision.reasons[0]) == (State.WITHDRAWN, "This text was withdrawn.")
    assert "“The figure is wrong”" in decision.reasons[1]
    assert not do(workshop, stopping.restore, ada, page), "it takes a second moderator"
    with pytest.raises(Conflict, match="asked for this already"):
        do(workshop, stopping.restore, ada, page)
    neighbour = workshop.member("abe", chapter="north", role=Role.MODERATOR)
    with pytest.raises(Conflict, match="your own chapter"):
        do(workshop, stopping.restore, neighbour, page)
    assert status(workshop, page) == "withdrawn"
    assert do(workshop, stopping.restore, bea, page)
    assert status(workshop, page) == "approved"


def test_an_old_call_to_restore_does_not_serve_for_a_later_withdrawal(
    workshop: Workshop, page: Page, ada: Actor, bea: Actor
) -> None:
    do(workshop, stopping.withdraw, ada, page)
    do(workshop, stopping.restore, ada, page)
    do(workshop, stopping.restore, bea, page)
    do(workshop, stopping.withdraw, bea, page)
    assert not do(workshop, stopping.restore, bea, page)
    assert status(workshop, page) == "withdrawn"


def test_a_new_vote_ends_a_withdrawal(workshop: Workshop, page: Page, members: list[Actor], ada: Actor) -> None:
    do(workshop, stopping.withdraw, ada, page)
    choose(workshop, drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000"))), members[:9])
    assert (status(workshop, page), workshop.approved_text(page)) == ("approved", TWENTY)


def test_a_correction_puts_back_an_earlier_text_and_its_tally_is_open_again(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor], ada: Actor
) -> None:
    first = current_id(workshop, page)
    second = drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000")))
    choose(workshop, second, members[:9])
    assert workshop.approved_text(page) == TWENTY
    clock.move(hours=1)
    do(workshop, stopping.correct, ada, page, revision_id=first)
    assert workshop.approved_text(page) == HOUSING
    assert workshop.decision(first).state is State.APPROVED
    with workshop.reading() as session:
        found = approvals.find_current(session, page.id)
    assert found is not None
    assert (found.kind, found.actor_id, found.reason) == ("corrected", ada.id, "The figure is wrong.")
    assert workshop.vote(members[11], first).decision.count.supporters == 9


def test_a_correction_releases_a_hold_and_takes_a_candidate_that_only_waits(
    workshop: Workshop, page: Page, members: list[Actor], ada: Actor
) -> None:
    head = drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000")))
    choose(workshop, head, members[:5])
    do(workshop, stopping.hold, ada, page)
    do(workshop, stopping.correct, ada, page, revision_id=head)
    assert (status(workshop, page), workshop.approved_text(page)) == ("approved", TWENTY)
    assert workshop.decision(head).state is State.APPROVED


def test_withdrawn_and_unpromoted_texts_are_not_put_back_by_a_correction(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor], ada: Actor
) -> None:
    first = current_id(workshop, page)
    do(workshop, stopping.withdraw, ada, page)
    second = drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000")))
    choose(workshop, second, members[:9])
    clock.move(hours=30)
    third = drafts.head_of(workshop.fork(members[0], page, ("three times", "four times")))
    choose(workshop, third, members[:9])
    choose(workshop, third, members[2:11], Value.OPPOSE)
    clock.move(hours=13)
    workshop.follow()
    assert workshop.approved_text(page) == TWENTY, "the third lost its approval"
    for taken_back in (first, third):
        with pytest.raises(NotAgreed):
            do(workshop, stopping.correct, ada, page, revision_id=taken_back)
    assert workshop.approved_text(page) == TWENTY


def test_no_path_lets_the_centre_approve_a_text(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor], ada: Actor, bea: Actor
) -> None:
    """Every way we could think of, by moderators and an admin of both chapters together."""
    boss = workshop.member("boss", chapter="south", role=Role.ADMIN)
    centre = [ada, bea, boss]
    wanted = drafts.head_of(workshop.fork(ada, page, ("10,000", "99,000")))
    for actor in centre:
        workshop.vote(actor, wanted)
        with pytest.raises(NotAgreed):
            do(workshop, stopping.correct, actor, page, revision_id=wanted)
    do(workshop, stopping.hold, ada, page)
    for actor in centre:
        with pytest.raises(NotAgreed):
            do(workshop, stopping.correct, actor, page, revision_id=wanted)
    do(workshop, stopping.release, bea, page)
    do(workshop, stopping.withdraw, ada, page)
    with pytest.raises(NotAgreed):
        do(workshop, stopping.correct, boss, page, revision_id=wanted)
    do(workshop, stopping.restore, ada, page)
    do(workshop, stopping.restore, boss, page)
    assert workshop.approved_text(page) == HOUSING, "what comes back is what was approved before"
    clock.move(days=3)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING
    elsewhere = workshop.page(ada, "Trains", "Trains run on time.\n")
    with pytest.raises(NothingToStop):
        do(workshop, stopping.correct, ada, elsewhere, revision_id=workshop.shared_head(elsewhere))
    with pytest.raises(Refused):
        do(workshop, stopping.correct, ada, page, revision_id=workshop.shared_head(elsewhere))
    do(workshop, stopping.hold, ada, elsewhere)
    do(workshop, stopping.release, ada, elsewhere)
    assert workshop.approved_text(elsewhere) is None
    with workshop.reading() as session:
        candidate = candidates.find_by_revision(session, wanted)
        assert candidate is not None
        assert candidate.closed is None


@pytest.mark.parametrize("what", [stopping.hold, stopping.release, stopping.withdraw, stopping.restore])
def test_only_moderators_stop_a_text_and_always_with_a_reason(
    workshop: Workshop, page: Page, members: list[Actor], ada: Actor, what: Callable[..., stopping.Done]
) -> None:
    for actor in (None, members[0]):
        with pytest.raises(NotAllowed):
            do(workshop, what, actor, page)
    with pytest.raises(Refused):
        do(workshop, what, ada, page, reason=" ")
    if what in (stopping.release, stopping.restore):
        with pytest.raises(NotStopped):
            do(workshop, what, ada, page)
    assert status(workshop, page) == "approved"


def test_what_can_be_used_instead_is_the_newest_text_nobody_took_back(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor], ada: Actor
) -> None:
    first = current_id(workshop, page)
    choose(workshop, drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000"))), members[:9])
    clock.move(hours=30)
    choose(workshop, drafts.head_of(workshop.fork(members[0], page, ("20,000", "30,000"))), members[:9])
    do(workshop, stopping.withdraw, ada, page, replacement=None)
    with workshop.reading() as session:
        assert stops.list_usable(session, page.id)[0].id == first
        stop = stops.find_stop(session, page.id)
        assert stop is not None
        assert stop.kind == StopKind.WITHDRAWN
        assert stops.find_stop(session, page.id, as_of=clock.moment.replace(year=2025)) is None
