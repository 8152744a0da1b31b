"""What a visitor is told: who to sign in as, and what to try, with the addresses as they are now."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from app.accounts import chapters
from app.consensus import candidates, decisions
from app.consensus.facts import Decision, State
from app.demo.campaign import CARRIED, CONFLICT_AT, LACKS_ONE, NEVER_APPROVED, RIVALS, STALE, WAITS, Place
from app.demo.people import CHAPTERS, PASSWORD, PEOPLE
from app.drafts import service as drafts
from app.pages import service as pages

WIDTH = 96
AWAY_DAYS = 14


@dataclass(frozen=True, slots=True)
class Step:
    """Something to try at an address. `done` where it is over, because somebody did it or time went on."""

    title: str
    address: str
    how: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A draft of the story as it is now: the revision put to the vote first, the one that stands now, the decision."""

    draft_id: int
    first_id: int
    revision_id: int
    decision: Decision

    def is_in(self, state: State) -> bool:
        return self.decision.state is state


def find_standing(session: Session, place: Place) -> Standing | None:
    """How the draft at this place of the story stands; None once its owner has gone on to write another text."""
    page = pages.get_page(session, place.slug)
    listed = drafts.list_drafts(session, page.id, limit=200)
    draft = next(draft for draft in reversed(listed) if draft.name == place.draft)
    candidate = candidates.find_by_revision(session, drafts.head_of(draft))
    if candidate is None:
        return None
    first = candidates.revisions_stood_on(session, candidate)[0]
    return Standing(draft.id, first.id, candidate.revision_id, decisions.decide_on(session, candidate))


def list_steps(session: Session, base_url: str) -> list[Step]:
    """Things to try in the browser, and one for programs."""
    return [
        *_on_votes(session, base_url),
        *_on_drafts(session, base_url),
        Step(
            "Settle what was never settled",
            f"{base_url}/pages/{NEVER_APPROVED.slug}",
            "No text of this page was approved yet, and two compete. Programs get neither.",
        ),
        Step(
            "Decide one text after the other",
            f"{base_url}/review",
            "Sign in as Noor Tamsin: it asks where a vote moves most, one tap each, and half a minute to take it back.",
        ),
        Step(
            "Stop a text",
            f"{base_url}/pages/school-meals/stop",
            "Sign in as Len Garrow, a moderator. Nobody is served the text meanwhile, and everybody reads why.",
        ),
        Step(
            "Check that nothing was changed afterwards",
            f"{base_url}/ledger",
            "Every approval with its votes, signed. The page says how to check it yourself.",
        ),
        Step(
            "Give a program its own way in",
            f"{base_url}/me/programs",
            "As Ines Holm, the admin, make a token, or add a webhook and send it a test.",
        ),
        Step(
            "Fetch approved words with a program",
            f"curl {base_url}/api/v1/pages/shore-plan/approved/sections/sms.txt",
            f"Exactly the bytes to send. Every other form of it is described at {base_url}/docs",
        ),
    ]


def _on_votes(session: Session, base_url: str) -> Iterator[Step]:
    if (one := find_standing(session, LACKS_ONE)) is not None:
        yield Step(
            "Carry a text with one vote",
            f"{base_url}/revisions/{one.revision_id}",
            "It lacks one supporter, from any chapter but the Harbour Quarter. Sign in as Noor Tamsin and press “I’d "
            "use this”: it passes, and says until when it waits.",
            done=not one.is_in(State.COLLECTING),
        )
    if (waits := find_standing(session, WAITS)) is not None:
        end = waits.decision.waits_until
        yield Step(
            "Cut a waiting time short",
            f"{base_url}/revisions/{waits.revision_id}",
            f"It passes and waits{f' until {end:%H:%M} UTC' if end else ''}. One more supporter, say Noor Tamsin, "
            "makes more than half of all members: it is approved at once, and the other change of "
            f"{base_url}/pages/{WAITS.slug} moves onto the new text.",
            done=not waits.is_in(State.WAITING),
        )
    if (carried := find_standing(session, CARRIED)) is not None:
        yield Step(
            "See votes move along",
            f"{base_url}/revisions/{carried.first_id}",
            "While members voted on this, another change of the page was approved. It was carried onto the new text, "
            "votes and all.",
            done=carried.first_id == carried.revision_id,
        )


def _on_drafts(session: Session, base_url: str) -> Iterator[Step]:
    yield Step(
        "Compare wordings that compete",
        f"{base_url}/pages/{RIVALS[0].slug}/drafts",
        "Three people rewrote the same sentence. None has enough support, and each lacks something else.",
    )
    if (stale := find_standing(session, STALE)) is not None:
        yield Step(
            "Merge what no longer fits",
            f"{base_url}/drafts/{stale.draft_id}/merge",
            "Another wording of the same sentence was approved first. "
            "As Wanda Olt, choose one of them, or write it anew.",
            done=not stale.is_in(State.STALE),
        )
    yield Step(
        "Clash with somebody",
        f"{base_url}/pages/{CONFLICT_AT}/edit",
        "As Mara Velt, open this in two tabs. Change the sentence under Topline in both, each in another way. "
        "Save one, then the other: nothing is lost, and you choose.",
    )


def describe(session: Session, base_url: str) -> str:
    """The guide as text for a terminal."""
    base_url = base_url.rstrip("/")
    return "\n".join(
        [
            "",
            f"Open {base_url}",
            *_wrap(
                "Everybody may read. To write and vote, sign in as one of these; the password is always " + PASSWORD
            ),
            *(
                f"  {person.name:<13} {person.role.name.lower()}, {CHAPTERS[person.chapter]}"
                for person in PEOPLE
                if person.visits
            ),
            "",
            "Things to try",
            *(line for number, step in enumerate(list_steps(session, base_url), 1) for line in _lay_out(number, step)),
            "",
            *_wrap(f"Other scripts: {base_url}/pages/night-ferry-ar and {base_url}/pages/school-meals-ja"),
            *_wrap(
                "People, places and figures are invented. What you change is kept; --fresh starts anew. Ctrl+C stops."
            ),
            *_warn_of_absence(session),
            "",
        ]
    )


def _lay_out(number: int, step: Step) -> list[str]:
    title = f"  {number}. {step.title}{' (done)' if step.done else ''}"
    return [title, f"     {step.address}", *_wrap(step.how, indent="     ")]


def _warn_of_absence(session: Session) -> list[str]:
    """Votes that open later count fewer people, once the story lies too far back."""
    active = sum(chapters.count_active(session, days=AWAY_DAYS).values())
    if 2 * active > len(PEOPLE):
        return []
    return _wrap(
        f"Only {active} of {len(PEOPLE)} members were here in the last {AWAY_DAYS} days, so new votes need fewer "
        "people; --fresh brings them back."
    )


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
