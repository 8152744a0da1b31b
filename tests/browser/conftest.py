"""One server and one browser for all of these tests, with people who sign in once and pages made behind the server."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, ViewportSize, expect, sync_playwright

from app.accounts import service as accounts
from app.activity.follower import Follower
from app.consensus import candidates, promotion
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.main import open_database
from app.pages.models import Page as MessagePage
from app.permissions import Actor, Role
from app.settings import Settings
from app.web.static import ADDRESS
from tests.factories import Workshop
from tests.prepare import find_browser
from tests.servers import NO_CERTIFICATES, Server, look_again_soon

PASSWORD = "four unrelated words"
PATIENCE = 20_000
"""Milliseconds for whatever should show: long, since two cores may be busy with other tests."""

FARES = """# Bus fares

## Topline

A bus ticket should cost what people can pay. Buses are for everyone.

## Key points

- One ticket takes you across town.
- The last bus leaves after the last shift.
"""


@dataclass(frozen=True)
class Campaign:
    """Three members on a running server, so that two of them approve a text at once."""

    server: Server
    workshop: Workshop
    people: dict[str, Actor]

    def page(self, title: str, text: str = FARES, *, approved: bool = True) -> MessagePage:
        """A page by Ada, approved by her, Ben and, once there are five members, Mo."""
        page = self.workshop.page(self.people["Ada"], title, text)
        if approved:
            self.vote(self.workshop.shared_head(page), *self.enough)
        return page

    @property
    def enough(self) -> tuple[str, ...]:
        """Whose votes approve a text: two of four members, three of five."""
        return ("Ada", "Ben") if len(self.people) < 5 else ("Ada", "Ben", "Mo")

    def join(self, name: str) -> None:
        """A fifth member, unless they are one already."""
        if name not in self.people:
            with self.workshop.writing() as session:
                self.people[name] = accounts.actor_of(accounts.add_user(session, name, PASSWORD, role=Role.MEMBER))

    def overtake(self, name: str, page: MessagePage, *wordings: str) -> list[int]:
        """Rewrites by Cy of the page's first sentence, voted for by somebody and then overtaken by another's."""
        sentence = "A bus ticket should cost what people can pay."
        made = [drafts.head_of(self.put_forward("Cy", page, (sentence, words))) for words in wordings]
        for revision_id in made:
            self.vote(revision_id, name)
        winner = self.workshop.fork(self.people["Ada"], page, (sentence, "A bus ticket should cost a coin."))
        self.vote(drafts.head_of(winner), *self.enough)
        with self.workshop.writing() as session:
            for revision_id in made:
                found = candidates.find_by_revision(session, revision_id)
                assert found is not None
                promotion.settle(session, found)
        return made

    def vote(self, revision_id: int, *names: str) -> None:
        for name in names:
            self.workshop.vote(self.people[name], revision_id)

    def put_forward(self, name: str, page: MessagePage, *changes: tuple[str, str]) -> Draft:
        """Somebody's fork of a page, put to the vote."""
        draft = self.workshop.fork(self.people[name], page, *changes)
        with self.workshop.writing() as session:
            candidates.put_forward(session, self.people[name], draft.id)
        return draft


@pytest.fixture(scope="package")
def campaign(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Campaign]:
    folder = tmp_path_factory.mktemp("browser")
    shutil.copy(sqlite_template, folder / "workshop.db")
    url = f"sqlite:///{folder / 'workshop.db'}"
    database = open_database(Settings(database_url=url, data_dir=folder, wait_routine=0))
    # A vote that opens behind the server needs not wait a day to replace the text approved a moment ago.
    database.info["rule"] = replace(database.info["rule"], rival_window=0)
    workshop = Workshop(database, Follower(database, []))
    people = {}
    with workshop.writing() as session:
        for name, role in (("Ada", Role.WRITER), ("Ben", Role.MEMBER), ("Cy", Role.MEMBER), ("Mo", Role.MODERATOR)):
            people[name] = accounts.actor_of(accounts.add_user(session, name, PASSWORD, role=role))
    running = Server(url, folder, wait_routine=0, signins_per_minute=1_000, webhook_networks="127.0.0.0/8")
    made = Campaign(running, workshop, people)
    made.page("Bus fares")
    running.start()
    yield made
    running.kill()
    database.dispose()


@pytest.fixture(scope="package")
def server(campaign: Campaign) -> Server:
    return campaign.server


def wait_until_indexed(server: Server, words: str) -> None:
    """Ask until the answer comes from the index, with a page in it: before that it is a quick look that says so."""
    deadline = time.monotonic() + 60
    while True:
        answer = httpx.get(f"{server.url}/api/v1/search", params={"q": words}, verify=NO_CERTIFICATES).json()
        if answer["data"] and not answer["notes"]:
            return
        assert time.monotonic() < deadline, server.log()
        look_again_soon()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for this folder: it runs an event loop in this thread, beside which no other test could run its own."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        opened = playwright.chromium.launch(executable_path=find_browser(), args=flags)
        yield opened
        opened.close()


def open_at(page: Page, address: str, *modules: str) -> None:
    """Open a page and wait until these of its scripts listen."""
    page.goto(address)
    listen(page, *modules)


def listen(page: Page, *modules: str) -> None:
    """Wait until these of the page's scripts listen."""
    addresses = [f"{ADDRESS}/{name}.js" for name in modules]
    page.evaluate("addresses => Promise.all(addresses.map((address) => import(address)))", addresses)


def fits(page: Page) -> bool:
    """Whether nobody has to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@dataclass
class Visitors:
    """Opens browsers of people's own, each with its own cookies; all are closed when the test is over."""

    browser: Browser
    server: Server
    signed_in: dict[str, StorageState]
    opened: list[BrowserContext] = field(default_factory=list)

    def __call__(self, name: str | None = None, *, width: int = 320, scripts: bool = True) -> Page:
        """A window of a signed-in member, or of somebody unknown."""
        if name and name not in self.signed_in:
            self.signed_in[name] = self._sign_in(name)
        context = self.browser.new_context(
            viewport=ViewportSize(width=width, height=640),
            java_script_enabled=scripts,
            base_url=self.server.url,
            storage_state=self.signed_in[name] if name else None,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE)
        self.opened.append(context)
        return context.new_page()

    def _sign_in(self, name: str) -> StorageState:
        context = self.browser.new_context(base_url=self.server.url)
        context.request.post("/login", form={"name": name, "password": PASSWORD})
        state = context.storage_state()
        context.close()
        return state


@pytest.fixture(scope="package")
def signed_in() -> dict[str, StorageState]:
    """The cookies of those who signed in already."""
    return {}


@pytest.fixture
def visit(browser: Browser, server: Server, signed_in: dict[str, StorageState]) -> Iterator[Callable[..., Page]]:
    visitors = Visitors(browser, server, signed_in)
    yield visitors
    for context in visitors.opened:
        context.close()
