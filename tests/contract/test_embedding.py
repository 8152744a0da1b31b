"""Approved texts on other sites: the frame, the element's script and oEmbed."""

import re
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI

from app.consensus import stopping
from app.pages import service as pages
from app.pages.models import Page
from app.permissions import Actor, Role
from app.web.static import FOLDER
from tests.conftest import connect
from tests.contract.campaign import Campaign
from tests.factories import Workshop

pytestmark = pytest.mark.anyio

CACHING = "public, max-age=5"
SITE = "http://workshop.test"


async def test_a_frame_holds_the_text_or_one_section_and_may_stand_on_any_site(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        whole = await client.get("/embed/housing")
        one = await client.get("/embed/housing?section=story")
    assert (whole.status_code, one.status_code) == (200, 200)
    assert "12,000 homes" in whole.text
    assert "Anna moved" in whole.text
    assert "<bdi>Housing: Story</bdi>" in one.text
    assert "Anna moved" in one.text
    assert "12,000 homes" not in one.text
    for answer in (whole, one):
        assert answer.headers["Cache-Control"] == CACHING
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors *" in policy
        assert "form-action 'none'" in policy
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Set-Cookie" not in answer.headers
        assert len(answer.content) < 4_000
        assert 'href="/pages/housing"' in answer.text  # the way on, also without a script


async def test_a_frame_is_the_same_for_whoever_has_a_cookie(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        anybody = await client.get("/embed/housing")
        somebody = await client.get("/embed/housing", headers={"Cookie": "look=dark; session=abc"})
    assert (somebody.text, somebody.headers["Cache-Control"]) == (anybody.text, CACHING)


@pytest.mark.parametrize("path", ["/pages/housing", "/", "/api/v1/pages/housing/approved.html", "/oembed", "/embedded"])
async def test_nothing_else_may_stand_in_a_frame(campaign: Campaign, path: str) -> None:
    async with connect(campaign.app) as client:
        answer = await client.get(path)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_frame_without_a_text_says_so_and_leads_on(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        for path, said in (
            ("/embed/schools", "has no approved text yet"),
            ("/embed/nowhere", "nowhere"),
            ("/embed/housing?section=toplin", "has no section “toplin” any more"),
        ):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store"), path
            assert said in answer.text
            assert "<article" not in answer.text
        moved = await client.get("/embed/traffic?section=intro")
    assert (moved.status_code, moved.headers["Location"]) == (308, "/embed/transport?section=intro")


async def test_the_elements_script_is_small_and_loads_from_any_site(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        answer = await client.get("/embed.js")
        again = await client.get("/embed.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert answer.content == (FOLDER / "embed.js").read_bytes()
    assert len(answer.content) <= 5 * 1024
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == CACHING
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert (again.status_code, again.content, again.headers["Cache-Control"]) == (304, b"", CACHING)


async def test_oembed_answers_with_a_frame(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        shown = (await client.get("/pages/housing")).text
        found = re.search(r'href="([^"]+)" type="application/json\+oembed"', shown)
        assert found is not None
        answer = await client.get(found[1].replace("&amp;", "&"))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == CACHING
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json() == {
        "version": "1.0",
        "type": "rich",
        "title": "Housing",
        "provider_name": "Message Workshop",
        "provider_url": f"{SITE}/",
        "cache_age": 5,
        "html": f'<iframe src="{SITE}/embed/housing" title="Housing" width="600" height="400" '
        'frameborder="0" loading="lazy"></iframe>',
        "width": 600,
        "height": 400,
    }


async def test_oembed_fits_the_space_takes_a_section_and_speaks_xml(campaign: Campaign) -> None:
    query = {"url": f"{SITE}/embed/housing?section=key-points", "maxwidth": "320", "maxheight": "9999", "dnt": "1"}
    async with connect(campaign.app) as client:
        answer = (await client.get("/oembed", params=query)).json()
        xml = await client.get("/oembed", params={**query, "format": "xml"})
    assert (answer["width"], answer["height"]) == (320, 400)
    assert f'src="{SITE}/embed/housing?section=key-points"' in answer["html"]
    assert 'width="320" height="400"' in answer["html"]
    assert xml.headers["Content-Type"].startswith("text/xml")
    fields = {field.tag: field.text for field in ElementTree.fromstring(xml.text)}
    assert fields == {name: str(value) for name, value in answer.items()}


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (f"{SITE}/pages/nowhere", "page-not-found"),
        (f"{SITE}/pages/%00", "page-not-found"),
        (f"{SITE}/rule", "not-embeddable"),
        ("https://elsewhere.example/pages/housing", "not-embeddable"),
        ("javascript:alert(1)", "not-embeddable"),
        ("http://[", "not-embeddable"),
    ],
)
async def test_oembed_knows_only_pages_of_this_site(campaign: Campaign, url: str, kind: str) -> None:
    async with connect(campaign.app) as client:
        answer = await client.get("/oembed", params={"url": url})
    assert (answer.status_code, answer.json()["type"]) == (404, f"/problems/{kind}")


@pytest.fixture
def page(workshop: Workshop) -> Page:
    ada = workshop.member("ada", chapter="north", role=Role.WRITER)
    page = workshop.page(ada, 'Rents "now" <b>')
    head = workshop.shared_head(page)
    workshop.vote(ada, head)
    workshop.vote(workshop.member("ben", chapter="south"), head)
    return page


@pytest.fixture
def moderator(workshop: Workshop) -> Actor:
    return workshop.member("mo", chapter="south", role=Role.MODERATOR)


async def test_a_stopped_text_is_not_in_its_frame(
    app: FastAPI, workshop: Workshop, page: Page, moderator: Actor
) -> None:
    async with connect(app) as client:
        with workshop.writing() as session:
            held = pages.get_page(session, page.slug)
            stopping.hold(session, moderator, held, reason="The figure is being checked.")
        for path in (f"/embed/{page.slug}", f"/embed/{page.slug}?section=story"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
            assert "Stopped: do not use." in answer.text
            assert "The figure is being checked" in answer.text
            assert "Anna moved" not in answer.text
            assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]


async def test_a_title_stays_words(app: FastAPI, page: Page) -> None:
    async with connect(app) as client:
        frame = (await client.get(f"/embed/{page.slug}")).text
        answer = await client.get("/oembed", params={"url": f"{SITE}/pages/{page.slug}"})
        xml = await client.get("/oembed", params={"url": f"{SITE}/pages/{page.slug}", "format": "xml"})
    assert "<b>" not in frame
    assert 'title="Rents &quot;now&quot; &lt;b&gt;"' in answer.json()["html"]
    assert ElementTree.fromstring(xml.text).findtext("title") == 'Rents "now" <b>'


async def test_oembed_is_xml_whatever_the_title_has(app: FastAPI, workshop: Workshop) -> None:
    workshop.page(workshop.member("ada", role=Role.WRITER), "Rents \uffff & homes", slug="rents")
    async with connect(app) as client:
        answer = await client.get("/oembed", params={"url": f"{SITE}/pages/rents", "format": "xml"})
    assert ElementTree.fromstring(answer.text).findtext("title") == "Rents  & homes"
