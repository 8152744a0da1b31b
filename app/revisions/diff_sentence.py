"""One sentence that says in words what changed between two texts, and in which sections."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.revisions.diff_words import Part
from app.words import N_, Nn_, _, _n

MAX_FACTS = 6
"""With more to say than this the sections are only counted, so that the sentence stays one."""

_SAID = {
    ("added", "word"): Nn_("{n:,} word added", "{n:,} words added"),
    ("removed", "word"): Nn_("{n:,} word removed", "{n:,} words removed"),
    ("replaced", "word"): Nn_("{n:,} word replaced", "{n:,} words replaced"),
    ("added", "sentence"): Nn_("{n:,} sentence added", "{n:,} sentences added"),
    ("removed", "sentence"): Nn_("{n:,} sentence removed", "{n:,} sentences removed"),
    ("moved", "sentence"): Nn_("{n:,} sentence moved", "{n:,} sentences moved"),
    ("replaced", "sentence"): Nn_("{n:,} sentence replaced", "{n:,} sentences replaced"),
    ("added", "heading"): Nn_("{n:,} heading added", "{n:,} headings added"),
    ("removed", "heading"): Nn_("{n:,} heading removed", "{n:,} headings removed"),
    ("moved", "heading"): Nn_("{n:,} heading moved", "{n:,} headings moved"),
    ("replaced", "heading"): Nn_("{n:,} heading replaced", "{n:,} headings replaced"),
    ("added", "table row"): Nn_("{n:,} table row added", "{n:,} table rows added"),
    ("removed", "table row"): Nn_("{n:,} table row removed", "{n:,} table rows removed"),
    ("moved", "table row"): Nn_("{n:,} table row moved", "{n:,} table rows moved"),
    ("replaced", "table row"): Nn_("{n:,} table row replaced", "{n:,} table rows replaced"),
    ("added", "line"): Nn_("{n:,} line added", "{n:,} lines added"),
    ("removed", "line"): Nn_("{n:,} line removed", "{n:,} lines removed"),
    ("moved", "line"): Nn_("{n:,} line moved", "{n:,} lines moved"),
    ("replaced", "line"): Nn_("{n:,} line replaced", "{n:,} lines replaced"),
    ("changed", "spacing"): Nn_("spacing changed", "spacing changed"),
    ("changed", "punctuation"): Nn_("punctuation changed", "punctuation changed"),
}
_PLACED = {
    "added": N_("{change} to {section}"),
    "removed": N_("{change} from {section}"),
    "moved": N_("{change} to {section}"),
    "replaced": N_("{change} in {section}"),
    "changed": N_("{change} in {section}"),
}


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
        return _("No words changed.")
    changes: dict[int, list[Part]] = {}
    for part in changed:
        changes.setdefault(part.change, []).append(part)
    said = _listed(_summed(fact for change in changes.values() for fact in _facts(change)), parts)
    if not any(part.words for part in changed):
        return _("No words changed; {changes}.").format(changes=said)
    return _n("{n:,} change: {changes}.", "{n:,} changes: {changes}.", len(changes)).format(
        n=len(changes), changes=said
    )


def _listed(facts: Sequence[_Fact], parts: Sequence[Part]) -> str:
    """The facts with commas between, each with its section where the text has any and there are few to say."""
    if len(facts) <= MAX_FACTS:
        has_sections = any(part.section for part in parts)
        return _(", ").join(_placed(fact) if has_sections else _said(fact) for fact in facts)
    sections = {fact.section for fact in facts}
    said = _(", ").join(_said(fact) for fact in _summed(replace(fact, section="") for fact in facts))
    if len(sections) == 1:
        return said
    return _n("{changes}, in {n} section", "{changes}, in {n} sections", len(sections)).format(
        changes=said, n=len(sections)
    )


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
    said = _n(*_SAID[fact.verb, fact.unit], fact.before).format(n=fact.before)
    return said if fact.before == fact.after else _("{change} by {n}").format(change=said, n=fact.after)


def _placed(fact: _Fact) -> str:
    if fact.unit == "heading":
        return _said(fact)
    return _(_PLACED[fact.verb]).format(change=_said(fact), section=fact.section or _("the introduction"))
