"""Tokens and webhooks on a phone: made without a script, copied with one, within reach of a thumb, for everybody."""

from collections.abc import Callable
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Campaign
from tests.browser.test_screens import check
from tests.servers import NO_CERTIFICATES
from tests.webhooks.receiver import receiving

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCHEMES = ["light", pytest.param("dark", marks=pytest.mark.soak)]
TAPPED = "button, .button, .pick, .tick, summary, .actions a, p > a:only-child"
TOO_SMALL = """(tapped) => [...document.querySelectorAll(`main :is(${tapped})`)]
  .filter((it) => it.checkVisibility())
  .map((it) => [it.innerText, Math.min(it.getBoundingClientRect().height, it.getBoundingClientRect().width)])
  .filter(([, size]) => size > 0 && size < 44)"""


def look_at(page: Page) -> None:
    """What is tapped is large enough, axe finds nothing, and nobody scrolls sideways in either direction."""
    assert page.evaluate(TOO_SMALL, TAPPED) == []
    check(page, contrast=True)
    page.evaluate("document.documentElement.dir = 'ltr'")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_step_with_a_token_bars_nobody(visit: Callable[..., Page], scheme: Literal["light", "dark"]) -> None:
    page = visit("Cy", width=360)
    page.emulate_media(color_scheme=scheme)
    page.goto("/me/programs")
    look_at(page)
    page.get_by_role("link", name="Make a token").click()
    page.get_by_label("Which program it is for").fill(f"The tool in the {scheme}")
    look_at(page)
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose what it may do")
    expect(page.get_by_label("Which program it is for")).to_have_value(f"The tool in the {scheme}")
    look_at(page)
    page.get_by_label("Vote in your name.").check()
    page.get_by_role("button", name="Make the token").click()
    expect(page.locator("#secret")).to_be_visible()
    look_at(page)
    page.get_by_role("link", name="I have copied it").click()
    page.locator("li", has_text=scheme).get_by_role("link", name="Take it back").click()
    look_at(page)
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("main .said").first).to_contain_text("From now on it does not work.")


def test_a_token_is_made_and_used_without_scripts(campaign: Campaign, visit: Callable[..., Page]) -> None:
    page = visit("Cy", width=360, scripts=False)
    page.goto("/me")
    page.get_by_role("link", name="Tokens and webhooks").click()
    page.get_by_role("link", name="Make a token").click()
    page.get_by_label("Which program it is for").fill("Without scripts")
    page.get_by_label("Read, and see").check()
    page.get_by_label("No end").check()
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator("#secret").input_value()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    assert page.locator("#line").inner_text().split()[-1] == f"{campaign.server.url}/api/v1/me"
    asked = {"Authorization": f"Bearer {secret}"}
    answer = httpx.get(f"{campaign.server.url}/api/v1/me", headers=asked, verify=NO_CERTIFICATES)
    assert answer.json()["name"] == "Cy"
    page.get_by_role("link", name="I have copied it").click()
    expect(page.locator("main")).to_contain_text("No end: it works until you take it back.")


def test_the_buttons_copy_the_token_and_the_line(visit: Callable[..., Page]) -> None:
    page = visit("Cy", width=360)
    page.goto("/me/programs/tokens")
    page.get_by_label("Which program it is for").fill("Copied")
    page.get_by_label("Read, and see").check()
    page.get_by_role("button", name="Make the token").click()
    page.locator("#secret").wait_for()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator("#said")).to_have_text("Copied the token. Paste it into the program.")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#secret").input_value()
    page.get_by_role("button", name="Copy the line").click()
    expect(page.locator("#said")).to_have_text("Copied the line. Paste it into a terminal.")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#line").inner_text()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_step_with_a_webhook_bars_nobody_and_a_test_arrives(
    visit: Callable[..., Page], scheme: Literal["light", "dark"]
) -> None:
    page = visit("Ben", width=360)
    page.emulate_media(color_scheme=scheme)
    page.goto("/me/programs/webhooks")
    look_at(page)
    page.get_by_label("Address of your program").fill("https://10.0.0.1/hook")
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_role("alert")).to_contain_text("is no public machine")
    expect(page.get_by_label("Address of your program")).to_have_value("https://10.0.0.1/hook")
    look_at(page)
    with receiving() as receiver:
        page.get_by_label("Address of your program").fill(f"{receiver.url}/{'long' * 40}")
        page.get_by_role("button", name="Add the webhook").click()
        secret = page.locator("#secret").input_value()
        look_at(page)
        page.get_by_role("link", name="I have copied it").click()
        page.get_by_role("button", name="Send a test").click()
        page.wait_for_url("**?test=*")
        look_at(page)
        assert receiver.wait_for(1)[0].verified(secret)["type"] == "webhook.test"
        expect(page.get_by_text("The test message").first).to_be_visible()
        arrived = page.get_by_text("The test message arrived.")
        for _ in range(40):
            if arrived.is_visible():
                break
            page.reload()
        expect(arrived).to_be_visible()
        look_at(page)
    page.locator("summary", has_text="Where it leads").click()
    page.locator("summary", has_text="Send everything again").click()
    look_at(page)
    page.get_by_role("link", name="New secret").click()
    look_at(page)
    page.get_by_role("button", name="Make a new secret").click()
    expect(page.locator("main")).to_contain_text("The old secret also works until")
    look_at(page)
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("button", name="Turn it off").click()
    expect(page.locator("main .said").first).to_contain_text("It is off.")
    page.get_by_role("link", name="Remove it").click()
    look_at(page)
    page.get_by_role("button", name="Remove it").click()
    expect(page.locator("main .said").first).to_contain_text("The webhook is removed.")
