"""“Does your vote still stand?” on a phone and by keys: answered before the next text, which then comes."""

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.consensus import rivals
from tests.browser.conftest import Campaign, fits, open_at

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]


_numbers = itertools.count(1)


def prepare(campaign: Campaign) -> int:
    """Dee's vote on a text that was overtaken, the only one she is asked about, and another text that waits for her."""
    campaign.join("Dee")
    dee = campaign.people["Dee"]
    with campaign.workshop.writing() as session:
        for question in rivals.list_questions(session, dee):
            rivals.keep_votes(session, dee, question.approval.id)
    number = next(_numbers)
    campaign.put_forward("Ada", campaign.page(f"Asked next {number}"), ("everyone", "all of us"))
    return campaign.overtake("Dee", campaign.page(f"Asked again {number}"), "A ride is one coin.")[0]


@pytest.mark.parametrize(("scripts", "width"), [(True, 320), (False, 320), (True, 1280)])
def test_a_vote_is_kept_with_one_tap_and_the_next_text_comes(
    campaign: Campaign, visit: Visit, scripts: bool, width: int
) -> None:
    prepare(campaign)
    page = visit("Dee", width=width, scripts=scripts)
    page.goto("/review")
    if scripts:
        open_at(page, "/review", "review")
    expect(page.get_by_role("heading", name="Does your vote still stand?")).to_be_visible()
    expect(page.locator(".stands ins")).to_contain_text("ride")
    expect(page.locator("#decide")).to_have_count(0)
    assert fits(page)
    page.get_by_role("button", name="Keep my vote as it is").click()
    expect(page.get_by_role("status").filter(has_text="Your votes stay as they are.")).to_be_visible()
    expect(page.locator("#decide")).to_be_visible()
    page.goto("/me")
    expect(page.locator(".stands")).to_have_count(0)


def test_it_is_kept_by_a_key(campaign: Campaign, visit: Visit) -> None:
    prepare(campaign)
    page = visit("Dee", width=1280)
    open_at(page, "/review", "review", "keys")
    page.keyboard.press("1")
    expect(page.get_by_role("status").filter(has_text="Your votes stay as they are.")).to_be_visible()


def test_the_wording_is_put_to_a_new_vote_from_the_page_of_the_text(campaign: Campaign, visit: Visit) -> None:
    stale = prepare(campaign)
    page = visit("Dee")
    page.goto(f"/revisions/{stale}")
    page.get_by_role("button", name="Put it to the vote again").click()
    expect(page.get_by_text("It is before the members now.")).to_be_visible()
    expect(page.locator("#vote")).to_contain_text("Nobody has voted on this text yet.")
    page.get_by_role("button", name="I’d use this").click()
    expect(page.locator("#vote")).to_contain_text("You would use this.")
