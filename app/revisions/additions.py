"""What two people added to one text: whether it still has a place, its order, and whether it stands there twice."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from app.revisions.align import align
from app.revisions.changes import MAX_COMPARED, Comparison, Hunk, Sentences, similarity
from app.revisions.notes import is_definition, misled_notes
from app.revisions.segments import UNSPACED, Kind
from app.revisions.weave import Conflict, Part, Places, Span
from app.words import _

SAME_THING = 600
"""From this similarity on, two additions of one spot say nearly the same."""
SAME_THING_ELSEWHERE = 800
"""The same for additions in different places."""
REMOTELY = 250
"""Below this similarity, a sentence is no rewording of another at all."""
LONG = 12
"""A block of so many words that both added is there once, wherever they put it; a shorter one within one section."""
TELLING = 3
"""A sentence with fewer words may stand twice."""


def home_of_addition(hunk: Hunk, compared: Comparison, side: int) -> int | str:
    """How many of the other side's new sentences an addition by side 1 (ours) or 2 (theirs) must stand before.

    That is none, unless the other replaced the passage before it by one with headings: the addition stays in its own
    section, before the first of them. Or why it has no place any more: a sentence in a block needs the sentence it was
    written next to; any other needs the heading it was written under, and a neighbour there that still stands or was
    replaced. Notes stand anywhere, and what brings a heading of its own needs none.
    """
    base, text = compared.base, compared.texts[side]
    gone = compared.gone[2 - side]
    if not hunk.inserts or not gone:
        return 0
    before_gone, after_gone = hunk.b0 - 1 in gone, hunk.b0 in gone
    if (before_gone and not text.opens[hunk.s0]) or (after_gone and _goes_on(text, hunk.s1)):
        return _("One side removed the sentence next to which the other added something.")
    if _brings_heading(text, hunk.s0) or all(is_definition(added) for added in text.texts[hunk.s0 : hunk.s1]):
        return 0
    above = bisect_left(compared.headings, hunk.b0)
    if above and compared.headings[above - 1] in gone:
        return _("One side removed the heading under which the other added something.")
    end = hunk.b0 == len(base.texts) or base.kinds[hunk.b0] is Kind.HEADING
    if not before_gone or not (after_gone or end):
        return 0
    other = compared.texts[3 - side]
    before = next(h for h in (compared.other, compared.mine)[side - 1] if h.b1 == hunk.b0 or h.b0 < hunk.b0 < h.b1)
    if before.b1 != hunk.b0 or before.deletes:
        return _("One side removed the passage after which the other added something.")
    return next((before.s1 - k for k in range(before.s0, before.s1) if _starts_section(other, k)), 0)


def _starts_section(text: Sentences, k: int) -> bool:
    """Whether sentence `k` is a heading, but not the page's title: a lone one of level 1."""
    if text.kinds[k] is not Kind.HEADING or _rank(text.texts[k]) > 1:
        return text.kinds[k] is Kind.HEADING
    return sum(kind is Kind.HEADING and _rank(key) == 1 for kind, key in zip(text.kinds, text.texts, strict=True)) > 1


def was_reshaped(hunk: Hunk, compared: Comparison, side: int, start: int) -> bool:
    """Whether the other side, where its sentence `start` is the change's first, split or joined the paragraph there.

    A block of its own goes well between the two halves of what the other split.
    """
    base, text, other = compared.base, compared.texts[side], compared.texts[3 - side]
    if hunk.reworded:
        return False
    whole = hunk.inserts and text.opens[hunk.s0] and not _goes_on(text, hunk.s1)
    return any(
        _goes_on(base, g) != _goes_on(other, start + g - hunk.b0)
        and (_goes_on(other, start + g - hunk.b0) or not whole)
        for g in range(hunk.b0, hunk.b1 + 1)
    )


def _brings_heading(text: Sentences, k: int) -> bool:
    """Whether sentence `k` is a heading, or meant as one: many forget the space after the marks."""
    return text.kinds[k] is Kind.HEADING or text.texts[k].startswith("##")


def removes_what_is_gone(rewrite: Hunk, removals: Sequence[Hunk], compared: Comparison, side: int) -> bool:
    """Whether all that one side removed is part of a longer passage that side 1 or 2 replaced by something else.

    Something else: no new sentence says even remotely the same as a removed one.
    """
    if rewrite.reworded or rewrite.inserts or not all(hunk.deletes for hunk in removals):
        return False
    if not all(rewrite.b0 <= hunk.b0 and hunk.b1 <= rewrite.b1 for hunk in removals):
        return False
    gone = [i for hunk in removals for i in range(hunk.b0, hunk.b1)]
    size = rewrite.s1 - rewrite.s0
    if len(gone) == rewrite.b1 - rewrite.b0 or len(gone) * size > MAX_COMPARED:
        return False
    new = [compared.bag(key) for key in compared.texts[side].keys[rewrite.s0 : rewrite.s1]]
    return all(similarity(compared.bag(compared.base.keys[i]), words) < REMOTELY for i in gone for words in new)


def _goes_on(text: Sentences, k: int) -> bool:
    """Whether sentence `k` exists and belongs to the block of the one before it."""
    return k < len(text.texts) and not text.opens[k]


def order_additions(compared: Comparison, ours: Span, theirs: Span) -> list[Part] | str:
    """Both sides' additions at one spot, or why a person must order them.

    What both added is there once. Of the rest theirs stands first, as the older, except where that would tear a block
    apart or move text under another heading: a sentence that goes on with the block before it, text before a heading,
    and a deeper heading before a higher one come first, a sentence that goes on in the block after it comes last.
    """
    t_text = compared.theirs
    if _nearly_same(compared, ours, theirs):
        return _("Both sides added nearly the same here.")
    common = _common(compared.ours.keys[slice(*ours)], t_text.keys[slice(*theirs)])
    pairs = [(ours[0] + i, theirs[0] + j) for i, j in common]
    parts: list[Part] = []
    o, t = ours[0], theirs[0]
    for i, j in [*pairs, (ours[1], theirs[1])]:
        stretch = _order_stretch(compared, (o, i), (t, j))
        if stretch is None:
            return _("Both sides added something here, and either order would tear the other's text apart.")
        parts += stretch
        if i < ours[1]:
            places = Places(None, (i, i + 1), (j, j + 1))
            parts.append(Part(t_text.texts[j], places, t_text.kinds[j], t_text.opens[j], t_text.kinds[j]))
        o, t = i + 1, j + 1
    return parts


def _common(ours: list[str], theirs: list[str]) -> list[tuple[int, int]]:
    """What both added, aligned; the same whichever of the two is called ours, though several alignments be as long."""
    if ours <= theirs:
        return align(ours, theirs)
    return [(i, j) for j, i in align(theirs, ours)]


def _nearly_same(compared: Comparison, ours: Span, theirs: Span) -> bool:
    """Whether a sentence of one addition says nearly what one of the other says, in other words."""
    o_keys, t_keys = compared.ours.keys[slice(*ours)], compared.theirs.keys[slice(*theirs)]
    if len(o_keys) * len(t_keys) > MAX_COMPARED:
        return True
    o_bags = [compared.bag(key) for key in o_keys if key not in t_keys]
    t_bags = [compared.bag(key) for key in t_keys if key not in o_keys]
    return any(
        len(one) >= TELLING and len(two) >= TELLING and similarity(one, two) >= SAME_THING
        for one in o_bags
        for two in t_bags
    )


def _order_stretch(compared: Comparison, ours: Span, theirs: Span) -> list[Part] | None:
    """Two additions without a common sentence, in order; None if neither may come first."""
    o_head, o_rest = _at_heading(compared.ours, ours)
    t_head, t_rest = _at_heading(compared.theirs, theirs)
    first = _first(compared, o_head, t_head)
    if first is None:
        return None
    parts = _listed(compared, o_head, t_head, first)
    o_level, t_level = _level(compared.ours, o_rest), _level(compared.theirs, t_rest)
    ends = _section_ends_before(compared.ours, ours[1]) and _section_ends_before(compared.theirs, theirs[1])
    if o_level and t_level and not ends:
        return None
    return parts + _listed(compared, o_rest, t_rest, 1 if o_level > t_level else 2)


def _first(compared: Comparison, ours: Span, theirs: Span) -> int | None:
    """Which side's addition comes first, 1 (ours) or 2 (theirs); None if neither may."""
    if ours[0] == ours[1] or theirs[0] == theirs[1]:
        return 2
    o_after, t_after = not compared.ours.opens[ours[0]], not compared.theirs.opens[theirs[0]]
    o_before, t_before = _goes_on(compared.ours, ours[1]), _goes_on(compared.theirs, theirs[1])
    ours_first = (o_after and not t_after) or (t_before and not o_before)
    theirs_first = (t_after and not o_after) or (o_before and not t_before)
    if ours_first and theirs_first:
        return None
    return 1 if ours_first else 2


def _at_heading(text: Sentences, span: Span) -> tuple[Span, Span]:
    """The span cut before its first heading."""
    cut = next((k for k in range(*span) if text.kinds[k] is Kind.HEADING), span[1])
    return (span[0], cut), (cut, span[1])


def _level(text: Sentences, span: Span) -> int:
    """The level of the heading that the span starts with; 0 if it is empty."""
    return 0 if span[0] == span[1] else _rank(text.texts[span[0]])


def _rank(heading: str) -> int:
    """The level of a heading."""
    heading = heading.lstrip()
    marks = len(heading) - len(heading.lstrip("#"))
    return marks or (1 if heading.endswith("=") else 2)


def _section_ends_before(text: Sentences, k: int) -> bool:
    """Whether sentence `k` starts a section of its own or is a note, so that no new heading above takes it in."""
    return k == len(text.texts) or text.kinds[k] is Kind.HEADING or is_definition(text.texts[k])


def _listed(compared: Comparison, ours: Span, theirs: Span, first: int) -> list[Part]:
    parts = []
    for side in (first, 3 - first):
        text = compared.texts[side]
        for k in range(*(ours, theirs)[side - 1]):
            places = Places(None, (k, k + 1), None) if side == 1 else Places(None, None, (k, k + 1))
            parts.append(Part(text.texts[k], places, text.kinds[k], text.opens[k], text.kinds[k]))
    return parts


def ask_about_doubles(parts: Sequence[Part], compared: Comparison) -> list[Part]:
    """The parts, with a conflict in place of each that would say again, or wrongly, what the merged text says already.

    That is: a sentence more often there than in any of the three texts, an addition by ours that says nearly the same
    as one by theirs, a new wording, in another place, of what both removed, and notes (see `misled_notes`). A block
    that both added to one section, or a long one that both added anywhere, stands where theirs has it.
    """
    dropped = _added_elsewhere(parts, compared)
    result = [part for k, part in enumerate(parts) if k not in dropped]
    for k, reason in [*_too_often(result, compared), *_said_again(result, compared), *misled_notes(result, compared)]:
        part = result[k]
        if isinstance(part.content, Conflict):
            continue
        base, ours, theirs = (
            "" if span is None else text.between(*span)
            for text, span in zip(compared.texts, part.places.each(), strict=True)
        )
        result[k] = replace(part, content=Conflict(base, ours, theirs, reason))
    return result


def _added_elsewhere(parts: Sequence[Part], compared: Comparison) -> set[int]:
    """The parts of ours that are blocks which theirs added in another place: of the same section, or long ones."""
    ours, theirs = compared.ours, compared.theirs
    standing = {
        theirs.keys[part.places.theirs[0]] for part in parts if _added_by(part, 2) and part.places.theirs is not None
    }
    standing -= set(compared.base.keys)  # what both moved, each elsewhere, is for a person to place
    here = set(zip(theirs.sections, theirs.blocks, strict=True))
    twice: set[int] = set()
    for at, (section, block) in enumerate(zip(ours.sections, ours.blocks, strict=True)):
        sentences = range(ours.starts[at], ours.starts[at + 1])
        if any(ours.keys[k] not in standing for k in sentences):
            continue
        # Two characters make about a word where words are not told apart.
        words = sum(0.5 if UNSPACED.match(word) else 1 for word, _ in compared.bag(block[1]))
        # A heading of ours would be left with nothing under it.
        bare = at > 0 and ours.blocks[at - 1][0] is Kind.HEADING
        if (words >= LONG and not bare) or (words >= TELLING and (section, block) in here):
            twice.update(sentences)
    return {
        k for k, part in enumerate(parts) if _added_by(part, 1) and part.places.ours and part.places.ours[0] in twice
    }


def _too_often(parts: Sequence[Part], compared: Comparison) -> list[tuple[int, str]]:
    keys = [" ".join(part.content.split()) if isinstance(part.content, str) else "" for part in parts]
    counted = Counter(keys)
    most = Counter(compared.base.keys) | Counter(compared.ours.keys) | Counter(compared.theirs.keys)
    sections = {key for key, part in zip(keys, parts, strict=True) if part.kind is Kind.HEADING and _rank(key) <= 2}
    doubled = {
        key
        for key, n in counted.items()
        if key and n > max(most[key], 1) and (key in sections or len(compared.bag(key)) >= TELLING)
    }
    changed = [k for k, key in enumerate(keys) if key in doubled and not _is_unchanged(parts[k], key, compared)]
    # One of the two goes on standing, so that no choice can lose both.
    asked = [k for k in changed if parts[k].places.theirs is None] or changed
    return [(k, _("Both sides put this sentence in, in different places; it would stand there twice.")) for k in asked]


def _is_unchanged(part: Part, key: str, compared: Comparison) -> bool:
    return part.places.base is not None and compared.base.keys[part.places.base[0]] == key


def _said_again(parts: Sequence[Part], compared: Comparison) -> list[tuple[int, str]]:
    ours, theirs = (
        [(k, compared.bag(p.content)) for k, p in enumerate(parts) if isinstance(p.content, str) and _added_by(p, side)]
        for side in (1, 2)
    )
    removed = [compared.bag(compared.base.keys[i]) for i in sorted(compared.gone[0] & compared.gone[1])]
    found = [
        (k, _("One side removed this, the other moved or rewrote it."))
        for k, words in ours + theirs
        if words in removed
        or any(1_000 * len(words & old) >= SAME_THING * max(min(len(words), len(old)), TELLING) for old in removed)
    ]
    for k, part in enumerate(parts if removed else ()):
        new = _new_words(part, compared)
        if any(len(old) >= TELLING and 2 * len(new & old) >= len(old) for old in removed):
            found.append((k, _("One side removed a sentence that the other made part of this one.")))
    if len(ours) * len(theirs) > MAX_COMPARED:
        theirs = []
    return found + [
        (k, _("The other side added nearly the same in another place."))
        for k, words in ours
        if any(
            min(len(words), len(new)) >= TELLING and similarity(words, new) >= SAME_THING_ELSEWHERE for _, new in theirs
        )
    ]


def _new_words(part: Part, compared: Comparison) -> frozenset[tuple[str, int]]:
    """The words that a reworded sentence did not have in the base."""
    if not isinstance(part.content, str) or part.places.base is None:
        return frozenset()
    before = compared.base.texts[part.places.base[0]]
    return frozenset() if part.content == before else compared.bag(part.content) - compared.bag(before)


def _added_by(part: Part, side: int) -> bool:
    places = part.places
    return places.base is None and places.each()[side] is not None and places.each()[3 - side] is None
