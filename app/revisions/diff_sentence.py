"""One sentence that says in words what changed between two texts, and in which sections."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.revisions.diff_words import Part

MAX_FACTS = 6
"""With more to say than this the sections are only counted, so that the sentence stays one."""

_PREPOSITION = {"added": "to", "removed": "from", "moved": "to", "replaced": "in", "changed": "in"}


@dataclass(frozen=True, slots=True)
class _Fact:
    """`before` units (words, sentences …) of one section became `after` units."""

    verb: str
    unit: str
    section: str
    before: int
    after: int


def sentence_of(parts: Sequence[Part]) -> str:
    """Such as "3 changes: 2 words replaced in Topline, 1 sentence added to Proof points."."""
    changed = [part for part in parts if part.change and not part.away and not part.minor]
    if not changed:
        return "No words changed."
    changes: dict[int, list[Part]] = {}
    for part in changed:
        changes.setdefault(part.change, []).append(part)
    facts = _summed(fact for change in changes.values() for fact in _facts(change))
    if len(facts) > MAX_FACTS:
        sections = {fact.section for fact in facts}
        said = [_said(fact) for fact in _summed(replace(fact, section="") for fact in facts)]
        place = f", in {len(sections)} sections" if len(sections) > 1 else ""
    else:
        has_sections = any(part.section for part in parts)
        said = [_said(fact) + (_where(fact) if has_sections else "") for fact in facts]
        place = ""
    start = f"{_count(len(changes), 'change')}: " if any(part.words for part in changed) else "No words changed; "
    return f"{start}{', '.join(said)}{place}."


def _facts(change: Sequence[Part]) -> Iterator[_Fact]:
    """What one change did: whole sentences, headings and lines, then single words."""
    section = change[0].section
    for unit in dict.fromkeys(part.unit for part in change if part.unit):
        ops = [part.op for part in change if part.unit == unit]
        before, after, moved = ops.count("delete"), ops.count("insert"), ops.count("move")
        both = min(before, after)
        for verb, number in (("moved", moved), ("replaced", both), ("removed", before - both), ("added", after - both)):
            if number:
                # A heading is not in the section that it names.
                yield _Fact(verb, unit, "" if unit == "heading" else section, number, number)
    words = [part for part in change if not part.unit and part.op != "move"]
    for at, part in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) and words[at + 1].op == "insert" else None
        if part.op == "delete":
            yield _word_fact(section, part, following)
        elif at == 0 or words[at - 1].op == "insert":
            yield _word_fact(section, None, part)


def _word_fact(section: str, removed: Part | None, added: Part | None) -> _Fact:
    before, after = removed.words if removed else 0, added.words if added else 0
    if before and after:
        return _Fact("replaced", "word", section, before, after)
    if before or after:
        return _Fact("removed" if before else "added", "word", section, before or after, before or after)
    blank = not any(part.text.strip() for part in (removed, added) if part)
    return _Fact("changed", "spacing" if blank else "punctuation", section, 1, 1)


def _summed(facts: Iterable[_Fact]) -> list[_Fact]:
    """Facts of one kind in one section added up, in the order in which they first come."""
    sums: dict[tuple[str, str, str], _Fact] = {}
    for fact in facts:
        key = (fact.verb, fact.unit, fact.section)
        known = sums.get(key)
        sums[key] = replace(fact, before=known.before + fact.before, after=known.after + fact.after) if known else fact
    return list(sums.values())


def _said(fact: _Fact) -> str:
    if fact.verb == "changed":
        return f"{fact.unit} changed"
    said = f"{_count(fact.before, fact.unit)} {fact.verb}"
    return said if fact.before == fact.after else f"{said} by {fact.after}"


def _where(fact: _Fact) -> str:
    if fact.unit == "heading":
        return ""
    return f" {_PREPOSITION[fact.verb]} {fact.section or 'the introduction'}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
