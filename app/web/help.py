"""The help pages that the `type` of a problem opens: what it means, what is safe and what to do."""

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.errors import DomainError
from app.web.problems import FAULT, PLAIN, all_kinds, status_of
from app.web.templates import render

site = APIRouter(include_in_schema=False)

HELP: dict[str, tuple[str, str]] = {
    "answer-held-a-secret": (
        "A request with this `Idempotency-Key` was done before, and its answer held a secret. Secrets are shown once "
        "and stored nowhere, so this answer cannot be repeated. Nothing was done a second time.",
        "If you have the secret, go on. If the first answer never arrived, take back what was made and make it anew.",
    ),
    "bad-request": (
        "The request is not well-formed HTTP or JSON, so it was not read at all. Nothing was changed.",
        "Look at how the request is put together: its body has to be one JSON object in UTF-8.",
    ),
    "conflict": (
        "What you asked for does not fit what others did meanwhile, or what exists already. Nothing was overwritten.",
        "Read the thing again, as it is now, and decide with that in front of you.",
    ),
    "cross-site": (
        "A browser said that a page of another site sent this, so somebody may have tried to act in your name.",
        "Do it on this site itself. Programs send a token instead of a cookie and are not concerned.",
    ),
    "draft-closed": (
        "A draft that was approved, withdrawn or imported as history takes no more changes. Its text stays readable.",
        "Its owner can reopen a withdrawn one. Anybody can fork it and go on from its text.",
    ),
    "edit-conflict": (
        "Since you began, somebody saved other words for the same sentences. Nothing was overwritten: the answer holds "
        "both texts and the sentences that clash, and your text was saved as a draft of your own (`saved_as`).",
        "Choose the wording, then save again with the id under `theirs.revision.id` as `base`. Or go on in your draft.",
    ),
    "fault": (
        "A fault in this program. What was saved before is safe; what this request wanted was not done.",
        "Try again. If it happens again, tell whoever runs this workshop the reference: it leads to the log.",
    ),
    "gone": ("It was here and was taken away for good.", "Look at the page for what stands there now."),
    "idempotency-key-reused": (
        "Another request was sent with this `Idempotency-Key` less than a day ago, so this one was not done.",
        "Make a new key for each request, best a UUID, and send the same one only when you repeat the same request.",
    ),
    "join-conflict": (
        "Two versions that are to become one hold different words for the same sentences. Nothing was changed.",
        "Send the request again with `resolutions`: one wording for each of the `conflicts`, in their order.",
    ),
    "merge-conflict": (
        "The approved text and this draft hold different words for the same sentences. Nothing was changed.",
        "Send the request again with `resolutions`: one wording for each of the `conflicts`, in their order.",
    ),
    "method-not-allowed": (
        "The address exists, but it does not do what this method asks for.",
        "Use one of the methods in the `Allow` header of the answer.",
    ),
    "needs-merge": (
        "The approved text changed the same sentences since this draft began, so nobody can vote on it as it is. "
        "Both texts are kept.",
        "Its owner brings the approved text in and chooses the wording; anybody else forks the draft and does so.",
    ),
    "no-approved-text": (
        "Members have not approved a text for this page yet, or had not at the time you asked for.",
        "Do not fall back to a draft: nobody agreed to it. Ask again later, or follow the list of changes.",
    ),
    "no-autosave": (
        "You have no unsent words for this draft: you never typed any, or you sent them, or you threw them away.",
        "Begin with the draft's newest text.",
    ),
    "no-ledger-entry": (
        "The public ledger has no entry with this number. Entries are counted from 1, and none is ever taken away.",
        "Read the list of entries from the beginning. An empty ledger begins with the first text that is approved.",
    ),
    "not-acceptable": (
        "The text is not served in any of the forms that the `Accept` header allows.",
        "Ask for application/json, text/plain, text/markdown or text/html, or end the address in .json, .txt, .md "
        "or .html.",
    ),
    "not-agreed": (
        "Moderators stop texts, they do not approve them. Only a text that was approved before and not taken back, or "
        "one that has enough people three to one and only waits, can be put in another's place at once. Nothing was "
        "changed.",
        "Put the text to the vote. Where minutes matter, two members of different chapters can call for rapid mode.",
    ),
    "not-allowed": (
        "You are signed in, but your role does not allow this, or it belongs to somebody else.",
        "The answer says who can. Ask an admin of this workshop for the role, or fork a draft that is not yours.",
    ),
    "not-stopped": (
        "Nobody stopped this text, or somebody ended the stop already. It is in use.",
        "Look at the page: it says what happened to its text and when.",
    ),
    "nothing-approved-then": (
        "At that moment no text of the page was approved yet.",
        "Look at the page's history: it shows when its first text was approved.",
    ),
    "nothing-to-join": (
        "One of the two versions goes on from the other, so it holds all of its words already, or took them out.",
        "Vote on the one you prefer, or go on from it in a version of your own.",
    ),
    "not-found": (
        "There is no such thing here, or none that you may know of.",
        "Check the spelling of the address, or find the page by a word of it.",
    ),
    "nothing-to-split": (
        "The change is small, lies in one section, or is split already, so it cannot be voted on in parts.",
        "Put it to the vote as it is. Its parts, if it was split, are on your own page.",
    ),
    "nothing-to-stop": (
        "This page has no approved text, so nobody is served one from it.",
        "A hold can stop its first approval. Everything else waits until there is an approved text.",
    ),
    "nothing-to-decide": (
        "The approved text says the same already, so a vote could change nothing.",
        "Change the draft first, or vote on another one.",
    ),
    "on-hold": (
        "A moderator stopped this text for now, because it may be wrong. The answer holds the reason.",
        "Do not use it, and ask again: a hold ends after four hours or is confirmed. `?include=last_safe` gives the "
        "newest earlier text that is not in doubt.",
    ),
    "refused": (
        "Something in the request cannot be used: a field is missing, unknown, too long or not what it should be. "
        "Nothing was changed. `errors` names each field with a JSON pointer and says why.",
        "Correct the fields and send the request again.",
    ),
    "scope-missing": (
        "The token is good, but was made without the scope that this needs.",
        "Make a token that has the scope. Scopes are read, write, vote, webhooks, moderate and admin.",
    ),
    "section-not-found": (
        "The approved text has no section with this key. Keys come from its headings, which can change with it.",
        "Look at the list of sections of the page, and choose one of its keys.",
    ),
    "sign-in-needed": (
        "Reading is open to everybody; this is not. Nobody was signed in.",
        "Sign in, or send a token: `Authorization: Bearer mw_…`.",
    ),
    "slug-taken": (
        "Another page has, or had, this address, and people's links lead there.",
        "Choose another address, or edit the page that is there.",
    ),
    "stopped-already": (
        "This text is stopped already, so nobody is served it.",
        "Another moderator can confirm the stop, so that it does not end by itself. Or withdraw the text for good.",
    ),
    "target-refused": (
        "Messages go to public machines over https alone, on port 443 or 8443, so that nobody can have this workshop "
        "call what only it can reach. Nothing was changed.",
        "Give a public https address without a name or password in it. A workshop's operator can trust more networks.",
    ),
    "text-changed": (
        "The hash sent with the vote is not that of the text as it stands. A vote counts for exactly the words that "
        "the voter saw, so it was not counted.",
        "Read the text as it is now and vote with its `sha256`.",
    ),
    "token-not-found": (
        "None of your tokens has this number, or it was taken back already.",
        "`GET /api/v1/tokens` lists them.",
    ),
    "token-refused": (
        "The token is unknown, was taken back, or its time is over.",
        "Make a new one. A token is shown once, when it is made, and begins with mw_.",
    ),
    "too-large": (
        "The request is larger than 512 KiB, so it was not read to its end. Nothing was saved.",
        "A text may hold 64 KiB. Shorten it, or split it over several pages.",
    ),
    "too-many-requests": (
        "Too many requests came from this token, session or address within a minute. Nothing you wrote is lost.",
        "Wait as many seconds as `Retry-After` says. `RateLimit` tells ahead how many are left. Approved texts have "
        "no limit.",
    ),
    "too-many-webhooks": (
        "One member can have twenty webhooks, so that what happens is told everywhere in time.",
        "Remove one that is not needed any more, or change what one of them gets.",
    ),
    "unavailable": (
        "The workshop is too busy or cannot save just now. Nothing was saved.",
        "Keep your text and try again in a few seconds.",
    ),
    "unsupported-type": (
        "The body is not in a form that is read here. Nothing was changed.",
        "Send JSON, with the header `Content-Type: application/json`.",
    ),
    "voting-closed": (
        "This vote is over, or the text waits for somebody to merge it. The votes cast so far are kept.",
        "Look at the page for the text that is approved now and for what is open.",
    ),
    "webhook-not-found": (
        "There is no webhook with this number, or it belongs to somebody else.",
        "Look at the list of your webhooks.",
    ),
    "webhook-off": (
        "Nothing is sent to a webhook that is turned off: by its owner, because the receiver answered 410, or because "
        "nothing arrived for five days.",
        'Turn it on with `{"enabled": true}`, then ask for what it missed with `redeliver` and a time.',
    ),
    "withdrawn": (
        "A moderator withdrew this text: it must never be used again. The answer holds the reason and, as "
        "`replacement`, the page to use instead.",
        "Throw your copies away. A new vote on the page, or two moderators of different chapters, can bring a text "
        "back.",
    ),
}


def titles() -> dict[str, tuple[int, str]]:
    """Every problem this program can answer with: its status and title by its slug."""
    found = {kind.slug: (status_of(kind), kind.title) for kind in all_kinds()}
    found |= {slug: (status, title) for status, (slug, title, _) in PLAIN.items()}
    found[FAULT[0]] = (500, FAULT[1])
    return dict(sorted(found.items()))


def help_for(slug: str) -> tuple[str, str]:
    """What a problem means and what to do; a kind without words of its own has those of the kind it belongs to."""
    if slug in HELP:
        return HELP[slug]
    kind = next(kind for kind in all_kinds() if kind.slug == slug)
    return next(HELP[parent.slug] for parent in kind.__mro__ if issubclass(parent, DomainError) and parent.slug in HELP)


@site.get("/problems")
def show_problems(request: Request) -> Response:
    return render(request, "problems.html", {"problems": titles()})


@site.get("/problems/{slug}")
def show_problem(request: Request, slug: str) -> Response:
    if slug not in titles():
        raise HTTPException(404)
    status, title = titles()[slug]
    meaning, way_out = help_for(slug)
    return render(
        request,
        "problem.html",
        {"title": title, "status": status, "meaning": meaning, "way_out": way_out, "slug": slug},
    )
