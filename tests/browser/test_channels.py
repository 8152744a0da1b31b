"""Counts that follow the fingers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Campaign, listen, open_at

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TEXT = "# Turnout\n\n## SMS\n\nVote on Thursday.\n\n## Story\n\nAnna’s.\n"


def test_the_count_follows_what_is_typed_and_one_tap_straightens_it(
    campaign: Campaign, visit: Callable[..., Page]
) -> None:
    slug = campaign.page("Turnout", TEXT).slug
    page = visit("Ada")
    open_at(page, f"/pages/{slug}/edit?section=sms", "editor")
    counts = page.locator("#counts")
    expect(counts).to_have_text("1 text, 17 of 160 characters")
    page.fill("#text", "It’s Thursday. " + "Vote! " * 12)
    expect(counts).to_contain_text("2 texts, 86 of 134 characters")
    expect(counts).to_contain_text("1 curly quote makes this 2 texts instead of 1.")
    counts.get_by_role("button", name="Make it straight").click()
    expect(page.locator("#text")).to_have_value("It's Thursday. " + "Vote! " * 12)
    expect(counts).to_have_text("1 text, 86 of 160 characters")
    listen(page, "editor")
    page.fill("#text", "Vote on Thursday.")
    expect(counts).to_have_text("1 text, 17 of 160 characters")
