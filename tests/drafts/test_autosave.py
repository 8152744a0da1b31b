from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from gettext import NullTranslations

import pytest
from sqlmodel import select

from app.accounts.models import User
from app.activity.models import Activity
from app.consensus import withdrawing
from app.drafts import autosave
from app.drafts import service as drafts
from app.drafts.autosave import MAX_AUTOSAVED, AtWork, NoAutosave, Resume
from app.drafts.models import Autosave, Draft
from app.drafts.service import DraftNotFound, KeptAside, Saved
from app.errors import NotAllowed, Refused
from app.pages.models import Page
from app.permissions import Actor, Role, Scope, ScopeMissing, SignInNeeded
from app.revisions.models import Revision
from app.words import Language, speaking
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import HOUSING, Workshop

pytestmark = POSTGRES_IN_SOAK

TYPED = HOUSING.replace("10,000", "20,000")


class Desk:
    """The shared draft of a page, and what one does at it; each call is one transaction."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.anna = workshop.member("anna", role=Role.WRITER)
        self.bob = workshop.member("bob")
        self.page: Page = workshop.page(self.anna)
        self.base = workshop.shared_head(self.page)
        with workshop.reading() as session:
            self.draft: Draft = drafts.get_shared(session, self.page.id)

    def keep(
        self, actor: Actor | None, text: str = TYPED, *, base: int | None = None, section: str = "", draft: int = 0
    ) -> autosave.Unsent:
        with self.workshop.writing() as session:
            return autosave.keep_autosave(
                session, actor, draft or self.draft.id, base_id=base or self.base, text=text, section=section
            )

    def find(self, actor: Actor | None, draft: int = 0) -> autosave.Unsent | None:
        with self.workshop.reading() as session:
            return autosave.find_autosave(session, actor, draft or self.draft.id)

    def others(self, actor: Actor | None) -> tuple[AtWork, ...]:
        with self.workshop.reading() as session:
            return autosave.others_at_work(session, actor, self.draft.id)

    def resume(self, actor: Actor | None) -> Resume | None:
        with self.workshop.reading() as session:
            return autosave.present_resume(session, actor, drafts.get_draft(session, self.draft.id))

    def save(self, actor: Actor, text: str, *, base: int | None = None) -> Saved | KeptAside:
        with self.workshop.writing() as session:
            return drafts.save_edit(session, actor, self.draft.id, base_id=base or self.base, text=text)


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    return Desk(workshop)


def test_what_was_typed_is_kept_to_the_byte(desk: Desk) -> None:
    for text in (
        "",
        "  \r\n\ttrailing \n\n\n",
        "cafe\u0301 \ufeff not composed",
        "a \u202eb",
        "a\x07b",
        "larger than a save" * 4_000,
        "- more blocks than a save\n" * 3_000,
    ):
        desk.keep(desk.bob, text)
        found = desk.find(desk.bob)
        assert found is not None
        assert found.text == text


def test_what_cannot_be_kept_is_refused_in_clear_words(desk: Desk) -> None:
    desk.keep(desk.bob)
    for text, words in (
        ("x" * (MAX_AUTOSAVED + 1), "98,305 bytes"),
        ("é" * 50_000, "100,000 bytes"),
        ("a\0b", "a null"),
        ("a\ud800b", "half of a character"),
    ):
        with pytest.raises(Refused, match=words) as refused:
            desk.keep(desk.bob, text)
        assert refused.value.pointer == "/text"
        assert "still in the form" in refused.value.detail
    kept = desk.find(desk.bob)
    assert kept is not None
    assert kept.text == TYPED


def test_a_member_has_one_row_per_draft_and_the_last_words_stand_in_it(desk: Desk, clock: MovableClock) -> None:
    first = desk.keep(desk.bob, "## Topline\n\nOne", section="topline")
    clock.move(seconds=5)
    second = desk.keep(desk.bob, "two")
    assert (first.section, second.section) == ("topline", "")
    assert second.saved_at - first.saved_at == timedelta(seconds=5)
    assert desk.find(desk.bob) == second
    with desk.workshop.reading() as session:
        assert [row.text for row in session.exec(select(Autosave))] == ["two"]


def test_windows_of_one_member_may_write_at_the_same_moment(desk: Desk) -> None:
    texts = [f"window {number}" for number in range(16)]
    with ThreadPoolExecutor(8) as windows:
        kept = list(windows.map(lambda text: desk.keep(desk.bob, text), texts))
    assert [unsent.text for unsent in kept] == texts
    with desk.workshop.reading() as session:
        assert [row.text in texts for row in session.exec(select(Autosave))] == [True]


def test_unsent_words_are_their_writers_alone(desk: Desk) -> None:
    desk.keep(desk.bob)
    assert desk.find(desk.anna) is None
    desk.keep(desk.anna, "hers")
    with desk.workshop.writing() as session:
        autosave.drop_autosave(session, desk.anna, desk.draft.id)
        autosave.drop_autosave(session, desk.anna, desk.draft.id)
        with pytest.raises(NoAutosave):
            autosave.get_autosave(session, desk.anna, desk.draft.id)
    kept = desk.find(desk.bob)
    assert kept is not None
    assert kept.text == TYPED


def test_words_are_kept_whatever_became_of_the_draft_and_whose_it_is(desk: Desk) -> None:
    fork = desk.workshop.fork(desk.anna, desk.page, ("Anna moved", "Nora moved"))
    with desk.workshop.writing() as session:
        withdrawing.withdraw_draft(session, desk.anna, fork.id)
    assert desk.keep(desk.bob, draft=fork.id).head_id == fork.head_id
    kept = desk.find(desk.bob, draft=fork.id)
    assert kept is not None
    assert kept.text == TYPED


def test_it_takes_a_member_who_may_write_a_draft_and_a_base_of_its_page(desk: Desk) -> None:
    other = desk.workshop.shared_head(desk.workshop.page(desk.anna, "Schools", "Schools.\n"))
    reader = Actor(desk.bob.id, "bob", Role.MEMBER, None, frozenset({Scope.READ}))
    for nobody, kind in ((None, SignInNeeded), (reader, ScopeMissing)):
        for act in (desk.keep, desk.find):
            with pytest.raises(kind):
                act(nobody)
        assert desk.others(nobody) == ()
        assert desk.resume(nobody) is None
    with pytest.raises(NotAllowed):
        desk.keep(desk.workshop.member("a name", role=Role.NAME))
    for base in (other, 4711):
        with pytest.raises(Refused) as refused:
            desk.keep(desk.bob, base=base)
        assert refused.value.pointer == "/base"
    with pytest.raises(DraftNotFound):
        desk.keep(desk.bob, draft=4711)


def test_autosave_makes_no_history_and_is_no_sign_of_life(desk: Desk, clock: MovableClock) -> None:
    def traces() -> tuple[object, ...]:
        with desk.workshop.reading() as session:
            counts = [len(session.exec(select(table)).all()) for table in (Revision, Activity, Draft)]
            return session.get_one(User, desk.bob.id).last_active_at, *counts

    before = traces()
    clock.move(days=3)
    desk.keep(desk.bob)
    with desk.workshop.writing() as session:
        autosave.drop_autosave(session, desk.bob, desk.draft.id)
    assert traces() == before


@pytest.mark.parametrize("clashes", [False, True])
def test_a_saved_edit_takes_its_writers_autosave_along(desk: Desk, clashes: bool) -> None:
    if clashes:
        desk.save(desk.anna, HOUSING.replace("10,000", "30,000"))
    fork = desk.workshop.fork(desk.bob, desk.page)
    desk.keep(desk.bob)
    desk.keep(desk.bob, "elsewhere", draft=fork.id)
    desk.keep(desk.anna, "hers")
    outcome = desk.save(desk.bob, TYPED)
    assert isinstance(outcome, KeptAside if clashes else Saved)
    assert desk.find(desk.bob) is None
    assert desk.find(desk.bob, draft=fork.id) is not None
    assert desk.find(desk.anna) is not None


def test_an_edit_that_is_refused_leaves_the_autosave(desk: Desk) -> None:
    desk.keep(desk.bob)
    with pytest.raises(Refused):
        desk.save(desk.bob, TYPED, base=4711)
    fork = desk.workshop.fork(desk.anna, desk.page)
    desk.keep(desk.bob, draft=fork.id)
    with pytest.raises(NotAllowed), desk.workshop.writing() as session:
        drafts.save_edit(session, desk.bob, fork.id, base_id=desk.base, text=TYPED)
    assert desk.find(desk.bob) is not None
    assert desk.find(desk.bob, draft=fork.id) is not None


def test_behind_counts_what_the_line_moved_on_and_stops_at_fifty(desk: Desk) -> None:
    assert (desk.keep(desk.bob).head_id, desk.keep(desk.bob).behind) == (desk.base, 0)
    head = desk.base
    for number in range(1, 53):
        saved = desk.save(desk.anna, HOUSING + f"\nLine {number}.\n", base=head)
        assert isinstance(saved, Saved)
        head = saved.revision.id
        if number == 2:
            # What happens on another line of the page does not count.
            desk.workshop.fork(desk.bob, desk.page, ("Anna moved", "Nora moved"))
            assert (desk.keep(desk.bob).head_id, desk.keep(desk.bob).behind) == (head, 2)
            assert desk.keep(desk.bob, base=head).behind == 0
    found = desk.keep(desk.bob)
    assert (found.head_id, found.behind) == (head, 50)


def test_presence_names_the_first_section_that_differs(desk: Desk) -> None:
    for old, new, section, title in (
        ("10,000", "20,000", "key-points", "Key points"),
        ("Everyone", "We all", "topline", "Topline"),
        ("## Story", "## Her story", "her-story", "Her story"),
        ("## Key points", "## Key Points", "key-points", "Key Points"),
        ("## Topline", "Before all.\n\n## Topline", "intro", "Intro"),
        (HOUSING[HOUSING.index("## Story") :], "", "story", "Story"),
        ("# Housing", "# Homes", None, None),
    ):
        assert old in HOUSING
        desk.keep(desk.bob, HOUSING.replace(old, new))
        assert desk.others(desk.anna) == (AtWork("bob", section, title),)


def test_what_one_reader_was_told_of_a_section_is_not_told_in_that_language_to_the_next(desk: Desk) -> None:
    class Pig(NullTranslations):
        def gettext(self, message: str) -> str:
            return {"Intro": "Introhay"}.get(message, message)

    desk.keep(desk.bob, HOUSING.replace("## Topline", "Before all.\n\n## Topline"))
    with speaking(Language("x-pig", Pig())):
        assert desk.others(desk.anna) == (AtWork("bob", "intro", "Introhay"),)
    assert desk.others(desk.anna) == (AtWork("bob", "intro", "Intro"),)


def test_presence_lasts_ninety_seconds_and_leaves_out_oneself_and_who_changed_nothing(
    desk: Desk, clock: MovableClock
) -> None:
    desk.keep(desk.bob)
    desk.keep(desk.workshop.member("cara"), HOUSING)
    assert desk.others(desk.bob) == ()
    clock.move(seconds=90)
    assert [other.name for other in desk.others(desk.anna)] == ["bob"]
    clock.move(seconds=1)
    assert desk.others(desk.anna) == ()
    fork = desk.workshop.fork(desk.bob, desk.page)
    desk.keep(desk.bob, draft=fork.id)
    assert desk.others(desk.anna) == ()


def test_at_most_five_are_named_the_newest_first(desk: Desk, clock: MovableClock) -> None:
    for number in range(7):
        desk.keep(desk.workshop.member(f"editor {number}"))
        clock.move(seconds=1)
    assert [other.name for other in desk.others(desk.anna)] == [f"editor {number}" for number in (6, 5, 4, 3, 2)]


def test_someone_who_comes_back_gets_their_words_on_top_of_the_newest(desk: Desk, clock: MovableClock) -> None:
    desk.keep(desk.bob, TYPED.replace("\n", "\r\n"))
    first = desk.save(desk.anna, HOUSING.replace("Anna moved", "Nora moved"))
    assert isinstance(first, Saved)
    newest = HOUSING.replace("Anna moved", "Nora moved").replace("Everyone needs", "We all need")
    second = desk.save(desk.anna, newest, base=first.revision.id)
    assert isinstance(second, Saved)
    clock.move(days=2)
    found = desk.resume(desk.bob)
    assert found is not None
    assert (found.unsent.base_id, found.unsent.head_id, found.unsent.behind) == (desk.base, second.revision.id, 2)
    assert found.unsent.text == TYPED.replace("\n", "\r\n")
    assert found.age == timedelta(days=2)
    assert found.merged == newest.replace("10,000", "20,000")


def test_a_section_comes_back_in_its_place_in_the_whole_text(desk: Desk) -> None:
    points = "## Key points\r\n\r\n- We will build 20,000 homes a year."
    desk.keep(desk.bob, points, section="key-points")
    kept = desk.find(desk.bob)
    assert kept is not None
    assert (kept.section, kept.text) == ("key-points", points)
    desk.save(desk.anna, HOUSING.replace("Anna moved", "Nora moved"))
    renters = "\n- Renters get a fair contract. Landlords get a fair hearing."
    found = desk.resume(desk.bob)
    assert found is not None
    assert (found.unsent.section, found.unsent.text) == ("", TYPED.replace(renters, ""))
    assert found.merged == TYPED.replace(renters, "").replace("Anna moved", "Nora moved")
    desk.save(desk.anna, HOUSING.replace("10,000", "30,000"))
    found = desk.resume(desk.bob)
    assert found is not None
    assert (found.unsent.text, found.merged) == (TYPED.replace(renters, ""), None)


def test_a_section_that_the_base_lacks_is_refused(desk: Desk) -> None:
    for key in ("points", "topline-2", "\0", "\ud800"):
        with pytest.raises(Refused, match="has no section") as refused:
            desk.keep(desk.bob, "Words.", section=key)
        assert refused.value.pointer == "/section"
    assert desk.find(desk.bob) is None


def test_presence_knows_the_section_that_was_opened(desk: Desk) -> None:
    start = HOUSING.index("## Story")
    desk.keep(desk.bob, HOUSING[start:].strip("\n").replace("\n", "\r\n"), section="story")
    assert desk.others(desk.anna) == ()
    desk.keep(desk.bob, "## Her story\n\nNora moved.", section="story")
    assert desk.others(desk.anna) == (AtWork("bob", "story", "Story"),)


def test_words_that_clash_or_cannot_be_saved_come_back_without_a_merge(desk: Desk) -> None:
    desk.save(desk.anna, HOUSING.replace("can afford", "can keep"))
    clashing = HOUSING.replace("can afford", "can pay")
    for typed in (clashing, TYPED + "\u202e", TYPED + "x" * 70_000, TYPED + "- a\n" * 3_000):
        desk.keep(desk.bob, typed)
        found = desk.resume(desk.bob)
        assert found is not None
        assert (found.unsent.text, found.merged) == (typed, None)


def test_there_is_nothing_to_go_on_with_where_no_word_is_missing(desk: Desk) -> None:
    assert desk.resume(desk.bob) is None
    desk.keep(desk.bob, HOUSING.replace("\n", "\r\n"))
    assert desk.resume(desk.bob) is None
    desk.keep(desk.bob)
    assert desk.resume(desk.bob) is not None
    desk.save(desk.anna, TYPED)
    assert desk.resume(desk.bob) is None
