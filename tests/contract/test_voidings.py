"""What moderators send to void a member's votes, and what they are told."""

import pytest
from fastapi import FastAPI

from app.permissions import Role, Scope
from tests.conftest import POSTGRES_IN_SOAK, connect
from tests.contract.campaign import API
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]

WISH = {"member": "Vera", "void": True, "reason": "Five accounts of one person."}
ASKED = {
    "id": 1,
    "member": "Vera",
    "void": True,
    "reason": "Five accounts of one person.",
    "state": "asked",
    "asked_at": "2026-11-22T09:00:00Z",
    "asked_by": "north",
    "until": "2026-11-29T09:00:00Z",
    "done_at": None,
    "confirmed_by": None,
    "ledger": None,
}
DONE = {**ASKED, "state": "done", "done_at": "2026-11-22T09:00:00Z", "confirmed_by": "south", "ledger": 2}


@pytest.fixture
def tokens(workshop: Workshop) -> list[str]:
    """Moderators of two chapters that count, and a member's, who is meant."""
    for home in ("north", "south"):
        for _ in range(4):
            workshop.member(chapter=home)
    vera = workshop.member("Vera", chapter="south")
    moderators = [
        workshop.member(name, chapter=home, role=Role.MODERATOR) for name, home in (("ada", "north"), ("bea", "south"))
    ]
    return [*(workshop.token(person, Scope.MODERATE) for person in moderators), workshop.token(vera, Scope.READ)]


async def test_two_moderators_void_votes_and_the_ledger_names_nobody(app: FastAPI, tokens: list[str]) -> None:
    async with connect(app) as everybody, connect(app, tokens[0]) as ada, connect(app, tokens[1]) as bea:
        first = await ada.post(f"{API}/voidings", json=WISH)
        assert (first.status_code, first.json()) == (202, ASKED)
        again = await ada.post(f"{API}/voidings", json=WISH)
        assert (again.status_code, again.json()["type"]) == (409, "/problems/conflict")
        second = await bea.post(f"{API}/voidings", json={"member": "vera", "void": True})
        assert (second.status_code, second.json()) == (200, DONE)
        entry = (await everybody.get(f"{API}/ledger/2")).json()["entry"]
        told = {name: entry[name] for name in ("kind", "basis", "reason", "by", "chapter", "page", "text")}
        assert told == {
            "kind": "voided",
            "basis": "moderators",
            "reason": "Five accounts of one person.",
            "by": ["north", "south"],
            "chapter": "south",
            "page": None,
            "text": None,
        }
        assert "Vera" not in str(entry)
    async with connect(app, tokens[2]) as vera:
        assert (await vera.get(f"{API}/me")).json()["votes_count_from"] is None


async def test_votes_are_given_back_the_same_way_and_all_stays_in_the_list(app: FastAPI, tokens: list[str]) -> None:
    async with connect(app, tokens[0]) as ada, connect(app, tokens[1]) as bea:
        await ada.post(f"{API}/voidings", json=WISH)
        await bea.post(f"{API}/voidings", json=WISH)
        back = {**WISH, "void": False, "reason": "They are five people."}
        assert (await bea.post(f"{API}/voidings", json=back)).status_code == 202
        done = await ada.post(f"{API}/voidings", json=back)
        assert (done.status_code, done.json()["asked_by"], done.json()["confirmed_by"]) == (200, "south", "north")
        assert (await ada.get(f"{API}/ledger/3")).json()["entry"]["kind"] == "given_back"
        first = (await ada.get(f"{API}/voidings?limit=1")).json()
        rest = (await ada.get(f"{API}/voidings?cursor={first['next']}")).json()
        assert [(row["void"], row["state"]) for row in (*first["data"], *rest["data"])] == [
            (False, "done"),
            (True, "done"),
        ]
        assert rest == {"data": [DONE], "next": None}


@pytest.mark.parametrize(
    ("sent", "status", "pointer"),
    [
        ({"reason": " "}, 422, "/reason"),
        ({"member": "ada"}, 422, "/member"),
        ({"member": "nobody"}, 404, None),
        ({"void": False}, 409, None),
        ({"void": 1}, 422, "/void"),
    ],
)
async def test_what_is_refused(
    app: FastAPI, tokens: list[str], sent: dict[str, object], status: int, pointer: str | None
) -> None:
    async with connect(app, tokens[0]) as ada:
        answer = await ada.post(f"{API}/voidings", json={**WISH, **sent})
    assert answer.status_code == status
    assert [fault["pointer"] for fault in answer.json().get("errors", [])] == ([pointer] if pointer else [])


async def test_only_moderators_read_the_list(app: FastAPI, tokens: list[str]) -> None:
    async with connect(app) as everybody, connect(app, tokens[2]) as vera:
        assert (await everybody.get(f"{API}/voidings")).status_code == 401
        assert (await vera.get(f"{API}/voidings")).status_code == 403
