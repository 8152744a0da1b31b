"""A decision in plain sentences: how it stands, why, and what would change it."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction

from app.consensus.facts import Bar, CandidateFacts, CurrentFacts, Decision, State
from app.consensus.missing import Missing, find_missing_supporters
from app.consensus.tallies import Count
from app.words import N_, _, _n, day_in_words

_STATES = {
    State.DRAFT: N_("Nobody has voted on this text yet."),
    State.COLLECTING: N_("This text is not approved."),
    State.WAITING: N_("This text passes, and waits to be approved."),
    State.APPROVED: N_("This text is approved."),
    State.UNPROMOTED: N_("This text was approved once, and lost its approval."),
    State.DECLINED: N_("This text was declined."),
    State.STALE: N_("This change no longer fits the approved text."),
    State.CONTESTED: N_("This text is approved, but contested."),
    State.ON_HOLD: N_("A moderator has stopped this text for now."),
    State.EXPIRED: N_("The vote on this text ended without a decision."),
    State.WITHDRAWN: N_("This text was withdrawn."),
    State.SUPERSEDED: N_("The approved text already says what this text changes."),
}
_AHEAD = N_("This text is ahead, but not approved.")

_MOST_LISTED = 4
"""Numbers with their chapters in one sentence; the decision itself holds them all."""

_WAYS_ON = {
    State.APPROVED: N_("Another text takes its place when that one passes by the same rule."),
    State.UNPROMOTED: N_("It can be put to the vote again as a new change."),
    State.DECLINED: N_("Change the text and it can be put to the vote again."),
    State.STALE: N_(
        "More supporters cannot help; it is put to a new vote once somebody merges it with the approved text."
    ),
    State.CONTESTED: N_("It stays until another text passes by the same rule."),
    State.ON_HOLD: N_("Votes go on counting, but no number of supporters approves it before the stop ends."),
    State.EXPIRED: N_("It can be opened again; the members and the votes are then counted anew."),
    State.WITHDRAWN: N_("More supporters cannot help; its owner, or a new vote, can bring it back."),
    State.SUPERSEDED: N_("There is nothing left to decide."),
}


def explain(
    decision: Decision, candidate: CandidateFacts, current: CurrentFacts, now: datetime, names: Mapping[int, str]
) -> tuple[str, str, str]:
    """The three sentences the page shows: state, why, what would change it."""
    unbeaten = [bar for bar in current.bars if now < bar.until and decision.score <= bar.score]
    if decision.state == State.WAITING:
        way_on = _when_it_ends(decision, candidate, current)
    elif decision.state in (State.COLLECTING, State.DRAFT):
        way_on = _what_it_needs(decision, unbeaten, names)
    else:
        way_on = _(_WAYS_ON[decision.state])
    if candidate.in_force and decision.state == State.APPROVED:
        way_on = _what_takes_it_away(decision.count)
    if decision.lost_at is not None and not decision.falls:
        way_on = _("{way_on} {warning}").format(way_on=_what_it_may_lose(decision, candidate), warning=way_on)
    elif candidate.in_force and candidate.unconfirmed_until is not None and not decision.is_confirmed:
        way_on = _when_it_goes_back(candidate.unconfirmed_until)
    elif decision.state == State.CONTESTED and decision.waits_until is not None:
        way_on = _("It is approved again at {end} if it still passes then.").format(end=_at(decision.waits_until))
    return _state(decision), candidate.because or _why(decision, unbeaten, names), way_on


def _what_it_may_lose(decision: Decision, candidate: CandidateFacts) -> str:
    if decision.lost_at is None:
        raise ValueError("What may be lost is lost at a moment.")
    if not candidate.in_force:
        return when_declined(decision.lost_at)
    said = _("So many are against it that it loses its approval at {end}, unless votes change before that.")
    return said.format(end=_at(decision.lost_at))


def when_declined(at: datetime) -> str:
    """What is said of a text that is about to be declined, whether it fits the approved text or not."""
    said = _("So many are against it that it is declined at {end}, unless votes change before that.")
    return said.format(end=_at(at))


def _what_takes_it_away(count: Count) -> str:
    least = -(-count.need // 3)
    return _n(
        "Another text takes its place when that one passes by the same rule. It loses its approval when at least {n} "
        "is against it, and fewer than two for every one against support it, through the waiting time.",
        "Another text takes its place when that one passes by the same rule. It loses its approval when at least {n} "
        "are against it, and fewer than two for every one against support it, through the waiting time.",
        least,
    ).format(n=least)


def _when_it_goes_back(until: datetime) -> str:
    return _(
        "It was approved in rapid mode: the text before it comes back at {end}, unless this one passes for the whole "
        "routine waiting time before that."
    ).format(end=_at(until))


def _state(decision: Decision) -> str:
    if decision.state == State.COLLECTING and decision.support > decision.oppose:
        return _(_AHEAD)
    return _(_STATES[decision.state])


def _why(decision: Decision, unbeaten: Sequence[Bar], names: Mapping[int, str]) -> str:
    """What it has and what it lacks."""
    count = decision.count
    if decision.state == State.STALE:
        return _("The same sentences were changed by an approval after this change was begun.")
    if decision.state == State.DRAFT:
        return _what_is_asked(count)
    clauses = [_votes(count)]
    if not count.has_enough_people:
        clauses.append(_reached(count, names))
    if not count.is_three_to_one:
        clauses.append(_ratio(count))
    if len(clauses) == 1:
        clauses.append(_enough(count))
    if unbeaten and decision.state in (State.COLLECTING, State.ON_HOLD):
        clauses.append(_behind(decision.score, max(unbeaten, key=lambda bar: bar.score)))
    return _("{clauses}.").format(clauses=_capital("; ".join(clauses)))


def _what_is_asked(count: Count) -> str:
    asked, most = _supporters(count.need), max((line.cap for line in count.chapters), default=count.need)
    if most < count.need:
        return _(
            "It needs {supporters}, and at least three for every one against; no chapter counts for more than {most}."
        ).format(supporters=asked, most=most)
    return _("It needs {supporters}, and at least three for every one against.").format(supporters=asked)


def _votes(count: Count) -> str:
    if not count.supporters and not count.opposers:
        return _("no vote for or against it counts yet")
    for_it = _n("{n} person supports it", "{n} people support it", count.supporters).format(n=count.supporters)
    against_it = _n("{n} is against", "{n} are against", count.opposers).format(n=count.opposers)
    return _("{some_for_it} and {some_against_it}").format(
        some_for_it=for_it if count.supporters else _("no people support it"),
        some_against_it=against_it if count.opposers else _("nobody is against"),
    )


def _enough(count: Count) -> str:
    counting = _n("{n} supporter counts", "{n} supporters count", count.reach).format(n=count.reach)
    needed = _n("where {n} is needed", "where {n} are needed", count.need).format(n=count.need)
    return _("{supporters_count} {where_so_many_are_needed}, with at least three for every one against").format(
        supporters_count=counting, where_so_many_are_needed=needed
    )


def _reached(count: Count, names: Mapping[int, str]) -> str:
    reached = _n("{n} of the {supporters} needed counts", "{n} of the {supporters} needed count", count.reach).format(
        n=count.reach, supporters=_supporters(count.need)
    )
    capped = [line for line in count.chapters if line.counted < line.votes.support]
    if not capped:
        return reached
    limits = [_("{n} from {chapter}").format(n=line.cap, chapter=_name(line.chapter, names)) for line in capped]
    return _("{so_many_count}, because no more than {limits} can").format(so_many_count=reached, limits=_all_of(limits))


def _ratio(count: Count) -> str:
    if all(line.cast <= line.cap for line in count.chapters):
        return _("that is less than three for every one against")
    return _(
        "with chapters over their limit scaled down to it, {support} for and {oppose} against is less than three to one"
    ).format(support=_rounded(count.support, up=False), oppose=_rounded(count.oppose, up=True))


def _behind(score: Fraction, bar: Bar) -> str:
    if score == bar.score:
        same = _("it scores the same as {text}, approved for the same sentences, and then the current text stays")
        return same.format(text=bar.text)
    return _("it scores {ours}, and has to beat the {theirs} of {text}, approved for the same sentences").format(
        ours=_rounded(score, up=False), theirs=_rounded(bar.score, up=True), text=bar.text
    )


def _when_it_ends(decision: Decision, candidate: CandidateFacts, current: CurrentFacts) -> str:
    """The end of the waiting, and the way to shorten it where there is one."""
    if decision.waits_until is None or decision.due_at is None:
        raise ValueError("What waits has an end of waiting.")
    neighbour = candidate.not_before is not None and decision.waits_until == candidate.not_before
    if decision.due_at < decision.waits_until:
        said = (
            _("Its waiting time would end at {end}, but the vote ends at {vote_end}.")
            if neighbour
            else _(
                "Its waiting time would end at {end}, but the vote ends at {vote_end}; before that it is approved once "
                "more than half of the {active:,} active members support it."
            )
        )
    elif decision.waits_until == current.losing_until:
        said = _(
            "It is approved at {end} if it still passes then; until that time so many are against the approved text "
            "that nothing else is approved here."
        )
    elif neighbour:
        said = _(
            "It is approved at {end} if it still passes then; a sentence beside it was approved, and its voters get "
            "the time to see that."
        )
    else:
        said = _(
            "It is approved at {end} if it still passes then, or as soon as more than half of the {active:,} active "
            "members support it."
        )
    return said.format(end=_at(decision.waits_until), vote_end=_at(decision.due_at), active=decision.count.active)


def _what_it_needs(decision: Decision, unbeaten: Sequence[Bar], names: Mapping[int, str]) -> str:
    """The supporters that make it pass, or why no number of them does."""
    needs, count = _needs(decision.missing, decision, names), decision.count
    if unbeaten:
        free = _at(max(bar.until for bar in unbeaten))
        if needs:
            return _("It needs {supporters}; from {time} it no longer has to beat another text.").format(
                supporters=needs, time=free
            )
        if count.has_enough_people and count.is_three_to_one:
            return _("No number of supporters beats that before {time}; if nothing changes it passes then.").format(
                time=free
            )
        later = _needs(find_missing_supporters(count, None), decision, names)
        if later:
            return _("No number of supporters beats that before {time}; from then on it needs {supporters}.").format(
                time=free, supporters=later
            )
    if needs:
        return _("It needs {supporters}.").format(supporters=needs)
    if not count.active:
        return _("Nobody is an active member yet, so nobody can vote on it.")
    left = sum(line.left for line in count.chapters)
    if not left:
        return _("Every active member has voted for or against, so it passes only if some change their vote.")
    return _n(
        "Even the one active member who has not voted for or against it could not make it pass; others would have to "
        "change their vote.",
        "Even the {n} active members who have not voted for or against it could not make it pass; others would have to "
        "change their vote.",
        left,
    ).format(n=left)


def _needs(missing: Sequence[Missing], decision: Decision, names: Mapping[int, str]) -> str:
    """As in "2 more supporters from any chapter but North"; of several numbers, a way to make up the whole."""
    if not missing:
        return ""
    total = sum(entry.count for entry in missing)
    whole = _supporters(total) if decision.state == State.DRAFT else _more_supporters(total)
    lines = [line.chapter for line in decision.count.chapters]
    if len(missing) > _MOST_LISTED:
        most = max(missing, key=lambda entry: entry.count)
        many = _from(_("{n} of them").format(n=most.count), _places(most.chapters, lines, (), names))
        return _("{supporters} from {n} chapters, {many_of_them}").format(
            supporters=whole, n=len(missing), many_of_them=many
        )
    places: list[str] = []
    for number, entry in enumerate(missing):
        named = [chapter for before in missing[:number] for chapter in before.chapters]
        places.append(_places(entry.chapters, lines, named, names))
    if len(places) == 1:
        return _from(whole, places[0])
    ways = [_from(str(entry.count), place) for entry, place in zip(missing, places, strict=True)]
    return _("{supporters}; {ways} would do").format(supporters=whole, ways=_all_of(ways))


def _from(number: str, places: str) -> str:
    return _("{so_many} from {chapters}").format(so_many=number, chapters=places) if places else number


def _places(
    chapters: Sequence[int | None], lines: Sequence[int | None], named: Sequence[int | None], names: Mapping[int, str]
) -> str:
    """The chapters in the fewest words, the ones named before left out by "other"."""
    left_out = [chapter for chapter in lines if chapter not in chapters]
    if len(lines) == 1:
        return ""
    if not left_out:
        return _("any chapter")
    if set(left_out) == set(named):
        return _("any other chapter")
    if len(left_out) < len(chapters):
        return _("any chapter but {chapters}").format(chapters=_all_of([_name(chapter, names) for chapter in left_out]))
    return _joined([_name(chapter, names) for chapter in chapters], _("{others} or {last}"))


def _name(chapter: int | None, names: Mapping[int, str]) -> str:
    if chapter is None:
        return _("the members at large")
    return names.get(chapter) or _("chapter {number}").format(number=chapter)


def _all_of(words: Sequence[str]) -> str:
    return _joined(words, _("{others} and {last}"))


def _joined(words: Sequence[str], with_last: str) -> str:
    others = _(", ").join(words[:-1])
    return with_last.format(others=others, last=words[-1]) if others else words[-1]


def _supporters(number: int) -> str:
    return _n("{n} supporter", "{n} supporters", number).format(n=number)


def _more_supporters(number: int) -> str:
    return _n("{n} more supporter", "{n} more supporters", number).format(n=number)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _rounded(number: Fraction, *, up: bool) -> str:
    """Two decimals at most, rounded so that a comparison that holds for the fractions holds for what is printed."""
    hundredths = math.ceil(number * 100) if up else math.floor(number * 100)
    return f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".")


def _at(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return _("{time} UTC on {day}").format(time=f"{moment:%H:%M}", day=day_in_words(moment))
