"""What programs are told about the numbers of the rule, and what moderators send to change one."""

import pytest
from fastapi import FastAPI

from app.permissions import Role, Scope
from app.settings import Settings
from tests.conftest import POSTGRES_IN_SOAK, connect
from tests.contract.campaign import API
from tests.factories import Workshop

pytestmark = [pytest.mark.anyio, POSTGRES_IN_SOAK]

PROPOSAL = {"setting": "wait_routine", "value": 86_400, "reason": "Nights count too."}
OPEN = {
    "id": 1,
    "setting": "wait_routine",
    "value": 86_400,
    "reason": "Nights count too.",
    "state": "open",
    "proposed_at": "2026-11-22T09:00:00Z",
    "proposed_by": "north",
    "until": "2026-11-29T09:00:00Z",
    "ended_at": None,
    "confirmed_by": None,
    "ledger": None,
}
CONFIRMED = {
    **OPEN,
    "state": "confirmed",
    "ended_at": "2026-11-22T09:00:00Z",
    "confirmed_by": "south",
    "ledger": 2,
}


@pytest.fixture
def tokens(workshop: Workshop) -> list[str]:
    """Moderators of two chapters that count, and a third of the first one's."""
    for home in ("north", "south"):
        for _ in range(3):
            workshop.member(chapter=home)
    people = (("ada", "north"), ("bea", "south"), ("cy", "north"))
    moderators = [workshop.member(name, chapter=home, role=Role.MODERATOR) for name, home in people]
    return [workshop.token(person, Scope.MODERATE) for person in moderators]


async def test_everybody_can_ask_for_the_numbers_and_where_they_come_from(app: FastAPI, tokens: list[str]) -> None:
    async with connect(app) as everybody, connect(app, tokens[0]) as ada:
        before = (await everybody.get(f"{API}/rule")).json()
        assert before == {
            "rule": {
                "name": "three to one",
                "wait_routine": 43_200,
                "wait_rapid": None,
                "vote_lasts": 1_209_600,
                "rival_window": 86_400,
                "neighbour_wait": 3_600,
                "active_days": 14,
                "rapid_lasts": 172_800,
            },
            "seasoning": {"hours": 72, "vouches": 2, "founders": 10_000, "chapter_days": 14},
            "settings": before["settings"],
            "proposals": [],
        }
        assert [row["name"] for row in before["settings"]] == [
            *("wait_routine", "wait_rapid", "neighbour_wait", "rapid_lasts", "active_days"),
            *("seasoning_hours", "vouches", "founders", "chapter_days"),
        ]
        by_name = {row["name"]: row for row in before["settings"]}
        assert by_name["wait_routine"] == {
            "name": "wait_routine",
            "value": 43_200,
            "source": "default",
            "least": 0,
            "most": 2_592_000,
            "changed": None,
        }
        assert (by_name["founders"]["source"], by_name["founders"]["value"]) == ("environment", 10_000)
        assert (await ada.post(f"{API}/rule/changes", json=PROPOSAL)).status_code == 201
        after = (await everybody.get(f"{API}/rule")).json()
        assert (after["proposals"], after["rule"]) == ([OPEN], before["rule"])


async def test_two_moderators_of_different_chapters_change_a_number(app: FastAPI, tokens: list[str]) -> None:
    async with connect(app) as everybody, connect(app, tokens[0]) as ada, connect(app, tokens[1]) as bea:
        proposed = await ada.post(f"{API}/rule/changes", json=PROPOSAL)
        assert (proposed.status_code, proposed.json()) == (201, OPEN)
        assert proposed.headers["Location"] == f"{API}/rule/changes/1"
        alone = await ada.post(f"{API}/rule/changes/1/confirm")
        assert (alone.status_code, alone.json()["type"]) == (409, "/problems/conflict")
        confirmed = await bea.post(f"{API}/rule/changes/1/confirm")
        assert (confirmed.status_code, confirmed.json()) == (200, CONFIRMED)
        found = (await everybody.get(f"{API}/rule")).json()
        assert (found["rule"]["wait_routine"], found["proposals"]) == (86_400, [])
        assert (found["settings"][0]["source"], found["settings"][0]["changed"]) == ("moderators", CONFIRMED)
        entry = (await everybody.get(f"{API}/ledger/2")).json()["entry"]
        told = {name: entry[name] for name in ("kind", "basis", "reason", "by", "seasoning")}
        assert told == {
            "kind": "rule",
            "basis": "moderators",
            "reason": "Nights count too.",
            "by": ["north", "south"],
            "seasoning": {"hours": 72, "vouches": 2, "founders": 10_000, "chapter_days": 14},
        }
        assert entry["rule"]["wait_routine"] == 86_400


async def test_every_change_stays_in_the_list(app: FastAPI, tokens: list[str]) -> None:
    async with connect(app) as everybody, connect(app, tokens[0]) as ada, connect(app, tokens[1]) as bea:
        await ada.post(f"{API}/rule/changes", json=PROPOSAL)
        await bea.post(f"{API}/rule/changes", json={**PROPOSAL, "setting": "vouches", "value": 3})
        kept = await ada.delete(f"{API}/rule/changes/2")
        assert (kept.status_code, kept.json()["type"]) == (403, "/problems/not-allowed")
        taken = await ada.delete(f"{API}/rule/changes/1")
        assert (taken.status_code, taken.json()["state"]) == (200, "taken_back")
        first = (await everybody.get(f"{API}/rule/changes?limit=1")).json()
        rest = (await everybody.get(f"{API}/rule/changes?cursor={first['next']}")).json()
        told = [(row["setting"], row["state"]) for row in (*first["data"], *rest["data"])]
        assert told == [("vouches", "open"), ("wait_routine", "taken_back")]
        assert rest["next"] is None
        one = await everybody.get(f"{API}/rule/changes/1")
        assert (one.status_code, one.json()) == (200, rest["data"][0])
        again = await ada.delete(f"{API}/rule/changes/1")
        assert (again.status_code, again.json()["type"]) == (409, "/problems/conflict")
        missing = await everybody.get(f"{API}/rule/changes/9")
        assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize(
    ("body", "status", "pointer", "said"),
    [
        ({"value": 2_592_001}, 422, "/value", "from no time to 30 days"),
        ({"value": -1}, 422, "/value", "from no time to 30 days"),
        ({"value": None}, 422, "/value", "from no time to 30 days"),
        ({"setting": "vouches", "value": 11}, 422, "/value", "from 0 members to 10 members"),
        ({"setting": "database_url"}, 422, "/setting", "no number called “database_url”"),
        ({"reason": "  "}, 422, "/reason", "This is empty"),
        ({"value": 43_200}, 409, None, "It is 12 hours already"),
        ({"setting": "founders", "value": 9}, 409, None, "WORKSHOP_FOUNDERS"),
    ],
)
async def test_what_cannot_be_proposed_says_why(
    app: FastAPI, tokens: list[str], body: dict[str, object], status: int, pointer: str | None, said: str
) -> None:
    async with connect(app, tokens[0]) as ada:
        answer = await ada.post(f"{API}/rule/changes", json=PROPOSAL | body)
    problem = answer.json()
    assert (answer.status_code, said in problem["detail"] + str(problem.get("errors"))) == (status, True), problem
    if pointer:
        assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_only_moderators_change_the_rule(app: FastAPI, workshop: Workshop, settings: Settings) -> None:
    member = workshop.token(workshop.member("mo", role=Role.WRITER), *Scope)
    async with connect(app, member) as mo:
        answer = await mo.post(f"{API}/rule/changes", json=PROPOSAL)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
        assert "moderators" in answer.json()["detail"]
