"""Entries of the ledger in plain sentences, and what each field means."""

from collections.abc import Mapping
from typing import Any

from app.ledger.models import EntryKind
from app.words import N_, _, _n, unended

_SAID = {
    EntryKind.RULE: N_("The rule for votes that open from here on was set."),
    EntryKind.IMPORTED: N_("{text} was brought in as the approved text."),
    EntryKind.UNPROMOTED: N_("The text before {text} lost its approval; {text} is served."),
    EntryKind.HELD: N_("{text} was stopped for now."),
    EntryKind.RELEASED: N_("{text} was released again."),
    EntryKind.CORRECTED: N_("The approved text was corrected to {text}."),
    EntryKind.WITHDRAWN: N_("The approved text was withdrawn."),
    EntryKind.RESTORED: N_("{text} was restored."),
    EntryKind.VOIDED: N_("Two moderators voided the votes of a member of {chapter} in what opens later: “{reason}”."),
    EntryKind.GIVEN_BACK: N_("Two moderators let the votes of a member of {chapter} count again: “{reason}”."),
}

MEANINGS = {
    "sequence": N_("The number of this entry, counted from 1 without gaps."),
    "previous": N_("The hash of the entry before. Nobody can change or move that one without changing this."),
    "at": N_("When it was entered. No entry is dated before the one it follows."),
    "kind": N_("What happened."),
    "page": N_("The address of the page at that time."),
    "page_id": N_("The number of the page, which stays when its address changes."),
    "text": N_("SHA-256 of the approved text from then on; none where none was in force."),
    "base": N_("SHA-256 of the text that was approved until then."),
    "basis": N_("What it rests on: a vote, an import, moderators, or settings."),
    "mode": N_("Whether the waiting time was the routine or the rapid one."),
    "rule": N_("The rule that the vote opened under; times are in seconds."),
    "seasoning": N_(
        "Whose votes count by the rule: hours after joining, vouches, first members, days of a new chapter."
    ),
    "electorate": N_("How many active members there were when the vote opened."),
    "tallies": N_("Members and votes of each chapter. Small chapters are counted together, nobody is named."),
    "opened_at": N_("When the vote opened."),
    "passing_since": N_("Since when it had enough people, three to one."),
    "not_before": N_("The earliest moment because a sentence beside it had just been approved."),
    "waits_until": N_("When the waiting time ended."),
    "score": N_("Its score, for comparison with rivals: S / (S + O + 2)."),
    "to_beat": N_("Earlier approvals of the same sentences, with the scores that had to be beaten."),
    "carried_from": N_("SHA-256 of the earlier texts that votes were cast on before it was carried forward."),
    "reason": N_("The reason that was given."),
    "until": N_("When the stop ends by itself."),
    "by": N_("The chapters of the moderators who did it."),
    "since": N_("Since when the text had lost its support, or when it was approved before the ledger began."),
    "chapter": N_("The chapter of the member whose votes are meant, as it is counted. Nobody is named."),
}


def sentence(entry: Mapping[str, Any], number: int | None) -> str:
    """What happened, as people read it; `number` is the revision's, where one is known."""
    if entry["kind"] == EntryKind.RULE and entry["basis"] == "moderators":
        return _("Two moderators changed the rule for votes that open from here on: “{reason}”.").format(
            reason=unended(entry["reason"])
        )
    text = f"r{number}" if number is not None else _("this text")
    if entry["kind"] != EntryKind.PROMOTED:
        said = _(_SAID[EntryKind(entry["kind"])])
        return said.format(text=text, chapter=entry.get("chapter"), reason=unended(entry["reason"]))
    lines = entry["tallies"]
    chapters = sum(line["support"] > 0 for line in lines)
    said = _n(
        "{text} was approved: {yes} for, {no} against, from {n} chapter.",
        "{text} was approved: {yes} for, {no} against, from {n} chapters.",
        chapters,
    )
    yes, no = sum(line["support"] for line in lines), sum(line["oppose"] for line in lines)
    return said.format(text=text, yes=yes, no=no, n=chapters)
