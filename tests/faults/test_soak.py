"""Behind `make soak`: killed again and again under load, and everything acknowledged is still there."""

import itertools
import threading
from pathlib import Path

import httpx
import pytest

from app.permissions import Role, Scope
from app.transfer.verification import verify_database
from tests.factories import Workshop
from tests.servers import Server

KILLS = 20
WRITERS = 8
PARAGRAPHS = "\n\n".join(f"Paragraph {number} says what it says." for number in range(WRITERS))


@pytest.mark.soak
def test_twenty_kills_under_load_lose_nothing(database_url: str, tmp_path: Path, workshop: Workshop) -> None:
    server = Server(database_url, tmp_path)
    writer = workshop.member("writer", role=Role.WRITER)
    page = workshop.page(writer, "Killed", PARAGRAPHS)
    token = workshop.token(writer, Scope.WRITE)
    base = workshop.shared_head(page)
    acknowledged: list[tuple[str, int]] = []

    def write(number: int, round_: int, enough: threading.Event) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            for step in itertools.count():
                mark = f"word{number}x{round_}x{step}"
                text = PARAGRAPHS.replace(f"Paragraph {number} says", f"Paragraph {number} {mark} says")
                try:
                    answer = client.post(
                        f"{server.url}/api/v1/pages/killed/revisions", json={"base": base, "text": text}
                    )
                except httpx.TransportError:
                    return
                assert answer.status_code in (201, 409), answer.text
                body = answer.json()
                kept = body["revision"]["id"] if answer.status_code == 201 else body["saved_as"]["head"]
                acknowledged.append((mark, kept))
                if len(acknowledged) >= (round_ + 1) * 20:
                    enough.set()

    for round_ in range(KILLS):
        server.start()
        enough = threading.Event()
        threads = [threading.Thread(target=write, args=(number, round_, enough)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        assert enough.wait(120)
        server.kill()
        for thread in threads:
            thread.join()
    server.start()
    with httpx.Client(timeout=30) as client:
        for mark, kept in acknowledged:
            assert f" {mark} " in client.get(f"{server.url}/api/v1/revisions/{kept}").json()["text"]
    server.kill()
    assert len(acknowledged) >= KILLS * 20
    assert verify_database(workshop.database).faults == []
