"""Searching in a real browser: titles while typing, results without scripts, nothing in anybody's way."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from app.activity.follower import Follower
from app.database import Database
from app.permissions import Role
from tests.factories import Workshop
from tests.prepare import find_browser
from tests.servers import Server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PHONE = ViewportSize(width=320, height=640)


def wait_until_indexed(server: Server) -> None:
    """Ask until the answer comes from the index: before that it is a quick look that says so."""
    deadline = time.monotonic() + 60
    while httpx.get(f"{server.url}/api/v1/search", params={"q": "rent"}).json()["notes"]:
        assert time.monotonic() < deadline, server.log()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("search")
    shutil.copy(sqlite_template, folder / "workshop.db")
    url = f"sqlite:///{folder / 'workshop.db'}"
    database = Database(url)
    workshop = Workshop(database, Follower(database, []))
    ada = workshop.member("ada", role=Role.WRITER)
    workshop.page(ada)
    workshop.page(ada, "Housing <b>benefit</b>", "Help with the rent.")
    workshop.page(ada, "Taxes", "Everyone pays a fair share.")
    database.dispose()
    running = Server(url, folder)
    running.start()
    wait_until_indexed(running)
    yield running
    running.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        opened = playwright.chromium.launch(executable_path=find_browser(), args=flags)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, base_url=server.url)
    yield context.new_page()
    context.close()


def test_titles_come_while_somebody_types_and_lead_to_their_pages_by_keyboard(page: Page) -> None:
    page.goto("/search")
    box = page.locator("#q")
    box.press_sequentially("hous")
    titles = page.get_by_role("option")
    expect(titles).to_have_text(["Housing", "Housing <b>benefit</b>"])
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
    page.wait_for_url("**/pages/housing")


def test_enter_without_a_choice_searches(page: Page) -> None:
    page.goto("/search")
    page.locator("#q").press_sequentially("rent")
    page.locator("#q").press("Enter")
    page.wait_for_url("**/search?q=rent*")
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".card mark").first).to_have_text(re.compile("^rents?$", re.IGNORECASE))


def test_results_are_found_and_narrowed_without_scripts(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False, base_url=server.url)
    page = context.new_page()
    page.goto("/search")
    page.fill("#q", "fair -landlords")
    page.get_by_label("Drafts", exact=True).check()
    page.locator("main form button").click()
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".card mark")).to_have_text("fair")
    context.close()


def test_the_screen_fits_a_phone_and_everybody(page: Page) -> None:
    page.goto("/search?q=rent")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
