"""The word diff: exact in both directions, readable, honest about moves, and said in plain words."""

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.revisions import diff_edits
from app.revisions.diff import Counts, Diff, changes_only, word_diff
from app.revisions.diff_lines import unified

SENTENCES = ["We will cap the rents now. ", "Nobody should pay half a wage for a flat. ", "家賃を下げる。", "שָׁלוֹם "]
MARKDOWN = ["\n", "\n\n", "# Topline\n\n", "## Proof points\n\n", "* ", "| a | b |\n", "```\n", ". ", "! ", ", "]
PIECES = st.sampled_from([*SENTENCES, *MARKDOWN, "rent", "homes", "the ", " ", "👩‍👩‍👧‍👦", "e\u0301"])
TEXTS = st.lists(PIECES | st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=25).map("".join)
RENTS = (
    "# Rents\n\n## Topline\n\nRents rose by 12 % in one year. We will cap rents at inflation.\n\n"
    "## Proof points\n\n* Fair rents for all.\n* Safe homes, warm schools.\n\nWe count on you to vote next Tuesday.\n"
)


def marked(diff: Diff) -> str:
    """The ops in one line: [-removed-], {+added+}, <moved here>, >moved away<."""
    marks = {"equal": ("", ""), "delete": ("[-", "-]"), "insert": ("{+", "+}"), "move": ("<", ">")}
    pieces = []
    for op in diff.ops:
        start, end = (">", "<") if op.away else marks[op.op]
        pieces.append(f"{start}{op.text}{end}")
    return "".join(pieces)


@settings(max_examples=60)
@given(TEXTS, TEXTS)
def test_both_texts_can_be_rebuilt_from_the_ops(old: str, new: str) -> None:
    ops = word_diff(old, new).ops
    assert "".join(op.text for op in ops if op.op in ("equal", "delete") or op.away) == old
    assert "".join(op.text for op in ops if op.op in ("equal", "insert") or (op.op == "move" and not op.away)) == new
    assert all(op.text for op in ops)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(RENTS.split(" ")), max_size=40), st.lists(st.sampled_from(RENTS.split(" ")), max_size=40)
)
def test_prose_can_be_rebuilt_and_is_compared_the_same_way_each_time(
    old_words: list[str], new_words: list[str]
) -> None:
    old, new = " ".join(old_words), " ".join(new_words)
    diff = word_diff(old, new)
    assert "".join(part.text for part in diff.parts if part.is_old) == old
    assert "".join(part.text for part in diff.parts if part.is_new) == new
    assert word_diff(old, new) == diff
    assert (diff.counts.changes == 0) == (old == new)


@settings(max_examples=60)
@given(TEXTS)
def test_a_text_and_itself_have_no_changes(text: str) -> None:
    diff = word_diff(text, text)
    assert marked(diff) == text
    assert diff.counts == Counts(0, 0, 0, 0)
    assert diff.sentence == "No words changed."


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Cut rents.", "Cap rents.", "[-Cut-]{+Cap+} rents."),
        ("We want homes.", "We really want homes.", "We {+really +}want homes."),
        ("We really want homes.", "We want homes.", "We [-really -]want homes."),
        ("Build big houses here.", "Build small homes here.", "Build [-big houses-]{+small homes+} here."),
        ("Fair rents, safe homes.", "Low rents, safe homes.", "[-Fair-]{+Low+} rents, safe homes."),
        # "the" alone between two long changes is no help to a reader, beside short ones it is
        (
            "We demand that councils everywhere reopen the neighbourhood libraries this very year.",
            "We demand that ministers promptly refund the emergency shelters this very year.",
            "We demand that [-councils everywhere reopen the neighbourhood libraries-]"
            "{+ministers promptly refund the emergency shelters+} this very year.",
        ),
        ("We open the park today.", "We close the pool today.", "We [-open-]{+close+} the [-park-]{+pool+} today."),
        # whole tokens only
        ("A well-known fact.", "A well-paid fact.", "A [-well-known-]{+well-paid+} fact."),
        ("It costs 40,000 today.", "It costs 40,500 today.", "It costs [-40,000-]{+40,500+} today."),
        ("Every 👩‍👩‍👧‍👦 counts here.", "Every 👩‍👩‍👦 counts here.", "Every [-👩‍👩‍👧‍👦-]{+👩‍👩‍👦+} counts here."),
        ("Un cafe\u0301 pour tous.", "Un cafe pour tous.", "Un [-cafe\u0301-]{+cafe+} pour tous."),
        ("המחירים עולים כאן.", "המחירים יורדים כאן.", "המחירים [-עולים-]{+יורדים+} כאן."),
        ("家賃を下げる。", "家賃を上げる。", "家賃を[-下-]{+上+}げる。"),
        # other sentences are not mixed with each other
        ("Cap the rents.\n", "Vote next Tuesday evening.\n", "[-Cap the rents.\n-]{+Vote next Tuesday evening.\n+}"),
        ("Our town lacks homes.", "Nurses strike for homes.", "[-Our town lacks homes.-]{+Nurses strike for homes.+}"),
        ("Say no to it in May.", "Say no to it by June.", "Say no to it [-in May-]{+by June+}."),
        (
            "Read our plan at https://example.org/housing/2025/plan.",
            "Read our plan at https://example.net/all/programmes/2026/homes.",
            "Read our plan at [-https://example.org/housing/2025/plan-]{+https://example.net/all/programmes/2026/homes+}.",
        ),
        ("One here. Two here.", "One here. Also new. Two here.", "One here. {+Also new. +}Two here."),
        # blocks first: the heading stays with its section
        ("# A\n\nOld text.\n", "# A\n\nOld text.\n\n# B\n\nMore.\n", "# A\n\nOld text.[-\n-]{+\n\n# B\n\nMore.\n+}"),
        ("Two  spaces.", "Two spaces.", "Two[-  -]{+ +}spaces."),
        ("No end", "No end\n", "No end{+\n+}"),
    ],
)  # fmt: skip
def test_a_change_is_shown_as_a_person_would_mark_it(old: str, new: str, expected: str) -> None:
    assert marked(word_diff(old, new)) == expected


def test_a_sentence_that_stands_elsewhere_is_shown_as_moved() -> None:
    moved = "We count on you to vote next Tuesday."
    new = RENTS.replace(f"\n\n{moved}\n", "\n").replace("## Topline\n\n", f"## Topline\n\n{moved}\n\n")
    diff = word_diff(RENTS, new)
    assert [(op.text.strip(), op.change, op.away) for op in diff.ops if op.op == "move"] == [
        (moved, 1, False),
        (moved, 1, True),
    ]
    assert diff.counts == Counts(words_added=0, words_removed=0, words_moved=8, changes=1)
    assert diff.sentence == "1 change: 1 sentence moved to Topline."


def test_paragraphs_that_moved_together_are_one_change() -> None:
    passage = "Rents rose again last year.\n\n* Wages did not rise at all.\n* Fuel rose too.\n\n"
    rest = "Homes come first.\n\nSchools come second.\n\nRoads can wait a bit.\n\nAnd so can bridges.\n\n"
    diff = word_diff(passage + rest, rest + passage)
    assert diff.sentence == "1 change: 3 sentences moved."
    assert marked(diff) == f">{passage}<{rest}<{passage}>"


def test_code_moves_with_its_empty_lines() -> None:
    code = "```\nfor rent in rents:\n\n    cap(rent, at=12)\n```\n\n"
    diff = word_diff(
        f"{code}One.\n\nTwo.\n\nThree.\n\nFour.\n\nFive.\n\nSix.\n",
        f"One.\n\nTwo.\n\nThree.\n\nFour.\n\nFive.\n\n{code}Six.\n",
    )
    assert [op.text for op in diff.ops if op.op == "move"] == [code, code]


def test_passages_that_came_from_two_places_are_two_changes() -> None:
    one, other = "Rents rose again last year.\n\n", "Wages did not rise at all.\n\n"
    stays = ["Homes come first.\n\n", "Schools come second.\n\n", "Roads can wait a bit.\n\n"]
    diff = word_diff(one + stays[0] + other + "".join(stays[1:]), "".join(stays) + one + other)
    assert diff.sentence == "2 changes: 2 sentences moved."


@pytest.mark.parametrize("short", ["Yes.", "## Notes", "Thank you all."])
def test_a_few_words_in_two_places_are_no_move(short: str) -> None:
    rest = "Rents rose by a tenth.\n\nWages did not.\n\n"
    diff = word_diff(f"{short}\n\n{rest}", f"{rest}{short}\n\n")
    assert all(op.op != "move" for op in diff.ops)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("", "", "No words changed."),
        ("Rents rose.", "Rents fell.", "1 change: 1 word replaced."),
        ("Rents rose fast here.", "Rents fell very slowly here.", "1 change: 2 words replaced by 3."),
        ("Rents rose.", "Rents rose. Wages did not.", "1 change: 1 sentence added."),
        ("Rents rose. Wages did not.", "Wages did not.", "1 change: 1 sentence removed."),
        ("", RENTS, "3 changes: 3 headings added, 2 sentences added to Topline, 3 sentences added to Proof points."),
        ("a b\n", "a  b\n", "No words changed; spacing changed."),
        ("Yes, now", "Yes; now", "No words changed; punctuation changed."),
        (RENTS, RENTS.replace("12 %", "11 %"), "1 change: 1 word replaced in Topline."),
        (RENTS, RENTS.replace("one year", "one long year"), "1 change: 1 word added to Topline."),
        (RENTS, RENTS.replace("12", "11").replace("cap", "freeze"), "2 changes: 2 words replaced in Topline."),
        (RENTS, RENTS.replace("## Topline", "Draft.\n\n## Topline"), "1 change: 1 sentence added to Rents."),
        (RENTS, RENTS.replace("# Rents", "Draft.\n\n# Rents"), "1 change: 1 sentence added to the introduction."),
        (RENTS, RENTS.replace("schools.", "schools"), "No words changed; punctuation changed in Proof points."),
        (
            RENTS,
            RENTS.replace("12", "11").replace("cap", "freeze").replace("* Safe", "* Sign contracts.\n* Safe"),
            "3 changes: 2 words replaced in Topline, 1 sentence added to Proof points.",
        ),
        ("| a |\n|---|\n| 1 |\n", "| a |\n|---|\n| 1 |\n| new row |\n", "1 change: 1 table row added."),
        ("---\ntag: a\n---\n", "---\ntag: a\nother: key\n---\n", "1 change: 1 line added."),
    ],
)  # fmt: skip
def test_one_sentence_says_what_changed_and_where(old: str, new: str, sentence: str) -> None:
    assert word_diff(old, new).sentence == sentence


def test_a_long_list_of_changes_only_counts_the_sections() -> None:
    old = "".join(f"# Part {n}\n\nThis is number {n} of the old text.\n\n" for n in "abcdefgh")
    assert word_diff(old, old.replace("old", "new")).sentence == "8 changes: 8 words replaced, in 8 sections."


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("Rents rose.", "Rents fell, sadly.", Counts(2, 1, 0, 1)),
        ("A well-paid job, 40,000 a year.", "A well-paid job.", Counts(0, 3, 0, 1)),
        ("a  b\n", "a b\n", Counts(0, 0, 0, 1)),
        ("Vote 🗳️ now.", "Vote now.", Counts(0, 1, 0, 1)),
    ],
)
def test_words_are_counted_without_spaces_and_marks(old: str, new: str, counts: Counts) -> None:
    assert word_diff(old, new).counts == counts


def test_ops_as_json_carry_the_change_and_where_a_passage_came_from() -> None:
    diff = word_diff(
        "Nobody should pay half a wage. Cut all rents. We meet on Monday. All are welcome.",
        "Cap all rents. We meet on Monday. All are welcome. Nobody should pay half a wage.",
    )
    assert [op.as_json() for op in diff.ops] == [
        {"op": "move", "text": "Nobody should pay half a wage. ", "change": 2, "from": True},
        {"op": "delete", "text": "Cut", "change": 1},
        {"op": "insert", "text": "Cap", "change": 1},
        {"op": "equal", "text": " all rents. We meet on Monday. All are welcome."},
        {"op": "insert", "text": " ", "change": 2},
        {"op": "move", "text": "Nobody should pay half a wage.", "change": 2},
    ]


@settings(max_examples=60)
@given(TEXTS, TEXTS)
def test_changes_are_numbered_in_reading_order_without_gaps(old: str, new: str) -> None:
    diff = word_diff(old, new)
    seen = list(dict.fromkeys(part.change for part in diff.parts if part.change and not part.away and not part.minor))
    assert seen == list(range(1, diff.counts.changes + 1))
    assert all((part.op == "equal") == (part.change == 0) for part in diff.parts)


def test_a_card_shows_changed_paragraphs_with_a_few_words_around() -> None:
    old = RENTS.replace(
        "inflation.", "inflation, and nobody will have to leave a home because the street became fashionable."
    )
    new = old.replace("12 %", "11 %").replace("fashionable", "rich").replace("schools.\n", "schools.\n* Contracts.\n")
    excerpts = changes_only(word_diff(old, new), around=3)
    assert [(excerpt.section, [op.text for op in excerpt.ops]) for excerpt in excerpts] == [
        ("Topline", ["Rents rose by ", "12", "11", " % in one year. … the street became ", "fashionable", "rich", "."]),
        ("Proof points", ["* Contracts.\n\n"]),
    ]


def test_a_card_shows_a_moved_passage_where_it_stands_now() -> None:
    old = "Nobody should pay half a wage.\n\nWe meet on Monday evening.\n\nAll are welcome.\n"
    new = "We meet on Monday evening.\n\nAll are welcome.\n\nNobody should pay half a wage.\n"
    (excerpt,) = changes_only(word_diff(old, new))
    assert [(op.op, op.text, op.away) for op in excerpt.ops] == [("move", "Nobody should pay half a wage.\n", False)]


def patched(old: str, patch: str) -> str:
    """What `patch` makes of the old text."""
    old_lines = re.findall(r"[^\n]*\n|[^\n]+", old)
    result: list[str] = []
    at = 0
    for line in re.sub(r"\n\\ No newline at end of file\n", "\0", patch).split("\n")[2:]:
        if line.startswith("@@"):
            start, _, length = line.split()[1][1:].partition(",")
            first = int(start) - (length != "0")
            result += old_lines[at:first]
            at = first
            continue
        for piece in re.findall(r"[^\0]+\0?", line):
            at += piece[0] in " -"
            result += [piece[1:-1] if piece.endswith("\0") else f"{piece[1:]}\n"] if piece[0] in " +" else []
    return "".join(result + old_lines[at:])


@settings(max_examples=60)
@given(st.text("ab\n\x0b\u2028", max_size=60), st.text("ab\n", max_size=60))
def test_a_unified_diff_patches_the_old_text_into_the_new(old: str, new: str) -> None:
    patch = unified(old, new, "r1", "r2")
    assert patched(old, patch) == new
    assert (patch == "") == (old == new)


def test_a_unified_diff_of_a_new_text_starts_at_line_nought() -> None:
    assert unified("", "One.\nTwo.\n", "a", "b") == "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+One.\n+Two.\n"


def test_a_unified_diff_looks_like_that_of_diff() -> None:
    old = "".join(f"{n}\n" for n in range(1, 21))
    new = old.replace("\n5\n", "\nfive\n").replace("20\n", "20\n21")
    assert unified(old, new, "housing\nr1", "housing r2") == (
        "--- housing r1\n+++ housing r2\n"
        "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        "@@ -18,3 +18,4 @@\n 18\n 19\n 20\n+21\n\\ No newline at end of file\n"
    )


def shuffled(pattern: str) -> tuple[str, str]:
    """Two texts of the largest size with the same words in another order."""
    pieces = (pattern * (60_000 // len(pattern.encode()))).split(" ")
    other = pieces[:]
    random.Random(11).shuffle(other)
    return " ".join(pieces), " ".join(other)


@pytest.mark.parametrize(
    "pattern",
    [
        "".join(f"{word}{n} " for n in range(40) for word in ("rent", "home,", "wage.\n", "tax", "the")),
        "rent the home ",
        "A. B! ",
        "家賃を 下げる。",
    ],
)
def test_the_largest_texts_rewritten_completely_take_about_a_second(pattern: str) -> None:
    old, new = shuffled(pattern)
    started = time.process_time()
    diff = word_diff(old, new)
    unified(old, new, "a", "b")
    assert time.process_time() - started < 4  # a busy machine gets some room
    assert "".join(part.text for part in diff.parts if part.is_new) == new


def test_stretches_too_long_to_compare_keep_what_is_equal_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff_edits, "MAX_COMPARED", 8)
    diff = word_diff("one two three four five six", "one 2 three 4 five six")
    assert marked(diff) == "one [-two three four-]{+2 three 4+} five six"
