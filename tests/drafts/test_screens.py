"""A version on its way: what its screens say before, during and after it is merged."""

import re

import pytest
from fastapi import FastAPI

from app.consensus import candidates
from app.drafts import merging
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.pages.models import Page
from app.permissions import Actor, Role
from app.revisions import service as revisions
from tests.beginnings import made_once
from tests.conftest import ON_SQLITE_ALONE, MovableClock, connect
from tests.factories import Workshop

pytestmark = ON_SQLITE_ALONE


@pytest.fixture
def anna(workshop: Workshop) -> Actor:
    return workshop.member("anna", role=Role.WRITER)


@pytest.fixture
@made_once
def page(workshop: Workshop, clock: MovableClock, anna: Actor) -> Page:
    """Housing, approved by its only member long ago."""
    page = workshop.page(anna)
    workshop.vote(anna, workshop.shared_head(page))
    clock.move(days=2)
    return page


def put_forward(workshop: Workshop, actor: Actor, page: Page, *changes: tuple[str, str]) -> Draft:
    draft = workshop.fork(actor, page, *changes)
    with workshop.writing() as session:
        candidates.put_forward(session, actor, draft.id)
    return draft


async def shown(app: FastAPI, address: str) -> str:
    async with connect(app) as client:
        return (await client.get(address, follow_redirects=True)).text


@pytest.mark.anyio
async def test_a_text_before_the_members_is_no_draft_even_without_votes(
    app: FastAPI, workshop: Workshop, anna: Actor, page: Page
) -> None:
    draft = put_forward(workshop, anna, page, ("10,000", "12,000"))
    for address in (f"/drafts/{draft.id}", "/pages/housing/drafts"):
        text = await shown(app, address)
        assert "No votes yet</span>" in text
        assert ">Draft</span>" not in text


@pytest.mark.anyio
async def test_wordings_are_compared_with_the_leading_one_by_name(
    app: FastAPI, workshop: Workshop, anna: Actor, page: Page
) -> None:
    for number in range(5):
        workshop.member(f"voter-{number}")
    best = put_forward(workshop, anna, page, ("10,000", "12,000"))
    put_forward(workshop, anna, page, ("10,000", "11,000"))
    assert "which leads" not in await shown(app, "/pages/housing/drafts")
    workshop.vote(anna, best.head_id or 0)
    text = await shown(app, "/pages/housing/drafts")
    assert f"Compare with “<bdi>{best.name}</bdi>”, which leads" in text
    assert text.count("which leads") == 1


@pytest.mark.anyio
async def test_two_compared_are_named_and_lead_on_to_their_votes(
    app: FastAPI, workshop: Workshop, anna: Actor, page: Page
) -> None:
    draft = put_forward(workshop, anna, page, ("10,000", "12,000"))
    text = await shown(app, f"/compare?from={workshop.shared_head(page)}&to={draft.head_id}")
    assert "the approved text, r1" in text
    assert f"{draft.name}</bdi>, r{2}" in text
    assert f'<a class="button" href="/revisions/{draft.head_id}">' in text


@pytest.mark.anyio
async def test_a_stale_version_that_was_merged_says_so_and_what_changes_nothing_takes_no_vote(
    app: FastAPI, workshop: Workshop, clock: MovableClock, anna: Actor, page: Page
) -> None:
    stale = put_forward(workshop, anna, page, ("10,000", "11,000"))
    winner = put_forward(workshop, anna, page, ("10,000", "12,000"))
    workshop.vote(anna, winner.head_id or 0)
    workshop.follow()
    old = f"/revisions/{stale.head_id}"
    assert "Merge it with the approved text" in await shown(app, old)
    with workshop.writing() as session:
        approved = revisions.get(session, winner.head_id or 0)
        theirs = [clash.theirs for clash in merging.compare_with(session, stale, approved).conflicts]
        merging.update_from_approved(session, anna, stale.id, resolutions=theirs)
    before = await shown(app, old)
    assert "It has been merged with the approved text since." in before
    assert "Merge it with the approved text" not in before
    assert "Merge it<" not in await shown(app, "/pages/housing/drafts")
    after = await shown(app, f"/drafts/{stale.id}")
    assert "It says the same as the approved text, word for word." in after
    assert "I’d use this" not in after
    assert "Put it to the vote" not in after


@pytest.mark.anyio
async def test_a_section_is_edited_without_the_signs_of_its_heading(
    app: FastAPI, workshop: Workshop, page: Page
) -> None:
    text = await shown(app, "/pages/housing/edit?section=topline")
    _, _, typed = text.partition("<textarea")
    assert "Everyone needs a home" in typed.partition("</textarea>")[0]
    assert "#" not in typed.partition("</textarea>")[0]
    assert 'name="heading" value="## Topline\n\n"' in text


@pytest.mark.anyio
async def test_a_section_that_is_gone_says_so_and_gives_the_whole_text(
    app: FastAPI, workshop: Workshop, anna: Actor, page: Page
) -> None:
    """Its pencil stood on a page that was opened before."""
    note = "This part was renamed or taken out"
    assert note not in await shown(app, "/pages/housing/edit?section=story")
    assert note not in await shown(app, "/pages/housing/edit")
    head = workshop.shared_head(page)
    with workshop.writing() as session:
        text: str = revisions.text_by_id(session, head)
        shared = drafts.get_shared(session, page.id)
        drafts.save_edit(session, anna, shared.id, base_id=head, text=text.replace("## Story", "## Anna"))
    text = await shown(app, "/pages/housing/edit?section=story")
    assert note in text
    typed = text.partition("<textarea")[2].partition("</textarea>")[0]
    assert "Everyone needs a home" in typed
    assert "Anna moved" in typed


@pytest.mark.anyio
async def test_a_list_of_as_many_drafts_as_fit_ends_there(
    app: FastAPI, workshop: Workshop, anna: Actor, page: Page
) -> None:
    for number in range(26):
        workshop.fork(anna, page, ("10,000", f"{number + 11},000"))
        if number < 24:
            continue
        text = await shown(app, "/pages/housing/drafts?show=drafts")
        assert ("cursor=" in text) is (number == 25)
        assert len(re.findall(r'<a href="/drafts/\d+"', text)) == 25
    more = re.search(r'href="([^"]+cursor=[^"]+)"', text)
    assert more is not None
    rest = await shown(app, more[1].replace("&amp;", "&"))
    assert len(re.findall(r'<a href="/drafts/\d+"', rest)) == 1
    assert "cursor=" not in rest


@pytest.mark.anyio
async def test_a_stale_wording_leaves_every_list_once_it_was_merged(
    app: FastAPI, workshop: Workshop, anna: Actor, page: Page
) -> None:
    stale = put_forward(workshop, anna, page, ("10,000", "11,000"))
    put_forward(workshop, anna, page, ("Landlords get", "Owners get"))
    winner = put_forward(workshop, anna, page, ("10,000", "12,000"))
    workshop.vote(anna, winner.head_id or 0)
    workshop.follow()

    async def counted() -> tuple[str | None, ...]:
        listed = await shown(app, "/pages/housing/drafts")
        found = (
            re.search(r"(\d+) being decided", await shown(app, "/")),
            re.search(r"All wordings: (\d+) put to the vote", await shown(app, "/pages/housing")),
            re.search(r"Put to the vote: (\d+)", listed),
            re.search(r">All \((\d+)\)", listed),
            re.search(r">Needs a merge \((\d+)\)", listed),
        )
        return (*(match and match[1] for match in found), str(listed.count('<li class="card">')))

    assert await counted() == ("2", "2", "2", "2", "1", "2")
    with workshop.writing() as session:
        approved = revisions.get(session, winner.head_id or 0)
        conflicts = merging.compare_with(session, stale, approved).conflicts
        ours = [clash.ours for clash in conflicts]
        merging.update_from_approved(session, anna, stale.id, resolutions=ours)
    assert await counted() == ("1", "1", "1", "1", "0", "1")
    assert f"/revisions/{stale.head_id}" not in await shown(app, "/pages/housing/drafts")


@pytest.mark.anyio
async def test_where_nothing_is_to_be_brought_in_it_says_so(
    app: FastAPI, workshop: Workshop, anna: Actor, page: Page
) -> None:
    draft = workshop.fork(anna, page, ("10,000", "12,000"))
    before = workshop.page(anna, "Schools")
    unapproved = workshop.fork(anna, before, ("10,000", "12,000"))
    for fork, words in (
        (draft, "This version holds the approved text already, so there is nothing to bring in."),
        (unapproved, "This page has no approved text yet, so there is nothing to bring in."),
    ):
        async with connect(app, workshop.token(anna)) as client:
            for answer in (
                await client.get(f"/drafts/{fork.id}/merge"),
                await client.post(f"/drafts/{fork.id}/merge", data={"theirs": "1"}),
            ):
                assert (answer.status_code, words in answer.text) == (409, True)
        with workshop.reading() as session:
            assert drafts.get_draft(session, fork.id).head_id == fork.head_id
