"""Every screen on a small phone and in the dark: it fits, axe finds nothing, it is small and asks nobody else."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from app.accounts import tokens
from app.accounts.models import User
from app.consensus import rule_changes
from app.consensus.models import Voiding
from app.database import now
from app.permissions import Scope
from app.webhooks import service as webhooks
from tests.browser.conftest import FARES, Campaign

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

STATIC = Path(__file__).parents[2] / "static"
STYLE = (STATIC / "app.css").read_bytes()
AXE = "rules => axe.run({resultTypes: ['violations'], elementRef: false, rules}).then((found) => found.violations)"
WITHOUT_CONTRAST = {"color-contrast": {"enabled": False}}
"""Every colour and what it stands on is on /design: elsewhere contrast is measured on a few, and on all in the soak."""

CONTRAST = {"/", "/pages/screens", "/design", "/revisions/{revision}", "/review", "/pages/screens/edit"}
DARK = {"/", "/pages/screens", "/design", "/revisions/{revision}"}

SCREENS = [
    (None, "/"),
    (None, "/pages/screens"),
    (None, "/pages/screens/edit"),
    (None, "/pages/screens/history"),
    (None, "/pages/screens/drafts"),
    (None, "/revisions/{revision}"),
    (None, "/revisions/{revision}/blame"),
    (None, "/compare?from={revision}&to={candidate}"),
    (None, "/changes"),
    (None, "/ledger"),
    (None, "/ledger/2"),
    (None, "/search?q=ticket"),
    (None, "/login"),
    (None, "/join"),
    (None, "/chapters"),
    (None, "/docs"),
    (None, "/problems"),
    (None, "/pages/nowhere"),
    (None, "/look"),
    (None, "/design"),
    (None, "/rule"),
    (None, "/rule/changes/{change}"),
    ("Mo", "/rule"),
    ("Mo", "/rule/propose?setting=wait_rapid"),
    ("Mo", "/moderation"),
    ("Mo", "/moderation/votes"),
    ("Ada", "/"),
    ("Ada", "/review"),
    ("Ada", "/me"),
    ("Ada", "/me/programs"),
    ("Ada", "/me/programs/tokens"),
    ("Ada", "/me/programs/tokens/{token}/take-back"),
    ("Ada", "/me/programs/webhooks"),
    ("Ada", "/me/programs/webhooks/{webhook}"),
    ("Ada", "/me/programs/webhooks/{webhook}/secret"),
    ("Ada", "/me/programs/webhooks/{webhook}/remove"),
    ("Ada", "/new"),
    ("Ada", "/pages/screens/edit?section=topline"),
    ("Cy", "/revisions/{candidate}"),
    ("Ben", "/revisions/{candidate}"),
    ("Cy", "/drafts/{behind}/merge"),
    (None, "/pages/screens-of-stacks/drafts"),
    ("Cy", "/revisions/{stacked}"),
    ("Cy", "/drafts/{one}/join?with={near}"),
    ("Dee", "/review"),
    ("Dee", "/me"),
    ("Dee", "/revisions/{overtaken}"),
    ("Cy", "/revisions/{large}"),
]


@pytest.fixture(scope="module")
def numbers(campaign: Campaign) -> dict[str, int | None]:
    """A page with an approved text, a fork of Cy's that Cy voted for, and one that fell behind the approved text."""
    page = campaign.page("Screens")
    draft = campaign.put_forward("Cy", page, ("everyone", "every one of us"))
    assert draft.head_id is not None
    campaign.vote(draft.head_id, "Cy")
    other = campaign.page("Screens of merging")
    behind = campaign.put_forward("Cy", other, ("everyone", "all of us"))
    winner = campaign.put_forward("Ada", other, ("everyone", "everybody"))
    campaign.vote(winner.head_id or 0, "Ada", "Ben")
    stacks = campaign.page("Screens of stacks")
    one, near = (
        campaign.put_forward(name, stacks, ("everyone", words))
        for name, words in (("Cy", "every one of us in this town"), ("Ada", "every one of us in this city"))
    )
    campaign.vote(one.head_id or 0, "Cy")
    with campaign.workshop.writing() as session:
        moderator = campaign.people["Mo"]
        change = rule_changes.propose(session, moderator, "wait_rapid", 600, reason="To see it in time.")
    campaign.join("Dee")
    overtaken = campaign.overtake("Dee", campaign.page("Screens of votes"), "Fares are fair.", "A ride is one coin.")
    parts = "\n".join(f"## Part {n}\n\n- One of {n} is here.\n- Two of {n} is here.\n" for n in range(6))
    large = campaign.put_forward("Cy", campaign.page("Screens of parts", parts), ("is here", "was there"))
    with campaign.workshop.writing() as session:
        ada = campaign.people["Ada"]
        token, _secret = tokens.create(session, ada, [Scope.READ, Scope.VOTE], name="Screens")
        long = f"https://nobody.invalid/{'hook' * 30}"
        webhook, _secret = webhooks.add_webhook(session, ada, url=long, description="Screens")
        webhooks.send_test(session, ada, webhook.id)
    asked, void = (campaign.workshop.member(name) for name in ("Zora Zimmermann-von-der-Zollbruecke", "Zeno"))
    with campaign.workshop.writing() as session:
        # As rows: it takes ten active members, and every one more would be asked in the votes of other tests.
        why, at = "Five accounts of one person, made in one night.", now(session)
        session.add(Voiding(member_id=asked.id, actor_id=moderator.id, voids=True, reason=why, at=at))
        user = session.get_one(User, void.id)
        user.is_void, user.voided_at = True, at
    return {
        "token": token.id,
        "webhook": webhook.id,
        "change": change.proposal.id,
        "overtaken": overtaken[0],
        "large": large.head_id,
        "stacked": one.head_id,
        "one": one.id,
        "near": near.id,
        "revision": campaign.workshop.shared_head(page),
        "candidate": draft.head_id,
        "draft": draft.id,
        "behind": behind.id,
    }


def check(page: Page, *, contrast: bool = False) -> None:
    """Nobody scrolls sideways in either direction of writing, there is one heading, and axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("h1").count() == 1
    page.evaluate(Axe().axe_script)
    found = page.evaluate(AXE, {} if contrast else WITHOUT_CONTRAST)
    assert [(it["id"], [node["html"] for node in it["nodes"]]) for it in found] == []
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("name", "address"), SCREENS)
def test_a_screen_fits_is_small_and_bars_nobody(
    visit: Callable[..., Page], numbers: dict[str, int | None], name: str | None, address: str
) -> None:
    page = visit(name)
    wrong: list[str] = []
    asked: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(address.format(**numbers))
    assert answer is not None
    assert answer.status == (404 if "nowhere" in address else 200)
    assert len(gzip.compress(answer.body())) + len(gzip.compress(STYLE)) <= 40 * 1024
    check(page, contrast=address in CONTRAST)
    if address in DARK and name is None:
        page.evaluate("document.documentElement.dir = 'ltr'")
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(ViewportSize(width=1280, height=800))
        check(page, contrast=True)
    assert [line for line in wrong if "404" not in line] == []
    origin = "/".join(page.url.split("/")[:3])
    assert [url for url in asked if not url.startswith((origin, "data:"))] == []


@pytest.mark.soak
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_has_enough_contrast(
    visit: Callable[..., Page], numbers: dict[str, int | None], scheme: Literal["light", "dark"]
) -> None:
    for name, address in SCREENS:
        page = visit(name)
        page.emulate_media(color_scheme=scheme)
        page.goto(address.format(**numbers))
        check(page, contrast=True)
        page.context.close()


@pytest.mark.parametrize("member", ["Mara Velt", "Noor Tamsin", "Maximiliane Brandstetter-Oyelaran"])
@pytest.mark.parametrize("width", [320, 375])
def test_the_header_breaks_no_word_of_the_campaigns_name(visit: Callable[..., Page], member: str, width: int) -> None:
    page = visit("Ada")
    page.set_viewport_size(ViewportSize(width=width, height=640))
    page.goto("/")
    broken, fits = page.evaluate(
        """member => {
            const name = document.querySelector(".home span"), range = document.createRange()
            name.textContent = "Shore Plan Workshop"
            document.querySelector(".top nav a:last-child bdi").textContent = member
            const words = [...name.textContent.matchAll(/\\S+/g)].map(found => {
                range.setStart(name.firstChild, found.index)
                range.setEnd(name.firstChild, found.index + found[0].length)
                return range.getClientRects().length
            })
            return [words.filter(lines => lines !== 1).length, document.documentElement.scrollWidth <= innerWidth]
        }""",
        member,
    )
    assert (broken, fits) == (0, True)


def test_what_somebody_typed_fits_every_screen_that_gives_it_back(
    campaign: Campaign, visit: Callable[..., Page]
) -> None:
    """Sign-in with kept words, the preview, the conflict and a form with a problem."""
    address = f"/pages/{campaign.page('Screens of forms').slug}/edit"
    ada, ben, nobody = visit("Ada"), visit("Ben"), visit()
    for page, words in ((ada, "two coins"), (ben, "three coins"), (nobody, "no coin")):
        page.goto(address)
        page.fill("#text", FARES.replace("what people can pay", words))
    nobody.get_by_role("button", name="Suggest change").click()
    nobody.wait_for_selector("#password")
    check(nobody)
    ada.get_by_role("button", name="Preview").click()
    ada.wait_for_selector("#previewed")
    check(ada)
    ada.get_by_role("button", name="Suggest change").click()
    ada.wait_for_selector("[data-sent]")
    ben.get_by_role("button", name="Suggest change").click()
    ben.wait_for_selector("[data-conflict]")
    check(ben)
    ada.goto(address)
    ada.fill("#text", "word " * 14_000)
    ada.get_by_role("button", name="Suggest change").click()
    ada.wait_for_selector(".problem")
    check(ada)


def test_all_scripts_together_are_small() -> None:
    assert sum(len(gzip.compress(script.read_bytes())) for script in STATIC.glob("*.js")) <= 20 * 1024
