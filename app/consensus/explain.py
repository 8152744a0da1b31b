"""A decision in plain sentences: how it stands, why, and what would change it."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction

from app.consensus.facts import Bar, CandidateFacts, CurrentFacts, Decision, State
from app.consensus.missing import Missing, find_missing_supporters
from app.consensus.tallies import Count

_STATES = {
    State.DRAFT: "Nobody has voted on this text yet.",
    State.COLLECTING: "This text is not approved.",
    State.WAITING: "This text passes, and waits to be approved.",
    State.APPROVED: "This text is approved.",
    State.UNPROMOTED: "This text was approved once, and lost its approval.",
    State.DECLINED: "This text was declined.",
    State.STALE: "This change no longer fits the approved text.",
    State.CONTESTED: "This text is approved, but contested.",
    State.ON_HOLD: "A moderator has stopped this text for now.",
    State.EXPIRED: "The vote on this text ended without a decision.",
    State.WITHDRAWN: "This text was withdrawn.",
    State.SUPERSEDED: "The approved text already says what this text changes.",
}
_AHEAD = "This text is ahead, but not approved."

_MOST_LISTED = 4
"""Numbers with their chapters in one sentence; the decision itself holds them all."""

_WAYS_ON = {
    State.APPROVED: "Another text takes its place when that one passes by the same rule.",
    State.UNPROMOTED: "It can be put to the vote again as a new change.",
    State.DECLINED: "Change the text and it can be put to the vote again.",
    State.STALE: "More supporters cannot help; it is put to a new vote once somebody merges it with the approved text.",
    State.CONTESTED: "It stays until another text passes by the same rule.",
    State.ON_HOLD: "Votes go on counting, but no number of supporters approves it before the stop ends.",
    State.EXPIRED: "It can be opened again; the members and the votes are then counted anew.",
    State.WITHDRAWN: "More supporters cannot help; its owner, or a new vote, can bring it back.",
    State.SUPERSEDED: "There is nothing left to decide.",
}


def explain(
    decision: Decision, candidate: CandidateFacts, current: CurrentFacts, now: datetime, names: Mapping[int, str]
) -> tuple[str, str, str]:
    """The three sentences the page shows: state, why, what would change it."""
    unbeaten = [bar for bar in current.bars if now < bar.until and decision.score <= bar.score]
    if decision.state == State.WAITING:
        way_on = _when_it_ends(decision, candidate)
    elif decision.state in (State.COLLECTING, State.DRAFT):
        way_on = _what_it_needs(decision, unbeaten, names)
    else:
        way_on = _WAYS_ON[decision.state]
    return _state(decision), candidate.because or _why(decision, unbeaten, names), way_on


def _state(decision: Decision) -> str:
    if decision.state == State.COLLECTING and decision.support > decision.oppose:
        return _AHEAD
    return _STATES[decision.state]


def _why(decision: Decision, unbeaten: Sequence[Bar], names: Mapping[int, str]) -> str:
    """What it has and what it lacks."""
    count = decision.count
    if decision.state == State.STALE:
        return "The same sentences were changed by an approval after this change was begun."
    if decision.state == State.DRAFT:
        return _what_is_asked(count)
    clauses = [_votes(count)]
    if not count.has_enough_people:
        clauses.append(_reached(count, names))
    if not count.is_three_to_one:
        clauses.append(_ratio(count))
    if len(clauses) == 1:
        counting = f"{_supporters(count.reach)} {_plural(count.reach, 'counts', 'count')}"
        needed = f"where {count.need} {_plural(count.need, 'is', 'are')} needed"
        clauses.append(f"{counting} {needed}, with at least three for every one against")
    if unbeaten and decision.state in (State.COLLECTING, State.ON_HOLD):
        clauses.append(_behind(decision.score, max(unbeaten, key=lambda bar: bar.score)))
    return _capital("; ".join(clauses)) + "."


def _what_is_asked(count: Count) -> str:
    asked = f"It needs {_supporters(count.need)}, and at least three for every one against"
    most = max((line.cap for line in count.chapters), default=count.need)
    return f"{asked}; no chapter counts for more than {most}." if most < count.need else f"{asked}."


def _votes(count: Count) -> str:
    if not count.supporters and not count.opposers:
        return "no vote for or against it counts yet"
    supporters = f"{count.supporters or 'no'} {_plural(count.supporters, 'person supports', 'people support')} it"
    return f"{supporters} and {count.opposers or 'nobody'} {_plural(count.opposers or 1, 'is', 'are')} against"


def _reached(count: Count, names: Mapping[int, str]) -> str:
    reached = f"{count.reach} of the {_supporters(count.need)} needed {_plural(count.reach, 'counts', 'count')}"
    capped = [line for line in count.chapters if line.counted < line.votes.support]
    limits = _listed([f"{line.cap} from {_name(line.chapter, names)}" for line in capped], "and")
    return f"{reached}, because no more than {limits} can" if capped else reached


def _ratio(count: Count) -> str:
    if all(line.cast <= line.cap for line in count.chapters):
        return "that is less than three for every one against"
    scaled = f"{_rounded(count.support, up=False)} for and {_rounded(count.oppose, up=True)} against"
    return f"with chapters over their limit scaled down to it, {scaled} is less than three to one"


def _behind(score: Fraction, bar: Bar) -> str:
    if score == bar.score:
        return f"it scores the same as {bar.text}, approved for the same sentences, and then the current text stays"
    ours, theirs = _rounded(score, up=False), _rounded(bar.score, up=True)
    return f"it scores {ours}, and has to beat the {theirs} of {bar.text}, approved for the same sentences"


def _when_it_ends(decision: Decision, candidate: CandidateFacts) -> str:
    """The end of the waiting, and the way to shorten it where there is one."""
    if decision.waits_until is None or decision.due_at is None:
        raise ValueError("What waits has an end of waiting.")
    majority = f"more than half of the {decision.count.active:,} active members support it"
    neighbour = candidate.not_before is not None and decision.waits_until == candidate.not_before
    if decision.due_at < decision.waits_until:
        too_late = (
            f"Its waiting time would end at {_at(decision.waits_until)}, but the vote ends at {_at(decision.due_at)}"
        )
        return f"{too_late}." if neighbour else f"{too_late}; before that it is approved once {majority}."
    end = f"It is approved at {_at(decision.waits_until)} if it still passes then"
    if neighbour:
        return f"{end}; a sentence beside it was approved, and its voters get the time to see that."
    return f"{end}, or as soon as {majority}."


def _what_it_needs(decision: Decision, unbeaten: Sequence[Bar], names: Mapping[int, str]) -> str:
    """The supporters that make it pass, or why no number of them does."""
    needs = _needs(decision.missing, decision, names)
    if unbeaten:
        free = _at(max(bar.until for bar in unbeaten))
        if needs:
            return f"It needs {needs}; from {free} it no longer has to beat another text."
        if decision.count.has_enough_people and decision.count.is_three_to_one:
            return f"No number of supporters beats that before {free}; if nothing changes it passes then."
        later = _needs(find_missing_supporters(decision.count, None), decision, names)
        if later:
            return f"No number of supporters beats that before {free}; from then on it needs {later}."
    if needs:
        return f"It needs {needs}."
    if not decision.count.active:
        return "Nobody is an active member yet, so nobody can vote on it."
    left = sum(line.left for line in decision.count.chapters)
    if not left:
        return "Every active member has voted for or against, so it passes only if some change their vote."
    everybody = f"the {left} active members who have" if left > 1 else "the one active member who has"
    return (
        f"Even {everybody} not voted for or against it could not make it pass; others would have to change their vote."
    )


def _needs(missing: Sequence[Missing], decision: Decision, names: Mapping[int, str]) -> str:
    """As in "2 more supporters from any chapter but North"; of several numbers, a way to make up the whole."""
    if not missing:
        return ""
    more = "" if decision.state == State.DRAFT else "more "
    total = sum(entry.count for entry in missing)
    whole = f"{total} {more}{_plural(total, 'supporter', 'supporters')}"
    lines = [line.chapter for line in decision.count.chapters]
    if len(missing) > _MOST_LISTED:
        most = max(missing, key=lambda entry: entry.count)
        return f"{whole} from {len(missing)} chapters, {most.count} of them{_places(most.chapters, lines, (), names)}"
    places: list[str] = []
    for number, entry in enumerate(missing):
        named = [chapter for before in missing[:number] for chapter in before.chapters]
        places.append(_places(entry.chapters, lines, named, names))
    if len(places) == 1:
        return f"{whole}{places[0]}"
    ways = [f"{entry.count}{place}" for entry, place in zip(missing, places, strict=True)]
    return f"{whole}; {_listed(ways, 'and')} would do"


def _places(
    chapters: Sequence[int | None], lines: Sequence[int | None], named: Sequence[int | None], names: Mapping[int, str]
) -> str:
    """The chapters in the fewest words, the ones named before left out by "other"."""
    left_out = [chapter for chapter in lines if chapter not in chapters]
    if len(lines) == 1:
        return ""
    if not left_out:
        return " from any chapter"
    if set(left_out) == set(named):
        return " from any other chapter"
    if len(left_out) < len(chapters):
        return f" from any chapter but {_listed([_name(chapter, names) for chapter in left_out], 'and')}"
    return f" from {_listed([_name(chapter, names) for chapter in chapters], 'or')}"


def _name(chapter: int | None, names: Mapping[int, str]) -> str:
    return "the members at large" if chapter is None else names.get(chapter, f"chapter {chapter}")


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _supporters(number: int) -> str:
    return f"{number} {_plural(number, 'supporter', 'supporters')}"


def _plural(number: int, one: str, many: str) -> str:
    return one if number == 1 else many


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _rounded(number: Fraction, *, up: bool) -> str:
    """Two decimals at most, rounded so that a comparison that holds for the fractions holds for what is printed."""
    hundredths = math.ceil(number * 100) if up else math.floor(number * 100)
    return f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".")


def _at(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{moment:%H:%M} UTC on {moment.day} {moment:%B %Y}"
