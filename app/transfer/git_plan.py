"""What an import writes: pages, their drafts and their revisions, and what it must say about the rest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlannedRevision:
    """One text to save. Keys stay the same however often the repository is read."""

    key: str
    draft: str
    """The key of the draft it belongs to."""
    parents: tuple[str, ...]
    """Keys; the first is the one before it in its draft. More than two only where git merged more than two."""
    blob: str
    author: str
    at: datetime
    summary: str
    path: str
    position: int
    """The commit's place in the whole history: parents before children, older first."""


@dataclass(frozen=True, slots=True)
class PlannedDraft:
    """A line of revisions: the shared draft, the fork of an unmerged proposal, or a side branch that was merged."""

    key: str
    kind: Literal["shared", "fork", "side"]
    state: Literal["open", "closed"]
    name: str
    owner: str | None
    """The author of its first own commit; None for the shared draft."""
    at: datetime
    base: str | None
    """The revision it leaves another line at; None when it starts from nothing."""
    head: str | None
    """None for the shared draft of a page that only proposals have."""
    ref: str | None


@dataclass(frozen=True, slots=True)
class PlannedPage:
    """One page with all that is known of it. `former_slugs` lead to it from its earlier paths."""

    key: str
    origins: tuple[str, ...]
    """Every key it could have, `key` first: one for each commit that added it. A page saved under any is this page."""
    path: str
    slug: str
    title: str
    former_slugs: tuple[str, ...]
    at: datetime
    drafts: tuple[PlannedDraft, ...]
    """The shared draft first; a draft comes after the one its base is in."""
    revisions: tuple[PlannedRevision, ...]
    """Parents before children, older first."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A text that cannot be used. The history goes on around it."""

    commit: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A page, or a proposal's change of one, that is not imported."""

    path: str
    reason: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """All that an import writes, and what it must say about the rest."""

    branch: str
    pages: tuple[PlannedPage, ...]
    skipped: tuple[Skipped, ...]
    left_out: tuple[LeftOut, ...]
    clashing_slugs: tuple[tuple[str, str], ...]
    """(path, address it got) of pages whose own address another page has."""
    proposals: int
    unmerged: int
