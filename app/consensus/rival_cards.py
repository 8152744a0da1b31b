"""The card that asks a member whether their votes still stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from sqlmodel import Session

from app.accounts import service as accounts
from app.approvals import service as approvals
from app.consensus import decisions, rivals
from app.consensus.carrying import wording_on
from app.consensus.explain import when_declined
from app.consensus.models import Candidate
from app.consensus.panel import show_change
from app.consensus.rivals import Question
from app.drafts import service as drafts
from app.pages import service as pages
from app.pages.models import Page
from app.permissions import Actor
from app.revisions import service as revisions
from app.revisions.models import Revision

SHOWN = 3
"""So many texts are shown with their differences on one card; the rest is counted."""

CARDS = 3
"""So many cards are shown on one screen."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A stale text that the member voted on. `excerpts` mark what it would change in the text approved now; none: that
    says the same by now. `is_merged`: its draft has gone on with it. `declined`: when it is, in a sentence, if nobody
    turns it; empty where votes decide nothing as long as it is stale."""

    revision: Revision
    draft_id: int
    draft_name: str
    author: str | None
    value: str
    sentence: str
    excerpts: Sequence[Markup]
    more_excerpts: int
    is_merged: bool
    declined: str


@dataclass(frozen=True, slots=True)
class RivalCard:
    """What was approved meanwhile, and the member's votes on what that made stale; `more` are not shown."""

    approval_id: int
    kind: str
    approved: Revision
    page: Page
    rivals: list[Rival]
    more: int


def rival_cards(
    session: Session, viewer: Actor | None, *, about: Candidate | None = None, limit: int = CARDS
) -> list[RivalCard]:
    """What the viewer is asked, newest approval first; `about` one stale text alone if it is given."""
    return [_card(session, question) for question in rivals.list_questions(session, viewer, about=about)[:limit]]


def _card(session: Session, question: Question) -> RivalCard:
    approval, shown = question.approval, question.asked[:SHOWN]
    current = approvals.find_current(session, approval.page_id) or approval
    newer = revisions.text_by_id(session, current.revision_id)
    rows = revisions.get_many(session, (candidate.revision_id for candidate, _vote in shown))
    by_draft = drafts.get_many(session, (candidate.draft_id for candidate, _vote in shown))
    people = [draft.owner_id for draft in by_draft.values()] + [row.author_id for row in rows.values()]
    names = accounts.names_of(session, people)
    listed = []
    for candidate, vote in shown:
        row, draft = rows[candidate.revision_id], by_draft[candidate.draft_id]
        change = show_change(newer, wording_on(session, candidate, current))
        listed.append(
            Rival(
                revision=row,
                draft_id=draft.id,
                draft_name=draft.name,
                author=names.get(draft.owner_id or row.author_id or 0),
                value=vote.value,
                sentence=change.sentence,
                excerpts=change.excerpts,
                more_excerpts=change.more,
                is_merged=draft.head_id != candidate.revision_id,
                declined=_when_declined(session, candidate),
            )
        )
    return RivalCard(
        approval_id=approval.id,
        kind=approval.kind,
        approved=revisions.get(session, approval.revision_id),
        page=pages.get_by_id(session, approval.page_id),
        rivals=listed,
        more=len(question.asked) - len(shown),
    )


def _when_declined(session: Session, candidate: Candidate) -> str:
    if candidate.failing_since is None:
        return ""
    decision = decisions.decide_on(session, candidate)
    return "" if decision.lost_at is None or decision.falls else when_declined(decision.lost_at)
