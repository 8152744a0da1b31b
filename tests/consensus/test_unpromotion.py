"""What becomes of an approved text that members turn against, and of a text they refuse."""

from datetime import timedelta

import pytest

from app.approvals import service as approvals
from app.approvals import stops
from app.approvals.models import Approval, ApprovalKind
from app.consensus import candidates, rapid, withdrawing
from app.consensus.candidates import VotingClosed
from app.consensus.facts import State
from app.consensus.models import Candidate, Value
from app.consensus.rule import Rule
from app.drafts import service as drafts
from app.pages.models import Page
from app.permissions import Actor, Role
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import HOUSING, Workshop

pytestmark = POSTGRES_IN_SOAK

TWENTY = HOUSING.replace("10,000", "20,000")


@pytest.fixture
@made_once
def members(workshop: Workshop) -> list[Actor]:
    """Twelve, so that four are needed and two of them may be of one chapter."""
    return [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(12)]


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock, members: list[Actor]) -> Page:
    """Housing with its first text and, since then, with 20,000 homes in it."""
    page = approved_page(workshop, clock, members)
    choose(workshop, drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000"))), members[:7])
    clock.move(hours=30)
    workshop.follow()
    assert workshop.approved_text(page) == TWENTY
    return page


def approved_page(workshop: Workshop, clock: MovableClock, members: list[Actor]) -> Page:
    """Housing with its first text, approved so long ago that no other has to beat it."""
    page = workshop.page(members[0])
    choose(workshop, workshop.shared_head(page), members[:7])
    clock.move(hours=30)
    return page


def choose(workshop: Workshop, revision_id: int, members: list[Actor], value: Value = Value.SUPPORT) -> None:
    for member in members:
        workshop.vote(member, revision_id, value)


def current(workshop: Workshop, page: Page) -> Approval:
    with workshop.reading() as session:
        found = approvals.find_current(session, page.id)
        assert found is not None
        return found


def candidate_on(workshop: Workshop, revision_id: int) -> Candidate:
    with workshop.reading() as session:
        found = candidates.find_by_revision(session, revision_id)
        assert found is not None
        return found


def test_the_earlier_text_is_served_again_when_too_many_turn_against_the_approved_one(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    removed = current(workshop, page)
    choose(workshop, removed.revision_id, members[3:10], Value.OPPOSE)
    assert workshop.approved_text(page) == TWENTY, "it stays for the waiting time"
    clock.move(hours=11, minutes=59)
    workshop.follow()
    assert workshop.approved_text(page) == TWENTY
    clock.move(minutes=2)
    workshop.follow()
    found = current(workshop, page)
    assert workshop.approved_text(page) == HOUSING
    assert (found.kind, found.contested, found.supersedes_id) == ("unpromoted", False, removed.id)
    assert workshop.decision(removed.revision_id).state is State.UNPROMOTED
    with pytest.raises(VotingClosed):
        workshop.vote(members[11], removed.revision_id)
    again = workshop.decision(found.revision_id)
    assert (again.state, again.count.supporters) == (State.APPROVED, 7), "its own tally is open again"


def test_the_clock_stops_when_enough_come_back_and_starts_anew(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    text = current(workshop, page).revision_id
    choose(workshop, text, members[3:10], Value.OPPOSE)
    clock.move(hours=11)
    choose(workshop, text, members[3:10])
    assert workshop.decision(text).lost_at is None
    clock.move(hours=11)
    choose(workshop, text, members[3:10], Value.OPPOSE)
    clock.move(hours=11)
    workshop.follow()
    assert workshop.approved_text(page) == TWENTY


def test_without_an_earlier_text_it_stands_as_contested_until_it_passes_again(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    page = workshop.page(members[0])
    text = workshop.shared_head(page)
    choose(workshop, text, members[:7])
    choose(workshop, text, members[3:10], Value.OPPOSE)
    clock.move(hours=13)
    workshop.follow()
    found = current(workshop, page)
    assert (found.kind, found.contested, found.revision_id) == ("unpromoted", True, text)
    assert workshop.decision(text).state is State.CONTESTED
    assert stops.status_of(found, None) == "contested"
    choose(workshop, text, members[:10])
    clock.move(hours=13)
    workshop.follow()
    assert (current(workshop, page).kind, current(workshop, page).contested) == ("promoted", False)
    assert workshop.decision(text).state is State.APPROVED


def test_a_contested_text_is_replaced_by_another_that_passes(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    page = workshop.page(members[0])
    text = workshop.shared_head(page)
    choose(workshop, text, members[:7])
    choose(workshop, text, members[3:10], Value.OPPOSE)
    clock.move(hours=30)
    workshop.follow()
    better = workshop.fork(members[0], page, ("10,000", "20,000"))
    choose(workshop, drafts.head_of(better), members[:7])
    assert workshop.approved_text(page) == TWENTY


def test_nothing_else_is_approved_while_the_approved_text_may_lose_its_approval(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    text = current(workshop, page).revision_id
    story = drafts.head_of(workshop.fork(members[0], page, ("three times", "four times")))
    choose(workshop, text, members[3:10], Value.OPPOSE)
    clock.move(hours=1)
    choose(workshop, story, members[:8])
    assert workshop.decision(story).state is State.WAITING
    assert workshop.approved_text(page) == TWENTY
    clock.move(hours=11, minutes=1)
    workshop.follow()
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING.replace("three times", "four times")


def test_what_was_carried_onto_the_removed_text_goes_on_without_it(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    story = drafts.head_of(workshop.fork(members[0], page, ("three times", "four times")))
    choose(workshop, story, members[:2])
    choose(workshop, current(workshop, page).revision_id, members[3:10], Value.OPPOSE)
    clock.move(hours=13)
    workshop.follow()
    workshop.follow()
    carried = candidate_on(workshop, story)
    with workshop.reading() as session:
        text = revisions.text_by_id(session, carried.revision_id)
    assert text == HOUSING.replace("three times", "four times")
    assert workshop.decision(carried.revision_id).count.supporters == 2


def test_a_candidate_that_was_stale_only_against_the_removed_text_is_open_again_with_its_votes(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    page = approved_page(workshop, clock, members)
    rival = drafts.head_of(workshop.fork(members[1], page, ("10,000", "15,000")))
    choose(workshop, rival, members[:2])
    choose(workshop, drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000"))), members[:7])
    workshop.follow()
    assert candidate_on(workshop, rival).stale
    choose(workshop, current(workshop, page).revision_id, members[3:10], Value.OPPOSE)
    clock.move(hours=13)
    workshop.follow()
    workshop.follow()
    revived = candidate_on(workshop, rival)
    assert not revived.stale
    assert workshop.decision(rival).count.supporters == 2
    choose(workshop, rival, members[2:9])
    assert workshop.approved_text(page) == HOUSING.replace("10,000", "15,000")


def test_a_text_that_lost_its_approval_is_passed_over_later(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    choose(workshop, current(workshop, page).revision_id, members[3:10], Value.OPPOSE)
    clock.move(hours=30)
    workshop.follow()
    third = drafts.head_of(workshop.fork(members[0], page, ("10,000", "30,000")))
    choose(workshop, third, members[:7])
    clock.move(hours=30)
    choose(workshop, current(workshop, page).revision_id, members[3:10], Value.OPPOSE)
    clock.move(hours=13)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING
    with workshop.reading() as session:
        assert stops.list_usable(session, page.id) == []


def test_without_waiting_the_vote_that_turns_it_takes_it_back_in_its_own_transaction(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    workshop.database.info["rule"] = Rule(wait_routine=0)
    page = approved_page(workshop, clock, members)
    choose(workshop, drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000"))), members[:7])
    for member in members[3:10]:
        if workshop.approved_text(page) == TWENTY:
            workshop.vote(member, current(workshop, page).revision_id, Value.OPPOSE)
    assert workshop.approved_text(page) == HOUSING


def test_an_imported_text_can_be_voted_out_though_nobody_voted_it_in(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    page = workshop.page(members[0])
    with workshop.writing() as session:
        head = revisions.get(session, drafts.head_of(drafts.get_shared(session, page.id)))
        approvals.approve(session, head, kind=ApprovalKind.IMPORTED, basis="import")
    choose(workshop, head.id, members[:5], Value.OPPOSE)
    assert workshop.decision(head.id).lost_at is not None
    clock.move(hours=13)
    workshop.follow()
    assert current(workshop, page).contested


def test_a_text_that_is_refused_is_declined_and_comes_back_only_changed(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    refused = drafts.head_of(workshop.fork(members[0], page, ("three times", "nine times")))
    choose(workshop, refused, members[:5], Value.OPPOSE)
    clock.move(hours=13)
    workshop.follow()
    assert workshop.decision(refused).state is State.DECLINED
    with pytest.raises(VotingClosed, match="declined"):
        workshop.vote(members[6], refused)
    with pytest.raises(VotingClosed, match="declined exactly this text"), workshop.writing() as session:
        candidates.put_forward(session, members[0], revisions.get(session, refused).draft_id)
    same = drafts.head_of(workshop.fork(members[1], page, ("three times", "nine times")))
    with pytest.raises(VotingClosed, match="declined exactly this text"):
        workshop.vote(members[6], same)
    other = drafts.head_of(workshop.fork(members[1], page, ("three times", "eight times")))
    assert workshop.vote(members[6], other).decision.state is State.COLLECTING


def test_a_vote_that_ended_without_a_decision_begins_anew_when_it_is_put_forward_again(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    fork = workshop.fork(members[0], page, ("three times", "five times"))
    choose(workshop, drafts.head_of(fork), members[:2])
    clock.move(days=15)
    workshop.follow()
    assert workshop.decision(drafts.head_of(fork)).state is State.EXPIRED
    with pytest.raises(VotingClosed, match="put it forward again"):
        workshop.vote(members[3], drafts.head_of(fork))
    with workshop.writing() as session:
        reopened = candidates.put_forward(session, members[0], fork.id)
        assert (reopened.closed, reopened.electorate, reopened.opened_at) == (None, None, None)
    assert workshop.decision(drafts.head_of(fork)).count.supporters == 0
    assert workshop.vote(members[3], drafts.head_of(fork)).decision.count.supporters == 1


def test_a_contested_text_waits_the_routine_time_in_rapid_mode_too(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    page = workshop.page(members[0])
    choose(workshop, workshop.shared_head(page), members[:7])
    text = current(workshop, page).revision_id
    choose(workshop, text, members[3:10], Value.OPPOSE)
    clock.move(hours=13)
    workshop.follow()
    for member in members[:2]:
        with workshop.writing() as session:
            rapid.call(session, member, page)
    choose(workshop, text, members[5:10], Value.PASS)
    choose(workshop, text, members[3:5])
    clock.move(hours=11, minutes=59)
    workshop.follow()
    assert current(workshop, page).contested, "its approval is not marked as rapid, so it waits like any other"
    clock.move(minutes=2)
    workshop.follow()
    found = current(workshop, page)
    assert (found.contested, found.kind, found.mode) == (False, "promoted", "routine")


def test_what_was_stale_only_against_the_removed_text_is_open_again_whatever_was_approved_at_once_after_it(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    page = approved_page(workshop, clock, members)
    rival = drafts.head_of(workshop.fork(members[1], page, ("10,000", "15,000")))
    choose(workshop, rival, members[:4])
    other = drafts.head_of(workshop.fork(members[2], page, ("three times", "four times")))
    choose(workshop, other, members[:3])
    choose(workshop, drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000"))), members[:7])
    workshop.follow()
    assert candidate_on(workshop, rival).stale
    choose(workshop, current(workshop, page).revision_id, members[3:12], Value.OPPOSE)
    choose(workshop, candidate_on(workshop, other).revision_id, members[:5])
    clock.move(hours=13)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING.replace("three times", "four times")
    workshop.follow()
    revived = candidate_on(workshop, rival)
    assert not revived.stale
    assert workshop.decision(revived.revision_id).count.supporters == 4


def test_time_in_which_nobody_could_vote_does_not_decline_a_text(
    workshop: Workshop, clock: MovableClock, page: Page, members: list[Actor]
) -> None:
    fork = workshop.fork(members[2], page, ("three times", "four times"))
    choose(workshop, drafts.head_of(fork), members[3:9], Value.OPPOSE)
    clock.move(hours=1)
    with workshop.writing() as session:
        withdrawing.withdraw_draft(session, members[2], fork.id)
    clock.move(hours=20)
    with workshop.writing() as session:
        withdrawing.reopen_draft(session, members[2], fork.id)
    again = workshop.decision(drafts.head_of(fork))
    assert (again.state, again.lost_at) == (State.COLLECTING, clock.moment + timedelta(hours=12))


def test_what_is_open_again_beside_a_sentence_approved_meanwhile_waits_an_hour_from_then(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    page = approved_page(workshop, clock, members)
    rival = drafts.head_of(workshop.fork(members[1], page, ("a fair contract", "a lasting contract")))
    choose(workshop, rival, members[:4])
    other = drafts.head_of(workshop.fork(members[2], page, ("a fair hearing", "a patient hearing")))
    choose(workshop, other, members[:3])
    firm = drafts.head_of(workshop.fork(members[0], page, ("a fair contract", "a firm contract")))
    choose(workshop, firm, members[:7])
    workshop.follow()
    choose(workshop, current(workshop, page).revision_id, members[3:12], Value.OPPOSE)
    clock.move(hours=13)
    for some in (members[:6], members[6:7], members[7:8]):  # the text falls with the second, this one follows it
        choose(workshop, candidate_on(workshop, other).revision_id, some)
        clock.move(hours=1)
    clock.move(hours=-1)
    approved_at = clock.moment
    assert "a fair contract. Landlords get a patient hearing" in (workshop.approved_text(page) or "")
    workshop.follow()
    assert candidate_on(workshop, rival).not_before == approved_at + timedelta(hours=1)


def test_time_in_which_a_text_was_stale_does_not_decline_it(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    page = approved_page(workshop, clock, members)
    rival = drafts.head_of(workshop.fork(members[1], page, ("10,000", "15,000")))
    choose(workshop, rival, members[3:9], Value.OPPOSE)
    choose(workshop, drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000"))), members[:7])
    workshop.follow()
    choose(workshop, current(workshop, page).revision_id, members[3:12], Value.OPPOSE)
    clock.move(hours=13)
    workshop.follow()
    workshop.follow()
    revived = candidate_on(workshop, rival)
    decision = workshop.decision(revived.revision_id)
    assert (decision.state, decision.lost_at) == (State.COLLECTING, clock.moment + timedelta(hours=12))


def test_a_stale_text_that_cannot_be_decided_keeps_no_other_from_being_open_again(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    page = approved_page(workshop, clock, members)
    rivals = [
        drafts.head_of(workshop.fork(members[number], page, ("10,000", words)))
        for number, words in ((1, "15,000"), (2, "16,000"))
    ]
    for rival in rivals:
        choose(workshop, rival, members[:2])
    choose(workshop, drafts.head_of(workshop.fork(members[0], page, ("10,000", "20,000"))), members[:7])
    workshop.follow()
    with workshop.writing() as session:
        broken = session.get_one(Candidate, candidate_on(workshop, rivals[0]).id)
        broken.rule = {**(broken.rule or {}), "vote_lasts": "long"}
        session.add(broken)
    choose(workshop, current(workshop, page).revision_id, members[3:12], Value.OPPOSE)
    clock.move(hours=13)
    workshop.follow()
    workshop.follow()
    assert [candidate_on(workshop, rival).stale for rival in rivals] == [True, False]
