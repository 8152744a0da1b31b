"""Name the approved revision of a page, now or as of any time, and put another in its place."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from app.approvals.models import Approval, ApprovalKind, Stop
from app.database import now
from app.pages.models import PageTag
from app.revisions import service as revisions
from app.revisions.models import Revision


class InForce(NamedTuple):
    """An approval, the text it approved and the approval it followed."""

    approval: Approval
    revision: Revision
    supersedes: Approval | None


def approve(
    session: Session,
    revision: Revision,
    *,
    kind: ApprovalKind,
    basis: str,
    reason: str = "",
    candidate_id: int | None = None,
    mode: str = "routine",
    contested: bool = False,
    actor_id: int | None = None,
) -> Approval:
    """Make the revision the approved text of its page. The caller holds the page's lock and knows that it may."""
    current = find_current(session, revision.page_id)
    approval = Approval(
        page_id=revision.page_id,
        kind=kind,
        revision_id=revision.id,
        supersedes_id=current.id if current else None,
        at=now(session),
        basis=basis,
        reason=reason,
        candidate_id=candidate_id,
        mode=mode,
        contested=contested,
        actor_id=actor_id,
    )
    session.add(approval)
    session.flush()
    return approval


def find_current(session: Session, page_id: int, *, as_of: datetime | None = None) -> Approval | None:
    """The approval in force, now or at a moment; None before the first."""
    query = select(Approval).where(Approval.page_id == page_id)
    if as_of is not None:
        query = query.where(col(Approval.at) <= as_of)
    return session.exec(query.order_by(col(Approval.id).desc()).limit(1)).first()


def current_by_page(session: Session, page_ids: Iterable[int]) -> dict[int, Approval]:
    """The approval in force for each page that has one."""
    newest = (
        select(func.max(Approval.id)).where(col(Approval.page_id).in_(list(page_ids))).group_by(col(Approval.page_id))
    )
    return {row.page_id: row for row in session.exec(select(Approval).where(col(Approval.id).in_(newest)))}


def list_current(
    session: Session, *, after: int = 0, updated_since: datetime | None = None, tag: str | None = None, limit: int = 50
) -> Sequence[Approval]:
    """Approvals in force over all pages, by page id after the one named.

    Only those approved or stopped since a moment, or of pages so tagged, where these are given.
    """
    newest = select(func.max(Approval.id)).where(col(Approval.page_id) > after).group_by(col(Approval.page_id))
    query = select(Approval).where(col(Approval.id).in_(newest))
    if updated_since is not None:
        stopped = select(Stop.page_id).where(col(Stop.takes_effect), col(Stop.at) >= updated_since)
        query = query.where(or_(col(Approval.at) >= updated_since, col(Approval.page_id).in_(stopped)))
    if tag is not None:
        query = query.where(col(Approval.page_id).in_(select(PageTag.page_id).where(PageTag.tag == tag.casefold())))
    return session.exec(query.order_by(col(Approval.page_id)).limit(limit)).all()


def count_current(session: Session) -> int:
    """How many pages have an approved text."""
    return session.exec(select(func.count(func.distinct(Approval.page_id)))).one()


def in_force(session: Session, rows: Iterable[Approval]) -> list[InForce]:
    """Approvals together with the texts they are about."""
    listed = list(rows)
    found = revisions.get_many(session, (row.revision_id for row in listed))
    earlier = get_many(session, (row.supersedes_id for row in listed))
    return [
        InForce(row, found[row.revision_id], earlier.get(row.supersedes_id) if row.supersedes_id else None)
        for row in listed
    ]


def list_newest(session: Session, *, limit: int) -> Sequence[Approval]:
    """The newest approvals over all pages, those in force and those superseded since."""
    return session.exec(select(Approval).order_by(col(Approval.id).desc()).limit(limit)).all()


def list_since(session: Session, page_id: int, approval_id: int) -> Sequence[Approval]:
    """The approvals that came after this one, oldest first: what a candidate has to be carried over."""
    query = select(Approval).where(Approval.page_id == page_id, col(Approval.id) > approval_id)
    return session.exec(query.order_by(col(Approval.id))).all()


def get_many(session: Session, ids: Iterable[int | None]) -> dict[int, Approval]:
    """The approvals behind ids."""
    wanted = {id_ for id_ in ids if id_ is not None}
    return {row.id: row for row in session.exec(select(Approval).where(col(Approval.id).in_(wanted)))} if wanted else {}


def get(session: Session, approval_id: int) -> Approval:
    return session.get_one(Approval, approval_id)
