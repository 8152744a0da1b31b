"""Searching in a real browser: titles while typing, results without scripts, nothing in anybody's way."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Campaign, wait_until_indexed

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module", autouse=True)
def _texts(campaign: Campaign) -> None:
    campaign.page("Heating", "Heat costs more than food this winter.", approved=False)
    campaign.page("Heating <b>benefit</b>", "Help with the heat.", approved=False)
    campaign.page("Taxes", "Everyone pays a proper share.", approved=False)
    campaign.page("Duties", "A proper share, landlords too.", approved=False)
    wait_until_indexed(campaign.server, "duties")


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    return visit()


def test_titles_come_while_somebody_types_and_lead_to_their_pages_by_keyboard(page: Page) -> None:
    page.goto("/search")
    box = page.locator("#q")
    box.press_sequentially("heat")
    titles = page.get_by_role("option")
    expect(titles).to_have_text(["Heating", "Heating <b>benefit</b>"])
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowUp")
    box.press("ArrowUp")
    expect(titles.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", titles.first.get_attribute("id") or "")
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.press_sequentially("i")
    expect(titles).to_have_count(2)
    box.press("ArrowDown")
    box.press("Enter")
    page.wait_for_url("**/pages/heating")


def test_enter_without_a_choice_searches(page: Page) -> None:
    page.goto("/search")
    page.locator("#q").press_sequentially("heat")
    page.locator("#q").press("Enter")
    page.wait_for_url("**/search?q=heat*")
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".card mark").first).to_have_text(re.compile("^heat(ing)?$", re.IGNORECASE))


def test_results_are_found_and_narrowed_without_scripts(visit: Callable[..., Page]) -> None:
    page = visit(scripts=False)
    page.goto("/search")
    page.fill("#q", "proper -landlords")
    page.get_by_label("Drafts", exact=True).check()
    page.locator("main form button").click()
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".card mark")).to_have_text("proper")
