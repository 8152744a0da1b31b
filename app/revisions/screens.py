"""One version with its vote, the comparison of two, and who wrote what."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.approvals import service as approvals
from app.consensus import candidates, panel, splitting, telling, variants
from app.consensus.rival_cards import rival_cards
from app.drafts import service as drafts
from app.drafts.models import DraftKind
from app.pages import service as pages
from app.pages.markdown import words_in
from app.pages.markup import render_markdown
from app.permissions import Action, allows
from app.revisions import authorship
from app.revisions import service as revisions
from app.revisions.diff import word_diff
from app.revisions.diff_html import html as diff_html
from app.web.schemas import MAX_ID, PathId
from app.web.session import SessionDep
from app.web.templates import already_escaped, render

site = APIRouter(include_in_schema=False)

QueryId = Annotated[int, Query(ge=1, le=MAX_ID)]
OptionalId = Annotated[int | None, Query(ge=1, le=MAX_ID)]


@site.get("/revisions/{revision_id}")
def show_revision(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    revision_id: PathId,
    draft: OptionalId = None,
    saved: str = "",
) -> Response:
    """A version: what it changes in the approved text, the vote on it, and the whole of it."""
    revision = revisions.get(session, revision_id)
    page = pages.get_by_id(session, revision.page_id)
    candidate = candidates.find_by_revision(session, revision.id)
    standing = revisions.get(session, candidate.revision_id) if candidate else revision
    own = drafts.get_draft(session, draft or standing.draft_id)
    if own.page_id != page.id:
        own = drafts.get_draft(session, standing.draft_id)
    base_id = candidate.base_revision_id if candidate else _approved_id(session, page.id)
    text = revisions.text_of(session, standing)
    diff = word_diff(revisions.text_by_id(session, base_id) if base_id else "", text)
    context = {
        "page": page,
        "revision": standing,
        "asked": revision,
        "draft": own,
        "is_head": own.head_id == standing.id,
        "author": accounts.names_of(session, [standing.author_id]).get(standing.author_id or 0),
        "base_id": base_id,
        "is_approved": base_id == standing.id or _approved_id(session, page.id) == standing.id,
        "stopped": telling.find_stopped(session, page) if _approved_id(session, page.id) == standing.id else None,
        "sentence": diff.sentence,
        "diff": already_escaped(diff_html(diff)),
        "html": render_markdown(text, title=page.title),
        "panel": panel.vote_panel(session, viewer, standing, candidate),
        "asked_again": rival_cards(session, viewer, about=candidate, limit=1) if candidate else [],
        "alike": variants.alike_of(session, viewer, candidate),
        "joined": variants.joined_of(session, own, candidate),
        "cut": splitting.find_cut(session, viewer, own) if own.head_id == standing.id else None,
        "saved": saved,
        "may_edit": own.kind == DraftKind.SHARED or allows(viewer, Action.EDIT_DRAFT, own),
        "may_manage": own.kind == DraftKind.FORK and allows(viewer, Action.MANAGE_FORK, own),
    }
    return render(request, "revisions/revision.html", context)


@site.get("/compare")
def compare(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    to: QueryId,
    start: Annotated[int, Query(alias="from", ge=1, le=MAX_ID)],
) -> Response:
    """What changed from one version to another, word by word."""
    old, new = revisions.get(session, start), revisions.get(session, to)
    page = pages.get_by_id(session, new.page_id)
    diff = word_diff(revisions.text_of(session, old), revisions.text_of(session, new))
    context = {
        "page": page,
        "old": old,
        "new": new,
        "drafts": drafts.get_many(session, [old.draft_id, new.draft_id]),
        "approved_id": _approved_id(session, page.id),
        "names": accounts.names_of(session, [old.author_id, new.author_id]),
        "sentence": diff.sentence,
        "diff": already_escaped(diff_html(diff)),
    }
    return render(request, "revisions/compare.html", context)


@site.get("/revisions/{revision_id}/blame")
def show_blame(request: Request, session: SessionDep, viewer: Viewer, revision_id: PathId) -> Response:
    """Each sentence with the versions and authors that wrote it."""
    revision = revisions.get(session, revision_id)
    context = {
        "page": pages.get_by_id(session, revision.page_id),
        "revision": revision,
        "sentences": authorship.blame_sentences(session, revision),
        "words_in": words_in,
    }
    return render(request, "revisions/blame.html", context)


def _approved_id(session: SessionDep, page_id: int) -> int | None:
    approved = approvals.find_current(session, page_id)
    return approved.revision_id if approved else None
