"""A change cut by section: all parts together are the change, whatever was added, removed, renamed or moved."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.consensus import cutting
from app.consensus.carry import Carried, carry
from app.consensus.cutting import MOST_PARTS, Part, count_blocks, cut
from app.pages.text import normalise

NUMBERS = range(6)


def section(number: int) -> str:
    return (
        f"## Part {number}\n\nThe first sentence of part {number} is here. Another one of {number} follows.\n\n"
        f"- Item one of part {number} is long.\n- Item two of part {number} is long.\n"
    )


BASE = "# Homes\n\nA few words before all parts.\n\n" + "\n".join(section(number) for number in NUMBERS)


def rewritten(text: str, numbers: Iterable[int] = NUMBERS) -> str:
    """Three blocks of each part in other words."""
    for n in numbers:
        text = text.replace(f"first sentence of part {n} is", f"opening line of part {n} was")
        text = text.replace(f"one of part {n} is long", f"one of part {n} is short")
        text = text.replace(f"two of part {n} is long", f"two of part {n} is brief")
    return text


def titles(parts: list[Part]) -> list[tuple[str, ...]]:
    return [part.titles for part in parts]


def together(base: str, parts: list[Part]) -> str:
    """What stands when the parts are approved one after the other, each carried onto those before."""
    made = parts[0].text
    for part in parts[1:]:
        outcome = carry(base, part.text, made)
        assert isinstance(outcome, Carried)
        made = outcome.text
    return made


def check(base: str, text: str) -> list[Part]:
    parts = cut(base, text)
    assert together(base, parts) == together(base, parts[::-1]) == text
    assert base == text or base not in [part.text for part in parts]
    return parts


def test_each_section_is_a_part_that_leaves_all_others_as_they_are() -> None:
    parts = check(BASE, rewritten(BASE))
    assert titles(parts) == [(f"Part {n}",) for n in NUMBERS]
    assert [part.text for part in parts] == [rewritten(BASE, [n]) for n in NUMBERS]
    assert [(part.blocks, part.moves) for part in parts] == [(3, False)] * 6


@pytest.mark.parametrize(
    ("base", "text", "found"),
    [
        (BASE, BASE, 0),
        (BASE, rewritten(BASE, [1]), 3),
        (BASE, BASE.replace("A few words", "Some words"), 1),
        (BASE, BASE + "\nA paragraph.\n", 1),
        (BASE, BASE.replace(section(2) + "\n", ""), 4),
        (BASE, "\n".join([BASE.replace(section(0) + "\n", ""), section(0)]), 4),
        (BASE, BASE.replace(section(3), "Nothing of it is left but a word.\n"), 4),
        ("", BASE, 26),
    ],
    ids=["none", "altered", "before all", "added", "removed", "moved", "replaced", "all new"],
)
def test_what_a_change_touches_is_counted_in_blocks(base: str, text: str, found: int) -> None:
    assert count_blocks(base, text) == found


def test_sections_that_come_go_or_get_another_name_are_parts_of_their_own() -> None:
    text = rewritten(BASE, [0, 5]).replace("## Part 2", "## Part two").replace(section(3) + "\n", "")
    news = "\n## News\n\nThese words are new here.\n\n## More\n\nSo are these.\n"
    text = text.replace(section(4), section(4) + news)
    assert titles(check(BASE, text)) == [("Part 0",), ("Part two",), ("Part 3",), ("News", "More"), ("Part 5",)]


def test_what_stands_before_the_first_heading_is_a_part_without_a_title() -> None:
    base = "Words before it all.\n\n" + section(0) + "\n" + section(1)
    text = rewritten(base).replace("Words before", "A word before")
    assert titles(check(base, text)) == [("",), ("Part 0",), ("Part 1",)]


def test_sections_that_change_places_stay_in_one_part_and_say_so() -> None:
    order = [0, 4, 2, 3, 1, 5]
    text = rewritten("# Homes\n\nA few words before all parts.\n\n" + "\n".join(section(number) for number in order))
    parts = check(BASE, text)
    moved = [part for part in parts if part.moves]
    assert len(moved) == 1
    assert {"Part 1", "Part 4"} <= set(moved[0].titles)
    assert len(parts) >= 3, "the others are parts of their own all the same"


def test_of_very_many_sections_the_last_part_holds_the_rest() -> None:
    many = range(30)
    base = "\n".join(section(number) for number in many)
    parts = check(base, rewritten(base, reversed(many)))
    assert len(parts) == MOST_PARTS
    assert len(parts[-1].titles) == 30 - MOST_PARTS + 1


def test_what_would_take_long_to_cut_stays_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    order = Random(4)
    was = [[f"Paragraph {order.randrange(60)} of words that say it." for _ in range(10)] for _ in range(12)]
    now = [[*paragraphs] for paragraphs in was]
    for _ in range(20):  # paragraphs that stand more than once and change places
        taken = order.choice([paragraphs for paragraphs in now if len(paragraphs) > 1])
        order.choice(now).insert(0, taken.pop())
    base, text = (
        "\n\n".join(f"## Part {n}\n\n" + "\n\n".join(paragraphs) for n, paragraphs in enumerate(parts))
        for parts in (was, now)
    )
    assert len(check(base, text)) > 1
    monkeypatch.setattr(cutting, "MOST_TRIED", 12 * 260)
    assert [part.text for part in cut(base, text)] == [text]


def test_what_is_in_one_section_or_cannot_be_cut_is_one_part() -> None:
    lone = "## Only\n\n" + "\n\n".join(f"Paragraph number {n} says this." for n in range(12)) + "\n"
    assert check(lone, lone.replace("says this", "says that"))[0].text == lone.replace("says this", "says that")
    assert len(cut(lone, lone.replace("says this", "says that"))) == 1
    assert len(cut("", BASE)) == 1
    fence = BASE.replace("Another one of 1 follows.", "```\nopen").replace("Another one of 4", "Also one of 4")
    check(BASE, fence)


def test_a_change_of_empty_lines_alone_goes_with_its_neighbour() -> None:
    text = rewritten(BASE, [0, 2]).replace("\n\n## Part 2", "\n\n\n\n## Part 2").rstrip("\n")
    assert titles(check(BASE, text)) == [("Part 0",), ("Part 2",)]
    assert "\n\n\n\n## Part 2" in cut(BASE, text)[1].text


WORDS = st.sampled_from(["homes", "rents", "wages", "trams", "fares", "schools", "meals", "nights", "parks", "trees"])
LINE = st.lists(WORDS, min_size=1, max_size=5).map(lambda words: " ".join(words).capitalize() + ".")
BLOCK = st.one_of(
    LINE,
    LINE.map(lambda line: f"- {line}"),
    st.tuples(LINE, LINE).map(" ".join),
    st.just("```\ncode here\n```"),
    st.just("| a | b |\n|---|---|\n| c | d |"),
    LINE.map(lambda line: f"### {line}"),
)
HEADING = st.sampled_from(["## Topline", "## Key points", "## Story", "# Housing", "Speech\n---", "## Topline"])
GAP = st.sampled_from(["\n\n", "\n\n", "\n\n", "\n", "\n\n\n", " \n\n"])
SECTION = st.tuples(HEADING, st.lists(st.tuples(GAP, BLOCK), max_size=4))


def written(sections: list[tuple[str, list[tuple[str, str]]]], gaps: list[str], end: str) -> str:
    text = ""
    for number, (heading, blocks) in enumerate(sections):
        text += (gaps[number % len(gaps)] if number else "") + heading + "".join(gap + block for gap, block in blocks)
    return normalise(text + end)


TEXT = st.builds(
    written, st.lists(SECTION, max_size=6), st.lists(GAP, min_size=1, max_size=3), st.sampled_from(["\n", "", "\n\n"])
)


@given(base=TEXT, text=TEXT)
@settings(max_examples=150, deadline=None)
def test_two_unlike_texts_are_cut_without_loss(base: str, text: str) -> None:
    check(base, text)


@given(
    st.lists(SECTION, min_size=2, max_size=7),
    st.randoms(use_true_random=False),
    st.lists(st.tuples(st.sampled_from(["drop", "add", "swap", "rename", "edit", "edit"]), SECTION), max_size=6),
    st.lists(GAP, min_size=1, max_size=2),
)
@example([("## A", []), ("## B", [])], Random(0), [("swap", ("## C", []))], ["\n\n"])
@settings(max_examples=150, deadline=None)
def test_a_text_that_was_edited_is_cut_without_loss(
    sections: list[tuple[str, list[tuple[str, str]]]],
    random: Random,
    steps: list[tuple[str, tuple[str, list[tuple[str, str]]]]],
    gaps: list[str],
) -> None:
    base, edited = written(sections, gaps, "\n"), list(sections)
    for kind, other in steps:
        at = random.randrange(len(edited)) if edited else 0
        if kind == "add" or not edited:
            edited.insert(at, other)
        elif kind == "drop":
            del edited[at]
        elif kind == "swap":
            edited.insert(random.randrange(len(edited)), edited.pop(at))
        elif kind == "rename":
            edited[at] = (other[0], edited[at][1])
        else:
            edited[at] = (edited[at][0], other[1])
    check(base, written(edited, gaps, "\n"))
