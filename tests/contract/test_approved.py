import gzip
import hashlib
import re

import httpx
import pytest

from tests.conftest import connect
from tests.contract.campaign import API, HOUSING_NOW, LONG, MARKED, Campaign
from tests.factories import HOUSING

HOUSE = f"{API}/pages/housing/approved"
CACHING = "public, max-age=5, stale-if-error=60"
SHA = hashlib.sha256(HOUSING_NOW.encode()).hexdigest()

pytestmark = pytest.mark.anyio


async def get(campaign: Campaign, path: str, **headers: str) -> httpx.Response:
    async with connect(campaign.app) as client:
        return await client.get(path, headers={"Accept-Encoding": "identity", **headers})


async def test_the_json_holds_the_text_what_approved_it_and_its_sections(campaign: Campaign) -> None:
    answer = await get(campaign, HOUSE)
    assert answer.status_code == 200
    assert answer.json() == {
        "slug": "housing",
        "title": "Housing",
        "status": "approved",
        "scope": None,
        "revision": {
            "id": campaign.second,
            "number": 2,
            "sha256": SHA,
            "approved_at": "2026-11-23T15:00:00Z",
            "supersedes": campaign.first,
            "basis": "consensus",
            "mode": "routine",
        },
        "text": HOUSING_NOW,
        "sections": [
            {
                "key": "topline",
                "title": "Topline",
                "text": "Everyone needs a home they can afford. Rents have risen faster than wages.",
                "channel": None,
            },
            {
                "key": "key-points",
                "title": "Key points",
                "text": "- We will build 12,000 homes a year.\n"
                "- Renters get a fair contract. Landlords get a fair hearing.",
                "channel": None,
            },
            {
                "key": "story",
                "title": "Story",
                "text": "Anna moved three times in two years. Her children changed school each time.",
                "channel": None,
            },
        ],
        "links": {
            "self": "http://workshop.test/api/v1/pages/housing/approved",
            "html": "http://workshop.test/pages/housing",
            "history": "http://workshop.test/api/v1/pages/housing/revisions",
            "ledger": "http://workshop.test/api/v1/ledger/3",
        },
    }


@pytest.mark.parametrize(
    ("suffix", "media_type", "tag"),
    [
        (".json", "application/json", "-json-[0-9]+"),
        (".txt", "text/plain; charset=utf-8", "-txt"),
        (".md", "text/markdown; charset=utf-8", ""),
        (".html", "text/html; charset=utf-8", "-html"),
    ],
)
async def test_the_suffix_decides_the_form_whatever_accept_says(
    campaign: Campaign, suffix: str, media_type: str, tag: str
) -> None:
    answer = await get(campaign, HOUSE + suffix, Accept="image/png")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == media_type
    assert re.fullmatch(f'"{SHA}{tag}"', answer.headers["ETag"])
    assert answer.headers["Cache-Control"] == CACHING
    assert answer.headers["Last-Modified"] == "Mon, 23 Nov 2026 15:00:00 GMT"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "RateLimit" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/markdown, text/html;q=0.5", "text/markdown; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
async def test_without_a_suffix_accept_decides(campaign: Campaign, accept: str, media_type: str) -> None:
    answer = await get(campaign, HOUSE, Accept=accept)
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"


async def test_a_form_that_there_is_not_is_406_by_accept_and_404_by_suffix(campaign: Campaign) -> None:
    refused = await get(campaign, HOUSE, Accept="application/pdf")
    assert (refused.status_code, refused.json()["type"]) == (406, "/problems/not-acceptable")
    missing = await get(campaign, f"{HOUSE}.pdf")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")


async def test_markdown_is_the_texts_own_bytes(campaign: Campaign) -> None:
    answer = await get(campaign, f"{HOUSE}.md")
    assert answer.content == HOUSING_NOW.encode()


async def test_plain_text_has_no_marks_and_no_final_newline(campaign: Campaign) -> None:
    answer = await get(campaign, f"{API}/pages/marked/approved.txt")
    topline = "A home for all (https://example.org/homes).\n\n- rent\n- own"
    assert answer.text == f"Housing\n\nTopline\n\n{topline}\n\nNotes\n\nMore of it (https://example.org/homes)."


@pytest.mark.parametrize("suffix", ["", ".json", ".txt", ".md", ".html", "/sections", "/sections/topline.txt"])
async def test_a_known_copy_is_answered_304_also_by_a_weakened_tag(campaign: Campaign, suffix: str) -> None:
    first = await get(campaign, HOUSE + suffix)
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", W/{tag}', "*"):
        again = await get(campaign, HOUSE + suffix, **{"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary", "Last-Modified"):
            assert again.headers[name] == first.headers[name]
        assert "Content-Type" not in again.headers
    other = await get(campaign, HOUSE + suffix, **{"If-None-Match": f'"{"0" * 64}"'})
    assert other.status_code == 200


async def test_a_copy_known_by_its_date_is_answered_304(campaign: Campaign) -> None:
    same = await get(campaign, HOUSE, **{"If-Modified-Since": "Mon, 23 Nov 2026 15:00:00 GMT"})
    assert same.status_code == 304
    older = await get(campaign, HOUSE, **{"If-Modified-Since": "Sun, 22 Nov 2026 15:00:00 GMT"})
    assert older.status_code == 200
    no_dates = (
        "yesterday",
        "Mon, 01 Jan 99999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999",
        "Mon, 01 Jan 0001 00:00:00 +1400",
    )
    for moment in no_dates:
        unread = await get(campaign, HOUSE, **{"If-Modified-Since": moment})
        assert unread.status_code == 200, moment


async def test_a_longer_text_is_compressed_for_whom_it_helps_under_a_tag_of_its_own(campaign: Campaign) -> None:
    sha = hashlib.sha256(LONG.encode()).hexdigest()
    async with connect(campaign.app) as client:
        request = client.build_request("GET", f"{API}/pages/long/approved.md", headers={"Accept-Encoding": "gzip"})
        packed = await client.send(request, stream=True)
        body = b"".join([part async for part in packed.aiter_raw()])
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["ETag"] == f'"{sha}-gz"'
    assert packed.headers["Content-Length"] == str(len(body))
    assert len(body) < len(LONG) / 2
    assert gzip.decompress(body) == LONG.encode()
    for known in (f'"{sha}-gz"', f'"{sha}"'):
        again = await get(
            campaign, f"{API}/pages/long/approved.md", **{"Accept-Encoding": "gzip", "If-None-Match": known}
        )
        assert (again.status_code, again.headers["ETag"]) == (304, known)
    refused = await get(campaign, f"{API}/pages/long/approved.md", **{"Accept-Encoding": "gzip;q=0"})
    assert ("Content-Encoding" in refused.headers, refused.headers["ETag"]) == (False, f'"{sha}"')
    short = await get(campaign, f"{HOUSE}.md", **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in short.headers


async def test_head_has_every_header_of_get_and_no_body(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        for path in (HOUSE, f"{HOUSE}.txt", f"{API}/pages", "/docs", "/healthz"):
            get_, head = await client.get(path), await client.head(path)
            assert head.status_code == get_.status_code == 200
            assert head.content == b""
            assert dict(head.headers) == dict(get_.headers)


async def test_what_was_approved_then_can_be_asked_for(campaign: Campaign) -> None:
    first = await get(campaign, f"{HOUSE}?as_of={campaign.first_at:%Y-%m-%dT%H:%M:%SZ}")
    assert (first.json()["text"], first.json()["revision"]["id"]) == (HOUSING, campaign.first)
    between = await get(campaign, f"{HOUSE}.md?as_of=2026-11-23T15:59:59%2B01:00")
    assert between.text == HOUSING
    at_the_second = await get(campaign, f"{HOUSE}.md?as_of=2026-11-23T15:00:00Z")
    assert at_the_second.text == HOUSING_NOW
    assert at_the_second.headers["Cache-Control"] == CACHING
    before = await get(campaign, f"{HOUSE}?as_of=2026-11-22T08:59:59Z")
    assert (before.status_code, before.json()["type"]) == (404, "/problems/no-approved-text")


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-22", "2026-11-22T14:32:05", "1700000000", ""])
async def test_a_time_that_is_none_is_refused(campaign: Campaign, moment: str) -> None:
    refused = await get(campaign, f"{HOUSE}?as_of={moment}")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/as_of"
    assert "2026-11-22T14:32:05Z" in refused.json()["detail"]


async def test_a_time_beyond_the_calendar_is_refused(campaign: Campaign) -> None:
    for moment in ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"):
        answer = await get(campaign, f"{HOUSE}?as_of={moment}")
        assert answer.status_code == 422


async def test_a_chapter_without_a_text_of_its_own_gets_the_common_one(campaign: Campaign) -> None:
    answer = await get(campaign, f"{HOUSE}?chapter=north")
    assert (answer.status_code, answer.json()["scope"]) == (200, None)


async def test_a_page_without_an_approved_text_says_so(campaign: Campaign) -> None:
    for suffix in ("", ".txt", ".md", ".html", ".json", "/sections", "/sections/intro"):
        answer = await get(campaign, f"{API}/pages/schools/approved{suffix}")
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/no-approved-text"
        assert answer.headers["Cache-Control"] == "no-store"


async def test_sections_are_listed_with_the_characters_of_their_plain_text(campaign: Campaign) -> None:
    answer = await get(campaign, f"{API}/pages/marked/approved/sections")
    chars = len("A home for all (https://example.org/homes).\n\n- rent\n- own")
    assert answer.json()[0] == {"key": "topline", "title": "Topline", "chars": chars, "channel": None}
    assert [row["key"] for row in answer.json()] == ["topline", "notes"]


@pytest.mark.parametrize(
    ("suffix", "body"),
    [
        (".txt", "A home for all (https://example.org/homes).\n\n- rent\n- own"),
        (".md", "A **home** for [all][homes].\n\n- rent\n- *own*"),
    ],
)
async def test_a_sections_plain_text_is_exactly_the_bytes_to_send(campaign: Campaign, suffix: str, body: str) -> None:
    answer = await get(campaign, f"{API}/pages/marked/approved/sections/topline{suffix}")
    assert answer.content == body.encode()


async def test_one_section_comes_as_json_and_html_too(campaign: Campaign) -> None:
    path = f"{API}/pages/marked/approved/sections/topline"
    answer = await get(campaign, path)
    found = answer.json()
    assert list(found) == ["key", "title", "text", "channel", "chars", "slug", "status", "scope", "revision", "links"]
    assert (found["key"], found["title"], found["slug"]) == ("topline", "Topline", "marked")
    assert found["text"] == MARKED.partition("## Topline\n\n")[2].partition("\n\n## ")[0]
    assert (await get(campaign, f"{path}.json")).json() == found
    html = await get(campaign, path, Accept="text/html")
    assert "<strong>home</strong> for <a href" in html.text


async def test_an_unknown_section_names_those_there_are(campaign: Campaign) -> None:
    answer = await get(campaign, f"{HOUSE}/sections/toplin")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/section-not-found")
    assert "topline, key-points, story" in answer.json()["detail"]


async def test_all_approved_texts_are_listed_page_by_page(campaign: Campaign) -> None:
    whole = (await get(campaign, f"{API}/approved")).json()
    assert [row["slug"] for row in whole["data"]] == ["housing", "long", "marked"]
    assert whole["next"] is None
    assert whole["data"][0] == (await get(campaign, HOUSE)).json()
    slugs, address = [], f"{API}/approved?limit=1"
    while address:
        answer = await get(campaign, address)
        slugs += [row["slug"] for row in answer.json()["data"]]
        cursor = answer.json()["next"]
        address = f"{API}/approved?limit=1&cursor={cursor}" if cursor else ""
        if cursor:
            assert answer.headers["Link"] == f'<{address}>; rel="next"'
    assert slugs == ["housing", "long", "marked"]


async def test_the_list_can_be_narrowed_by_time_and_tag(campaign: Campaign) -> None:
    recent = await get(campaign, f"{API}/approved?updated_since=2026-11-23T15:00:01Z")
    assert [row["slug"] for row in recent.json()["data"]] == ["long", "marked"]
    tagged = await get(campaign, f"{API}/approved?tag=homes&chapter=north")
    assert [row["slug"] for row in tagged.json()["data"]] == ["housing"]


@pytest.mark.parametrize(
    "rest", ["", "/approved", "/approved.md?as_of=2026-11-22T14:32:05Z", "/approved/sections/topline.txt", "/revisions"]
)
async def test_a_former_address_leads_on_with_308(campaign: Campaign, rest: str) -> None:
    answer = await get(campaign, f"{API}/pages/traffic{rest}")
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{API}/pages/transport{rest}"


async def test_what_is_asked_with_a_token_is_stored_nowhere(campaign: Campaign) -> None:
    async with connect(campaign.app, campaign.token) as client:
        answer = await client.get(HOUSE)
        pages = await client.get(f"{API}/pages")
    assert answer.headers["Cache-Control"] == pages.headers["Cache-Control"] == "no-store"
    assert (await get(campaign, f"{API}/pages")).headers["Cache-Control"] == "no-cache"


async def test_each_form_leads_to_the_page_its_versions_and_its_ledger_entry(campaign: Campaign) -> None:
    page = "http://workshop.test/api/v1/pages/housing"
    for form in ("json", "md", "txt", "html"):
        links = (await get(campaign, f"{HOUSE}.{form}")).links
        assert {name: link["url"] for name, link in links.items()} == {
            "canonical": "http://workshop.test/pages/housing",
            "version-history": f"{page}/revisions",
            "describedby": "http://workshop.test/api/v1/ledger/3",
        }
