"""Enter decisions into the public ledger: what each rests on, in a form that anybody can recompute."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from app.accounts import chapters, saved
from app.accounts.seasoning import Seasoning, seasoning_of
from app.approvals.models import Approval
from app.consensus.decisions import rule_in_force, rule_of, sides_of
from app.consensus.facts import Decision, Rule
from app.consensus.models import Candidate, Dependency, Vote, WrittenSentence
from app.consensus.schemas import name_chapter
from app.database import Database, now
from app.ledger import service
from app.ledger.canonical import moment
from app.ledger.models import EntryKind, LedgerEntry
from app.pages import service as pages
from app.pages.models import Page
from app.revisions import service as revisions

BEFORE = "before the ledger"
"""The basis of texts that were approved before there was a ledger."""


def append(
    session: Session,
    kind: EntryKind,
    page: Page,
    *,
    at: datetime,
    text: str | None,
    basis: str,
    decision: Decision | None = None,
    candidate: Candidate | None = None,
    approval_id: int | None = None,
    stop_id: int | None = None,
    mode: str = "routine",
    reason: str = "",
    until: datetime | None = None,
    by: Sequence[int | None] = (),
    since: datetime | None = None,
    has_rivals: bool = True,
) -> LedgerEntry:
    """Enter what was decided about a page. Call it late in the transaction: on PostgreSQL it waits for its turn.

    `text` is the hash of the text in force afterwards, None where none is. `decision` and `candidate` are what it rests
    on where votes decided. `by` are the chapter ids of the moderators who did it, None for one without a chapter; who
    they are is never entered. `has_rivals` is false where no earlier score had to be beaten. `since` is when the clock
    of an un-promotion began, `until` when a stop ends by itself.
    """
    wait(session)
    _enter_rules(session, _begin(session, except_approval=approval_id), candidate)
    slugs = chapters.slugs_by_id(session)
    fields: dict[str, Any] = {
        "page": page.slug,
        "text": text,
        "base": service.text_in_force(session, page.id),
        "basis": basis,
        "mode": mode,
        "reason": reason,
        "until": _moment(until),
        "by": [name_chapter(chapter_id, slugs) for chapter_id in by],
        "since": _moment(since),
    }
    if decision is not None:
        fields |= {"rule": rule_in_force(session).to_json(), **decision_fields(decision, slugs)}
    if candidate is not None:
        fields |= _voted_on(session, candidate, text)
        fields["to_beat"] = _to_beat(session, candidate, approval_id, at) if has_rivals else []
    return service.add_entry(
        session, kind, at=at, page_id=page.id, approval_id=approval_id, stop_id=stop_id, fields=fields
    )


def note_rule(session: Session) -> None:
    """Enter the rule in force if it is another than the newest one entered. Call it when a vote opens."""
    if service.list_rules(session)[-1:] != [_in_force(session)]:
        wait(session)
        _enter_rules(session, _begin(session), None)


def enter_change(session: Session, rule: Rule, asked: Seasoning, *, by: Sequence[int | None], reason: str) -> int:
    """Enter the rule as two moderators change it now, before the change is saved; the number of its entry.

    The caller waited for its turn with `wait`. `by` are the chapter ids of both, None for one without a chapter.
    """
    _enter_rules(session, _begin(session), None)
    slugs = chapters.slugs_by_id(session)
    fields = {
        **_told(rule, asked),
        "basis": "moderators",
        "reason": reason,
        "by": [name_chapter(chapter_id, slugs) for chapter_id in by],
    }
    return service.add_entry(session, EntryKind.RULE, at=now(session), fields=fields).sequence


def enter_voiding(
    session: Session, *, voids: bool, chapter_id: int | None, by: Sequence[int | None], reason: str
) -> LedgerEntry:
    """Enter that two moderators void a member's votes, or give them back.

    The caller waited for its turn with `wait`. `chapter_id` is the member's, who is not named: where their chapter is
    counted with others, as it would show who they are, it is told as they are counted.
    """
    _enter_rules(session, _begin(session), None)
    slugs = chapters.slugs_by_id(session)
    counted = chapter_id if chapter_id in sides_of(session) else None
    fields = {
        "basis": "moderators",
        "reason": reason,
        "by": [name_chapter(side, slugs) for side in by],
        "chapter": name_chapter(counted, slugs),
    }
    kind = EntryKind.VOIDED if voids else EntryKind.GIVEN_BACK
    return service.add_entry(session, kind, at=now(session), fields=fields)


def wait(session: Session) -> None:
    """Wait for the turn in the ledger, which lasts until the commit, and go by what others saved until then."""
    service.wait(session)
    saved.read_again(session)


def begin(database: Database) -> None:
    """Begin the ledger if nothing is in it: with the rule in force, and the texts approved before it began.

    `NoLedgerKey` when it was signed with a key that this server does not have.
    """
    with database.transaction(writing=False) as session:
        service.check_key(session)
        if service.find_newest(session) is not None:
            return
    with database.transaction(writing=True) as session:
        wait(session)
        _begin(session)


def _begin(session: Session, *, except_approval: int | None = None) -> list[dict[str, Any]]:
    """The rules entered so far; an empty ledger is begun. The approval named is about to be entered by itself."""
    if rules := service.list_rules(session):
        return rules
    rule = _in_force(session)
    _enter_rule(session, rule)
    # An approval from before the ledger is entered as it stands: its votes are not shown to anybody who checks.
    earlier = session.exec(select(Approval).where(Approval.id != except_approval).order_by(col(Approval.id))).all()
    by_id = pages.pages_by_id(session, (row.page_id for row in earlier))
    texts = revisions.get_many(session, (row.revision_id for row in earlier))
    in_force: dict[int, str] = {}
    for row in earlier:
        text = texts[row.revision_id].sha256
        fields = {
            "page": by_id[row.page_id].slug,
            "text": text,
            "base": in_force.get(row.page_id),
            "basis": BEFORE,
            "since": moment(row.at),
        }
        in_force[row.page_id] = text
        service.add_entry(
            session, EntryKind.IMPORTED, at=now(session), page_id=row.page_id, approval_id=row.id, fields=fields
        )
    return [rule]


def _enter_rules(session: Session, known: list[dict[str, Any]], candidate: Candidate | None) -> None:
    """Enter the candidate's rule where nobody was told it, and then the rule in force where the newest one differs."""
    in_force = _in_force(session)
    if candidate is not None:
        own = {**in_force, "rule": rule_of(session, candidate).to_json()}
        if own["rule"] not in [told["rule"] for told in [*known, in_force]]:
            _enter_rule(session, own)
            known = [*known, own]
    if known[-1:] != [in_force]:
        _enter_rule(session, in_force)


def _enter_rule(session: Session, told: dict[str, Any]) -> None:
    service.add_entry(session, EntryKind.RULE, at=now(session), fields={"basis": "settings", **told})


def _in_force(session: Session) -> dict[str, Any]:
    return _told(rule_in_force(session), seasoning_of(session))


def _told(rule: Rule, asked: Seasoning) -> dict[str, Any]:
    """The rule as entries have it: how votes are counted, and whose."""
    return {"rule": rule.to_json(), "seasoning": asdict(asked)}


def decision_fields(decision: Decision, slugs: dict[int, str]) -> dict[str, Any]:
    """The count behind a decision, as entries have it: small chapters stand together, as they are counted."""
    lines = decision.count.chapters
    return {
        "electorate": decision.count.active,
        "tallies": [
            {
                "chapter": name_chapter(line.chapter, slugs),
                "members": line.members,
                "support": line.votes.support,
                "oppose": line.votes.oppose,
                "pass": line.votes.passes,
            }
            for line in lines
        ],
        "score": str(decision.score),
        "passing_since": _moment(decision.passing_since),
        "waits_until": _moment(decision.waits_until),
    }


def _voted_on(session: Session, candidate: Candidate, text: str | None) -> dict[str, Any]:
    """The vote that a decision ended: its rule, when it opened, and the texts that votes were cast on."""
    cast_on = session.exec(
        select(Vote.revision_id, Vote.sha256)
        .where(Vote.candidate_id == candidate.id)
        .distinct()
        .order_by(col(Vote.revision_id))
    )
    return {
        "rule": rule_of(session, candidate).to_json(),
        "opened_at": _moment(candidate.opened_at),
        "not_before": _moment(candidate.not_before),
        "carried_from": list(dict.fromkeys(sha256 for _, sha256 in cast_on if sha256 != text)),
    }


def _to_beat(session: Session, candidate: Candidate, approval_id: int | None, at: datetime) -> list[dict[str, Any]]:
    """The promotions of the rival window that wrote sentences it rewrites, with their scores."""
    window = timedelta(seconds=rule_of(session, candidate).rival_window)
    rows = session.exec(
        select(WrittenSentence.approval_id, WrittenSentence.score)
        .join(
            Dependency,
            (col(Dependency.page_id) == WrittenSentence.page_id) & (col(Dependency.hash) == WrittenSentence.hash),
        )
        .where(
            Dependency.candidate_id == candidate.id,
            col(Dependency.rewrites),
            WrittenSentence.at > at - window,
            WrittenSentence.approval_id != approval_id,
        )
        .distinct()
    ).all()
    sequences = service.sequences_of(session, [id_ for id_, _ in rows])
    return sorted(
        ({"entry": sequences[id_], "score": score} for id_, score in rows if id_ in sequences),
        key=lambda rival: int(rival["entry"]),
    )


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)
