"""Two moderators change a number of the rule: who may, what it touches, and what is on record."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from app.accounts import seasoning
from app.accounts import service as accounts
from app.accounts.models import RuleChange, User
from app.consensus import decisions, ledger, rule_changes
from app.consensus.rule_changes import Change, ChangeState
from app.database import Database
from app.errors import Conflict, DomainError, NotAllowed, Refused
from app.ledger.models import LedgerEntry
from app.main import open_database
from app.permissions import Actor, Role
from app.settings import Settings
from app.transfer.verification import verify_database
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import Workshop

pytestmark = POSTGRES_IN_SOAK

DAY = 86_400


@pytest.fixture
@made_once
def members(workshop: Workshop) -> list[Actor]:
    """Two chapters of four, each of which counts; the first of each is a moderator, and the second of north."""
    roles = {("north", 0): Role.MODERATOR, ("north", 1): Role.ADMIN, ("south", 0): Role.MODERATOR}
    return [
        workshop.member(f"{home}-{n}", chapter=home, role=roles.get((home, n), Role.WRITER))
        for home in ("north", "south")
        for n in range(4)
    ]


@pytest.fixture
def ada(members: list[Actor]) -> Actor:
    return members[0]


@pytest.fixture
def bea(members: list[Actor]) -> Actor:
    return members[4]


def propose(workshop: Workshop, actor: Actor, value: int | None = DAY, name: str = "wait_routine") -> Change:
    with workshop.writing() as session:
        return rule_changes.propose(session, actor, name, value, reason="Nights count too.")


def confirm(workshop: Workshop, actor: Actor, change: Change) -> Change:
    with workshop.writing() as session:
        return rule_changes.confirm(session, actor, change.proposal.id)


def ask(database: Database, question: Callable[[Session], Any]) -> Any:
    with database.transaction(writing=False) as session:
        return question(session)


def wait_of(database: Database) -> int:
    rule = ask(database, decisions.rule_in_force)
    return int(rule.wait_routine)


def states(workshop: Workshop) -> list[ChangeState]:
    return [change.state for change in ask(workshop.database, rule_changes.list_changes)]


def rules_told(workshop: Workshop) -> list[dict[str, Any]]:
    with workshop.reading() as session:
        rows = session.exec(select(LedgerEntry.body).order_by(col(LedgerEntry.sequence))).all()
    return [body for body in map(json.loads, rows) if body["kind"] == "rule"]


def test_a_change_holds_once_a_moderator_of_another_chapter_confirms_it(
    workshop: Workshop, ada: Actor, bea: Actor
) -> None:
    proposed = propose(workshop, ada)
    assert (wait_of(workshop.database), states(workshop)) == (43_200, [ChangeState.OPEN])
    confirmed = confirm(workshop, bea, proposed)
    assert (wait_of(workshop.database), confirmed.state) == (DAY, ChangeState.CONFIRMED)
    assert verify_database(workshop.database).faults == []


def test_nobody_confirms_their_own_and_none_of_the_same_chapter(workshop: Workshop, members: list[Actor]) -> None:
    proposed = propose(workshop, members[0])
    for actor, said in ((members[0], "You proposed this"), (members[1], "of your own chapter")):
        with pytest.raises(Conflict, match=said):
            confirm(workshop, actor, proposed)
    for actor in (members[2], members[6]):
        with pytest.raises(NotAllowed, match="moderators"):
            confirm(workshop, actor, proposed)
        with pytest.raises(NotAllowed, match="moderators"):
            propose(workshop, actor, 60)
    assert wait_of(workshop.database) == 43_200


def test_where_one_chapter_counts_any_two_moderators_can(workshop: Workshop) -> None:
    ada, bea = (workshop.member(chapter="north", role=Role.MODERATOR) for _ in range(2))
    proposed = propose(workshop, ada)
    with pytest.raises(Conflict, match="You proposed this"):
        confirm(workshop, ada, proposed)
    confirm(workshop, bea, proposed)
    assert wait_of(workshop.database) == DAY


def test_who_is_no_moderator_any_more_changes_nothing(workshop: Workshop, ada: Actor, bea: Actor) -> None:
    proposed = propose(workshop, ada)
    with workshop.writing() as session:
        accounts.set_role(session, session.get_one(User, ada.id), Role.MEMBER)
    with pytest.raises(Conflict, match="no moderator any more"):
        confirm(workshop, bea, proposed)
    assert wait_of(workshop.database) == 43_200


@pytest.mark.parametrize("name", ["founders", "wait_routine"])
def test_what_the_environment_gives_nobody_changes(
    workshop: Workshop, settings: Settings, clock: MovableClock, ada: Actor, bea: Actor, name: str
) -> None:
    proposed = propose(workshop, ada)
    fixed = settings.model_copy(update={"wait_routine": 60})
    database = open_database(Settings(**fixed.model_dump(exclude_unset=True)), clock=clock)
    elsewhere = Workshop(database, workshop.follower)
    with pytest.raises(Conflict, match=f"WORKSHOP_{name.upper()}"):
        propose(elsewhere, ada, 5, name)
    with pytest.raises(Conflict, match="WORKSHOP_WAIT_ROUTINE"):
        confirm(elsewhere, bea, proposed)
    confirm(workshop, bea, proposed)
    assert (wait_of(workshop.database), wait_of(database)) == (DAY, 60), "the environment wins over what was saved"
    database.dispose()


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("wait_routine", 0, 30 * DAY),
        ("wait_rapid", 0, DAY),
        ("neighbour_wait", 0, 7 * DAY),
        ("rapid_lasts", 3_600, 14 * DAY),
        ("active_days", 1, 365),
        ("seasoning_hours", 0, 720),
        ("vouches", 0, 10),
        ("chapter_days", 0, 365),
    ],
)
def test_every_number_has_limits_and_takes_effect_within_them(
    workshop: Workshop, ada: Actor, bea: Actor, name: str, least: int, most: int
) -> None:
    for value in (least - 1, most + 1):
        with pytest.raises(Refused, match="can be from") as refused:
            propose(workshop, ada, value, name)
        assert refused.value.pointer == "/value"
    for value in (most, least):
        confirm(workshop, bea, propose(workshop, ada, value, name))
        assert ask(workshop.database, rule_changes.values_in_force)[name] == value
    assert verify_database(workshop.database).faults == []


def test_rapid_waiting_can_go_back_to_its_tiers(workshop: Workshop, ada: Actor, bea: Actor) -> None:
    confirm(workshop, bea, propose(workshop, ada, 600, "wait_rapid"))
    confirm(workshop, ada, propose(workshop, bea, None, "wait_rapid"))
    assert ask(workshop.database, decisions.rule_in_force).wait_rapid is None
    with pytest.raises(Refused):
        propose(workshop, ada, None)
    assert verify_database(workshop.database).faults == []


def test_another_process_goes_by_it_from_its_next_transaction_on(
    workshop: Workshop, settings: Settings, clock: MovableClock, ada: Actor, bea: Actor
) -> None:
    other = open_database(settings, clock=clock)
    confirm(workshop, bea, propose(workshop, ada))
    assert wait_of(other) == DAY
    confirm(workshop, ada, propose(workshop, bea, 5, "vouches"))
    assert (wait_of(other), ask(other, seasoning.seasoning_of).vouches) == (DAY, 5)
    elsewhere = Workshop(other, workshop.follower)
    confirm(elsewhere, bea, propose(elsewhere, ada, 60))
    assert wait_of(workshop.database) == 60
    other.dispose()


def test_an_open_vote_keeps_its_rule_and_later_ones_have_the_new(
    workshop: Workshop, clock: MovableClock, members: list[Actor]
) -> None:
    pages = [workshop.page(members[0], title) for title in ("Housing", "Schools")]
    for voter in (members[0], members[4], members[5]):
        workshop.vote(voter, workshop.shared_head(pages[0]))
    confirm(workshop, members[4], propose(workshop, members[0]))
    for voter in (members[0], members[4], members[5]):
        workshop.vote(voter, workshop.shared_head(pages[1]))
    clock.move(hours=13)
    workshop.follow()
    assert [workshop.approved_text(page) is not None for page in pages] == [True, False]
    clock.move(hours=12)
    workshop.follow()
    assert workshop.approved_text(pages[1])
    assert verify_database(workshop.database).faults == []


def test_the_ledger_tells_at_once_with_both_chapters_and_never_who(workshop: Workshop, ada: Actor, bea: Actor) -> None:
    ledger.begin(workshop.database)
    proposed = propose(workshop, ada, 3, "vouches")
    assert len(rules_told(workshop)) == 1
    confirmed = confirm(workshop, bea, proposed)
    before, after = rules_told(workshop)
    assert (after["basis"], after["by"], after["reason"]) == ("moderators", ["north", "south"], "Nights count too.")
    assert (before["seasoning"]["vouches"], after["seasoning"]["vouches"]) == (2, 3)
    assert after["rule"] == before["rule"]
    assert confirmed.end is not None
    assert confirmed.end.entry == after["sequence"]
    assert not any(person.name in json.dumps(after) for person in (ada, bea))
    with workshop.writing() as session:
        ledger.note_rule(session)
    assert len(rules_told(workshop)) == 2, "it was told already"


def test_a_change_that_is_rolled_back_leaves_no_entry(workshop: Workshop, ada: Actor, bea: Actor) -> None:
    ledger.begin(workshop.database)
    proposed = propose(workshop, ada)

    def confirm_and_fail() -> None:
        with workshop.writing() as session:
            rule_changes.confirm(session, bea, proposed.proposal.id)
            raise RuntimeError("power is gone")

    with pytest.raises(RuntimeError, match="power"):
        confirm_and_fail()
    assert (wait_of(workshop.database), len(rules_told(workshop))) == (43_200, 1)


def test_of_two_who_confirm_at_once_one_does(workshop: Workshop, members: list[Actor]) -> None:
    others = [workshop.member(chapter="south", role=Role.MODERATOR) for _ in range(3)]
    proposed = propose(workshop, members[0])

    def try_it(actor: Actor) -> str:
        try:
            return confirm(workshop, actor, proposed).state
        except DomainError as error:
            return error.detail

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(try_it, [members[4], *others]))
    assert sorted(said)[-1] == "confirmed"
    assert [words.startswith("This was confirmed already") for words in said].count(True) == 3
    assert [told["basis"] for told in rules_told(workshop)] == ["settings", "moderators"]
    assert verify_database(workshop.database).faults == []


def test_a_vote_that_waited_for_its_turn_does_not_tell_the_old_rule_again(
    workshop: Workshop, database: Database, ada: Actor, bea: Actor
) -> None:
    ledger.begin(database)
    proposed = propose(workshop, ada)
    if database.is_sqlite:
        pytest.skip("one writer at a time")
    with workshop.writing() as session:
        assert decisions.rule_in_force(session).wait_routine == 43_200
        confirm(workshop, bea, proposed)
        ledger.note_rule(session)
    assert [told["rule"]["wait_routine"] for told in rules_told(workshop)] == [43_200, DAY]


def test_a_proposal_is_taken_back_by_its_proposer_alone(workshop: Workshop, ada: Actor, bea: Actor) -> None:
    proposed = propose(workshop, ada)
    with pytest.raises(NotAllowed, match="Only whoever proposed"), workshop.writing() as session:
        rule_changes.take_back(session, bea, proposed.proposal.id)
    with workshop.writing() as session:
        rule_changes.take_back(session, ada, proposed.proposal.id)
    with pytest.raises(Conflict, match="took it back"):
        confirm(workshop, bea, proposed)
    assert states(workshop) == [ChangeState.TAKEN_BACK]


def test_a_proposal_lapses_after_seven_days(workshop: Workshop, clock: MovableClock, ada: Actor, bea: Actor) -> None:
    proposed = propose(workshop, ada)
    with pytest.raises(Conflict, match="proposed already"):
        propose(workshop, bea)
    clock.move(days=7)
    with pytest.raises(Conflict, match="lapsed"):
        confirm(workshop, bea, proposed)
    assert states(workshop) == [ChangeState.LAPSED]
    propose(workshop, bea)
    assert states(workshop) == [ChangeState.OPEN, ChangeState.LAPSED]


def test_a_newer_confirmed_change_of_the_same_number_closes_the_older(
    workshop: Workshop, ada: Actor, bea: Actor
) -> None:
    older, other = propose(workshop, ada), propose(workshop, ada, 4, "vouches")
    confirm(workshop, bea, propose(workshop, ada, 60))
    with pytest.raises(Conflict, match="newer change"):
        confirm(workshop, bea, older)
    confirm(workshop, bea, other)
    assert states(workshop) == [ChangeState.CONFIRMED, ChangeState.CONFIRMED, ChangeState.REPLACED]
    assert wait_of(workshop.database) == 60


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE rule_change SET value = 0 WHERE kind = 'confirmed'", "is not what was proposed"),
        ("UPDATE rule_change SET value = 0", "tells something else than change"),
        ("UPDATE rule_change SET reason = 'Because.'", "tells something else than change"),
        ("UPDATE rule_change SET chapter_id = NULL WHERE kind = 'confirmed'", "tells something else than change"),
        ("UPDATE rule_change SET setting = 'rapid_lasts'", "tells something else than change"),
        ("UPDATE rule_change SET entry = NULL", "is not in the ledger"),
        ("DELETE FROM rule_change WHERE kind = 'confirmed'", "a change of the rule that is not here"),
        ("UPDATE rule_change SET actor_id = (SELECT min(actor_id) FROM rule_change)", "not proposed by one"),
        (
            "INSERT INTO rule_change (kind, setting, value, reason, at, actor_id) "
            "SELECT 'confirmed', 'vouches', 0, '', at, actor_id FROM rule_change WHERE kind = 'confirmed'",
            "not proposed by one",
        ),
        (
            "UPDATE rule_change SET id = 9 WHERE kind = 'confirmed' AND value = 86400",
            "not in the order of the ledger",
        ),
    ],
)
def test_verification_finds_a_saved_value_that_nobody_was_told(
    workshop: Workshop, ada: Actor, bea: Actor, change: str, said: str
) -> None:
    confirm(workshop, bea, propose(workshop, ada))
    if "order" in said:
        confirm(workshop, bea, propose(workshop, ada, 60))
    assert verify_database(workshop.database).faults == []
    with workshop.database.engine.begin() as connection:
        if workshop.database.is_sqlite:
            for verb in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER rule_change_refuses_{verb}"))
        else:
            connection.execute(text("ALTER TABLE rule_change DISABLE TRIGGER USER"))
        connection.execute(text(change))
    faults = verify_database(workshop.database).faults
    assert any(said in fault for fault in faults), faults


def test_rows_hold_what_was_asked(workshop: Workshop, ada: Actor, bea: Actor) -> None:
    confirm(workshop, bea, propose(workshop, ada))
    with workshop.reading() as session:
        rows = session.exec(select(RuleChange).order_by(col(RuleChange.id))).all()
    assert [(row.kind, row.value, row.actor_id, row.reason) for row in rows] == [
        ("proposed", DAY, ada.id, "Nights count too."),
        ("confirmed", DAY, bea.id, ""),
    ]
