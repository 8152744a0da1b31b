import pytest
from fastapi import FastAPI

from app.main import create_app
from app.permissions import Role, Scope
from app.settings import Settings
from tests.conftest import MovableClock, connect
from tests.contract.campaign import API
from tests.factories import HOUSING, Workshop

pytestmark = pytest.mark.anyio

TYPED = HOUSING.replace("10,000", "20,000")
POINTS = "## Key points\n\n- We will build 20,000 homes a year.\n"


async def test_words_are_kept_read_again_and_thrown_away(app: FastAPI, workshop: Workshop, clock: MovableClock) -> None:
    anna, bob = workshop.member("anna", role=Role.WRITER), workshop.member("bob")
    base = workshop.shared_head(workshop.page(anna))
    async with connect(app, workshop.token(anna)) as hers, connect(app, workshop.token(bob)) as his:
        draft = (await his.get(f"{API}/pages/housing")).json()["shared_draft"]["id"]
        address = f"{API}/drafts/{draft}/autosave"
        none = await his.get(address)
        assert (none.status_code, none.json()["type"]) == (404, "/problems/no-autosave")
        kept = await his.put(address, json={"base": base, "text": POINTS, "section": "key-points"})
        assert kept.status_code == 200
        assert kept.headers["Cache-Control"] == "no-store"
        assert kept.json() == {
            "saved_at": "2026-11-22T09:00:00Z",
            "base": base,
            "section": "key-points",
            "head": base,
            "behind": 0,
            "others": [],
        }
        clock.move(seconds=30)
        edit = {"base": base, "text": HOUSING.replace("Anna", "Nora")}
        head = (await hers.post(f"{API}/drafts/{draft}/revisions", json=edit)).json()["revision"]["id"]
        told = await hers.put(address, json={"base": head, "text": edit["text"]})
        assert told.json() == {
            "saved_at": "2026-11-22T09:00:30Z",
            "base": head,
            "section": None,
            "head": head,
            "behind": 0,
            "others": [{"name": "bob", "section": "key-points", "title": "Key points"}],
        }
        found = await his.get(address)
        assert found.headers["Cache-Control"] == "no-store"
        assert found.json() == {
            "base": base,
            "section": "key-points",
            "text": POINTS,
            "saved_at": "2026-11-22T09:00:00Z",
            "head": head,
            "behind": 1,
        }
        for _ in range(2):
            gone = await his.delete(address)
            assert (gone.status_code, gone.content) == (204, b"")
        assert (await his.get(address)).status_code == 404
        assert (await hers.get(address)).json()["text"] == edit["text"]


async def test_a_title_that_changed_is_a_change_in_no_section(app: FastAPI, workshop: Workshop) -> None:
    anna, bob = workshop.member("anna", role=Role.WRITER), workshop.member("bob")
    base = workshop.shared_head(workshop.page(anna))
    async with connect(app, workshop.token(anna)) as hers, connect(app, workshop.token(bob)) as his:
        draft = (await his.get(f"{API}/pages/housing")).json()["shared_draft"]["id"]
        address = f"{API}/drafts/{draft}/autosave"
        await his.put(address, json={"base": base, "text": HOUSING.replace("# Housing", "# Homes")})
        told = await hers.put(address, json={"base": base, "text": HOUSING, "section": None})
    assert told.json()["others"] == [{"name": "bob", "section": None, "title": None}]


async def test_what_cannot_be_kept_is_refused_by_name(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    base = workshop.shared_head(workshop.page(anna))
    async with connect(app, workshop.token(anna)) as client:
        draft = (await client.get(f"{API}/pages/housing")).json()["shared_draft"]["id"]
        for body, pointer in (
            ({"text": "x"}, "/base"),
            ({"base": 4711, "text": "x"}, "/base"),
            ({"base": base, "text": "x" * 100_000}, "/text"),
            ({"base": base, "text": "x" * 200_000}, "/text"),
            ({"base": base, "text": "a\0b"}, "/text"),
            ({"base": base, "text": "x", "section": "k" * 101}, "/section"),
            ({"base": base, "text": "x", "section": "nowhere"}, "/section"),
            ({"base": base, "text": "x", "summary": "y"}, "/summary"),
        ):
            answer = await client.put(f"{API}/drafts/{draft}/autosave", json=body)
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        assert (await client.get(f"{API}/drafts/{draft}/autosave")).status_code == 404


async def test_only_a_member_with_the_scope_write_has_unsent_words(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    base = workshop.shared_head(workshop.page(anna))
    body = {"base": base, "text": TYPED}
    async with connect(app) as nobody, connect(app, workshop.token(anna, Scope.READ)) as reader:
        draft = (await nobody.get(f"{API}/pages/housing")).json()["shared_draft"]["id"]
        address = f"{API}/drafts/{draft}/autosave"
        for client, status, slug in ((nobody, 401, "sign-in-needed"), (reader, 403, "scope-missing")):
            for answer in (
                await client.put(address, json=body),
                await client.get(address),
                await client.delete(address),
            ):
                assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")
    async with connect(app, workshop.token(anna)) as client:
        for answer in (
            await client.put(f"{API}/drafts/4711/autosave", json=body),
            await client.get(f"{API}/drafts/4711/autosave"),
            await client.delete(f"{API}/drafts/4711/autosave"),
        ):
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/draft-not-found")


async def test_autosaves_leave_no_trace_in_the_changes_and_none_after_a_save(app: FastAPI, workshop: Workshop) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    base = workshop.shared_head(workshop.page(anna))
    body = {"base": base, "text": TYPED}
    async with connect(app, workshop.token(anna)) as client:
        draft = (await client.get(f"{API}/pages/housing")).json()["shared_draft"]["id"]
        before = (await client.get(f"{API}/changes")).json()["data"]
        assert (await client.put(f"{API}/drafts/{draft}/autosave", json=body)).status_code == 200
        assert (await client.get(f"{API}/changes")).json()["data"] == before
        assert (await client.post(f"{API}/pages/housing/revisions", json=body)).status_code == 201
        assert (await client.get(f"{API}/drafts/{draft}/autosave")).status_code == 404


async def test_autosaves_do_not_use_up_the_writes_of_a_member(settings: Settings, clock: MovableClock) -> None:
    app = create_app(settings.model_copy(update={"writes_per_minute": 60}), clock=clock, follow=False)
    workshop = Workshop(app.state.database, app.state.follower)
    anna = workshop.member("anna", role=Role.WRITER)
    base = workshop.shared_head(workshop.page(anna))
    body = {"base": base, "text": TYPED}
    async with connect(app, workshop.token(anna)) as client:
        draft = (await client.get(f"{API}/pages/housing")).json()["shared_draft"]["id"]
        answers = [await client.put(f"{API}/drafts/{draft}/autosave", json=body) for _ in range(61)]
        assert [answer.status_code for answer in answers] == [200] * 60 + [429]
        assert answers[0].headers["RateLimit-Policy"] == '"autosaves";q=60;w=60'
        saved = await client.post(f"{API}/drafts/{draft}/revisions", json=body)
        assert (saved.status_code, saved.headers["RateLimit-Policy"]) == (201, '"writes";q=60;w=60')
    app.state.database.dispose()
