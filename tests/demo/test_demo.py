"""The example campaign: it is whole, it is as the guide says, and it is nobody's but its own."""

import re
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from app.accounts import chapters
from app.accounts import service as accounts
from app.activity import service as activity
from app.activity.models import Kind
from app.approvals import service as approvals
from app.consensus import candidates, ranking, votes
from app.consensus.facts import State
from app.consensus.models import Value
from app.database import Database
from app.demo import guide, opening
from app.demo.campaign import CARRIED, CONFLICT_AT, LACKS_ONE, NEVER_APPROVED, RIVALS, STALE, WAITS, Place
from app.demo.guide import Standing
from app.demo.people import CHAPTERS, PASSWORD, PEOPLE
from app.demo.stage import TEXTS, StageClock
from app.drafts import merging
from app.drafts import service as drafts
from app.drafts.service import KeptAside
from app.errors import Conflict, Refused
from app.main import open_database
from app.pages import service as pages
from app.pages.sections import sections_of
from app.permissions import Actor, Role
from app.revisions import service as revisions
from app.settings import Settings
from app.transfer.verification import verify_database

pytestmark = pytest.mark.xdist_group("demo")  # it is filled once for all

TODAY = datetime(2026, 11, 22, 0, 5, tzinfo=UTC)
"""Just after midnight, when yesterday's story and today's lie closest together."""

GSM_7 = re.compile(r"[A-Za-z0-9 \n@£$¥!\"#%&'()*+,\-./:;<=>?_]*")
REAL_PARTIES = re.compile(
    r"\b(democrats?|republicans?|labour|tor(?:y|ies)|conservatives?|liberals?|socialists?|social democrats?|greens"
    r"|green party|ukip|brexit|cdu|csu|spd|fdp|afd|likud|bjp|ldp|kmt)\b",
    re.IGNORECASE,
)


def settings_for(folder: Path, wait: int = opening.WAITING_SECONDS) -> Settings:
    return Settings(
        founders=len(PEOPLE),
        database_url=f"sqlite:///{folder / 'demo.db'}",
        data_dir=folder,
        wait_routine=wait,
        neighbour_wait=wait,
    )


def fill(folder: Path, *, today: datetime = TODAY, fresh: bool = False, wait: int = opening.WAITING_SECONDS) -> bool:
    clock = StageClock(today)
    database = open_database(settings_for(folder, wait), clock=clock)
    filled = opening.prepare(database, clock, fresh=fresh, progress=lambda done, total, what: None)
    database.dispose()
    return filled


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example in it, for tests that copy it or only read."""
    folder = tmp_path_factory.mktemp("demo")
    assert fill(folder)
    return folder


@pytest.fixture(scope="module")
def example(filled: Path) -> Iterator[Database]:
    """The example as a visitor finds it the moment it is filled; only read."""
    database = open_database(settings_for(filled), clock=lambda: TODAY)
    yield database
    database.dispose()


@pytest.fixture
def session(example: Database) -> Iterator[Session]:
    with example.transaction(writing=False) as session:
        yield session


@pytest.fixture
def own(filled: Path, tmp_path: Path) -> Iterator[Database]:
    """A copy to write to."""
    shutil.copy(filled / "demo.db", tmp_path / "demo.db")
    shutil.copy(filled / "ledger.key", tmp_path / "ledger.key")
    database = open_database(settings_for(tmp_path), clock=lambda: TODAY)
    yield database
    database.dispose()


def standing(session: Session, place: Place) -> Standing:
    found = guide.find_standing(session, place)
    assert found is not None
    return found


def actor(session: Session, name: str) -> Actor:
    return accounts.actor_of(accounts.get_user(session, name))


def support(session: Session, name: str, revision_id: int) -> State:
    sha256 = revisions.get(session, revision_id).sha256
    return votes.cast_vote(
        session, actor(session, name), revision_id, sha256=sha256, value=Value.SUPPORT
    ).decision.state


def test_everything_in_it_withstands_verification(example: Database) -> None:
    report = verify_database(example)
    assert report.faults == []
    assert report.approvals >= 12
    assert report.carried >= 1


def test_it_has_pages_chapters_and_members_of_every_role(session: Session) -> None:
    assert len(pages.list_pages(session)) == 12
    assert len(chapters.list_chapters(session)) == 5
    members = [accounts.get_user(session, person.name) for person in PEOPLE]
    assert len(members) >= 32
    assert {member.role for member in members} == set(Role) - {Role.NAME}
    assert min(chapters.count_members(session)[chapter.id] for chapter in chapters.list_chapters(session)) >= 3


def test_every_member_counts_in_a_vote_that_opens_for_days_to_come(session: Session) -> None:
    assert sum(chapters.count_active(session, days=14).values()) == len(PEOPLE)
    assert sum(chapters.count_active(session, days=8).values()) == len(PEOPLE)


@pytest.mark.parametrize("name", [person.name for person in PEOPLE if person.visits])
def test_those_whom_a_visitor_signs_in_as_have_the_printed_password(own: Database, name: str) -> None:
    with own.transaction(writing=True) as session:
        outcome = accounts.sign_in(session, name, PASSWORD, address="127.0.0.1", days=1, tries=10)
        assert isinstance(outcome, accounts.SignedIn)


def test_all_pages_but_one_are_approved_and_some_twice(session: Session) -> None:
    listed = pages.list_pages(session)
    approved = approvals.current_by_page(session, [page.id for page in listed])
    assert [page.slug for page in listed if page.id not in approved] == [NEVER_APPROVED.slug]
    assert sum(row.supersedes_id is not None for row in approved.values()) >= 3


def test_the_page_without_approved_text_has_two_candidates_that_collect(session: Session) -> None:
    page = pages.get_page(session, NEVER_APPROVED.slug)
    open_ones = ranking.list_ranked(session, page.id)
    assert len(open_ones) == 2
    for candidate in open_ones:
        found = votes.decision_of(session, revisions.get(session, candidate.revision_id))
        assert found.state is State.COLLECTING


def test_exactly_one_candidate_waits_and_its_time_runs_now(session: Session) -> None:
    waiting = [row for row in ranking.list_nearest_decision(session, limit=50) if row.passing_since is not None]
    found = standing(session, WAITS)
    assert [row.revision_id for row in waiting] == [found.revision_id]
    assert found.decision.state is State.WAITING
    assert found.decision.waits_until is not None
    assert timedelta(minutes=5) < found.decision.waits_until - TODAY < timedelta(minutes=10)


def test_one_vote_more_ends_the_waiting_and_carries_the_neighbour(own: Database) -> None:
    with own.transaction(writing=True) as session:
        waits = standing(session, WAITS)
        beside = standing(session, Place(WAITS.slug, "A pier is not a home"))
        assert support(session, "Noor Tamsin", waits.revision_id) is State.APPROVED
        assert support(session, "Wanda Olt", beside.revision_id) is State.COLLECTING
        carried = standing(session, Place(WAITS.slug, "A pier is not a home"))
    assert carried.revision_id != beside.revision_id
    assert carried.decision.reach == beside.decision.reach + 1


def test_exactly_one_candidate_lacks_one_supporter_from_any_chapter_but_one(session: Session) -> None:
    open_ones = ranking.list_nearest_decision(session, limit=50)
    lacking = {
        row.revision_id: missing
        for row in open_ones
        for missing in votes.decision_of(session, revisions.get(session, row.revision_id)).missing
        if missing.what == "supporters"
        and missing.count == 1
        and votes.decision_of(session, revisions.get(session, row.revision_id)).reach == 5
    }
    found = standing(session, LACKS_ONE)
    assert list(lacking) == [found.revision_id]
    harbour = chapters.get_chapter(session, "harbour-quarter").id
    others = {chapter.id for chapter in chapters.list_chapters(session)} - {harbour}
    assert set(lacking[found.revision_id].chapters) == others


def test_the_vote_that_the_guide_asks_for_carries_the_text(own: Database) -> None:
    with own.transaction(writing=True) as session:
        revision_id = standing(session, LACKS_ONE).revision_id
        assert support(session, "Mara Velt", revision_id) is State.COLLECTING
        assert support(session, "Noor Tamsin", revision_id) is State.WAITING


def test_the_stale_draft_needs_one_choice_and_can_then_be_put_forward(own: Database) -> None:
    with own.transaction(writing=True) as session:
        stale = standing(session, STALE)
        assert stale.decision.state is State.STALE
        wanda = actor(session, "Wanda Olt")
        unresolved = merging.update_from_approved(session, wanda, stale.draft_id)
        assert isinstance(unresolved, merging.Unresolved)
        assert len(unresolved.conflicts) == 1
        merging.update_from_approved(session, wanda, stale.draft_id, resolutions=[unresolved.conflicts[0].ours])
        again = candidates.put_forward(session, wanda, stale.draft_id)
        assert not again.stale


def test_one_candidate_was_carried_forward_with_its_votes(session: Session) -> None:
    found = standing(session, CARRIED)
    assert found.first_id != found.revision_id
    assert found.decision.state is State.COLLECTING
    assert found.decision.reach == 3


def test_three_wordings_of_one_sentence_compete(session: Session) -> None:
    found = [standing(session, place) for place in RIVALS]
    assert {one.decision.state for one in found} == {State.COLLECTING}
    assert len({one.decision.missing for one in found}) == 3


def test_two_who_edit_the_same_sentence_where_the_guide_says_get_the_choice(own: Database) -> None:
    with own.transaction(writing=True) as session:
        page = pages.get_page(session, CONFLICT_AT)
        shared = drafts.get_shared(session, page.id)
        base = drafts.head_of(shared)
        text = revisions.text_by_id(session, base)
        mara = actor(session, "Mara Velt")
        said = "No child learns well while hungry."
        for wording in ("Hungry children do not learn.", "Nobody learns well while hungry."):
            outcome = drafts.save_edit(session, mara, shared.id, base_id=base, text=text.replace(said, wording))
    assert isinstance(outcome, KeptAside)
    assert len(outcome.conflicts) == 1


def test_the_history_holds_merged_edits_and_one_that_was_kept_aside(session: Session) -> None:
    school = pages.get_page(session, "school-meals")
    shared = revisions.text_by_id(session, drafts.head_of(drafts.get_shared(session, school.id)))
    assert "At least half" in shared
    assert "not always noodles" in shared
    clinic = pages.get_page(session, "clinic")
    assert any(draft.name.startswith("Kept aside") for draft in drafts.list_drafts(session, clinic.id))


def test_the_story_runs_forward_over_two_weeks_and_ends_now(session: Session) -> None:
    rows = activity.since(session, 0, limit=10_000)
    moments = [row.at for row in rows]
    assert moments == sorted(moments)
    assert TODAY - timedelta(days=14) <= moments[0] < TODAY - timedelta(days=11)
    assert TODAY - timedelta(minutes=5) < moments[-1] <= TODAY
    kinds = {row.kind for row in rows}
    assert {Kind.CANDIDATE_CARRIED, Kind.CANDIDATE_STALE, Kind.CANDIDATE_LEADING} <= kinds


def test_a_second_start_changes_nothing_and_a_fresh_one_begins_anew(filled: Path, tmp_path: Path) -> None:
    shutil.copy(filled / "demo.db", tmp_path / "demo.db")
    database = open_database(settings_for(tmp_path), clock=lambda: TODAY)
    with database.transaction(writing=True) as session:
        support(session, "Noor Tamsin", standing(session, LACKS_ONE).revision_id)
    with database.transaction(writing=False) as session:
        before = activity.newest_position(session)
    assert not fill(tmp_path, today=TODAY + timedelta(days=1))
    with database.transaction(writing=False) as session:
        assert activity.newest_position(session) == before
        assert standing(session, LACKS_ONE).is_in(State.WAITING)
    database.dispose()
    half_a_day = timedelta(hours=12)
    assert fill(tmp_path, fresh=True, wait=int(half_a_day.total_seconds()))
    with database.transaction(writing=False) as session:
        assert standing(session, LACKS_ONE).is_in(State.COLLECTING)
        assert standing(session, STALE).is_in(State.STALE)
        until = standing(session, WAITS).decision.waits_until
    database.dispose()
    assert until is not None
    assert half_a_day - timedelta(minutes=5) < until - TODAY < half_a_day


@pytest.mark.parametrize("fresh", [False, True])
def test_a_workshop_with_anything_else_in_it_is_left_alone(sqlite_template: Path, tmp_path: Path, fresh: bool) -> None:
    shutil.copy(sqlite_template, tmp_path / "demo.db")
    database = open_database(settings_for(tmp_path))
    with database.transaction(writing=True) as session:
        accounts.add_user(session, "Ada", None, role=Role.ADMIN)
    with pytest.raises(Conflict, match="other than the example"):
        fill(tmp_path, fresh=fresh)
    with database.transaction(writing=False) as session:
        assert accounts.get_user(session, "Ada").role == Role.ADMIN
    database.dispose()


def test_a_half_filled_example_says_how_to_begin_again(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "demo.db")
    database = open_database(settings_for(tmp_path))
    with database.transaction(writing=True) as session:
        for slug, name in CHAPTERS.items():
            chapters.add_chapter(session, slug, name)
    database.dispose()
    with pytest.raises(Conflict, match="workshop demo --fresh"):
        fill(tmp_path)


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"Port {port} is taken.*") as refused:
            opening.check_port("127.0.0.1", port)
    assert f"--port {port + 1}" in refused.value.detail
    opening.check_port("127.0.0.1", port)


def test_the_environment_wins_over_what_the_example_would_set() -> None:
    environment = {"WORKSHOP_WAIT_ROUTINE": "30"}
    opening.settle_environment(environment, "127.0.0.1", 8010)
    assert environment["WORKSHOP_WAIT_ROUTINE"] == "30"
    assert environment["WORKSHOP_DATABASE_URL"] == "sqlite:///var/demo.db"
    assert environment["WORKSHOP_BASE_URL"] == "http://127.0.0.1:8010"


def test_the_guide_gives_whole_addresses_and_marks_what_is_over(session: Session, own: Database) -> None:
    steps = guide.list_steps(session, "http://workshop.test")
    assert 6 <= len(steps) <= 12
    assert not any(step.done for step in steps)
    assert all("http://workshop.test/" in step.address for step in steps)
    told = guide.describe(session, "http://workshop.test/")
    assert PASSWORD in told
    assert all(person.name in told for person in PEOPLE if person.visits)
    with own.transaction(writing=True) as writing:
        support(writing, "Noor Tamsin", standing(writing, LACKS_ONE).revision_id)
    with own.transaction(writing=False) as later:
        assert [step.title for step in guide.list_steps(later, "") if step.done] == ["Carry a text with one vote"]


def test_the_guide_says_when_most_members_have_been_away_too_long(filled: Path, session: Session) -> None:
    warning = "--fresh brings them back"
    assert warning not in " ".join(guide.describe(session, "").split())
    database = open_database(settings_for(filled), clock=lambda: TODAY + timedelta(days=30))
    with database.transaction(writing=False) as later:
        assert warning in " ".join(guide.describe(later, "").split())
    database.dispose()


def parts(path: Path) -> dict[str, str]:
    return {section.title: section.text for section in sections_of(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("path", sorted(TEXTS.glob("*.md")), ids=lambda path: path.stem)
def test_each_text_keeps_to_the_shape_of_a_talking_point(path: Path) -> None:
    text, found = path.read_text(encoding="utf-8"), parts(path)
    assert {"Topline", "Key points", "Proof points"} <= found.keys()
    assert len(found["Topline"].split()) <= 25
    assert not re.search(r"\d", found["Topline"])
    assert 3 <= found["Key points"].count("\n- ") + 1 <= 5
    proofs = found["Proof points"].splitlines()
    assert all(re.search(r"nvented example|مثال مختلق|架空の例", proof) for proof in proofs)
    assert set(re.findall(r"https?://([^/\s*)]+)", text)) <= {"example.org"}
    assert not REAL_PARTIES.search(text)
    if "Speech" in found:
        assert 60 <= len(found["Speech"].split()) <= 80
    if "SMS" in found:
        assert len(found["SMS"]) <= (160 if GSM_7.fullmatch(found["SMS"]) else 70)
        assert "STOP" in found["SMS"]


def test_members_write_in_several_scripts_and_so_do_pages() -> None:
    names = " ".join(person.name for person in PEOPLE)
    for script in (r"[\u0590-\u05FF]", r"[\u0600-\u06FF]", r"[\u0E00-\u0E7F]", r"[\u3400-\u9FFF]"):
        assert re.search(script, names)
    assert len({person.name.casefold() for person in PEOPLE}) == len(PEOPLE)
    assert {"night-ferry-ar", "school-meals-ja"} <= {path.stem for path in TEXTS.glob("*.md")}
