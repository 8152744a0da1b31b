"""The main job in a real browser without scripts, on a phone: read, edit, clash, fork, vote."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from app.accounts import service as accounts
from app.activity.follower import Follower
from app.database import Database
from app.permissions import Role
from tests.factories import HOUSING, Workshop
from tests.prepare import find_browser
from tests.servers import Server

PASSWORD = "four unrelated words"
PHONE = ViewportSize(width=320, height=640)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("browser")
    shutil.copy(sqlite_template, folder / "workshop.db")
    url = f"sqlite:///{folder / 'workshop.db'}"
    database = Database(url)
    workshop = Workshop(database, Follower(database, []))
    with workshop.writing() as session:
        for name, role in (("Ada", Role.WRITER), ("Ben", Role.MEMBER), ("Cy", Role.MEMBER)):
            accounts.add_user(session, name, PASSWORD, role=role)
        ada = accounts.actor_of(accounts.get_user(session, "Ada"))
    workshop.page(ada)
    database.dispose()
    running = Server(url, folder, wait_routine=0)
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        opened = playwright.chromium.launch(executable_path=find_browser(), args=flags)
        yield opened
        opened.close()


def open_as(browser: Browser, server: Server, name: str | None) -> tuple[BrowserContext, Page]:
    """A phone of one's own without scripts, signed in as somebody or not at all."""
    context = browser.new_context(viewport=PHONE, java_script_enabled=False, base_url=server.url)
    page = context.new_page()
    if name:
        page.goto("/login")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("main button")
    return context, page


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).first.click()


def test_a_text_is_edited_fought_over_forked_and_approved(browser: Browser, server: Server) -> None:
    _, ada = open_as(browser, server, "Ada")
    _, ben = open_as(browser, server, "Ben")
    _, cy = open_as(browser, server, "Cy")

    # Everybody approves the first text.
    ada.goto("/pages/housing")
    assert "No approved wording yet" in ada.inner_text("main")
    ada.goto("/pages/housing/history")
    ada.click("td a")
    address = ada.url
    for page in (ada, ben):
        page.goto(address)
        press(page, "I would use this")
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
    press(ada, "Save the change")
    assert "Saved as" in ada.inner_text("[role=status]")
    press(ben, "Save the change")
    assert "Two people improved" in ben.inner_text("h1")
    ben.check("#own-choice-1")
    ben.fill("textarea[name=own-1]", "- We will build 13,000 homes a year.")
    press(ben, "Save with these choices")
    assert "13,000" in ben.inner_text("article")
    ben.goto("/me")
    assert "Withdrawn" in ben.inner_text(".card:has-text('Kept aside')")

    # A version of one's own of the approved text, put to the vote and approved.
    cy.goto("/pages/housing")
    press(cy, "Write your own version")
    cy.fill("#text", HOUSING.replace("Her children", "She paid more each time. Her children"))
    press(cy, "Save the change")
    press(cy, "I would use this")
    address = cy.url
    assert "You voted: support" in cy.inner_text("#vote")
    ben.goto(address)
    assert "You see how others voted once you have voted yourself" in ben.inner_text("#vote")
    press(ben, "I would use this")
    cy.goto("/pages/housing")
    assert "She paid more each time." in cy.inner_text("article")
    assert "10,000" in cy.inner_text("article")


def test_nothing_typed_is_lost_when_nobody_is_signed_in(browser: Browser, server: Server) -> None:
    _, page = open_as(browser, server, None)
    page.goto("/pages/housing/edit")
    page.fill("#text", "My own words, typed before signing in.")
    press(page, "Save the change")
    assert "There is a problem" in page.inner_text("main")
    assert page.input_value("#text") == "My own words, typed before signing in."


ADDRESSES = [
    "/",
    "/pages/housing",
    "/pages/housing/edit",
    "/pages/housing/history",
    "/pages/housing/drafts",
    "/revisions/1",
    "/revisions/1/blame",
    "/compare?from=1&to=1",
    "/changes",
    "/search?q=home",
    "/login",
    "/join",
    "/chapters",
    "/docs",
    "/problems",
    "/pages/nowhere",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_screen_fits_a_small_phone_and_axe_finds_nothing(browser: Browser, server: Server, address: str) -> None:
    context = browser.new_context(viewport=PHONE, base_url=server.url, bypass_csp=True)
    page = context.new_page()
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert len(page.query_selector_all("h1")) == 1
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    context.close()
