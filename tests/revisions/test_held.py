"""What a session remembers of revisions it was asked for."""

from app.drafts import service as drafts
from app.permissions import Role
from app.revisions import service as revisions
from tests.factories import HOUSING, Workshop


def test_a_revision_that_a_savepoint_took_back_is_forgotten(workshop: Workshop) -> None:
    """SQLite gives its number to the next one."""
    writer = workshop.member(role=Role.WRITER)
    page = workshop.page(writer)
    gone, kept = HOUSING + "\nThis is taken back.\n", HOUSING + "\nThis stays.\n"
    with workshop.writing() as session:
        origin = drafts.default_fork_origin(session, page)
        savepoint = session.begin_nested()
        head = drafts.head_of(drafts.fork(session, writer, origin, text=gone))
        assert revisions.text_by_id(session, head) == gone
        savepoint.rollback()
        head = drafts.head_of(drafts.fork(session, writer, origin, text=kept))
        assert revisions.text_by_id(session, head) == kept
    with workshop.reading() as session:
        assert revisions.text_by_id(session, head) == kept


def test_the_same_revision_is_read_once(workshop: Workshop) -> None:
    writer = workshop.member(role=Role.WRITER)
    page = workshop.page(writer)
    head = workshop.shared_head(page)
    with workshop.reading() as session:
        first = id(revisions.get(session, head))
        assert id(revisions.get(session, head)) == first
        assert len(session.identity_map) == 1
