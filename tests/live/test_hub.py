import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from weakref import WeakSet

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from app.live import hub as hub_module
from app.live.hub import Hub, Stream
from app.permissions import Role
from app.settings import Settings
from tests.conftest import POSTGRES_IN_SOAK, connect
from tests.factories import Workshop
from tests.live.listener import SECONDS, Told, listening

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]

API = "/api/v1"
PER_ADDRESS = 4
MOST = 6


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"streams": MOST, "streams_per_address": PER_ADDRESS})


@pytest.fixture
async def hub(app: FastAPI) -> AsyncIterator[Hub]:
    """The program's own, running as between start and end of a server."""
    found: Hub = app.state.hub
    async with found.running():
        yield found


async def rows_after(app: FastAPI, query: str = "since=0") -> list[dict[str, object]]:
    async with connect(app) as client:
        found: list[dict[str, object]] = (await client.get(f"{API}/changes?limit=200&{query}")).json()["data"]
    return found


def data_of(told: list[Told]) -> list[dict[str, object]]:
    assert all((each.id, each.event) == (each.data["seq"], each.data["kind"]) for each in told)
    return [each.data for each in told]


async def test_a_stream_begins_with_now_and_tells_the_rows_of_changes(
    app: FastAPI, workshop: Workshop, hub: Hub
) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    page = workshop.page(anna, "Before")
    async with listening(app) as listener:
        assert listener.status == 200
        assert listener.headers["content-type"].startswith("text/event-stream")
        assert listener.headers["cache-control"] == "no-store"
        assert listener.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in listener.headers
        assert listener.headers["content-security-policy"]
        assert listener.text == "retry: 2000\n\n"
        before = len(await rows_after(app))
        workshop.vote(anna, workshop.shared_head(page))
        workshop.page(anna, "After\u2028all")
        expected = (await rows_after(app))[before:]
        told = await listener.take(len(expected))
    assert data_of(told) == expected
    assert {row["actor"] for row in expected if row["kind"] == "vote.cast"} == {None}
    assert "anna" in {row["actor"] for row in expected}


async def test_a_listener_who_comes_back_misses_nothing_and_hears_nothing_twice(
    app: FastAPI, workshop: Workshop, hub: Hub
) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    async with listening(app, "since=0") as first:
        workshop.page(anna, "One")
        heard = await first.take(1)
    workshop.page(anna, "Two")
    async with listening(app, "since=0", last=str(heard[-1].id)) as second:
        heard += await second.take(3)
        workshop.page(anna, "Three")
        heard += await second.take(2)
    assert data_of(heard) == await rows_after(app)
    assert len(heard) == 6


async def test_rows_are_told_in_order_to_all_while_many_write(app: FastAPI, workshop: Workshop, hub: Hub) -> None:
    writers = [workshop.member(role=Role.WRITER) for _ in range(4)]

    async def write(number: int) -> None:
        for page in range(5):
            await asyncio.to_thread(workshop.page, writers[number], f"Page {number} {page}")

    async with listening(app) as one, listening(app, "since=0") as two:
        await asyncio.gather(*map(write, range(4)))
        told = [await listener.take(40) for listener in (one, two)]
    assert data_of(told[0]) == data_of(told[1]) == await rows_after(app)


async def test_a_stream_is_narrowed_to_kinds_and_a_page(app: FastAPI, workshop: Workshop, hub: Hub) -> None:
    anna = workshop.member("anna", role=Role.WRITER)
    housing = workshop.page(anna)
    query = "kinds=draft.forked,vote.cast&page=housing"
    async with listening(app, f"since=0&{query}") as from_the_beginning, listening(app, query) as from_now:
        workshop.fork(anna, workshop.page(anna, "Other"), ("Anna", "Ada"))
        workshop.vote(anna, workshop.shared_head(housing))
        workshop.fork(anna, housing, ("Anna", "Ada"))
        wanted = await rows_after(app, f"since=0&{query}")
        assert [row["kind"] for row in wanted] == ["vote.cast", "draft.forked"]
        for listener in (from_the_beginning, from_now):
            assert data_of(await listener.take(2)) == wanted


async def test_a_stream_that_fell_behind_goes_on_from_the_database(
    app: FastAPI, workshop: Workshop, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.ring, "_size", 4)
    monkeypatch.setattr("app.live.rows.PAGE_ROWS", 5)
    monkeypatch.setattr("app.live.hub.PAGE_ROWS", 5)
    anna = workshop.member("anna", role=Role.WRITER)
    async with listening(app) as slow, listening(app, "kinds=page.created") as narrow, listening(app) as quick:
        heard: list[Told] = []
        for number in range(12):
            workshop.page(anna, f"Page {number}")
            heard += await quick.take(2)
        assert len(hub.ring) == 4
        assert data_of(await slow.take(24)) == data_of(heard) == await rows_after(app)
        assert len(await narrow.take(12)) == 12


async def test_rows_of_another_process_are_told_too(
    app: FastAPI, settings: Settings, workshop: Workshop, hub: Hub
) -> None:
    other = Workshop(type(app.state.database)(settings.database_url), app.state.follower)
    anna = workshop.member("anna", role=Role.WRITER)
    async with listening(app) as listener:
        await asyncio.to_thread(other.page, anna)
        assert [told.event for told in await listener.take(2)] == ["page.created", "revision.saved"]
    other.database.dispose()


async def test_a_comment_comes_where_nothing_is_told_though_others_hear_much(
    app: FastAPI, workshop: Workshop, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "PING_SECONDS", 1.0)
    anna, written = workshop.member("anna", role=Role.WRITER), 0
    async with listening(app, "kinds=page.promoted") as quiet, listening(app) as busy:
        commented = asyncio.create_task(quiet.read_on())
        async with asyncio.timeout(SECONDS):
            while not commented.done():
                workshop.page(anna, f"Page {written}")
                await busy.take(2)
                written += 1
        assert quiet.text == "retry: 2000\n\n: ping\n\n"
    assert written > 1


async def test_listeners_who_vanish_leave_nothing(app: FastAPI, workshop: Workshop, hub: Hub) -> None:
    anna, tasks = workshop.member("anna", role=Role.WRITER), len(asyncio.all_tasks())
    streams: WeakSet[Stream] = WeakSet()
    async with listening(app) as one, listening(app, "since=0"), listening(app, address="192.0.2.2") as stalled:
        workshop.page(anna)
        await one.take(2)
        streams.update(hub.streams)
        assert len(streams) == 3
        assert app.state.database.engine.pool.checkedout() == 0
        assert stalled.text == "retry: 2000\n\n"
    assert not hub.streams
    gc.collect()
    assert len(streams) == 0
    assert len(asyncio.all_tasks()) == tasks
    assert not hub._by_address


async def refused(app: FastAPI) -> tuple[int, str]:
    async with connect(app) as client:
        answer = await client.get(f"{API}/stream")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code, answer.json()["type"]


async def test_too_many_streams_from_an_address_are_refused_until_one_leaves(app: FastAPI, hub: Hub) -> None:
    address = "127.0.0.1"
    async with AsyncExitStack() as others:
        for _ in range(PER_ADDRESS - 1):
            await others.enter_async_context(listening(app, address=address))
        async with listening(app, address=address), listening(app, address="192.0.2.2") as elsewhere:
            assert elsewhere.status == 200
            assert await refused(app) == (429, "/problems/too-many-requests")
        async with listening(app, address=address) as next_one:
            assert next_one.status == 200


async def test_of_many_that_come_at_once_only_as_many_are_let_in_as_there_is_room(app: FastAPI, hub: Hub) -> None:
    barrier = asyncio.Barrier(2 * MOST)

    async def come(number: int) -> int:
        async with listening(app, address=f"192.0.2.{number}") as listener:
            await barrier.wait()
            return listener.status

    async with asyncio.timeout(SECONDS):
        statuses = await asyncio.gather(*map(come, range(2 * MOST)))
    assert sorted(statuses) == [200] * MOST + [503] * MOST


async def test_an_ending_hub_ends_its_streams_and_lets_nobody_in(app: FastAPI, hub: Hub) -> None:
    async with listening(app) as one, listening(app, "since=0&kinds=page.promoted") as two:
        hub.close()
        for listener in (one, two):
            await listener.take_to_end()
    assert not hub.streams
    assert await refused(app) == (503, "/problems/unavailable")


async def test_streams_end_when_nothing_reads_the_log_any_more(
    app: FastAPI, workshop: Workshop, hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hub_module, "read_rows", lambda *_: 1 // 0)
    async with listening(app) as listener:
        await listener.take_to_end()
    assert "ZeroDivisionError" in caplog.text
    assert not hub.has_room


async def test_streams_outlive_a_database_that_is_away_for_a_while(
    app: FastAPI, workshop: Workshop, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "RETRY_SECONDS", 0.01)
    anna, failed = workshop.member(role=Role.WRITER), asyncio.Event()

    def away(*_: object) -> None:
        loop.call_soon_threadsafe(failed.set)
        raise OperationalError("SELECT", {}, Exception("away"))

    loop = asyncio.get_running_loop()
    async with listening(app) as listener:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(hub_module, "read_rows", away)
            workshop.page(anna)
            async with asyncio.timeout(SECONDS):
                await failed.wait()
        assert len(await listener.take(2)) == 2


async def test_asking_for_the_head_alone_opens_nothing(app: FastAPI, hub: Hub) -> None:
    async with connect(app) as client:
        answer = await client.head(f"{API}/stream")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert not hub.streams
