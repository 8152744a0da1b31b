"""Three-way merges of real history: what our merge and git's make of them, against what people committed.

`python -m bench.merges --repo PATH [--drafts REFGLOB] [--json] [--show KIND]`, for any git repository or bundle.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from app.errors import Refused
from app.pages.text import normalise
from app.revisions.merge import Merged, merge
from bench.git_reader import Change, GitReader, open_reader

DEFAULT_DRAFTS = "refs/pull/*/head"


@dataclass(frozen=True)
class Case:
    """One page that two sides changed. `committed` is what people made of it; None for a proposal nobody merged."""

    name: str
    base: str
    ours: str
    theirs: str
    committed: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What git and we made of a case; None where a conflict was left to people."""

    case: Case
    git: str | None
    merged: Merged

    @property
    def expected(self) -> str | None:
        """The text to agree with, if there is one."""
        return self.case.committed if self.case.committed is not None else self.git

    @property
    def verdict(self) -> str:
        """How ours stands to what people committed, or, for a proposal, to git's clean merge."""
        text = self.merged.text
        if text is None:
            return "asks" if self.git is not None else "both ask"
        if self.expected is None:
            return "clean alone"
        return "agree" if text == self.expected else "disagree"


@dataclass
class Tally:
    """One row of the table."""

    name: str
    cases: int = 0
    git_clean: int = 0
    ours_clean: int = 0
    agree: int = 0
    disagree: int = 0
    asks_where_git_does_not: int = 0
    edited_by_people: int = 0
    skipped: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome) -> None:
        self.cases += 1
        self.git_clean += outcome.git is not None
        self.ours_clean += outcome.merged.text is not None
        self.agree += outcome.verdict == "agree"
        self.disagree += outcome.verdict == "disagree"
        self.asks_where_git_does_not += outcome.verdict == "asks"
        self.edited_by_people += outcome.git is not None and outcome.git != outcome.expected
