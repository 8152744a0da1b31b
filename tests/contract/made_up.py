"""Requests made up from the OpenAPI document, and what of the answers does not fit it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from app.web.schemas import Json

PHASES = ("examples", "coverage", "fuzzing", "stateful")

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "ignored_auth",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "negative_data_rejection",
)
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "410", "413", "415", "422", "428", "429"]
"""What an answer may be to a request that the document does not allow; 413 where its body is too large as well."""


@dataclass
class Outcome:
    """How many requests each phase made, and what was wrong with which."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    wrong: dict[str, str] = field(default_factory=dict)


def try_made_up_requests(
    app: FastAPI,
    token: str | None,
    *,
    seed: int,
    examples: int,
    phases: Sequence[str] = PHASES,
    paths: Collection[str] = (),
    without: Collection[str] = (),
) -> Outcome:
    """Ask the program in this process whatever its document allows, and what it does not allow, as one caller."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": "http://workshop.test",
            "headers": {"Authorization": f"Bearer {token}"} if token else {},
            "continue-on-failure": True,
            "request-timeout": 20,
            "max-stream-events": 1,
            "checks": {
                "enabled": False,
                **{name: {"enabled": True} for name in CHECKS},
                "negative_data_rejection": {"enabled": True, "expected-statuses": REFUSALS},
            },
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
            "phases": {
                **{name: {"enabled": name in phases} for name in PHASES},
                "stateful": {"enabled": "stateful" in phases, "generation": {"max-examples": 5 * examples}},
            },
            "operations": [{"include-operation-id": "follow_stream", "request-timeout": 0.3}],
        }
    )
    schema = schemathesis.openapi.from_dict(_part(app.openapi(), paths, without), config=config)
    schema.app = app.state.front
    found = Outcome()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _count(event, found)
        elif isinstance(event, events.NonFatalError):
            found.wrong[f"{event.label}: {event.value}"] = ""
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


def _part(document: Json, paths: Collection[str], without: Collection[str]) -> Json:
    """The document with these paths alone, all where none is named, but without some."""
    kept = {path: it for path, it in document["paths"].items() if (not paths or path in paths) and path not in without}
    return {**document, "paths": kept}


def _count(event: Any, found: Outcome) -> None:
    recorder = event.recorder
    for case_id, interaction in recorder.interactions.items():
        case = recorder.cases[case_id].value
        found.cases[event.phase.value] += 1
        found.operations.add(case.operation.label)
        if interaction.response is not None:
            found.statuses[str(interaction.response.status_code)] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                key = f"{check.name} {recorder.cases[case_id].value.operation.label}"
                failure, request = check.failure_info.failure, check.failure_info.code_sample
                found.wrong.setdefault(key, f"{failure.title}\n{failure.message[:600]}\n{request[:800]}")
