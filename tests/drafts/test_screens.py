"""A version on its way: what its screens say before, during and after it is merged."""

import pytest
from fastapi import FastAPI

from app.consensus import candidates
from app.drafts import merging
from app.drafts.models import Draft
from app.pages.models import Page
from app.permissions import Actor, Role
from app.revisions import service as revisions
from tests.conftest import MovableClock, connect
from tests.factories import Workshop


@pytest.fixture
def anna(workshop: Workshop) -> Actor:
    return workshop.member("anna", role=Role.WRITER)


@pytest.fixture
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
