"""Requests made up from the OpenAPI document, and what of the answers does not fit it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

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
    "negative_data_rejection",
)


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
    chosen: Sequence[str] = (),
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
            "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
            "phases": {name: {"enabled": name in phases} for name in PHASES},
            "operations": [{"include-operation-id": "follow_stream", "request-timeout": 0.3}],
        }
    )
    schema = schemathesis.openapi.from_dict(app.openapi(), config=config)
    if chosen:
        schema = schema.include(operation_id=list(chosen))
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
                case = recorder.cases[case_id].value
                key = f"{check.name} {case.operation.label}: {check.failure_info.failure.title}"
                sent = check.failure_info.code_sample
                found.wrong.setdefault(key, f"{check.failure_info.failure.message[:600]}\n{sent[:800]}")
