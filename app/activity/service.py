"""Write a row of the activity log, and read the rows after a position."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from app.activity.models import CHANGES_WHAT_IS_PUBLISHED, Activity, Kind
from app.database import now
from app.permissions import Actor

ORDER_LOCK = 7_203_114


def record(
    session: Session,
    kind: Kind,
    actor: Actor | None,
    *,
    page_id: int | None = None,
    subject_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> Activity:
    """Add a row in the transaction of its cause. Call it last: on PostgreSQL it waits for its turn in the log.

    Sequence numbers become visible there out of commit order; the lock, kept until the commit, makes their order the
    order of commits, so that no follower passes a row that is not there yet.
    """
    wait_for_turn(session)
    row = Activity(
        kind=kind,
        at=now(session),
        actor_id=actor.id if actor else None,
        page_id=page_id,
        subject_id=subject_id,
        data=data or {},
    )
    session.add(row)
    session.flush()
    session.info["log_position"] = row.id
    if kind in CHANGES_WHAT_IS_PUBLISHED:
        session.info["published_position"] = row.id
    return row


def wait_for_turn(session: Session) -> None:
    """Wait until no other transaction appends to a log; the turn lasts until the commit. On SQLite it is given."""
    if session.get_bind().dialect.name == "postgresql":
        session.flush()
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ORDER_LOCK})


def since(
    session: Session, position: int, *, kinds: Collection[Kind] = (), page_id: int | None = None, limit: int = 200
) -> Sequence[Activity]:
    """Rows after `position`, oldest first; only of these kinds and this page where given."""
    query = select(Activity).where(col(Activity.id) > position).order_by(col(Activity.id)).limit(limit)
    if kinds:
        query = query.where(col(Activity.kind).in_(kinds))
    if page_id is not None:
        query = query.where(Activity.page_id == page_id)
    return session.exec(query).all()


def latest(
    session: Session, *, page_id: int | None = None, before: int | None = None, limit: int = 50
) -> Sequence[Activity]:
    """The newest rows first, for the screen of recent changes."""
    query = select(Activity).order_by(col(Activity.id).desc()).limit(limit)
    if page_id is not None:
        query = query.where(Activity.page_id == page_id)
    if before is not None:
        query = query.where(col(Activity.id) < before)
    return session.exec(query).all()


def newest_position(session: Session) -> int:
    """The id of the newest row; 0 in an empty log."""
    return session.exec(select(func.max(Activity.id))).one() or 0


def published_among(rows: Sequence[Activity]) -> int:
    """The id of the newest of these rows that changed what is published; 0 when none did."""
    return max((row.id for row in rows if row.kind in CHANGES_WHAT_IS_PUBLISHED), default=0)


def position_before(session: Session, moment: datetime) -> int:
    """The id of the last row that was written before a moment; 0 where there is none."""
    query = select(func.min(Activity.id)).where(col(Activity.at) >= moment)
    first = session.exec(query).one()
    return first - 1 if first is not None else newest_position(session)


def newest_published_position(session: Session) -> int:
    """The id of the newest row that changed what is published; 0 when there is none."""
    query = select(func.max(Activity.id)).where(col(Activity.kind).in_(CHANGES_WHAT_IS_PUBLISHED))
    return session.exec(query).one() or 0
