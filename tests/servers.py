"""The real program in a process of its own, as `workshop serve` runs it."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import httpx

STARTING_SECONDS = 60
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients, all of plain HTTP: to read the machine's certificates takes each of them 50 ms."""


def look_again_soon() -> None:
    """Wait between two looks at what other processes do: whoever asks without a pause takes the core that they need."""
    threading.Event().wait(0.03)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def connect_to(token: str) -> httpx.AsyncClient:
    """A client of a running server, as the bearer of a token; to be used in `async with`."""
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    return httpx.AsyncClient(headers=headers, timeout=60, verify=NO_CERTIFICATES)


class Server:
    """A running server; `kill` ends it between any two instructions, `start` brings it back on the same data."""

    def __init__(self, database_url: str, data_dir: Path, **settings: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WORKSHOP_")},
            "WORKSHOP_DATABASE_URL": database_url,
            "WORKSHOP_DATA_DIR": str(data_dir),
            "WORKSHOP_BASE_URL": self.url,
            "WORKSHOP_WRITES_PER_MINUTE": "1000000",
            "WORKSHOP_READS_PER_MINUTE": "1000000",
            **{f"WORKSHOP_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self._log = data_dir / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, before: Sequence[str] = (), more: Sequence[str] = ()) -> None:
        """Start it and wait until it answers; `before` stands before the command, `more` behind it."""
        self._launch(before, more)
        self._wait_for_answer()

    def _launch(self, before: Sequence[str] = (), more: Sequence[str] = ()) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*before, sys.executable, "-m", "app.cli", "serve", "--port", str(self.port), *more],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + STARTING_SECONDS
        with httpx.Client(timeout=5, verify=NO_CERTIFICATES) as client:
            while time.monotonic() < deadline and not self._has_ended(within=0.05):
                with suppress(httpx.TransportError):
                    if client.get(f"{self.url}/healthz").status_code == 200:
                        return
        raise RuntimeError(f"The server did not start:\n{self.log()}")

    @staticmethod
    def start_together(servers: "Sequence[Server]") -> None:
        """Start several side by side: a start takes seconds, mostly of one core."""
        try:
            for server in servers:
                server._launch()
            for server in servers:
                server._wait_for_answer()
        except BaseException:
            for server in servers:
                server.kill()
            raise

    @property
    def pid(self) -> int:
        """The number of the process that serves."""
        assert self._process is not None
        return self._process.pid

    def terminate(self, within: float) -> None:
        """SIGTERM, as a service manager sends it; `subprocess.TimeoutExpired` if it has not ended by then."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(within)
        self._process = None

    def kill(self) -> None:
        """SIGKILL to the server and its children: no handler runs, nothing is flushed."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _has_ended(self, within: float) -> bool:
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within)
        return self._process.returncode is not None

    def log(self) -> str:
        return self._log.read_text(errors="replace")
