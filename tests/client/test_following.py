"""The Python client's other calls: following through a break, requests that act once, webhooks, and its package."""

import ast
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from message_workshop import Problem, Unreachable, WebhookInvalid, Workshop, verify_webhook
from standardwebhooks.webhooks import Webhook

from app.activity import service as activity
from app.settings import ROOT
from tests.client.conftest import Connect, Line
from tests.running import Running

pytestmark = pytest.mark.xdist_group("client")
"""One server for all of these."""

SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = '{"type":"page.held","timestamp":"2026-11-22T15:02:11Z","data":{"page":"housing","status":"held"}}'
AT = datetime.fromtimestamp(1_790_000_000, UTC)


def newest(running: Running) -> int:
    with running.workshop.reading() as session:
        return activity.newest_position(session)


def test_following_loses_nothing_and_tells_nothing_twice_when_the_server_is_killed(running: Running) -> None:
    restarted: list[float] = []

    def start_again(seconds: float) -> None:
        restarted.append(seconds)
        running.page("Written while the server was down")
        running.server.start()

    with Workshop(running.url, sleep=start_again, attempts=1) as client:
        told = client.follow("0")
        heard = [next(told).seq for _ in range(3)]
        running.server.kill()
        while not restarted or heard[-1] < newest(running):
            heard.append(next(told).seq)
        running.page("Written live")
        while heard[-1] < newest(running):
            heard.append(next(told).seq)
        told.close()
        assert heard == [change.seq for change in client.changes()]
        assert restarted == [5.0]
        again = client.follow(str(heard[-2]))
        assert next(again).seq == heard[-1], "another run goes on from the cursor that was kept"
        again.close()


class WithoutStreams(Line):
    """The server refuses streams, as when there are too many of them."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream"):
            kind = {"Content-Type": "application/problem+json", "Retry-After": "11"}
            return httpx.Response(429, headers=kind, json={"type": "/problems/too-many-requests"})
        return super().handle_request(request)


def test_without_streams_following_asks_again_and_again(
    connect: Connect, running: Running, pauses: list[float]
) -> None:
    def write(seconds: float) -> None:
        pauses.append(seconds)
        running.page(f"More {len(pauses)}")

    client = connect(transport=WithoutStreams(), sleep=write)
    start = str(newest(running))
    told = client.follow(start, kinds=["page.created"])
    heard = [next(told) for _ in range(3)]
    assert [change.kind for change in heard] == ["page.created"] * 3
    assert [change.seq for change in heard] == [change.seq for change in client.changes(start, kinds=["page.created"])]
    assert pauses == [11.0] * 3


class SignInPage(Line):
    """A network that wants somebody to sign in, until `through`."""

    through = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self.through:
            return httpx.Response(200, html="<h1>Sign in to this network</h1>")
        return super().handle_request(request)


def test_following_goes_on_asking_behind_a_sign_in_page(connect: Connect, running: Running) -> None:
    way, waited = SignInPage(), list[float]()

    def wait(seconds: float) -> None:
        waited.append(seconds)
        way.through = len(waited) == 3

    start = str(newest(running) - 1)
    told = connect(transport=way, sleep=wait).follow(start)
    assert next(told).cursor == str(newest(running))
    assert len(waited) == 3
    told.close()


def test_a_wrong_request_to_follow_is_said(connect: Connect) -> None:
    with pytest.raises(Problem, match="422"):
        next(connect().follow(kinds=["page.painted"]))


def test_a_post_whose_answer_is_lost_acts_once(connect: Connect, running: Running, line: Line) -> None:
    client = connect(token=running.token(running.anna))
    line.lose_answers = 1
    made = client.call("POST", "/pages", {"title": "Only once", "text": "Once.\n"})
    keys = [request.headers["Idempotency-Key"] for request in line.requests]
    assert (len(keys), len(set(keys))) == (2, 1)
    created = [change for change in client.changes(kinds=["page.created"]) if change.page == made["slug"]]
    assert len(created) == 1
    line.lose_answers = 1
    with pytest.raises(Unreachable):
        client.call("PATCH", f"/pages/{made['slug']}", {"title": "Another title"})
    assert len(line.requests) == 2 + 2 + 1, "nobody knows whether it was done, so the caller looks"


def busy(retry_after: str) -> httpx.Response:
    headers = {"Content-Type": "application/problem+json", "Retry-After": retry_after}
    return httpx.Response(503, headers=headers, json={"type": "/problems/unavailable", "detail": "Busy."})


def test_retry_after_is_kept_to_unless_it_is_too_long(connect: Connect, line: Line, pauses: list[float]) -> None:
    client = connect()
    in_half_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    line.instead = [busy("7"), busy(in_half_a_minute)]
    assert client.text("housing").body
    assert pauses[0] == 7.0
    assert 20 < pauses[1] <= 30
    line.instead = [busy("3600")]
    with pytest.raises(Problem, match="Busy") as refused:
        client.text("housing", form="md")
    assert (refused.value.retry_after, len(pauses)) == (3600.0, 2)


def test_every_request_has_a_timeout(connect: Connect, line: Line) -> None:
    client = connect()
    client.text("housing")
    client.call("GET", "/rule")
    assert [set(request.extensions["timeout"].values()) for request in line.requests] == [{10.0}] * 2


def signed(*secrets: str, body: str = BODY, at: datetime = AT) -> dict[str, str]:
    signatures = [Webhook(secret).sign("msg_1", at, body) for secret in secrets]
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": " ".join(signatures),
    }


def test_a_webhook_as_the_official_library_signs_it_is_believed() -> None:
    now = AT.timestamp()
    message = verify_webhook(SECRET, signed(SECRET), BODY.encode(), now=now + 300)
    assert (message.id, message.type, message.data["page"]) == ("msg_1", "page.held", "housing")
    assert verify_webhook(SECRET, signed(OTHER, SECRET), BODY.encode(), now=now - 300) == message
    assert verify_webhook(SECRET, signed(SECRET, OTHER), BODY.encode(), now=now) == message
    assert verify_webhook(SECRET, signed(SECRET, at=datetime.now(UTC)), BODY.encode()).id == "msg_1"


@pytest.mark.parametrize(
    ("headers", "body", "later"),
    [
        (signed(SECRET), BODY.replace("held", "promoted"), 0),
        (signed(SECRET) | {"Webhook-Id": "msg_2"}, BODY, 0),
        (signed(SECRET) | {"Webhook-Timestamp": str(int(AT.timestamp()) + 1)}, BODY, 0),
        (signed(OTHER), BODY, 0),
        (signed(SECRET) | {"Webhook-Signature": signed(SECRET)["Webhook-Signature"].replace("v1,", "v2,")}, BODY, 0),
        (signed(SECRET) | {"Webhook-Signature": ""}, BODY, 0),
        (signed(SECRET) | {"Webhook-Signature": "v1,é"}, BODY, 0),
        ({}, BODY, 0),
        (signed(SECRET), BODY, 301),
        (signed(SECRET), BODY, -301),
    ],
    ids=["body", "id", "time", "secret", "version", "unsigned", "no ASCII", "no headers", "old", "early"],
)
def test_a_webhook_that_is_not_genuine_is_refused(headers: dict[str, str], body: str, later: int) -> None:
    with pytest.raises(WebhookInvalid):
        verify_webhook(SECRET, headers, body.encode(), now=AT.timestamp() + later)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64", "whsec_…"])
def test_a_secret_that_cannot_be_one_is_said(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        verify_webhook(secret, signed(SECRET), BODY.encode(), now=AT.timestamp())


def test_the_package_installs_by_itself_and_brings_its_types(tmp_path: Path) -> None:
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation"]
    folder = ROOT / "clients/python"
    subprocess.run([*uv, "--target", str(tmp_path), str(folder)], check=True, env=os.environ | {"UV_NO_CACHE": "1"})
    asked = "import message_workshop as m; print(m.__file__, m.Workshop('http://127.0.0.1:1').close())"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", asked], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert told.stdout.startswith(str(tmp_path)), told.stderr
    assert (tmp_path / "message_workshop/py.typed").exists()
    (metadata,) = tmp_path.glob("*.dist-info/METADATA")
    needs = [line for line in metadata.read_text().splitlines() if line.startswith("Requires-")]
    assert needs == ["Requires-Python: >=3.10", "Requires-Dist: httpx<1,>=0.27"]


def test_the_client_is_one_documented_module_for_python_3_10() -> None:
    source = (ROOT / "clients/python/message_workshop/__init__.py").read_text()
    tree = ast.parse(source, feature_version=(3, 10))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name or "").partition(".")[0]  # type: ignore[union-attr]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported - set(sys.stdlib_module_names) == {"httpx"}
    assert "import *" not in source
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            inner = node.name in {"get", "put"}
            assert inner or ast.get_docstring(node), node.name
