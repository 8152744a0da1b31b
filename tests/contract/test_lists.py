import pytest
from fastapi import FastAPI

from app.drafts.standing import Standings
from app.permissions import Role
from app.revisions.cache import TextCache
from tests.conftest import POSTGRES_IN_SOAK, connect, statements
from tests.contract.campaign import API
from tests.factories import HOUSING, Workshop

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]

PEOPLE = ("Nora", "Mia", "Ida", "Eva", "Ada")


async def test_a_list_asks_the_database_no_oftener_for_many_rows_than_for_few(
    app: FastAPI, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = workshop.member("anna", chapter="north", role=Role.WRITER)
    page = workshop.page(anna)
    workshop.vote(anna, workshop.shared_head(page))
    for name in PEOPLE:
        bob = workshop.member(name)
        workshop.fork(bob, page, ("Anna", name))
        workshop.vote(bob, workshop.fork(bob, page, ("Her children", f"{name}’s children")).head_id or 0)
        workshop.vote(anna, workshop.shared_head(workshop.page(anna, name, HOUSING.replace("Anna", name))))
    async with connect(app) as client:
        for path in (
            "/pages",
            "/approved",
            "/changes",
            "/pages/housing/drafts",
            "/pages/housing/candidates",
            "/pages/housing/approvals",
            "/pages/housing/revisions",
        ):
            asked = []
            for limit in (3, 200):
                monkeypatch.setattr("app.revisions.service.texts", TextCache())
                monkeypatch.setitem(app.state.database.info, "standings", Standings())
                with statements(app) as found:
                    answer = await client.get(f"{API}{path}?limit={limit}")
                assert answer.status_code == 200
                asked.append(len(found))
            # Those without votes are asked for only where those with votes do not fill the list.
            assert asked[1] <= asked[0] + path.endswith("/candidates"), path


async def test_drafts_that_fell_behind_are_compared_together(
    app: FastAPI, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    page = workshop.page(anna)
    for name in PEOPLE:
        workshop.fork(anna, page, ("Anna", name))
    workshop.vote(anna, workshop.fork(anna, page, ("can afford", "can pay")).head_id or 0)
    assert "can pay" in (workshop.approved_text(page) or "")
    async with connect(app) as client:
        asked = []
        for limit in (3, 200):
            monkeypatch.setattr("app.revisions.service.texts", TextCache())
            monkeypatch.setitem(app.state.database.info, "standings", Standings())
            with statements(app) as found:
                rows = (await client.get(f"{API}/pages/housing/drafts?state=open&limit={limit}")).json()["data"]
            asked.append(len(found))
        assert [row["behind"] for row in rows if row["kind"] == "fork"] == [1] * len(PEOPLE)
        assert all(row["clean"] for row in rows)
        with statements(app) as again:
            await client.get(f"{API}/pages/housing/drafts?state=open")
    assert asked[1] <= asked[0]
    assert len(again) < asked[1]
