import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import Refused
from app.transfer.git_history import Change, GitHistory
from app.transfer.git_repository import open_repository
from tests.transfer.git_builder import Story, git

MAIN = "refs/heads/main"


@pytest.fixture
def story() -> Story:
    """Two commits on main and a proposal; the text of `b.md` is what `a.md` was."""
    story = Story()
    story.commit("start", {"a.md": "One.\nTwo.\nThree.\n", "notes.txt": "x"})
    story.commit("move", {"b.md": "One.\nTwo.\nThree.\n", "notes.txt": "y"}, author="Bob")
    story.commit("propose", {"b.md": "One.\nTwo.\nThree.\nFour.\n"})
    return story


@pytest.fixture
def bare(story: Story, tmp_path: Path) -> Path:
    return story.write(tmp_path / "bare.git", {MAIN: "move", "refs/pull/1/head": "propose"})


def read(path: Path, drafts: str | None = None) -> GitHistory:
    with open_repository(path) as repository:
        return repository.history(drafts=drafts)


def test_commits_come_with_their_changes_parents_first(bare: Path, story: Story) -> None:
    history = read(bare)
    assert [commit.id for commit in history.commits] == [story.ids["start"], story.ids["move"]]
    assert (history.branch, history.main, history.proposals) == (MAIN, story.ids["move"], {})
    start, move = history.commits
    assert (move.parents, move.author, move.message) == ((start.id,), "Bob", "move")
    assert [(change.before, change.after) for change in start.changes] == [(None, "a.md")]
    assert [(change.before, change.after) for change in move.changes] == [("a.md", "b.md")]


def test_a_bundle_a_bare_repository_and_a_work_tree_read_alike(bare: Path, tmp_path: Path) -> None:
    bundle, tree = tmp_path / "all.bundle", tmp_path / "tree"
    git("--git-dir", str(bare), "bundle", "create", "--quiet", str(bundle), "HEAD", "--all")
    git("clone", "--quiet", "--mirror", str(bare), str(tree / ".git"))
    git("--git-dir", str(tree / ".git"), "config", "core.bare", "false")
    expected = read(bare, "refs/pull/*/head")
    assert len(expected.proposals) == 1
    assert read(bundle, "refs/pull/*/head") == expected == read(tree, "refs/pull/*/head")


def test_an_unpacked_bundle_leaves_nothing_behind(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    git("--git-dir", str(bare), "bundle", "create", "--quiet", str(tmp_path / "all.bundle"), "--all")
    with open_repository(tmp_path / "all.bundle") as repository:
        history = repository.history()
        assert repository.text_of(str(history.commits[0].changes[0].blob)) == "One.\nTwo.\nThree.\n"
        assert list(scratch.iterdir())
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("refs/pull/*/head", ["refs/pull/1/head", "refs/pull/22/head"]),
        ("refs/pull/*", ["refs/pull/1/head", "refs/pull/22/head", "refs/pull/22/merge"]),
        ("refs/pull/", ["refs/pull/1/head", "refs/pull/22/head", "refs/pull/22/merge"]),
        ("refs/pull/2?/head", ["refs/pull/22/head"]),
        ("refs/heads/*", ["refs/heads/idea"]),
        ("refs/tags/*", ["refs/tags/v1"]),
        ("pull", []),
        (None, []),
    ],
)
def test_proposals_are_the_refs_that_match_and_never_main(
    pattern: str | None, found: list[str], bare: Path, story: Story
) -> None:
    for ref in ("refs/pull/22/head", "refs/pull/22/merge", "refs/heads/idea"):
        git("--git-dir", str(bare), "update-ref", ref, story.ids["propose"])
    identity = ("-c", "user.name=x", "-c", "user.email=x")
    git("--git-dir", str(bare), *identity, "tag", "-a", "-m", "x", "v1", story.ids["propose"])
    history = read(bare, pattern)
    assert list(history.proposals) == found
    assert set(history.proposals.values()) <= {story.ids["propose"]}


@pytest.mark.parametrize(
    ("refs", "head", "branch"),
    [
        (["refs/heads/trunk", "refs/heads/main"], "refs/heads/trunk", "refs/heads/trunk"),
        (["refs/heads/main", "refs/heads/master"], "refs/heads/none", "refs/heads/main"),
        (["refs/heads/master", "refs/heads/other"], "refs/heads/none", "refs/heads/master"),
    ],
)
def test_the_main_branch_is_heads_else_main_else_master(
    refs: list[str], head: str, branch: str, story: Story, tmp_path: Path
) -> None:
    bare = story.write(tmp_path / "r.git", dict.fromkeys(refs, "move"))
    git("--git-dir", str(bare), "symbolic-ref", "HEAD", head)
    assert read(bare).branch == branch


def test_a_head_on_no_branch_counts_when_there_is_neither_main_nor_master(story: Story, tmp_path: Path) -> None:
    bare = story.write(tmp_path / "r.git", {"refs/heads/other": "start"})
    git("--git-dir", str(bare), "update-ref", "--no-deref", "HEAD", story.ids["move"])
    assert read(bare).main == story.ids["move"]


def test_renames_against_every_parent_of_a_merge_are_read(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {"a.md": "One.\nTwo.\nThree.\n"})
    story.commit("moved", {"b.md": "One.\nTwo.\nThree.\n"})
    story.commit("edited", {"a.md": "One.\nTwo.\nThree.\nFour.\n"}, after=["start"])
    story.commit("join", {"b.md": "One.\nTwo.\nThree.\nFour.\n"}, after=["moved", "edited"])
    join = read(story.write(tmp_path / "r.git", {MAIN: "join"})).commits[-1]
    assert [(change.before, change.after) for change in join.changes] == [("b.md", "b.md")]
    assert join.renames == ((("a.md", "b.md"),),)


def test_any_file_name_and_author_comes_through(tmp_path: Path) -> None:
    story = Story()
    names = ["ü ber.md", "tab\there.md", 'quo"te.md', "-dash.md"]
    quoted = {'"' + name.replace('"', '\\"').replace("\t", "\\t") + '"': "x" for name in names}
    story.commit("start", quoted, author="Zoë “Z” O'Neil")
    bare = story.write(tmp_path / "r.git", {MAIN: "start"})
    commit = read(bare).commits[0]
    assert {change.after for change in commit.changes} == set(names)
    assert commit.author == "Zoë “Z” O'Neil"


def test_progress_reaches_its_total_in_each_step(bare: Path) -> None:
    told: list[tuple[int, int, str]] = []
    with open_repository(bare) as repository:
        repository.history(progress=lambda done, total, what: told.append((done, total, what)))
    assert [entry for entry in told if entry[0] == entry[1]] == [(1, 1, "reading commits"), (2, 2, "reading changes")]


def test_a_mailmap_does_not_rename_authors(tmp_path: Path) -> None:
    story = Story()
    story.commit("start", {".mailmap": "New Name <x@example.org>\n", "a.md": "x"}, author="Old Name")
    assert read(story.write(tmp_path / "r.git", {MAIN: "start"})).commits[0].author == "Old Name"


def test_texts_are_normalised_and_those_without_use_say_why(bare: Path) -> None:
    with open_repository(bare) as repository:
        blob = git("--git-dir", str(bare), "hash-object", "-w", "--stdin", given="e\u0301\r\n".encode()).strip()
        assert repository.text_of(blob) == "é\n"
        with pytest.raises(Refused, match="does not hold this text"):
            repository.text_of("0" * 40)
        assert repository.text_of(blob) == "é\n"


def test_a_repository_is_read_whatever_git_variables_are_set(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_WORK_TREE", "/nowhere")
    assert len(read(bare).commits) == 2


def nothing(tmp_path: Path) -> Path:
    return tmp_path / "nothing"


def plain_directory(tmp_path: Path) -> Path:
    (tmp_path / "plain").mkdir()
    return tmp_path / "plain"


def directory_in_a_repository(tmp_path: Path) -> Path:
    git("init", "--quiet", str(tmp_path))
    return plain_directory(tmp_path)


def too_long_a_name(tmp_path: Path) -> Path:
    return tmp_path / ("x" * 300)


def other_file(tmp_path: Path) -> Path:
    (tmp_path / "notes.txt").write_text("hello")
    return tmp_path / "notes.txt"


def damaged_bundle(tmp_path: Path) -> Path:
    (tmp_path / "bad.bundle").write_text("# v2 git bundle\nrubbish\n")
    return tmp_path / "bad.bundle"


def part_of_a_history(tmp_path: Path) -> Path:
    story = Story()
    story.commit("start", {"a.md": "x"})
    story.commit("more", {"a.md": "y"})
    bare = story.write(tmp_path / "r.git", {MAIN: "more"})
    git("--git-dir", str(bare), "bundle", "create", "--quiet", str(tmp_path / "part.bundle"), "main~1..main")
    return tmp_path / "part.bundle"


def empty_repository(tmp_path: Path) -> Path:
    git("init", "--quiet", str(tmp_path / "empty"))
    return tmp_path / "empty"


def no_main_branch(tmp_path: Path) -> Path:
    story = Story()
    story.commit("start", {"a.md": "x"})
    return story.write(tmp_path / "r.git", {"refs/heads/other": "start"})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (nothing, "There is nothing at"),
        (too_long_a_name, "cannot be read: File name too long"),
        (plain_directory, "There is no git repository at this path"),
        (directory_in_a_repository, "There is no git repository at this path"),
        (other_file, "is a file, but not a git bundle"),
        (damaged_bundle, "git could not read this repository"),
        (part_of_a_history, "holds only a part of a history"),
        (empty_repository, "holds no commits yet"),
        (no_main_branch, "no branch named main or master"),
    ],
)
def test_what_cannot_be_read_is_refused_in_plain_words(
    make: Callable[[Path], Path], words: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=words):
        read(make(tmp_path))


def test_a_machine_without_git_says_so(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="git is not installed"):
        read(bare)


def test_a_link_to_a_repository_is_followed(bare: Path, tmp_path: Path) -> None:
    os.symlink(bare, tmp_path / "link")
    assert len(read(tmp_path / "link").commits) == 2


def test_changes_of_mode_to_and_from_a_link_are_deletions_and_additions(tmp_path: Path) -> None:
    story = Story()
    story.commit("file", {"a.md": "x"})
    story.commit("link", {"a.md": "y"}, mode="120000")
    story.commit("again", {"a.md": "z"})
    _, link, again = read(story.write(tmp_path / "r.git", {MAIN: "again"})).commits
    assert link.changes == (Change("a.md", None, None),)
    assert (again.changes[0].before, again.changes[0].after) == (None, "a.md")
