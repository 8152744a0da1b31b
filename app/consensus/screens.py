"""Vote on a text, or take the vote back; and the queue: one text after the other."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.consensus import candidates, decisions, queue, votes
from app.consensus.candidates import VotingClosed
from app.consensus.models import Candidate, Value
from app.consensus.presenting import diff_of, done_in_words
from app.consensus.rival_cards import rival_cards
from app.consensus.votes import Cast, TextChanged
from app.drafts import service as drafts
from app.errors import Conflict, Refused
from app.pages import service as pages
from app.permissions import Action, Actor, require
from app.revisions import service as revisions
from app.revisions.diff_html import html as diff_html
from app.web.schemas import MAX_ID, PathId
from app.web.session import SessionDep
from app.web.templates import already_escaped, render
from app.words import N_, _

SAID = {
    "again": N_("Your vote was taken back. Here is the text again."),
    "changed": N_("The text changed after you read it, so nothing was counted. Here it is again."),
    "over": N_("That vote was over before yours came, so nothing was counted. Here is the next text."),
    "stands": N_("Your votes stay as they are."),
    "other": N_("Your vote was changed."),
    "back": N_("Your vote was taken back."),
}
"""What became of the last tap, where it did not simply count."""

GOOD = {"stands", "other", "back"}
"""Of these, what is an answer to whether a vote still stands."""

site = APIRouter(include_in_schema=False)


@site.post("/revisions/{revision_id}/vote")
def vote(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    revision_id: PathId,
    value: Annotated[str, Form()] = "",
    sha256: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    back: Annotated[int | None, Form(ge=1, le=MAX_ID)] = None,
) -> Response:
    """Count the viewer's vote on the text they read, then show how it stands; or go `back` to one that is like it."""
    cast = _cast(session, viewer, revision_id, value=value, sha256=sha256, reason=reason)
    shown = f"{back}#alike" if back else f"{cast.candidate.revision_id}#vote"
    return RedirectResponse(f"/revisions/{shown}", 303)


def _cast(session: Session, viewer: Actor | None, revision_id: int, *, value: str, sha256: str, reason: str) -> Cast:
    if value == "withdraw":
        return votes.withdraw_vote(session, viewer, revision_id)
    if value not in set(Value):
        raise Refused(_("Choose support, oppose or pass."), pointer="/value")
    return votes.cast_vote(session, viewer, revision_id, sha256=sha256, value=Value(value), reason=reason)


@site.get("/review")
def show_queue(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    text: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    said: str = "",
) -> Response:
    """One text to vote on: the one asked for if it is open, else where the viewer's vote moves most.

    Before that, unless they asked for one, whether their votes still stand on what an approval made stale.
    """
    actor = require(viewer, Action.REVIEW)
    asked = candidates.find_by_revision(session, text) if text is not None else None
    found = queue.find_asked(session, actor, asked) or queue.find_next(session, actor)
    progress = queue.progress_of(session, actor)
    context: dict[str, Any] = {
        "progress": progress,
        "done": done_in_words(progress),
        "said": _(SAID[said]) if said in SAID else "",
        "is_good": said in GOOD,
        "stands": next(iter(rival_cards(session, actor, limit=1) if text is None else ()), None),
        "undo": _undo(session, actor),
        "candidate": found.candidate,
        "why": "" if found.why is queue.Why.NEW else _(found.why),  # how it stands says so already
        **(_shown(session, found.candidate) if found.candidate else {}),
    }
    return render(request, "consensus/queue.html", context)


@site.post("/review")
def vote_in_queue(
    session: SessionDep,
    viewer: Viewer,
    revision: Annotated[int, Form(ge=1, le=MAX_ID)],
    value: Annotated[str, Form()] = "",
    sha256: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Count the vote, or take it back, and lead on to the next text. Too late is no error here: it says so, and on."""
    try:
        with session.begin_nested():
            _cast(session, viewer, revision, value=value, sha256=sha256, reason=reason)
    except TextChanged:
        return RedirectResponse(f"/review?text={revision}&said=changed", 303)
    except (VotingClosed, candidates.NeedsMerge, candidates.NothingToDecide):
        return RedirectResponse("/review?said=over", 303)
    except Conflict:  # taken back already
        return RedirectResponse(f"/review?text={revision}", 303)
    return RedirectResponse(f"/review?text={revision}&said=again" if value == "withdraw" else "/review", 303)


def _shown(session: Session, candidate: Candidate) -> dict[str, Any]:
    """What the screen shows of a candidate: nothing of how others voted."""
    revision, draft = revisions.get(session, candidate.revision_id), drafts.get_draft(session, candidate.draft_id)
    author_id = draft.owner_id or revision.author_id
    diff = diff_of(session, candidate)
    return {
        "revision": revision,
        "draft": draft,
        "page": pages.get_by_id(session, candidate.page_id),
        "author": accounts.names_of(session, [author_id]).get(author_id or 0),
        "standing": decisions.decide_on(session, candidate).reasons[0],
        "diff": already_escaped(diff_html(diff)),
        "sentence": diff.sentence,
    }


def _undo(session: Session, actor: Actor) -> dict[str, Any] | None:
    """The vote that one tap takes back, while it is fresh."""
    found = queue.last_vote(session, actor)
    if found is None:
        return None
    vote, until = found
    candidate = session.get_one(Candidate, vote.candidate_id)
    draft = drafts.get_draft(session, candidate.draft_id)
    return {"value": vote.value, "revision_id": candidate.revision_id, "name": draft.name, "until": until}
