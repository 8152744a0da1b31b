"""What a page asks of the candidates on it: which one is in force, whether it is stopped, whether it is in a hurry."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import BindParameter, bindparam, func
from sqlmodel import Session, col, select

from app.approvals import stops
from app.approvals.models import Approval, Stop
from app.consensus.models import Candidate, CandidateRevision, RapidCall
from app.consensus.rule import Electorate, Rule, need_of
from app.database import UtcDateTime, now

IN_FORCE = ("approved", "contested")
"""Ends of a candidate whose text can be the approved one; as long as it is, its tally stays open."""


class Circumstances(NamedTuple):
    """`approved` is the candidate whose text is in force, `rapid_until` when rapid mode ends, where it is on."""

    approved: Candidate | None
    stop: Stop | None
    rapid_until: datetime | None

    @property
    def mode(self) -> Literal["routine", "rapid"]:
        return "routine" if self.rapid_until is None else "rapid"

    @property
    def losing_until(self) -> datetime | None:
        """When the approved text loses its approval, if its votes stay as they are."""
        found = self.approved
        if found is None or found.closed != "approved" or found.failing_since is None or found.electorate is None:
            return None
        rule, electorate = Rule.from_json(found.rule or {}), Electorate.from_json(found.electorate)
        return found.failing_since + rule.wait(self.mode, need_of(electorate.active))


NONE = Circumstances(None, None, None)


# Put together once: each vote asks these, and to build a query takes longer than to run it.
_PAGES: BindParameter[Any] = bindparam("pages", expanding=True)
_NEWEST = select(func.max(Approval.id)).where(col(Approval.page_id).in_(_PAGES)).group_by(col(Approval.page_id))
_APPROVED = (
    select(Approval, Candidate)
    .join(CandidateRevision, col(CandidateRevision.revision_id) == Approval.revision_id, isouter=True)
    .join(Candidate, col(Candidate.id) == CandidateRevision.candidate_id, isouter=True)
    .where(col(Approval.id).in_(_NEWEST))
)
_RAPID = (
    select(RapidCall.page_id, func.max(RapidCall.until))
    .where(col(RapidCall.page_id).in_(_PAGES), col(RapidCall.until) > bindparam("at", type_=UtcDateTime()))
    .group_by(col(RapidCall.page_id))
)


def circumstances_of(session: Session, page_ids: Iterable[int]) -> dict[int, Circumstances]:
    """The circumstances of each page."""
    ids = sorted(set(page_ids))
    given = {"pages": ids, "at": now(session)}
    rows = session.execute(_APPROVED, given).all()
    current = {approval.page_id: approval for approval, _ in rows}
    approved = {
        approval.page_id: candidate for approval, candidate in rows if candidate and candidate.closed in IN_FORCE
    }
    stopped = stops.stops_by_page(session, current, ids)
    rapid = {page_id: until for page_id, until in session.execute(_RAPID, given)}
    return {id_: Circumstances(approved.get(id_), stopped.get(id_), rapid.get(id_)) for id_ in ids}


def find_approved(session: Session, page_id: int) -> Candidate | None:
    """The candidate whose text is in force; None before the first, and for an imported text nobody voted on."""
    return circumstances_of(session, [page_id])[page_id].approved


def is_in_force(session: Session, candidate: Candidate) -> bool:
    """Whether the candidate's text is the page's approved one."""
    if candidate.closed not in IN_FORCE:
        return False
    approved = find_approved(session, candidate.page_id)
    return approved is not None and approved.id == candidate.id
