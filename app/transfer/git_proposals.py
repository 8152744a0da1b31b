"""Finds what each unmerged proposal of a git history changes, and where it starts."""

import re
from collections.abc import Sequence

from app.transfer.git_history import GitHistory, Graph, Place, Revision, State
from app.transfer.git_lines import Fork

_NUMBERED = re.compile(r"^refs/(?:pull|pull-requests|merge-requests)/(?P<number>\d+)/")
_DIGITS = re.compile(r"(\d+)")


class Proposals:
    """The refs whose head main does not contain, lower numbers first."""

    def __init__(self, history: GitHistory, graph: Graph) -> None:
        heads = {ref: graph.position[commit] for ref, commit in history.proposals.items()}
        self.head = {ref: heads[ref] for ref in sorted(heads, key=_in_order) if not graph.on_main[heads[ref]]}
        self.forks: list[Fork] = []
        self.deleted: list[tuple[str, int]] = []
        """(ref, page): a proposal that the page go, which no draft can say."""
        self._graph = graph
        self._refs_at: dict[int, list[str]] = {}
        for ref, head in self.head.items():
            self._refs_at.setdefault(head, []).append(ref)

    def heads_at(self, commit: int) -> Sequence[str]:
        """The proposals that end in this commit."""
        return self._refs_at.get(commit, ())

    def compare(self, commit: int, base: State, state: State, revisions: Sequence[Revision]) -> None:
        """Take down what the proposals ending in this commit change against the main branch they start from."""
        for page, place in state.standing.items():
            before = base.standing.get(page)
            if place is before:
                continue
            for ref in self.heads_at(commit):
                if not place.live:
                    if before is not None and before.live:
                        self.deleted.append((ref, page))
                elif place.revision is not None and _text(place, revisions) != _text(before, revisions):
                    self.forks.append(Fork(page, ref, place.revision, place.path))

    def in_order(self) -> list[Fork]:
        """The forks, those of lower-numbered proposals first."""
        order = {ref: number for number, ref in enumerate(self.head)}
        return sorted(self.forks, key=lambda fork: (fork.page, order[fork.ref]))

    def first_commits(self) -> dict[str, int]:
        """For each proposal the oldest commit that is neither on main nor in a proposal that ended before it.

        Two that end in one commit start in one, too.
        """
        owner: dict[int, str] = {}
        first: dict[str, int] = {}
        for ref, head in sorted(self.head.items(), key=lambda item: item[1]):
            waiting, own = [head], set[int]()
            while waiting:
                commit = waiting.pop()
                if commit in owner or self._graph.on_main[commit] or commit in own:
                    continue
                own.add(commit)
                waiting += self._graph.parents[commit]
            first[ref] = min(own) if own else first[owner[head]]
            owner |= dict.fromkeys(own, ref)
        return first

    def wanted_pages(self, forks: Sequence[Fork]) -> list[int]:
        """For each commit beside main, the pages whose forks it leads to: bit n stands for page n."""
        wanted = [0] * len(self._graph.parents)
        for fork in forks:
            wanted[self.head[fork.ref]] |= 1 << fork.page
        for commit in range(len(wanted) - 1, -1, -1):
            for parent in self._graph.parents[commit] if wanted[commit] else ():
                if not self._graph.on_main[parent]:
                    wanted[parent] |= wanted[commit]
        return wanted


def proposal_label(ref: str) -> str:
    """What people call the proposal: `#123` for `refs/pull/123/head`, else the branch's name."""
    numbered = _NUMBERED.match(ref)
    if numbered:
        return f"#{numbered['number']}"
    return re.sub(r"^refs/(?:heads/|remotes/[^/]+/|tags/)?", "", ref)


def _in_order(ref: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(ref)]


def _text(place: Place | None, revisions: Sequence[Revision]) -> str | None:
    return revisions[place.revision].digest if place is not None and place.live and place.revision is not None else None
