"""Put a large change forward section by section: each part as a draft and a candidate of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.activity.models import Kind
from app.activity.service import record
from app.approvals import service as approvals
from app.approvals.models import Approval
from app.consensus import candidates
from app.consensus.candidates import NeedsMerge, NothingToDecide
from app.consensus.carry import Carried, Stale
from app.consensus.cutting import LARGE, Part, count_blocks, cut
from app.consensus.models import Vote
from app.database import now
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftKind, DraftState
from app.errors import Conflict
from app.pages import service as pages
from app.pages.text import Text, sha256_of
from app.permissions import Action, Actor, allows, require
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.cache import Kept
from app.revisions.models import Revision
from app.words import N_, _, _n

_CUT: Kept[tuple[str, str], tuple[int, list[Part]]] = Kept(200)
"""By the hashes of base and text: how many blocks the change touches, and its parts where they are many."""


class NothingToSplit(Conflict):
    slug = "nothing-to-split"
    title = N_("This is one piece")


@dataclass(frozen=True, slots=True)
class Cut:
    """A large change as it would be split: the parts, how many blocks they touch, and how many sections."""

    draft_id: int
    parts: list[Part]
    blocks: int

    @property
    def sections(self) -> int:
        """Titles are counted, each part's by itself."""
        return sum(len(part.titles) for part in self.parts)


def find_cut(session: Session, actor: Actor | None, draft: Draft) -> Cut | None:
    """How the draft's change would be split, where its owner reads it and it is worth to be offered; writes nothing."""
    if draft.kind != DraftKind.FORK or not allows(actor, Action.MANAGE_FORK, draft):
        return None
    try:
        cut_ = _cut(session, draft)[1]
    except Conflict:
        return None
    return None if actor is None or _is_split(session, actor, draft, cut_.parts) else cut_


def split(session: Session, actor: Actor | None, draft_id: int) -> list[Draft]:
    """A fork of the actor's for each part of their draft's change, from the approved text, and put to the vote.

    The draft and its votes stay as they are. Where nobody has voted on it yet, its own vote ends: members are asked
    about the parts instead. Raises `NothingToSplit` where the change is small or of one section, `DraftClosed` where
    the draft is not open and `NeedsMerge` where it clashes with the approved text.
    """
    draft = drafts.get_draft(session, draft_id)
    if draft.kind == DraftKind.SHARED:
        raise NothingToSplit(
            _("The shared draft belongs to everybody. Write your own version from it, and that can be split.")
        )
    actor = require(actor, Action.MANAGE_FORK, draft)
    pages.lock_page(session, draft.page_id)
    session.refresh(draft)
    approved, found = _cut(session, draft)
    if _is_split(session, actor, draft, found.parts):
        raise NothingToSplit(_("This change is split already. Its parts are among your own versions."))
    accounts.touch(session, actor)
    made = [_add_part(session, actor, draft, approved, part) for part in found.parts]
    _end_vote(session, draft)
    return made


def _cut(session: Session, draft: Draft) -> tuple[Approval, Cut]:
    """The approved text and the draft's change of it in parts; raises where there is nothing to split."""
    if draft.state != DraftState.OPEN:
        raise drafts.DraftClosed(_("This draft is closed, so it cannot be split. Fork its text to go on from there."))
    approved = approvals.find_current(session, draft.page_id)
    if approved is None:
        raise NothingToSplit(_("This page has no approved text yet, so the whole text is voted on as one."))
    base, text = revisions.text_by_id(session, approved.revision_id), _text_on(session, draft, approved)
    key = sha256_of(base), sha256_of(text)
    known = _CUT.get(key)
    if known is None:
        blocks = count_blocks(base, text)
        known = blocks, cut(base, text) if blocks > LARGE else []
        _CUT.put(key, known)
    blocks, parts = known
    if blocks <= LARGE:
        raise NothingToSplit(
            _n(
                "This change touches {n} paragraph, heading, list item or table row. It can be voted on as one; from "
                "more than {most} on it can be split.",
                "This change touches {n} paragraphs, headings, list items and table rows. It can be voted on as one; "
                "from more than {most} on it can be split.",
                blocks,
            ).format(n=blocks, most=LARGE)
        )
    if len(parts) < 2:
        raise NothingToSplit(
            _("All of this change is in one section, or its sections only change places. It is voted on as one.")
        )
    return approved, Cut(draft.id, parts, blocks)


def _text_on(session: Session, draft: Draft, approved: Approval) -> Text:
    """The draft's newest text as it stands on the approved one, onto which it is carried if it began elsewhere."""
    head = revisions.get(session, drafts.head_of(draft))
    if Ancestry(session).is_ancestor(approved.revision_id, of=head.id):
        return revisions.text_of(session, head)
    outcome = candidates.carry_from_elsewhere(session, head, approved)
    if isinstance(outcome, Stale):
        raise NeedsMerge(
            _("The approved text has changed the same sentences since this draft began. Merge the two first."),
            draft=draft.id,
        )
    if not isinstance(outcome, Carried):
        raise NothingToDecide(_("All that this draft changes stands in the approved text already."))
    return Text(outcome.text)


def _is_split(session: Session, actor: Actor, draft: Draft, parts: Sequence[Part]) -> bool:
    """Whether the actor has an open draft that says the same as one of the parts."""
    same = (
        select(Draft.id)
        .join(Revision, col(Revision.id) == Draft.head_id)
        .where(
            Draft.page_id == draft.page_id,
            Draft.owner_id == actor.id,
            Draft.state == DraftState.OPEN,
            Draft.id != draft.id,
            col(Revision.sha256).in_([sha256_of(Text(part.text)) for part in parts]),
        )
    )
    return session.exec(same.limit(1)).first() is not None


def _add_part(session: Session, actor: Actor, draft: Draft, approved: Approval, part: Part) -> Draft:
    summary = revisions.get(session, drafts.head_of(draft)).summary
    titles = ", ".join(title or _("Intro") for title in part.titles)
    name = f"{titles}: {draft.name}"[: drafts.MAX_NAME]
    text = drafts.check_text(part.text)
    made = drafts.fork(session, actor, approved.revision_id, name=name, text=text, summary=summary)
    record(
        session,
        Kind.REVISION_SAVED,
        actor,
        page_id=draft.page_id,
        subject_id=drafts.head_of(made),
        data={"draft": made.id, "split_from": draft.id},
    )
    candidates.put_forward(session, actor, made.id)
    return made


def _end_vote(session: Session, draft: Draft) -> None:
    """Take the whole change from the vote where nobody has voted on it: nobody is asked about it twice."""
    for candidate in candidates.list_of_drafts(session, [draft.id]):
        voted = session.exec(select(Vote.id).where(Vote.candidate_id == candidate.id).limit(1)).first()
        if candidate.closed is None and candidate.opened_at is None and voted is None:
            candidate.closed, candidate.closed_at, candidate.due_at = "withdrawn", now(session), None
            candidate.changed_at = now(session)
            session.add(candidate)
