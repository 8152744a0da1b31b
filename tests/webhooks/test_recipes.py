"""What docs/api.md tells receivers to do works as it stands there."""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.settings import ROOT
from app.webhooks import signing
from tests.servers import NO_CERTIFICATES

SECRET = signing.secret_of(b"k" * 32, "recipe")
BODY = '{"type":"page.promoted","data":{"page":"housing","status":"approved"}}'


def recipe(language: str, port: int) -> str:
    section = (ROOT / "docs/api.md").read_text().partition("### Webhooks\n")[2].partition("\n## ")[0]
    (found,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return str(found).replace("whsec_…", SECRET).replace("8080", str(port))


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and process.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
            yield
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("language", "program", "suffix"), [("python", sys.executable, "py"), ("js", shutil.which("node"), "mjs")]
)
def test_the_recipes_take_what_is_genuine_and_nothing_else(
    tmp_path: Path, language: str, program: str | None, suffix: str
) -> None:
    if program is None:
        pytest.skip("there is no Node here")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = tmp_path / f"recipe.{suffix}"
    path.write_text(recipe(language, port))
    at = datetime.now(UTC)
    good = signing.headers_for("msg_1", at, BODY, [signing.secret_of(b"k" * 32, "newer"), SECRET])
    old = signing.headers_for("msg_1", at - timedelta(minutes=6), BODY, [SECRET])
    other = signing.headers_for("msg_1", at, BODY, [signing.secret_of(b"l" * 32, "recipe")])
    with running([program, str(path)], port), httpx.Client(verify=NO_CERTIFICATES) as client:
        with socket.create_connection(("127.0.0.1", port)) as broken:
            broken.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nhalf of it")
        asked = [(good, BODY), (good, BODY + " "), (old, BODY), (other, BODY), ({}, BODY)]
        answers = [client.post(f"http://127.0.0.1:{port}/", content=body, headers=sent) for sent, body in asked]
    assert [answer.status_code for answer in answers] == [204, 400, 400, 400, 400]
