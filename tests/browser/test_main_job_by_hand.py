"""The main job in a real browser without scripts, on a phone: read, edit, clash, fork, vote."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Campaign
from tests.factories import HOUSING

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).first.click()


def test_a_text_is_edited_fought_over_forked_and_approved(campaign: Campaign, visit: Callable[..., Page]) -> None:
    campaign.page("Housing", HOUSING, approved=False)
    ada, ben, cy = (visit(name, scripts=False) for name in ("Ada", "Ben", "Cy"))

    # Everybody approves the first text.
    ada.goto("/pages/housing")
    assert "No approved wording yet" in ada.inner_text("main")
    ada.goto("/pages/housing/history")
    ada.click(".timeline a")
    address = ada.url
    for page in (ada, ben):
        page.goto(address)
        press(page, "I’d use this")
    assert "approved" in ben.inner_text("#vote").lower()
    ben.goto("/pages/housing")
    assert "Everyone needs a home they can afford." in ben.inner_text("article")
    assert "No approved wording" not in ben.inner_text("main")

    # Two people open the editor, preview, and change one sentence differently: both texts are kept.
    for page, number in ((ada, "12,000"), (ben, "15,000")):
        page.goto("/pages/housing/edit")
        assert page.input_value("#text") == HOUSING
        page.fill("#text", HOUSING.replace("10,000", number))
    press(ada, "Preview")
    assert "12,000" in ada.inner_text("ins")
    assert "10,000" in ada.inner_text("del")
    press(ada, "Suggest change")
    assert "Saved as" in ada.inner_text("[role=status] >> nth=0")
    press(ben, "Suggest change")
    assert "Two people improved" in ben.inner_text("h1")
    ben.check("#own-choice-1")
    ben.fill("textarea[name=own-1]", "- We will build 13,000 homes a year.")
    press(ben, "Save with these choices")
    ben.click("summary:has-text('The whole text')")
    assert "13,000" in ben.inner_text("article")
    ben.goto("/me")
    assert "Withdrawn" in ben.inner_text(".card:has-text('Kept aside')")

    # A version of one's own of the approved text, put to the vote and approved.
    cy.goto("/pages/housing")
    press(cy, "Write your own version")
    cy.fill("#text", HOUSING.replace("Her children", "She paid more each time. Her children"))
    press(cy, "Save")
    press(cy, "I’d use this")
    address = cy.url
    assert "You would use this" in cy.inner_text("#vote")
    ben.goto(address)
    assert "You see how others voted once you have voted yourself" in ben.inner_text("#vote")
    press(ben, "I’d use this")
    cy.goto("/pages/housing")
    assert "She paid more each time." in cy.inner_text("article")
    assert "10,000" in cy.inner_text("article")
