"""Revisions: history, one text, how two differ, who wrote what, and merges tried out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session
from starlette.responses import HTMLResponse, PlainTextResponse

from app.approvals import service as approvals
from app.drafts import service as drafts
from app.drafts.service import DraftNotFound
from app.pages.addresses import page_here
from app.pages.models import Page
from app.pages.service import PageNotFound
from app.pages.text import Text, normalise
from app.revisions import service
from app.revisions.authorship import blame_revision
from app.revisions.diff import word_diff
from app.revisions.diff_html import html
from app.revisions.diff_lines import unified
from app.revisions.merge import merge
from app.revisions.presenting import present_rows, present_whole
from app.revisions.schemas import BlameOut, BlameRun, ConflictOut, DiffOut, MergeIn, MergeOut, RevisionOut, RevisionRow
from app.revisions.segments import require_few_blocks
from app.revisions.service import RevisionNotFound
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor, listing, refuse_cursor
from app.web.openapi import can_fail
from app.web.schemas import MAX_ID, Listing, PathId, PathSlug
from app.web.session import ReadingDep, SessionDep
from app.words import _

api = APIRouter(tags=["Revisions"])

AskedId = Annotated[int, Query(ge=1, le=MAX_ID, description="The id of a revision.", examples=[127])]
DIFF_CONTENT = {
    "text/html": {"example": '<div class="diff">…</div>'},
    "text/plain": {"example": "--- r11\n+++ r12\n@@ -1 +1 @@\n-Old words.\n+New words.\n"},
}


@api.get(
    "/pages/{slug}/revisions",
    responses={308: {"description": "The page was renamed."}, **can_fail(PageNotFound, DraftNotFound)},
)
def list_revisions(
    request: Request,
    response: Response,
    session: SessionDep,
    slug: PathSlug,
    draft: Annotated[
        int | None,
        Query(ge=1, le=MAX_ID, description="The history of this draft, instead of the page's.", examples=[7]),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[RevisionRow]:
    """A page's history, newest first: all that led to its shared draft and to its approved text."""
    page = page_here(session, request, slug)
    place = decode_cursor(cursor, int)
    heads = _heads_of(session, page, draft) if place is None else place
    if place is not None and not _are_of_page(session, place, page):
        raise refuse_cursor()
    found = service.history(session, heads, limit=limit)
    rows = present_rows(session, found.revisions)
    return listing(request, response, rows, encode_cursor(*found.next_heads) if found.next_heads else None)


@api.get("/revisions/{revision_id}", responses=can_fail(RevisionNotFound))
def get_revision(session: SessionDep, revision_id: PathId) -> RevisionOut:
    """One saved text. It never changes."""
    return present_whole(session, service.get(session, revision_id))


@api.get(
    "/diff",
    response_model=DiffOut,
    response_model_exclude_none=True,
    responses={200: {"content": DIFF_CONTENT}, **can_fail(RevisionNotFound)},
)
def get_diff(
    session: SessionDep,
    from_: Annotated[AskedId, Query(alias="from")],
    to: AskedId,
    format: Annotated[Literal["json", "html", "unified"], Query(description="Form of the answer.")] = "json",
) -> DiffOut | Response:
    """What changed between two revisions, word by word, and in one sentence."""
    old, new = service.get(session, from_), service.get(session, to)
    texts = service.texts_of(session, [old, new])
    if format == "unified":
        lines = unified(texts[old.id], texts[new.id], f"r{old.number}", f"r{new.number}")
        return PlainTextResponse(lines)
    diff = word_diff(texts[old.id], texts[new.id])
    return HTMLResponse(html(diff)) if format == "html" else DiffOut.of(old.id, new.id, diff)


@api.get("/revisions/{revision_id}/blame", responses=can_fail(RevisionNotFound))
def get_blame(session: SessionDep, revision_id: PathId) -> BlameOut:
    """Who first wrote which words, followed through forks and merges."""
    runs = blame_revision(session, service.get(session, revision_id))
    return BlameOut(revision=revision_id, runs=[BlameRun.of(run) for run in runs])


@api.post("/merge/preview", responses=can_fail(RevisionNotFound))
def preview_merge(session: ReadingDep, body: MergeIn) -> MergeOut:
    """What a merge of three texts would give. Nothing is saved."""
    base, ours, theirs = (_text_or_stored(session, name, getattr(body, name)) for name in ("base", "ours", "theirs"))
    merged = merge(base, ours, theirs)
    return MergeOut(text=merged.text, conflicts=[ConflictOut.of(conflict) for conflict in merged.conflicts])


def _heads_of(session: Session, page: Page, draft_id: int | None) -> list[int]:
    if draft_id is not None:
        draft = drafts.get_draft(session, draft_id)
        if draft.page_id != page.id:
            raise DraftNotFound(
                _("“{title}” has no such draft. Look at the list of its drafts.").format(title=page.title)
            )
        return [drafts.head_of(draft)]
    approved = approvals.find_current(session, page.id)
    shared = drafts.head_of(drafts.get_shared(session, page.id))
    return [shared, approved.revision_id] if approved else [shared]


def _are_of_page(session: Session, ids: list[int], page: Page) -> bool:
    found = service.get_many(session, ids)
    return all(id_ in found and found[id_].page_id == page.id for id_ in ids)


def _text_or_stored(session: Session, name: str, given: str | int) -> Text:
    if isinstance(given, int):
        return service.text_by_id(session, given)
    text = normalise(given, pointer=f"/{name}")
    require_few_blocks(text)
    return text
