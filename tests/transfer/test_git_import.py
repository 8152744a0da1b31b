"""A git history in the database: every text, repeatable, and checked by verification."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from app.approvals import service as approvals
from app.database import Database
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftKind, DraftState
from app.pages import service as pages
from app.revisions import service as revisions
from app.revisions.models import Revision
from app.transfer.git_import import ImportReport, import_git
from app.transfer.verification import verify_database
from tests.factories import Workshop
from tests.transfer.git_builder import Story

HOMES = "# Homes\n\nRents are too high.\n\nWe will build.\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two pages, a merged branch, a rename, and a proposal that was never merged."""
    story = Story()
    story.commit("one", {"homes.md": HOMES, "note.txt": "no page"}, author="Ann")
    story.commit("two", {"homes.md": HOMES.replace("too high", "far too high"), "jobs.md": "# Jobs\n"}, author="Bob")
    story.commit("side", {"homes.md": HOMES.replace("will build", "will build homes")}, after=["one"], author="Cid")
    both = HOMES.replace("too high", "far too high").replace("will build", "will build homes")
    story.commit("join", {"homes.md": both, "jobs.md": "# Jobs\n"}, after=["two", "side"], author="Ann")
    story.commit("moved", {"housing.md": both, "jobs.md": "# Jobs\n"}, author="Ann")
    changed = {"homes.md": HOMES.replace("Rents", "Prices"), "idea.md": "# Idea\n\nAn idea.\n", "jobs.md": "# Jobs\n"}
    story.commit("idea", changed, after=["two"], author="Dan", message="Say prices")
    return story.write(tmp_path / "history.git", {"refs/heads/main": "moved", "refs/pull/7/head": "idea"})


def bring_in(database: Database, repository: Path) -> ImportReport:
    return import_git(database, repository, drafts_glob="refs/pull/*/head", approve=True)


def text_at_head(session: Session, slug: str) -> str:
    page = pages.get_page(session, slug)
    return revisions.text_by_id(session, drafts.head_of(drafts.get_shared(session, page.id)))


def test_pages_come_with_their_history_authors_and_redirects(
    database: Database, workshop: Workshop, repository: Path
) -> None:
    report = bring_in(database, repository)
    assert (report.pages, report.forks, report.approved) == (3, 2, 2)
    with workshop.reading() as session:
        page = pages.get_page(session, "housing")
        assert pages.get_page(session, "homes").id == page.id
        assert "far too high" in text_at_head(session, "housing")
        assert "build homes" in text_at_head(session, "housing")
        heads = [drafts.head_of(drafts.get_shared(session, page.id))]
        found = revisions.history(session, heads, limit=50).revisions
        assert [row.summary for row in found] == ["join", "side", "two", "one"]
        joined = found[0]
        assert {joined.first_parent_id, joined.second_parent_id} == {found[1].id, found[2].id}
        assert [row.created_at.year for row in found] == [2014] * 4
        approved = approvals.find_current(session, page.id)
        assert approved is not None
        assert (approved.revision_id, approved.basis) == (joined.id, "import")
    assert verify_database(database).faults == []


def test_an_unmerged_proposal_becomes_a_fork_of_every_page_it_changes(
    database: Database, workshop: Workshop, repository: Path
) -> None:
    bring_in(database, repository)
    with workshop.reading() as session:
        forks = session.exec(
            select(Draft)
            .where(Draft.kind == DraftKind.FORK, Draft.state == DraftState.OPEN)
            .order_by(col(Draft.page_id))
        ).all()
        texts = [revisions.text_by_id(session, drafts.head_of(fork)) for fork in forks]
        assert sorted(texts) == sorted([HOMES.replace("Rents", "Prices"), "# Idea\n\nAn idea.\n"])
        assert {fork.name for fork in forks} == {"#7 Say prices"}
        assert text_at_head(session, "idea") == ""
        assert approvals.find_current(session, pages.get_page(session, "idea").id) is None


def test_a_second_import_adds_nothing_and_a_broken_off_one_goes_on(
    database: Database, workshop: Workshop, repository: Path
) -> None:
    class Stopped(Exception):
        pass

    def stop_half_way(done: int, total: int, what: str) -> None:
        if what == "saving revisions" and done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        import_git(database, repository, drafts_glob="refs/pull/*/head", approve=True, progress=stop_half_way)
    first = bring_in(database, repository)
    with workshop.reading() as session:
        rows = len(session.exec(select(Revision.id)).all())
    again = bring_in(database, repository)
    with workshop.reading() as session:
        assert len(session.exec(select(Revision.id)).all()) == rows
    assert (again.pages, again.revisions, again.forks, again.approved) == (0, 0, 0, 0)
    assert again.known == first.known + first.revisions
    assert verify_database(database).faults == []


def test_what_was_edited_here_is_never_overwritten_by_a_later_import(
    database: Database, workshop: Workshop, tmp_path: Path
) -> None:
    story = Story()
    story.commit("one", {"homes.md": HOMES})
    bring_in(database, story.write(tmp_path / "early.git", {"refs/heads/main": "one"}))
    member = workshop.member()
    page = workshop.get_page("homes")
    ours = HOMES.replace("We will build", "We build")
    with workshop.writing() as session:
        shared = drafts.get_shared(session, page.id)
        drafts.save_edit(session, member, shared.id, base_id=drafts.head_of(shared), text=ours)
    story.commit("two", {"homes.md": HOMES.replace("Rents", "Prices")})
    report = bring_in(database, story.write(tmp_path / "late.git", {"refs/heads/main": "two"}))
    assert report.kept_local == ["homes"]
    with workshop.reading() as session:
        assert text_at_head(session, "homes") == ours
    assert verify_database(database).faults == []


TAMPERINGS = {
    "UPDATE revision SET payload = (SELECT payload FROM revision WHERE number = 1 AND page_id = 2) WHERE id = 1": "r1",
    "UPDATE revision SET sha256 = 'a' || substr(sha256, 2), size = size + 1 WHERE id = 2": "r2",
    "UPDATE approval SET supersedes_id = 2 WHERE id = 1": "does not follow",
    "UPDATE approval SET kind = 'promoted', basis = 'consensus' WHERE id = 1": "rests on no vote",
}


@pytest.mark.parametrize("statement", TAMPERINGS)
def test_verification_names_what_was_tampered_with(
    database: Database, workshop: Workshop, repository: Path, statement: str
) -> None:
    bring_in(database, repository)
    with workshop.writing() as session:
        connection = session.connection()
        if database.is_sqlite:
            for table in ("revision", "approval"):
                connection.execute(text(f"DROP TRIGGER {table}_refuses_update"))
        else:
            for table in ("revision", "approval"):
                connection.execute(text(f"DROP TRIGGER {table}_is_append_only ON {table}"))
        connection.execute(text(statement))
    faults = verify_database(database).faults
    assert any(TAMPERINGS[statement] in fault for fault in faults), faults
