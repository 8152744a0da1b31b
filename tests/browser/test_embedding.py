"""Texts on another site's page: they stand there alone, and are gone within seconds when a moderator stops them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from app.consensus import stopping
from app.pages import service as pages
from tests.browser.conftest import PATIENCE, Campaign

TEXT = "# Trams\n\n## Topline\n\nA tram **every** [five minutes](https://a.example/trams).\n\n## Story\n\nWalk.\n"
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ENOUGH = 5_000
"""Milliseconds until a stopped text is gone everywhere."""

FRAMED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A site</title>
<h1>A site of its own</h1>
<iframe src="{site}/embed/{slug}" title="Trams" width="300" height="300"></iframe>
<message-text slug="{slug}" section="topline"><a href="{site}/pages/{slug}">What we say about trams</a></message-text>
<script src="{site}/embed.js" async></script>"""


@contextmanager
def another_site(html: str, **headers: str) -> Iterator[str]:
    """A site of another name and port, which holds one page."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = html.encode()
            self.send_response(200)
            for name, value in {"Content-Type": "text/html", "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def reader(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=ViewportSize(width=360, height=640))
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_a_stop_reaches_the_frame_and_the_element_without_a_reload(campaign: Campaign, reader: Page) -> None:
    slug = campaign.page("Trams", TEXT).slug
    with another_site(FRAMED.format(site=campaign.server.url, slug=slug)) as address:
        reader.goto(address)
        frame, element = reader.frame_locator("iframe").locator("main"), reader.locator("message-text")
        expect(frame).to_contain_text("A tram every five minutes")
        expect(element.locator(".text")).to_have_text("A tram every five minutes.")
        expect(element.locator("strong")).to_have_text("every")
        assert element.locator("a[rel]").get_attribute("href") == "https://a.example/trams"
        reader.evaluate("window.opened = true")
        with campaign.workshop.writing() as session:
            moderator = campaign.people["Mo"]
            stopping.hold(session, moderator, pages.get_page(session, slug), reason="Five is wrong.")
        expect(element.get_by_role("alert")).to_contain_text("Stopped: do not use this text.", timeout=ENOUGH)
        expect(frame.get_by_role("alert")).to_contain_text("Stopped: do not use.", timeout=ENOUGH)
        for place in (frame, element):
            expect(place).to_contain_text("Five is wrong")
            expect(place).not_to_contain_text("every five minutes")
        with campaign.workshop.writing() as session:
            stopping.release(session, moderator, pages.get_page(session, slug), reason="Five is right.")
        expect(element.locator(".text")).to_have_text("A tram every five minutes.")
        expect(frame).to_contain_text("A tram every five minutes")
        assert reader.evaluate("window.opened")
        assert reader.context.cookies() == []


def test_answers_slower_than_the_asking_are_shown_all_the_same(campaign: Campaign, reader: Page) -> None:
    slug = campaign.page("Trams afar", TEXT).slug
    waiting: list[Route] = []

    def answer_when_the_next_is_asked(route: Route) -> None:
        waiting.append(route)
        if len(waiting) > 1:
            waiting.pop(0).continue_()

    reader.route("**/approved/sections/topline.html", answer_when_the_next_is_asked)
    with another_site(FRAMED.format(site=campaign.server.url, slug=slug)) as address:
        reader.goto(address)
        expect(reader.locator("message-text .text")).to_have_text("A tram every five minutes.")


def test_where_no_script_may_make_html_the_words_come_plain(campaign: Campaign, reader: Page) -> None:
    slug = campaign.page("Trams by night", TEXT).slug
    strict = {"Content_Security_Policy": "require-trusted-types-for 'script'; trusted-types none; style-src 'none'"}
    with another_site(FRAMED.format(site=campaign.server.url, slug=slug), **strict) as address:
        reader.goto(address)
        words = reader.locator("message-text .plain")
        expect(words).to_have_text("A tram every five minutes (https://a.example/trams).")


HOSTILE = """<body><h1>Title</h1><p onclick="alert(1)" style="position:fixed">Plain <b>words</b>
<script>window.hit = 1</script><img src="x" onerror="window.hit = 1" alt="a picture">
<iframe src="about:blank"></iframe><svg onload="window.hit = 1"></svg>
<a href="javascript:window.hit=1" target="_top">one</a> <a href="/pages/other">two</a></p>"""


def test_the_element_takes_over_words_and_links_and_nothing_else(campaign: Campaign, reader: Page) -> None:
    """A second wall: what it is sent here no server of ours would send."""
    headers = {"Access-Control-Allow-Origin": "*"}
    reader.route(
        "**/approved/sections/topline.html",
        lambda it: it.fulfill(body=HOSTILE, content_type="text/html", headers=headers),
    )
    with another_site(FRAMED.format(site=campaign.server.url, slug="bus-fares")) as address:
        reader.goto(address)
        shown = reader.locator("message-text .text")
        expect(shown).to_contain_text("Plain words")
        expect(shown).to_contain_text("a picture")
        made = reader.evaluate(
            "[...document.querySelector('message-text').shadowRoot.querySelectorAll('.text *')]"
            ".map((it) => [it.localName, it.getAttributeNames().sort().join(), it.href ?? ''])"
        )
        two = f"{campaign.server.url}/pages/other"
        assert made == [["p", "", ""], ["a", "", ""], ["a", "href,rel", two]]
        assert reader.evaluate("window.hit") is None


def test_what_cannot_be_shown_leaves_the_link_within(campaign: Campaign, browser: Browser, reader: Page) -> None:
    html = FRAMED.format(site=campaign.server.url, slug="nowhere")
    with another_site(html) as address:
        asked: list[int] = []
        reader.on("response", lambda answer: asked.append(answer.status) if "/api/" in answer.url else None)
        with reader.expect_response("**/approved/sections/topline.html"):
            reader.goto(address)
        expect(reader.get_by_role("link", name="What we say about trams")).to_be_visible()
        context = browser.new_context(java_script_enabled=False)
        plain = context.new_page()
        plain.goto(address)
        expect(plain.get_by_role("link", name="What we say about trams")).to_be_visible()
        context.close()
    assert set(asked) == {404}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_frame_bars_nobody(campaign: Campaign, visit: Callable[..., Page], scheme: str) -> None:
    slug = campaign.page(f"Trams in {scheme}", TEXT).slug
    page = visit(width=280)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    for stopped in (False, True):
        if stopped:
            with campaign.workshop.writing() as session:
                stopping.hold(session, campaign.people["Mo"], pages.get_page(session, slug), reason="Wrong.")
        page.goto(f"/embed/{slug}")
        for direction in ("ltr", "rtl"):
            page.evaluate("direction => { document.documentElement.dir = direction }", direction)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        found = Axe().run(page).response["violations"]
        assert [(it["id"], [node["html"] for node in it["nodes"]]) for it in found] == []
    assert wrong == []
