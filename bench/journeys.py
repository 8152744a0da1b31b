"""How long people take on a slow phone for what they come for, with the pauses of somebody who reads and types.

`python -m bench.journeys --database FILE`: works on a copy of an SQLite file with approved texts. Chromium as a phone,
cold, at 400 kbit/s and 400 ms with the processor slowed four times, as in `bench.first_view`; the reference is the same
without either. A person looks for a second before each tap, reads a difference for five, and types three letters a
second.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from app import schema
from app.accounts import service as accounts
from app.consensus import candidates
from app.drafts import service as drafts
from app.main import open_database
from app.pages import service as pages
from app.permissions import Role
from app.revisions import service as revisions
from app.settings import Settings
from bench.first_view import ROUNDS, open_phone
from tests.prepare import find_browser
from tests.servers import Server

LOOKING_MS = 1000
READING_MS = 5000
TYPING_MS = 333
NAME, PASSWORD = "Mo", "four odd words"
SENTENCE = "We will say this more plainly."


def tap(page: Page, target: Locator, *, pause: int = LOOKING_MS) -> None:
    target.wait_for()
    page.wait_for_timeout(pause)
    target.tap()


def enter(page: Page, label: str, words: str) -> None:
    field = page.get_by_label(label)
    tap(page, field)
    field.press_sequentially(words, delay=TYPING_MS)


def sign_in(page: Page) -> None:
    enter(page, "Name", NAME)
    enter(page, "Password", PASSWORD)
    tap(page, page.get_by_role("button", name="Sign in"))


def copy_a_line(page: Page, letters: str, wording: int) -> None:
    """From opening the first page to words on the clipboard."""
    page.goto("/", wait_until="commit")
    page.locator("#find").press_sequentially(letters, delay=TYPING_MS)
    for target in (".suggestions li", "[data-copy]"):
        tap(page, page.locator(target).first)
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()")


def suggest_a_change(page: Page, letters: str, wording: int) -> None:
    """From opening a page to its receipt: a section, a sentence more, a reason, send, sign in, send."""
    page.goto(f"/pages/{letters}", wait_until="commit")
    tap(page, page.locator("a.pencil[href*=edit]").first)
    text = page.locator("#text")
    text.wait_for()
    text.press("Control+End")
    text.press_sequentially(f" {SENTENCE}", delay=TYPING_MS)
    tap(page, page.get_by_label("Clearer", exact=True))
    tap(page, page.get_by_role("button", name="Suggest change"))
    sign_in(page)
    tap(page, page.get_by_role("button", name="Suggest change"))
    page.get_by_text("Saved as r").wait_for()


def choose_a_wording(page: Page, letters: str, wording: int) -> None:
    """From opening a notice, signed in, to one's vote."""
    page.goto(f"/revisions/{wording}", wait_until="commit")
    tap(page, page.get_by_role("button", name="I’d use this"), pause=READING_MS)
    page.get_by_text("You would use this.").wait_for()


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.journeys", description="People's journeys on a slow phone.")
    parser.add_argument("--database", type=Path, required=True, help="an SQLite file with approved texts")
    parser.add_argument("--page", default="health", help="the address of a page with sections")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="journeys-") as folder:
        path = Path(shutil.copy(asked.database, folder))
        settings = Settings(database_url=f"sqlite:///{path}", data_dir=Path(folder))
        wordings = prepare(settings, asked.page)
        server = Server(settings.database_url, Path(folder), signins_per_minute=1_000)
        server.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
                measure(browser, server, asked.page, wordings)
                browser.close()
        finally:
            server.kill()
    return 0


def prepare(settings: Settings, slug: str) -> list[int]:
    """A member, and a text to vote on for each round."""
    database = open_database(settings)
    schema.upgrade(database)
    found = []
    with database.transaction(writing=True) as session:
        member = accounts.actor_of(accounts.add_user(session, NAME, PASSWORD, role=Role.WRITER))
        page = pages.get_page(session, slug)
        origin = drafts.default_fork_origin(session, page)
        for number in range(2 * ROUNDS):
            text = revisions.text_by_id(session, origin) + f"\nWording {number}.\n"
            draft = drafts.fork(session, member, origin, text=text)
            found.append(candidates.put_forward(session, member, draft.id).revision_id)
    database.dispose()
    return found


def measure(browser: Browser, server: Server, slug: str, wordings: list[int]) -> None:
    print(f"{'':48} {'taps':>5} {'s':>6} {'ratio':>6} {'to reach':>9}")
    journeys: list[tuple[str, Callable[[Page, str, int], None], str, int, float]] = [
        ("a line copied", copy_a_line, slug[:2], 3, 10),
        ("a change suggested, signing in on the way", suggest_a_change, slug, 7, 60),
        ("a wording chosen", choose_a_wording, slug, 1, 20),
    ]
    for name, journey, words, taps, target in journeys:
        times: dict[bool, list[float]] = {True: [], False: []}
        for slow in (False, True):
            for round_ in range(ROUNDS):
                page = open_phone(browser, server, slow=slow)
                if journey is choose_a_wording:
                    page.goto("/login")
                    sign_in(page)
                    page.wait_for_url("**/")
                began = time.perf_counter()
                journey(page, words, wordings[round_ + ROUNDS * slow])
                times[slow].append(time.perf_counter() - began)
                page.context.close()
        taken, quick = statistics.median(times[True]), statistics.median(times[False])
        print(f"{name:48} {taps:5} {taken:6.1f} {taken / quick:6.1f} {target:7.0f} s")


if __name__ == "__main__":
    sys.exit(main())
