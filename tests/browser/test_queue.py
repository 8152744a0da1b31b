"""The queue on a phone: one tap each, undone within half a minute, without signal, by keys, and for everybody."""

import itertools
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from app.consensus import candidates, queue
from app.consensus.models import Value
from app.consensus.votes import cast_vote, find_vote
from app.permissions import Actor
from app.revisions import service as revisions
from tests.browser.conftest import Campaign, fits, open_at
from tests.browser.test_screens import check

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]
CHANGES = (("everyone", "all of us"), ("across town", "through town"), ("last shift", "late shift"))
COUNTED = re.compile(r"^Your vote was counted, for:")
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def three(campaign: Campaign) -> None:
    """At least three texts that nobody has voted on."""
    for change in CHANGES:
        campaign.put_forward("Ada", campaign.page(f"Queue {next(_numbers)}"), change)


def undo(page: Page) -> Locator:
    return page.locator("[data-undo] p")


def asked(page: Page) -> int:
    """The revision that is asked about."""
    return int(page.locator("#decide input[name=revision]").input_value())


def leads_on(page: Page, first: int, words: re.Pattern[str] = COUNTED) -> None:
    """Another text is shown, and what became of the vote on the first."""
    expect(page.locator("#decide input[name=revision]")).not_to_have_value(str(first))
    expect(undo(page)).to_have_text(words)


def has_voted(campaign: Campaign, actor: Actor, revision_id: int) -> bool:
    with campaign.workshop.reading() as session:
        candidate = candidates.find_by_revision(session, revision_id)
        assert candidate is not None
        return find_vote(session, actor, candidate) is not None


@pytest.mark.parametrize(("scripts", "width"), [(True, 320), (False, 1280)])
def test_a_tap_counts_and_leads_on_and_is_taken_back(
    campaign: Campaign, visit: Visit, scripts: bool, width: int
) -> None:
    page = visit("Cy", width=width, scripts=scripts)
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Decide").click()
    page.wait_for_url("**/review")
    if scripts:
        open_at(page, "/review", "review")
    first = asked(page)
    assert fits(page)
    page.get_by_text("Say why (if you like)").click()
    page.fill("#reason", "Plain words")
    page.get_by_role("button", name="I’d use this").click()
    leads_on(page, first)
    assert page.url.endswith("/review")
    assert has_voted(campaign, campaign.people["Cy"], first)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status").filter(has_text="Your vote was taken back")).to_be_visible()
    assert asked(page) == first
    assert not has_voted(campaign, campaign.people["Cy"], first)
    assert fits(page)


def test_the_buttons_stay_within_reach_of_a_thumb(campaign: Campaign, visit: Visit) -> None:
    long = "# Long\n\n" + "\n\n".join(f"Sentence {n} says something of its own." for n in range(80)) + "\n"
    page = campaign.page("Queue of a long text", long)
    draft = campaign.put_forward("Ada", page, *((f"Sentence {n} says", f"Sentence {n} tells") for n in range(80)))
    phone = visit("Cy")
    phone.goto(f"/review?text={draft.head_id}")
    for name in ("I’d use this", "Don’t use this", "Pass"):
        button = phone.get_by_role("button", name=name)
        expect(button).to_be_in_viewport(ratio=1)
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] > 640 / 2


def test_the_offer_to_take_back_goes_away(campaign: Campaign, visit: Visit) -> None:
    page = visit("Cy")
    page.clock.install()
    open_at(page, "/review", "review")
    first = asked(page)
    page.get_by_role("button", name="Pass").click()
    leads_on(page, first, re.compile("^You skipped:"))
    page.clock.run_for(31_000)
    expect(undo(page)).to_have_count(0)


def test_a_vote_without_signal_is_sent_when_there_is_some(campaign: Campaign, visit: Visit) -> None:
    page = visit("Cy")
    open_at(page, "/review", "review")
    first = asked(page)
    page.context.set_offline(True)
    page.get_by_role("button", name="I’d use this").click()
    expect(page.locator("#review")).to_contain_text("Your vote is kept in this browser")
    assert not has_voted(campaign, campaign.people["Cy"], first)
    page.context.set_offline(False)
    leads_on(page, first)
    assert has_voted(campaign, campaign.people["Cy"], first)
    page.reload()
    assert page.evaluate("localStorage.length") == 0


def test_a_kept_vote_on_a_text_that_changed_is_asked_again(campaign: Campaign, visit: Visit) -> None:
    page = visit("Cy")
    open_at(page, "/review", "review")
    first = asked(page)
    page.context.set_offline(True)
    page.evaluate("document.querySelector('#decide [name=sha256]').value = '0'.repeat(64)")
    page.get_by_role("button", name="I’d use this").click()
    expect(page.locator("#review")).to_contain_text("kept in this browser")
    page.context.set_offline(False)
    expect(page.locator("#review")).to_contain_text("The text changed after you read it")
    assert asked(page) == first
    assert not has_voted(campaign, campaign.people["Cy"], first)


def test_keys_decide_and_take_back(campaign: Campaign, visit: Visit) -> None:
    page = visit("Cy", width=1280)
    open_at(page, "/", "keys")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/review")
    page.locator("html[data-keys=ready]").wait_for(state="attached")
    first = asked(page)
    page.keyboard.press("1")
    leads_on(page, first)
    page.keyboard.press("u")
    expect(page.get_by_role("status").filter(has_text="taken back")).to_be_visible()
    assert asked(page) == first


def test_the_queue_bars_nobody_at_its_start_after_a_vote_and_at_its_end(campaign: Campaign, visit: Visit) -> None:
    page = visit("Cy")
    open_at(page, "/review", "review")
    check(page)
    page.evaluate("document.documentElement.dir = 'ltr'")
    first = asked(page)
    page.get_by_role("button", name="Don’t use this").click()
    leads_on(page, first, re.compile("^Your vote was counted, against:"))
    check(page)
    with campaign.workshop.writing() as session:
        while (candidate := queue.find_next(session, campaign.people["Ben"]).candidate) is not None:
            sha256 = revisions.get(session, candidate.revision_id).sha256
            cast_vote(session, campaign.people["Ben"], candidate.revision_id, sha256=sha256, value=Value.PASS)
    ben = visit("Ben")
    ben.goto("/review")
    expect(ben.get_by_text(re.compile(r"^You are done: \d+ texts moved today\.$"))).to_be_visible()
    check(ben)
