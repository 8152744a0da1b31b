"""A page that went through everything: the checks from inside and from outside call it good at every step."""

from collections.abc import Callable
from pathlib import Path
from shutil import copy

import pytest

from app.consensus import ledger, rapid, stopping
from app.consensus.models import Value
from app.ledger import service
from app.main import create_app
from app.pages.models import Page
from app.permissions import Actor, Role
from app.transfer.verification import verify_database
from tests.conftest import MovableClock
from tests.factories import Workshop
from tests.ledger.campaign import look_from_outside, served, settings_of

pytestmark = pytest.mark.xdist_group("ledger")


class Life:
    """Housing, its members and its two moderators."""

    def __init__(self, workshop: Workshop, clock: MovableClock) -> None:
        self.workshop, self.clock = workshop, clock
        self.members = [workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.WRITER) for n in range(8)]
        self.ada = workshop.member("ada", chapter="north", role=Role.MODERATOR)
        self.bea = workshop.member("bea", chapter="south", role=Role.MODERATOR)
        self.page: Page = workshop.page(self.members[0])
        self.rents = workshop.page(self.members[0], "Rents", "Rents rose.\n")

    def choose(self, revision_id: int | None, members: list[Actor], value: Value = Value.SUPPORT) -> int:
        for member in members:
            self.workshop.vote(member, revision_id or 0, value)
        return revision_id or 0

    def approve(self, *change: tuple[str, str], hours: float = 30) -> int:
        fork = self.workshop.fork(self.members[0], self.page, *change)
        found = self.choose(fork.head_id, self.members[:5])
        self.pass_time(hours)
        return found

    def pass_time(self, hours: float) -> None:
        self.clock.move(hours=hours)
        self.workshop.follow()
        self.workshop.follow()

    def moderate(self, what: Callable[..., stopping.Done], actor: Actor, **more: object) -> None:
        with self.workshop.writing() as session:
            what(session, actor, self.page, **{"reason": "The figure is wrong.", **more})

    def live(self) -> None:
        first = self.choose(self.workshop.shared_head(self.page), self.members[:5])
        self.pass_time(30)
        twenty = self.approve(("10,000", "20,000"))
        self.choose(twenty, self.members[1:7], Value.OPPOSE)
        self.pass_time(2)  # it lost its approval
        self.moderate(stopping.hold, self.ada)
        self.pass_time(5)  # the hold ended by itself
        self.moderate(stopping.hold, self.bea)
        self.moderate(stopping.release, self.ada)
        thirty = self.approve(("10,000", "30,000"))
        self.moderate(stopping.correct, self.ada, revision_id=first)
        waiting = self.choose(
            self.workshop.fork(self.members[0], self.page, ("three times", "four times")).head_id, self.members[:5]
        )
        self.moderate(stopping.hold, self.ada)
        self.moderate(stopping.correct, self.bea, revision_id=waiting)
        self.pass_time(5)  # the hold would have ended by itself, but the correction ended it
        self.moderate(stopping.withdraw, self.ada, replacement="rents")
        self.moderate(stopping.restore, self.ada)
        self.moderate(stopping.restore, self.bea)
        with self.workshop.writing() as session:
            rapid.call(session, self.members[0], self.page)
        with self.workshop.writing() as session:
            rapid.call(session, self.members[1], self.page)
        hasty = self.approve(("Renters get", "All renters get"), hours=0.3)
        self.choose(hasty, self.members[5:7], Value.OPPOSE)
        self.pass_time(60)  # it did not last, and went back
        assert thirty != hasty
        alone = self.choose(self.workshop.shared_head(self.rents), self.members[:5])
        self.pass_time(2)
        self.choose(alone, self.members[:7], Value.OPPOSE)
        self.pass_time(2)  # nothing to go back to: contested
        self.choose(alone, self.members)
        self.pass_time(2)  # approved again


KINDS = [
    *("rule", "promoted", "promoted", "unpromoted", "held", "released", "held", "released", "promoted", "corrected"),
    *("held", "corrected", "withdrawn", "restored", "promoted", "unpromoted", "promoted", "unpromoted", "promoted"),
]


def test_everything_that_can_happen_to_a_text_is_entered_and_checks_out(sqlite_template: Path, tmp_path: Path) -> None:
    copy(sqlite_template, tmp_path / "workshop.db")
    clock = MovableClock()
    settings = settings_of(tmp_path).model_copy(update={"wait_rapid": 900})
    app = create_app(settings, clock=clock, follow=False)
    ledger.begin(app.state.database)
    Life(Workshop(app.state.database, app.state.follower), clock).live()
    with app.state.database.transaction(writing=False) as session:
        assert [entry.kind for entry in service.list_after(session, 0, limit=200)] == KINDS
    assert verify_database(app.state.database).faults == []
    app.state.database.dispose()
    with served(tmp_path) as address:
        assert look_from_outside(address) == (
            0,
            "Good: every entry, decision, text and signature is as it should be.\n",
        )
