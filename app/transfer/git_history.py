"""Follows pages through a git history: which page stands at which path, with which text, after every commit."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.errors import Refused
from app.pages.text import Text, sha256_of

Progress = Callable[[int, int, str], None]
"""Told how much is done, of how much, and what: `(done, total, what)`."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit did to one Markdown file: added (no `before`), deleted (no `after`), renamed or edited."""

    before: str | None
    after: str | None
    blob: str | None
    """What stands at `after`; None when deleted."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, read. `changes` are against the first parent, or against nothing where there is none."""

    id: str
    parents: tuple[str, ...]
    author: str
    authored: int | None
    """Seconds since 1970, UTC; None where git could make nothing of the date. The same for `committed`."""
    committed: int | None
    message: str
    changes: tuple[Change, ...]
    renames: tuple[tuple[tuple[str, str], ...], ...] = ()
    """For each further parent, the paths that are renamed against it: (before, after)."""


@dataclass(frozen=True, slots=True)
class GitHistory:
    """What an import reads: every commit behind the main branch and the proposals, parents before children."""

    commits: Sequence[Commit]
    branch: str
    main: str
    """The commit at the head of the main branch."""
    proposals: Mapping[str, str]
    """Ref name → head commit of every proposal that was asked for, merged or not."""


class Graph:
    """The commits as numbers, and how each lies to the main branch.

    `chain` holds the first parents from main's head back. `near[c]` is the place on that chain (0 = oldest) of the
    newest commit of it that `c` contains, -1 for none. `base[c]` is the newest commit of main that `c` contains: the
    merge base where there is one, one of the best where histories cross.
    """

    def __init__(self, history: GitHistory) -> None:
        self.position = {commit.id: number for number, commit in enumerate(history.commits)}
        self.parents = [tuple(self.position[parent] for parent in commit.parents) for commit in history.commits]
        self.head = self.position[history.main]
        self.on_main = self._reachable(self.head)
        chain = [self.head]
        while self.parents[chain[-1]]:
            chain.append(self.parents[chain[-1]][0])
        self.chain = {commit: place for place, commit in enumerate(reversed(chain))}
        self.near: list[int] = []
        self.base: list[int] = []
        for commit, parents in enumerate(self.parents):
            self.near.append(self.chain.get(commit, max((self.near[parent] for parent in parents), default=-1)))
            newest = max((self.base[parent] for parent in parents), default=-1)
            self.base.append(commit if self.on_main[commit] else newest)

    def _reachable(self, head: int) -> bytearray:
        marks = bytearray(len(self.parents))
        marks[head] = 1
        for commit in range(head, -1, -1):
            if marks[commit]:
                for parent in self.parents[commit]:
                    marks[parent] = 1
        return marks


@dataclass(slots=True)
class Revision:
    """One text of one page, as a commit first wrote it. Pages, commits and parents are numbers."""

    page: int
    commit: int
    path: str
    blob: str
    digest: str
    parents: list[int]
    near: list[int]
    """For each parent: how far along main's chain the commit was that it came from (see `Graph.near`)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stands after a commit. One that was deleted keeps its last path and revision, not `live`."""

    path: str
    blob: str
    revision: int | None
    """None while no text of the page could be used."""
    placed: int
    """The commit that put the page at this path."""
    live: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """All pages after a commit. Shared between commits that change none: never altered once made."""

    at: dict[str, int] = field(default_factory=dict)
    standing: dict[int, Place] = field(default_factory=dict)


@dataclass(slots=True)
class Trail:
    """One page: every (commit, path) that added it, the first naming it for good, and its paths on main, in order."""

    origins: list[tuple[str, str]]
    paths: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unusable:
    """A text that cannot be a revision, and why."""

    page: int
    commit: int
    path: str
    reason: str


class Walk:
    """Pages and revisions, found by going through the commits once, those of main first.

    A page keeps its identity through renames. An added path is the page that last stood there, if that page has no
    other path at this commit (so one deleted and added again, or added by two sides alike, is one page); beside main,
    only a page that main still has, or that another proposal added there. All else that is added is a new page.
    """

    def __init__(self, history: GitHistory, text_of: Callable[[str], Text]) -> None:
        self.history = history
        self.graph = Graph(history)
        self.pages: list[Trail] = []
        self.revisions: list[Revision] = []
        self.unusable: list[Unusable] = []
        self.kept: dict[int, State] = {}
        """The states still needed: main's head and every proposal's base among them."""
        self.main_pages = 0
        """How many of the pages were on main once; the ones after them are new in proposals."""
        self._text_of = text_of
        self._digests: dict[str, str | Refused] = {}
        self._home: dict[str, int] = {}
        self._last_path: dict[int, str] = {}

    def states(self) -> Iterator[tuple[int, State]]:
        """Every commit's number with the pages after it, parents before children, main's commits before all others."""
        graph = self.graph
        children = [0] * len(graph.parents)
        for parents in graph.parents:
            for parent in parents:
                children[parent] += 1
        heads = [graph.position[commit] for commit in self.history.proposals.values()]
        pinned = {graph.head, *(graph.base[head] for head in heads if not graph.on_main[head])}
        for commit in [c for c, on_main in enumerate(graph.on_main) if on_main]:
            yield commit, self._advance(commit, children, pinned)
        self.main_pages = len(self.pages)
        self._home = dict(self.kept[graph.head].at)
        for commit in [c for c, on_main in enumerate(graph.on_main) if not on_main]:
            yield commit, self._advance(commit, children, pinned)

    def _advance(self, commit: int, children: list[int], pinned: set[int]) -> State:
        parents = self.graph.parents[commit]
        state = self._state_after(commit, [self.kept[parent] for parent in parents])
        for parent in parents:
            children[parent] -= 1
            if not children[parent] and parent not in pinned:
                del self.kept[parent]
        if children[commit] or commit in pinned:
            self.kept[commit] = state
        return state

    def _state_after(self, commit: int, before: list[State]) -> State:
        changes = self.history.commits[commit].changes
        if len(before) > 1:
            return self._merged(commit, before)
        state = before[0] if before else State()
        if not changes:
            return state
        at = dict(state.at)
        for change in changes:
            if change.before is not None and change.before != change.after:
                at.pop(change.before, None)
        for change in changes:
            if change.before is not None and change.after is not None and change.before in state.at:
                at[change.after] = state.at[change.before]
        self._adopt(commit, at, [change.after for change in changes if change.after is not None])
        standing = dict(state.standing)
        for change in changes:
            gone = state.at.get(change.before) if change.before is not None else None
            if gone is not None:
                standing[gone] = replace(standing[gone], live=False)
        for change in changes:
            if change.after is not None and change.blob is not None:
                page = at[change.after]
                standing[page] = self._stand(commit, page, change.after, change.blob, [state.standing.get(page)])
        return State(at, standing)

    def _merged(self, commit: int, before: list[State]) -> State:
        blobs = {path: before[0].standing[page].blob for path, page in before[0].at.items()}
        for change in self.history.commits[commit].changes:
            if change.before is not None:
                blobs.pop(change.before, None)
        for change in self.history.commits[commit].changes:
            if change.after is not None and change.blob is not None:
                blobs[change.after] = change.blob
        at = _agreed_places(blobs, before)
        if len(at) < len(blobs):
            self._follow_renames(commit, at, before)
        self._adopt(commit, at, blobs)
        here = set(at.values())
        standing: dict[int, Place] = {}
        for state in before:
            for page, place in state.standing.items():
                if page not in here and page not in standing:
                    standing[page] = replace(place, live=False) if place.live else place
        for path, page in at.items():
            standing[page] = self._stand(commit, page, path, blobs[path], [s.standing.get(page) for s in before])
        return State(at, standing)

    def _follow_renames(self, commit: int, at: dict[str, int], before: list[State]) -> None:
        """Place what a merge itself renamed, seen from each parent in turn."""
        read = self.history.commits[commit]
        first = tuple((c.before, c.after) for c in read.changes if c.before and c.after and c.before != c.after)
        placed = set(at.values())
        for state, renames in zip(before, (first, *read.renames), strict=True):
            for old, new in renames:
                page = state.at.get(old)
                if page is not None and page not in placed and new not in at:
                    at[new] = page
                    placed.add(page)

    def _adopt(self, commit: int, at: dict[str, int], paths: Iterable[str]) -> None:
        """Give every path that no parent accounts for the page that lived there, else a new one."""
        added = [path for path in paths if path not in at]
        placed = set(at.values()) if added else set()
        for path in added:
            page = self._home.get(path)
            if page is None or page in placed:
                page = len(self.pages)
                self.pages.append(Trail([]))
                self._home[path] = page
            self.pages[page].origins.append((self.history.commits[commit].id, path))
            at[path] = page
            placed.add(page)

    def _stand(self, commit: int, page: int, path: str, blob: str, before: list[Place | None]) -> Place:
        """The page's place after this commit, with a new revision if its text differs from every parent's."""
        places = [place for place in before if place is not None]
        placed = max((place.placed for place in places if place.path == path and place.live), default=commit)
        if self.graph.on_main[commit]:
            self._settle(page, path, newly=placed == commit)
        live = [place for place in places if place.live]
        for place in live:
            if place.blob == blob:
                same = place.path == path and place.placed == placed
                return place if same else replace(place, path=path, placed=placed)
        digest = self._digest(blob)
        if isinstance(digest, Refused):
            self.unusable.append(Unusable(page, commit, path, digest.detail))
            nearest = next((place.revision for place in places if place.revision is not None), None)
            return Place(path, blob, nearest, placed)
        for place in live:
            if place.revision is not None and self.revisions[place.revision].digest == digest:
                return Place(path, blob, place.revision, placed)
        parents: dict[int, int] = {}
        for parent, at_parent in zip(self.graph.parents[commit], before, strict=False):
            if at_parent is not None and at_parent.revision is not None and (at_parent.live or not live):
                near = self.graph.near[parent]
                parents[at_parent.revision] = max(near, parents.get(at_parent.revision, near))
        self.revisions.append(Revision(page, commit, path, blob, digest, list(parents), list(parents.values())))
        return Place(path, blob, len(self.revisions) - 1, placed)

    def _settle(self, page: int, path: str, *, newly: bool) -> None:
        self.pages[page].paths.setdefault(path)
        if newly:
            old = self._last_path.get(page, path)
            if self._home.get(old) == page:
                del self._home[old]
            self._home[path] = page
            self._last_path[page] = path

    def _digest(self, blob: str) -> str | Refused:
        """The hash of the normalised text, read once: files that differ only in line ends are the same text."""
        if blob not in self._digests:
            try:
                self._digests[blob] = sha256_of(self._text_of(blob))
            except Refused as refusal:
                self._digests[blob] = refusal
        return self._digests[blob]


def _agreed_places(paths: Container[str], before: list[State]) -> dict[str, int]:
    """Which page stands at which of a merge's paths, as far as its parents know them by these paths.

    A page goes where it was put last: of two parents, the one that moved it since they parted has the later
    placing. Two pages that want one path: the first parent's gets it, and the other takes any place it has left.
    """
    wishes: dict[int, tuple[int, int, str]] = {}
    for order, state in enumerate(before):
        for path, page in state.at.items():
            if path in paths:
                wish = (state.standing[page].placed, -order, path)
                wishes[page] = max(wish, wishes.get(page, wish))
    at: dict[str, int] = {}
    for page, (_, _, path) in sorted(wishes.items(), key=lambda wish: -wish[1][1]):
        at.setdefault(path, page)
    placed = set(at.values())
    for state in before:
        for path, page in state.at.items():
            if path in paths and path not in at and page not in placed:
                at[path] = page
                placed.add(page)
    return at
