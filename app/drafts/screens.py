"""Edit, preview, conflict, fork and merge: everything people do to a draft."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.approvals import service as approvals
from app.consensus import candidates, panel, withdrawing
from app.drafts import merging
from app.drafts import service as drafts
from app.drafts.merging import Unresolved
from app.drafts.models import Draft, DraftKind, DraftState
from app.drafts.service import KeptAside, Saved
from app.errors import Conflict, DomainError, Refused
from app.pages import service as pages
from app.pages.markup import render_markdown
from app.permissions import Action, allows
from app.revisions import service as revisions
from app.revisions.diff import word_diff
from app.revisions.diff_html import html as diff_html
from app.revisions.merge import Conflict as Clash
from app.revisions.merge import merge as merge_texts
from app.revisions.merge import resolve
from app.revisions.models import Revision
from app.web.cursors import decode_cursor, encode_cursor
from app.web.forms import FormDep
from app.web.problems import status_of
from app.web.session import SessionDep
from app.web.templates import already_escaped, render

site = APIRouter(include_in_schema=False)

DRAFTS_SHOWN = 50
CANDIDATES_SHOWN = 50

Base = Annotated[int, Form()]
Field = Annotated[str, Form()]


@site.get("/pages/{slug}/edit")
def edit_shared(request: Request, session: SessionDep, viewer: Viewer, slug: str) -> Response:
    """The editor on the page's shared draft. Anyone may write; signing in comes when they save."""
    page = pages.get_page(session, slug)
    return _show_editor(request, session, viewer, drafts.get_shared(session, page.id))


@site.get("/drafts/{draft_id}/edit")
def edit_draft(request: Request, session: SessionDep, viewer: Viewer, draft_id: int) -> Response:
    """The editor on a draft."""
    return _show_editor(request, session, viewer, drafts.get_draft(session, draft_id))


@site.post("/pages/{slug}/edit")
def save_shared(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    slug: str,
    base: Base,
    text: Field = "",
    summary: Field = "",
    action: Field = "save",
) -> Response:
    """Save an edit of the shared draft, or preview it."""
    page = pages.get_page(session, slug)
    return _save(request, session, viewer, drafts.get_shared(session, page.id), base, text, summary, action)


@site.post("/drafts/{draft_id}/edit")
def save_draft(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    draft_id: int,
    base: Base,
    text: Field = "",
    summary: Field = "",
    action: Field = "save",
) -> Response:
    """Save an edit of a draft, or preview it."""
    return _save(request, session, viewer, drafts.get_draft(session, draft_id), base, text, summary, action)


@site.post("/pages/{slug}/fork")
def fork_page(
    session: SessionDep, viewer: Viewer, slug: str, origin: Annotated[int | None, Form(alias="from")] = None
) -> Response:
    """Open a draft of the viewer's own and go to its editor."""
    page = pages.get_page(session, slug)
    draft = drafts.fork(session, viewer, origin or drafts.default_fork_origin(session, page))
    return RedirectResponse(f"/drafts/{draft.id}/edit", 303)


@site.get("/pages/{slug}/drafts")
def list_drafts(
    request: Request, session: SessionDep, viewer: Viewer, slug: str, cursor: str | None = None, skip: int = 0
) -> Response:
    """The page's candidates by rank, then its open drafts."""
    page = pages.get_page(session, slug)
    place = decode_cursor(cursor, int)
    listed = drafts.list_drafts(
        session, page.id, state=DraftState.OPEN, before=place[0] if place else None, limit=DRAFTS_SHOWN
    )
    ranked = candidates.list_ranked(session, page.id)
    skip = max(0, skip)
    shown = ranked[skip : skip + CANDIDATES_SHOWN]
    address = f"/pages/{page.slug}/drafts"
    context = {
        "page": page,
        "cards": panel.cards(session, shown),
        "candidate_count": len(ranked),
        "skip": skip,
        "more_candidates": f"{address}?skip={skip + CANDIDATES_SHOWN}"
        if len(ranked) > skip + CANDIDATES_SHOWN
        else None,
        "drafts": [draft for draft in listed if draft.kind == DraftKind.FORK],
        "names": accounts.names_of(session, (draft.owner_id for draft in listed)),
        "more": f"{address}?cursor={encode_cursor(listed[-1].id)}" if len(listed) == DRAFTS_SHOWN else None,
    }
    return render(request, "drafts/list.html", context)


@site.get("/drafts/{draft_id}")
def show_draft(session: SessionDep, viewer: Viewer, draft_id: int) -> Response:
    """A draft is read at its newest version."""
    return RedirectResponse(f"/revisions/{drafts.head_of(drafts.get_draft(session, draft_id))}?draft={draft_id}", 303)


@site.post("/drafts/{draft_id}/put-forward")
def put_forward(session: SessionDep, viewer: Viewer, draft_id: int) -> Response:
    """Put the draft's text to the vote."""
    candidate = candidates.put_forward(session, viewer, draft_id)
    return RedirectResponse(f"/revisions/{candidate.revision_id}", 303)


@site.post("/drafts/{draft_id}/withdraw")
def withdraw(session: SessionDep, viewer: Viewer, draft_id: int) -> Response:
    """Take a fork back."""
    withdrawing.withdraw_draft(session, viewer, draft_id)
    return RedirectResponse("/me", 303)


@site.post("/drafts/{draft_id}/reopen")
def reopen(session: SessionDep, viewer: Viewer, draft_id: int) -> Response:
    """Open a withdrawn fork again."""
    withdrawing.reopen_draft(session, viewer, draft_id)
    return RedirectResponse(f"/drafts/{draft_id}", 303)


@site.get("/drafts/{draft_id}/merge")
def show_merge(request: Request, session: SessionDep, viewer: Viewer, draft_id: int) -> Response:
    """Where the draft and the approved text clash, sentence by sentence."""
    return _merge_form(request, session, drafts.get_draft(session, draft_id))


@site.post("/drafts/{draft_id}/merge")
def merge(request: Request, session: SessionDep, viewer: Viewer, draft_id: int, form: FormDep) -> Response:
    """Bring the approved text in with the choices made; in somebody else's draft, in a fork of the viewer's own."""
    draft = drafts.get_draft(session, draft_id)
    found = _against_approved(session, draft)
    if str(found.theirs.id) != form.get("theirs"):
        problem = "A newer version was approved while you merged. Nothing is lost; look at the differences once more."
        return _merge_form(request, session, draft, problem)
    if draft.kind == DraftKind.FORK and not allows(viewer, Action.EDIT_DRAFT, draft):
        draft = drafts.fork(session, viewer, drafts.head_of(draft), name=draft.name)
    merging.update_from_approved(session, viewer, draft.id, resolutions=_choices(form, found.conflicts))
    return RedirectResponse(f"/drafts/{draft.id}", 303)


@site.post("/drafts/{draft_id}/resolve")
def resolve_edit(request: Request, session: SessionDep, viewer: Viewer, draft_id: int, form: FormDep) -> Response:
    """Save an edit that clashed, with a choice for each clashing sentence."""
    draft = drafts.get_draft(session, draft_id)
    base, ours, theirs = (revisions.get(session, _id(form, name)) for name in ("base", "ours", "theirs"))
    merged = merge_texts(*(revisions.text_of(session, row) for row in (base, ours, theirs)))
    text = resolve(merged, _choices(form, merged.conflicts))
    outcome = drafts.save_edit(session, viewer, draft.id, base_id=theirs.id, text=text, summary=ours.summary)
    if isinstance(outcome, Saved):
        _close_kept_aside(session, viewer, ours)
    return _answer_save(request, session, draft, outcome)


def _close_kept_aside(session: Session, viewer: Viewer, ours: Revision) -> None:
    """Withdraw the fork in which a clashing text was kept, now that its words are where they belong."""
    kept = drafts.get_many(session, [ours.draft_id]).get(ours.draft_id)
    if kept and kept.state == DraftState.OPEN and kept.head_id == ours.id and allows(viewer, Action.MANAGE_FORK, kept):
        withdrawing.withdraw_draft(session, viewer, kept.id)


def _show_editor(request: Request, session: Session, viewer: Viewer, draft: Draft) -> Response:
    head = revisions.get(session, drafts.head_of(draft))
    return _editor(request, session, draft, text=revisions.text_of(session, head), base_id=head.id)


def _editor(
    request: Request,
    session: Session,
    draft: Draft,
    *,
    text: str,
    base_id: int,
    summary: str = "",
    problem: str | None = None,
    preview: bool = False,
    status: int = 200,
) -> Response:
    page = pages.get_by_id(session, draft.page_id)
    approved = approvals.find_current(session, page.id)
    before = revisions.text_by_id(session, approved.revision_id if approved else base_id)
    context = {
        "page": page,
        "draft": draft,
        "address": f"/pages/{page.slug}/edit" if draft.kind == DraftKind.SHARED else f"/drafts/{draft.id}/edit",
        "text": text,
        "base_id": base_id,
        "summary": summary,
        "problem": problem,
        "preview": render_markdown(text, title=page.title) if preview else None,
        "diff": _shown_diff(before, text) if preview else None,
        "may_edit": allows(request.state.viewer, Action.EDIT_DRAFT, draft),
    }
    return render(request, "drafts/edit.html", context, status=status)


def _shown_diff(old: str, new: str) -> dict[str, object]:
    diff = word_diff(old, new)
    return {"sentence": diff.sentence, "html": already_escaped(diff_html(diff))}


def _save(
    request: Request,
    session: Session,
    viewer: Viewer,
    draft: Draft,
    base_id: int,
    text: str,
    summary: str,
    action: str,
) -> Response:
    """Save or preview; whatever stops it, the form comes back with what was typed."""
    try:
        text = drafts.check_text(text)
        if action == "preview":
            return _editor(request, session, draft, text=text, base_id=base_id, summary=summary, preview=True)
        with session.begin_nested():
            outcome = drafts.save_edit(session, viewer, draft.id, base_id=base_id, text=text, summary=summary)
    except DomainError as error:
        return _editor(
            request,
            session,
            draft,
            text=text,
            base_id=base_id,
            summary=summary,
            problem=error.detail,
            status=status_of(type(error)),
        )
    return _answer_save(request, session, draft, outcome)


def _answer_save(request: Request, session: Session, draft: Draft, outcome: Saved | KeptAside) -> Response:
    if isinstance(outcome, Saved):
        return RedirectResponse(f"/revisions/{outcome.revision.id}?saved={'merged' if outcome.merged else 'yes'}", 303)
    context = {
        "page": pages.get_by_id(session, draft.page_id),
        "draft": draft,
        "kept": outcome.draft,
        "base": outcome.base,
        "ours": outcome.ours,
        "theirs": outcome.theirs,
        "conflicts": outcome.conflicts,
    }
    return render(request, "drafts/conflict.html", context, status=409)


def _against_approved(session: Session, draft: Draft) -> Unresolved:
    approved = approvals.find_current(session, draft.page_id)
    if approved is None:
        raise Conflict("This page has no approved text yet, so there is nothing to bring in.")
    return merging.compare_with(session, draft, revisions.get(session, approved.revision_id))


def _merge_form(request: Request, session: Session, draft: Draft, problem: str | None = None) -> Response:
    found = _against_approved(session, draft)
    context = {
        "page": pages.get_by_id(session, draft.page_id),
        "draft": draft,
        "theirs": found.theirs,
        "conflicts": found.conflicts,
        "own": draft.kind == DraftKind.SHARED or allows(request.state.viewer, Action.EDIT_DRAFT, draft),
        "problem": problem,
    }
    return render(request, "drafts/merge.html", context, status=409 if problem else 200)


def _choices(form: FormData, conflicts: Sequence[Clash]) -> list[str]:
    """The wording picked for each conflict; `both` puts the older first."""
    chosen = []
    for number, conflict in enumerate(conflicts, start=1):
        own = str(form.get(f"own-{number}", ""))
        both = " ".join(part.strip() for part in (conflict.theirs, conflict.ours) if part.strip())
        picks = {"ours": conflict.ours, "theirs": conflict.theirs, "both": both, "own": own}
        picked = picks.get(str(form.get(f"choice-{number}", "")))
        if picked is None:
            raise Refused(f"Choose a wording for sentence {number}. Both texts are kept.", pointer=f"/choice-{number}")
        chosen.append(picked)
    return chosen


def _id(form: FormData, name: str) -> int:
    value = str(form.get(name, ""))
    if not value.isdecimal():
        raise Refused("This form is incomplete. Open the draft again; both texts are kept.", pointer=f"/{name}")
    return int(value)
