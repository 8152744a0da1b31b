"""Sections that are channels come with what they count."""

import pytest
from fastapi import FastAPI

from app.permissions import Role
from tests.conftest import connect
from tests.contract.campaign import API
from tests.factories import Workshop

pytestmark = pytest.mark.anyio

TEXT = """# Rents

## Topline

Everyone needs a home.

## SMS

Hi {first_name}, it’s Ada of the Tenants. Will you vote on 4 May? Reply YES or STOP.

## Social post

Homes for people 👩‍👩‍👧, not for profit.

## Phone script

Hello, is this {first_name}? My name is Ada.

## E-mail

Subject: Rents
Preheader: What we ask for

Dear {first_name},

rents rose again.

## 30-second speech

Everyone needs a home.
"""

SMS = {
    "kind": "sms",
    "counts": {
        "encoding": "ucs2",
        "parts": 2,
        "units": 92,
        "room": 134,
        "usual": {"encoding": "ucs2", "parts": 2, "units": 92, "room": 134},
        "characters": 92,
        "words": 17,
        "outside": [{"character": "’", "count": 1, "instead": "'"}],
    },
    "warnings": [
        {"code": "encoding", "detail": "1 curly quote makes this 2 texts instead of 1."},
    ],
}
OTHERS = {
    "topline": None,
    "social-post": {"kind": "social", "counts": {"characters": 35, "words": 6}, "warnings": []},
    "phone-script": {"kind": "script", "counts": {"words": 8, "seconds": 4}, "warnings": []},
    "e-mail": {"kind": "email", "counts": {"subject": 5, "preheader": 15, "words": 5}, "warnings": []},
    "30-second-speech": {"kind": "speech", "counts": {"words": 4, "seconds": 2}, "warnings": []},
}


@pytest.fixture
def approved(workshop: Workshop) -> None:
    ada = workshop.member("ada", chapter="north", role=Role.WRITER)
    head = workshop.shared_head(workshop.page(ada, "Rents", TEXT))
    workshop.vote(ada, head)
    workshop.vote(workshop.member("ben", chapter="south"), head)


@pytest.mark.usefixtures("approved")
async def test_each_channel_counts_in_the_text_in_the_list_and_alone(app: FastAPI) -> None:
    path = f"{API}/pages/rents/approved"
    async with connect(app) as client:
        whole = (await client.get(path)).json()["sections"]
        listed = (await client.get(f"{path}/sections")).json()
        alone = (await client.get(f"{path}/sections/sms")).json()
    expected = {"sms": SMS, **OTHERS}
    for rows in (whole, listed):
        assert {row["key"]: row["channel"] for row in rows} == expected
    assert alone["channel"] == SMS
