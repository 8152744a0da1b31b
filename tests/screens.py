"""A picture of every screen of the example, into docs/screens: phone and desktop, light, dark, right to left."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from app.accounts import service as accounts
from app.accounts import tokens
from app.database import Database, utc_now
from app.demo import opening
from app.demo.people import PASSWORD, PEOPLE
from app.demo.stage import StageClock
from app.main import open_database
from app.permissions import Scope
from app.settings import Settings
from app.webhooks import outbox
from app.webhooks import service as webhooks
from app.webhooks.outbox import Job, Outcome
from tests.prepare import find_browser
from tests.servers import Server

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screens"
PHONE, DESKTOP = ViewportSize(width=375, height=740), ViewportSize(width=1280, height=860)
LONGEST = {"phone": 1500, "desktop": 1100}
"""Pixels of a page that are shown: what lies further down looks like what is above it."""

WRITER, MEMBER, MODERATOR = "Mara Velt", "Noor Tamsin", "Len Garrow"
OVERTAKEN = "Camila Duarte-Roe"
"""Who voted for a text that went stale."""

Act = Callable[[Page], None]


@dataclass(frozen=True)
class Screen:
    """One picture: where, as whom, and what was done there before."""

    name: str
    address: str
    who: str | None = None
    act: Act | None = None


def type_a_change(page: Page) -> None:
    page.locator("#text").fill(page.locator("#text").input_value().replace("people", "everybody", 1))
    page.locator("#live-diff ins").first.wait_for()


def preview(page: Page) -> None:
    page.locator("#text").fill(page.locator("#text").input_value().replace("people", "everybody", 1))
    page.get_by_role("button", name="Preview").click()


def search_a_title(page: Page) -> None:
    page.locator("#find").press_sequentially("fe")
    page.locator(".suggestions li").first.wait_for()


def clash(page: Page) -> None:
    """Send one change of a sentence, then another of the same sentence from an editor opened before."""
    other = page.context.new_page()
    other.goto(page.url)
    for each, words in ((other, "hot meal"), (page, "fresh meal")):
        text = each.locator("#text").input_value()
        each.locator("#text").fill(text.replace("warm meal", words))
        each.get_by_role("button", name="Suggest change").click()
        each.wait_for_load_state()
    other.close()


def send_signed_out(page: Page) -> None:
    page.locator("#text").fill(page.locator("#text").input_value().replace("people", "everybody", 1))
    page.get_by_role("button", name="Suggest change").click()


def ask_for_keys(page: Page) -> None:
    page.locator("html[data-keys=ready]").wait_for(state="attached")
    page.keyboard.press("?")
    page.locator("dialog").wait_for()


def support(page: Page) -> None:
    page.get_by_role("button", name="I’d use this").click()


def stop_it(page: Page, what: str, reason: str) -> None:
    page.get_by_role("link", name="Stop use").click()
    page.locator(f"#what-{what}").check()
    page.fill("#reason", reason)
    page.get_by_role("button", name="Do it now").click()
    page.wait_for_load_state()


def choose(page: Page) -> None:
    page.get_by_role("button", name="I’d use this").click()
    page.locator("[data-undo]").wait_for()


def try_a_number(page: Page) -> None:
    page.fill("#number", "45")
    page.fill("#reason", "Half an hour was too short to be seen.")
    page.get_by_role("button", name="Try it on past votes").click()


def rewrite_it(page: Page) -> None:
    """Save a version of one's own with other words in nearly every paragraph."""
    page.locator("main").get_by_role("button", name="Write your own version").first.click()
    page.wait_for_load_state()
    text = page.locator("#text").input_value()
    page.locator("#text").fill(text.replace(" and ", " as well as ").replace(" the ", " this "))
    page.get_by_role("button", name="Save").click()
    page.wait_for_load_state()


def make_a_token(page: Page) -> None:
    page.fill("#name", "The texting tool")
    page.locator("#scope-read").check()
    page.locator("#scope-webhooks").check()
    page.get_by_role("button", name="Make the token").click()
    page.locator("[data-copies]:visible").first.wait_for()


def ask_for_a_test(page: Page) -> None:
    page.get_by_role("button", name="Send a test").click()
    page.wait_for_load_state()


def lead_to(page: Page, name: str) -> None:
    page.locator("main").get_by_role("link", name=name).first.click()


SCREENS = (
    Screen("board", "/"),
    Screen("board-member", "/", MEMBER),
    Screen("page", "/pages/shore-plan"),
    Screen("page-undecided", "/pages/cost"),
    Screen("page-arabic", "/pages/night-ferry-ar"),
    Screen("edit", "/pages/shore-plan/edit", WRITER, type_a_change),
    Screen("edit-section", "/pages/shore-plan/edit?section=topline", "Wanda Olt", type_a_change),
    Screen("preview", "/pages/shore-plan/edit?section=topline", MEMBER, preview),
    Screen("conflict", "/pages/school-meals/edit", WRITER, clash),
    Screen("merge", "/drafts/16/merge", "Wanda Olt"),
    Screen("wordings", "/pages/night-ferry/drafts"),
    Screen("vote", "/revisions/36", MEMBER),
    Screen("voted", "/revisions/39", MEMBER, support),
    Screen("queue", "/review", MEMBER),
    Screen("queue-voted", "/review", MEMBER, choose),
    Screen("vote-stands", "/review", OVERTAKEN),
    Screen("vote-reader", "/revisions/39"),
    Screen("compare", "/compare?from=1&to=39"),
    Screen("history", "/pages/shore-plan/history"),
    Screen("who-wrote", "/pages/shore-plan", None, lambda page: lead_to(page, "Who wrote this")),
    Screen("search", "/search?q=ferry"),
    Screen("search-nothing", "/search?q=fracking"),
    Screen("search-typing", "/", None, search_a_title),
    Screen("changes", "/changes"),
    Screen("ledger", "/ledger"),
    Screen("ledger-entry", "/ledger/2"),
    Screen("chapter", "/chapters", None, lambda page: lead_to(page, "Harbour Quarter")),
    Screen("me", "/me", WRITER),
    Screen("programs", "/me/programs", WRITER),
    Screen("token", "/me/programs/tokens", WRITER),
    Screen("token-made", "/me/programs/tokens", WRITER, make_a_token),
    Screen("token-back", "/me/programs/tokens/1/take-back", WRITER),
    Screen("webhook-new", "/me/programs/webhooks", WRITER),
    Screen("webhook", "/me/programs/webhooks/1", WRITER),
    Screen("webhook-test", "/me/programs/webhooks/2", WRITER, ask_for_a_test),
    Screen("webhook-secret", "/me/programs/webhooks/1/secret", WRITER),
    Screen("new", "/new", WRITER),
    Screen("sign-in", "/login"),
    Screen("sign-in-kept", "/pages/shore-plan/edit?section=topline", None, send_signed_out),
    Screen("join", "/join"),
    Screen("look", "/look"),
    Screen("keys", "/", None, ask_for_keys),
    Screen("missing", "/pages/shore-plam"),
    Screen("design", "/design"),
    Screen("rule", "/rule"),
    Screen("rule-propose", "/rule/propose?setting=wait_rapid", MODERATOR, try_a_number),
    Screen("chapters", "/chapters", "Ines Holm"),
    Screen("stop", "/pages/shore-plan/stop", MODERATOR),
    Screen("held", "/pages/school-meals", MODERATOR, lambda page: stop_it(page, "hold", "The price is being checked.")),
    Screen(
        "withdrawn", "/pages/night-ferry", MODERATOR, lambda page: stop_it(page, "withdraw", "It ran on other days.")
    ),
    Screen("stopped", "/moderation", MODERATOR),
    Screen("held-history", "/pages/school-meals/history"),
    Screen("parts", "/pages/shore-plan", WRITER, rewrite_it),
)

Scheme = Literal["light", "dark"]

LOOKS: dict[str, tuple[ViewportSize, Scheme, str]] = {
    "phone-light": (PHONE, "light", "ltr"),
    "phone-dark": (PHONE, "dark", "ltr"),
    "phone-rtl": (PHONE, "light", "rtl"),
    "desktop-light": (DESKTOP, "light", "ltr"),
    "desktop-dark": (DESKTOP, "dark", "ltr"),
}
BRIEFLY = {"phone-rtl", "desktop-dark"}
"""Looks of which a few screens say enough."""
TELLING = {"board-member", "page", "edit-section", "vote-reader", "wordings", "history", "design", "search"} | {
    "programs",
    "token-made",
    "webhook",
}


def add_programs(story: Database) -> None:
    """The writer's tokens, a webhook that took what it was sent, and one that nobody answers at."""
    with story.transaction(writing=True) as session:
        writer = accounts.actor_of(accounts.get_user(session, WRITER))
        at = story.clock()
        scopes = [Scope.READ, Scope.WEBHOOKS]
        tokens.create(session, writer, scopes, name="The texting tool", expires_at=at + timedelta(days=90))
        tokens.create(session, writer, [Scope.VOTE], name="Kiosk at the congress", expires_at=at + timedelta(seconds=1))
        kinds = ["page.promoted", "page.held"]
        url = "https://texts.harbour.example/hooks/words?campaign=shore-plan&list=0f8b2c1e9d7a"
        well, _secret = webhooks.add_webhook(session, writer, url=url, kinds=kinds, description="The texting tool")
        ill, _secret = webhooks.add_webhook(session, writer, url="https://nobody.invalid/hook")
        for webhook, statuses in (well, [(204, 9), (204, 8), (204, 7), (204, 1)]), (ill, [(None, 3), (None, 2)]):
            for status, days in statuses:
                row = webhooks.send_test(session, writer, webhook.id)
                row.created_at = at - timedelta(days=days)
                if days > 1:
                    row.kind, row.body = "page.promoted", '{"type": "page.promoted", "data": {"page": "shore-plan"}}'
                job = Job(row.id, webhook, row.message, row.body, True)
                error = "" if status else "no such machine: gaierror"
                outbox.note(session, [Outcome(job, row.created_at, 83, status=status, error=error)])


@contextmanager
def example() -> Iterator[Server]:
    """The example campaign, filled and served from a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="screens-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'demo.db'}"
        settings = Settings(database_url=url, data_dir=folder, founders=len(PEOPLE))
        clock = StageClock(utc_now())
        story = open_database(settings, clock=clock)
        opening.prepare(story, clock, fresh=False, progress=lambda done, total, what: None)
        add_programs(story)
        story.dispose()
        waits = {"wait_routine": opening.WAITING_SECONDS, "neighbour_wait": opening.WAITING_SECONDS}
        server = Server(settings.database_url, folder, site_name="Shore Plan Workshop", **waits)
        server.start()
        yield server
        server.kill()


def take(browser: Browser, server: Server, screen: Screen, look: str) -> None:
    """One picture, as somebody sees it who came there and did that."""
    size, scheme, direction = LOOKS[look]
    context = browser.new_context(viewport=size, color_scheme=scheme, base_url=server.url, locale="en-GB")
    page = context.new_page()
    if screen.who:
        page.goto("/login")
        page.fill("#name", screen.who)
        page.fill("#password", PASSWORD)
        page.click("main button")
    page.goto(screen.address)
    if screen.act:
        screen.act(page)
    page.wait_for_load_state()
    if direction == "rtl":
        page.evaluate("document.documentElement.dir = 'rtl'")
    height = min(page.evaluate("document.documentElement.scrollHeight"), LONGEST[look.partition("-")[0]])
    page.set_viewport_size(ViewportSize(width=size["width"], height=max(height, size["height"])))
    page.screenshot(path=FOLDER / f"{screen.name}-{look}.png", animations="disabled")
    context.close()


def main() -> int:
    only = set(sys.argv[1:])
    if not only:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    flags = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=flags)
        for look in LOOKS:
            # Filled anew for each look: what is done for one picture would show in the next.
            with example() as server:
                for screen in SCREENS:
                    if (not only or screen.name in only) and (look not in BRIEFLY or screen.name in TELLING):
                        take(browser, server, screen, look)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
