"""One writer at a time on SQLite, each in its turn."""

import threading
from pathlib import Path

import pytest

from app.database import WriteLock


def test_who_waits_gets_the_lock_before_who_lets_go_of_it_and_wants_it_again(tmp_path: Path) -> None:
    lock, order = WriteLock(tmp_path / "lock"), list[str]()

    def wait_for_it(name: str) -> None:
        with lock:
            order.append(name)

    members = [threading.Thread(target=wait_for_it, args=(name,)) for name in ("first", "second")]
    with lock:
        for number, member in enumerate(members, start=1):
            member.start()
            while lock.waiting < number:
                pass
    with lock:  # at once, as the follower does
        order.append("follower")
    for member in members:
        member.join()
    assert order == ["first", "second", "follower"]


def test_never_two_at_once(tmp_path: Path) -> None:
    lock, inside, most = WriteLock(tmp_path / "lock"), list[int](), list[int]()

    def work(number: int) -> None:
        for _round in range(50):
            with lock:
                inside.append(number)
                most.append(len(inside))
                inside.pop()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(most) == 400
    assert set(most) == {1}


def test_what_fails_inside_lets_go_of_it(tmp_path: Path) -> None:
    lock = WriteLock(tmp_path / "lock")
    with pytest.raises(OSError, match="disk full"), lock:
        raise OSError("disk full")
    done = threading.Event()

    def take() -> None:
        with lock:
            done.set()

    threading.Thread(target=take, daemon=True).start()
    assert done.wait(10)
