"""Make one draft of two that say nearly the same, with both their authors credited."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.accounts import service as accounts
from app.activity.models import Kind
from app.activity.service import record
from app.drafts import merging
from app.drafts import service as drafts
from app.drafts.merging import Unresolved
from app.drafts.models import Draft, DraftJoin, DraftKind, DraftState
from app.errors import Conflict, Refused
from app.pages import service as pages
from app.permissions import Action, Actor, require
from app.revisions import service as revisions
from app.revisions.merge import resolve
from app.web.summaries import JOINED
from app.words import N_, _


class NothingToJoin(Conflict):
    slug = "nothing-to-join"
    title = N_("One of the two holds the other already")


@dataclass(frozen=True, slots=True)
class Origin:
    """A draft that went into a joined one, at which revision, and the name of whoever wrote it."""

    draft: Draft
    revision_id: int
    author: str | None


def join(
    session: Session, actor: Actor | None, draft_id: int, with_id: int, *, resolutions: Sequence[str] = ()
) -> Draft | Unresolved:
    """A draft of the actor's own that holds the newest texts of both drafts, and descends from both.

    Where the two hold different words for a sentence, each such clash needs a resolution; without them nothing is
    written. Votes begin anew on what comes out.
    """
    actor = require(actor, Action.FORK)
    draft, other = drafts.get_draft(session, draft_id), drafts.get_draft(session, with_id)
    page = pages.lock_page(session, draft.page_id)
    for row in (draft, other):
        session.refresh(row)
    found = compare(session, draft_id, with_id)
    text = resolve(found.merged, resolutions) if found.conflicts and resolutions else found.merged.text
    if text is None:
        return found
    joined = drafts.add_draft(
        session,
        page,
        kind=DraftKind.FORK,
        name=f"Joined: {draft.name}"[: drafts.MAX_NAME],
        owner_id=actor.id,
        base_id=found.ours.id,
    )
    drafts.append(
        session,
        joined,
        drafts.check_text(text),
        author_id=actor.id,
        summary=JOINED,
        second_parent_id=found.theirs.id,
    )
    for from_id, revision_id in ((draft_id, found.ours.id), (with_id, found.theirs.id)):
        session.add(DraftJoin(draft_id=joined.id, from_id=from_id, revision_id=revision_id))
    accounts.touch(session, actor)
    data = {"head": joined.head_id, "joined": [draft_id, with_id]}
    record(session, Kind.DRAFT_FORKED, actor, page_id=joined.page_id, subject_id=joined.id, data=data)
    return joined


def compare(session: Session, draft_id: int, with_id: int) -> Unresolved:
    """How the newest texts of two drafts of one page go together; writes nothing.

    Raises `Refused` for drafts of two pages or one draft twice, `DraftClosed` where one of them is not open, and
    `NothingToJoin` where one goes on from the other's text.
    """
    draft, other = drafts.get_draft(session, draft_id), drafts.get_draft(session, with_id)
    if draft.id == other.id or draft.page_id != other.page_id:
        raise Refused(_("Choose two versions of one page to join."), pointer="/with")
    if draft.state != DraftState.OPEN or other.state != DraftState.OPEN:
        raise drafts.DraftClosed(_("One of the two is closed. Write your own version from its text instead."))
    found = merging.compare_with(session, draft, revisions.get(session, drafts.head_of(other)))
    if found.base is not None and found.base.id in (found.ours.id, found.theirs.id):
        raise NothingToJoin(_("One of the two goes on from the other’s words already, so there is nothing to join."))
    return found


def origins_of(session: Session, draft_id: int) -> list[Origin]:
    """What the draft was joined from, the one that was joined with another first; nothing for all other drafts."""
    rows = session.exec(select(DraftJoin).where(DraftJoin.draft_id == draft_id)).all()
    if not rows:
        return []
    by_id = drafts.get_many(session, (row.from_id for row in rows))
    texts = revisions.get_many(session, (row.revision_id for row in rows))
    people = {row.from_id: by_id[row.from_id].owner_id or texts[row.revision_id].author_id for row in rows}
    names = accounts.names_of(session, people.values())
    first = drafts.get_draft(session, draft_id).base_id
    rows = sorted(rows, key=lambda row: row.revision_id != first)
    return [Origin(by_id[row.from_id], row.revision_id, names.get(people[row.from_id] or 0)) for row in rows]


def joined_into(session: Session, revision_ids: Collection[int]) -> Sequence[Draft]:
    """The drafts that one of these revisions was joined into and that were not taken back, oldest first."""
    query = (
        select(Draft)
        .join(DraftJoin, col(DraftJoin.draft_id) == Draft.id)
        .where(col(DraftJoin.revision_id).in_(revision_ids), Draft.state != DraftState.WITHDRAWN)
    )
    return session.exec(query.order_by(col(Draft.id))).all()
