"""The editor as a screen: what stands in its form, and what a form that comes back says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from markupsafe import Markup
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from app.accounts.actors import Viewer
from app.approvals import service as approvals
from app.channels.counting import straighten
from app.channels.wording import Told, tell
from app.drafts import autosave
from app.drafts import service as drafts
from app.drafts.models import Draft, DraftKind
from app.errors import DomainError, Refused
from app.pages import service as pages
from app.pages.markdown import words_in
from app.pages.markup import render_markdown
from app.pages.sections import Section, replace_section, sections_of
from app.permissions import Action, allows
from app.revisions import service as revisions
from app.revisions.diff import changes_only, word_diff
from app.revisions.diff_html import excerpt_html
from app.revisions.diff_html import html as diff_html
from app.revisions.merge import Conflict as Clash
from app.web.schemas import MAX_ID
from app.web.summaries import REASONS
from app.web.templates import already_escaped, render
from app.words import _


@dataclass(frozen=True, slots=True)
class Sent:
    """What an editor's form holds. With a `section`, `text` is what stands under its `heading`."""

    base: int
    text: str = ""
    section: str = ""
    heading: str = ""
    summary: str = ""
    reason: str = ""
    action: str = "save"

    @property
    def words(self) -> str:
        """The summary: in their own words, else the reason they tapped."""
        return self.summary or dict(REASONS).get(self.reason, "")

    def whole(self, session: Session) -> str:
        """The whole text, with the section put where it belongs in the base; one that is emptied goes with its heading.

        A heading that is typed anew above the words counts once.
        """
        if not self.section:
            return self.text
        base = revisions.text_by_id(session, self.base)
        typed, heading = self.text.replace("\r\n", "\n").strip("\n"), self.heading.replace("\r\n", "\n").strip()
        if heading and f"{typed}\n".startswith(f"{heading}\n"):
            typed = typed.removeprefix(heading).strip("\n")
        section = _find_section(base, self.section)
        if section is not None and typed == section.text:
            return base
        return replace_section(base, self.section, self.heading + typed if typed.strip() else "")

    def to_keep(self) -> dict[str, str]:
        """The fields that travel along while their author signs in."""
        return {
            "base": str(self.base),
            "text": self.text,
            "section": self.section,
            "heading": self.heading,
            "summary": self.summary,
            "reason": self.reason,
        }


def read_sent(
    base: Annotated[int, Form(ge=1, le=MAX_ID)],
    text: Annotated[str, Form()] = "",
    section: Annotated[str, Form()] = "",
    heading: Annotated[str, Form()] = "",
    summary: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "save",
) -> Sent:
    return Sent(base, text, section, heading, summary, reason, action)


SentDep = Annotated[Sent, Depends(read_sent)]


def open_editor(request: Request, session: Session, viewer: Viewer, draft: Draft, section: str = "") -> Response:
    """The editor on the newest text, with what the viewer had not sent yet put on top of it."""
    head = revisions.get(session, drafts.head_of(draft))
    text = revisions.text_of(session, head)
    resume = autosave.present_resume(session, viewer, draft)
    if resume is None:
        sent = _cut(text, Sent(head.id, section=section))
        return show_editor(request, session, draft, sent, is_gone=bool(section and not sent.section))
    mine = resume.merged if resume.merged is not None else resume.unsent.text
    base_id = head.id if resume.merged is not None else resume.unsent.base_id
    offer = {
        "saved_at": resume.unsent.saved_at,
        "behind": resume.unsent.behind,
        "clashes": resume.merged is None,
        "diff": shown_diff(revisions.text_by_id(session, resume.unsent.base_id), resume.unsent.text),
    }
    return show_editor(request, session, draft, Sent(base_id, mine), resume=offer)


def show_editor(
    request: Request,
    session: Session,
    draft: Draft,
    sent: Sent,
    *,
    problem: str | None = None,
    resume: dict[str, Any] | None = None,
    is_gone: bool = False,
    status: int = 200,
) -> Response:
    """The editor's form with everything that was typed; previewed if that was asked for.

    `is_gone`: the section that was asked for is in the draft no more, or under another name.
    """
    page = pages.get_by_id(session, draft.page_id)
    context = {
        "page": page,
        "draft": draft,
        "target": address_of(page.slug, draft),
        "text": sent.text,
        "base_id": sent.base,
        "section": _section_in(session, sent),
        "section_key": sent.section,
        "heading": sent.heading,
        "summary": sent.summary,
        "reason": sent.reason,
        "reasons": [(value, _(words)) for value, words in REASONS],
        "problem": problem,
        "resume": resume,
        "is_gone": is_gone,
        "preview": None,
        "counts": _counts(session, sent),
        "is_straightened": sent.action == "straighten",
        "may_edit": allows(request.state.viewer, Action.EDIT_DRAFT, draft),
    }
    if sent.action == "preview" and problem is None:
        context |= preview_of(session, draft, sent)
    return render(request, "drafts/edit.html", context, status=status)


def preview_of(session: Session, draft: Draft, sent: Sent) -> dict[str, Any]:
    """The text as people will read it, and how it differs from the approved one, else from its base."""
    text = drafts.check_text(sent.whole(session))
    page = pages.get_by_id(session, draft.page_id)
    approved = approvals.find_current(session, page.id)
    before = revisions.text_by_id(session, approved.revision_id if approved else sent.base)
    return {
        "preview": render_markdown(text, title=page.title),
        "counts": _counts(session, sent),
        "section_key": sent.section,
        "diff": shown_diff(before, text),
        "has_approved": approved is not None,
    }


def straightened(session: Session, sent: Sent) -> Sent:
    """What was typed, with its text messages written in the alphabet of text messages."""
    section = _section_in(session, sent)
    if section is None:
        return replace(sent, text=straighten(sent.text))
    # Under its heading, by which it is known for a text message, and again without it.
    written = straighten(f"## {section.title}\n\n{sent.text}").partition("\n\n")[2]
    return replace(sent, text=written)


def address_of(slug: str, draft: Draft) -> str:
    """Where a draft's editor posts to."""
    return f"/pages/{slug}/edit" if draft.kind == DraftKind.SHARED else f"/drafts/{draft.id}/edit"


def shown_diff(old: str, new: str) -> dict[str, object]:
    diff = word_diff(old, new)
    return {"sentence": diff.sentence, "html": already_escaped(diff_html(diff))}


def marked_choices(conflicts: Sequence[Clash]) -> list[dict[str, Markup]]:
    """The sentence as it was of each conflict, and both wordings with what they change in it marked."""
    return [
        {
            "base": Markup("{}").format(words_in(conflict.base.strip())),
            "theirs": _marked(conflict.base, conflict.theirs),
            "ours": _marked(conflict.base, conflict.ours),
        }
        for conflict in conflicts
    ]


def written_in(form: FormData | None) -> list[str]:
    """The wordings that somebody wrote anew, to be shown again where the form is not taken."""
    if form is None:
        return []
    chosen = (name.removeprefix("choice-") for name, value in form.items() if value == "own")
    return [words for number in chosen if (words := str(form.get(f"own-{number}", "")).strip())]


def choices_in(form: FormData, conflicts: Sequence[Clash]) -> list[str]:
    """The wording picked for each conflict; `both` puts the older first."""
    chosen = []
    for number, conflict in enumerate(conflicts, start=1):
        own = str(form.get(f"own-{number}", ""))
        both = " ".join(part.strip() for part in (conflict.theirs, conflict.ours) if part.strip())
        picks = {"ours": conflict.ours, "theirs": conflict.theirs, "both": both, "own": own}
        picked = picks.get(str(form.get(f"choice-{number}", "")))
        if picked is None:
            raise Refused(
                _("Choose a wording for sentence {number}. Both texts are kept.").format(number=number),
                pointer=f"/choice-{number}",
            )
        chosen.append(picked)
    return chosen


def id_in(form: FormData, name: str) -> int:
    """The id in a hidden field."""
    value = str(form.get(name, ""))
    if not value.isdecimal() or len(value) > len(str(MAX_ID)) or not 0 < int(value) <= MAX_ID:
        raise Refused(_("This form is incomplete. Open the draft again; both texts are kept."), pointer=f"/{name}")
    return int(value)


def _marked(base: str, text: str) -> Markup:
    if not text.strip():
        return Markup('<em class="note">{}</em>').format(_("leave it out"))
    if not base.strip():
        return Markup('<span class="words" dir="auto">{}</span>').format(text.strip())
    excerpts = changes_only(word_diff(base.strip() + "\n", text.strip() + "\n"), around=1_000)
    return already_escaped("".join(excerpt_html(excerpt) for excerpt in excerpts)) or Markup("{}").format(text.strip())


def _cut(text: str, sent: Sent) -> Sent:
    """With only the section that is edited, if the text has it; else the whole."""
    found = _find_section(text, sent.section)
    if found is None:
        return replace(sent, section="", text=text)
    lines = text[found.start : found.end].strip("\n").rstrip()
    heading = lines[: len(lines) - len(found.text)] if found.text else f"{lines}\n\n"
    return replace(sent, heading=heading, text=found.text)


def _find_section(text: str, key: str) -> Section | None:
    return next((part for part in sections_of(text) if part.key == key), None)


def _section_in(session: Session, sent: Sent) -> Section | None:
    if not sent.section or revisions.get_many(session, [sent.base]).get(sent.base) is None:
        return None
    return _find_section(revisions.text_by_id(session, sent.base), sent.section)


def _counts(session: Session, sent: Sent) -> list[Told]:
    """What the channels in the form count: of the one section that is edited, else of all."""
    try:
        return tell(sent.whole(session), sent.section)
    except DomainError:
        return []  # what stands in the way is said where it is sent
