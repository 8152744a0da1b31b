"""The Python client's copies of approved texts: checked, used while offline, and gone at once when stopped."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from message_workshop import Approved, Problem, TextStopped, Unreachable, WorkshopError

from app.permissions import Scope
from tests.client.conftest import Clock, Connect, Line
from tests.factories import HOUSING
from tests.running import Running

TOPLINE = "Everyone needs a home they can afford. Rents have risen faster than wages."

pytestmark = pytest.mark.xdist_group("client")
"""One server for all of these."""


def test_a_text_comes_in_every_form_whole_and_by_section(connect: Connect) -> None:
    client = connect()
    assert client.text("housing", section="topline").body == TOPLINE
    assert client.text("housing", form="md").body == HOUSING
    assert "## " not in client.text("housing").body
    assert client.text("housing", form="html").body.startswith("<!doctype html>")
    approved = client.approved("housing")
    assert (approved.text, approved.status, approved.sections[0].key) == (HOUSING, "approved", "topline")
    assert approved.revision.sha256 == hashlib.sha256(HOUSING.encode()).hexdigest()
    assert client.text("housing", section="topline").sha256 == approved.revision.sha256


def test_a_copy_is_used_for_five_seconds_and_then_confirmed_without_a_body(
    connect: Connect, line: Line, client_clock: Clock
) -> None:
    client = connect()
    first = client.text("housing")
    client_clock.now += 4.9
    assert client.text("housing") == first
    assert line.statuses == [200]
    client_clock.now += 0.2
    again = client.text("housing")
    assert line.statuses == [200, 304]
    assert (again.body, again.offline) == (first.body, False)
    client_clock.now += 4.9
    assert client.text("housing") == again, "a confirmed copy is good for five seconds more"
    assert len(line.requests) == 2


def test_a_new_text_and_the_one_of_another_time_are_told_apart(
    connect: Connect, running: Running, client_clock: Clock
) -> None:
    slug, client = running.page("Trains", "Trains run.\n"), connect()
    before = client.approved(slug)
    assert before.text == "Trains run.\n"
    running.approve_change(slug, "run", "run on time")
    client_clock.now += 6
    assert client.approved(slug).text == "Trains run on time.\n"
    with pytest.raises(Problem) as none_yet:
        client.text(slug, as_of="2020-01-01T00:00:00Z")
    assert (none_yet.value.status, none_yet.value.kind) == (404, "no-approved-text")


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_copy_serves_offline_until_its_limit_and_no_longer(
    connect: Connect, line: Line, client_clock: Clock, tmp_path: Path, on_disk: bool
) -> None:
    options = {"offline": 8 * 3600.0, "cache": tmp_path / "texts" if on_disk else None}
    client = connect(**options)
    known = client.text("housing")
    line.cut = True
    client_clock.now += 8 * 3600
    if on_disk:
        client = connect(**options)  # the program was started again meanwhile
    served = client.text("housing")
    assert (served.body, served.offline, served.checked_at) == (known.body, True, known.checked_at)
    client_clock.now += 1
    with pytest.raises(Unreachable):
        client.text("housing")
    client_clock.now = known.checked_at - 1_000
    with pytest.raises(Unreachable):
        client.text("housing")  # the clock was put back: nobody knows how old it is


def test_what_a_cache_in_between_holds_is_as_old_as_it_says(
    running: Running, line: Line, client_clock: Clock, connect: Connect
) -> None:
    client = connect(offline=3600)
    line.age = 600
    known = client.text("housing")
    assert known.checked_at == client_clock.now - 600
    line.age = 2
    asked = len(line.requests)
    assert client.text("housing").checked_at == client_clock.now - 2, "an old answer is asked about anew"
    client_clock.now += 2
    client.text("housing")
    assert len(line.requests) == asked + 1, "a young one is not, until it is five seconds old"
    client_clock.now += 2
    client.text("housing")
    assert len(line.requests) == asked + 2
    line.cut = True
    client_clock.now += 3597
    assert client.text("housing").offline
    client_clock.now += 2
    with pytest.raises(Unreachable):
        client.text("housing")


def test_what_something_in_between_answers_is_no_text(
    connect: Connect, line: Line, client_clock: Clock, pauses: list[float]
) -> None:
    client = connect()
    known = client.text("housing")
    for status in (200, 403, 502):
        client_clock.now += 6
        line.instead = [httpx.Response(status, html="<h1>Sign in to this network</h1>")]
        assert client.text("housing").body == known.body
        assert client.text("housing").offline is False, "and the next answer is the workshop's again"
    line.instead = [httpx.Response(200, html="<h1>Sign in to this network</h1>")]
    with pytest.raises(Unreachable):
        client.text("housing", form="md")


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("form", ["txt", "json"])
def test_a_held_text_is_gone_at_once_and_for_good(
    connect: Connect, running: Running, line: Line, client_clock: Clock, tmp_path: Path, on_disk: bool, form: str
) -> None:
    slug = running.page(f"Held {form} {on_disk}")
    client = connect(cache=tmp_path if on_disk else None, offline=8 * 3600, token=running.token(running.mo))
    client.text(slug, form="md")
    client.text(slug, form="txt", section="story")
    client.call("POST", f"/pages/{slug}/hold", {"reason": "The figure is being checked."})
    client_clock.now += 6
    with pytest.raises(TextStopped) as stopped:
        client.text(slug, form=form)  # type: ignore[arg-type]
    assert (stopped.value.status, stopped.value.reason) == ("held", "The figure is being checked.")
    assert stopped.value.until is not None
    line.cut = True
    for section in ("", "story"):
        with pytest.raises(Unreachable):
            client.text(slug, form="txt" if section else "md", section=section)
    line.cut = False
    client.call("POST", f"/pages/{slug}/release", {"reason": "It is right."})
    assert client.text(slug, form="md").body == HOUSING


def test_a_withdrawn_text_names_its_replacement(connect: Connect, running: Running, client_clock: Clock) -> None:
    slug, client = running.page("Withdrawn"), connect(token=running.token(running.mo))
    client.approved(slug)
    client.call("POST", f"/pages/{slug}/withdraw", {"reason": "It was wrong.", "replacement": "housing"})
    client_clock.now += 6
    with pytest.raises(TextStopped) as stopped:
        client.approved(slug)
    assert (stopped.value.status, stopped.value.replacement) == ("withdrawn", "housing")


@pytest.mark.parametrize("learn", ["batch", "all", "changes", "call", "problem", "act"])
def test_a_stop_that_is_learnt_by_another_call_removes_the_copy_too(
    connect: Connect, running: Running, line: Line, learn: str
) -> None:
    slug, client = running.page(f"Learnt by {learn}"), connect(token=running.token(running.mo))
    client.text(slug)
    mo = client if learn == "act" else connect(token=running.token(running.mo))
    mo.call("POST", f"/pages/{slug}/hold", {"reason": "Wrong."})
    match learn:
        case "act":
            assert line.requests[-1].url.path.endswith("/hold"), "whoever stops a text has learnt of it"
        case "call":
            assert client.call("GET", f"/pages/{slug}/approved")["use"] == "stop"
        case "problem":
            with pytest.raises(Problem, match="on-hold"):
                client.call("GET", f"/pages/{slug}/approved.txt")
        case "batch":
            (stop,) = client.batch([slug]).stopped
            assert (stop.slug, stop.reason) == (slug, "Wrong.")
        case "all":
            assert slug in [row.slug for row in client.all() if isinstance(row, TextStopped)]
        case _:
            assert "page.held" in [change.kind for change in client.changes(page=slug)]
    line.cut = True
    with pytest.raises(Unreachable):
        client.text(slug)


def test_a_promotion_that_is_read_lets_the_copy_expire(connect: Connect, running: Running) -> None:
    slug, client = running.page("Buses", "Buses run.\n"), connect()
    assert client.text(slug).body == "Buses run."
    running.approve_change(slug, "run", "run at night")
    assert [change.kind for change in client.changes(page=slug, kinds=["page.promoted"])] == ["page.promoted"] * 2
    assert client.text(slug).body == "Buses run at night."


def test_a_renamed_text_is_stopped_under_both_names(connect: Connect, running: Running, line: Line) -> None:
    slug, client = running.page("Former"), connect(token=running.token(running.mo), offline=8 * 3600)
    anna = connect(token=running.token(running.anna))
    anna.call("PATCH", f"/pages/{slug}", {"slug": "present"})
    client.text(slug)
    client.text("present")
    client.call("POST", "/pages/present/hold", {"reason": "Wrong."})
    assert "page.held" in [change.kind for change in client.changes(page="present")]
    line.cut = True
    for name in (slug, "present"):
        with pytest.raises(Unreachable):
            client.text(name)


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("learn", ["batch", "all", "changes", "text", "act"])
def test_a_stop_reaches_a_copy_from_before_a_rename(
    connect: Connect, running: Running, line: Line, client_clock: Clock, tmp_path: Path, learn: str, on_disk: bool
) -> None:
    slug, now = running.page(f"Before {learn} {on_disk}"), f"after-{learn}-{on_disk}".lower()
    client = connect(token=running.token(running.mo), offline=8 * 3600, cache=tmp_path if on_disk else None)
    client.text(slug)
    client.text("housing")
    connect(token=running.token(running.anna)).call("PATCH", f"/pages/{slug}", {"slug": now})
    mo = client if learn == "act" else connect(token=running.token(running.mo))
    mo.call("POST", f"/pages/{now}/hold", {"reason": "Wrong."})
    match learn:
        case "batch":
            assert [stop.slug for stop in client.batch([now, "housing"]).stopped] == [now]
        case "all":
            assert now in [row.slug for row in client.all() if isinstance(row, TextStopped)]
        case "changes":
            assert [change.page for change in client.changes(page=now, kinds=["page.held"])] == [now]
        case "text":
            with pytest.raises(TextStopped):
                client.text(now)
    line.cut = True
    with pytest.raises(Unreachable):
        client.text(slug)
    if learn in ("batch", "all"):
        assert client.text("housing").offline, "it was told beside the stop, so it is of another page"
    line.cut = False
    client_clock.now += 6
    assert client.text("housing").body, "what may be used is only asked for again"
    with pytest.raises(TextStopped):
        client.text(now)
    line.cut = True
    assert client.text("housing"), "and it is known by then that it is no copy of what is stopped"


@pytest.mark.parametrize("learn", ["batch", "all"])
def test_a_new_text_that_is_learnt_lets_the_copies_expire(connect: Connect, running: Running, learn: str) -> None:
    slug, client = running.page(f"News by {learn}", "Buses run.\n"), connect()
    before = client.text(slug, form="md")
    running.approve_change(slug, "run", "run at night")
    told = client.batch([slug], {slug: before.sha256}).changed if learn == "batch" else client.all()
    assert "Buses run at night.\n" in [row.text for row in told if isinstance(row, Approved)]
    assert client.text(slug, form="md").body == "Buses run at night.\n"


@pytest.mark.parametrize(
    "answer",
    [
        {"html": "<h1>Sign in to this network</h1>"},
        {"json": []},
        {"json": {"data": 5, "changed": 5, "use": "stop"}},
        {"json": {"data": ["x"], "changed": ["x"], "gone": [], "unchanged": [], "next": "1"}},
        {"content": b"<x", "headers": {"Content-Type": "application/json"}},
        {"status_code": 503, "content": b"<x", "headers": {"Content-Type": "application/problem+json"}},
        {"status_code": 503, "json": [], "headers": {"Content-Type": "application/problem+json"}},
        {
            "status_code": 503,
            "json": {},
            "headers": {
                "Content-Type": "application/problem+json",
                "Retry-After": "Mon, 01 Jan 99999999999999 00:00:00 GMT",
            },
        },
    ],
    ids=["page", "list", "numbers", "words", "broken", "broken problem", "problem list", "far date"],
)
def test_whatever_answers_only_this_clients_errors_are_raised(
    connect: Connect, line: Line, client_clock: Clock, answer: dict[str, Any]
) -> None:
    client = connect(offline=3600)
    known = client.text("housing", form="json")
    client_clock.now += 6
    line.instead = [httpx.Response(**{"status_code": 200, **answer})]
    if answer.get("json") == {"data": 5, "changed": 5, "use": "stop"}:
        with pytest.raises(TextStopped):
            client.text("housing", form="json")
    else:
        assert client.text("housing", form="json") == replace(known, offline=True)
    for ask in (lambda: client.batch(["housing"]), lambda: [*client.changes()], lambda: [*client.all()]):
        line.instead = [httpx.Response(**{"status_code": 200, **answer}) for _ in range(3)]
        with pytest.raises(WorkshopError):
            ask()


def test_a_copy_that_cannot_be_kept_is_no_error(
    connect: Connect, client_clock: Clock, tmp_path: Path, running: Running
) -> None:
    folder, slug = tmp_path / "texts", running.page("Kept nowhere")
    client = connect(cache=folder, token=running.token(running.mo))
    client.text(slug)
    shutil.rmtree(folder)
    folder.write_text("no folder any more")
    client_clock.now += 6
    assert client.text(slug, form="md").body == HOUSING
    client.call("POST", f"/pages/{slug}/hold", {"reason": "Wrong."})
    with pytest.raises(TextStopped):
        client.text(slug)
    with pytest.raises(WorkshopError, match="no copies"):
        connect(cache=folder)


def test_a_copy_that_another_program_dropped_is_not_put_back(
    connect: Connect, line: Line, client_clock: Clock, tmp_path: Path
) -> None:
    client = connect(cache=tmp_path)
    known = client.text("housing")
    client_clock.now += 6

    class Slow(Line):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            for file in tmp_path.glob("*.json"):
                file.unlink()
            return super().handle_request(request)

    assert connect(cache=tmp_path, transport=Slow()).text("housing").body == known.body
    assert [*tmp_path.glob("*.json")] == []


def test_a_batch_tells_only_what_differs(connect: Connect, running: Running) -> None:
    known = {"housing": hashlib.sha256(HOUSING.encode()).hexdigest()}
    other = running.page("Other", "Other words.\n")
    found = connect().batch(["housing", other, "nowhere"], known)
    assert found.unchanged == ("housing",)
    assert [text.text for text in found.changed] == ["Other words.\n"]
    assert (found.missing, found.stopped, found.renamed) == (("nowhere",), (), {})


def test_all_texts_are_read_page_by_page(connect: Connect) -> None:
    found = {text.slug: text for text in connect().all() if isinstance(text, Approved)}
    assert found["housing"].text == HOUSING
    assert found["housing"].revision.number >= 1


def test_a_mistyped_section_takes_no_copy_of_another_away(connect: Connect, line: Line) -> None:
    client = connect(offline=3600)
    client.text("housing", section="topline")
    with pytest.raises(Problem, match="section-not-found"):
        client.text("housing", section="toplin")
    line.cut = True
    assert client.text("housing", section="topline").body == TOPLINE


def test_a_text_that_does_not_fit_its_hash_is_refused(connect: Connect, tmp_path: Path) -> None:
    client = connect(cache=tmp_path)
    client.approved("housing")
    (file,) = tmp_path.glob("*.json")
    file.write_text(file.read_text().replace("10,000", "90,000"))
    with pytest.raises(WorkshopError, match="hash"):
        client.approved("housing")
    assert "10,000" in client.approved("housing").text
    file.write_text("{cut sho")
    assert "10,000" in client.approved("housing").text


def test_texts_are_asked_for_without_the_token(connect: Connect, running: Running, line: Line) -> None:
    client = connect(token=running.token(running.bob, Scope.READ))
    client.text("housing")
    assert "Authorization" not in line.requests[-1].headers
    assert client.call("GET", "/me")["name"] == "bob"
