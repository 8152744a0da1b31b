"""A large change put forward section by section: parts that together say what it says, and a draft that stays."""

import pytest
from sqlmodel import select

from app.activity.models import Activity
from app.approvals import service as approvals
from app.consensus import candidates, splitting
from app.consensus.candidates import NeedsMerge
from app.consensus.facts import State
from app.consensus.models import Candidate
from app.consensus.splitting import NothingToSplit
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.drafts.service import DraftClosed
from app.errors import NotAllowed
from app.pages.models import Page
from app.permissions import Actor, Role
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.consensus.test_cutting import BASE, rewritten, section
from tests.factories import Workshop

pytestmark = POSTGRES_IN_SOAK

LARGE = rewritten(BASE, range(4))
TITLES = ["Part 0", "Part 1", "Part 2", "Part 3"]


@pytest.fixture
@made_once
def people(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"m{n}", role=Role.WRITER) for n in range(5)]


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock, people: list[Actor]) -> Page:
    page = workshop.page(people[0], "Homes", BASE)
    approve(workshop, workshop.shared_head(page), people)
    clock.move(hours=30)
    return page


@pytest.fixture
@made_once
def large(workshop: Workshop, people: list[Actor], page: Page) -> Draft:
    """A change of twelve blocks in four sections, by member 3."""
    return fork(workshop, people[3], page, LARGE)


def approve(workshop: Workshop, revision_id: int, people: list[Actor]) -> None:
    for voter in people[:3]:
        workshop.vote(voter, revision_id)
    workshop.follow()


def fork(workshop: Workshop, actor: Actor, page: Page, text: str) -> Draft:
    with workshop.writing() as session:
        return drafts.fork(session, actor, drafts.default_fork_origin(session, page), text=text, summary="Plainer")


def split(workshop: Workshop, actor: Actor | None, draft: Draft) -> list[Draft]:
    with workshop.writing() as session:
        return splitting.split(session, actor, draft.id)


def text_of(workshop: Workshop, draft: Draft) -> str:
    with workshop.reading() as session:
        return revisions.text_by_id(session, drafts.head_of(drafts.get_draft(session, draft.id)))


def test_each_section_becomes_a_draft_of_its_author_put_to_the_vote_on_the_approved_text(
    workshop: Workshop, people: list[Actor], page: Page, large: Draft
) -> None:
    parts = split(workshop, people[3], large)
    assert [part.name for part in parts] == [f"{title}: {large.name}" for title in TITLES]
    assert [text_of(workshop, part) for part in parts] == [rewritten(BASE, [n]) for n in range(4)]
    with workshop.reading() as session:
        approved = approvals.find_current(session, page.id)
        assert approved is not None
        for part in parts:
            candidate = candidates.find_by_revision(session, drafts.head_of(part))
            assert candidate is not None
            assert (part.owner_id, part.base_id) == (people[3].id, approved.revision_id)
            assert (candidate.base_revision_id, candidate.draft_id) == (approved.revision_id, part.id)
            assert revisions.get(session, drafts.head_of(part)).summary == "Plainer"
        rows = session.exec(select(Activity).where(Activity.kind == "revision.saved")).all()
        assert [(row.data or {}).get("split_from") for row in rows[-4:]] == [large.id] * 4


@pytest.mark.parametrize("order", [1, -1], ids=["as they stand", "from the end"])
def test_all_parts_approved_give_the_text_of_the_draft(
    workshop: Workshop, clock: MovableClock, people: list[Actor], page: Page, large: Draft, order: int
) -> None:
    for part in split(workshop, people[3], large)[::order]:
        with workshop.reading() as session:
            found = candidates.list_of_drafts(session, [part.id])[-1].revision_id
        approve(workshop, found, people)
        clock.move(hours=30)
    assert workshop.approved_text(page) == LARGE == text_of(workshop, large)


def test_the_draft_stays_and_its_vote_makes_way_where_nobody_voted(
    workshop: Workshop, people: list[Actor], page: Page, large: Draft
) -> None:
    head = drafts.head_of(large)
    with workshop.writing() as session:
        candidates.put_forward(session, people[3], large.id)
    split(workshop, people[3], large)
    assert workshop.decision(head).state is State.WITHDRAWN
    assert text_of(workshop, large) == LARGE
    with workshop.writing() as session:
        assert drafts.get_draft(session, large.id).state == "open"
        again = candidates.put_forward(session, people[3], large.id)
        assert (again.closed, again.revision_id) == (None, head), "its owner can ask about the whole again"


def test_votes_on_the_whole_stay_with_it(workshop: Workshop, people: list[Actor], page: Page, large: Draft) -> None:
    head = drafts.head_of(large)
    workshop.vote(people[4], head)
    split(workshop, people[3], large)
    found = workshop.decision(head)
    assert (found.state, found.count.supporters) == (State.COLLECTING, 1)
    workshop.vote(people[2], head)
    assert workshop.decision(head).count.supporters == 2


def test_a_draft_that_began_elsewhere_is_split_as_it_stands_on_the_approved_text(
    workshop: Workshop, people: list[Actor], page: Page, large: Draft
) -> None:
    approve(workshop, drafts.head_of(fork(workshop, people[0], page, rewritten(BASE, [5]))), people)
    parts = split(workshop, people[3], large)
    assert [text_of(workshop, part) for part in parts] == [rewritten(BASE, [n, 5]) for n in range(4)]


def refusals(workshop: Workshop, people: list[Actor], page: Page) -> list[tuple[str, Draft, type[Exception]]]:
    small = fork(workshop, people[3], page, rewritten(BASE, range(3)))
    added = "\n".join(f"Paragraph number {n} is new.\n" for n in range(12))
    one = fork(workshop, people[3], page, BASE.replace(section(2), section(2) + "\n" + added))
    gone = fork(workshop, people[3], page, LARGE)
    with workshop.writing() as session:
        drafts.withdraw(session, people[3], gone.id)
        shared = drafts.get_shared(session, page.id)
        unapproved = drafts.create_page(session, people[0], title="Trams", text=BASE)
        first = drafts.fork(session, people[3], drafts.default_fork_origin(session, unapproved), text=LARGE)
    return [
        ("9 paragraphs", small, NothingToSplit),
        ("one section", one, NothingToSplit),
        ("closed", gone, DraftClosed),
        ("everybody", shared, NothingToSplit),
        ("no approved text", first, NothingToSplit),
    ]


def test_what_cannot_be_split_is_refused_with_the_reason_and_not_offered(
    workshop: Workshop, people: list[Actor], page: Page
) -> None:
    for reason, draft, kind in refusals(workshop, people, page):
        with pytest.raises(kind) as raised:
            split(workshop, people[3], draft)
        assert reason in raised.value.detail  # type: ignore[attr-defined]
        with workshop.reading() as session:
            assert splitting.find_cut(session, people[3], drafts.get_draft(session, draft.id)) is None


def test_only_its_owner_splits_it_and_only_once(
    workshop: Workshop, people: list[Actor], page: Page, large: Draft
) -> None:
    for stranger in (people[0], None):
        with pytest.raises(NotAllowed):
            split(workshop, stranger, large)
        with workshop.reading() as session:
            assert splitting.find_cut(session, stranger, large) is None
    with workshop.reading() as session:
        offer = splitting.find_cut(session, people[3], large)
        assert offer is not None
        assert (offer.blocks, offer.sections, len(offer.parts)) == (12, 4, 4)
        drafts_before = len(session.exec(select(Draft)).all())
    split(workshop, people[3], large)
    with pytest.raises(NothingToSplit, match="already"):
        split(workshop, people[3], large)
    with workshop.reading() as session:
        assert splitting.find_cut(session, people[3], large) is None
        assert len(session.exec(select(Draft)).all()) == drafts_before + 4


def test_one_that_clashes_with_the_approved_text_is_merged_first(
    workshop: Workshop, people: list[Actor], page: Page, large: Draft
) -> None:
    other = BASE.replace("first sentence of part 0 is", "very first line of part 0 stands")
    approve(workshop, drafts.head_of(fork(workshop, people[0], page, other)), people)
    with pytest.raises(NeedsMerge):
        split(workshop, people[3], large)
    with workshop.reading() as session:
        assert session.exec(select(Candidate).where(Candidate.draft_id == large.id)).first() is None
