"""What was said and decided is never changed, not even by hand."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.consensus import ledger, rule_changes, stopping
from app.permissions import Role
from tests.factories import Workshop


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revision SET summary = 'another'",
        "DELETE FROM revision",
        "UPDATE approval SET basis = 'another'",
        "DELETE FROM approval",
        "UPDATE vote_entry SET value = 'oppose'",
        "DELETE FROM vote_entry",
        "UPDATE activity SET kind = 'another'",
        "DELETE FROM activity",
        "UPDATE stop SET reason = 'another'",
        "DELETE FROM stop",
        "UPDATE rule_change SET value = 0",
        "DELETE FROM rule_change",
        "UPDATE ledger_entry SET body = 'another'",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_checkpoint SET note = 'another'",
        "DELETE FROM ledger_checkpoint",
    ],
)
def test_history_refuses_update_and_delete(workshop: Workshop, statement: str) -> None:
    writer = workshop.member(role=Role.WRITER)
    page = workshop.page(writer)
    workshop.vote(writer, workshop.shared_head(page))
    moderator = workshop.member(role=Role.MODERATOR)
    with workshop.writing() as session:
        stopping.hold(session, moderator, page, reason="Wrong.")
        rule_changes.propose(session, moderator, "vouches", 3, reason="Be careful.")
    ledger.begin(workshop.database)
    with pytest.raises(DatabaseError, match="never changed"), workshop.writing() as session:
        session.connection().execute(text(statement))


def test_a_reading_session_cannot_write(workshop: Workshop) -> None:
    workshop.page(workshop.member(role=Role.WRITER))
    with pytest.raises(DatabaseError), workshop.reading() as session:
        session.connection().execute(text("UPDATE page SET title = 'another'"))


def test_a_reading_session_sees_one_state(workshop: Workshop) -> None:
    writer = workshop.member(role=Role.WRITER)
    count = text("SELECT count(*) FROM page")
    with workshop.reading() as session:
        before = session.connection().execute(count).scalar_one()
        workshop.page(writer)
        assert session.connection().execute(count).scalar_one() == before
    with workshop.reading() as session:
        assert session.connection().execute(count).scalar_one() == before + 1
