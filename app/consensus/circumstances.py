"""What a page asks of the candidates on it: which one is in force, whether it is stopped, whether it is in a hurry."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.approvals import service as approvals
from app.approvals import stops
from app.approvals.models import Approval, Stop
from app.consensus.models import Candidate, CandidateRevision, RapidCall
from app.consensus.rule import Electorate, Rule, need_of
from app.database import now

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


def circumstances_of(session: Session, page_ids: Iterable[int]) -> dict[int, Circumstances]:
    """The circumstances of each page."""
    ids = sorted(set(page_ids))
    current = approvals.current_by_page(session, ids)
    stopped = stops.stops_by_page(session, current, ids)
    approved = _approved_candidates(session, current)
    calls = select(RapidCall.page_id, func.max(RapidCall.until)).where(
        col(RapidCall.page_id).in_(ids), col(RapidCall.until) > now(session)
    )
    rapid = {page_id: until for page_id, until in session.exec(calls.group_by(col(RapidCall.page_id)))}
    return {id_: Circumstances(approved.get(id_), stopped.get(id_), rapid.get(id_)) for id_ in ids}


def _approved_candidates(session: Session, current: dict[int, Approval]) -> dict[int, Candidate]:
    by_revision = {row.revision_id: page_id for page_id, row in current.items()}
    rows = session.exec(
        select(CandidateRevision.revision_id, Candidate)
        .join(Candidate, col(Candidate.id) == CandidateRevision.candidate_id)
        .where(col(CandidateRevision.revision_id).in_(list(by_revision)), col(Candidate.closed).in_(IN_FORCE))
    )
    return {by_revision[revision_id]: candidate for revision_id, candidate in rows}


def find_approved(session: Session, page_id: int) -> Candidate | None:
    """The candidate whose text is in force; None before the first, and for an imported text nobody voted on."""
    return circumstances_of(session, [page_id])[page_id].approved


def is_in_force(session: Session, candidate: Candidate) -> bool:
    """Whether the candidate's text is the page's approved one."""
    if candidate.closed not in IN_FORCE:
        return False
    approved = find_approved(session, candidate.page_id)
    return approved is not None and approved.id == candidate.id
