import json
from collections.abc import AsyncIterator

import pytest

from tests.conftest import connect
from tests.contract.campaign import API, Campaign
from tests.live.listener import listening

pytestmark = pytest.mark.anyio


@pytest.fixture
async def live(campaign: Campaign) -> AsyncIterator[Campaign]:
    async with campaign.app.state.hub.running():
        yield campaign


async def test_the_stream_is_the_list_of_changes(live: Campaign) -> None:
    async with connect(live.app) as client:
        rows = (await client.get(f"{API}/changes?limit=200")).json()["data"]
    async with listening(live.app, "since=0") as listener:
        told = await listener.take(len(rows))
    assert [each.data for each in told] == rows
    assert [each.id for each in told] == [row["seq"] for row in rows]
    assert [each.event for each in told] == [row["kind"] for row in rows]
    assert {each.data["actor"] for each in told if each.event.startswith("vote.")} == {None}


async def test_a_message_is_one_row_on_one_line(live: Campaign) -> None:
    async with listening(live.app, "since=0&kinds=page.renamed&page=traffic") as listener:
        while listener.text.count("\n\n") < 2:
            await listener.read_on()
        retry, message, rest = listener.text.split("\n\n")
    number, event, data = message.split("\n")
    row = json.loads(data.removeprefix("data: "))
    assert (retry, rest) == ("retry: 2000", "")
    assert (number, event) == (f"id: {row['seq']}", "event: page.renamed")
    assert row["page"] == "transport"


@pytest.mark.parametrize("last", [None, "3"])
async def test_the_last_id_goes_before_since(live: Campaign, last: str | None) -> None:
    async with listening(live.app, "since=5", last=last) as listener:
        assert (await listener.take(1))[0].id == int(last or "5") + 1


@pytest.mark.parametrize(
    ("query", "last", "status", "pointer"),
    [
        ("since=x", None, 422, "/since"),
        ("since=-1", None, 422, "/since"),
        ("since=" + "9" * 19, None, 422, "/since"),
        ("", "1 2", 422, "/last-event-id"),
        ("", "x" * 41, 422, "/last-event-id"),
        ("since=1&since=2", None, 422, "/since"),
        ("cursor=1", None, 422, "/cursor"),
        ("kinds=page.burned", None, 422, "/kinds"),
        ("page=nowhere", None, 404, None),
    ],
)
async def test_a_malformed_place_kind_or_page_is_refused(
    live: Campaign, query: str, last: str | None, status: int, pointer: str | None
) -> None:
    headers = {"Last-Event-ID": last} if last else {}
    async with connect(live.app) as client:
        answer = await client.get(f"{API}/stream?{query}", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert [error["pointer"] for error in answer.json().get("errors", [{"pointer": None}])] == [pointer]


async def test_a_place_beyond_the_end_is_waited_for(live: Campaign) -> None:
    async with listening(live.app, "since=123456") as listener:
        assert listener.text == "retry: 2000\n\n"
        assert listener.status == 200


def test_the_document_shows_the_stream(campaign: Campaign) -> None:
    operation = campaign.app.openapi()["paths"][f"{API}/stream"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]
    assert "event: page.promoted" in operation["responses"]["200"]["content"]["text/event-stream"]["example"]
    assert {"404", "422", "429", "503"} <= set(operation["responses"])
