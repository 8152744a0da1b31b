"""What screens show of candidates: a card each, and the panel to vote in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup
from sqlmodel import Session

from app.accounts import chapters, seasoning
from app.accounts import service as accounts
from app.approvals import service as approvals
from app.approvals.models import Approval
from app.consensus import candidates, decisions, telling, votes
from app.consensus.circumstances import is_in_force
from app.consensus.facts import Decision, State
from app.consensus.models import Candidate
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftKind, DraftState
from app.pages import service as pages
from app.pages.models import Page
from app.pages.text import Text, sha256_of
from app.permissions import Action, Actor, allows
from app.revisions import service as revisions
from app.revisions.cache import Kept
from app.revisions.diff import changes_only, word_diff
from app.revisions.diff_html import excerpt_html
from app.revisions.models import Revision
from app.web.templates import already_escaped
from app.words import language

EXCERPTS = 3
MAX_KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Card:
    """A candidate in a list: what it changes, and how it stands in one sentence."""

    page: Page
    revision: Revision
    draft_name: str
    author: str | None
    decision: Decision
    sentence: str
    section: str
    excerpts: list[Markup]
    more_excerpts: int

    @property
    def status(self) -> str:
        """For its chip: a text that is put to the vote is no draft any more, even before the first vote."""
        return "new" if self.decision.state == State.DRAFT else self.decision.state


@dataclass(frozen=True, slots=True)
class VotePanel:
    """How a text stands, and whether and how the viewer voted. `tally_hidden` until a member has voted.

    `moved_on`: it was stale, and somebody has merged it since into a newer version of its draft. `says_the_same`: as
    the approved text, so that there is nothing to decide. `is_in_force`: it is the approved text, whose votes stay
    open. `why_this_one` sets it beside the others.
    """

    decision: Decision
    chapter_names: dict[int, str]
    may_vote: bool
    own_vote: str | None
    tally_hidden: bool
    status: str
    needs_merge: bool
    moved_on: bool
    says_the_same: bool
    is_in_force: bool
    why_this_one: str
    draft_id: int
    may_put_forward: bool
    waiting_votes: int
    not_counted: str


class ShownChange(NamedTuple):
    """A change as a card shows it: in a sentence, the section where it begins, and excerpts."""

    sentence: str
    section: str
    excerpts: tuple[Markup, ...]
    more: int


_SHOWN: Kept[tuple[str, str, str], ShownChange] = Kept(MAX_KEPT)
"""By the two texts' hashes, so that neither a rollback nor a second database can make one wrong, and the language."""


def show_change(base: Text, text: Text) -> ShownChange:
    """What `text` changes in `base`, from memory where it was asked before."""
    key = sha256_of(base), sha256_of(text), language().code
    found = _SHOWN.get(key)
    if found is None:
        diff = word_diff(base, text)
        excerpts = changes_only(diff)
        found = ShownChange(
            diff.sentence,
            excerpts[0].section if excerpts else "",
            tuple(already_escaped(excerpt_html(excerpt)) for excerpt in excerpts[:EXCERPTS]),
            max(0, len(excerpts) - EXCERPTS),
        )
        _SHOWN.put(key, found)
    return found


def cards(session: Session, listed: Sequence[Candidate]) -> list[Card]:
    """A card for each candidate."""
    rows = revisions.get_many(session, (candidate.revision_id for candidate in listed))
    bases = revisions.get_many(session, (row.base_revision_id for row in listed if row.base_revision_id is not None))
    texts = revisions.texts_of(session, [*rows.values(), *bases.values()])
    by_draft = drafts.get_many(session, (candidate.draft_id for candidate in listed))
    people = [draft.owner_id for draft in by_draft.values()] + [row.author_id for row in rows.values()]
    names = accounts.names_of(session, people)
    by_id = pages.pages_by_id(session, (candidate.page_id for candidate in listed))
    shown = []
    for candidate, decision in zip(listed, decisions.decide_on_all(session, listed), strict=True):
        revision, draft = rows[candidate.revision_id], by_draft[candidate.draft_id]
        base = texts[candidate.base_revision_id] if candidate.base_revision_id is not None else Text("")
        change = show_change(base, texts[revision.id])
        shown.append(
            Card(
                page=by_id[candidate.page_id],
                revision=revision,
                draft_name=draft.name,
                author=names.get(draft.owner_id or revision.author_id or 0),
                decision=decision,
                sentence=change.sentence,
                section=change.section,
                excerpts=list(change.excerpts),
                more_excerpts=change.more,
            )
        )
    return shown


def standing_of(session: Session, listed: Sequence[Draft]) -> dict[int, Decision]:
    """How the newest candidate of each of these drafts stands, by draft; none that the draft has left behind."""
    by_id = {draft.id: draft for draft in listed}
    newest = {row.draft_id: row for row in candidates.list_of_drafts(session, by_id)}
    newest = {id_: row for id_, row in newest.items() if not _moved_on(row, by_id[id_])}
    rows = list(newest.values())
    return dict(zip(newest, decisions.decide_on_all(session, rows), strict=True))


def grouped(shown: Sequence[Card]) -> list[tuple[str, list[Card]]]:
    """The cards by the section that each changes first, in the order of the best card of each."""
    groups: dict[str, list[Card]] = {}
    for card in shown:
        groups.setdefault(card.section, []).append(card)
    return list(groups.items())


def vote_panel(session: Session, viewer: Actor | None, revision: Revision, candidate: Candidate | None) -> VotePanel:
    """The panel below a text; a text that nobody voted on yet has one too, unless it is approved."""
    own = votes.find_vote(session, viewer, candidate) if viewer and candidate else None
    ballot = decisions.NO_VOTES
    if candidate is not None:
        ballot = decisions.count_votes(session, [candidate.id]).get(candidate.id, decisions.NO_VOTES)
        decision = decisions.decide_on(session, candidate, ballot=ballot)
    else:
        decision = votes.decision_of(session, revision)
    draft = drafts.get_draft(session, candidate.draft_id if candidate else revision.draft_id)
    approved = approvals.find_current(session, revision.page_id)
    in_force = _is_in_force(session, revision, candidate, approved)
    is_open = candidate.closed is None and not candidate.stale if candidate else draft.state == DraftState.OPEN
    says_the_same = candidate is None and not in_force and _says_the_same(session, revision, approved)
    tally_hidden = viewer is not None and own is None and is_open and not in_force
    return VotePanel(
        decision=decision,
        chapter_names=chapters.names_by_id(session),
        waiting_votes=ballot.waiting,
        not_counted=seasoning.why_not_yet(session, viewer) if viewer and own else "",
        status="new" if candidate and decision.state == State.DRAFT else decision.state,
        may_vote=(is_open or in_force) and not says_the_same and (viewer is None or allows(viewer, Action.VOTE)),
        own_vote=own.value if own else None,
        tally_hidden=tally_hidden,
        needs_merge=candidate is not None and candidate.stale,
        moved_on=candidate is not None and _moved_on(candidate, draft),
        says_the_same=says_the_same and draft.kind == DraftKind.FORK,
        is_in_force=in_force,
        why_this_one="" if tally_hidden else telling.why_this_one(session, candidate, decision, approved, in_force),
        draft_id=draft.id,
        may_put_forward=(is_open if candidate is None else _made_way(candidate, draft))
        and not in_force
        and not says_the_same
        and allows(viewer, Action.PUT_FORWARD, draft),
    )


def _made_way(candidate: Candidate, draft: Draft) -> bool:
    """Whether the text was put to the vote and taken from it, while its draft stayed open: it was split."""
    return candidate.closed == State.WITHDRAWN and draft.state == DraftState.OPEN


def _moved_on(candidate: Candidate, draft: Draft) -> bool:
    return candidate.stale and draft.head_id != candidate.revision_id


def _is_in_force(session: Session, revision: Revision, candidate: Candidate | None, approved: Approval | None) -> bool:
    if approved is None:
        return False
    return is_in_force(session, candidate) if candidate is not None else approved.revision_id == revision.id


def _says_the_same(session: Session, revision: Revision, approved: Approval | None) -> bool:
    return approved is not None and revisions.get(session, approved.revision_id).sha256 == revision.sha256
