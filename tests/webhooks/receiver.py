"""Receivers of webhooks: real HTTP servers that keep what they are sent and answer as they are told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook as Verifier

SECONDS = 30.0
HANG, ENDLESS_BODY, ENDLESS_HEAD = "hang", "endless body", "endless head"


@dataclass(frozen=True)
class Got:
    """One request as it came."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def verified(self, secret: str) -> dict[str, Any]:
        """The message, if the official library takes it for genuine; it raises otherwise."""
        found: dict[str, Any] = Verifier(secret).verify(self.body, self.headers)
        return found


@dataclass
class Receiver:
    """Answers with the next of `answers`, a status or a way to misbehave, and with the last of them from then on."""

    answers: list[int | str] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    url: str = ""
    ended: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def ids(self) -> list[str]:
        return [got.id for got in self.got]

    def kinds(self) -> list[str]:
        return [got.message["type"] for got in self.got]

    def wait_for(self, count: int, seconds: float = SECONDS) -> list[Got]:
        """What came, once so much did; fails when it does not."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, seconds), f"only {len(self.got)} came"
        return list(self.got)

    def wait_for_kind(self, kind: str, seconds: float = SECONDS) -> Got:
        with self.arrived:
            assert self.arrived.wait_for(lambda: kind in self.kinds(), seconds), f"no {kind} among {self.kinds()}"
        return next(got for got in self.got if got.message["type"] == kind)

    def take(self, got: Got) -> int | str:
        with self.arrived:
            self.got.append(got)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, int) and 200 <= answer < 300:
                self.acknowledged.add(got.headers.get("webhook-id", ""))
            self.arrived.notify_all()
            return answer


class Server(ThreadingHTTPServer):
    """Takes as many connections at once as come."""

    request_queue_size = 128
    daemon_threads = True


@contextmanager
def receiving(*answers: int | str, **headers: str) -> Iterator[Receiver]:
    """A receiver on a free port of this machine, until the end of the block."""
    receiver = Receiver(list(answers) or [204], {name.replace("_", "-"): value for name, value in headers.items()})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.take(Got(time.monotonic(), self.path, headers, body))
            with suppress(OSError):
                self._answer(answer)

        def _answer(self, answer: int | str) -> None:
            if isinstance(answer, int):
                self.send_response(answer)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                if answer != 204:
                    self.send_header("Content-Length", "0")
                self.end_headers()
            elif answer == HANG:
                receiver.ended.wait()
            elif answer == ENDLESS_HEAD:
                self.send_response(200)
                while not receiver.ended.is_set():
                    self.wfile.write(b"X-More: " + b"x" * 1_000 + b"\r\n")
            else:
                self.send_response(200)
                self.end_headers()
                while not receiver.ended.is_set():
                    self.wfile.write(b"x" * 10_000)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()
        serving.join()
