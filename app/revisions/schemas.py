"""Revisions, their differences and their merges in requests and answers."""

from typing import Annotated, Literal

from pydantic import Field

from app.revisions.authorship import AuthoredRun
from app.revisions.diff import Counts, Diff
from app.revisions.merge import Conflict
from app.revisions.models import Revision
from app.web.schemas import Id, In, Moment, Out, Sha256, Slug, TextIn


class RevisionRow(Out):
    """One saved text without the text itself. `parents` begins with the draft's previous head."""

    id: Id
    page: Slug
    draft: Id
    number: int = Field(examples=[12], description="Counts the page's revisions from 1.")
    parents: list[Id] = Field(examples=[[127]])
    author: str | None = Field(examples=["anna"], description="Null where the workshop itself wrote it.")
    created_at: Moment
    summary: str = Field(examples=["Say how many homes"])
    sha256: Sha256
    size: int = Field(examples=[412], description="Bytes of the text in UTF-8.")

    @classmethod
    def of(cls, revision: Revision, page: str, author: str | None) -> "RevisionRow":
        parents = [revision.first_parent_id, revision.second_parent_id]
        return cls(
            id=revision.id,
            page=page,
            draft=revision.draft_id,
            number=revision.number,
            parents=[parent for parent in parents if parent is not None],
            author=author,
            created_at=revision.created_at,
            summary=revision.summary,
            sha256=revision.sha256,
            size=revision.size,
        )


class RevisionOut(RevisionRow):
    """One saved text, which never changes."""

    text: str = Field(examples=["# Housing\n\nEveryone needs a home they can afford.\n"])


def _is_none(value: object) -> bool:
    return value is None


class OpOut(Out):
    """A stretch of text with one fate. A moved one stands here twice, with `from` where it was before."""

    op: Literal["equal", "insert", "delete", "move"]
    text: str = Field(examples=["Everyone needs a home"])
    change: int | None = Field(
        default=None, examples=[None], description="Numbers the changes from 1.", exclude_if=_is_none
    )
    moved_from: bool | None = Field(default=None, alias="from", examples=[None], exclude_if=_is_none)


class DiffCountsOut(Out):
    """What changed, in words; moved ones are counted once."""

    words_added: int = Field(examples=[2])
    words_removed: int = Field(examples=[1])
    words_moved: int = Field(examples=[0])
    changes: int = Field(examples=[1])


class DiffOut(Out):
    """The difference between two revisions: joined, all but deleted text is the new one, all but inserted the old."""

    from_revision: Id = Field(alias="from")
    to: Id
    ops: list[OpOut]
    counts: DiffCountsOut
    sentence: str = Field(examples=["1 change: 1 word replaced by 2 in Topline."])

    @classmethod
    def of(cls, old_id: int, new_id: int, diff: Diff) -> "DiffOut":
        counts: Counts = diff.counts
        return cls.model_validate(
            {
                "from": old_id,
                "to": new_id,
                "ops": [op.as_json() for op in diff.ops],
                "counts": {name: getattr(counts, name) for name in DiffCountsOut.model_fields},
                "sentence": diff.sentence,
            }
        )


class BlameRun(Out):
    """Neighbouring words and the revision that first wrote them."""

    text: str = Field(examples=["Everyone needs a home they can afford."])
    revision: Id
    number: int = Field(examples=[12])
    author: str | None = Field(examples=["anna"])
    created_at: Moment

    @classmethod
    def of(cls, run: AuthoredRun) -> "BlameRun":
        origin = run.revision
        return cls(
            text=run.text, revision=origin.id, number=origin.number, author=run.author, created_at=origin.created_at
        )


class BlameOut(Out):
    """A text by who first wrote its words; the runs joined are the text."""

    revision: Id
    runs: list[BlameRun]


class ConflictOut(Out):
    """Sentences that a person has to decide about; a side that has none of them there is empty."""

    base: str = Field(examples=["Everyone needs a home."])
    ours: str = Field(examples=["Everyone needs a home they can afford."])
    theirs: str = Field(examples=["Everyone needs a decent home."])
    reason: str = Field(examples=["Both sides changed the same words."])

    @classmethod
    def of(cls, conflict: Conflict) -> "ConflictOut":
        return cls(base=conflict.base, ours=conflict.ours, theirs=conflict.theirs, reason=conflict.reason)


TextOrId = Annotated[TextIn | Id, Field(description="A text, or the id of a revision.", examples=[127])]


class MergeIn(In):
    """Three texts to be made one; each is a text or the id of a revision."""

    base: TextOrId
    ours: TextOrId
    theirs: TextOrId


class MergeOut(Out):
    """The merged text, or null and what clashes."""

    text: str | None = Field(examples=["Everyone needs a decent home they can afford."])
    conflicts: list[ConflictOut] = Field(examples=[[]])
