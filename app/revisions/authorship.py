"""Who wrote what of a revision, over all its ancestors."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.accounts import service as accounts
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.blame import Run, Version, blame, by_sentence
from app.revisions.cache import Kept
from app.revisions.models import Revision

MAX_KEPT = 500


@dataclass(frozen=True, slots=True)
class AuthoredRun:
    """Neighbouring words with the revision that first wrote them, and its author's name; None is the system."""

    text: str
    revision: Revision
    author: str | None


@dataclass(frozen=True, slots=True)
class AuthoredSentence:
    """A sentence with whoever wrote most of it first, then those who changed words of it."""

    text: str
    starts_block: bool
    writers: list[AuthoredRun]


class Blames(Kept[int, tuple[Run, ...]]):
    """The runs of words of revisions of one database, by the revision's id: neither they nor their past change."""

    def __init__(self) -> None:
        super().__init__(MAX_KEPT)


def blame_revision(session: Session, revision: Revision) -> list[AuthoredRun]:
    """The revision's text as runs of words, each with where it was first written, through forks and merges."""
    runs = _runs_of(session, revision)
    rows, names = _origins(session, {run.origin for run in runs})
    return [AuthoredRun(run.text, rows[run.origin], names.get(rows[run.origin].author_id or 0)) for run in runs]


def blame_sentences(session: Session, revision: Revision) -> list[AuthoredSentence]:
    """The revision's text sentence by sentence, each with who wrote it."""
    runs = _runs_of(session, revision)
    rows, names = _origins(session, {run.origin for run in runs})
    sentences, block = [], -1
    for sentence in by_sentence(runs):
        writers = [
            AuthoredRun(
                " … ".join(run.text.strip() for run in sentence.runs if run.origin == origin),
                rows[origin],
                names.get(rows[origin].author_id or 0),
            )
            for origin in sentence.origins
        ]
        sentences.append(AuthoredSentence(sentence.text, sentence.block != block, writers))
        block = sentence.block
    return sentences


def _runs_of(session: Session, revision: Revision) -> tuple[Run, ...]:
    known: Blames = session.info.setdefault("blames", Blames())
    runs = known.get(revision.id)
    if runs is None:
        ancestors = revisions.get_many(session, (step.id for step in Ancestry(session).walk([revision.id])))
        oldest_first = sorted(ancestors.values(), key=lambda row: row.number)
        runs = tuple(blame(_versions(session, oldest_first), revision.id))
        # A transaction that wrote may yet be rolled back, and the id be given to another text.
        if "log_position" not in session.info:
            known.put(revision.id, runs)
    return runs


def _origins(session: Session, ids: set[int]) -> tuple[dict[int, Revision], dict[int, str]]:
    rows = revisions.get_many(session, ids)
    return rows, accounts.names_of(session, (row.author_id for row in rows.values()))


def _versions(session: Session, oldest_first: Sequence[Revision]) -> list[Version]:
    texts = revisions.texts_of(session, oldest_first)
    return [
        Version(
            row.id, tuple(id_ for id_ in (row.first_parent_id, row.second_parent_id) if id_ is not None), texts[row.id]
        )
        for row in oldest_first
    ]
