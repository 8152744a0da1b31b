"""Who voted on a text that went stale is asked once whether their vote still stands, and nothing is moved for them."""

import pytest
from sqlmodel import select

from app.approvals import service as approvals
from app.consensus import candidates, queue, rivals
from app.consensus.candidates import NothingToDecide
from app.consensus.facts import State
from app.consensus.models import Value, Vote, VoteEntry
from app.consensus.withdrawing import withdraw_draft
from app.drafts import merging
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.errors import Conflict, NotAllowed
from app.pages.models import Page
from app.permissions import Actor, Role, Scope
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import HOUSING, Workshop

pytestmark = POSTGRES_IN_SOAK

Asked = list[list[tuple[int, str]]]


@pytest.fixture
@made_once
def people(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"m{n}", role=Role.WRITER) for n in range(5)]


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock, people: list[Actor]) -> Page:
    page = workshop.page(people[0])
    approve(workshop, workshop.shared_head(page), people)
    clock.move(hours=30)
    return page


def approve(workshop: Workshop, revision_id: int, people: list[Actor]) -> None:
    for voter in people[:3]:
        workshop.vote(voter, revision_id)
    workshop.follow()


def head(draft: Draft) -> int:
    return drafts.head_of(draft)


def asked(workshop: Workshop, actor: Actor) -> Asked:
    """By question the revisions that the actor is asked about, with their votes."""
    with workshop.reading() as session:
        return [
            [(candidate.revision_id, vote.value) for candidate, vote in question.asked]
            for question in rivals.list_questions(session, actor)
        ]


@pytest.fixture
@made_once
def beaten(workshop: Workshop, people: list[Actor], page: Page) -> list[Draft]:
    """Two rewrites of one sentence by member 3, and a third that wins.

    3 is for both, 4 for one and against the other, 0 passed on the first.
    """
    rows = [workshop.fork(people[3], page, ("10,000", number)) for number in ("11,000", "12,000")]
    for fork in rows:
        workshop.vote(people[3], head(fork))
    workshop.vote(people[4], head(rows[0]))
    workshop.vote(people[4], head(rows[1]), Value.OPPOSE)
    workshop.vote(people[0], head(rows[0]), Value.PASS)
    approve(workshop, head(workshop.fork(people[0], page, ("10,000", "20,000"))), people)
    return rows


def test_each_voter_is_asked_once_for_one_decision_and_nobody_else(
    workshop: Workshop, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    one, other = (head(fork) for fork in beaten)
    assert [sorted(rows) for rows in asked(workshop, people[3])] == [[(one, "support"), (other, "support")]]
    assert [sorted(rows) for rows in asked(workshop, people[4])] == [[(one, "support"), (other, "oppose")]]
    assert asked(workshop, people[0]) == [], "who passed is not asked"
    assert asked(workshop, people[1]) == []
    with workshop.reading() as session:
        question = rivals.list_questions(session, people[3])[0]
        current = approvals.find_current(session, page.id)
        assert current is not None
        assert question.approval.id == current.id
        assert rivals.list_questions(session, None) == []


def test_a_text_that_is_stale_by_one_approval_names_that_one_when_more_follow(
    workshop: Workshop, clock: MovableClock, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    with workshop.reading() as session:
        cause = approvals.find_current(session, page.id)
        assert cause is not None
    clock.move(hours=30)
    approve(workshop, head(workshop.fork(people[0], page, ("Anna moved", "Nora moved"))), people)
    with workshop.reading() as session:
        assert [question.approval.id for question in rivals.list_questions(session, people[3])] == [cause.id]


def test_an_answer_is_entered_for_the_text_that_was_on_the_screen(
    workshop: Workshop, clock: MovableClock, people: list[Actor], page: Page
) -> None:
    fork = workshop.fork(people[3], page, ("10,000", "11,000"))
    workshop.vote(people[3], head(fork))
    for words in (("Anna moved", "Nora moved"), ("10,000", "20,000")):
        approve(workshop, head(workshop.fork(people[0], page, words)), people)
    [[(carried, _support)]] = asked(workshop, people[3])
    assert carried != head(fork), "it was carried over the first, and stale by the second"
    for on_screen in (head(fork), carried):
        for value in (Value.OPPOSE, Value.SUPPORT):
            with workshop.writing() as session:
                vote = rivals.answer(session, people[3], on_screen, value).vote
                assert vote is not None
                assert (vote.revision_id, vote.sha256) == (on_screen, revisions.get(session, on_screen).sha256)


def test_two_approvals_that_came_before_it_was_carried_name_the_one_that_clashes(
    workshop: Workshop, clock: MovableClock, people: list[Actor], page: Page
) -> None:
    fork = workshop.fork(people[3], page, ("10,000", "11,000"))
    workshop.vote(people[3], head(fork))
    for words in (("Anna moved", "Nora moved"), ("10,000", "20,000"), ("fair hearing", "patient hearing")):
        revision_id = head(workshop.fork(people[0], page, words))
        for voter in people[:3]:
            workshop.vote(voter, revision_id)
    assert "patient hearing" in (workshop.approved_text(page) or "")
    workshop.follow()
    with workshop.reading() as session:
        cause = rivals.list_questions(session, people[3])[0].approval
        assert "20,000" in revisions.text_by_id(session, cause.revision_id)
        assert "patient hearing" not in revisions.text_by_id(session, cause.revision_id)


def test_to_keep_a_vote_ends_the_asking_and_moves_nothing(
    workshop: Workshop, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    with workshop.reading() as session:
        approval = rivals.list_questions(session, people[3])[0].approval.id
        entries = len(session.exec(select(VoteEntry)).all())
    with workshop.writing() as session:
        rivals.keep_votes(session, people[3], approval)
    assert asked(workshop, people[3]) == []
    assert len(asked(workshop, people[4])) == 1, "the others are still asked"
    with workshop.reading() as session:
        assert len(session.exec(select(VoteEntry)).all()) == entries
    assert workshop.decision(head(beaten[0])).count.supporters == 2
    with workshop.writing() as session:
        rivals.keep_votes(session, people[3], approval)  # a second tap is no error
    with pytest.raises(Conflict), workshop.writing() as session:
        rivals.keep_votes(session, people[3], 4711)


def test_a_vote_is_changed_or_taken_back_one_by_one(
    workshop: Workshop, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    one, other = (head(fork) for fork in beaten)
    with workshop.writing() as session:
        cast = rivals.answer(session, people[4], one, Value.OPPOSE)
    assert cast.decision.state is State.STALE
    assert asked(workshop, people[4]) == [[(other, "oppose")]]
    with workshop.writing() as session:
        assert rivals.answer(session, people[4], other, None).vote is None
    assert asked(workshop, people[4]) == []
    with workshop.reading() as session:
        votes = session.exec(select(Vote).where(Vote.member_id == people[4].id)).all()
        by_revision = {vote.revision_id: vote.value for vote in votes}
        kept = session.exec(select(VoteEntry.value).where(VoteEntry.member_id == people[4].id)).all()
    assert by_revision == {one: "oppose"}
    assert kept[-2:] == ["oppose", None], "what is changed stays in the record"


def test_whoever_has_no_vote_on_it_or_is_not_asked_cannot_answer(
    workshop: Workshop, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    open_one = workshop.fork(people[3], page, ("Anna moved", "Nora moved"))
    workshop.vote(people[3], head(open_one))
    for actor, revision_id in ((people[1], head(beaten[0])), (people[3], head(open_one))):
        with pytest.raises(Conflict), workshop.writing() as session:
            rivals.answer(session, actor, revision_id, Value.OPPOSE)
    with pytest.raises(NotAllowed), workshop.writing() as session:
        rivals.answer(session, None, head(beaten[0]), None)
    assert workshop.decision(head(open_one)).count.supporters == 1


def test_a_revived_text_counts_the_votes_as_they_were_answered_and_asks_anew_when_it_is_stale_again(
    workshop: Workshop, clock: MovableClock, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    one = head(beaten[0])
    with workshop.writing() as session:
        rivals.answer(session, people[4], one, Value.OPPOSE)
        rivals.answer(session, people[3], one, Value.SUPPORT)
    with workshop.reading() as session:
        current = approvals.find_current(session, page.id)
        assert current is not None
    for voter in people:
        workshop.vote(voter, current.revision_id, Value.OPPOSE)
    clock.move(hours=30)
    workshop.follow()
    workshop.follow()
    assert workshop.approved_text(page) == HOUSING
    revived = workshop.decision(one)
    assert revived.state is State.COLLECTING
    assert revived.count.supporters == 1
    assert asked(workshop, people[3]) == []
    clock.move(hours=30)
    approve(workshop, head(workshop.fork(people[0], page, ("10,000", "30,000"))), people)
    assert sorted(one for rows in asked(workshop, people[3]) for one, _value in rows) == sorted(map(head, beaten))


def test_a_wording_put_again_is_a_fork_of_its_own_on_the_approved_text_with_no_vote(
    workshop: Workshop, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    with workshop.writing() as session:
        made = rivals.put_again(session, people[4], head(beaten[1]))
        draft = drafts.get_draft(session, made.draft_id)
        text = revisions.text_by_id(session, made.revision_id)
    assert (draft.owner_id, draft.kind, made.stale, made.opened_at) == (people[4].id, "fork", False, None)
    assert draft.id != beaten[1].id
    assert text == HOUSING.replace("10,000", "12,000")
    assert workshop.decision(made.revision_id).state is State.DRAFT
    assert asked(workshop, people[4]) == [[(head(beaten[0]), "support")]]
    with workshop.writing() as session:
        again = rivals.put_again(session, people[3], head(beaten[1]))
    assert again.id == made.id, "the same wording is not put to the vote twice"
    with workshop.reading() as session:
        found = queue.find_next(session, people[3]).candidate
        assert found is not None
        assert found.id == made.id, "who voted on the stale one is asked about the new one like anybody"


def test_a_wording_put_again_takes_all_else_from_the_approved_text(
    workshop: Workshop, people: list[Actor], page: Page
) -> None:
    fork = workshop.fork(people[3], page, ("10,000", "11,000"), ("Anna moved", "Nora moved"))
    workshop.vote(people[4], head(fork))
    approve(workshop, head(workshop.fork(people[0], page, ("10,000", "20,000"), ("fair hearing", "hearing"))), people)
    with workshop.writing() as session:
        made = rivals.put_again(session, people[4], head(fork))
        text = revisions.text_by_id(session, made.revision_id)
    assert text == HOUSING.replace("10,000", "11,000").replace("fair hearing", "hearing")


def test_its_author_goes_on_in_place(workshop: Workshop, people: list[Actor], page: Page, beaten: list[Draft]) -> None:
    with workshop.writing() as session:
        made = rivals.put_again(session, people[3], head(beaten[0]))
    assert made.draft_id == beaten[0].id
    assert made.revision_id != head(beaten[0])
    assert asked(workshop, people[3]) == [[(head(beaten[1]), "support")]]
    assert sorted(asked(workshop, people[4])[0]) == sorted([(head(beaten[0]), "support"), (head(beaten[1]), "oppose")])


def test_what_the_approved_text_says_by_now_or_what_is_open_is_not_put_again(
    workshop: Workshop, clock: MovableClock, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    clock.move(hours=30)
    approve(workshop, head(workshop.fork(people[0], page, ("20,000", "11,000"))), people)
    with pytest.raises(NothingToDecide), workshop.writing() as session:
        rivals.put_again(session, people[4], head(beaten[0]))
    open_one = workshop.fork(people[3], page, ("Anna moved", "Nora moved"))
    workshop.vote(people[3], head(open_one))
    with pytest.raises(Conflict), workshop.writing() as session:
        rivals.put_again(session, people[4], head(open_one))
    voter = Actor(people[4].id, people[4].name, people[4].role, None, frozenset({Scope.VOTE}))
    with pytest.raises(NotAllowed), workshop.writing() as session:
        rivals.put_again(session, voter, head(beaten[1]))


def test_a_withdrawn_text_asks_nobody_and_a_merged_one_still_does(
    workshop: Workshop, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    with workshop.writing() as session:
        withdraw_draft(session, people[3], beaten[0].id)
        merging.update_from_approved(session, people[3], beaten[1].id, resolutions=["- We will build 12,000 homes."])
    assert asked(workshop, people[4]) == [[(head(beaten[1]), "oppose")]]


def test_it_is_never_offered_as_the_next_text(
    workshop: Workshop, people: list[Actor], page: Page, beaten: list[Draft]
) -> None:
    with workshop.reading() as session:
        assert queue.find_next(session, people[1]).candidate is None
        stale = candidates.find_by_revision(session, head(beaten[0]))
        assert stale is not None
        assert [q.approval.id for q in rivals.list_questions(session, people[3], about=stale)] == [stale.stale_by_id]
        first = rivals.list_questions(session, people[3], about=stale)[0].asked[0][0]
        assert first.id == stale.id
        assert rivals.list_questions(session, people[1], about=stale) == []
