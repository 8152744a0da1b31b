"""The ledger in answers."""

import json
from typing import Annotated, Any

from fastapi import Path
from pydantic import Field

from app.ledger.models import LedgerEntry
from app.web.schemas import A_SHA256, MAX_ID, Out

PathSequence = Annotated[int, Path(ge=1, le=MAX_ID, description="An entry's number.", examples=[2])]

_EXAMPLE: dict[str, Any] = {
    "sequence": 2,
    "previous": A_SHA256,
    "at": "2026-11-22T14:32:05.000000Z",
    "kind": "promoted",
    "page": "housing",
    "page_id": 1,
    "text": A_SHA256,
    "base": None,
    "basis": "consensus",
    "mode": "routine",
    "rule": {
        "name": "three to one",
        "wait_routine": 43200,
        "wait_rapid": None,
        "vote_lasts": 1209600,
        "rival_window": 86400,
        "neighbour_wait": 3600,
        "active_days": 14,
    },
    "seasoning": None,
    "electorate": 30,
    "tallies": [
        {"chapter": "north", "members": 12, "support": 4, "oppose": 1, "pass": 0},
        {"chapter": "at large", "members": 18, "support": 5, "oppose": 0, "pass": 2},
    ],
    "opened_at": "2026-11-21T19:00:00.000000Z",
    "passing_since": "2026-11-22T02:32:05.000000Z",
    "not_before": None,
    "waits_until": "2026-11-22T14:32:05.000000Z",
    "score": "4/7",
    "to_beat": [],
    "carried_from": [],
    "reason": "",
    "until": None,
    "by": [],
    "since": None,
}


class LedgerRow(Out):
    """One entry. `leaf` is SHA-256 of a zero byte and the entry as canonical JSON, `entry` what was hashed."""

    sequence: int = Field(examples=[2], description="Counts all entries from 1, without gaps.")
    leaf: str = Field(examples=[A_SHA256], description="The entry's leaf in the Merkle tree of RFC 6962.")
    entry: dict[str, Any] = Field(examples=[_EXAMPLE], description="Its fields, explained in docs/ledger.md.")

    @classmethod
    def of(cls, row: LedgerEntry) -> "LedgerRow":
        return cls(sequence=row.sequence, leaf=row.leaf, entry=json.loads(row.body))
