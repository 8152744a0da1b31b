"""What people come for, from the first tap to the last: with scripts and without, on phones, on desks and by keys."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import FARES, PASSWORD, Campaign, fits, listen, open_at, wait_until_indexed

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]

TOPLINE = "A bus ticket should cost what people can pay."
SHIFT = "The last bus leaves after the last shift."
with_and_without_scripts = pytest.mark.parametrize(("scripts", "width"), [(False, 320), (True, 1280)])


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()")).replace("\r\n", "\n")


def sign_in(page: Page, name: str) -> None:
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()


def tab_to(page: Page, target: Locator) -> None:
    """Go on with the Tab key until the target has the focus."""
    for _ in range(40):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The Tab key does not reach {target}.")


# Find and copy.


@pytest.mark.parametrize("width", [320, 1280])
def test_the_approved_words_are_found_and_copied(campaign: Campaign, visit: Visit, width: int) -> None:
    page = visit(width=width)
    open_at(page, "/", "search")
    page.locator("#find").press_sequentially("bu")
    page.get_by_role("option", name="Bus fares").click()
    page.wait_for_url("**/pages/bus-fares")
    assert fits(page)
    listen(page, "copy")
    page.get_by_role("link", name="Copy the whole text").click()
    expect(page.locator("#said")).to_have_text(re.compile(r"^Copied the whole text, r\d+\."))
    assert TOPLINE in clipboard(page)
    assert "##" not in clipboard(page)


def test_the_approved_words_are_found_without_scripts(campaign: Campaign, visit: Visit) -> None:
    wait_until_indexed(campaign.server, "shift")
    page = visit(scripts=False)
    page.goto("/")
    page.fill("#find", "last shift")
    page.press("#find", "Enter")
    page.locator(".card").get_by_role("link", name="Bus fares").first.click()
    assert fits(page)
    with page.expect_response("**/approved.txt") as answer:
        page.get_by_role("link", name="Copy the whole text").click()
    assert answer.value.headers["content-type"] == "text/plain; charset=utf-8"
    assert TOPLINE in page.inner_text("body")


# Suggest a change.


@pytest.mark.parametrize(("scripts", "width"), [(True, 320), (False, 320), (True, 1280)])
def test_a_section_is_changed_before_anybody_asks_who_it_is(
    campaign: Campaign, visit: Visit, scripts: bool, width: int
) -> None:
    title = f"Fares at {width} {'with' if scripts else 'without'} scripts"
    address = f"/pages/{campaign.page(title).slug}"
    page = visit(width=width, scripts=scripts)
    page.goto(address)
    page.get_by_role("link", name="Edit the section Key points").click()
    assert "#" not in page.locator("#text").input_value()
    assert TOPLINE not in page.input_value("#text")
    typed = page.input_value("#text").replace(SHIFT, "The last bus leaves at one.")
    page.fill("#text", typed)
    page.get_by_label("New fact", exact=True).check()
    page.get_by_role("button", name="Suggest change").click()
    page.get_by_text("Your text", exact=True).click()
    expect(page.locator("details .words")).to_contain_text("The last bus leaves at one.")
    assert fits(page)
    sign_in(page, "Ben")
    expect(page.locator("h1")).to_have_text("Welcome back, Ben")
    assert page.input_value("#text").strip() == typed.strip()
    assert fits(page)
    page.get_by_role("button", name="Suggest change").click()
    expect(page.get_by_role("status").filter(has_text="Saved as r")).to_be_visible()
    assert fits(page)
    expect(page.get_by_text("New fact")).to_be_visible()
    page.get_by_text("The whole text").click()
    expect(page.locator("article")).to_contain_text("The last bus leaves at one.")
    expect(page.locator("article")).to_contain_text(TOPLINE)


def test_what_is_typed_is_kept_on_the_server_and_shown_as_a_difference(campaign: Campaign, visit: Visit) -> None:
    slug = campaign.page("Fares kept").slug
    page = visit("Ada")
    open_at(page, f"/pages/{slug}/edit?section=topline", "editor")
    page.press("#text", "Control+End")
    page.locator("#text").press_sequentially(" Day and night.")
    expect(page.locator("#live-diff ins").last).to_contain_text("Day and night.")
    expect(page.locator("#saving")).to_have_text(re.compile(r"^Saved .+, for you alone\. Not sent yet\.$"))
    page.get_by_role("button", name="Read my changes").click()
    expect(page.locator("#said")).to_contain_text("Topline")
    page.reload()
    expect(page.locator("#resume")).to_contain_text("You have unsent changes")
    expect(page.locator("#text")).to_have_value(re.compile("Day and night"))
    expect(page.get_by_text("This browser kept words of yours")).to_have_count(0)
    page.goto("/me")
    expect(page.get_by_role("heading", name="Not sent yet")).to_be_visible()

    # Once they are sent, nobody offers them again: neither on the whole text nor on the section they were typed in.
    open_at(page, f"/pages/{slug}/edit", "editor")
    page.get_by_role("button", name="Suggest change").click()
    expect(page.get_by_role("status").filter(has_text="Saved as r")).to_be_visible()
    open_at(page, f"/pages/{slug}/edit?section=topline", "editor")
    expect(page.locator("#text")).to_have_value(re.compile("Day and night"))
    expect(page.get_by_text("unsent changes")).to_have_count(0)
    expect(page.get_by_text("This browser kept words of yours")).to_have_count(0)


@pytest.mark.parametrize("name", [None, "Cy"])
def test_what_is_typed_without_a_network_outlives_its_tab(campaign: Campaign, visit: Visit, name: str | None) -> None:
    slug = campaign.page(f"Fares offline of {name}").slug
    page = visit(name)
    open_at(page, f"/pages/{slug}/edit", "editor")
    page.context.set_offline(True)
    expect(page.locator("#said")).to_have_text("No connection. What you write is kept in this browser.")
    page.fill("#text", FARES.replace("everyone", "everybody"))
    expect(page.locator("#saving")).to_have_text("Saved in this browser only.")
    second = page.context.new_page()
    page.close()
    second.context.set_offline(False)
    second.goto(f"/pages/{slug}/edit")
    here = second.get_by_text("This browser kept words of yours")
    # A closing tab tries once more to reach the server; with the network back it may.
    on_server = second.locator("#resume")
    expect((here.or_(on_server) if name else here).first).to_be_visible()
    if here.is_visible():
        expect(second.locator("#live-diff ins").last).to_contain_text("everybody")
    expect(second.locator("#text")).to_have_value(re.compile("everybody"))


def test_a_preview_keeps_this_browsers_copy(campaign: Campaign, visit: Visit) -> None:
    """Nothing is sent by a preview, so whoever leaves from it finds the words again."""
    address = f"/pages/{campaign.page('Fares previewed').slug}/edit"
    page = visit()
    open_at(page, address, "editor")
    page.fill("#text", FARES.replace("everyone", "everybody"))
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Preview, not sent yet")).to_be_visible()
    listen(page, "editor")
    open_at(page, address, "editor")
    expect(page.get_by_text("This browser kept words of yours")).to_be_visible()
    expect(page.locator("#text")).to_have_value(re.compile("everybody"))


def test_words_of_this_browser_stand_in_the_form_and_typing_goes_on_from_them(campaign: Campaign, visit: Visit) -> None:
    address = f"/pages/{campaign.page('Fares offered').slug}/edit"
    page = visit()
    open_at(page, address, "editor")
    page.fill("#text", FARES.replace("everyone", "everybody"))
    base = page.input_value("[name=base]")
    for typed in (" Day and night.", " Sundays too."):
        page.goto(address)
        offer = page.get_by_text("This browser kept words of yours")
        expect(offer).to_be_visible()
        expect(page.locator("#text")).to_have_value(re.compile("everybody"))
        page.press("#text", "Control+End")
        page.locator("#text").press_sequentially(typed)
        expect(page.locator("#text")).to_have_value(re.compile(re.escape(typed)))
        expect(offer).to_be_visible()
    page.goto(address)
    expect(page.locator("#text")).to_have_value(re.compile(r"everybody(.|\n)*Day and night\.\n* Sundays too\."))
    assert page.input_value("[name=base]") == base
    page.get_by_role("button", name="Throw them away").click()
    expect(page.get_by_text("This browser kept words of yours")).to_have_count(0)
    expect(page.locator("#text")).to_have_value(re.compile("for everyone"))
    open_at(page, address, "editor")
    expect(page.locator("#text")).to_have_value(re.compile("for everyone"))
    expect(page.get_by_text("This browser kept words of yours")).to_have_count(0)


# Choose.


@with_and_without_scripts
def test_a_wording_is_chosen_from_the_board(campaign: Campaign, visit: Visit, scripts: bool, width: int) -> None:
    draft = campaign.put_forward("Cy", campaign.page(f"Fares chosen at {width}"), ("everyone", f"all {width} of us"))
    assert draft.head_id is not None
    campaign.vote(draft.head_id, "Cy")
    page = visit("Ben", width=width, scripts=scripts)
    page.goto("/")
    card = page.locator("#needs-you .card", has_text=f"all {width} of us")
    card.get_by_role("link", name=f"Read and choose: {draft.name}").click()
    expect(page.locator("#vote")).to_contain_text("You see how others voted once you have voted yourself.")
    page.get_by_role("button", name="I’d use this").click()
    expect(page.locator("#vote [role=status]")).to_contain_text("You would use this.")
    expect(page.locator("#vote .reasons p").first).to_have_text("This text is approved.")
    assert fits(page)


def test_an_approval_shows_and_is_announced_on_open_pages(campaign: Campaign, visit: Visit) -> None:
    message = campaign.page("Fares live")
    draft = campaign.put_forward("Cy", message, (TOPLINE, "A bus ticket should cost one coin."))
    assert draft.head_id is not None
    campaign.vote(draft.head_id, "Cy")
    reader, voter, decider = visit(width=1280), visit("Cy"), visit("Ben", scripts=False)
    with voter.expect_response("**/api/v1/stream?*"):
        voter.goto(f"/revisions/{draft.head_id}")
    expect(voter.locator("#vote .chip").first).to_have_text("Being decided")
    with reader.expect_response("**/api/v1/stream?*"):
        reader.goto(f"/pages/{message.slug}")
    expect(reader.locator("#approved")).to_contain_text(TOPLINE)
    decider.goto(f"/drafts/{draft.id}")
    decider.get_by_role("button", name="I’d use this").click()
    expect(reader.locator("#said")).to_have_text("A new text was approved a moment ago.")
    expect(reader.locator("#approved")).to_contain_text("A bus ticket should cost one coin.")
    expect(voter.locator("#vote .chip").first).to_have_text("Approved")


# Merge.


def make_stale(campaign: Campaign, visit: Visit, title: str) -> int:
    """The number of Cy's fork that clashes with the approved text in two sentences."""
    message = campaign.page(title)
    draft = campaign.put_forward("Cy", message, (TOPLINE, "A ticket costs one coin."), (SHIFT, "Buses run at night."))
    rival = campaign.workshop.fork(
        campaign.people["Ada"], message, (TOPLINE, "A ticket costs two coins."), (SHIFT, "Buses run till two.")
    )
    assert rival.head_id is not None
    campaign.vote(rival.head_id, "Ada", "Ben")
    assert draft.id is not None
    return draft.id


@with_and_without_scripts
def test_a_stale_wording_is_merged_sentence_by_sentence(
    campaign: Campaign, visit: Visit, scripts: bool, width: int
) -> None:
    draft_id = make_stale(campaign, visit, f"Fares merged at {width}")
    page = visit("Cy", width=width, scripts=scripts)
    page.goto(f"/drafts/{draft_id}/merge")
    assert fits(page)
    first, second = page.get_by_role("group").all()
    expect(first).to_contain_text("Sentence 1 of 2")
    first.get_by_label("Approved").check()
    second.get_by_label("Write it anew:").check()
    second.get_by_label("New wording of sentence 2").fill("- Buses run until the last shift is home.")
    page.get_by_role("button", name="Bring them together").click()
    expect(page.locator("#changes ~ .diff")).to_contain_text("until the last shift is home")
    page.get_by_text("The whole text").click()
    expect(page.locator("article")).to_contain_text("A ticket costs two coins.")
    expect(page.locator("article")).not_to_contain_text("one coin")


def test_a_merge_is_done_by_keys(campaign: Campaign, visit: Visit) -> None:
    draft_id = make_stale(campaign, visit, "Fares merged by keys")
    page = visit("Cy", width=1280)
    open_at(page, f"/drafts/{draft_id}/merge", "keys")
    for keys in ("[", "]"):
        page.keyboard.press("j")
        page.keyboard.press(keys)
    expect(page.locator("#theirs-1")).to_be_checked()
    expect(page.locator("#ours-2")).to_be_checked()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/revisions/**")
    page.get_by_text("The whole text").click()
    expect(page.locator("article")).to_contain_text("A ticket costs two coins.")
    expect(page.locator("article")).to_contain_text("Buses run at night.")


def test_one_member_in_two_tabs_loses_neither_text(campaign: Campaign, visit: Visit) -> None:
    slug = campaign.page("Fares in two tabs").slug
    one = visit("Ada")
    two = one.context.new_page()
    for page, words in ((one, "Trams run late."), (two, "Trains run late.")):
        open_at(page, f"/pages/{slug}/edit", "editor")
        page.fill("#text", FARES.replace(SHIFT, words))
    for page in (one, two):
        page.get_by_role("button", name="Suggest change").click()
    expect(two.locator("h1")).to_have_text("Two people improved Fares in two tabs")
    expect(two.get_by_role("group")).to_contain_text("Trams run late.")
    two.get_by_label("Yours").check()
    two.get_by_role("button", name="Save with these choices").click()
    expect(two.get_by_role("status").filter(has_text="Saved as r")).to_be_visible()
    two.get_by_text("The whole text").click()
    expect(two.locator("article")).to_contain_text("Trains run late.")


# Who wrote this.


@with_and_without_scripts
def test_each_run_of_words_leads_to_its_author_and_revision(visit: Visit, scripts: bool, width: int) -> None:
    page = visit(width=width, scripts=scripts)
    page.goto("/pages/bus-fares")
    page.get_by_role("link", name="Who wrote this").click()
    row = page.get_by_role("listitem").filter(has_text=TOPLINE)
    expect(row).to_contain_text("Ada")
    assert fits(page)
    row.get_by_role("link", name=re.compile(r"^r\d+$")).click()
    expect(page.locator("#vote")).to_be_visible()
    expect(page.locator("article")).to_contain_text(TOPLINE)


# By keys alone.


def test_words_are_found_and_copied_by_keys(campaign: Campaign, visit: Visit) -> None:
    page = visit()
    open_at(page, "/", "keys", "search")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("bus f")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pages/bus-fares")
    listen(page, "keys", "copy")
    page.keyboard.press("c")
    expect(page.locator("#said")).to_have_text(re.compile(r"^Copied the whole text, r\d+\."))
    assert TOPLINE in clipboard(page)


def test_a_wording_is_chosen_and_its_author_found_by_keys(campaign: Campaign, visit: Visit) -> None:
    slug = campaign.page("Fares chosen by keys").slug
    draft = campaign.put_forward("Cy", campaign.workshop.get_page(slug), ("everyone", "all who type"))
    page = visit("Ben")
    open_at(page, f"/pages/{slug}", "keys")
    page.keyboard.press("v")
    page.wait_for_url(f"**/pages/{slug}/drafts")
    listen(page, "keys")
    tab_to(page, page.get_by_role("link", name=f"Read and choose: {draft.name}"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/revisions/*")
    tab_to(page, page.get_by_role("button", name="I’d use this"))
    page.keyboard.press("Enter")
    expect(page.locator("#vote [role=status]")).to_contain_text("You would use this.")
    tab_to(page, page.get_by_role("link", name="Who wrote this"))
    page.keyboard.press("Enter")
    row = page.get_by_role("listitem").filter(has_text="all who type")
    expect(row).to_contain_text("Cy")
    tab_to(page, row.get_by_role("link", name=re.compile(r"^r\d+$")).last)
    page.keyboard.press("Enter")
    expect(page.locator("#vote")).to_contain_text("You would use this.")


def test_a_change_is_written_and_sent_by_keys(campaign: Campaign, visit: Visit) -> None:
    slug = campaign.page("Fares by keys").slug
    page = visit()
    open_at(page, f"/pages/{slug}", "keys")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Copy the text")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("e")
    page.wait_for_url("**/edit")
    expect(page.locator("#text")).to_be_focused()
    listen(page, "keys")
    page.keyboard.press("Control+End")
    page.keyboard.type("- e is for everyone?")
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text("Sign in")
    tab_to(page, page.locator("#name"))
    page.keyboard.type("Cy")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Welcome back, Cy")
    listen(page, "keys")
    tab_to(page, page.locator("#text"))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status").filter(has_text="Saved as r")).to_be_visible()
    expect(page.locator("main ins").last).to_contain_text("e is for everyone?")


def test_keys_that_are_switched_off_do_nothing(visit: Visit) -> None:
    page = visit()
    page.goto("/look?next=/pages/bus-fares")
    page.get_by_label("Single keys do things").uncheck()
    page.get_by_role("button", name="Keep this").click()
    page.wait_for_url("**/pages/bus-fares")
    listen(page, "app", "copy")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for key in ("/", "?", "c", "e"):
        page.keyboard.press(key)
    expect(page.locator("body")).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [url for url in asked if "/api/v1/stream" not in url] == []
    assert page.url.endswith("/pages/bus-fares")
