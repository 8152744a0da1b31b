"""Stacks of a page, kept as candidates open, move and close, and what members see of them."""

import re

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, update

from app.consensus import candidates, joined, ranking, stacks, withdrawing
from app.consensus.follower import CandidateFollower
from app.consensus.models import Candidate, LookAlike, StackBand, Value
from app.consensus.ranking import Stand
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.pages.models import Page
from app.permissions import Actor, Role, Scope
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock, connect
from tests.factories import HOUSING, Workshop

pytestmark = POSTGRES_IN_SOAK

SENTENCE = "Rents have risen faster than wages."
FAR, MUCH = "Rents have risen far faster than our wages.", "Rents have risen much faster than our wages."
OTHER = "The state must build homes for those who work here."


@pytest.fixture
def anna(workshop: Workshop) -> Actor:
    return workshop.member("anna", chapter="north", role=Role.WRITER)


@pytest.fixture
@made_once
def people(workshop: Workshop, anna: Actor) -> list[Actor]:
    return [anna, *(workshop.member(f"member-{n}", chapter="north") for n in range(5))]


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock, people: list[Actor]) -> Page:
    """Housing, approved long ago."""
    page = workshop.page(people[0])
    for member in people:
        workshop.vote(member, workshop.shared_head(page))
    clock.move(days=2)
    workshop.follow()
    return page


def propose(workshop: Workshop, actor: Actor, page: Page, *changes: tuple[str, str]) -> Draft:
    draft = workshop.fork(actor, page, *changes)
    with workshop.writing() as session:
        candidates.put_forward(session, actor, draft.id)
    return draft


def stacked(workshop: Workshop, page: Page, *, stand: Stand | None = None, skip: int = 0) -> list[list[int]]:
    """The revisions of each of the page's stacks, the one on top first."""
    with workshop.reading() as session:
        found = stacks.list_stacks(session, page.id, stand=stand, skip=skip, limit=50, shown=50)
        assert all(stack.size == 1 + len(stack.others) for stack in found)
        return [[row.revision_id for row in (stack.top, *stack.others)] for stack in found]


def test_a_stack_stands_where_its_best_candidate_is_ranked(workshop: Workshop, people: list[Actor], page: Page) -> None:
    far = propose(workshop, people[0], page, (SENTENCE, FAR))
    alone = propose(workshop, people[1], page, (SENTENCE, OTHER))
    much = propose(workshop, people[2], page, (SENTENCE, MUCH))
    assert stacked(workshop, page) == [[much.head_id, far.head_id], [alone.head_id]]
    workshop.vote(people[3], alone.head_id or 0)
    assert stacked(workshop, page) == [[alone.head_id], [much.head_id, far.head_id]]
    workshop.vote(people[3], far.head_id or 0)
    workshop.vote(people[4], far.head_id or 0)
    assert stacked(workshop, page) == [[far.head_id, much.head_id], [alone.head_id]]
    assert stacked(workshop, page, skip=1) == [[alone.head_id]]
    assert stacked(workshop, page, stand=Stand.NEW) == [[much.head_id]]
    with workshop.reading() as session:
        listed = ranking.list_ranked(session, page.id)
    assert [row.revision_id for row in listed] == [far.head_id, alone.head_id, much.head_id]


def test_a_stack_goes_on_without_the_candidate_that_began_it(
    workshop: Workshop, people: list[Actor], page: Page
) -> None:
    first = propose(workshop, people[0], page, (SENTENCE, FAR))
    second = propose(workshop, people[1], page, (SENTENCE, MUCH))
    with workshop.writing() as session:
        withdrawing.withdraw_draft(session, people[0], first.id)
    third = propose(workshop, people[2], page, (SENTENCE, FAR.replace("our", "the")))
    assert stacked(workshop, page) == [[third.head_id, second.head_id]]
    with workshop.reading() as session:
        [row] = [row for row in ranking.list_ranked(session, page.id) if row.revision_id == third.head_id]
        assert stacks.look_alikes_of(session, [row], limit=0) == {row.id: []}
        [other] = stacks.look_alikes_of(session, [row], limit=None)[row.id]
        assert other.revision_id == second.head_id == session.get_one(Candidate, other.id).revision_id


def test_those_of_another_page_are_in_other_stacks(workshop: Workshop, people: list[Actor], page: Page) -> None:
    second = workshop.page(people[0], "Homes", HOUSING)
    for member in people:
        workshop.vote(member, workshop.shared_head(second))
    one, other = (propose(workshop, people[0], each, (SENTENCE, FAR)) for each in (page, second))
    with workshop.reading() as session:
        for draft in (one, other):
            found = candidates.find_by_revision(session, draft.head_id or 0)
            assert found is not None
            assert found.stack_id == found.id
    assert [one.head_id] in stacked(workshop, page)
    assert [other.head_id] in stacked(workshop, second)


def test_a_carried_candidate_is_stacked_by_what_is_left_of_its_change(
    workshop: Workshop, clock: MovableClock, people: list[Actor], page: Page
) -> None:
    """Two that began alone come to say the same once what set them apart is approved."""
    point = "Renters get a fair contract."
    new = "Every tenant in this country gets a written contract within a month of moving in, free of any charge."
    alone = propose(workshop, people[1], page, (SENTENCE, MUCH))
    both = propose(workshop, people[0], page, (SENTENCE, FAR), (point, new))
    assert sorted(map(len, stacked(workshop, page))) == [1, 1]
    winner = workshop.fork(people[2], page, (point, new))
    for member in people:
        workshop.vote(member, winner.head_id or 0)
        if member is not people[5]:
            workshop.vote(member, both.head_id or 0, Value.PASS)
    clock.move(hours=13)
    workshop.follow()
    assert new in (workshop.approved_text(page) or "")
    [stack] = stacked(workshop, page)
    assert alone.head_id in stack
    with workshop.reading() as session:
        texts = [revisions.text_by_id(session, id_) for id_ in stack]
    assert sorted((FAR in text, MUCH in text, new in text) for text in texts) == [
        (False, True, False),
        (True, False, True),
    ]


@pytest.mark.parametrize("all_is_gone", [True, False])
def test_candidates_from_before_are_put_into_stacks_when_the_program_starts(
    workshop: Workshop, people: list[Actor], page: Page, all_is_gone: bool
) -> None:
    pair = [propose(workshop, people[n], page, (SENTENCE, text)).head_id for n, text in enumerate((FAR, MUCH))]
    with workshop.writing() as session:
        session.exec(delete(StackBand))
        if all_is_gone:
            session.exec(delete(LookAlike))
        session.exec(update(Candidate).values(stack_id=None))
    assert sorted(stacked(workshop, page)) == sorted([[pair[0]], [pair[1]]])
    CandidateFollower().follow(workshop.database)
    assert stacked(workshop, page) == [[pair[1], pair[0]]]


async def shown(app: FastAPI, token: str | None, address: str) -> str:
    async with connect(app, token) as client:
        return (await client.get(address, follow_redirects=True)).text


@pytest.mark.anyio
async def test_the_list_shows_one_card_for_a_stack_and_of_the_others_only_what_differs(
    app: FastAPI, workshop: Workshop, people: list[Actor], page: Page
) -> None:
    best = propose(workshop, people[0], page, (SENTENCE, FAR), ("Anna moved", "Nora moved"))
    workshop.vote(people[3], best.head_id or 0)
    near = propose(workshop, people[1], page, (SENTENCE, MUCH), ("Anna moved", "Nora moved"))
    text = await shown(app, None, "/pages/housing/drafts")
    assert text.count('<li class="card">') == 1
    assert "1 more says nearly the same" in text
    inside = text.partition("<details>")[2].partition("</details>")[0]
    assert f'href="/revisions/{near.head_id}"' in inside
    assert re.sub(r"<[^>]*>", "", inside).split().count("much") == 1
    assert "Everyone" not in inside
    assert "Nora" not in inside
    assert f'href="/drafts/{best.id}/join?with={near.id}"' in inside
    assert "<form" not in inside


@pytest.mark.anyio
async def test_whoever_supports_one_is_offered_the_others_each_by_its_own_text(
    app: FastAPI, workshop: Workshop, people: list[Actor], page: Page
) -> None:
    drafted = [
        propose(workshop, people[n], page, (SENTENCE, text))
        for n, text in enumerate((FAR, MUCH, FAR.replace("our", "the")))
    ]
    token = workshop.token(people[4])
    address = f"/revisions/{drafted[0].head_id}"
    before = await shown(app, token, address)
    assert "Nearly the same: 2" in before
    assert "I’d use this too" not in before
    workshop.vote(people[4], drafted[0].head_id or 0)
    offered = await shown(app, token, address)
    assert "You support this one. 2 say nearly the same: support them too?" in offered
    with workshop.reading() as session:
        hashes = [revisions.get(session, draft.head_id or 0).sha256 for draft in drafted]
    for draft, sha256 in list(zip(drafted, hashes, strict=True))[1:]:
        form = offered.partition(f'action="/revisions/{draft.head_id}/vote"')[2].partition("</form>")[0]
        assert f'name="sha256" value="{sha256}"' in form
        assert 'value="support"' in form
    async with connect(app, token) as client:
        data = {"value": "support", "sha256": hashes[1], "back": str(drafted[0].head_id)}
        answer = await client.post(f"/revisions/{drafted[1].head_id}/vote", data=data)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{address}#alike")
    after = await shown(app, token, address)
    assert "You support this one. 1 says nearly the same: support it too?" in after
    counts = [workshop.decision(draft.head_id or 0).count.supporters for draft in drafted]
    assert counts == [1, 1, 0]


@pytest.mark.anyio
async def test_two_are_joined_on_screen_without_scripts_and_both_authors_are_named(
    app: FastAPI, workshop: Workshop, people: list[Actor], page: Page
) -> None:
    one = propose(workshop, people[1], page, (SENTENCE, FAR), ("Anna moved", "Nora moved"))
    other = propose(workshop, people[2], page, (SENTENCE, MUCH))
    workshop.vote(people[4], other.head_id or 0)
    token = workshop.token(people[1], *Scope)
    async with connect(app, token) as client:
        form = await client.get(f"/drafts/{one.id}/join?with={other.id}")
        assert form.status_code == 200
        assert "1 sentence needs your choice" in form.text
        data = {"with": str(other.id), "ours": str(one.head_id), "theirs": str(other.head_id)}
        unchosen = await client.post(f"/drafts/{one.id}/join", data=data)
        assert (unchosen.status_code, "Choose a wording for sentence 1" in unchosen.text) == (422, True)
        old = await client.post(f"/drafts/{one.id}/join", data=data | {"theirs": "1", "choice-1": "theirs"})
        assert (old.status_code, "One of the two was edited meanwhile" in old.text) == (409, True)
        words = "Rents have risen much, much faster than our wages."
        answer = await client.post(f"/drafts/{one.id}/join", data=data | {"choice-1": "own", "own-1": words})
        assert answer.status_code == 303
        told = (await client.get(answer.headers["Location"])).text
    assert "The two are one draft of yours now" in told
    assert "the version of <bdi>member-0</bdi>" in told
    assert "the version of <bdi>member-1</bdi>" in told
    assert "Put it to the vote" in told
    joined_id = int(answer.headers["Location"].split("/")[2].partition("?")[0])
    with workshop.reading() as session:
        assert words in revisions.text_by_id(session, joined_id)
        row = [candidates.find_by_revision(session, draft.head_id or 0) for draft in (one, other)]
        assert [each.closed for each in row if each] == ["withdrawn", None]
        assert [joined.is_joined(session, each) for each in row if each] == [True, True]
        into = revisions.get(session, joined_id).draft_id
    earlier = await shown(app, workshop.token(people[4]), f"/revisions/{other.head_id}")
    assert f'Its words were joined into <a href="/drafts/{into}">' in earlier
    with workshop.writing() as session:
        drafts.withdraw(session, people[1], into)
    with workshop.reading() as session:
        assert [joined.is_joined(session, each) for each in row if each] == [False, False]
    assert "joined into" not in await shown(app, None, f"/revisions/{other.head_id}")


@pytest.mark.anyio
async def test_who_is_not_signed_in_keeps_the_choices_and_nothing_is_joined(
    app: FastAPI, workshop: Workshop, people: list[Actor], page: Page
) -> None:
    one, other = (propose(workshop, people[n], page, (SENTENCE, text)) for n, text in enumerate((FAR, MUCH)))
    data = {"with": str(other.id), "ours": str(one.head_id), "theirs": str(other.head_id)}
    async with connect(app) as client:
        answer = await client.post(f"/drafts/{one.id}/join", data=data | {"choice-1": "own", "own-1": "New words."})
    assert answer.status_code == 401
    assert "New words." in answer.text
    with workshop.reading() as session:
        assert drafts.count_open_forks(session, [page.id]) == {page.id: 2}
