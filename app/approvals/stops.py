"""Whether a moderator stopped a page's text, now or at a moment, and what may be served instead."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, exists, false, func, literal, or_, true, tuple_, union_all
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.approvals import service as approvals
from app.approvals.models import Approval, ApprovalKind, Stop, StopKind
from app.database import now
from app.pages.models import Page
from app.revisions import service as revisions
from app.revisions.models import Revision


def find_stop(session: Session, page_id: int, *, as_of: datetime | None = None) -> Stop | None:
    """The hold or withdrawal in force, now or at a moment; None while the approved text may be used."""
    query = select(Stop).where(Stop.page_id == page_id, col(Stop.takes_effect))
    if as_of is not None:
        query = query.where(col(Stop.at) <= as_of)
    newest = session.exec(query.order_by(col(Stop.id).desc()).limit(1)).first()
    if newest is None:
        return None
    current = approvals.find_current(session, page_id, as_of=as_of)
    return newest if _is_in_force(newest, current, as_of or now(session)) else None


_NEWEST = (
    select(func.max(Stop.id))
    .where(col(Stop.page_id).in_(bindparam("pages", expanding=True)), col(Stop.takes_effect))
    .group_by(col(Stop.page_id))
)
_STOPS = select(Stop).where(col(Stop.id).in_(_NEWEST))
"""Put together once: each vote asks it."""


def stops_by_page(session: Session, current: dict[int, Approval], page_ids: Iterable[int]) -> dict[int, Stop]:
    """The hold or withdrawal in force for each page that has one, given the approvals in force."""
    rows = session.execute(_STOPS, {"pages": list(page_ids)}).scalars()
    at = now(session)
    return {row.page_id: row for row in rows if _is_in_force(row, current.get(row.page_id), at)}


def _is_in_force(stop: Stop, current: Approval | None, at: datetime) -> bool:
    """A stop is of one approval: what replaces that text ends it. A hold also ends by itself."""
    if stop.approval_id != (current.id if current else None):
        return False
    return stop.kind == StopKind.WITHDRAWN or (stop.kind == StopKind.HELD and (stop.until is None or at < stop.until))


def status_of(approval: Approval | None, stop: Stop | None) -> str:
    """How a page stands, in the word of the API."""
    if stop is not None:
        return stop.kind
    if approval is None:
        return "none"
    return "contested" if approval.contested else "approved"


def has_status(session: Session, status: str) -> ColumnElement[bool]:
    """For a list of pages: that the page stands so now."""
    newest = (
        select(func.max(Approval.id)).where(col(Approval.page_id) == col(Page.id)).correlate(Page).scalar_subquery()
    )
    stops_here = select(func.max(Stop.id)).where(col(Stop.page_id) == col(Page.id), col(Stop.takes_effect))
    newest_stop = stops_here.correlate(Page).scalar_subquery()

    def stopped(kind: StopKind, lasts: ColumnElement[bool]) -> ColumnElement[bool]:
        of_this_text = func.coalesce(Stop.approval_id, 0) == func.coalesce(newest, 0)
        return exists().where(col(Stop.id) == newest_stop, col(Stop.kind) == kind, lasts, of_this_text)

    held = stopped(StopKind.HELD, or_(col(Stop.until).is_(None), col(Stop.until) > now(session)))
    withdrawn = stopped(StopKind.WITHDRAWN, true())
    approved = exists().where(col(Approval.page_id) == col(Page.id))
    contested = exists().where(col(Approval.id) == newest, col(Approval.contested))
    free = and_(~held, ~withdrawn)
    return {
        "held": held,
        "withdrawn": withdrawn,
        "contested": and_(contested, free),
        "approved": and_(approved, ~contested, free),
        "none": and_(~approved, free),
    }.get(status, false())


def list_stopped(session: Session) -> Sequence[Stop]:
    """Every hold and withdrawal in force, the newest first."""
    pages = session.exec(select(Stop.page_id).distinct()).all()
    found = stops_by_page(session, approvals.current_by_page(session, pages), pages)
    return sorted(found.values(), key=lambda stop: -stop.id)


def list_ended_holds(session: Session) -> Sequence[Stop]:
    """Holds whose time is over and that nobody has noted as released yet; a correction needs no such note."""
    newest = select(func.max(Stop.id)).where(col(Stop.takes_effect)).group_by(col(Stop.page_id))
    over = select(Stop).where(col(Stop.id).in_(newest), Stop.kind == StopKind.HELD, col(Stop.until) <= now(session))
    rows = session.exec(over).all()
    current = approvals.current_by_page(session, [row.page_id for row in rows]) if rows else {}
    return [row for row in rows if row.approval_id == (current[row.page_id].id if row.page_id in current else None)]


def time_held_alone(session: Session, page_id: int, current: Approval | None, actor_id: int) -> timedelta:
    """How long this moderator has held this very text without a second, all their holds together.

    However each ended: whoever releases their own hold to set it anew has no more time for it.
    """
    about = Stop.approval_id == (current.id if current else None)
    rows = session.exec(select(Stop).where(Stop.page_id == page_id, about).order_by(col(Stop.id))).all()
    held = timedelta()
    for row, end in zip_longest(rows, rows[1:]):
        if row.kind != StopKind.HELD or row.actor_id != actor_id or row.until is None:
            continue
        ended = min(row.until, end.at if end is not None else now(session))
        if end is None or end.kind != StopKind.HELD or end.at >= row.until:
            held += ended - row.at
    return held


def list_asked(session: Session, stop: Stop, kind: StopKind) -> Sequence[Stop]:
    """What moderators asked for since this stop that a second one has yet to confirm."""
    return session.exec(
        select(Stop).where(
            Stop.page_id == stop.page_id, col(Stop.id) > stop.id, Stop.kind == kind, ~col(Stop.takes_effect)
        )
    ).all()


def list_usable(session: Session, page_id: int, *, until: int | None = None) -> list[Revision]:
    """The page's once approved texts that nobody took back since, oldest first; the present one is left out.

    `until` names the approval that is the present one, where that is not the newest.

    Taken back are those withdrawn by a moderator and those that lost their approval, whatever revision says the same.
    """
    rows = [row for row in approvals.list_since(session, page_id, 0) if until is None or row.id <= until]
    texts = revisions.get_many(session, (row.revision_id for row in rows))
    stops: dict[int | None, list[Stop]] = {}
    kinds = (StopKind.WITHDRAWN, StopKind.RESTORED)
    query = select(Stop).where(Stop.page_id == page_id, col(Stop.takes_effect), col(Stop.kind).in_(kinds))
    for stop in session.exec(query.order_by(col(Stop.id))):
        stops.setdefault(stop.approval_id, []).append(stop)
    usable: dict[str, Revision] = {}
    before: Revision | None = None
    for row in rows:
        revision = texts[row.revision_id]
        if row.kind == ApprovalKind.UNPROMOTED and before is not None:
            usable.pop(before.sha256, None)
        if not row.contested:
            usable.pop(revision.sha256, None)
            usable[revision.sha256] = revision
        for stop in stops.get(row.id, ()):
            usable.pop(revision.sha256, None)
            if stop.kind == StopKind.RESTORED:
                usable[revision.sha256] = revision
        before = revision
    if before is not None:
        usable.pop(before.sha256, None)
    return list(usable.values())


class Step(NamedTuple):
    """One line of what happened to a page's approved text: an approval, or a stop and the approval that it is about.

    Only a stop can be about no approval: of a page that has no approved text yet.
    """

    approval: Approval | None
    stop: Stop | None = None

    @property
    def row(self) -> Approval | Stop:
        """What happened: the stop, or else the approval."""
        row = self.stop or self.approval
        if row is None:
            raise ValueError("A step is an approval or a stop.")
        return row

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the list: the approval it is or is about, then the stop's own number."""
        return (self.approval.id if self.approval else 0), (self.stop.id if self.stop else 0)


def list_steps(session: Session, page_id: int, *, before: tuple[int, int] | None = None, limit: int = 50) -> list[Step]:
    """Every approval and stop of a page, newest first. What still waits for a second moderator is left out."""
    texts = sql_select(col(Approval.id).label("about"), literal(0).label("stop"))  # type: ignore[var-annotated]  # a label has no type
    halts = sql_select(func.coalesce(Stop.approval_id, 0).label("about"), col(Stop.id).label("stop"))  # type: ignore[var-annotated]
    both = union_all(
        texts.where(col(Approval.page_id) == page_id),
        halts.where(col(Stop.page_id) == page_id, col(Stop.takes_effect)),
    ).subquery()
    query = sql_select(both.c.about, both.c.stop).order_by(both.c.about.desc(), both.c.stop.desc()).limit(limit)
    if before is not None:
        query = query.where(tuple_(both.c.about, both.c.stop) < tuple_(*map(literal, before)))
    found = session.execute(query).all()
    rows = approvals.get_many(session, (about or None for about, _ in found))
    ids = [stop for _, stop in found if stop]
    stops = {stop.id: stop for stop in session.exec(select(Stop).where(col(Stop.id).in_(ids)))} if ids else {}
    return [Step(rows.get(about), stops.get(stop)) for about, stop in found]


def add_stop(session: Session, stop: Stop) -> Stop:
    """Note a stop, or its end. The caller holds the page's lock and knows that it may."""
    session.add(stop)
    session.flush()
    return stop
