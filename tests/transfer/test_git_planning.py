from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refused
from app.pages.text import MAX_BYTES, Text, normalise
from app.transfer.git_history import Change, Commit, GitHistory
from app.transfer.git_plan import ImportPlan, LeftOut, PlannedDraft, PlannedPage
from app.transfer.git_planning import plan_import
from tests.transfer.git_builder import START, Story
from tests.transfer.git_oracle import check_plan, plan_checked, slug_of

MAIN = "refs/heads/main"
POLICY = "# Crime\n\nOne.\n\nTwo.\n\nThree.\n\nFour.\n"


def told(*edits: tuple[str, str]) -> str:
    """The policy with some of its words replaced."""
    text = POLICY
    for old, new in edits:
        text = text.replace(old, new)
    return text


ONE = told(("One", "Eins"))
FOUR = told(("Four", "Vier"))
BOTH = told(("One", "Eins"), ("Four", "Vier"))


def the_page(plan: ImportPlan, slug: str = "crime") -> PlannedPage:
    return next(page for page in plan.pages if page.slug == slug)


def line(page: PlannedPage, draft: PlannedDraft) -> list[str]:
    """The commits whose revisions are in the draft, by name."""
    return [revision.summary for revision in page.revisions if revision.draft == draft.key]


def lines(plan: ImportPlan, slug: str = "crime") -> list[tuple[str, list[str]]]:
    page = the_page(plan, slug)
    return [(draft.kind, line(page, draft)) for draft in page.drafts]


def parents(plan: ImportPlan, name: str, slug: str = "crime") -> list[str]:
    page = the_page(plan, slug)
    names = {revision.key: revision.summary for revision in page.revisions}
    return [names[key] for key in next(r.parents for r in page.revisions if r.summary == name)]


def test_every_markdown_file_on_main_is_a_page_with_its_path_as_address(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"Crime.md": "x\n", "local/Horsham.md": "# Horsham town\n", "notes.txt": "# No\n"})
    plan = plan_checked(tmp_path, story, {MAIN: "start"})
    assert {(page.slug, page.title) for page in plan.pages} == {
        ("crime", "Crime"),
        ("local-horsham", "Horsham town"),
    }


def test_a_link_is_no_page_though_its_name_ends_like_one(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("link", {"crime.md": "README.txt"}, mode="120000")
    story.commit("file", {"crime.md": FOUR})
    assert lines(plan_checked(tmp_path, story, {MAIN: "file"})) == [("shared", ["start", "file"])]


def test_a_commit_that_changes_line_ends_alone_is_no_revision(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("line ends", {"crime.md": POLICY.replace("\n", "\r\n")})
    story.commit("elsewhere", {"crime.md": POLICY.replace("\n", "\r\n"), "tax.md": "x"})
    story.commit("edit", {"crime.md": ONE, "tax.md": "x"})
    assert lines(plan_checked(tmp_path, story, {MAIN: "edit"})) == [("shared", ["start", "edit"])]


def test_a_page_keeps_its_identity_through_renames_and_its_old_addresses(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("move and edit", {"manifesto/crime.md": ONE})
    story.commit("move alone", {"policy/crime.md": ONE})
    story.commit("edit", {"policy/crime.md": BOTH})
    plan = plan_checked(tmp_path, story, {MAIN: "edit"})
    assert lines(plan, "policy-crime") == [("shared", ["start", "move and edit", "edit"])]
    assert the_page(plan, "policy-crime").former_slugs == ("crime", "manifesto-crime")
    assert not plan.left_out


def test_a_page_renamed_on_a_branch_takes_in_what_main_wrote_meanwhile(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("move", {"justice.md": told(("Two", "Zwei"))})
    story.commit("edit", {"crime.md": ONE}, after=["start"])
    story.commit("join", {"justice.md": told(("One", "Eins"), ("Two", "Zwei"))}, after=["edit", "move"])
    plan = plan_checked(tmp_path, story, {MAIN: "join"})
    assert lines(plan, "justice") == [("shared", ["start", "edit", "join"]), ("side", ["move"])]
    assert parents(plan, "join", "justice") == ["edit", "move"]
    assert the_page(plan, "justice").former_slugs == ("crime",)


def test_a_merge_that_renames_keeps_the_page(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("edit", {"crime.md": ONE})
    story.commit("branch", {"crime.md": FOUR}, after=["start"])
    story.commit("join", {"justice.md": BOTH}, after=["edit", "branch"])
    assert parents(plan_checked(tmp_path, story, {MAIN: "join"}), "join", "justice") == ["edit", "branch"]


def test_a_page_moved_away_and_a_new_one_in_its_place_stay_two_through_a_merge(tmp_path: Path) -> None:
    story = Story()
    stub = "Moved.\n"
    story.commit("start", {"crime.md": POLICY})
    story.commit("main goes on", {"crime.md": POLICY, "tax.md": "Tax"})
    story.commit("move", {"justice.md": POLICY}, after=["start"])
    story.commit("stub", {"justice.md": POLICY, "crime.md": stub})
    story.commit("join", {"justice.md": POLICY, "crime.md": stub, "tax.md": "Tax"}, after=["main goes on", "stub"])
    story.commit("edit", {"justice.md": ONE, "crime.md": stub, "tax.md": "Tax"})
    plan = plan_checked(tmp_path, story, {MAIN: "edit"})
    assert lines(plan, "justice") == [("shared", ["start", "edit"])]
    assert lines(plan, "crime") == [("shared", ["stub"])]
    assert the_page(plan, "justice").former_slugs == ()


def test_a_copy_is_a_new_page(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("copy", {"crime.md": POLICY, "justice.md": POLICY})
    plan = plan_checked(tmp_path, story, {MAIN: "copy"})
    assert lines(plan, "justice") == [("shared", ["copy"])]
    assert lines(plan, "crime") == [("shared", ["start"])]


def test_a_page_deleted_and_made_again_goes_on_where_it_ended(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY, "tax.md": "Tax"})
    story.commit("delete", {"tax.md": "Tax"})
    story.commit("restore", {"crime.md": POLICY, "tax.md": "Tax"})
    plan = plan_checked(tmp_path, story, {MAIN: "restore"})
    assert lines(plan) == [("shared", ["start", "restore"])]
    assert the_page(plan).origins == (f"git:{story.ids['start']}:crime.md", f"git:{story.ids['restore']}:crime.md")


def test_a_page_gone_from_main_is_left_out_and_named(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY, "tax.md": "Tax"})
    story.commit("delete", {"crime.md": POLICY})
    plan = plan_checked(tmp_path, story, {MAIN: "delete"})
    assert [page.slug for page in plan.pages] == ["crime"]
    assert plan.left_out == (LeftOut("tax.md", "no longer on the main branch"),)


def test_a_file_that_two_branches_add_is_one_page(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"tax.md": "Tax"})
    story.commit("here", {"tax.md": "Tax", "crime.md": ONE})
    story.commit("there", {"tax.md": "Tax", "crime.md": FOUR}, after=["start"])
    story.commit("join", {"tax.md": "Tax", "crime.md": BOTH}, after=["here", "there"])
    plan = plan_checked(tmp_path, story, {MAIN: "join"})
    assert lines(plan) == [("shared", ["here", "join"]), ("side", ["there"])]
    assert parents(plan, "join") == ["here", "there"]


def test_where_a_merge_takes_a_branch_as_it_is_the_shared_line_goes_through_the_branch(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("branch", {"crime.md": ONE})
    story.commit("branch again", {"crime.md": BOTH})
    story.commit("join", {"crime.md": BOTH}, after=["start", "branch again"])
    story.commit("edit", {"crime.md": "New.\n"})
    plan = plan_checked(tmp_path, story, {MAIN: "edit"})
    assert lines(plan) == [("shared", ["start", "branch", "branch again", "edit"])]


def test_a_merge_of_two_changes_has_main_as_first_parent_and_the_branch_as_side_line(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("edit", {"crime.md": ONE})
    story.commit("branch", {"crime.md": FOUR}, after=["start"], author="Bob")
    story.commit("join", {"crime.md": BOTH}, after=["edit", "branch"])
    plan = plan_checked(tmp_path, story, {MAIN: "join"})
    assert lines(plan) == [("shared", ["start", "edit", "join"]), ("side", ["branch"])]
    assert parents(plan, "join") == ["edit", "branch"]
    side = the_page(plan).drafts[1]
    assert (side.name, side.owner, side.state) == ("branch", "Bob", "closed")


def test_two_side_branches_that_part_are_two_lines(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("edit", {"crime.md": ONE})
    story.commit("branch", {"crime.md": FOUR}, after=["start"])
    story.commit("left", {"crime.md": FOUR + "Left.\n"}, after=["branch"])
    story.commit("right", {"crime.md": FOUR + "Right.\n"}, after=["branch"])
    story.commit("join left", {"crime.md": BOTH + "Left.\n"}, after=["edit", "left"])
    story.commit("join right", {"crime.md": BOTH + "Left.\nRight.\n"}, after=["join left", "right"])
    plan = plan_checked(tmp_path, story, {MAIN: "join right"})
    shared = ["start", "edit", "join left", "join right"]
    assert lines(plan) == [("shared", shared), ("side", ["branch", "left"]), ("side", ["right"])]


def test_a_branch_that_took_in_main_before_continues_what_stood_on_main(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("edit", {"crime.md": ONE})
    story.commit("branch", {"crime.md": FOUR}, after=["start"])
    story.commit("take in main", {"crime.md": BOTH}, after=["branch", "edit"])
    story.commit("join", {"crime.md": BOTH}, after=["edit", "take in main"])
    plan = plan_checked(tmp_path, story, {MAIN: "join"})
    assert lines(plan) == [("shared", ["start", "edit", "take in main"]), ("side", ["branch"])]
    assert parents(plan, "take in main") == ["edit", "branch"]


def test_what_a_merge_threw_away_is_kept_as_a_side_line(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("edit", {"crime.md": ONE})
    story.commit("branch", {"crime.md": FOUR}, after=["start"])
    story.commit("join", {"crime.md": FOUR}, after=["edit", "branch"])
    plan = plan_checked(tmp_path, story, {MAIN: "join"})
    assert lines(plan) == [("shared", ["start", "branch"]), ("side", ["edit"])]


def test_a_pull_that_put_main_second_still_gives_one_shared_line(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("main edit", {"crime.md": ONE})
    story.commit("my edit", {"crime.md": FOUR}, after=["start"])
    story.commit("pull", {"crime.md": BOTH}, after=["my edit", "main edit"])
    plan = plan_checked(tmp_path, story, {MAIN: "pull"})
    assert lines(plan) == [("shared", ["start", "my edit", "pull"]), ("side", ["main edit"])]


def test_a_merge_of_three_keeps_all_its_parents(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("one", {"crime.md": ONE})
    story.commit("four", {"crime.md": FOUR}, after=["start"])
    story.commit("two", {"crime.md": told(("Two", "Zwei"))}, after=["start"])
    story.commit("join", {"crime.md": told(("One", "1"), ("Two", "2"), ("Four", "4"))}, after=["one", "four", "two"])
    plan = plan_checked(tmp_path, story, {MAIN: "join"})
    assert parents(plan, "join") == ["one", "four", "two"]


def test_an_unmerged_proposal_is_a_fork_of_each_page_it_changes_and_a_merged_one_is_not(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY, "tax.md": "Tax"})
    story.commit("merged", {"crime.md": ONE, "tax.md": "Tax"})
    story.commit("first words", {"crime.md": FOUR, "tax.md": "Tax"}, after=["start"], author="Bob")
    story.commit("more words", {"crime.md": FOUR + "More.\n", "tax.md": "Tax"}, author="Cyd")
    refs = {MAIN: "merged", "refs/pull/7/head": "more words", "refs/pull/6/head": "merged"}
    plan = plan_checked(tmp_path, story, refs)
    assert (plan.proposals, plan.unmerged) == (2, 1)
    assert lines(plan) == [("shared", ["start", "merged"]), ("fork", ["first words", "more words"])]
    assert lines(plan, "tax") == [("shared", ["start"])]
    fork = the_page(plan).drafts[1]
    assert (fork.name, fork.owner, fork.state, fork.ref) == ("#7 first words", "Bob", "open", "refs/pull/7/head")
    assert fork.at == datetime.fromtimestamp(START + 2 * 3600, UTC)
    assert fork.key == f"git:refs/pull/7/head:{story.ids['start']}:crime.md"


def test_a_proposal_that_changes_nothing_in_the_end_is_no_fork(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY, "tax.md": "Tax"})
    story.commit("there", {"crime.md": ONE, "tax.md": "Tax"})
    story.commit("and back", {"crime.md": POLICY, "tax.md": "More tax"})
    plan = plan_checked(tmp_path, story, {MAIN: "start", "refs/pull/1/head": "and back"})
    assert lines(plan) == [("shared", ["start"])]
    assert lines(plan, "tax") == [("shared", ["start"]), ("fork", ["and back"])]


def test_a_proposal_that_took_in_main_is_compared_with_what_it_took_in(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY, "tax.md": "Tax"})
    story.commit("edit", {"crime.md": ONE, "tax.md": "More tax"})
    story.commit("propose", {"crime.md": FOUR, "tax.md": "Tax"}, after=["start"])
    story.commit("take in main", {"crime.md": BOTH, "tax.md": "More tax"}, after=["propose", "edit"])
    plan = plan_checked(tmp_path, story, {MAIN: "edit", "refs/pull/1/head": "take in main"})
    assert lines(plan) == [("shared", ["start", "edit"]), ("fork", ["propose", "take in main"])]
    assert parents(plan, "take in main") == ["propose", "edit"]
    assert lines(plan, "tax") == [("shared", ["start", "edit"])]


def test_what_stacked_proposals_share_belongs_to_one_of_them(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY, "tax.md": "Tax"})
    story.commit("lower", {"crime.md": ONE, "tax.md": "Tax"}, author="Low")
    story.commit("upper", {"crime.md": BOTH, "tax.md": "Tax"}, author="Upp")
    story.commit("other page", {"crime.md": BOTH, "tax.md": "More tax"}, author="Oth")
    refs = {"refs/pull/1/head": "upper", "refs/pull/2/head": "lower", "refs/pull/3/head": "other page"}
    plan = plan_checked(tmp_path, story, {MAIN: "start", **refs})
    page = the_page(plan)
    assert [(draft.name, line(page, draft)) for draft in page.drafts[1:]] == [
        ("#2 lower", ["lower"]),
        ("#1 upper", ["upper"]),
        ("#3 other page", []),
    ]
    assert page.drafts[3].base == page.drafts[3].head == page.drafts[2].head
    assert [draft.owner for draft in page.drafts[1:]] == ["Low", "Upp", "Oth"]


def test_two_proposals_that_part_after_common_commits_share_them(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("common", {"crime.md": ONE})
    story.commit("second", {"crime.md": BOTH})
    story.commit("first", {"crime.md": ONE + "More.\n"}, after=["common"])
    plan = plan_checked(tmp_path, story, {MAIN: "start", "refs/pull/10/head": "second", "refs/pull/9/head": "first"})
    assert lines(plan) == [("shared", ["start"]), ("fork", ["common", "first"]), ("fork", ["second"])]
    assert parents(plan, "second") == ["common"]


def test_two_proposals_with_one_head_are_two_forks_of_it(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("propose", {"crime.md": ONE})
    refs = {MAIN: "start", "refs/pull/1/head": "propose", "refs/pull/2/head": "propose"}
    forks = the_page(plan_checked(tmp_path, story, refs)).drafts[1:]
    assert [fork.name for fork in forks] == ["#1 propose", "#2 propose"]
    assert forks[0].head == forks[1].head


def test_a_new_file_of_proposals_is_a_page_without_shared_text_and_a_fork_for_each(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("mine", {"crime.md": POLICY, "new/tax.md": "# Tax the rich\n"})
    story.commit("yours", {"crime.md": POLICY, "new/tax.md": "# Tax\n"}, after=["start"])
    plan = plan_checked(tmp_path, story, {MAIN: "start", "refs/pull/1/head": "mine", "refs/pull/2/head": "yours"})
    assert lines(plan, "new-tax") == [("shared", []), ("fork", ["mine"]), ("fork", ["yours"])]
    page = the_page(plan, "new-tax")
    assert (page.title, page.drafts[0].head, page.drafts[1].base) == ("Tax the rich", None, None)


def test_a_proposal_may_add_a_file_where_main_once_had_one(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY, "law.md": told(("Two", "Zwei")), "tax.md": "Tax"})
    story.commit("tidy", {"justice.md": POLICY, "law.md": told(("Two", "Zwei"))})
    story.commit("propose", {"justice.md": POLICY, "law.md": told(("Two", "Zwei")), "crime.md": "C", "tax.md": "T"})
    plan = plan_checked(tmp_path, story, {MAIN: "tidy", "refs/pull/1/head": "propose"})
    assert lines(plan, "tax") == [("shared", []), ("fork", ["propose"])]
    assert lines(plan, "crime") == [("shared", []), ("fork", ["propose"])]
    assert lines(plan, "justice") == [("shared", ["start"])]
    assert plan.left_out == (LeftOut("tax.md", "no longer on the main branch"),)


def test_changes_that_cannot_be_a_fork_are_named(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY, "tax.md": "Tax", "war.md": "War"})
    story.commit("no tax", {"crime.md": POLICY, "war.md": "War"})
    story.commit("late", {"crime.md": POLICY, "tax.md": "More tax", "war.md": "War"}, after=["start"])
    story.commit("no war", {"crime.md": POLICY, "tax.md": "Tax"}, after=["start"])
    plan = plan_checked(tmp_path, story, {MAIN: "no tax", "refs/pull/1/head": "late", "refs/pull/2/head": "no war"})
    assert plan.left_out == (
        LeftOut("tax.md", "no longer on the main branch"),
        LeftOut("tax.md", "no longer on the main branch", "refs/pull/1/head"),
        LeftOut("war.md", "the proposal deletes the page; a draft cannot say so", "refs/pull/2/head"),
    )


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"caf\xe9", "This text is not UTF-8 (at byte 4)."),
        ("x" * (MAX_BYTES + 1), "This text is 65,537 bytes long; 65,536 is the most."),
        ("x" * (8 * MAX_BYTES + 1), "This text is 524,289 bytes long; 65,536 is the most."),
        ("ab\u202ecd", "This text holds a hidden mark that turns the reading direction (U+202E, character 3)."),
    ],
    ids=["not UTF-8", "long", "very long", "turned"],
)
def test_the_history_goes_on_around_a_text_that_cannot_be_used(bad: str | bytes, reason: str, tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("bad", {"crime.md": bad})
    story.commit("elsewhere", {"crime.md": bad, "tax.md": "Tax"})
    story.commit("good", {"crime.md": ONE, "tax.md": "Tax"})
    plan = plan_checked(tmp_path, story, {MAIN: "good"})
    assert lines(plan) == [("shared", ["start", "good"])]
    assert [(text.commit, text.path, text.reason) for text in plan.skipped] == [(story.ids["bad"], "crime.md", reason)]


def test_a_page_without_any_text_that_can_be_used_is_left_out(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY, "tax.md": b"\xff"})
    plan = plan_checked(tmp_path, story, {MAIN: "start"})
    assert plan.left_out == (LeftOut("tax.md", "none of its texts can be used"),)


@pytest.mark.parametrize(
    ("seconds", "year"), [(-5_000_000_000, 1970), (0, 1970), (START, 2014), (99_999_999_999, 2030)]
)
def test_dates_are_kept_between_1970_and_now(seconds: int, year: int) -> None:
    commit = Commit("c", (), "Ann", seconds, START, "start", (Change(None, "a.md", "blob"),))
    history = GitHistory([commit], MAIN, "c", {})
    now = datetime(2030, 1, 1, tzinfo=UTC)
    plan = plan_import(history, text_of=lambda blob: Text(blob), slug_of=slug_of, now=now)
    assert plan.pages[0].revisions[0].at.year == year


def test_a_date_git_cannot_read_becomes_the_committers() -> None:
    commit = Commit("c", (), " \x07", None, START, "start", (Change(None, "a.md", "blob"),))
    history = GitHistory([commit], MAIN, "c", {})
    now = datetime(2030, 1, 1, tzinfo=UTC)
    plan = plan_import(history, text_of=lambda blob: Text(blob), slug_of=slug_of, now=now)
    assert plan.pages[0].revisions[0].at == datetime.fromtimestamp(START, UTC)
    assert plan.pages[0].revisions[0].author == "unknown"


def test_a_message_becomes_one_line_of_at_most_500_characters(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY}, message="Merge #1\n\nBetter\twords\u202e\n" + "x" * 600)
    summary = the_page(plan_checked(tmp_path, story, {MAIN: "start"})).revisions[0].summary
    assert summary.startswith("Merge #1 Better words xxx")
    assert len(summary) == 500


def test_files_that_want_one_address_get_numbers_and_are_named(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"foreign_policy.md": "x", "foreign-policy.md": "y", "foreign/policy.md": "z"})
    plan = plan_checked(tmp_path, story, {MAIN: "start"})
    assert [page.slug for page in plan.pages] == ["foreign-policy", "foreign-policy-2", "foreign-policy-3"]
    assert [slug for _, slug in plan.clashing_slugs] == ["foreign-policy-2", "foreign-policy-3"]


def test_keys_stay_the_same_when_main_moves_on_and_takes_a_proposal_in(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("propose", {"crime.md": ONE, "tax.md": "Tax"})
    story.commit("edit", {"crime.md": FOUR}, after=["start"])
    refs = {"refs/pull/1/head": "propose"}
    earlier = plan_checked(tmp_path / "1", story, {MAIN: "edit", **refs})
    story.commit("join", {"law.md": BOTH, "tax.md": "Tax"}, after=["edit", "propose"])
    story.commit("after", {"law.md": BOTH + "More.\n", "tax.md": "More tax"})
    later = plan_checked(tmp_path / "2", story, {MAIN: "after", **refs})
    assert [page.key for page in earlier.pages] == [page.key for page in later.pages]
    for before, now in zip(earlier.pages, later.pages, strict=True):
        assert {revision.key for revision in before.revisions} <= {revision.key for revision in now.revisions}


def test_a_proposed_page_is_known_again_when_main_makes_one_at_its_path(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"crime.md": POLICY})
    story.commit("propose", {"crime.md": POLICY, "tax.md": "Tax"})
    refs = {"refs/pull/1/head": "propose"}
    earlier = plan_checked(tmp_path / "1", story, {MAIN: "start", **refs})
    story.commit("own", {"crime.md": POLICY, "tax.md": "Own tax"}, after=["start"])
    later = plan_checked(tmp_path / "2", story, {MAIN: "own", **refs})
    assert the_page(earlier, "tax").key in the_page(later, "tax").origins
    assert lines(later, "tax") == [("shared", ["own"]), ("fork", ["propose"])]


def test_a_repository_without_markdown_is_refused(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"notes.txt": "x"})
    with pytest.raises(Refused, match="no Markdown file on refs/heads/main"):
        plan_checked(tmp_path, story, {MAIN: "start"})


PATHS = ("a.md", "b.md", "c.md")
TREES = st.dictionaries(st.sampled_from(PATHS), st.sampled_from("pqrst"), max_size=3)


@st.composite
def histories(draw: st.DrawFn) -> tuple[GitHistory, dict[str, dict[str, str]]]:
    """Any commits over three paths and five texts, one merging up to three; a text moved whole is a rename."""
    trees: dict[str, dict[str, str]] = {}
    commits: list[Commit] = []
    for number in range(draw(st.integers(1, 12))):
        parents = draw(st.lists(st.sampled_from(list(trees)), max_size=3, unique=True)) if trees else []
        kept = [tree for parent in parents for tree in [trees[parent]] if draw(st.booleans())]
        tree = {path: text for each in kept for path, text in each.items()} | draw(TREES)
        against = [_changes(trees[parent], tree) for parent in parents] or [_changes({}, tree)]
        renames = tuple(tuple((c.before, c.after) for c in f if c.before and c.after) for f in against[1:])
        name = f"c{number}"
        trees[name] = tree
        commits.append(Commit(name, tuple(parents), "Ann", number, number, name, against[0], renames))
    heads = draw(st.lists(st.sampled_from(list(trees)), min_size=1, max_size=4))
    proposals = {f"refs/pull/{number}/head": head for number, head in enumerate(heads[1:])}
    return GitHistory(commits, MAIN, heads[0], proposals), trees


def _changes(before: dict[str, str], after: dict[str, str]) -> tuple[Change, ...]:
    gone = {path: text for path, text in before.items() if path not in after}
    changes = []
    for path, text in after.items():
        source = next((old for old, lost in gone.items() if lost == text), None) if path not in before else path
        gone.pop(source or "", None)
        if before.get(path) != text:
            changes.append(Change(source, path, text))
    return tuple(changes + [Change(path, None, None) for path in gone])


@settings(max_examples=60, deadline=None)
@given(histories())
def test_any_history_keeps_its_texts_and_falls_into_lines(told: tuple[GitHistory, dict[str, dict[str, str]]]) -> None:
    history, trees = told
    try:
        plan = plan_import(history, text_of=normalise, slug_of=slug_of, now=datetime(2030, 1, 1, tzinfo=UTC))
    except Refused:
        assert not trees[history.main]
    else:
        assert check_plan(history, trees, plan, normalise).commits == len(trees)
