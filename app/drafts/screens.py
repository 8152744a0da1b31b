"""Edit, preview, conflict, fork and merge: everything people do to a draft."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.accounts import service as accounts
from app.accounts.actors import Viewer
from app.approvals import service as approvals
from app.consensus import candidates, panel, ranking, splitting, stacks, variants, withdrawing
from app.consensus.ranking import Stand
from app.drafts import autosave, merging
from app.drafts import service as drafts
from app.drafts.editing import (
    Sent,
    SentDep,
    address_of,
    choices_in,
    id_in,
    marked_choices,
    open_editor,
    preview_of,
    show_editor,
    straightened,
    written_in,
)
from app.drafts.merging import Unresolved
from app.drafts.models import Draft, DraftKind, DraftState
from app.drafts.service import KeptAside, Saved
from app.errors import Conflict, DomainError
from app.pages import service as pages
from app.permissions import Action, SignInNeeded, allows
from app.revisions import service as revisions
from app.revisions.merge import merge as merge_texts
from app.revisions.merge import resolve
from app.revisions.models import Revision
from app.web.cursors import decode_cursor, encode_cursor
from app.web.forms import FormDep
from app.web.problems import status_of
from app.web.schemas import MAX_ID, PathId
from app.web.session import ReadingDep, SessionDep
from app.web.templates import render
from app.words import N_, _

site = APIRouter(include_in_schema=False)

DRAFTS_SHOWN = 25
CANDIDATES_SHOWN = 15

FILTERS = (
    (Stand.WAITING, N_("Enough support")),
    (Stand.VOTING, N_("Being decided")),
    (Stand.NEW, N_("No votes yet")),
    (Stand.STALE, N_("Needs a merge")),
)


@site.get("/pages/{slug}/edit")
def edit_shared(request: Request, session: SessionDep, viewer: Viewer, slug: str, section: str = "") -> Response:
    """The editor on the page's shared draft. Anyone may write; signing in comes when they save."""
    page = pages.get_page(session, slug)
    return open_editor(request, session, viewer, drafts.get_shared(session, page.id), section)


@site.get("/drafts/{draft_id}/edit")
def edit_draft(request: Request, session: SessionDep, viewer: Viewer, draft_id: PathId, section: str = "") -> Response:
    """The editor on a draft."""
    return open_editor(request, session, viewer, drafts.get_draft(session, draft_id), section)


@site.post("/pages/{slug}/edit")
def save_shared(request: Request, session: SessionDep, viewer: Viewer, slug: str, sent: SentDep) -> Response:
    """Save an edit of the shared draft, or preview it."""
    page = pages.get_page(session, slug)
    return _save(request, session, viewer, drafts.get_shared(session, page.id), sent)


@site.post("/drafts/{draft_id}/edit")
def save_draft(request: Request, session: SessionDep, viewer: Viewer, draft_id: PathId, sent: SentDep) -> Response:
    """Save an edit of a draft, or preview it."""
    return _save(request, session, viewer, drafts.get_draft(session, draft_id), sent)


@site.post("/drafts/{draft_id}/preview")
def preview(request: Request, session: ReadingDep, draft_id: PathId, sent: SentDep) -> Response:
    """The preview alone, for the editor to show while somebody types. Nothing is saved."""
    draft = drafts.get_draft(session, draft_id)
    return render(request, "drafts/live.html", preview_of(session, draft, sent))


@site.post("/pages/{slug}/fork")
def fork_page(
    session: SessionDep,
    viewer: Viewer,
    slug: str,
    origin: Annotated[int | None, Form(alias="from", ge=1, le=MAX_ID)] = None,
) -> Response:
    """Open a draft of the viewer's own and go to its editor."""
    page = pages.get_page(session, slug)
    draft = drafts.fork(session, viewer, drafts.choose_fork_origin(session, page, origin))
    return RedirectResponse(f"/drafts/{draft.id}/edit", 303)


@site.get("/pages/{slug}/drafts")
def list_drafts(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    slug: str,
    show: str = "",
    cursor: str | None = None,
    skip: int = 0,
) -> Response:
    """The page's candidates by rank, grouped by the section they change, then its open drafts.

    Those that say nearly the same stand below the best of them.
    """
    page = pages.get_page(session, slug)
    place = decode_cursor(cursor, int)
    listed = drafts.list_drafts(
        session,
        page.id,
        kind=DraftKind.FORK,
        state=DraftState.OPEN,
        before=place[0] if place else None,
        limit=DRAFTS_SHOWN + 1,
    )
    more, listed = len(listed) > DRAFTS_SHOWN, listed[:DRAFTS_SHOWN]
    stand = Stand(show) if show in tuple(Stand) else None
    skip = max(0, min(skip, MAX_ID))
    chosen = stacks.list_stacks(
        session, page.id, stand=stand, skip=skip, limit=CANDIDATES_SHOWN + 1, shown=variants.SHOWN_IN_LIST
    )
    stands = ranking.count_stands(session, page.id)
    cards = panel.cards(session, [stack.top for stack in chosen[:CANDIDATES_SHOWN]])
    address = f"/pages/{page.slug}/drafts"
    forks = drafts.count_open_forks(session, [page.id]).get(page.id, 0)
    context = {
        "page": page,
        "show": show if stand or show == "drafts" else "",
        "filters": [
            ("", _("All"), stands.total()),
            *((name.value, _(words), stands[name]) for name, words in FILTERS),
            ("drafts", _("Drafts"), forks),
        ],
        "groups": panel.grouped(cards),
        "alike": variants.alike_in_stacks(session, viewer, chosen[:CANDIDATES_SHOWN]),
        "leader": _leader(session, page.id),
        "one_page": True,
        "candidate_count": stands[stand] if stand else stands.total(),
        "more_candidates": f"{address}?show={show}&skip={skip + CANDIDATES_SHOWN}"
        if len(chosen) > CANDIDATES_SHOWN
        else None,
        "drafts": listed,
        "names": accounts.names_of(session, (draft.owner_id for draft in listed)),
        "more": f"{address}?show={show}&cursor={encode_cursor(listed[-1].id)}" if more else None,
    }
    return render(request, "drafts/list.html", context)


def _leader(session: Session, page_id: int) -> tuple[int, str] | None:
    """The revision of the page's best candidate with a vote, and its draft's name."""
    best = ranking.list_ranked(session, page_id, limit=1)
    if not best or best[0].score is None:
        return None
    return best[0].revision_id, drafts.get_draft(session, best[0].draft_id).name


@site.get("/drafts/{draft_id}")
def show_draft(session: SessionDep, viewer: Viewer, draft_id: PathId) -> Response:
    """A draft is read at its newest version."""
    return RedirectResponse(f"/revisions/{drafts.head_of(drafts.get_draft(session, draft_id))}?draft={draft_id}", 303)


@site.post("/drafts/{draft_id}/put-forward")
def put_forward(session: SessionDep, viewer: Viewer, draft_id: PathId) -> Response:
    """Put the draft's text to the vote."""
    candidate = candidates.put_forward(session, viewer, draft_id)
    return RedirectResponse(f"/revisions/{candidate.revision_id}?saved=asked", 303)


@site.post("/drafts/{draft_id}/split")
def split(session: SessionDep, viewer: Viewer, draft_id: PathId) -> Response:
    """Put a large change to the vote section by section."""
    made = splitting.split(session, viewer, draft_id)
    return RedirectResponse(f"/me?parts={len(made)}", 303)


@site.post("/drafts/{draft_id}/withdraw")
def withdraw(session: SessionDep, viewer: Viewer, draft_id: PathId) -> Response:
    """Take a fork back."""
    withdrawing.withdraw_draft(session, viewer, draft_id)
    return RedirectResponse("/me", 303)


@site.post("/drafts/{draft_id}/reopen")
def reopen(session: SessionDep, viewer: Viewer, draft_id: PathId) -> Response:
    """Open a withdrawn fork again."""
    withdrawing.reopen_draft(session, viewer, draft_id)
    return RedirectResponse(f"/drafts/{draft_id}", 303)


@site.get("/drafts/{draft_id}/merge")
def show_merge(request: Request, session: SessionDep, viewer: Viewer, draft_id: PathId) -> Response:
    """Where the draft and the approved text clash, sentence by sentence."""
    return _merge_form(request, session, drafts.get_draft(session, draft_id))


@site.post("/drafts/{draft_id}/merge")
def merge(request: Request, session: SessionDep, viewer: Viewer, draft_id: PathId, form: FormDep) -> Response:
    """Bring the approved text in with the choices made; in somebody else's draft, in a fork of the viewer's own."""
    draft = drafts.get_draft(session, draft_id)
    found = _against_approved(session, draft)
    if str(found.theirs.id) != form.get("theirs"):
        problem = _(
            "A newer version was approved while you merged. Nothing is lost; look at the differences once more."
        )
        return _merge_form(request, session, draft, problem, given=form)
    try:
        with session.begin_nested():
            if draft.kind == DraftKind.FORK and not allows(viewer, Action.EDIT_DRAFT, draft):
                draft = drafts.fork(session, viewer, drafts.head_of(draft), name=draft.name)
            merging.update_from_approved(session, viewer, draft.id, resolutions=choices_in(form, found.conflicts))
    except DomainError as error:
        draft = drafts.get_draft(session, draft_id)
        return _merge_form(request, session, draft, error.detail, given=form, status=status_of(type(error)))
    return RedirectResponse(f"/drafts/{draft.id}", 303)


@site.post("/drafts/{draft_id}/resolve")
def resolve_edit(request: Request, session: SessionDep, viewer: Viewer, draft_id: PathId, form: FormDep) -> Response:
    """Save an edit that clashed, with a choice for each clashing sentence."""
    draft = drafts.get_draft(session, draft_id)
    base, ours, theirs = (revisions.get(session, id_in(form, name)) for name in ("base", "ours", "theirs"))
    merged = merge_texts(*(revisions.text_of(session, row) for row in (base, ours, theirs)))
    try:
        with session.begin_nested():
            text = resolve(merged, choices_in(form, merged.conflicts))
            outcome = drafts.save_edit(session, viewer, draft.id, base_id=theirs.id, text=text, summary=ours.summary)
    except DomainError as error:
        kept = drafts.get_draft(session, ours.draft_id)
        clash = KeptAside(kept, base, ours, theirs, merged.conflicts)
        return _conflict_form(request, session, draft, clash, error.detail, given=form, status=status_of(type(error)))
    if isinstance(outcome, Saved):
        _close_kept_aside(session, viewer, ours)
    return _answer_save(request, session, draft, outcome)


def _close_kept_aside(session: Session, viewer: Viewer, ours: Revision) -> None:
    """Withdraw the fork in which a clashing text was kept, now that its words are where they belong."""
    kept = drafts.get_many(session, [ours.draft_id]).get(ours.draft_id)
    if kept and kept.state == DraftState.OPEN and kept.head_id == ours.id and allows(viewer, Action.MANAGE_FORK, kept):
        withdrawing.withdraw_draft(session, viewer, kept.id)


def _save(request: Request, session: Session, viewer: Viewer, draft: Draft, sent: Sent) -> Response:
    """Save or preview; whatever stops it, what was typed comes back."""
    if sent.action == "discard":
        autosave.drop_autosave(session, viewer, draft.id)
        return RedirectResponse(address_of(pages.get_by_id(session, draft.page_id).slug, draft), 303)
    try:
        if sent.action == "preview":
            return show_editor(request, session, draft, sent)
        if sent.action == "straighten":
            return show_editor(request, session, draft, straightened(session, sent))
        with session.begin_nested():
            outcome = drafts.save_edit(
                session, viewer, draft.id, base_id=sent.base, text=sent.whole(session), summary=sent.words
            )
    except SignInNeeded as error:
        page = pages.get_by_id(session, draft.page_id)
        context = {"next": address_of(page.slug, draft), "name": "", "problem": None, "kept": sent.to_keep()}
        return render(request, "accounts/sign_in.html", context, status=status_of(type(error)))
    except DomainError as error:
        return show_editor(request, session, draft, sent, problem=error.detail, status=status_of(type(error)))
    return _answer_save(request, session, draft, outcome)


def _answer_save(request: Request, session: Session, draft: Draft, outcome: Saved | KeptAside) -> Response:
    if isinstance(outcome, Saved):
        return RedirectResponse(f"/revisions/{outcome.revision.id}?saved={'merged' if outcome.merged else 'yes'}", 303)
    return _conflict_form(request, session, draft, outcome)


def _conflict_form(
    request: Request,
    session: Session,
    draft: Draft,
    clash: KeptAside,
    problem: str | None = None,
    *,
    given: FormData | None = None,
    status: int = 409,
) -> Response:
    context = {
        "page": pages.get_by_id(session, draft.page_id),
        "draft": draft,
        "kept": clash.draft,
        "base": clash.base,
        "ours": clash.ours,
        "theirs": clash.theirs,
        "conflicts": clash.conflicts,
        "marks": marked_choices(clash.conflicts),
        "problem": problem,
        "given": given or {},
        "written": written_in(given),
    }
    return render(request, "drafts/conflict.html", context, status=status)


def _against_approved(session: Session, draft: Draft) -> Unresolved:
    approved = approvals.find_current(session, draft.page_id)
    if approved is None:
        raise Conflict(_("This page has no approved text yet, so there is nothing to bring in."))
    found = merging.compare_with(session, draft, revisions.get(session, approved.revision_id))
    if found.base is not None and found.base.id == found.theirs.id:
        raise Conflict(_("This version holds the approved text already, so there is nothing to bring in."))
    return found


def _merge_form(
    request: Request,
    session: Session,
    draft: Draft,
    problem: str | None = None,
    *,
    given: FormData | None = None,
    status: int = 409,
) -> Response:
    found = _against_approved(session, draft)
    context = {
        "page": pages.get_by_id(session, draft.page_id),
        "draft": draft,
        "theirs": found.theirs,
        "conflicts": found.conflicts,
        "marks": marked_choices(found.conflicts),
        "own": draft.kind == DraftKind.SHARED or allows(request.state.viewer, Action.EDIT_DRAFT, draft),
        "problem": problem,
        "given": given or {},
        "written": written_in(given),
    }
    return render(request, "drafts/merge.html", context, status=status if problem else 200)
