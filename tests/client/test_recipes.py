"""What docs/recipes.md tells consumers to copy works as it stands there, against a real server."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Error, expect, sync_playwright
from standardwebhooks.webhooks import Webhook

from app.demo.people import FOUNDER
from app.demo.stage import TEXTS
from app.permissions import Actor
from app.settings import ROOT
from tests.prepare import find_browser
from tests.running import Running
from tests.servers import NO_CERTIFICATES, free_port

pytestmark = pytest.mark.xdist_group("client")

PAGE = (ROOT / "docs/recipes.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"type":"page.held","timestamp":"2026-11-22T15:02:11Z","data":{"page":"housing","status":"held"}}'
TEXT = (TEXTS / "school-meals.md").read_text()
SMS = TEXT.partition("## SMS\n\n")[2].strip()
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


@pytest.fixture(scope="module", autouse=True)
def example(running: Running) -> None:
    """The page that the recipes name."""
    running.page("School meals", TEXT)


def environment(running: Running, **more: str) -> dict[str, str]:
    return os.environ | {"WORKSHOP": running.url, "PYTHONPATH": str(ROOT / "clients/python"), **more}


def run(running: Running, folder: Path, language: str, code: str, **more: str) -> str:
    if language == "js" and NODE is None:
        return run_in_browser(running, folder, code)
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


def run_in_browser(running: Running, folder: Path, code: str) -> str:
    """Where there is no Node: what the same script says in Chromium, which has neither `process` nor files."""
    for name in re.findall(r'^import .* from "\./(.*)";\n', code):
        code = (folder / name).read_text().replace("export ", "") + code.partition("\n")[2]
    script = f"""async () => {{
        const told = [], console = {{ log: (value) => told.push(value) }};
        const process = {{ env: {{ WORKSHOP: {running.url!r} }} }};
        {code}
        return told.map((value) => `${{value}}\\n`).join("");
    }}"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{running.url}/healthz")
        try:
            return str(page.evaluate(script))
        except Error as error:
            raise AssertionError(error.message) from error
        finally:
            browser.close()


def test_every_recipe_is_one_of_those_tried_here() -> None:
    found = {(it.recipe.partition(",")[0], it.language, it.marker) for it in blocks()}
    assert found == {
        *((NEWCOMER, *rest) for rest in NEWCOMER_BLOCKS),
        *((recipe, language, "") for recipe, language, *_ in TRIED),
        ("A website", "js", "browser"),
    }


NEWCOMER = "In five minutes"
NEWCOMER_BLOCKS = [
    *(("sh", marker) for marker in ("start", "install", "pull", "token", "webhook", "try")),
    *(("python", marker) for marker in ("pull", "receiver")),
    ("js", "verify"),
]
TRIED = [
    ("A texting tool", "sh", SMS, SMS),
    ("A texting tool", "js", f"{SMS}\n{SMS}", SMS),
    ("A canvassing app", "python", "Checked just now.", "Checked just now."),
    ("An e-mail builder", "python", "1 changed, 0 unchanged, 1 missing", "0 changed, 1 unchanged, 1 missing"),
    ("A spreadsheet", "python", "school-meals,approved,", "school-meals,approved,"),
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
    slug = running.page(f"Stopped {language}", TEXT)
    code = block("A texting tool", language).replace("/school-meals/", f"/{slug}/")
    assert SMS in run(running, tmp_path, language, code)
    headers = {"Authorization": f"Bearer {running.token(running.mo)}"}
    held = httpx.post(
        f"{running.url}/api/v1/pages/{slug}/hold", json={"reason": "Wrong."}, headers=headers, verify=NO_CERTIFICATES
    )
    assert held.status_code == 200
    with pytest.raises(AssertionError):
        run(running, tmp_path, language, code)
    assert not (tmp_path / "sms.txt").exists()


def test_the_e_mail_builder_drops_a_withdrawn_text_after_a_rename(running: Running, tmp_path: Path) -> None:
    slug = running.page("Mailed", TEXT)
    code = block("An e-mail builder", "python").replace("school-meals", slug)

    def act(member: Actor, method: str, path: str, **body: str) -> None:
        headers = {"Authorization": f"Bearer {running.token(member)}"}
        address = f"{running.url}/api/v1/pages/{path}"
        assert httpx.request(method, address, json=body, headers=headers, verify=NO_CERTIFICATES).is_success

    def held() -> dict[str, object]:
        run(running, tmp_path, "python", code)
        return dict(json.loads((tmp_path / "held.json").read_text()))

    assert {*held()} == {slug}
    act(running.anna, "PATCH", slug, slug="posted")
    assert {*held()} == {slug}, "it is still the same text"
    running.approve_change("posted", "No child learns well", "No pupil learns well")
    assert {*held()} == {"posted"}
    act(running.mo, "POST", "posted/withdraw", reason="Wrong.")
    assert held() == {}


def break_off(listening: socket.socket) -> None:
    """Answers each request with half a text, or with 304 to whoever says that they hold it."""
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with connection:
                known = b'if-none-match: "half"' in connection.recv(9999).lower()
                status, body = (b"304 Not Modified", b"") if known else (b"200 OK", b"Vote on 4")
                length = b"" if known else b"Content-Length: 29\r\n"
                connection.sendall(b"HTTP/1.1 " + status + b'\r\nETag: "half"\r\n' + length + b"\r\n" + body)


def test_the_texting_tool_never_sends_half_a_text(running: Running, tmp_path: Path) -> None:
    (tmp_path / "sms.txt").write_text("Before")
    (tmp_path / "etag").write_text('"before"\n')
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=break_off, args=(listening,), daemon=True).start()
        there = f"http://127.0.0.1:{listening.getsockname()[1]}"
        for _ in range(2):
            with pytest.raises(AssertionError):
                run(running, tmp_path, "sh", "set +e\n" + block("A texting tool", "sh"), WORKSHOP=there)
            assert not {"sms.txt", "etag"} & {it.name for it in tmp_path.iterdir()}
        listening.shutdown(socket.SHUT_RDWR)


def walk(folder: Path, instead: dict[str, str], **environment: str) -> list[str]:
    """What the blocks of the first five minutes print, after the start, until the last message came."""
    (folder / "pull.py").write_text(block(NEWCOMER, "python", "pull"))
    (folder / "receiver.py").write_text(block(NEWCOMER, "python", "receiver"))
    steps = [block(NEWCOMER, "sh", marker) for marker in ("pull", "token", "webhook", "try")]
    steps.insert(1, "echo\nvar/client/bin/python pull.py\n")
    script = "\n".join(["trap 'kill 0' EXIT  # the receiver, when a step fails", *steps, "wait\n"])
    for old, new in instead.items():
        assert old in script
        script = script.replace(old, new)
    with subprocess.Popen(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as it:
        late = threading.Timer(60, os.killpg, (it.pid, signal.SIGKILL))
        late.start()
        told: list[str] = []
        assert it.stdout
        for line in it.stdout:
            told.append(line.rstrip("\n"))
            if {"page.released school-meals", "page.held school-meals"} <= {*told} and told.count(SMS) == 3:
                break
        late.cancel()
        with suppress(ProcessLookupError):
            os.killpg(it.pid, signal.SIGKILL)
    return [line for line in told if line]


def test_the_first_five_minutes_lead_to_a_pull_and_a_verified_webhook(running: Running, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    port = free_port()
    instead = {
        "http://127.0.0.1:8000": running.url,
        "127.0.0.1:8080": f"127.0.0.1:{port}",
        f'"{FOUNDER}"': running.mo.name,
        "sqlite:///var/demo.db": f"sqlite:///{running.folder}/workshop.db",
        "WORKSHOP_DATA_DIR=var/demo": f"WORKSHOP_DATA_DIR={running.folder}",
        "var/client/bin/python ": f"{sys.executable} ",
    }
    check(walk(tmp_path, instead, PORT=str(port), PYTHONPATH=str(ROOT / "clients/python")))


def check(told: list[str]) -> None:
    assert told.count(SMS) == 3, told
    assert told[:2] == [SMS, SMS]
    assert sum(line.startswith("Do not send it: Is the figure right?") for line in told) == 1
    assert {"page.held school-meals", "page.released school-meals"} <= {*told}


@pytest.mark.soak
def test_the_first_five_minutes_from_nothing(tmp_path: Path) -> None:
    """With `make demo` itself and the package as pip installs it; what it needs is taken from this virtualenv."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy2(ROOT / name, tmp_path / name)
        os.utime(tmp_path / name, (0, 0))  # nothing is newer than the virtualenv, so that it is left as it is
    shutil.copytree(ROOT / "clients/python", tmp_path / "clients/python")
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    with pytest.raises(ConnectionRefusedError):  # else it would be somebody else's server that answers there
        socket.create_connection(("127.0.0.1", 8000)).close()
    here = {"PYTHONPATH": sysconfig.get_path("purelib"), "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}
    here |= {"PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}  # 0 is how pip is told to use none
    with subprocess.Popen(
        ["sh", "-eu", "-c", block(NEWCOMER, "sh", "start")],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as demo:
        try:
            wait_for(8000, 120)
            install = ["sh", "-eu", "-c", block(NEWCOMER, "sh", "install")]
            subprocess.run(install, cwd=tmp_path, env=os.environ | here, check=True)
            check(walk(tmp_path, {}, PYTHONPATH=here["PYTHONPATH"]))
        finally:
            os.killpg(demo.pid, signal.SIGKILL)


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
        if not signatures:
            for broken in ("v1,AAAAA", "v1,=", "v1"):
                yield False, headers | {"webhook-signature": broken}, body


def test_the_receiver_in_python_takes_what_is_genuine_and_nothing_else(running: Running, tmp_path: Path) -> None:
    port = free_port()
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


def wait_for(port: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
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
    slug = running.page("On the site", TEXT)
    code = block("A website", "js", "browser").replace("school-meals", slug)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content(f'<p id="{slug}"></p>')
        page.evaluate(f"WORKSHOP = {running.url!r}")
        page.add_script_tag(content=f"{{ {code} }}")
        expect(page.locator(f"#{slug}")).to_contain_text("No child learns well", timeout=20_000)
        for action, shown in (("hold", ""), ("release", "No child learns well")):
            address = f"{running.url}/api/v1/pages/{slug}/{action}"
            answer = httpx.post(address, json={"reason": "Looking."}, headers=headers, verify=NO_CERTIFICATES)
            assert answer.status_code == 200
            place = expect(page.locator(f"#{slug}"))
            place.to_contain_text(shown, timeout=20_000) if shown else place.to_be_empty(timeout=20_000)
        browser.close()


STREAMS = """
streams = [];
EventSource = class extends EventTarget {
  static CLOSED = 2;
  readyState = 1;
  constructor() { super(); streams.push(this); setTimeout(() => this.dispatchEvent(new Event("open"))); }
};
answers = [];
fetch = () => new Promise((resolve, reject) => answers.push({ resolve, reject }));
setTimeout = ((real) => (what, ms) => real(what, ms / 100))(setTimeout);
tell = (number, text) => answers[number].resolve(new Response(text));
"""


@pytest.mark.browser
def test_the_website_shows_nothing_that_it_cannot_be_sure_of() -> None:
    code = block("A website", "js", "browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content('<p id="school-meals"></p>')
        page.add_script_tag(content=STREAMS)
        page.add_script_tag(content=f"{{ {code} }}")
        place = expect(page.locator("#school-meals"))
        page.wait_for_function("answers.length === 1")
        page.evaluate("streams[0].dispatchEvent(new Event('page.promoted')); tell(1, 'newer')")
        place.to_have_text("newer")
        page.evaluate("tell(0, 'older')")
        page.evaluate("new Promise((done) => setTimeout(done, 5000))")
        place.to_have_text("newer")
        page.evaluate("streams[0].readyState = 2; streams[0].dispatchEvent(new Event('error'))")
        page.evaluate("answers[2].reject(new TypeError('no network'))")
        place.to_be_empty()
        page.wait_for_function("streams.length === 2 && answers.length === 4")
        page.evaluate("tell(3, 'newest')")
        place.to_have_text("newest")
        browser.close()
