"""Approvals in answers."""

from typing import Literal

from pydantic import Field

from app.approvals.service import InForce
from app.approvals.stops import Step
from app.revisions.models import Revision
from app.web.schemas import Id, Moment, Out, Sha256, Slug

PageStatus = Literal["none", "approved", "held", "contested", "withdrawn"]


class ApprovedRevisionOut(Out):
    """Which text is approved, since when and on what grounds. `supersedes` is the revision approved before it.

    A `rapid` approval waited less, and goes back to the text before it unless it lasts.
    """

    id: Id
    number: int = Field(examples=[12], description="Counts the page's revisions from 1.")
    sha256: Sha256
    approved_at: Moment
    supersedes: Id | None
    basis: str = Field(examples=["consensus"], description="`consensus` or `import`.")
    mode: Literal["routine", "rapid"] = Field(examples=["routine"])

    @classmethod
    def of(cls, found: InForce) -> "ApprovedRevisionOut":
        return cls(
            id=found.revision.id,
            number=found.revision.number,
            sha256=found.revision.sha256,
            approved_at=found.approval.at,
            supersedes=found.supersedes.revision_id if found.supersedes else None,
            basis=found.approval.basis,
            mode="rapid" if found.approval.mode == "rapid" else "routine",
        )


class RevisionRef(Out):
    """Enough of a revision to name it and to vote on it."""

    id: Id
    number: int = Field(examples=[12])
    sha256: Sha256

    @classmethod
    def of(cls, revision: Revision) -> "RevisionRef":
        return cls(id=revision.id, number=revision.number, sha256=revision.sha256)


class ApprovalOut(Out):
    """One time that the approved text of a page changed or was stopped. `ledger` is its entry in the public log.

    `revision` is the text in force, or stopped; null where a page was held that has none. `until` is when a hold ends
    by itself, `replacement` the page to use instead of a withdrawn text. `contested`: the text lost its approval and
    stands for want of an earlier one.
    """

    kind: Literal["promoted", "unpromoted", "held", "released", "corrected", "withdrawn", "restored", "imported"]
    revision: RevisionRef | None
    at: Moment
    reason: str = Field(examples=[""])
    mode: Literal["routine", "rapid"] = Field(examples=["routine"])
    contested: bool = Field(examples=[False])
    until: Moment | None = Field(examples=[None])
    replacement: Slug | None = Field(examples=[None])
    ledger: int | None = Field(examples=[41])

    @classmethod
    def of(cls, step: Step, revision: Revision | None, ledger: int | None) -> "ApprovalOut":
        row, stop = step.row, step.stop
        approval = None if stop else step.approval
        return cls.model_validate(
            {
                "kind": row.kind,
                "revision": RevisionRef.of(revision) if revision else None,
                "at": row.at,
                "reason": row.reason,
                "mode": approval.mode if approval else "routine",
                "contested": approval.contested if approval else False,
                "until": stop.until if stop else None,
                "replacement": stop.replacement if stop else None,
                "ledger": ledger,
            }
        )
