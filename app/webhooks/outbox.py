"""The messages on their way: made from the log, claimed for sending, and what became of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, delete, select, update

from app.activity import service as activity
from app.activity.models import Activity
from app.database import now
from app.pages import service as pages
from app.webhooks import messages, schedule
from app.webhooks.models import Attempt, Delivery, State, Webhook, Why
from app.webhooks.service import turn_off

ROWS = 200
"""Rows of the log that are looked at in one step."""

WINDOW = 500
"""Messages that wait for one webhook at most; what happened after them stays in the log until there is room."""

LOOKED_OVER = 1_000
"""So many rows that a webhook does not want are passed over before that is written down."""

FAULT_WAITS = timedelta(minutes=5)
"""Until a message is looked at again that this side could not send, as its key is missing: no fault of the receiver."""

KEPT = timedelta(days=30)
RECOVERS_AFTER = 5
"""Failures in a row after which a receiver that answers again gets all that waits at once."""

UNHEALTHY = 3
"""Failures in a row after which a receiver may take only half of the places."""


@dataclass(frozen=True, slots=True)
class Job:
    """One message to send now; whoever claimed it has it until the lease is over."""

    delivery_id: int
    webhook: Webhook
    message: str
    body: str
    urgent: bool

    @property
    def lane(self) -> tuple[int, bool]:
        """Each webhook has two: what is urgent never waits for what is not."""
        return self.webhook.id, self.urgent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt. Without `status` no answer came; `sent` is False where it was not even tried."""

    job: Job
    at: datetime
    milliseconds: int
    status: int | None = None
    error: str = ""
    wait: timedelta | None = None
    draw: float = 0.0
    sent: bool = True

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Seen:
    """Up to which row each lane was found to want nothing: known to this process alone, and written down rarely."""

    def __init__(self) -> None:
        self._up_to: dict[tuple[int, bool], tuple[int, int]] = {}

    def position(self, webhook: Webhook, *, urgent: bool) -> int:
        """Where to look on. What was seen counts only from the place it was seen from: somebody may have gone back."""
        place, up_to = self._up_to.get((webhook.id, urgent), (-1, 0))
        return up_to if place == _place(webhook, urgent) else _place(webhook, urgent)

    def note(self, webhook: Webhook, position: int, *, urgent: bool) -> None:
        """Nothing is wanted up to this row."""
        self._up_to[webhook.id, urgent] = _place(webhook, urgent), position


def _place(webhook: Webhook, urgent: bool) -> int:
    return webhook.urgent_position if urgent else webhook.position


class Log:
    """Rows after a position, read once for all webhooks that stand there, and their messages, written once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bodies: dict[int, str] = {}
        self._rows: dict[tuple[int, bool], Sequence[Activity]] = {}
        self._tags: dict[int, list[str]] = {}

    def after(self, position: int, *, urgent: bool) -> Sequence[Activity]:
        """The next rows: only urgent kinds, or all of them."""
        key = (position, urgent)
        if key not in self._rows:
            kinds = messages.URGENT if urgent else ()
            self._rows[key] = activity.since(self._session, position, kinds=kinds, limit=ROWS)
        return self._rows[key]

    def is_wanted(self, webhook: Webhook, row: Activity, *, urgent: bool) -> bool:
        """Whether a row is one for this webhook, in this lane."""
        if (row.kind in messages.URGENT) != urgent or (webhook.kinds and row.kind not in webhook.kinds):
            return False
        if webhook.page_id is not None and row.page_id != webhook.page_id:
            return False
        return webhook.tag is None or webhook.tag in self._tags_of(row.page_id)

    def bodies_of(self, rows: Sequence[Activity], base_url: str) -> Mapping[int, str]:
        """The message of each row, by its number."""
        new = [row for row in rows if row.id not in self._bodies]
        if new:
            self._bodies |= messages.write_messages(self._session, new, base_url=base_url)
        return self._bodies

    def _tags_of(self, page_id: int | None) -> list[str]:
        if page_id is None:
            return []
        if page_id not in self._tags:
            self._tags[page_id] = pages.tags_of(self._session, [page_id]).get(page_id, [])
        return self._tags[page_id]


def is_behind(session: Session, seen: Seen) -> bool:
    """Whether messages are to be made, or a webhook's place is far from the one that was seen."""
    log = Log(session)
    return any(_is_behind(session, log, webhook, seen) for webhook in _enabled(session))


def _is_behind(session: Session, log: Log, webhook: Webhook, seen: Seen) -> bool:
    for urgent in (True, False):
        while rows := log.after(seen.position(webhook, urgent=urgent), urgent=urgent):
            if any(log.is_wanted(webhook, row, urgent=urgent) for row in rows):
                if urgent or _room(session, webhook):
                    return True
                break
            seen.note(webhook, rows[-1].id, urgent=urgent)
        if seen.position(webhook, urgent=urgent) - _place(webhook, urgent) > LOOKED_OVER:
            return True
    return False


def write_due(session: Session, seen: Seen, *, base_url: str) -> None:
    """Make messages of what happened, and move each webhook's place in the log, in one transaction."""
    log = Log(session)
    query = select(Webhook).where(col(Webhook.disabled_reason).is_(None)).order_by(col(Webhook.id))
    # Whom another process writes for at this moment is passed over.
    for webhook in session.exec(query.with_for_update(skip_locked=True)).all():
        position = seen.position(webhook, urgent=True)
        if rows := log.after(position, urgent=True):
            wanted = [row for row in rows if log.is_wanted(webhook, row, urgent=True)]
            _put_in_line(session, webhook, log, wanted, urgent=True, base_url=base_url)
            position = rows[-1].id
        webhook.urgent_position = position
        position = seen.position(webhook, urgent=False)
        rows = log.after(position, urgent=False)
        webhook.position = _write_ordinary(session, webhook, log, rows, base_url) if rows else position
        session.add(webhook)
    session.flush()


def _write_ordinary(session: Session, webhook: Webhook, log: Log, rows: Sequence[Activity], base_url: str) -> int:
    """Messages of the wanted rows, as many as there is room for; the row up to which nothing is left out."""
    wanted = [row for row in rows if log.is_wanted(webhook, row, urgent=False)]
    room = _room(session, webhook) if wanted else 0
    _put_in_line(session, webhook, log, wanted[:room], urgent=False, base_url=base_url)
    return wanted[room].id - 1 if len(wanted) > room else rows[-1].id


def _put_in_line(
    session: Session, webhook: Webhook, log: Log, rows: Sequence[Activity], *, urgent: bool, base_url: str
) -> None:
    if not rows:
        return
    at = now(session)
    kept = {
        row.seq: row
        for row in session.exec(
            select(Delivery).where(Delivery.webhook_id == webhook.id, col(Delivery.seq).in_([row.id for row in rows]))
        )
    }
    new = [row for row in rows if row.id not in kept]
    bodies = log.bodies_of(new, base_url)
    for delivery in kept.values():  # asked for again
        delivery.state, delivery.tries, delivery.next_at, delivery.leased_until = State.PENDING, 0, at, None
        session.add(delivery)
    session.add_all(
        Delivery(
            webhook_id=webhook.id,
            seq=row.id,
            message=f"msg_{webhook.mark}_{row.id}",
            kind=row.kind,
            urgent=urgent,
            body=bodies[row.id],
            created_at=at,
            next_at=at,
        )
        for row in new
    )
    session.flush()


def choose(
    session: Session, *, per_lane: int, busy: Mapping[tuple[int, bool], int], places: int, urgent: int
) -> list[int]:
    """Which messages to send now, what is urgent and whoever is well first.

    At most `per_lane` for each webhook's lane, those that `busy` counts included; `places` and `urgent` are how many
    more this process can send at once. Receivers that fail get half of either.
    """
    at = now(session)
    rank = (
        func.row_number()
        .over(
            partition_by=(col(Delivery.webhook_id), col(Delivery.urgent)),
            order_by=(col(Delivery.next_at), col(Delivery.id)),
        )
        .label("rank")
    )
    ranked = (
        sql_select(col(Delivery.id), col(Delivery.webhook_id), col(Delivery.urgent), col(Webhook.failures), rank)
        .join(Webhook, col(Webhook.id) == col(Delivery.webhook_id))
        .where(
            _is_due(session),
            col(Webhook.disabled_reason).is_(None),
            or_(col(Delivery.urgent), col(Webhook.paused_until).is_(None), col(Webhook.paused_until) <= at),
        )
        .subquery()
    )
    rows = session.execute(
        sql_select(ranked.c.id, ranked.c.webhook_id, ranked.c.urgent, ranked.c.failures)
        .where(ranked.c.rank <= per_lane)
        .order_by(ranked.c.urgent.desc(), ranked.c.failures, ranked.c.rank, ranked.c.id)
    ).all()
    chosen: list[int] = []
    taken = dict(busy)
    left = {True: urgent, False: places}
    left_to_failing = {True: urgent // 2, False: places // 2}
    for id_, webhook_id, is_urgent, failures in rows:
        lane, failing = (webhook_id, is_urgent), failures >= UNHEALTHY
        if taken.get(lane, 0) >= per_lane or not left[is_urgent] or (failing and not left_to_failing[is_urgent]):
            continue
        taken[lane] = taken.get(lane, 0) + 1
        left[is_urgent] -= 1
        left_to_failing[is_urgent] -= failing
        chosen.append(id_)
    return chosen


def claim(session: Session, chosen: Sequence[int], *, lease: timedelta) -> list[Job]:
    """Take these messages for the length of the lease; fewer, where another process was faster."""
    if not chosen:
        return []
    # Another process may have taken some since: those are locked by now, or no longer due.
    query = select(Delivery, Webhook).join(Webhook, col(Webhook.id) == col(Delivery.webhook_id))
    query = query.where(col(Delivery.id).in_(chosen), _is_due(session))
    query = query.order_by(col(Delivery.urgent).desc(), col(Delivery.id))
    found = session.exec(query.with_for_update(skip_locked=True, of=Delivery)).all()
    jobs = [Job(row.id, webhook, row.message, row.body, row.urgent) for row, webhook in found]
    taken = [job.delivery_id for job in jobs]
    session.exec(update(Delivery).where(col(Delivery.id).in_(taken)).values(leased_until=now(session) + lease))
    return jobs


def note(session: Session, outcomes: Iterable[Outcome]) -> None:
    """Write down what became of attempts: done, to be tried again, or the end of a webhook."""
    by_webhook: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        by_webhook.setdefault(outcome.job.webhook.id, []).append(outcome)
    # Always the webhook before its messages, and webhooks in one order: so nobody waits for each other.
    query = select(Webhook).where(col(Webhook.id).in_(by_webhook)).order_by(col(Webhook.id)).with_for_update()
    for webhook in session.exec(query.execution_options(populate_existing=True)).all():
        for outcome in by_webhook[webhook.id]:
            _note(session, webhook, outcome)
        session.add(webhook)
    session.flush()


def _note(session: Session, webhook: Webhook, outcome: Outcome) -> None:
    row = session.get(Delivery, outcome.job.delivery_id, populate_existing=True)
    if row is None or row.message != outcome.job.message:  # removed meanwhile, with its webhook
        return
    row.leased_until = None
    session.add(row)
    if not outcome.sent:
        row.next_at = outcome.at + FAULT_WAITS if outcome.error else row.next_at
        return
    session.add(
        Attempt(
            delivery_id=row.id,
            at=outcome.at,
            status=outcome.status,
            error=outcome.error,
            milliseconds=outcome.milliseconds,
        )
    )
    if outcome.is_success:
        row.state, row.delivered_at = State.DELIVERED, outcome.at
        _recover(session, webhook, outcome.at)
        return
    row.tries += 1
    again = schedule.next_attempt(row.tries, outcome.at, outcome.draw, outcome.wait)
    if again is not None:
        row.next_at = again
    if again is None or not webhook.is_enabled:
        row.state = State.FAILED
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or outcome.at
    if pause := schedule.pause_for(outcome.status, outcome.wait):
        webhook.paused_until = outcome.at + pause
    if not webhook.is_enabled:
        return
    if outcome.status == schedule.GONE:
        turn_off(session, webhook, Why.GONE)
    elif schedule.is_hopeless(webhook.failing_since, webhook.failures, outcome.at):
        turn_off(session, webhook, Why.FAILING)


def _recover(session: Session, webhook: Webhook, at: datetime) -> None:
    """A message arrived. After many that did not, what waits goes out now instead of hours later."""
    if webhook.failures >= RECOVERS_AFTER:
        waiting = col(Delivery.webhook_id) == webhook.id, col(Delivery.state) == State.PENDING
        session.exec(update(Delivery).where(*waiting, col(Delivery.next_at) > at).values(next_at=at))
    webhook.last_success_at, webhook.failing_since, webhook.failures, webhook.paused_until = at, None, 0, None


def forget_old(session: Session, *, most: int = 1_000) -> int:
    """Remove messages that are done since long, with their attempts; returns how many."""
    old = (
        select(Delivery.id)
        .where(col(Delivery.created_at) < now(session) - KEPT, Delivery.state != State.PENDING)
        .order_by(col(Delivery.id))
        .limit(most)
    )
    found = session.exec(old).all()
    if found:
        session.exec(delete(Delivery).where(col(Delivery.id).in_(found)))
    return len(found)


def _is_due(session: Session) -> ColumnElement[bool]:
    at = now(session)
    free = or_(col(Delivery.leased_until).is_(None), col(Delivery.leased_until) <= at)
    return and_(col(Delivery.state) == State.PENDING, col(Delivery.next_at) <= at, free)


def _enabled(session: Session) -> Sequence[Webhook]:
    return session.exec(select(Webhook).where(col(Webhook.disabled_reason).is_(None)).order_by(col(Webhook.id))).all()


def _room(session: Session, webhook: Webhook) -> int:
    """How many more messages may wait for a webhook."""
    waiting = select(func.count()).select_from(Delivery)
    waiting = waiting.where(Delivery.webhook_id == webhook.id, Delivery.state == State.PENDING)
    return max(0, WINDOW - session.exec(waiting).one())
