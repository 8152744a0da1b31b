"""How fast the program is beside a bare server in the same run: `python -m bench.run [NAME] [--json]`.

Each figure is a ratio to its reference: uvicorn alone, with a constant answer of two kilobytes. Processor time for each
request moves least with what else the machine does, so it is printed too, ours and the reference's. The load comes from
`wrk` (Debian: apt install wrk), on a processor of its own where there are two; with two server processes it shares one
of them, for the reference as for us.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, replace
from functools import partial
from pathlib import Path

import httpx

from app import schema
from app.main import open_database
from app.permissions import Role
from app.settings import Settings
from bench import writers
from bench.writers import Writer
from tests.factories import HOUSING, Workshop
from tests.servers import NO_CERTIFICATES, Server, free_port

SECONDS = 2
ROUNDS = 5
CONNECTIONS = 16
TARGET = 0.60
STEADY = 5
"""The p99 is to be within so many times p50."""
TEXT = HOUSING + "\n".join(f"- Point {n} says what it says, in plain words." for n in range(34)) + "\n"
"""About two kilobytes, as the reference's answer."""

BARE = """
BODY = b"x" * 2048
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"2048")]

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})
"""
_NUMBER = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
_SHARE = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)", re.MULTILINE)
_FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What one server did: requests a second, milliseconds of processor time for each, and how long they took."""

    rate: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: medians of the rounds. `ratio` is ours to the reference's rate, round by round."""

    name: str
    ours: Load
    reference: Load
    ratio: float

    @property
    def is_fast(self) -> bool:
        return self.ratio >= TARGET

    @property
    def is_steady(self) -> bool:
        return self.ours.p99_ms <= STEADY * self.ours.p50_ms


def measure(address: str, pid: int, header: str | None, cores: str | None) -> Load:
    """One round; a status that is no success ends the run."""
    before = cpu_of(pid)
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", *(["-H", header] if header else [])]
    done = subprocess.run([*pinned(cores), *command, address], capture_output=True, text=True, check=True)
    if failed := _FAILED.search(done.stdout):
        raise SystemExit(f"{address} failed {failed[1]} times.")
    found = _NUMBER.search(done.stdout)
    assert found is not None
    rate = float(found[1])
    shares = {share: float(value) * _MS[unit] for share, value, unit in _SHARE.findall(done.stdout)}
    return Load(rate, (cpu_of(pid) - before) * 1000 / (rate * SECONDS), shares["50"], shares["99"])


def compare(name: str, ours: Callable[[], Load], reference: Callable[[], Load]) -> Row:
    """Both by turns, as what else the machine does comes and goes."""
    rounds = [(reference(), ours()) for _ in range(ROUNDS)]
    return Row(
        name,
        medians([own for _bare, own in rounds]),
        medians([bare for bare, _own in rounds]),
        statistics.median(own.rate / bare.rate for bare, own in rounds),
    )


def medians(loads: list[Load]) -> Load:
    return Load(*(statistics.median(values) for values in zip(*map(astuple, loads), strict=True)))


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process and its children that live have used."""
    ticks = 0
    for each in [pid, *children_of(pid)]:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from children_of(int(child))


def pinned(cores: str | None) -> list[str]:
    return ["taskset", "-c", cores] if cores and shutil.which("taskset") else []


@contextmanager
def bare_server(folder: Path, workers: int, cores: str | None) -> Iterator[tuple[str, int]]:
    """The reference: uvicorn alone."""
    (folder / "bare.py").write_text(BARE)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bare:app", "--port", str(port), "--workers", str(workers)]
    options = ["--no-access-log", "--log-level", "error", "--loop", "uvloop", "--http", "httptools"]
    process = subprocess.Popen([*pinned(cores), *command, *options], cwd=folder)
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}/", process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def workshop(folder: Path, workers: int, cores: str | None) -> Iterator[tuple[str, int, list[Writer]]]:
    """The program with one approved page and some others, as `workshop serve` runs it."""
    url = f"sqlite:///{folder / 'workshop.db'}"
    database = open_database(Settings(database_url=url, data_dir=folder, wait_routine=0))
    schema.upgrade(database)
    filled = Workshop(database, None)  # type: ignore[arg-type]  # nothing is due here
    members = [filled.member(role=Role.WRITER) for _ in range(2)]
    page = filled.page(members[0], "Housing", TEXT)
    for member in members:
        filled.vote(member, filled.shared_head(page))
    others = writers.fill(filled)
    database.dispose()
    server = Server(url, folder)
    server.start(before=pinned(cores), more=["--workers", str(workers)])
    try:
        yield f"{server.url}/api/v1/pages/housing", server.pid, others
    finally:
        server.kill()


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(address, verify=NO_CERTIFICATES)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def approved() -> Iterator[Row]:
    """The approved text by API, warm: each form, a section and 304, at one and two processes."""
    known = httpx.Headers()
    cases = {
        "json": ("/approved", None),
        "md": ("/approved.md", None),
        "txt": ("/approved.txt", None),
        "html": ("/approved.html", None),
        "section txt": ("/approved/sections/topline.txt", None),
        "packed json": ("/approved.json", "Accept-Encoding: gzip"),
        "304": ("/approved.md", "If-None-Match: {etag}"),
    }
    several = (os.cpu_count() or 1) > 1
    for workers in (1, 2):
        server, load = ("0", "1") if several and workers == 1 else (None, None)
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            with (
                workshop(folder, workers, server) as (base, pid, others),
                bare_server(folder, workers, server) as (plain, plain_pid),
            ):
                known = httpx.get(f"{base}/approved.md", headers={"Accept-Encoding": "identity"}).headers
                reference = partial(measure, plain, plain_pid, None, load)
                for case, (path, header) in cases.items():
                    given = header.format(etag=known["ETag"]) if header else None
                    yield compare(f"{case}, {workers}", partial(measure, base + path, pid, given, load), reference)
                ours = partial(measure, f"{base}/approved", pid, None, load)
                with writers.writing(base.rpartition("/pages/")[0], others) as written:
                    row = compare(f"json while others write, {workers}", ours, reference)
                edits, votes = written.edits / written.seconds, written.votes / written.seconds
                yield replace(row, name=f"{row.name}: {edits:.1f} edits, {votes:.1f} votes a second")


FIGURES: dict[str, Callable[[], Iterator[Row]]] = {"approved": approved}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=sorted(FIGURES), help="one figure alone")
    parser.add_argument("--json", action="store_true", help="for programs")
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        print("The load comes from wrk. Install it (Debian: apt install wrk) and try again.", file=sys.stderr)
        return 2
    rows = [row for name, figure in FIGURES.items() if asked.name in (None, name) for row in figure()]
    if asked.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return 0
    heads = ("approved text, processes", "requests/s", "CPU ms, reference's", "p50 / p99 ms", "ratio", "fast", "steady")
    print(f"| {' | '.join(heads)} | reference's p50 / p99 ms |\n{'|---' * 8}|")
    for row in rows:
        ours, bare = row.ours, row.reference
        told = f"{'yes' if row.is_fast else 'no'} | {'yes' if row.is_steady else 'no'}"
        print(
            f"| {row.name} | {ours.rate:,.0f} | {ours.cpu_ms:.3f}, {bare.cpu_ms:.3f} | {ours.p50_ms:.2f} / "
            f"{ours.p99_ms:.2f} | {row.ratio:.2f} | {told} | {bare.p50_ms:.2f} / {bare.p99_ms:.2f} |"
        )
    print(f"\nMedian ratio {statistics.median(row.ratio for row in rows):.2f}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
