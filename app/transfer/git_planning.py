"""Turns a git history into the plan of an import."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from app.errors import Refused
from app.pages.text import Text
from app.transfer.git_history import Commit, GitHistory, Progress, State, Walk
from app.transfer.git_lines import Fork, Line, draw_forks, draw_shared_line, draw_side_lines
from app.transfer.git_plan import ImportPlan, LeftOut, PlannedDraft, PlannedPage, PlannedRevision, Skipped
from app.transfer.git_proposals import Proposals, proposal_label
from app.transfer.titles import address_of, one_line, title_of, unique_slugs

MAX_SUMMARY = 500
MAX_NAME = 120
MAX_AUTHOR = 60
GONE = "no longer on the main branch"


def plan_import(
    history: GitHistory,
    *,
    text_of: Callable[[str], Text],
    slug_of: Callable[[str], str],
    now: datetime,
    progress: Progress = lambda done, total, what: None,
) -> ImportPlan:
    """The pages of the history's main branch and of its unmerged proposals, with all their revisions.

    `text_of` gives the normalised text of a blob or raises `Refused`; each blob is read once, those of titles again.
    Raises `Refused` when there is no page at all.
    """
    walk = Walk(history, text_of)
    proposals = Proposals(history, walk.graph)
    total = len(history.commits)
    for done, (commit, state) in enumerate(walk.states(), start=1):
        if proposals.heads_at(commit):
            base = walk.graph.base[commit]
            proposals.compare(commit, walk.kept[base] if base >= 0 else State(), state, walk.revisions)
        progress(done, total, "following pages")
    return _Planning(walk, proposals, text_of, slug_of, now).plan()


class _Planning:
    """The walk's numbers made into keys, names and dates."""

    def __init__(
        self,
        walk: Walk,
        proposals: Proposals,
        text_of: Callable[[str], Text],
        slug_of: Callable[[str], str],
        now: datetime,
    ) -> None:
        self._walk = walk
        self._commits = walk.history.commits
        self._proposals = proposals
        self._text_of = text_of
        self._slug_of = slug_of
        self._now = now
        self._first = proposals.first_commits()
        self._on_main = {
            page: place
            for page, place in walk.kept[walk.graph.head].standing.items()
            if place.live and place.revision is not None
        }
        self._forks: dict[int, list[Fork]] = {}
        for fork in proposals.in_order():
            if fork.page in self._on_main or fork.page >= walk.main_pages:
                self._forks.setdefault(fork.page, []).append(fork)
        self._pages = sorted(self._on_main.keys() | self._forks.keys())
        self._wanted = proposals.wanted_pages([fork for forks in self._forks.values() for fork in forks])

    def plan(self) -> ImportPlan:
        if not self._pages:
            raise Refused(f"There is no Markdown file on {self._walk.history.branch}, so there is nothing to import.")
        paths = [self._place(page)[0] for page in self._pages]
        slugs = unique_slugs(paths, self._slug_of)
        numbers: dict[int, list[int]] = {page: [] for page in self._pages}
        for number, revision in enumerate(self._walk.revisions):
            if self._is_wanted(revision.page, revision.commit):
                numbers[revision.page].append(number)
        former = self._former_slugs(set(slugs))
        return ImportPlan(
            branch=self._walk.history.branch,
            pages=tuple(
                self._page(page, slug, former[page], sorted(numbers[page], key=self._position))
                for page, slug in zip(self._pages, slugs, strict=True)
            ),
            skipped=tuple(
                Skipped(self._commits[text.commit].id, text.path, _first_sentence(text.reason))
                for text in sorted(self._walk.unusable, key=lambda text: text.commit)
                if self._is_wanted(text.page, text.commit)
            ),
            left_out=tuple(self._left_out()),
            clashing_slugs=tuple(
                (path, slug) for path, slug in zip(paths, slugs, strict=True) if slug != address_of(path, self._slug_of)
            ),
            proposals=len(self._walk.history.proposals),
            unmerged=len(self._proposals.head),
        )

    def _position(self, number: int) -> int:
        return self._walk.revisions[number].commit

    def _is_wanted(self, page: int, commit: int) -> bool:
        """Whether this page's text at this commit is part of main's history or of a proposal that becomes a fork."""
        if page not in self._on_main and page not in self._forks:
            return False
        return bool(self._walk.graph.on_main[commit] or self._wanted[commit] >> page & 1)

    def _place(self, page: int) -> tuple[str, int]:
        """The page's path and newest revision: on main, else in the first proposal that has it."""
        place = self._on_main.get(page)
        if place is not None and place.revision is not None:
            return place.path, place.revision
        return self._forks[page][0].path, self._forks[page][0].head

    def _former_slugs(self, taken: set[str]) -> dict[int, tuple[str, ...]]:
        """Addresses of earlier paths, where no page and no older redirect has them."""
        former: dict[int, tuple[str, ...]] = {}
        for page in self._pages:
            slugs = {address_of(path, self._slug_of): None for path in self._walk.pages[page].paths}
            former[page] = tuple(slug for slug in slugs if slug not in taken)
            taken.update(former[page])
        return former

    def _left_out(self) -> Iterable[LeftOut]:
        still_there = set(self._walk.kept[self._walk.graph.head].at.values())
        for page, trail in enumerate(self._walk.pages[: self._walk.main_pages]):
            if page not in self._on_main:
                reason = "none of its texts can be used" if page in still_there else GONE
                yield LeftOut(list(trail.paths)[-1], reason)
        for fork in self._proposals.in_order():
            if fork.page not in self._forks:
                yield LeftOut(fork.path, GONE, fork.ref)
        for ref, page in self._proposals.deleted:
            if page in self._on_main:
                yield LeftOut(self._on_main[page].path, "the proposal deletes the page; a draft cannot say so", ref)

    def _page(self, page: int, slug: str, former: tuple[str, ...], numbers: list[int]) -> PlannedPage:
        path, newest = self._place(page)
        origins = tuple(f"git:{commit}:{origin}" for commit, origin in self._walk.pages[page].origins)
        drafts = self._drafts(page, origins[0].removeprefix("git:"), numbers)
        draft_of = {number: draft.key for draft, line in drafts for number in line.revisions}
        return PlannedPage(
            key=origins[0],
            origins=origins,
            path=path,
            slug=slug,
            title=title_of(self._text_of(self._walk.revisions[newest].blob), path),
            former_slugs=former,
            at=self._at(self._position(numbers[0])),
            drafts=tuple(draft for draft, _ in drafts),
            revisions=tuple(self._revision(number, draft_of[number]) for number in numbers),
        )

    def _drafts(self, page: int, key: str, numbers: Sequence[int]) -> list[tuple[PlannedDraft, Line]]:
        revisions, graph = self._walk.revisions, self._walk.graph
        shared = Line((), None)
        if page in self._on_main:
            shared = draw_shared_line(revisions, self._place(page)[1], graph.chain)
        drawn = set(shared.revisions)
        merged = [number for number in numbers if graph.on_main[revisions[number].commit]]
        sides = draw_side_lines(revisions, merged, drawn)
        forks = draw_forks(revisions, self._forks.get(page, ()), drawn)
        sides += draw_side_lines(revisions, numbers, drawn)
        others = [(self._side(line), line) for line in sides]
        others += [(self._fork(line.fork, key, line), line) for line in forks if line.fork]
        others.sort(key=lambda drawn: self._starts(drawn[1]))
        head = self._key(shared.revisions[-1]) if shared.revisions else None
        at = self._at(self._position(numbers[0]))
        first = PlannedDraft(f"git:shared:{key}", "shared", "open", "", None, at, None, head, None)
        return [(first, shared), *others]

    def _starts(self, line: Line) -> tuple[int, bool]:
        if line.revisions or line.base is None:
            return self._position(line.revisions[0]), False
        return self._position(line.base), True

    def _side(self, line: Line) -> PlannedDraft:
        first = self._position(line.revisions[0])
        return PlannedDraft(
            key=f"git:side:{self._key(line.revisions[0]).removeprefix('git:')}",
            kind="side",
            state="closed",
            name=one_line(_subject(self._commits[first]), MAX_NAME),
            owner=_author(self._commits[first]),
            at=self._at(first),
            base=self._key(line.base) if line.base is not None else None,
            head=self._key(line.revisions[-1]),
            ref=None,
        )

    def _fork(self, fork: Fork, key: str, line: Line) -> PlannedDraft:
        first = self._first[fork.ref]
        return PlannedDraft(
            key=f"git:{fork.ref}:{key}",
            kind="fork",
            state="open",
            name=one_line(f"{proposal_label(fork.ref)} {_subject(self._commits[first])}", MAX_NAME),
            owner=_author(self._commits[first]),
            at=self._at(first),
            base=self._key(line.base) if line.base is not None else None,
            head=self._key(fork.head),
            ref=fork.ref,
        )

    def _key(self, number: int) -> str:
        revision = self._walk.revisions[number]
        return f"git:{self._commits[revision.commit].id}:{revision.path}"

    def _at(self, commit: int) -> datetime:
        """When it was written: the author's clock, else the committer's, kept between 1970 and now."""
        read = self._commits[commit]
        seconds = next((time for time in (read.authored, read.committed) if time is not None), 0)
        return datetime.fromtimestamp(min(max(seconds, 0), int(self._now.timestamp())), UTC)

    def _revision(self, number: int, draft: str) -> PlannedRevision:
        revision = self._walk.revisions[number]
        commit = self._commits[revision.commit]
        return PlannedRevision(
            key=self._key(number),
            draft=draft,
            parents=tuple(self._key(parent) for parent in revision.parents),
            blob=revision.blob,
            author=_author(commit),
            at=self._at(revision.commit),
            summary=one_line(commit.message, MAX_SUMMARY),
            path=revision.path,
            position=revision.commit,
        )


def _author(commit: Commit) -> str:
    return one_line(commit.author, MAX_AUTHOR) or "unknown"


def _subject(commit: Commit) -> str:
    return commit.message.strip().partition("\n")[0]


def _first_sentence(reason: str) -> str:
    """What is wrong, without the advice to somebody who is just typing it."""
    return reason.partition(". ")[0].removesuffix(".") + "."
