"""Approvals in answers."""

from typing import Literal

from pydantic import Field

from app.approvals.models import Approval
from app.approvals.service import InForce
from app.revisions.models import Revision
from app.web.schemas import Id, Moment, Out, Sha256

PageStatus = Literal["none", "approved", "held", "contested", "withdrawn"]


class ApprovedRevisionOut(Out):
    """Which text is approved, since when and on what grounds. `supersedes` is the revision approved before it."""

    id: Id
    number: int = Field(examples=[12], description="Counts the page's revisions from 1.")
    sha256: Sha256
    approved_at: Moment
    supersedes: Id | None
    basis: str = Field(examples=["consensus"], description="`consensus` or `import`.")

    @classmethod
    def of(cls, found: InForce) -> "ApprovedRevisionOut":
        return cls(
            id=found.revision.id,
            number=found.revision.number,
            sha256=found.revision.sha256,
            approved_at=found.approval.at,
            supersedes=found.supersedes.revision_id if found.supersedes else None,
            basis=found.approval.basis,
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
    """One time that the approved text of a page changed. `ledger` is its entry in the public log."""

    kind: Literal["promoted", "unpromoted", "held", "released", "corrected", "withdrawn", "restored", "imported"]
    revision: RevisionRef
    at: Moment
    reason: str = Field(examples=[""])
    ledger: int | None = Field(examples=[41])

    @classmethod
    def of(cls, approval: Approval, revision: Revision, ledger: int | None) -> "ApprovalOut":
        return cls.model_validate(
            {
                "kind": approval.kind,
                "revision": RevisionRef.of(revision),
                "at": approval.at,
                "reason": approval.reason,
                "ledger": ledger,
            }
        )
