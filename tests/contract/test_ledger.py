import base64
import hashlib
import json

import pytest

from app.ledger.notes import Statement, VerifierKey
from tests.conftest import connect
from tests.contract.campaign import API, HOUSING_NOW, Campaign
from tests.factories import HOUSING

pytestmark = pytest.mark.anyio


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def batched(leaves: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Neighbours two by two, without an odd one at the end."""
    return list(zip(leaves[::2], leaves[1::2], strict=False))


async def test_an_entry_holds_all_that_a_decision_rests_on(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        listed = (await client.get(f"{API}/ledger?after=2&limit=1")).json()
        before = (await client.get(f"{API}/ledger/2")).json()
    entry = {
        "sequence": 3,
        "previous": before["leaf"],
        "at": "2026-11-23T15:00:00.500000Z",
        "kind": "promoted",
        "page": "housing",
        "page_id": 1,
        "text": sha256_of(HOUSING_NOW),
        "base": sha256_of(HOUSING),
        "basis": "consensus",
        "mode": "routine",
        "rule": {
            "name": "three to one",
            "wait_routine": 0,
            "wait_rapid": None,
            "vote_lasts": 1209600,
            "rival_window": 86400,
            "neighbour_wait": 3600,
            "active_days": 14,
            "rapid_lasts": 172800,
        },
        "seasoning": None,
        "electorate": 3,
        "tallies": [{"chapter": "at large", "members": 3, "support": 2, "oppose": 0, "pass": 0}],
        "opened_at": "2026-11-23T15:00:00.500000Z",
        "passing_since": "2026-11-23T15:00:00.500000Z",
        "not_before": None,
        "waits_until": "2026-11-23T15:00:00.500000Z",
        "score": "1/2",
        "to_beat": [],
        "carried_from": [],
        "reason": "",
        "until": None,
        "by": [],
        "since": None,
        "chapter": None,
    }
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    leaf = hashlib.sha256(b"\x00" + canonical).hexdigest()
    assert listed == {"data": [{"sequence": 3, "leaf": leaf, "entry": entry}], "next": "3"}


async def test_the_ledger_begins_with_the_rule_and_is_read_in_order_to_its_end(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        whole = (await client.get(f"{API}/ledger?limit=200")).json()
        first = await client.get(f"{API}/ledger?limit=2")
        rest = (await client.get(f"{API}/ledger?limit=200&after={first.json()['next']}")).json()
        beyond = (await client.get(f"{API}/ledger?after=1000")).json()
    kinds = [(row["sequence"], row["entry"]["kind"], row["entry"]["page"]) for row in whole["data"]]
    assert kinds == [
        (1, "rule", None),
        (2, "promoted", "housing"),
        (3, "promoted", "housing"),
        (4, "promoted", "long"),
        (5, "promoted", "marked"),
    ]
    assert [*first.json()["data"], *rest["data"]] == whole["data"]
    assert "after=2" in first.headers["Link"]
    assert whole["next"] is None
    assert beyond == {"data": [], "next": None}


async def test_the_checkpoint_covers_every_entry_and_is_signed_with_the_key(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        note = await client.get(f"{API}/ledger/checkpoint")
        key = await client.get(f"{API}/ledger/key")
        rows = (await client.get(f"{API}/ledger?limit=200")).json()["data"]
    assert note.headers["Content-Type"] == key.headers["Content-Type"] == "text/plain; charset=utf-8"
    verifier = VerifierKey.from_text(key.text)
    said = Statement.from_text(verifier.open(note.text))
    assert (verifier.name, said.origin, said.size) == ("workshop.test/ledger", "workshop.test/ledger", len(rows))
    assert said.at == rows[-1]["entry"]["at"]
    leaves = [bytes.fromhex(row["leaf"]) for row in rows]
    while len(leaves) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + b"".join(leaves[at : at + 2])).digest() for at in range(0, len(leaves) - 1, 2)
        ]
        leaves = pairs + leaves[len(leaves) - len(leaves) % 2 :]
    assert note.text.split("\n")[2] == base64.b64encode(leaves[0]).decode()


async def test_approvals_and_approved_texts_lead_to_their_entry(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        approvals = (await client.get(f"{API}/pages/housing/approvals")).json()["data"]
        approved = (await client.get(f"{API}/pages/housing/approved")).json()
        entry = (await client.get(approved["links"]["ledger"])).json()
    assert [row["ledger"] for row in approvals] == [3, 2]
    assert (entry["sequence"], entry["entry"]["text"]) == (3, approved["revision"]["sha256"])


@pytest.mark.parametrize("address", ["/ledger/6", "/ledger/2147483647"])
async def test_there_is_nothing_beyond_the_end(campaign: Campaign, address: str) -> None:
    async with connect(campaign.app) as client:
        answer = await client.get(f"{API}{address}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-ledger-entry")


@pytest.mark.parametrize("query", ["after=-1", "after=one", "since=1", "limit=201", "after=1&after=2"])
async def test_a_place_that_cannot_be_is_refused(campaign: Campaign, query: str) -> None:
    async with connect(campaign.app) as client:
        assert (await client.get(f"{API}/ledger?{query}")).status_code == 422


async def test_nobody_is_named_in_the_ledger(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        said = (await client.get(f"{API}/ledger?limit=200")).text
    assert not any(name in said for name in ("anna", "bob", "cara"))
