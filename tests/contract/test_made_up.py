"""Requests made up from the OpenAPI document, allowed and not, are answered as it says, whoever asks."""

import secrets
import sys
from collections import Counter
from collections.abc import Collection

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from app.main import create_app
from app.permissions import Scope
from app.settings import Settings
from tests.conftest import ON_SQLITE_ALONE, MovableClock, reuse_compiled_statements
from tests.contract.campaign import Campaign, fill
from tests.contract.made_up import PHASES, Outcome, try_made_up_requests
from tests.factories import Workshop

pytestmark = pytest.mark.xdist_group("made up")  # to write the document and to load what reads it takes seconds

FEW = (
    "/api/v1/pages/{slug}/approved/sections/{key}.{form}",
    "/api/v1/drafts/{draft_id}/join",
    "/api/v1/drafts/{draft_id}/withdraw",
)
ENDS_ITS_OWN_TOKEN = "/api/v1/tokens/{token_id}"
LEVELS: dict[str, tuple[Scope, ...]] = {
    "nobody": (),
    "read": (Scope.READ,),
    "write": (Scope.READ, Scope.WRITE),
    "all": tuple(Scope),
}
LEAST_CASES = 5_000


@pytest.fixture
def own(settings: Settings, clock: MovableClock) -> Campaign:
    """A filled campaign to write to."""
    app = create_app(settings.model_copy(update={"wait_routine": 0}), clock=clock, follow=False)
    reuse_compiled_statements(app.state.database)
    return fill(app, clock)


def try_as(campaign: Campaign, level: str, *, seed: int, examples: int, paths: Collection[str] = ()) -> Outcome:
    workshop = Workshop(campaign.app.state.database, campaign.app.state.follower)
    token = workshop.token(campaign.owner, *LEVELS[level]) if LEVELS[level] else None
    without = [ENDS_ITS_OWN_TOKEN] if level == "all" else []
    return try_made_up_requests(campaign.app, token, seed=seed, examples=examples, paths=paths, without=without)


@ON_SQLITE_ALONE
@pytest.mark.parametrize("level", ["nobody", pytest.param("read", marks=pytest.mark.soak), "write"])
def test_answers_are_as_the_document_says(own: Campaign, level: str) -> None:
    found = try_as(own, level, seed=1, examples=1, paths=FEW)
    assert found.wrong == {}
    assert set(found.cases) == set(PHASES), "a phase made no request"
    assert len(found.operations) == len(FEW)


@pytest.mark.soak
@ON_SQLITE_ALONE
@pytest.mark.parametrize("level", LEVELS)
def test_thousands_of_answers_are_as_the_document_says(own: Campaign, level: str) -> None:
    """Another seed each time, told when something is wrong."""
    seed = secrets.randbelow(2**31)
    found = try_as(own, level, seed=seed, examples=10)
    sys.stdout.write(f"\n{level}, seed {seed}: {dict(found.cases)}, {dict(found.statuses)}\n")  # shown with -s
    assert found.wrong == {}, f"with the seed {seed}"
    assert sum(found.cases.values()) * len(LEVELS) >= LEAST_CASES
    assert set(found.cases) == set(PHASES)


class Row(BaseModel):
    """What a faulty program promises."""

    id: int


def faulty() -> FastAPI:
    """A program whose answers are not those of its document, each in another way."""
    app = FastAPI()
    app.state.front = app

    @app.get("/broken", response_model=Row)
    def broken(number: int) -> Response:
        return Response(status_code=500 if number > 0 else 200, content='{"id": 1}', media_type="application/json")

    @app.get("/status", response_model=Row)
    def status() -> Response:
        return Response(status_code=418, content='{"id": 1}', media_type="application/json")

    @app.get("/body", response_model=Row)
    def body() -> Response:
        return Response('{"id": "one"}', media_type="application/json")

    @app.get("/type", response_model=Row)
    def type_() -> Response:
        return PlainTextResponse("1")

    @app.get("/open", response_model=Row, openapi_extra={"security": [{"bearer": []}]})
    def open_() -> Row:
        return Row(id=1)

    @app.get("/lax", response_model=Row, openapi_extra={"parameters": [LIMIT]})
    def lax() -> Row:
        return Row(id=1)

    document = app.openapi()
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return app


LIMIT = {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer", "maximum": 200}}


def test_each_kind_of_fault_would_be_seen() -> None:
    found = try_made_up_requests(faulty(), "mw_token", seed=1, examples=5, phases=["coverage", "fuzzing"])
    assert {
        "not_a_server_error GET /broken",
        "status_code_conformance GET /status",
        "response_schema_conformance GET /body",
        "content_type_conformance GET /type",
        "ignored_auth GET /open",
        "negative_data_rejection GET /lax",
    } <= found.wrong.keys()
    seen = Counter(key.split()[2] for key in found.wrong)
    assert set(seen) == {"/broken", "/status", "/body", "/type", "/open", "/lax"}
