"""A filled campaign for the tests that only read."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI

from app.consensus.models import Value
from app.pages import service as pages
from app.permissions import Actor, Role, Scope
from tests.conftest import MovableClock
from tests.factories import HOUSING, Workshop

API = "/api/v1"
LONG = "# Long\n\n" + "\n\n".join(f"Paragraph {number} says something of its own." for number in range(60)) + "\n"
MARKED = """# Housing

## Topline

A **home** for [all][homes].

- rent
- *own*

## Notes

More of [it][homes].

[homes]: https://example.org/homes
"""


@dataclass(frozen=True, slots=True)
class Campaign:
    """`housing` was approved twice, `long` and `marked` once; `schools` never; `traffic` is called `transport` now.

    `fork` is an open draft of housing by `owner` with the candidate `candidate`, `second` its approved revision.
    """

    app: FastAPI
    first_at: datetime
    second_at: datetime
    first: int
    second: int
    fork: int
    candidate: int
    token: str
    owner: Actor


def fill(app: FastAPI, clock: MovableClock) -> Campaign:
    """Three members vote on what they wrote; waiting times are 0."""
    workshop = Workshop(app.state.database, app.state.follower)
    anna = workshop.member("anna", chapter="north", role=Role.WRITER)
    bob, cara = workshop.member("bob", chapter="north"), workshop.member("cara", chapter="south", role=Role.ADMIN)
    housing = workshop.page(anna)
    first, first_at = workshop.shared_head(housing), clock.moment
    workshop.vote(anna, first)
    workshop.vote(bob, first)
    clock.move(hours=30, milliseconds=500)  # times are told in whole seconds
    winner, second_at = workshop.fork(bob, housing, ("10,000", "12,000")), clock.moment
    workshop.vote(anna, winner.head_id or 0)
    workshop.vote(bob, winner.head_id or 0)
    clock.move(hours=1)
    for title, text in (("Long", LONG), ("Marked", MARKED)):
        page = workshop.page(anna, title, text)
        workshop.vote(anna, workshop.shared_head(page))
        workshop.vote(bob, workshop.shared_head(page))
    workshop.page(anna, "Schools", "# Schools\n\nEvery child gets a place.\n")
    workshop.page(anna, "Traffic", "Trains run on time.\n")
    fork = workshop.fork(cara, housing, ("Anna moved", "Anna had to move"))
    workshop.vote(cara, fork.head_id or 0)
    workshop.vote(bob, fork.head_id or 0, Value.OPPOSE)
    with workshop.writing() as session:
        pages.rename_page(session, anna, "housing", tags=["homes", "cost"])
        pages.rename_page(session, anna, "traffic", new_slug="transport")
    return Campaign(
        app=app,
        first_at=first_at,
        second_at=second_at,
        first=first,
        second=winner.head_id or 0,
        fork=fork.id,
        candidate=fork.head_id or 0,
        token=workshop.token(anna, Scope.READ, Scope.WRITE),
        owner=cara,
    )


HOUSING_NOW = HOUSING.replace("10,000", "12,000")
