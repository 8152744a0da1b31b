"""What docs/recipes.md tells consumers to copy works as it stands there, against a real server."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from standardwebhooks.webhooks import Webhook

from app.settings import ROOT
from tests.prepare import find_browser
from tests.running import Running, running_campaign
from tests.servers import NO_CERTIFICATES

pytestmark = pytest.mark.xdist_group("client")

PAGE = (ROOT / "docs/recipes.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"type":"page.held","timestamp":"2026-11-22T15:02:11Z","data":{"page":"housing","status":"held"}}'
TOPLINE = "Everyone needs a home they can afford. Rents have risen faster than wages."
NODE = shutil.which("node")
RUNS = {"sh": ["sh", "-eu"], "python": [sys.executable], "js": [NODE or "node"]}


@dataclass(frozen=True)
class Block:
    recipe: str
    language: str
    marker: str
    code: str


def blocks() -> Iterator[Block]:
    for section in PAGE.split("\n## ")[1:]:
        for language, marker, code in re.findall(r"^```(\w+) ?([\w-]*)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE):
            yield Block(section.partition("\n")[0], language, marker, code)


def block(recipe: str, language: str, marker: str = "") -> str:
    wanted = (recipe, language, marker)
    (found,) = [it.code for it in blocks() if (it.recipe.partition(",")[0], it.language, it.marker) == wanted]
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Running]:
    with running_campaign(tmp_path_factory.mktemp("recipes"), sqlite_template) as found:
        yield found


def environment(running: Running, **more: str) -> dict[str, str]:
    return os.environ | {"WORKSHOP": running.url, "PYTHONPATH": str(ROOT / "clients/python"), **more}


def run(running: Running, folder: Path, language: str, code: str, **more: str) -> str:
    if language == "js" and NODE is None:
        pytest.skip("there is no Node here")
    path = folder / ("recipe.mjs" if language == "js" else f"recipe.{language}")
    path.write_text(code)
    done = subprocess.run(
        [*RUNS[language], str(path)],
        cwd=folder,
        env=environment(running, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_recipe_is_one_of_those_tried_here() -> None:
    found = {(it.recipe.partition(",")[0], it.language, it.marker) for it in blocks()}
    assert found == {
        *((NEWCOMER, *rest) for rest in NEWCOMER_BLOCKS),
        *((recipe, language, "") for recipe, language, *_ in TRIED),
        ("A website", "js", "browser"),
    }


NEWCOMER = "Five minutes: a texting tool and a webhook"
NEWCOMER_BLOCKS = [("sh", ""), ("python", ""), ("sh", "needs-webhooks"), ("python", "receiver"), ("js", "verify")]
TRIED = [
    (NEWCOMER, "sh", TOPLINE, TOPLINE),
    (NEWCOMER, "python", TOPLINE, TOPLINE),
    ("A texting tool", "sh", TOPLINE, TOPLINE),
    ("A texting tool", "js", f"{TOPLINE}\n{TOPLINE}", TOPLINE),
    ("A canvassing app", "python", "Checked just now.", "Checked just now."),
    ("An e-mail builder", "python", "1 changed, 0 unchanged, 1 missing", "0 changed, 1 unchanged, 1 missing"),
    ("A spreadsheet", "python", "housing,approved,", "housing,approved,"),
    ("An archive", "sh", "\u2014 ", "\u2014 "),
    ("An archive", "python", " rows", " rows"),
]


@pytest.mark.parametrize(("recipe", "language", "first", "second"), TRIED, ids=lambda value: str(value)[:20])
def test_a_recipe_works_and_works_again(
    running: Running, tmp_path: Path, recipe: str, language: str, first: str, second: str
) -> None:
    code = block(recipe, language)
    told = run(running, tmp_path, language, code)
    assert first in told
    again = run(running, tmp_path, language, code)
    assert second in again
    if recipe == "An archive":
        assert again == told, "nothing is written twice"


@pytest.mark.parametrize("language", ["sh", "js"])
def test_the_texting_tool_sends_nothing_once_a_text_is_stopped(running: Running, tmp_path: Path, language: str) -> None:
    slug = running.page(f"Stopped {language}")
    code = block("A texting tool", language).replace("/housing/", f"/{slug}/")
    assert TOPLINE in run(running, tmp_path, language, code)
    headers = {"Authorization": f"Bearer {running.token(running.mo)}"}
    held = httpx.post(
        f"{running.url}/api/v1/pages/{slug}/hold", json={"reason": "Wrong."}, headers=headers, verify=NO_CERTIFICATES
    )
    assert held.status_code == 200
    with pytest.raises(AssertionError):
        run(running, tmp_path, language, code)
    assert not (tmp_path / "topline.txt").exists()


def test_a_webhook_is_asked_for(running: Running, tmp_path: Path) -> None:
    paths = httpx.get(f"{running.url}/openapi.json", verify=NO_CERTIFICATES).json()["paths"]
    if "/api/v1/webhooks" not in paths:
        pytest.skip("this version has no webhooks yet")
    token = running.token(running.anna)
    assert "whsec_" in run(running, tmp_path, "sh", block(NEWCOMER, "sh", "needs-webhooks"), TOKEN=token)


def messages() -> Iterator[tuple[bool, dict[str, str], str]]:
    """Genuine or not, headers and body."""
    for genuine, seconds, secrets, body in (
        (True, 0, [SECRET], BODY),
        (True, 0, ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", SECRET], BODY),
        (False, 0, ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"], BODY),
        (False, 0, [SECRET], BODY.replace("held", "promoted")),
        (False, -360, [SECRET], BODY),
        (False, 0, [], BODY),
    ):
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        signatures = [Webhook(secret).sign("msg_1", at, BODY) for secret in secrets]
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp()))}
        yield genuine, headers | {"webhook-signature": " ".join(signatures)}, body


def test_the_receiver_in_python_takes_what_is_genuine_and_nothing_else(running: Running, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = tmp_path / "receiver.py"
    path.write_text(block(NEWCOMER, "python", "receiver"))
    given = environment(running, WEBHOOK_SECRET=SECRET, PORT=str(port))
    with subprocess.Popen(
        [sys.executable, str(path)], env=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as it:
        try:
            wait_for(port)
            for genuine, headers, body in messages():
                answer = httpx.post(f"http://127.0.0.1:{port}", content=body, headers=headers, verify=NO_CERTIFICATES)
                assert answer.status_code == (204 if genuine else 400)
        finally:
            it.kill()
        told = it.stdout.read().decode() if it.stdout else ""
    assert told == "page.held housing\n", "the same message twice is dealt with once"


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
    raise AssertionError("the receiver did not start")


def test_the_check_in_javascript_takes_what_is_genuine_and_nothing_else(running: Running, tmp_path: Path) -> None:
    (tmp_path / "verify.mjs").write_text(block(NEWCOMER, "js", "verify"))
    calls = [f"await isGenuine({SECRET!r}, new Headers({headers!r}), {body!r})" for _, headers, body in messages()]
    code = 'import { isGenuine } from "./verify.mjs";\n' + "\n".join(f"console.log({call});" for call in calls)
    told = run(running, tmp_path, "js", code).split()
    assert told == [str(genuine).lower() for genuine, *_ in messages()]


@pytest.mark.browser
def test_the_website_shows_a_text_until_it_is_stopped(running: Running) -> None:
    headers = {"Authorization": f"Bearer {running.token(running.mo)}"}
    slug = running.page("On the site")
    code = block("A website", "js", "browser").replace("housing", slug)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content(f'<p id="{slug}"></p>')
        page.evaluate(f"WORKSHOP = {running.url!r}")
        page.add_script_tag(content=f"{{ {code} }}")
        expect(page.locator(f"#{slug}")).to_contain_text("Everyone needs a home", timeout=20_000)
        for action, shown in (("hold", ""), ("release", "Everyone needs a home")):
            address = f"{running.url}/api/v1/pages/{slug}/{action}"
            answer = httpx.post(address, json={"reason": "Looking."}, headers=headers, verify=NO_CERTIFICATES)
            assert answer.status_code == 200
            place = expect(page.locator(f"#{slug}"))
            place.to_contain_text(shown, timeout=20_000) if shown else place.to_be_empty(timeout=20_000)
        browser.close()
