import httpx
import pytest
from fastapi import FastAPI

from app.web.headers import DATA_POLICY
from app.web.help import help_for, titles
from app.web.problems import all_kinds
from tests.conftest import connect
from tests.contract.campaign import API, Campaign

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}


def check_problem(answer: httpx.Response, status: int, slug: str) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    found = answer.json()
    assert found["type"] == f"/problems/{slug}"
    assert found["status"] == status
    assert found["instance"] == answer.request.url.path
    assert found["title"]
    assert found["detail"].endswith(".")
    assert answer.headers["Content-Security-Policy"] == DATA_POLICY
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/nothing", "", "/", "/pages/", "/pages/nowhere", "/pages/housing/approve", "/pages/Housing", "/approved.txt"],
)
async def test_an_unknown_path_is_a_problem_document(campaign: Campaign, path: str) -> None:
    async with connect(campaign.app) as client:
        answer = await client.get(API + path)
    check_problem(answer, 404, "page-not-found" if path in ("/pages/nowhere", "/pages/Housing") else "not-found")


async def test_a_method_that_is_not_there_names_those_that_are(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        on_page = await client.delete(f"{API}/pages/housing")
        check_problem(on_page, 405, "method-not-allowed")
        assert on_page.headers["Allow"] == "GET, HEAD, OPTIONS, PATCH"
        on_text = await client.post(f"{API}/pages/housing/approved.txt")
        check_problem(on_text, 405, "method-not-allowed")
        assert on_text.headers["Allow"] == "GET, HEAD, OPTIONS"
        on_vote = await client.get(f"{API}/revisions/1/vote")
        assert on_vote.headers["Allow"] == "DELETE, PUT"
        both = await client.put(f"{API}/pages/housing/revisions")
        assert both.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


async def test_a_browser_elsewhere_may_ask_before_it_reads(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        asked = await client.options(f"{API}/pages/housing/approved")
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "If-None-Match" in asked.headers["Access-Control-Allow-Headers"]


async def test_a_body_that_is_no_json_object_is_refused(campaign: Campaign) -> None:
    address = f"{API}/pages"
    async with connect(campaign.app, campaign.token) as client:
        check_problem(
            await client.post(address, content="title=x", headers={"Content-Type": "text/plain"}),
            415,
            "unsupported-type",
        )
        check_problem(await client.post(address, data={"title": "x"}), 415, "unsupported-type")
        check_problem(await client.post(address, content='{"title":"x","text":"y"}'), 415, "unsupported-type")
        broken = await client.post(address, content='{"title":', headers=JSON)
        check_problem(broken, 422, "refused")
        assert broken.json()["errors"][0]["detail"] == "this is not JSON"
        for body in (b"[]", b'"x"', b"null", b""):
            check_problem(await client.post(address, content=body, headers=JSON), 422, "refused")
        for body in (b'{"title":"\xff"}', b"[" * 100_000, b'{"base":' + b"9" * 5_000 + b"}"):
            check_problem(await client.post(address, content=body, headers=JSON), 400, "bad-request")
        large = await client.post(address, content=b'{"title":"' + b"x" * 600_000 + b'"}', headers=JSON)
        check_problem(large, 413, "too-large")


async def test_what_is_not_known_or_stands_twice_is_refused(campaign: Campaign) -> None:
    async with connect(campaign.app, campaign.token) as client:
        for path, pointer in (
            ("/pages?offset=3", "/offset"),
            ("/pages?limit=1&limit=2", "/limit"),
            ("/pages/housing?format=json", "/format"),
            ("/pages/housing/approved.txt?v=1", "/v"),
            ("/revisions/1/decision?x", "/x"),
        ):
            answer = await client.get(API + path)
            check_problem(answer, 422, "refused")
            assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        twice = await client.post(f"{API}/pages", content='{"title":"a","title":"b","text":"c"}', headers=JSON)
        check_problem(twice, 422, "refused")
        assert twice.json()["errors"][0]["pointer"] == "/title"
        nested = await client.post(f"{API}/pages", json={"title": "a", "text": "b", "tags": [{"a": 1}]})
        assert nested.json()["errors"][0]["pointer"] == "/tags/0"


async def test_half_a_character_and_a_null_are_no_fault(campaign: Campaign) -> None:
    half = '"\\ud800"'
    async with connect(campaign.app, campaign.token) as client:
        for body in (
            f'{{"title":{half},"text":"x"}}',
            f'{{"title":"x","text":{half}}}',
            f'{{"title":"x","text":"x","slug":{half}}}',
            f'{{"title":"x","text":"x","tags":[{half}]}}',
            f"{{{half}:1}}",
            f"{{{half}:1,{half}:2}}",
            '{"title":"x","text":"x","slug":"a\\u0000b"}',
        ):
            check_problem(await client.post(f"{API}/pages", content=body, headers=JSON), 422, "refused")
        for path in ("/pages/%00", "/pages?q=%00", "/changes?page=%00"):
            assert (await client.get(API + path)).status_code == 400
        assert (await client.get(f"{API}/pages/%FF")).status_code == 404


async def test_a_fault_is_told_with_a_reference_and_nothing_of_the_inside(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.pages.service.list_pages", lambda *_args, **_named: 1 // 0)
    async with connect(app) as client:
        answer = await client.get(f"{API}/pages")
    check_problem(answer, 500, "fault")
    assert answer.json()["reference"] in answer.json()["detail"]
    assert "ZeroDivision" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


async def test_every_problem_opens_a_help_page(campaign: Campaign) -> None:
    assert {kind.slug for kind in all_kinds()} < titles().keys()
    async with connect(campaign.app) as client:
        listed = await client.get("/problems")
        for slug, (status, title) in titles().items():
            page = await client.get(f"/problems/{slug}")
            assert page.status_code == 200
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
            assert title in page.text.replace("&#39;", "'")
            assert f"status {status}" in page.text
            assert all(help_for(slug))
            assert f'href="/problems/{slug}"' in listed.text
        assert (await client.get("/problems/nonsense")).status_code == 404


async def test_the_program_says_whether_it_lives_and_can_serve(app: FastAPI) -> None:
    async with connect(app) as client:
        for path in ("/healthz", "/readyz"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        with app.state.database.transaction(writing=True) as session:
            session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
        waiting = await client.get("/readyz", headers={"Accept": "application/json"})
        assert (waiting.status_code, waiting.headers["Retry-After"]) == (503, "5")
        assert (await client.get("/healthz")).status_code == 200
