"""Search as programs and people reach it."""

import pytest
from fastapi import FastAPI

from app.permissions import Actor
from tests.conftest import connect
from tests.factories import Workshop
from tests.search.conftest import Approve, Index

# What lies below is tested on both databases in test_service.py.
pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

API = "/api/v1"


@pytest.fixture
def campaign(workshop: Workshop, writer: Actor, approve: Approve, index: Index) -> None:
    housing = workshop.page(writer)
    workshop.page(writer, "Rents <b>", 'Rents & "fair" <script>alert(1)</script> contracts.')
    approve(workshop.shared_head(housing))
    index()


@pytest.mark.usefixtures("campaign")
async def test_an_answer_holds_rows_counts_and_no_suggestion(app: FastAPI) -> None:
    async with connect(app) as client:
        answer = await client.get(f"{API}/search?q=fair contract")
    body = answer.json()
    assert answer.status_code == 200
    first, second = body["data"]
    assert (first["page"], first["title"], first["status"], first["draft"]) == ("housing", "Housing", "approved", None)
    assert first["revision"].keys() == {"id", "number", "sha256"}
    assert "<mark>fair</mark> <mark>contract</mark>" in first["snippet"]
    assert [first["passage"]["text"][start:end] for start, end in first["passage"]["marks"]][:2] == ["fair", "contract"]
    assert first["score"] > 0
    assert second["status"] == "draft"
    assert isinstance(second["draft"], int)
    assert second["snippet"] == (
        "Rents &amp; &quot;<mark>fair</mark>&quot; &lt;script&gt;alert(1)&lt;/script&gt; <mark>contracts</mark>."
    )
    assert body["facets"] == {"in": {"approved": 1, "drafts": 1, "history": 0}, "tags": {}}
    assert (body["suggestion"], body["notes"], body["next"]) == (None, [], None)


@pytest.mark.usefixtures("campaign")
async def test_in_and_tag_narrow_and_misspelt_words_are_corrected(app: FastAPI) -> None:
    async with connect(app) as client:
        approved = (await client.get(f"{API}/search?q=rents&in=approved")).json()
        drafts = (await client.get(f"{API}/search?q=rents&in=drafts")).json()
        history = (await client.get(f"{API}/search?q=rents&in=history&chapter=north")).json()
        tagged = (await client.get(f"{API}/search?q=rents&tag=none")).json()
        misspelt = (await client.get(f"{API}/search?q=contrct")).json()
    assert [row["page"] for row in approved["data"]] == ["housing"]
    assert [row["page"] for row in drafts["data"]] == ["rents-b"]
    assert history["data"] == tagged["data"] == misspelt["data"] == []
    assert misspelt["suggestion"] == "contract"


@pytest.mark.usefixtures("campaign")
async def test_a_list_goes_on_by_cursor_and_link(app: FastAPI) -> None:
    async with connect(app) as client:
        first = await client.get(f"{API}/search?q=rents&limit=1")
        second = await client.get(f"{API}/search?q=rents&limit=1&cursor={first.json()['next']}")
        linked = await client.get(first.headers["Link"].partition(">")[0].removeprefix("<"))
    assert [row["page"] for row in first.json()["data"]] == ["housing"]
    assert [row["page"] for row in second.json()["data"]] == ["rents-b"]
    assert linked.json() == second.json()
    assert second.json()["next"] is None
    assert "Link" not in second.headers


@pytest.mark.parametrize(
    "query",
    ["", "?q=a&in=everything", "?q=a&unknown=1", "?q=a&limit=0", "?q=a&cursor=WzFd", f"?q={'a' * 1_001}", "?q=a&q=b"],
)
@pytest.mark.usefixtures("engine")
async def test_what_cannot_be_asked_is_said(app: FastAPI, query: str) -> None:
    async with connect(app) as client:
        answer = await client.get(f"{API}/search{query}")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.usefixtures("campaign")
async def test_titles_while_typing(app: FastAPI) -> None:
    async with connect(app) as client:
        assert (await client.get(f"{API}/suggest?q=ho")).json() == {
            "data": [{"page": "housing", "title": "Housing", "status": "approved"}],
            "next": None,
        }
        assert (await client.get(f"{API}/suggest?q=rent")).json()["data"][0]["status"] == "none"
        assert (await client.get(f"{API}/suggest?q=")).json()["data"] == []


@pytest.mark.usefixtures("engine")
async def test_search_answers_without_an_index(app: FastAPI, workshop: Workshop, writer: Actor) -> None:
    workshop.page(writer)
    async with connect(app) as client:
        body = (await client.get(f"{API}/search?q=landlords")).json()
        screen = await client.get("/search?q=landlords")
    assert [row["page"] for row in body["data"]] == ["housing"]
    assert body["notes"]
    assert screen.status_code == 200
    assert body["notes"][0] in screen.text


@pytest.mark.usefixtures("campaign")
async def test_the_screen_groups_and_marks_and_escapes(app: FastAPI) -> None:
    async with connect(app) as client:
        page = (await client.get("/search?q=fair+contract")).text
    assert page.index("Approved text</h2>") < page.index("Drafts</h2>")
    assert "<mark>fair</mark> <mark>contract</mark>" in page
    assert "<bdi>Rents &lt;b&gt;</bdi>" in page
    assert "<script>alert" not in page
    assert '<a href="/pages/housing">' in page


@pytest.mark.usefixtures("campaign")
async def test_the_screen_says_what_was_not_found_and_what_may_have_been_meant(
    app: FastAPI, workshop: Workshop, writer: Actor
) -> None:
    token = workshop.token(writer)
    async with connect(app) as client:
        nothing = (await client.get("/search?q=frack<ing&in=")).text
        misspelt = (await client.get("/search?q=housng")).text
        empty = (await client.get("/search")).text
    async with connect(app, token) as client:
        as_writer = (await client.get("/search?q=frack%26ing")).text
    assert "No message about ‘<bdi>frack&lt;ing</bdi>’ yet." in nothing
    assert "Start one?" not in nothing
    assert 'href="/new?title=frack%26ing">Start one?' in as_writer
    assert 'Did you mean <a href="/search?q=housing">' in misspelt
    assert "No message" not in empty


@pytest.mark.usefixtures("campaign")
async def test_the_screen_goes_on(app: FastAPI, workshop: Workshop, writer: Actor, index: Index) -> None:
    for number in range(21):
        workshop.page(writer, f"Zebra {number}", "Stripes.")
    index()
    async with connect(app) as client:
        first = (await client.get("/search?q=stripes")).text
        link = first.split('class="button quiet" href="')[1].partition('"')[0].replace("&amp;", "&")
        second = (await client.get(link)).text
    assert first.count('class="card"') == 20
    assert second.count('class="card"') == 1
