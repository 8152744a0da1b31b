"""Members who save and vote on pages of their own while something else is measured."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx

from app.permissions import Role, Scope
from app.revisions import service as revisions
from tests.factories import HOUSING, Workshop
from tests.servers import NO_CERTIFICATES

WRITERS = 5
"""Each saves once a second and votes once a second, so that five edits and five votes come in each second."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A member's token, a page, its shared draft's head, and a wording with its hash, which one vote never approves."""

    token: str
    page: str
    base: int
    wording: int
    sha256: str


@dataclass(slots=True)
class Written:
    """What was done meanwhile, over how many seconds; `refused` is what an answer said that was no success."""

    edits: int = 0
    votes: int = 0
    seconds: float = 0.0
    refused: list[str] = field(default_factory=list)


def fill(workshop: Workshop) -> list[Writer]:
    """A page for each writer, with a wording of somebody else on it."""
    filled = []
    other = workshop.member(role=Role.WRITER)
    for number in range(WRITERS):
        member = workshop.member(role=Role.WRITER)
        page = workshop.page(member, f"Elsewhere {number}", HOUSING)
        wording = workshop.fork(other, page, ("Everyone needs", "Everyone deserves")).head_id or 0
        with workshop.reading() as session:
            sha256 = revisions.get(session, wording).sha256
        token = workshop.token(member, Scope.WRITE, Scope.VOTE)
        filled.append(Writer(token, page.slug, workshop.shared_head(page), wording, sha256))
    return filled


@contextmanager
def writing(api: str, writers: list[Writer]) -> Iterator[Written]:
    """Let them write until the block ends; a refusal ends the program."""
    over, done, began = threading.Event(), Written(), time.monotonic()
    threads = [threading.Thread(target=_write, args=(api, writer, over, done)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        over.set()
        for thread in threads:
            thread.join()
    done.seconds = time.monotonic() - began
    if done.refused:
        raise SystemExit(done.refused[0])


def _write(api: str, writer: Writer, over: threading.Event, done: Written) -> None:
    headers = {"Authorization": f"Bearer {writer.token}"}
    base, due = writer.base, time.monotonic()
    with httpx.Client(base_url=api, headers=headers, timeout=30, verify=NO_CERTIFICATES) as client:
        for number in count(1):
            due += 1
            text = HOUSING.replace("10,000 homes", f"{10_000 + number} homes")
            saved = client.post(f"/pages/{writer.page}/revisions", json={"base": base, "text": text})
            vote = {"value": ("support", "oppose")[number % 2], "sha256": writer.sha256}
            voted = client.put(f"/revisions/{writer.wording}/vote", json=vote)
            if (saved.status_code, voted.status_code) != (201, 200):
                done.refused.append(saved.text + voted.text)
                return
            done.edits, done.votes, base = done.edits + 1, done.votes + 1, saved.json()["revision"]["id"]
            if over.wait(max(0.0, due - time.monotonic())):
                return
