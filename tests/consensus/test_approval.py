"""From a fork to the approved text, and what that does to the other candidates."""

from datetime import timedelta

import pytest

from app.activity import service as activity
from app.activity.models import Kind
from app.approvals import service as approvals
from app.consensus import candidates
from app.consensus.candidates import VotingClosed
from app.consensus.facts import State
from app.consensus.follower import LOOK_EVERY
from app.consensus.models import Value
from app.consensus.rivals import answer
from app.consensus.votes import TextChanged, cast_vote
from app.consensus.withdrawing import reopen_draft, withdraw_draft
from app.drafts import merging
from app.drafts import service as drafts
from app.drafts.models import DraftState
from app.pages.models import Page
from app.permissions import Actor, Role
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import HOUSING, Workshop


@pytest.fixture
@made_once
def north(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"north-{n}", chapter="north", role=Role.WRITER) for n in range(3)]


@pytest.fixture
@made_once
def south(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"south-{n}", chapter="south") for n in range(2)]


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock, north: list[Actor], south: list[Actor]) -> Page:
    """Housing, its first text approved by everybody."""
    page = workshop.page(north[0])
    for actor in [*north, *south]:
        workshop.vote(actor, workshop.shared_head(page))
    clock.move(hours=30)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING
    return page


def support(workshop: Workshop, revision_id: int, *actors: Actor) -> None:
    for actor in actors:
        workshop.vote(actor, revision_id)


def test_supporters_of_one_chapter_alone_are_not_enough(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    draft = workshop.fork(north[0], page, ("10,000", "20,000"))
    support(workshop, drafts.head_of(draft), *north)
    clock.move(days=2)
    workshop.follow()
    assert workshop.decision(drafts.head_of(draft)).state is State.COLLECTING
    assert workshop.approved_text(page) == HOUSING
    support(workshop, drafts.head_of(draft), south[0])
    assert workshop.approved_text(page) == HOUSING.replace("10,000", "20,000")


def test_a_text_waits_before_it_is_promoted_and_more_than_half_skip_the_wait(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    draft = workshop.fork(north[0], page, ("10,000", "20,000"))
    others = [workshop.member(chapter=chapter) for chapter in ("north", "south") for _ in range(10)]
    head = drafts.head_of(draft)
    support(workshop, head, *north, *south)
    decision = workshop.decision(head)
    assert decision.state is State.WAITING
    assert decision.waits_until is not None
    clock.move(hours=11, minutes=59)
    workshop.follow()
    assert workshop.decision(head).state is State.WAITING
    clock.move(minutes=2)
    workshop.follow()
    assert workshop.decision(head).state is State.APPROVED
    second = workshop.fork(north[0], page, ("three times", "four times"))
    support(workshop, drafts.head_of(second), *north, *south, *others[:7])
    assert workshop.decision(drafts.head_of(second)).state is State.WAITING
    support(workshop, drafts.head_of(second), others[7], others[8])
    assert workshop.decision(drafts.head_of(second)).state is State.APPROVED


def test_another_paragraph_is_carried_forward_with_its_votes_and_can_still_win(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    winner = workshop.fork(north[0], page, ("10,000", "20,000"))
    other = workshop.fork(south[0], page, ("three times", "four times"))
    support(workshop, drafts.head_of(other), south[0], north[1])
    support(workshop, drafts.head_of(winner), north[0], north[1], south[0])
    assert workshop.approved_text(page) == HOUSING.replace("10,000", "20,000")
    workshop.follow()
    with workshop.reading() as session:
        carried = candidates.find_by_revision(session, drafts.head_of(other))
        assert carried is not None
        assert carried.revision_id != other.head_id
        text = revisions.text_by_id(session, carried.revision_id)
        row = revisions.get(session, carried.revision_id)
    assert text == HOUSING.replace("10,000", "20,000").replace("three times", "four times")
    assert (row.first_parent_id, row.second_parent_id) == (other.head_id, winner.head_id)
    assert workshop.decision(carried.revision_id).reach == 2
    support(workshop, carried.revision_id, north[2])
    assert workshop.approved_text(page) == text


@POSTGRES_IN_SOAK
def test_another_sentence_of_the_paragraph_waits_at_least_an_hour_more(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    winner = workshop.fork(north[0], page, ("a fair contract", "a lasting contract"))
    neighbour = workshop.fork(south[0], page, ("a fair hearing", "a patient hearing"))
    support(workshop, drafts.head_of(neighbour), south[0], north[1])
    support(workshop, drafts.head_of(winner), north[0], north[1], south[0])
    promoted_at = clock.moment
    workshop.follow()
    support(workshop, drafts.head_of(neighbour), north[0], north[2], south[1])
    decision = workshop.decision(drafts.head_of(neighbour))
    assert decision.state is State.WAITING
    assert decision.waits_until is not None
    assert (decision.waits_until - promoted_at).total_seconds() == 3600
    clock.move(hours=1)
    workshop.follow()
    both = HOUSING.replace("a fair contract", "a lasting contract").replace("a fair hearing", "a patient hearing")
    assert workshop.approved_text(page) == both


def test_a_rewrite_of_the_same_sentence_turns_stale_and_closes_the_vote(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    winner = workshop.fork(north[0], page, ("10,000", "20,000"))
    rival = workshop.fork(south[0], page, ("10,000 homes", "10,000 flats"))
    support(workshop, drafts.head_of(rival), south[0])
    support(workshop, drafts.head_of(winner), north[0], north[1], south[0])
    workshop.follow()
    assert workshop.decision(drafts.head_of(rival)).state is State.STALE
    with pytest.raises(VotingClosed, match="merge"):
        workshop.vote(south[1], drafts.head_of(rival))


@POSTGRES_IN_SOAK
def test_a_vote_cast_before_a_rival_was_carried_finds_it_stale(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    winner = workshop.fork(north[0], page, ("10,000", "20,000"))
    rival = workshop.fork(south[0], page, ("10,000", "30,000"))
    support(workshop, drafts.head_of(rival), south[0])
    support(workshop, drafts.head_of(winner), *north, south[0])
    with pytest.raises(VotingClosed):  # the follower has not come by yet
        workshop.vote(south[1], drafts.head_of(rival))
    workshop.follow()
    assert workshop.decision(drafts.head_of(rival)).state is State.STALE
    assert workshop.decision(drafts.head_of(rival)).count.supporters == 1


@POSTGRES_IN_SOAK
def test_a_merged_stale_fork_starts_a_new_vote(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    winner = workshop.fork(north[0], page, ("10,000", "20,000"))
    rival = workshop.fork(south[0], page, ("10,000 homes", "10,000 flats"))
    support(workshop, drafts.head_of(rival), south[0])
    support(workshop, drafts.head_of(winner), north[0], north[1], south[0])
    workshop.follow()
    with workshop.writing() as session:
        stuck = merging.update_from_approved(session, south[0], rival.id)
        assert isinstance(stuck, merging.Unresolved)
        assert len(stuck.conflicts) == 1
    with workshop.writing() as session:
        saved = merging.update_from_approved(
            session, south[0], rival.id, resolutions=["- We will build 20,000 flats a year."]
        )
        assert isinstance(saved, drafts.Saved)
        merged = saved.revision
        assert "20,000 flats" in revisions.text_of(session, merged)
    assert workshop.decision(merged.id).state is State.DRAFT
    support(workshop, merged.id, north[0])
    assert workshop.decision(merged.id).reach == 1


@POSTGRES_IN_SOAK
def test_a_rival_within_a_day_needs_a_higher_score(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    winner = workshop.fork(north[0], page, ("10,000", "20,000"))
    support(workshop, drafts.head_of(winner), north[0], north[1], south[0])
    rival = workshop.fork(south[0], page, ("20,000 homes", "20,000 flats"))
    support(workshop, drafts.head_of(rival), south[0], north[1], north[0])
    decision = workshop.decision(drafts.head_of(rival))
    assert decision.state is State.COLLECTING
    assert decision.to_beat is not None
    assert decision.to_beat >= decision.score
    clock.move(hours=24)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING.replace("10,000 homes", "20,000 flats")


@POSTGRES_IN_SOAK
def test_the_fork_closes_and_the_shared_draft_takes_the_approved_text_in(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    with workshop.writing() as session:
        shared = drafts.get_shared(session, page.id)
        drafts.save_edit(
            session,
            south[0],
            shared.id,
            base_id=drafts.head_of(shared),
            text=HOUSING.replace("Anna moved three times", "Anna moved four times"),
        )
    winner = workshop.fork(north[0], page, ("10,000", "20,000"))
    support(workshop, drafts.head_of(winner), north[0], north[1], south[0])
    with workshop.reading() as session:
        assert drafts.get_draft(session, winner.id).state == DraftState.APPROVED
        shared = drafts.get_shared(session, page.id)
        head = revisions.get(session, drafts.head_of(shared))
        assert shared.clean
        assert head.second_parent_id == winner.head_id
        text = revisions.text_of(session, head)
    assert "four times" in text
    assert "20,000" in text


@POSTGRES_IN_SOAK
def test_a_shared_draft_that_clashes_stays_as_it_is_and_says_so(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    with workshop.writing() as session:
        shared = drafts.get_shared(session, page.id)
        mine = HOUSING.replace("10,000 homes", "10,000 flats")
        drafts.save_edit(session, south[0], shared.id, base_id=drafts.head_of(shared), text=mine)
    winner = workshop.fork(north[0], page, ("10,000", "20,000"))
    support(workshop, drafts.head_of(winner), north[0], north[1], south[0])
    with workshop.reading() as session:
        shared = drafts.get_shared(session, page.id)
        assert not shared.clean
        assert revisions.text_by_id(session, drafts.head_of(shared)) == mine


@POSTGRES_IN_SOAK
def test_a_later_draft_of_the_approved_one_keeps_its_text_and_votes(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    draft = workshop.fork(north[0], page, ("10,000", "20,000"))
    first = drafts.head_of(draft)
    support(workshop, first, north[0])
    further = HOUSING.replace("10,000", "20,000").replace("homes a year", "good homes a year")
    with workshop.writing() as session:
        saved = drafts.save_edit(session, north[0], draft.id, base_id=first, text=further)
        assert isinstance(saved, drafts.Saved)
        second = saved.revision.id
    support(workshop, second, south[0], south[1])
    support(workshop, first, north[1], south[0])
    assert workshop.approved_text(page) == HOUSING.replace("10,000", "20,000")
    workshop.follow()
    decision = workshop.decision(second)
    assert decision.state is State.COLLECTING
    assert decision.reach == 2
    with workshop.reading() as session:
        standing = candidates.find_by_revision(session, second)
        assert standing is not None
        assert standing.revision_id == second
        assert standing.base_revision_id == first


@POSTGRES_IN_SOAK
def test_an_unapproved_sentence_of_the_shared_draft_shows_in_the_voters_diff(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    smuggled = HOUSING.replace("Anna moved", "We promise free rent. Anna moved")
    with workshop.writing() as session:
        shared = drafts.get_shared(session, page.id)
        saved = drafts.save_edit(session, south[0], shared.id, base_id=drafts.head_of(shared), text=smuggled)
        assert isinstance(saved, drafts.Saved)
        text = smuggled.replace("10,000", "20,000")
        rider = drafts.fork(session, south[0], saved.revision.id, text=text)
    support(workshop, drafts.head_of(rider), south[0])
    with workshop.reading() as session:
        candidate = candidates.find_by_revision(session, drafts.head_of(rider))
        assert candidate is not None
        approved = approvals.find_current(session, page.id)
        assert approved is not None
        assert candidate.base_revision_id == approved.revision_id
        assert "free rent" not in revisions.text_by_id(session, candidate.base_revision_id)
        assert "free rent" in revisions.text_by_id(session, candidate.revision_id)


def test_a_vote_is_refused_when_one_byte_differs_from_what_was_read(
    workshop: Workshop, page: Page, north: list[Actor]
) -> None:
    draft = workshop.fork(north[0], page, ("10,000", "20,000"))
    with workshop.reading() as session:
        other = revisions.get(session, drafts.head_of(drafts.get_shared(session, page.id))).sha256
    with workshop.writing() as session, pytest.raises(TextChanged):
        cast_vote(session, north[1], drafts.head_of(draft), sha256=other, value=Value.SUPPORT)
    assert workshop.decision(drafts.head_of(draft)).state is State.DRAFT


@POSTGRES_IN_SOAK
def test_three_oppose_votes_stop_a_text_that_had_enough_support(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    others = [workshop.member(chapter=chapter) for chapter in ("north", "south") for _ in range(10)]
    draft = workshop.fork(north[0], page, ("10,000", "20,000"))
    head = drafts.head_of(draft)
    support(workshop, head, *north, *south)
    assert workshop.decision(head).state is State.WAITING
    for actor in others[8:12]:
        workshop.vote(actor, head, Value.OPPOSE)
    assert workshop.decision(head).state is State.COLLECTING
    clock.move(days=1)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING


@POSTGRES_IN_SOAK
def test_a_vote_after_the_wait_ended_cannot_undo_what_was_due(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    others = [workshop.member(chapter=chapter) for chapter in ("north", "south") for _ in range(10)]
    draft = workshop.fork(north[0], page, ("10,000", "20,000"))
    head = drafts.head_of(draft)
    support(workshop, head, *north, *south)
    assert workshop.decision(head).state is State.WAITING
    clock.move(hours=13)  # nobody followed meanwhile
    for actor in others[8:12]:
        workshop.vote(actor, head, Value.OPPOSE)
    assert workshop.approved_text(page) == HOUSING.replace("10,000", "20,000")


def test_saving_never_moves_votes(workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]) -> None:
    draft = workshop.fork(north[0], page, ("10,000", "20,000"))
    voted = drafts.head_of(draft)
    support(workshop, voted, north[0], north[1])
    with workshop.writing() as session:
        text = HOUSING.replace("10,000", "a million")
        saved = drafts.save_edit(session, north[0], draft.id, base_id=voted, text=text)
        assert isinstance(saved, drafts.Saved)
    support(workshop, voted, south[0])
    assert workshop.approved_text(page) == HOUSING.replace("10,000", "20,000")
    assert workshop.decision(saved.revision.id).reach == 0


@POSTGRES_IN_SOAK
def test_a_withdrawn_fork_takes_no_votes_and_goes_on_with_those_it_had(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    draft = workshop.fork(north[0], page, ("10,000", "20,000"))
    head = drafts.head_of(draft)
    support(workshop, head, north[0], north[1])
    with workshop.writing() as session:
        withdraw_draft(session, north[0], draft.id)
    assert workshop.decision(head).state is State.WITHDRAWN
    with pytest.raises(VotingClosed):
        workshop.vote(south[0], head)
    assert workshop.approved_text(page) == HOUSING
    with workshop.writing() as session:
        reopen_draft(session, north[0], draft.id)
    assert workshop.decision(head).reach == 2
    support(workshop, head, south[0])
    assert workshop.approved_text(page) == HOUSING.replace("10,000", "20,000")


@POSTGRES_IN_SOAK
def test_an_author_cannot_choose_who_counts_by_taking_a_fork_back(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    others = [workshop.member(chapter=chapter) for chapter in ("north", "south", "south") * 3]
    draft = workshop.fork(north[0], page, ("10,000", "20,000"))
    head = drafts.head_of(draft)
    support(workshop, head, north[0], others[1], others[2])
    assert workshop.decision(head).count.need == 4
    with workshop.writing() as session:
        withdraw_draft(session, north[0], draft.id)
    clock.move(days=12)
    workshop.page(north[1], "Transport")  # who is active by now: the author and one more
    clock.move(days=1)
    with workshop.writing() as session:
        reopen_draft(session, north[0], draft.id)
    workshop.follow()
    decision = workshop.decision(head)
    assert (decision.state, decision.count.need, decision.count.active) == (State.COLLECTING, 4, 14)
    assert workshop.approved_text(page) == HOUSING
    clock.move(days=1)
    workshop.follow()
    assert workshop.decision(head).state is State.EXPIRED, "the fourteen days went on"


def test_a_waiting_time_ends_while_a_crowd_is_carried(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    crowd = [workshop.fork(south[0], page, ("three times", f"{number} times")) for number in range(2 * LOOK_EVERY)]
    for draft in crowd:
        support(workshop, drafts.head_of(draft), south[0])
    winner = workshop.fork(north[0], page, ("10,000", "20,000"))
    support(workshop, drafts.head_of(winner), north[0], north[1], south[0])
    for chapter in ("north", "south") * 3:
        workshop.member(chapter=chapter)
    elsewhere = workshop.page(north[0], "Transport")
    support(workshop, workshop.shared_head(elsewhere), *north, south[0])
    assert workshop.decision(workshop.shared_head(elsewhere)).state is State.WAITING
    clock.move(hours=12)
    workshop.follow()
    with workshop.reading() as session:
        told = [(row.kind, row.page_id) for row in activity.since(session, 0, limit=1_000)]
    carried = [number for number, row in enumerate(told) if row == (Kind.CANDIDATE_CARRIED, page.id)]
    assert len(carried) == len(crowd)
    ended = told.index((Kind.PAGE_PROMOTED, elsewhere.id))
    assert ended < carried[-1]


@POSTGRES_IN_SOAK
def test_a_shared_draft_as_long_as_can_be_keeps_nothing_from_approval(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    with workshop.writing() as session:
        shared = drafts.get_shared(session, page.id)
        text = HOUSING + "\n" + "".join(f"- Item {n} of many.\n" for n in range(1_985))
        drafts.save_edit(session, north[1], shared.id, base_id=drafts.head_of(shared), text=text)
    more = "\n\n".join(f"Paragraph {n} is new." for n in range(20))
    head = drafts.head_of(workshop.fork(north[0], page, ("## Story", f"{more}\n\n## Story")))
    support(workshop, head, *north[:2], *south[:1])
    clock.move(hours=13)
    workshop.follow()
    assert more in (workshop.approved_text(page) or "")
    with workshop.reading() as session:
        shared = drafts.get_shared(session, page.id)
        assert not shared.clean, "both together would be too long, so somebody has to bring them together"
        assert revisions.text_by_id(session, drafts.head_of(shared)) == text


def test_a_candidate_that_cannot_be_decided_keeps_no_other_waiting(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    for chapter in ("north", "south") * 3:
        workshop.member(chapter=chapter)
    heads = [
        drafts.head_of(workshop.fork(north[0], page, change))
        for change in (("10,000", "20,000"), ("three times", "four times"))
    ]
    for head in heads:
        support(workshop, head, *north, south[0])
    with workshop.writing() as session:
        broken = candidates.find_by_revision(session, heads[0])
        assert broken is not None
        broken.rule = {**(broken.rule or {}), "wait_routine": "soon"}
        session.add(broken)
    clock.move(hours=13)
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING.replace("three times", "four times")
    workshop.follow()


def test_of_those_carried_together_one_that_cannot_be_decided_keeps_no_other_behind(
    workshop: Workshop, page: Page, north: list[Actor], south: list[Actor]
) -> None:
    crowd = [workshop.fork(south[0], page, ("three times", f"{number} times")) for number in range(6)]
    for draft in crowd:
        support(workshop, drafts.head_of(draft), south[0])
    winner = workshop.fork(north[0], page, ("10,000", "20,000"))
    support(workshop, drafts.head_of(winner), north[0], north[1], south[0])
    with workshop.writing() as session:
        broken = candidates.find_by_revision(session, drafts.head_of(crowd[2]))
        assert broken is not None
        broken.electorate = {"north": 5}
        session.add(broken)
    workshop.follow()
    with workshop.reading() as session:
        current = approvals.find_current(session, page.id)
        found = [candidates.find_by_revision(session, drafts.head_of(draft)) for draft in crowd]
        assert current is not None
        behind = [number for number, row in enumerate(found) if row and row.base_revision_id != current.revision_id]
    assert behind == [2]


@pytest.mark.parametrize("is_saved", [False, True])
def test_what_most_were_against_when_it_went_stale_is_declined_unless_they_turn(
    workshop: Workshop, clock: MovableClock, page: Page, north: list[Actor], south: list[Actor], is_saved: bool
) -> None:
    rival = drafts.head_of(workshop.fork(south[0], page, ("10,000 homes", "10,000 flats")))
    passing = drafts.head_of(workshop.fork(south[0], page, ("10,000 homes", "10,000 rooms")))
    opposers = [north[1], south[1]]
    support(workshop, rival, south[0])
    for opposer in opposers:
        workshop.vote(opposer, rival, Value.OPPOSE)
    support(workshop, passing, south[0])
    clock.move(hours=2)
    support(workshop, drafts.head_of(workshop.fork(north[0], page, ("10,000", "20,000"))), north[0], north[1], south[0])
    workshop.follow()
    ends = workshop.decision(rival)
    assert (ends.state, ends.lost_at) == (State.STALE, clock.moment + timedelta(hours=10))
    if is_saved:
        with workshop.writing() as session:
            answer(session, opposers[0], rival, None)
    clock.move(hours=10)
    workshop.follow()
    assert workshop.decision(rival).state is (State.STALE if is_saved else State.DECLINED)
    assert workshop.decision(passing).state is State.STALE
    with workshop.reading() as session:
        row = candidates.find_by_revision(session, rival)
        assert row is not None
        assert row.closed == (None if is_saved else "declined")
