"""Approved texts through a caching proxy that knows nothing of us: never old, never private, never somebody else's."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.pages.models import Page
from app.pages.text import sha256_of
from app.permissions import Actor, Role, Scope
from app.settings import Settings
from tests.factories import HOUSING, Workshop
from tests.proxy import running_proxy
from tests.servers import NO_CERTIFICATES, Server, look_again_soon

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

API = "/api/v1"
HOUSE = f"{API}/pages/housing/approved"
MAX_AGE, SOON = 5, 2
TWENTY = HOUSING.replace("10,000", "20,000")

POISONS: list[dict[str, str]] = [
    *({name: "evil.example"} for name in ("X-Forwarded-Host", "X-Host", "X-Forwarded-Server", "X-Original-Host")),
    *({name: "evil.example"} for name in ("X-HTTP-Host-Override", "X-Real-IP", "X-Forwarded-For", "Client-IP", "Via")),
    *({name: "/api/v1/me"} for name in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-Forwarded-Prefix")),
    *({"X-HTTP-Method-Override": method} for method in ("POST", "DELETE", "HEAD", "TRACE")),
    *({"X-Forwarded-Proto": scheme} for scheme in ("http", "https", "gopher")),
    {"Forwarded": "host=evil.example;proto=http;for=1.2.3.4"},
    *({"Accept": accept} for accept in ("text/html", "text/plain", "image/png", "*/*;q=0", "a" * 4_000)),
    *({"Accept-Language": language} for language in ("de", "ar", "x" * 2_000)),
    *({"Accept-Encoding": encoding} for encoding in ("gzip", "br", "gzip;q=0", "identity;q=0", "zstd, deflate")),
    *({"Range": given} for given in ("bytes=0-3", "bytes=-1", "bytes=9999999-", "lines=1")),
    *({"Cookie": cookie} for cookie in ("session=evil", "look=dark", "a=" + "b" * 3_000)),
    {"Authorization": "Bearer mw_nonsense"},
    *({"If-None-Match": tag} for tag in ('"nonsense"', "*", 'W/"')),
    {"If-Modified-Since": "Tue, 19 Jan 2038 03:14:07 GMT"},
    *({"Origin": origin} for origin in ("https://evil.example", "null")),
    {"Content-Type": "application/json", "Content-Length": "0"},
    {"X-Forwarded-Port": "8443"},
    {"Cache-Control": "max-age=31536000"},
    {"Pragma": "no-cache"},
    {"X-Requested-With": "XMLHttpRequest"},
    {"Idempotency-Key": "one"},
]
ASKED_WRONGLY = (
    "?evil=1",
    "?as_of=nonsense",
    "?chapter=<script>",
    "?include=all",
    "?cb=1&cb=2",
    "?",
    ";x=.css",
    "/..%2f",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"wait_routine": 0})


@pytest.fixture
def members(workshop: Workshop) -> list[Actor]:
    return [workshop.member(f"m{n}", role=Role.MODERATOR) for n in range(2)]


@pytest.fixture
def housing(workshop: Workshop, members: list[Actor]) -> Page:
    page = workshop.page(members[0])
    for member in members:
        workshop.vote(member, workshop.shared_head(page))
    return page


@pytest.fixture
def server(database_url: str, housing: Page, tmp_path: Path) -> Iterator[Server]:
    found = Server(database_url, tmp_path, wait_routine=0)
    found.start()
    yield found
    found.kill()


@pytest.fixture
def proxied(server: Server, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a proxy in front of the server."""
    with (
        running_proxy(tmp_path / "proxy", server.url) as address,
        httpx.Client(base_url=address, timeout=20, verify=NO_CERTIFICATES) as client,
    ):
        yield client


def replace(workshop: Workshop, members: list[Actor], page: Page) -> None:
    workshop.database.clock.move(days=2)  # type: ignore[attr-defined]  # the clock of the tests
    fork = workshop.fork(members[0], page, ("10,000", "20,000"))
    for member in members:
        workshop.vote(member, fork.head_id or 0)


def served_until(
    client: httpx.Client, changed: Callable[[httpx.Response], bool], within: float = MAX_AGE + 1
) -> httpx.Response:
    """The first changed answer. What was asked for in time is in time, however long the answer takes."""
    began = asked = time.monotonic()
    while not changed(answer := client.get(f"{HOUSE}.md")):
        assert asked < began + within
        look_again_soon()
        asked = time.monotonic()
    return answer


def test_no_text_lives_longer_than_it_may_and_none_is_anybodys_own(
    proxied: httpx.Client, server: Server, workshop: Workshop, members: list[Actor], housing: Page
) -> None:
    """One proxy and one server for all of it: to start them is what takes the time."""
    tags_survive(proxied)
    nothing_private_is_kept(proxied, workshop.token(members[0], Scope.READ))
    poison_changes_nothing(proxied)
    a_new_text_comes_through_in_time(proxied, server, workshop, members, housing)
    a_stop_comes_through_in_time(proxied, workshop.token(members[0], Scope.MODERATE))


def tags_survive(client: httpx.Client) -> None:
    plain = client.get(f"{HOUSE}.md", headers={"Accept-Encoding": "identity"})
    assert (plain.text, plain.headers["ETag"]) == (HOUSING, f'"{sha256_of(HOUSING)}"')
    assert client.get(f"{HOUSE}.md", headers={"Accept-Encoding": "identity"}).headers["X-Cache"] == "HIT"
    for tag in (plain.headers["ETag"], f"W/{plain.headers['ETag']}"):
        known = client.get(f"{HOUSE}.md", headers={"If-None-Match": tag, "Accept-Encoding": "identity"})
        assert (known.status_code, known.content) == (304, b"")
    packed = client.get(f"{API}/pages", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip", "this proxy packs what we did not, and weakens tags"


def nothing_private_is_kept(client: httpx.Client, token: str) -> None:
    mine = client.get(f"{API}/me", headers={"Authorization": f"Bearer {token}"})
    assert mine.json()["name"] == "m0"
    assert client.get(f"{API}/me").status_code == 401
    for header in ({"Authorization": f"Bearer {token}"}, {"Cookie": "session=abc"}):
        for _ in range(2):
            answer = client.get(f"{HOUSE}/sections/story.txt", headers=header)
            assert (answer.headers["Cache-Control"], answer.headers["X-Cache"]) == ("no-store", "MISS")
    assert client.get(f"{HOUSE}/sections/story.txt").headers["X-Cache"] == "MISS"
    assert client.get(f"{HOUSE}/sections/story.txt").headers["X-Cache"] == "HIT"


def poison_changes_nothing(client: httpx.Client) -> None:
    assert len(POISONS) + len(ASKED_WRONGLY) >= 50
    kept = ("content-type", "etag", "vary", "cache-control", "access-control-allow-origin", "location", "set-cookie")

    usual = {"Accept-Encoding": "identity", "Accept": "application/json"}

    def clean(address: str) -> tuple[int, bytes, list[str | None]]:
        answer = client.get(address, headers=usual)
        return answer.status_code, answer.content, [answer.headers.get(name) for name in kept]

    # Each poison meets an address of its own that nothing is cached for yet, then everybody asks for that one.
    for number, headers in enumerate(POISONS):
        address = f"{HOUSE}?as_of=2100-01-01T00:00:{number % 60:02}Z"
        client.get(address, headers={**usual, **headers})
        status, content, told = clean(address)
        assert (status, told[0], told[5], told[6]) == (200, "application/json", None, None), headers
        assert b"evil" not in content, headers
        assert b'"text":"# Housing' in content, headers
    expected = clean(HOUSE)
    for asked in ASKED_WRONGLY:
        client.get(HOUSE + asked)
        assert clean(HOUSE) == expected, asked


def a_new_text_comes_through_in_time(
    client: httpx.Client, server: Server, workshop: Workshop, members: list[Actor], page: Page
) -> None:
    assert client.get(f"{HOUSE}.md").text == HOUSING
    replace(workshop, members, page)
    # It was approved behind the server, which looks four times a second whether something was.
    with httpx.Client(base_url=server.url, verify=NO_CERTIFICATES) as direct:
        served_until(direct, lambda answer: answer.text != HOUSING, within=SOON)
    assert served_until(client, lambda answer: answer.text != HOUSING).text == TWENTY


def a_stop_comes_through_in_time(client: httpx.Client, token: str) -> None:
    assert client.get(f"{HOUSE}.md").text == TWENTY
    moderator = {"Authorization": f"Bearer {token}"}
    held = client.post(f"{API}/pages/housing/hold", json={"reason": "Is it so?"}, headers=moderator)
    assert held.status_code == 200
    answer = served_until(client, lambda answer: answer.status_code != 200)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (409, "no-store")
    assert client.get(f"{HOUSE}.md").headers["X-Cache"] != "HIT"
