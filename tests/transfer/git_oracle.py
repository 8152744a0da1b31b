"""Compares a planned import with what git itself says, commit by commit, and checks that the lines hold together."""

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.errors import Refused
from app.pages.text import Text
from app.transfer.git_history import GitHistory, Place, State, Walk
from app.transfer.git_plan import ImportPlan, PlannedPage
from app.transfer.git_planning import plan_import
from app.transfer.git_repository import open_repository
from tests.transfer.git_builder import Story

Trees = Mapping[str, Mapping[str, str]]
"""Commit → path → blob of its Markdown files."""
TextOf = Callable[[str], Text]


@dataclass
class Checked:
    """How much was compared, so that nobody takes an empty comparison for a good one."""

    commits: int = 0
    texts: int = 0
    revisions: int = 0
    forks: int = 0


def trees_in(git_dir: Path, history: GitHistory) -> Trees:
    """The regular Markdown files of every commit, asked from git alone."""
    return {commit.id: _files_in(git_dir, commit.id) for commit in history.commits}


def check_plan(history: GitHistory, trees: Trees, plan: ImportPlan, text_of: TextOf) -> Checked:
    """Every commit, every page: the text that stands is git's. Every draft: its head is git's; every line is one."""
    checked = Checked(commits=len(history.commits))
    walk = Walk(history, text_of)
    states = dict(walk.states())
    for position, state in states.items():
        _check_standing_texts(history.commits[position].id, state, trees, walk, text_of, checked)
        _check_new_revisions(position, states, walk)
    _check_coverage(walk, states, plan)
    _check_main_head(trees[history.main], plan, text_of)
    for page in plan.pages:
        _check_lines(page)
        _check_forks(history, trees, page, text_of, checked)
        checked.revisions += len(page.revisions)
    _check_keys(plan)
    return checked


def _files_in(git_dir: Path, commit: str) -> dict[str, str]:
    listing = subprocess.run(
        ["git", "--git-dir", str(git_dir), "ls-tree", "-r", "-z", "--full-tree", commit],
        capture_output=True,
        check=True,
    ).stdout.decode()
    files = {}
    for entry in filter(None, listing.split("\0")):
        meta, path = entry.split("\t", 1)
        if meta.startswith("100") and path.endswith(".md"):
            files[path] = meta.split()[2]
    return files


def _usable(text_of: TextOf, blob: str) -> Text | None:
    try:
        return text_of(blob)
    except Refused:
        return None


def _check_standing_texts(
    commit: str, state: State, trees: Trees, walk: Walk, text_of: TextOf, checked: Checked
) -> None:
    """Exactly git's paths are pages, one page each, and what stands there has git's text."""
    assert state.at.keys() == trees[commit].keys(), commit
    assert len(set(state.at.values())) == len(state.at), f"one page at two paths in {commit}"
    for path, blob in trees[commit].items():
        place = state.standing[state.at[path]]
        text = _usable(text_of, blob)
        if text is not None:
            assert place.revision is not None
            assert text_of(walk.revisions[place.revision].blob) == text, (commit, path)
            checked.texts += 1


def _check_new_revisions(position: int, states: Mapping[int, State], walk: Walk) -> None:
    """A commit makes a revision of a page exactly when its text differs from every parent's of this page."""
    made = {revision.page: revision for revision in walk.revisions if revision.commit == position}
    for page in states[position].at.values():
        place = states[position].standing[page]
        before = [states[parent].standing.get(page) for parent in walk.graph.parents[position]]
        live = [parent for parent in before if parent is not None and parent.live]
        unusable = any(text.commit == position and text.page == page for text in walk.unusable)
        differs = _digest(place, walk) not in [_digest(parent, walk) for parent in live]
        assert (page in made) == (differs and not unusable and place.revision is not None)
        if page in made:
            expected = live or [parent for parent in before if parent is not None]
            assert set(made[page].parents) == {p.revision for p in expected if p.revision is not None}


def _digest(place: Place, walk: Walk) -> str | None:
    return walk.revisions[place.revision].digest if place.revision is not None else None


def _check_coverage(walk: Walk, states: Mapping[int, State], plan: ImportPlan) -> None:
    """The whole history behind main of every page that main still has is planned."""
    planned = {revision.key: revision for page in plan.pages for revision in page.revisions}
    kept = set(states[walk.graph.head].at.values())
    for revision in walk.revisions:
        if revision.page in kept and walk.graph.on_main[revision.commit]:
            key = f"git:{walk.history.commits[revision.commit].id}:{revision.path}"
            assert planned[key].blob == revision.blob


def _check_main_head(tree: Mapping[str, str], plan: ImportPlan, text_of: TextOf) -> None:
    texts = {path: text for path, blob in tree.items() if (text := _usable(text_of, blob)) is not None}
    found = {page.path: _text_at(page, page.drafts[0].head, text_of) for page in plan.pages if page.drafts[0].head}
    assert found.items() >= texts.items()
    assert found.keys() <= tree.keys()


def _text_at(page: PlannedPage, key: str | None, text_of: TextOf) -> Text:
    return text_of(next(revision.blob for revision in page.revisions if revision.key == key))


def _check_lines(page: PlannedPage) -> None:
    """Parents come first; a revision's first parent is the one before it in its draft, of its first one the base."""
    heads: dict[str, str | None] = {draft.key: draft.base for draft in page.drafts}
    home: dict[str, int] = {}
    order = {draft.key: number for number, draft in enumerate(page.drafts)}
    position = -1
    for revision in page.revisions:
        assert set(revision.parents) <= home.keys()
        assert len(set(revision.parents)) == len(revision.parents)
        assert next(iter(revision.parents), None) == heads[revision.draft], revision
        assert revision.position > position
        position = revision.position
        home[revision.key] = order[revision.draft]
        heads[revision.draft] = revision.key
    assert {draft.key: draft.head for draft in page.drafts} == heads
    assert [draft.kind for draft in page.drafts].index("shared") == 0
    assert [draft.kind for draft in page.drafts].count("shared") == 1
    assert page.drafts[0].base is None
    assert all(draft.base is None or home[draft.base] < order[draft.key] for draft in page.drafts)


def _check_forks(history: GitHistory, trees: Trees, page: PlannedPage, text_of: TextOf, checked: Checked) -> None:
    for draft in page.drafts[1:]:
        assert (draft.ref is not None) == (draft.kind == "fork") == (draft.state == "open")
        if draft.ref is not None:
            texts = {_usable(text_of, blob) for blob in trees[history.proposals[draft.ref]].values()}
            assert _text_at(page, draft.head, text_of) in texts
            checked.forks += 1


def _check_keys(plan: ImportPlan) -> None:
    for keys in (
        [revision.key for page in plan.pages for revision in page.revisions],
        [draft.key for page in plan.pages for draft in page.drafts],
        [origin for page in plan.pages for origin in page.origins],
        [slug for page in plan.pages for slug in (page.slug, *page.former_slugs)],
    ):
        assert len(set(keys)) == len(keys)


def plan_checked(
    git_dir: Path, story: Story, refs: Mapping[str, str], *, now: datetime = datetime(2030, 1, 1, tzinfo=UTC)
) -> ImportPlan:
    """The plan for a told history, with the refs under refs/pull as proposals, after it was compared with git."""
    with open_repository(story.write(git_dir, refs)) as repository:
        history = repository.history(drafts="refs/pull/*/head")
        plan = plan_import(history, text_of=repository.text_of, slug_of=slug_of, now=now)
        assert check_plan(history, _reached(story, history), plan, repository.text_of).texts
        return plan


def _reached(story: Story, history: GitHistory) -> Trees:
    trees = story.trees()
    return {commit.id: trees[commit.id] for commit in history.commits}


def slug_of(title: str) -> str:
    """Lower case, with hyphens: enough for the names in these tests."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
