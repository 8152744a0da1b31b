"""What goes into the ledger, when, and what happens without its key."""

import json
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel import col, select

from app.approvals.models import Approval
from app.consensus import ledger
from app.consensus.models import Value
from app.database import Database
from app.ledger import service
from app.ledger.keys import KeyFile, NoLedgerKey
from app.ledger.merkle import leaf_hash, root_of
from app.ledger.models import Checkpoint, EntryKind, LedgerEntry
from app.ledger.notes import Statement
from app.main import open_database
from app.permissions import Actor, Role
from app.settings import Settings
from app.transfer.verification import verify_database
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import Workshop


def entries(workshop: Workshop) -> list[dict[str, Any]]:
    with workshop.reading() as session:
        rows = session.exec(select(LedgerEntry.body).order_by(col(LedgerEntry.sequence))).all()
    return [json.loads(body) for body in rows]


def approve(workshop: Workshop, clock: MovableClock, title: str, *voters: Actor) -> None:
    page = workshop.page(voters[0], title)
    for voter in voters:
        workshop.vote(voter, workshop.shared_head(page))
    clock.move(hours=13)
    workshop.follow()
    assert workshop.approved_text(page)


@pytest.fixture
def voters(workshop: Workshop) -> list[Actor]:
    writer = workshop.member(chapter="north", role=Role.WRITER)
    return [writer, *(workshop.member(chapter="south") for _ in range(2))]


def test_each_promotion_is_one_entry_under_one_signed_root(
    workshop: Workshop, clock: MovableClock, voters: list[Actor]
) -> None:
    for title in ("Housing", "Schools", "Trains"):
        approve(workshop, clock, title, *voters)
    workshop.follow()
    assert [(it["sequence"], it["kind"], it["page"]) for it in entries(workshop)] == [
        (1, "rule", None),
        (2, "promoted", "housing"),
        (3, "promoted", "schools"),
        (4, "promoted", "trains"),
    ]
    with workshop.reading() as session:
        rows = service.list_after(session, 0, limit=10)
        signed = session.exec(select(Checkpoint).order_by(col(Checkpoint.size))).all()
        key = service.read_key(session)
    assert key is not None
    for number, (row, checkpoint) in enumerate(zip(rows, signed, strict=True), start=1):
        assert row.leaf == leaf_hash(row.body.encode()).hex()
        said = Statement.from_text(key.verifier.open(checkpoint.note))
        assert (said.size, said.root) == (number, root_of(bytes.fromhex(it.leaf) for it in rows[:number]))
    assert verify_database(workshop.database).faults == []


def test_small_chapters_stand_together_and_nobody_is_named(
    workshop: Workshop, clock: MovableClock, voters: list[Actor]
) -> None:
    head = workshop.shared_head(workshop.page(voters[0]))
    workshop.vote(voters[0], head)
    workshop.vote(voters[2], head, Value.PASS)
    workshop.vote(voters[1], head)
    found = entries(workshop)[-1]
    assert found["tallies"] == [{"chapter": "at large", "members": 3, "support": 2, "oppose": 0, "pass": 1}]
    assert (found["electorate"], found["score"]) == (3, "1/2")


def test_a_vote_rolled_back_leaves_no_entry(workshop: Workshop, database: Database, voters: list[Actor]) -> None:
    database.info["rule"] = replace(database.info["rule"], wait_routine=0)
    head = workshop.shared_head(workshop.page(voters[0]))
    workshop.vote(voters[0], head)

    def stop_and_fail() -> None:
        page = workshop.get_page("housing")
        with workshop.writing() as session:
            ledger.append(session, EntryKind.HELD, page, at=database.clock(), text=None, basis="moderators")
            raise RuntimeError("power is gone")

    with pytest.raises(RuntimeError, match="power"):
        stop_and_fail()
    assert [it["kind"] for it in entries(workshop)] == ["rule"], "entered when the vote opened"
    workshop.vote(voters[1], head)
    assert [it["kind"] for it in entries(workshop)] == ["rule", "promoted"]


def test_another_rule_is_entered_before_what_it_decides(
    workshop: Workshop, database: Database, clock: MovableClock, voters: list[Actor]
) -> None:
    approve(workshop, clock, "Housing", *voters)
    page = workshop.page(voters[0], "Schools")
    workshop.vote(voters[0], workshop.shared_head(page))
    database.info["rule"] = replace(database.info["rule"], wait_routine=60)
    for voter in voters[1:]:
        workshop.vote(voter, workshop.shared_head(page))
    clock.move(hours=13)
    workshop.follow()
    told = [(it["kind"], it["rule"]["wait_routine"]) for it in entries(workshop)]
    assert told == [("rule", 43200), ("promoted", 43200), ("rule", 60), ("promoted", 43200)]
    with workshop.writing() as session:
        ledger.note_rule(session)
    assert len(entries(workshop)) == 4
    database.info["rule"] = replace(database.info["rule"], wait_routine=90)
    with workshop.writing() as session:
        ledger.note_rule(session)
    assert entries(workshop)[-1]["rule"]["wait_routine"] == 90


def test_a_rule_that_was_never_told_is_entered_when_its_vote_ends(
    workshop: Workshop, database: Database, clock: MovableClock, voters: list[Actor]
) -> None:
    database.info["rule"] = replace(database.info["rule"], wait_routine=60)
    page = workshop.page(voters[0])
    workshop.vote(voters[0], workshop.shared_head(page))
    forget_the_ledger(database)
    database.info["rule"] = replace(database.info["rule"], wait_routine=90)
    workshop.vote(voters[1], workshop.shared_head(page))
    clock.move(hours=1)
    workshop.follow()
    told = [(it["kind"], it["rule"]["wait_routine"]) for it in entries(workshop)]
    assert told == [("rule", 90), ("rule", 60), ("rule", 90), ("promoted", 60)]


def forget_the_ledger(database: Database) -> None:
    """Make the database as it was before there was a ledger."""
    with database.engine.begin() as connection:
        if database.is_sqlite:
            for table in ("ledger_entry", "ledger_checkpoint"):
                connection.execute(text(f"DROP TRIGGER {table}_refuses_delete"))
        else:
            connection.execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER USER"))
            connection.execute(text("ALTER TABLE ledger_checkpoint DISABLE TRIGGER USER"))
        connection.execute(text("DELETE FROM ledger_entry"))
        connection.execute(text("DELETE FROM ledger_checkpoint"))


def test_what_was_approved_before_the_ledger_is_entered_as_that_once(
    workshop: Workshop, clock: MovableClock, voters: list[Actor]
) -> None:
    for title in ("Housing", "Schools"):
        approve(workshop, clock, title, *voters)
    forget_the_ledger(workshop.database)
    assert len(verify_database(workshop.database).faults) == 2
    for _ in range(2):
        ledger.begin(workshop.database)
    found = entries(workshop)
    with workshop.reading() as session:
        times = session.exec(select(Approval.at).order_by(col(Approval.id))).all()
    assert [(it["kind"], it["page"], it["basis"]) for it in found] == [
        ("rule", None, "settings"),
        ("imported", "housing", "before the ledger"),
        ("imported", "schools", "before the ledger"),
    ]
    assert [it["since"][:19] for it in found[1:]] == [f"{at:%Y-%m-%dT%H:%M:%S}" for at in times]
    approve(workshop, clock, "Trains", *voters)
    assert entries(workshop)[-1]["page"] == "trains"
    assert verify_database(workshop.database).faults == []


def test_a_promotion_begins_a_ledger_that_nobody_began(
    workshop: Workshop, clock: MovableClock, voters: list[Actor]
) -> None:
    approve(workshop, clock, "Housing", *voters)
    forget_the_ledger(workshop.database)
    approve(workshop, clock, "Schools", *voters)
    assert [(it["kind"], it["page"]) for it in entries(workshop)] == [
        ("rule", None),
        ("imported", "housing"),
        ("promoted", "schools"),
    ]
    assert verify_database(workshop.database).faults == []


def test_the_key_is_a_file_of_its_owner_alone(
    workshop: Workshop, clock: MovableClock, voters: list[Actor], tmp_path: Path
) -> None:
    path = tmp_path / "ledger.key"
    assert not path.exists()
    approve(workshop, clock, "Housing", *voters)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("PRIVATE+KEY+workshop.test/ledger+")
    assert [found.name for found in tmp_path.glob(".ledger-*")] == []


def test_processes_that_make_the_key_at_once_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        files = [KeyFile(tmp_path / "deep" / "ledger.key", base_url="https://a.example/b/") for _ in range(8)]
        made = set(pool.map(lambda file: file.make().to_text(), files))
    assert len(made) == 1
    assert made.pop().startswith("PRIVATE+KEY+a.example/b/ledger+")


@POSTGRES_IN_SOAK
@pytest.mark.parametrize("there", ["nothing", "another", "rubbish"])
def test_without_its_key_the_ledger_does_not_go_on(
    workshop: Workshop, clock: MovableClock, voters: list[Actor], settings: Settings, tmp_path: Path, there: str
) -> None:
    approve(workshop, clock, "Housing", *voters)
    other = tmp_path / "other" / "ledger.key"
    if there == "another":
        KeyFile(other, base_url="http://workshop.test").make()
    elif there == "rubbish":
        other.parent.mkdir()
        other.write_text("rubbish")
    database = open_database(settings.model_copy(update={"ledger_key_file": other}), clock=clock)
    with pytest.raises(NoLedgerKey, match=r"ledger\.key"):
        ledger.begin(database)
    elsewhere = Workshop(database, workshop.follower)
    page = workshop.page(voters[0], "Schools")
    elsewhere.vote(voters[0], workshop.shared_head(page))
    clock.move(hours=13)
    database.info["rule"] = replace(database.info["rule"], wait_routine=0)
    with pytest.raises(NoLedgerKey):
        elsewhere.vote(voters[1], workshop.shared_head(page))
    assert workshop.approved_text(page) is None
    database.dispose()
    shutil.rmtree(other.parent, ignore_errors=True)


def test_many_at_once_make_one_chain(app: FastAPI, database: Database, workshop: Workshop, voters: list[Actor]) -> None:
    database.info["rule"] = replace(database.info["rule"], wait_routine=0)
    pages = [workshop.page(voters[0], f"Page {number}") for number in range(6)]
    heads = [workshop.shared_head(page) for page in pages]
    for head in heads:
        workshop.vote(voters[0], head)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda head: workshop.vote(voters[1], head), heads))
    found = entries(workshop)
    assert [it["sequence"] for it in found] == list(range(1, 8))
    assert sorted(it["page"] for it in found[1:]) == sorted(page.slug for page in pages)
    assert verify_database(database).faults == []


@POSTGRES_IN_SOAK
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE ledger_entry SET body = replace(body, 'housing', 'schools') WHERE sequence = 2", "was changed after"),
        ("UPDATE ledger_entry SET leaf = 'ab' WHERE sequence = 2", "does not follow on the one before"),
        ("UPDATE ledger_entry SET kind = 'imported' WHERE sequence = 2", "tells something else than approval"),
        ("DELETE FROM ledger_entry WHERE sequence = 2", "entry 3 of the ledger stands where 2 comes next"),
        ("DELETE FROM ledger_entry WHERE sequence = 3", "is not in the ledger"),
        ("DELETE FROM ledger_checkpoint WHERE size = 2", "no checkpoint over the first 2"),
        ("UPDATE ledger_checkpoint SET root = 'ab' WHERE size = 1", "is not of the entries that are here"),
        ("UPDATE ledger_checkpoint SET note = replace(note, '— workshop.test/', '— other.test/')", "not signed"),
    ],
)
def test_verification_names_what_was_changed(
    workshop: Workshop, clock: MovableClock, voters: list[Actor], change: str, said: str
) -> None:
    for title in ("Housing", "Schools"):
        approve(workshop, clock, title, *voters)
    with workshop.database.engine.begin() as connection:
        for table in ("ledger_entry", "ledger_checkpoint"):
            if workshop.database.is_sqlite:
                for verb in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER {table}_refuses_{verb}"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text(change))
    faults = verify_database(workshop.database).faults
    assert any(said in fault for fault in faults), faults
