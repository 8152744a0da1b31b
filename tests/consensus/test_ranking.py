"""The order in which a page's candidates are read, against one worked out from the rule's exact numbers."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlmodel import col, select

from app.consensus import candidates, ranking
from app.consensus.models import Candidate, Value
from app.consensus.ranking import Stand
from app.consensus.votes import withdraw_vote
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.permissions import Actor, Role
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import Workshop

pytestmark = POSTGRES_IN_SOAK

WORDS = ("Renters", "Landlords", "contract", "hearing", "Topline", "Anna", "school", "homes", "afford", "wages")


@pytest.fixture
@made_once
def voters(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"voter-{n}", chapter=f"chapter-{n % 3}", role=Role.WRITER) for n in range(30)]


@pytest.fixture
@made_once
def forks(workshop: Workshop, voters: list[Actor]) -> list[Draft]:
    """Ten versions of one page, all put to the vote."""
    page = workshop.page(voters[0])
    made = [workshop.fork(voter, page, (word, word.upper())) for voter, word in zip(voters, WORDS, strict=False)]
    with workshop.writing() as session:
        for draft, voter in zip(made, voters, strict=False):
            candidates.put_forward(session, voter, draft.id)
    return made


def ranked(workshop: Workshop, page_id: int) -> list[int]:
    with workshop.reading() as session:
        return [row.revision_id for row in ranking.list_ranked(session, page_id)]


def by_the_rule(workshop: Workshop, listed: Sequence[Draft], voted: set[int]) -> list[int]:
    """Best first: by exact score, then supporters, then the smaller hash; without votes last, newest first."""
    heads = [drafts.head_of(draft) for draft in listed]
    with workshop.reading() as session:
        hashes = {id_: row.sha256 for id_, row in revisions.get_many(session, heads).items()}
    decisions = {head: workshop.decision(head) for head in heads}
    with_votes = [head for head in heads if head in voted]
    with_votes.sort(key=lambda head: (-decisions[head].score, -decisions[head].count.supporters, hashes[head]))
    return with_votes + [head for head in reversed(heads) if head not in voted]


@pytest.mark.parametrize("seed", range(3))
def test_candidates_come_best_first_whatever_the_votes(
    workshop: Workshop, voters: list[Actor], forks: list[Draft], seed: int
) -> None:
    order, voted = random.Random(seed), set()
    values = [Value.SUPPORT, Value.SUPPORT, Value.OPPOSE, Value.PASS]
    for _ in range(12):
        head = drafts.head_of(order.choice(forks[:8]))
        workshop.vote(order.choice(voters), head, order.choice(values))
        voted.add(head)
    assert ranked(workshop, forks[0].page_id) == by_the_rule(workshop, forks, voted)


def test_of_equal_scores_the_one_with_more_supporters_comes_first(
    workshop: Workshop, voters: list[Actor], forks: list[Draft]
) -> None:
    """Three of one chapter weigh as much as four, as its cap is three; the hash would put the other one first."""
    heads = [drafts.head_of(forks[0]), drafts.head_of(forks[1])]
    with workshop.reading() as session:
        first_by_hash, other = sorted(heads, key=lambda head: revisions.get(session, head).sha256)
    for head, supporters in ((first_by_hash, 3), (other, 4)):
        for voter in voters[: 3 * supporters : 3]:
            workshop.vote(voter, head)
    assert workshop.decision(first_by_hash).score == workshop.decision(other).score
    assert ranked(workshop, forks[0].page_id)[:2] == [other, first_by_hash]


def test_what_went_stale_comes_after_what_can_be_voted_on(
    workshop: Workshop, clock: MovableClock, voters: list[Actor], forks: list[Draft]
) -> None:
    for voter in voters[:5]:
        workshop.vote(voter, drafts.head_of(forks[2]))
    workshop.vote(voters[0], drafts.head_of(forks[5]))
    for voter in voters[:20]:
        workshop.vote(voter, drafts.head_of(forks[0]))  # rewrites the same sentence as the third version
    clock.move(hours=25)
    workshop.follow()
    with workshop.reading() as session:
        listed = ranking.list_ranked(session, forks[0].page_id)
        assert [(row.draft_id, row.stale) for row in listed[:2]] == [(forks[5].id, False), (forks[2].id, True)]
        assert (listed[0].score or 0) < (listed[1].score or 0)


def test_a_candidate_whose_last_vote_is_taken_back_has_none(
    workshop: Workshop, voters: list[Actor], forks: list[Draft]
) -> None:
    first, second = drafts.head_of(forks[0]), drafts.head_of(forks[1])
    workshop.vote(voters[0], first)
    assert ranked(workshop, forks[0].page_id)[0] == first
    with workshop.writing() as session:
        withdraw_vote(session, voters[0], first)
    workshop.vote(voters[0], second, Value.OPPOSE)
    assert ranked(workshop, forks[0].page_id) == by_the_rule(workshop, forks, {second})


def test_a_list_is_cut_counted_and_narrowed(
    workshop: Workshop, clock: MovableClock, voters: list[Actor], forks: list[Draft]
) -> None:
    page_id = forks[0].page_id
    for voter in voters[:20]:
        workshop.vote(voter, drafts.head_of(forks[0]))
    clock.move(hours=25)  # until then, what was approved has to be beaten
    for voter in voters[:7]:
        workshop.vote(voter, drafts.head_of(forks[1]))
    workshop.vote(voters[0], drafts.head_of(forks[5]), Value.OPPOSE)
    workshop.follow()  # the text approved first rewrites the sentence that the third version changes
    with workshop.reading() as session:
        assert ranking.count_stands(session, page_id) == Counter(
            {Stand.WAITING: 1, Stand.VOTING: 1, Stand.NEW: 6, Stand.STALE: 1}
        )
        whole = ranking.list_ranked(session, page_id)
        parts = [row for skip in range(0, 9, 4) for row in ranking.list_ranked(session, page_id, skip=skip, limit=4)]
        assert parts == whole
        assert [ranking.find_place(session, page_id, row.id) for row in whole] == list(range(9))
        assert ranking.find_place(session, page_id, 10_000) is None
        for stand, fork in ((Stand.WAITING, forks[1]), (Stand.VOTING, forks[5]), (Stand.STALE, forks[2])):
            assert [row.draft_id for row in ranking.list_ranked(session, page_id, stand=stand)] == [fork.id]
        assert len(ranking.list_ranked(session, page_id, stand=Stand.NEW)) == 6


def test_the_best_of_a_crowd_are_read_along_an_index(workshop: Workshop, forks: list[Draft]) -> None:
    """So that a list takes no longer with thousands of others behind it; counted in steps of the database's machine."""
    if not workshop.database.is_sqlite:
        pytest.skip("PostgreSQL does not tell its steps")
    page_id, few = forks[0].page_id, steps_of_list(workshop, forks[0].page_id)
    with workshop.writing() as session:
        session.exec(update(Candidate).where(col(Candidate.id) % 2 == 0).values(score=0.5))
        [row] = session.exec(select(Candidate).where(col(Candidate.score).is_not(None)).limit(1))
        like_it = row.model_dump(exclude={"id", "score"})
        for scores in ([n / 2_000 for n in range(1_000)], [None] * 1_000):
            session.execute(insert(Candidate), [{**like_it, "score": score} for score in scores])
    with workshop.reading() as session:
        assert len(ranking.list_ranked(session, page_id)) > 2_000
    assert steps_of_list(workshop, page_id) < 5 * few


def steps_of_list(workshop: Workshop, page_id: int) -> int:
    """Tens of steps to read the best eight and the newest two that nobody voted on."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with workshop.reading() as session:
        raw: Any = session.connection().connection.driver_connection
        raw.set_progress_handler(count, 10)
        best = ranking.list_ranked(session, page_id, limit=8)
        newest = ranking.list_ranked(session, page_id, stand=Stand.NEW, limit=2)
        raw.set_progress_handler(None, 0)
        assert (len(best), len(newest)) == (8, 2)
    return steps


def test_votes_from_before_ranks_were_kept_are_counted_by_the_follower(
    workshop: Workshop, voters: list[Actor], forks: list[Draft]
) -> None:
    for voter, fork in zip(voters[:4], (forks[1], forks[1], forks[2], forks[3]), strict=True):
        workshop.vote(voter, drafts.head_of(fork))
    before = ranked(workshop, forks[0].page_id)
    with workshop.writing() as session:  # as the migration leaves them
        session.exec(update(Candidate).values(score=None, supporters=0, due_at=Candidate.opened_at))
    assert ranked(workshop, forks[0].page_id) != before
    workshop.follow()
    assert ranked(workshop, forks[0].page_id) == before
