"""Which text a member is asked next: where a vote moves most, nothing twice, and in the long run every one."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from app.consensus import candidates, nearness, queue, ranking, withdrawing
from app.consensus.models import Candidate, Value
from app.consensus.queue import Next, Why
from app.consensus.tallies import Counts, Electorate, count_tally
from app.consensus.votes import cast_vote, withdraw_vote
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.errors import NotAllowed
from app.permissions import Actor, Role, SignInNeeded
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import Workshop

WORDS = ("Renters", "Landlords", "contract", "hearing", "Topline", "Anna", "school", "homes", "afford", "wages")
PEOPLE = Electorate({1: 400, 2: 250, 3: 150, 4: 120, 5: 80})
"""32 supporters are needed, and no chapter counts for more than 16."""


@pytest.fixture
@made_once
def voters(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"voter-{n}", chapter=f"chapter-{n % 3}", role=Role.WRITER) for n in range(30)]


@pytest.fixture
@made_once
def forks(workshop: Workshop, voters: list[Actor]) -> list[Draft]:
    """Ten versions of one page, all put to the vote, each of another sentence or word."""
    page = workshop.page(voters[0])
    made = [workshop.fork(voter, page, (word, word.upper())) for voter, word in zip(voters, WORDS, strict=False)]
    with workshop.writing() as session:
        for draft, voter in zip(made, voters, strict=False):
            candidates.put_forward(session, voter, draft.id)
    return made


def ask(workshop: Workshop, actor: Actor | None, chapter_id: int | None = None) -> Next:
    with workshop.reading() as session:
        return queue.find_next(session, actor, chapter_id=chapter_id)


def asked(workshop: Workshop, actor: Actor, chapter_id: int | None = None) -> int | None:
    """The draft that the member is asked about."""
    found = ask(workshop, actor, chapter_id).candidate
    return found.draft_id if found else None


def seriously(workshop: Workshop, voters: list[Actor]) -> Actor:
    """A member whose next text is not the one in ten that is drawn."""
    for voter in voters:
        if random.Random(f"{voter.id} 0").randrange(10):
            return voter
    raise AssertionError("all draw")


def counted(**votes: tuple[int, int]) -> int:
    """The urgency with so many for and against per chapter, as in `c1=(3, 1)`."""
    return nearness.urgency_of(count_tally({int(name[1:]): Counts(*cast) for name, cast in votes.items()}, PEOPLE))


def test_what_few_votes_can_decide_is_nearer() -> None:
    nothing = counted()
    ahead = counted(c1=(10, 0), c2=(8, 1))
    almost = counted(c1=(16, 1), c2=(12, 1))
    against = counted(c1=(2, 6), c2=(1, 6))
    torn = counted(c1=(80, 40), c2=(60, 30))
    assert nothing == 0
    assert almost > ahead > nothing > torn
    assert against > nothing, "a text most are against is near its end too"
    assert torn <= nearness.HOPELESS
    assert counted(c1=(16, 0), c2=(16, 0)) == nearness.SETTLED, "it waits for time alone"
    assert counted(c1=(3, 16), c2=(0, 12)) == nearness.SETTLED


def test_what_is_drawn_at_random_is_any_that_is_left(
    workshop: Workshop, voters: list[Actor], forks: list[Draft], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an order of the moment's own the first that the member has not voted on, however many come before it."""
    monkeypatch.setattr(queue, "_FIRST_LOOK", 2)
    with workshop.reading() as session:
        ids = [row.id for row in ranking.list_ranked(session, forks[0].page_id)]
    beyond = 0
    for voter in voters[:8]:
        left = set(ids)
        while left:
            order = random.Random(f"{voter.id} {len(ids) - len(left)}")
            found = ask(workshop, voter).candidate
            assert found is not None
            if order.randrange(10) == 0:
                factor = order.randrange(1, 2_147_483_647)
                whole = sorted(ids, key=lambda id_: id_ * factor % 2_147_483_647)
                assert found.id == next(id_ for id_ in whole if id_ in left)
                beyond += found.id not in whole[:2]
            workshop.vote(voter, found.revision_id, Value.PASS)
            left.remove(found.id)
    assert beyond > 0


@pytest.mark.parametrize("seed", range(5))
def test_the_last_vote_before_a_decision_is_the_most_urgent(seed: int) -> None:
    """Along votes of one mind, urgency rises to its end, and 100 is never passed."""
    order = random.Random(seed)
    value = order.choice(["support", "oppose"])
    tally: dict[int | None, Counts] = {}
    before = 0
    tally[3] = Counts(**{value: 1})
    while (urgency := nearness.urgency_of(count_tally(tally, PEOPLE))) != nearness.SETTLED:
        assert before <= urgency <= 100
        before = urgency
        chapter = min((1, 2, 3, 4, 5), key=lambda one: (tally.get(one, Counts()).support > 15, order.random()))
        tally[chapter] = tally.get(chapter, Counts()) + Counts(**{value: 1})
    assert before >= 90


def test_a_score_to_beat_takes_more_votes() -> None:
    count = count_tally({1: Counts(16, 1), 2: Counts(15, 1)}, PEOPLE)
    above = count.score + (1 - count.score) / 2
    assert nearness.urgency_of(count, above) < nearness.urgency_of(count)


def test_a_chapter_has_room_until_it_weighs_all_it_can() -> None:
    room = nearness.room_of(count_tally({1: Counts(10, 6), 2: Counts(15, 0), None: Counts(1, 0)}, PEOPLE))
    assert [nearness.has_room(room, chapter) for chapter in (1, 2, 3)] == [False, True, True]
    assert nearness.has_room(None, 1), "nobody has voted"


@POSTGRES_IN_SOAK
def test_the_nearest_to_a_decision_comes_first_and_nothing_twice(
    workshop: Workshop, voters: list[Actor], forks: list[Draft]
) -> None:
    for voter in voters[10:14]:
        workshop.vote(voter, drafts.head_of(forks[3]))
    for voter in voters[10:12]:
        workshop.vote(voter, drafts.head_of(forks[6]))
    member = seriously(workshop, voters[20:])
    found = ask(workshop, member)
    assert found.candidate is not None
    assert (found.candidate.draft_id, found.why) == (forks[3].id, Why.NEAR)
    seen = []
    for value in [Value.SUPPORT, Value.OPPOSE, Value.PASS] * 4:
        draft_id = asked(workshop, member)
        if draft_id is not None:
            seen.append(draft_id)
            workshop.vote(member, drafts.head_of(next(fork for fork in forks if fork.id == draft_id)), value)
    assert sorted(seen) == sorted(fork.id for fork in forks)
    assert ask(workshop, member).candidate is None


@POSTGRES_IN_SOAK
def test_of_equals_the_newest_comes_first(workshop: Workshop, voters: list[Actor], forks: list[Draft]) -> None:
    found = ask(workshop, seriously(workshop, voters))
    assert found.candidate is not None
    assert (found.candidate.draft_id, found.why) == (forks[-1].id, Why.NEW)


@POSTGRES_IN_SOAK
def test_what_still_lacks_the_members_chapter_comes_first(
    workshop: Workshop, voters: list[Actor], forks: list[Draft]
) -> None:
    """Need is 6 of 30, and no chapter counts for more than 3: three votes of one chapter fill it."""
    for voter in voters[0:9:3]:
        workshop.vote(voter, drafts.head_of(forks[4]))
    for voter in voters[1:6:3]:
        workshop.vote(voter, drafts.head_of(forks[5]))
    full, other = seriously(workshop, voters[9::3]), seriously(workshop, voters[10::3])
    assert asked(workshop, other) == forks[4].id
    assert asked(workshop, full) == forks[5].id
    assert full.chapter_id is not None
    assert asked(workshop, other, full.chapter_id) == forks[5].id
    with workshop.writing() as session:  # nothing else is left but what is full for the chapter
        session.exec(update(Candidate).where(col(Candidate.draft_id) != forks[4].id).values(closed="expired"))
    assert asked(workshop, full) == forks[4].id
    assert ask(workshop, full).why in (Why.REST, Why.RANDOM)
    assert asked(workshop, other, full.chapter_id) is None


@POSTGRES_IN_SOAK
def test_what_is_over_stale_or_merged_is_never_offered(
    workshop: Workshop, clock: MovableClock, voters: list[Actor], forks: list[Draft]
) -> None:
    for voter in voters[:20]:
        workshop.vote(voter, drafts.head_of(forks[0]))
    workshop.follow()  # approved; the third version changes the same sentence
    with workshop.writing() as session:
        withdrawing.withdraw_draft(session, voters[1], forks[1].id)
    offered = set()
    member = voters[25]
    while (draft_id := asked(workshop, member)) is not None:
        offered.add(draft_id)
        with workshop.writing() as session:
            candidate = queue.find_next(session, member).candidate
            assert candidate is not None
            revision = revisions.get(session, candidate.revision_id)
            cast_vote(session, member, revision.id, sha256=revision.sha256, value=Value.PASS)
    assert not offered & {fork.id for fork in forks[:3]}
    assert len(offered) == 7


@POSTGRES_IN_SOAK
def test_asking_again_is_answered_alike_and_taking_back_asks_again(
    workshop: Workshop, voters: list[Actor], forks: list[Draft]
) -> None:
    for member in voters[10:20]:
        first = asked(workshop, member)
        assert {asked(workshop, member) for _ in range(3)} == {first}
        head = drafts.head_of(next(fork for fork in forks if fork.id == first))
        workshop.vote(member, head, Value.PASS)
        assert asked(workshop, member) != first
        with workshop.writing() as session:
            withdraw_vote(session, member, head)
        assert asked(workshop, member) == first


@POSTGRES_IN_SOAK
def test_one_in_ten_is_any_so_that_nothing_starves(workshop: Workshop, voters: list[Actor], forks: list[Draft]) -> None:
    """One text that the order never reaches is asked about all the same, by about one in a hundred of ten texts."""
    with workshop.writing() as session:
        session.exec(update(Candidate).where(col(Candidate.draft_id) == forks[0].id).values(urgency=-9_000))
    drawn = 0
    with workshop.reading() as session:
        for id_ in range(1_000, 2_200):
            found = queue.find_next(session, Actor(id_, "somebody", Role.MEMBER, None))
            assert found.candidate is not None
            if found.why is Why.RANDOM:
                drawn += 1
            if found.candidate.draft_id == forks[0].id:
                assert found.why is Why.RANDOM
                drawn += 1_000
    tenth, starving = drawn % 1_000, drawn // 1_000
    assert 85 <= tenth <= 160, "of 1,200"
    assert 2 <= starving <= 30, "a tenth of these"


@POSTGRES_IN_SOAK
def test_progress_counts_today_and_what_is_left(
    workshop: Workshop, clock: MovableClock, voters: list[Actor], forks: list[Draft]
) -> None:
    member = voters[20]
    workshop.vote(member, drafts.head_of(forks[0]))
    clock.move(days=1)
    workshop.vote(member, drafts.head_of(forks[1]), Value.PASS)
    with workshop.reading() as session:
        assert queue.progress_of(session, member) == queue.Progress(today=1, left=8)


@POSTGRES_IN_SOAK
def test_the_last_vote_can_be_taken_back_for_half_a_minute(
    workshop: Workshop, clock: MovableClock, voters: list[Actor], forks: list[Draft]
) -> None:
    member = voters[20]
    workshop.vote(member, drafts.head_of(forks[0]))
    clock.move(seconds=1)
    workshop.vote(member, drafts.head_of(forks[1]), Value.OPPOSE)
    with workshop.reading() as session:
        found = queue.last_vote(session, member)
    assert found is not None
    assert found[0].revision_id == forks[1].head_id
    assert found[1] == clock.moment + timedelta(seconds=30)
    clock.move(seconds=30)
    with workshop.reading() as session:
        assert queue.last_vote(session, member) is None


@POSTGRES_IN_SOAK
def test_nobody_is_asked_nothing_and_a_newcomer_everything(workshop: Workshop, forks: list[Draft]) -> None:
    with pytest.raises(SignInNeeded):
        ask(workshop, None)
    with pytest.raises(NotAllowed):
        ask(workshop, Actor(1, "a name", Role.NAME, None))
    newcomer = workshop.member("newcomer")
    assert asked(workshop, newcomer) is not None
