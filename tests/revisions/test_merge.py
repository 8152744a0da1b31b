"""Three-way merge: what goes together does, what clashes is asked, and nothing is ever lost, doubled or glued."""

import random
import time
from collections import Counter

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refused
from app.revisions.changes import sentences_in
from app.revisions.merge import Conflict, merge, resolve
from app.revisions.segments import words_of
from app.revisions.wording import Clash, combine_sentence

CLASH = None


def outcome(base: str, ours: str, theirs: str) -> str | None:
    """The merged text, None for a clash; the sides exchanged must clash alike."""
    assert bool(merge(base, theirs, ours).conflicts) == bool(merge(base, ours, theirs).conflicts)
    return merge(base, ours, theirs).text


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("First!\n\nSecond.", "First.\n\nSecond?", "First!\n\nSecond?"),
        ("First!\n\nSecond.", "First!\n\nSecond.", "First!\n\nSecond."),
        ("First!\n\nSecond.", "First?\n\nSecond.", CLASH),
        ("First.", "First.\n\nSecond!", CLASH),
        ("First.", "First.", "First."),
    ],
)
def test_merge_joins_separate_changes_and_refuses_clashes(ours: str, theirs: str, expected: str | None) -> None:
    assert outcome("First.\n\nSecond.", ours, theirs) == expected


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        # far apart in one sentence
        (
            "we will build some new homes for all the people in town soon.",
            "we will build many new homes for all the people in town soon.",
            "we will build some new homes for all the people in the city soon.",
            "we will build many new homes for all the people in the city soon.",
        ),
        # the same word, and a word next to it
        ("we support the measure.", "we oppose the measure.", "we strongly support the measure.", CLASH),
        ("we like red cars a lot.", "we like blue cars a lot.", "we like red vans a lot.", CLASH),
        # only a mark between the two
        ("so we ask, you give all day.", "so we beg, you give all day.", "so we ask, they give all day.", CLASH),
        # both the same change, and one more
        ("a one b two c three d", "a ONE b two c three d", "a ONE b two c THREE d", "a ONE b two c THREE d"),
        # one side rewrote most of it
        ("a b c d e f", "a x y z v w f q", "a b c d e g", CLASH),
        # each side adds the same word in another place
        (
            "one two three four five six",
            "really one two three four five six",
            "one two three four five six really",
            CLASH,
        ),
    ],
)
def test_words_of_one_sentence(base: str, ours: str, theirs: str, expected: str | None) -> None:
    assert outcome(base, ours, theirs) == expected


def test_a_sentence_of_which_more_than_half_is_new_is_not_combined() -> None:
    assert combine_sentence("a b c d e f g h", "v w x y z f g h", "a b c d e f g i") == Clash(
        "Both sides changed this sentence, and more than half of it is new."
    )


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "named"),
    [
        (
            "raise it by 12 % now, please.",
            "raise it by 15 % now, please.",
            "raise it by 16 % now, please.",
            "the number 15 %",
        ),
        (
            "we pay 5 euro a day for now.",
            "we all pay 5 euro a day for now.",
            "we pay 5 euro a day for ever.",
            "the number 5",
        ),
        (
            "we do not pay a thing for now.",
            "we all do not pay a thing for now.",
            "we do not pay a thing for ever.",
            "“not”",
        ),
        (
            "we ask Smith to go on for now.",
            "we all ask Smith to go on for now.",
            "we ask Smith to go on for ever.",
            "“Smith”",
        ),
        (
            "we say “so be it” all day now.",
            "we all say “so be it” all day now.",
            "we say “so be it” all day long.",
            "“so be it”",
        ),
    ],
)
def test_a_sentence_that_says_something_loaded_is_asked_about(base: str, ours: str, theirs: str, named: str) -> None:
    (conflict,) = merge(base, ours, theirs).conflicts
    assert (conflict.base, conflict.ours, conflict.theirs) == (base, ours, theirs)
    assert named in conflict.reason
    assert outcome(base, base, theirs) == theirs


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        # neighbours
        ("One a. Two b. Three c.", "One x. Two b. Three c.", "One a. Two y. Three c.", "One x. Two y. Three c."),
        ("# H\n\nOne a\n\nTwo b\n", "# H\n\nOne x\n\nTwo b\n", "# H\n\nOne a\n\nTwo y\n", "# H\n\nOne x\n\nTwo y\n"),
        ("- a b\n- c d\n", "- a x\n- c d\n", "- a b\n- c y\n", "- a x\n- c y\n"),
        (
            "| a | b |\n|-|-|\n| c | d |\n",
            "| a | x |\n|-|-|\n| c | d |\n",
            "| a | b |\n|-|-|\n| c | y |\n",
            "| a | x |\n|-|-|\n| c | y |\n",
        ),
        # removed and edited side by side; overlapping removals
        ("A a.\n\nB b.\n\nC c.", "B b.\n\nC c.", "A a.\n\nB x.\n\nC c.", "B x.\n\nC c."),
        ("A a.\n\nB b.\n\nC c.\n\nD d.", "A a.\n\nD d.", "A a.\n\nB b.", "A a."),
        # the same thing removed and edited
        ("A a b.\n\nB b c.", "B b c.", "A a x.\n\nB b c.", CLASH),
        ("A one two. B three four.", "A one two.", "A one two. B three five.", CLASH),
        # code and front matter go by line, and never word by word
        ("```\na = 1\nb = 2\n```", "```\na = 3\nb = 2\n```", "```\na = 1\nb = 4\n```", "```\na = 3\nb = 4\n```"),
        ("```\nx a b c d y\n```", "```\nx z b c d y\n```", "```\nx a b c z y\n```", CLASH),
        (
            "---\ntitle: a\nlayout: b\n---\n\nT\n",
            "---\ntitle: c\nlayout: b\n---\n\nT\n",
            "---\ntitle: a\nlayout: d\n---\n\nT\n",
            "---\ntitle: c\nlayout: d\n---\n\nT\n",
        ),
        # a heading renamed by one, its section edited by the other
        ("## Homes\n\nA a.\n", "## Housing\n\nA a.\n", "## Homes\n\nA b.\n", "## Housing\n\nA b.\n"),
    ],
)
def test_blocks_and_sentences(base: str, ours: str, theirs: str, expected: str | None) -> None:
    assert outcome(base, ours, theirs) == expected


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        ("A a.\n", "A a.\n\nOurs o.\n", "A a.\n\nTheirs t.\n", "A a.\n\nTheirs t.\n\nOurs o.\n"),
        ("A a.", "A a.\n\nOurs o.", "A a.\n\nTheirs t.", "A a.\n\nTheirs t.\n\nOurs o."),
        ("- a a\n\n# H\n", "- a a\n- ours\n\n# H\n", "- a a\n- theirs\n\n# H\n", "- a a\n- theirs\n- ours\n\n# H\n"),
        ("A a x. B b y.", "A a x. Ours o. B b y.", "A a x. Theirs t. B b y.", "A a x. Theirs t. Ours o. B b y."),
        # what both added is there once
        (
            "A a.\n",
            "A a.\n\nSame s.\n\nOurs o.\n",
            "A a.\n\nSame s.\n\nTheirs t.\n",
            "A a.\n\nSame s.\n\nTheirs t.\n\nOurs o.\n",
        ),
        # a sentence that goes on with the block before stays there
        (
            "A a x.\n\nB b y.\n",
            "A a x. Ours o.\n\nB b y.\n",
            "A a x.\n\nTheirs t.\n\nB b y.\n",
            "A a x. Ours o.\n\nTheirs t.\n\nB b y.\n",
        ),
        # text for the section above comes before a new heading, a deeper heading before a higher one
        (
            "# A\n\na a\n\n# B\n",
            "# A\n\na a\n\nours\n\n# B\n",
            "# A\n\na a\n\n# N\n\nnew\n\n# B\n",
            "# A\n\na a\n\nours\n\n# N\n\nnew\n\n# B\n",
        ),
        (
            "# A\n\na a\n",
            "# A\n\na a\n\n### Sub\n\nours\n",
            "# A\n\na a\n\n## New\n\ntheirs\n",
            "# A\n\na a\n\n### Sub\n\nours\n\n## New\n\ntheirs\n",
        ),
        # the other split the text there by a heading, and the text below would move under ours
        ("# A\n\na a\n\nb b\n", "# A\n\na a\n\n## Ours\n\no\n\nb b\n", "# A\n\na a\n\n## Theirs\n\nt\n\nb b\n", CLASH),
        # nearly the same said twice
        ("A a.\n", "A a.\n\nWe all want lower fares now.\n", "A a.\n\nWe all want lower fares soon.\n", CLASH),
        (
            "A a.\n\nB b.\n",
            "A a.\n\nWe all want lower fares.\n\nB b.\n",
            "A a.\n\nB b.\n\nWe all want lower fares.\n",
            "A a.\n\nB b.\n\nWe all want lower fares.\n",
        ),
        (
            "# A\n\na a\n\n# B\n\nb b\n",
            "# A\n\na a\n\nWe do it all.\n\n# B\n\nb b\n",
            "# A\n\na a\n\n# B\n\nb b\n\nWe do it all.\n",
            CLASH,
        ),
        ("A a.\n\nB b.\n", "# New\n\nA a.\n\nB b.\n", "A a.\n\nB b.\n\n# New\n\nC c.\n", CLASH),
    ],
)
def test_additions_at_one_spot_are_both_kept_in_order(base: str, ours: str, theirs: str, expected: str | None) -> None:
    assert outcome(base, ours, theirs) == expected


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        # the neighbour still stands
        (
            "# A\n\na a\n\nb b\n\nc c\n",
            "# A\n\na a\n\nb b\n\nnew\n\nc c\n",
            "# A\n\na a\n\nc c\n",
            "# A\n\na a\n\nnew\n\nc c\n",
        ),
        # its heading, or all around it, is gone
        ("# A\n\na a\n\n# B\n\nb b\n", "# A\n\na a\n\n# B\n\nb b\n\nnew\n", "# A\n\na a\n\nb b\n", CLASH),
        ("- a a\n- b b\n- c c\n\nend\n", "- a a\n- b b\n- new\n- c c\n\nend\n", "- a a\n\nend\n", CLASH),
        ("One a. Two b. Three c.", "One a. Two b. New n. Three c.", "One a. Three c.", CLASH),
        # its heading is renamed
        (
            "## Homes\n\nA a.\n",
            "## Homes\n\nA a.\n\nNew n.\n",
            "## Housing\n\nA a.\n",
            "## Housing\n\nA a.\n\nNew n.\n",
        ),
        # a whole new section needs neither
        ("# A\n\na a\n", "# A\n\na a\n\n# New\n\nn\n", "# A\n", "# A\n\n# New\n\nn\n"),
        # the other put sections where a placeholder was: the addition stays above them, not in the last one
        (
            "What now?\n",
            "What now?\n\nOurs o p.\n",
            "Intro i j.\n\n## Last\n\nText.\n",
            "Intro i j.\n\nOurs o p.\n\n## Last\n\nText.\n",
        ),
        # the other joined the paragraphs
        ("A a x.\n\nB b y.\n", "A a x.\n\nNew n.\n\nB b y.\n", "A a x. B b y.\n", CLASH),
        ("A a x. B b y.\n", "A a x.\n\nNew n.\n\nB b y.\n", "A a x.\n\nB b y.\n", "A a x.\n\nNew n.\n\nB b y.\n"),
    ],
)
def test_an_addition_needs_its_place(base: str, ours: str, theirs: str, expected: str | None) -> None:
    assert outcome(base, ours, theirs) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        # moved by one alone
        (
            "B two b.\n\nA one a.\n\nC three c.",
            "A one a.\n\nB two b.\n\nC three d.",
            "B two b.\n\nA one a.\n\nC three d.",
        ),
        # moved by one, edited, removed or moved elsewhere by the other
        ("B two b.\n\nC three c.\n\nA one a.", "A one x.\n\nB two b.\n\nC three c.", CLASH),
        ("B two b.\n\nC three c.\n\nA one a.", "B two b.\n\nC three c.", CLASH),
        (
            "B two b.\n\nA one a.\n\nC three c.",
            "B two b.\n\nA one a.\n\nC three d.",
            "B two b.\n\nA one a.\n\nC three d.",
        ),
        # made part of another sentence by one, removed by the other
        ("A one a, as two b.\n\nC three c.", "A one a.\n\nC three c.", CLASH),
    ],
)
def test_moved_text_is_never_lost_or_doubled(ours: str, theirs: str, expected: str | None) -> None:
    assert outcome("A one a.\n\nB two b.\n\nC three c.", ours, theirs) == expected


def test_text_that_both_moved_to_different_places_ends_where_one_side_has_it() -> None:
    a, b, c, d = "A one a is here.", "B two b is here.", "C three c is here.", "D four d is here."
    base, ours, theirs = ("\n\n".join(order) for order in ([a, b, c, d], [b, c, d, a], [b, c, a, d]))
    merged = merge(base, ours, theirs)
    assert resolve(merged, [conflict.ours for conflict in merged.conflicts]) == ours
    assert resolve(merged, [conflict.theirs for conflict in merged.conflicts]) == theirs


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        ("A a b.\n\nC c d.\n", "A a b.\n\n\n\nC c d.\n", "A a x.\n\nC c d.\n", "A a x.\n\n\n\nC c d.\n"),
        ("A a b.\n\nC c d.", "A a b.\n\nC c d.\n", "A a x.\n\nC c d.", "A a x.\n\nC c d.\n"),
        ("A a b.\n\nC c d.\n", "A a b.\n\nC c x.", "A a y.\n\nC c d.\n\n", "A a y.\n\nC c x.\n\n"),
        (
            "A a b.  \n\nC c d.\n",
            "A a b.\n\nC c d.\n",
            "A a b.  \n\nNew n.\n\nC c d.\n",
            "A a b.\n\nNew n.\n\nC c d.\n",
        ),
        ("a b c d e f g h", "a b c\nd e f g h", "a b c d e x g h", "a b c\nd e x g h"),
        ("\n\nA a b.", "A a b.", "\n\nA a c.", "A a c."),
        ("A a b.\n\nC c d.\n", "A a b.\n\n- New n. C c d.\n", "A a x.\n\nC c d.\n", "A a x.\n\n- New n. C c d.\n"),
        # wrapped anew by one, removed or replaced by the other
        ("A a b c. B b c d.", "A a\nb c. B b\nc d.", "B b c d.", "B b\nc d."),
        ("A a b c. B b c d.", "A a\nb c. B b\nc d.", "X y z. B b c d.", "X y z. B b\nc d."),
    ],
)
def test_spaces_and_empty_lines_never_clash(base: str, ours: str, theirs: str, expected: str) -> None:
    assert outcome(base, ours, theirs) == expected


def test_blocks_that_meet_for_the_first_time_are_not_glued() -> None:
    merged = merge("- a b\n", "Para one two.\n", "- new item\n- a b\n")
    assert merged.text is not None
    assert [kind for kind in sentences_in(merged.text).kinds] == ["list item", "paragraph"]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        (
            "消費税を上げる事に賛成します。次の文。",
            "消費税を上げる事に反対します。次の文。",
            "消費税を上げる事に賛成します。新しい文。",
            "消費税を上げる事に反対します。新しい文。",
        ),
        ("消費税を上げる。", "消費税を下げる。", "消費税を止める。", CLASH),
        ("住民税と消費税を上げる", "住民税と消費税を下げる", "市民税と消費税を上げる", "市民税と消費税を下げる"),
        ("私は税を上げる事に賛成", "私は金を上げる事に賛成", "私は税を下げる事に賛成", CLASH),
        (
            "- 教育の推進\n",
            "- 教育の推進\n- 医療の推進\n",
            "- 教育の推進\n- 文化の推進\n",
            "- 教育の推進\n- 文化の推進\n- 医療の推進\n",
        ),
        (
            "نحن نؤيد القرار. شكرا لكم جميعا.",
            "نحن نرفض القرار. شكرا لكم جميعا.",
            "نحن نؤيد القرار. شكرا للجميع.",
            "نحن نرفض القرار. شكرا للجميع.",
        ),
        ("نحن نؤيد القرار.", "نحن نرفض القرار.", "نحن نؤجل القرار.", CLASH),
        ("น้ำดื่มสะอาดและถนนดีทุกบ้าน", "น้ำใสสะอาดและถนนดีทุกบ้าน", "น้ำดื่มสะอาดและถนนดีทุกเมือง", "น้ำใสสะอาดและถนนดีทุกเมือง"),
        (
            "we all like 👩‍👩‍👧 and tea here",
            "we all like 👩‍👩‍👦 and tea here",
            "we all like 👩‍👩‍👧 and tea there",
            "we all like 👩‍👩‍👦 and tea there",
        ),
        ("we like 👍🏽 a lot", "we like 👍🏿 a lot", "we like 👍 a lot", CLASH),
    ],
)
def test_every_script_is_merged_by_what_its_readers_see(
    base: str, ours: str, theirs: str, expected: str | None
) -> None:
    assert outcome(base, ours, theirs) == expected
    seen = {cluster for text in (base, ours, theirs) for cluster in regex.findall(r"\X", text)}
    assert set(regex.findall(r"\X", merge(base, ours, theirs).text or "")) <= seen


def test_notes_that_both_number_alike_are_asked_about() -> None:
    base = "A a[^1].\n\nB b.\n\n[^1]: one two three\n"
    ours = "A a[^1].\n\nB b.\n\nOurs[^2].\n\n[^1]: one two three\n[^2]: from ours alone\n"
    theirs = "A a[^1].\n\nTheirs[^2].\n\nB b.\n\n[^1]: one two three\n[^2]: quite other words here\n"
    assert [conflict.reason for conflict in merge(base, ours, theirs).conflicts] == [
        "Both sides defined [^2], each as something else."
    ]
    assert outcome(base, ours, base.replace("B b", "B c")) == ours.replace("B b", "B c")


def test_a_mark_whose_note_the_other_side_gave_away_is_asked_about() -> None:
    base = "A a[^1].\n\nB b.\n\n[^1]: one two three\n"
    theirs = "A a[^2].\n\nB b.\n\n[^1]: quite other words here\n[^2]: one two three\n"
    ours = "A a[^1].\n\nB b.\n\nOurs says so too[^1].\n\n[^1]: one two three\n"
    assert [conflict.ours for conflict in merge(base, ours, theirs).conflicts] == ["Ours says so too[^1]."]


def test_what_is_asked_is_the_clashing_sentence_and_the_answer_makes_the_text() -> None:
    merged = merge(
        "Start s.\n\nA a b. B b c.\n\nEnd e.\n", "Start x.\n\nA a c. B b c.\n", "Start s.\n\nA a d. B b c.\n\nEnd e.\n"
    )
    assert merged.text is None
    assert merged.conflicts == (Conflict("A a b.", "A a c.", "A a d.", "Both sides changed the same words."),)
    assert resolve(merged, ["A a c."]) == "Start x.\n\nA a c. B b c.\n"
    assert resolve(merged, ["A a all."]) == "Start x.\n\nA a all. B b c.\n"
    assert resolve(merged, [""]) == "Start x.\n\nB b c.\n"
    with pytest.raises(Refused, match="1 places to decide and 2 decisions"):
        resolve(merged, ["", ""])


@pytest.mark.parametrize(
    ("chosen", "expected"), [("", "B two b.\n"), ("A one x.", "A one x.\n\nB two b.\n"), ("\nA\n", "A\n\nB two b.\n")]
)
def test_an_empty_choice_leaves_no_empty_lines_behind(chosen: str, expected: str) -> None:
    merged = merge("A one a.\n\nB two b.\n", "B two b.\n", "A one x.\n\nB two b.\n")
    assert resolve(merged, [chosen]) == expected


TEXTS = st.lists(
    st.sampled_from(
        ["# H\n", "A b.", " ", "\n", "\n\n", "- c", "| d |", "```\n", "e f", "。", "はい", "[^1]: g", "12", "> ", "\t"]
    ),
    max_size=14,
).map("".join)


@given(TEXTS, TEXTS)
@settings(max_examples=80)
def test_a_side_that_changed_nothing_gives_way(base: str, side: str) -> None:
    assert merge(base, side, base).text == side
    assert merge(base, base, side).text == side
    assert merge(base, side, side).text == side


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=120)
def test_any_three_texts_merge_or_clash_alike_in_both_orders_and_can_be_resolved(
    base: str, ours: str, theirs: str
) -> None:
    merged = merge(base, ours, theirs)
    assert bool(merged.conflicts) == bool(merge(base, theirs, ours).conflicts)
    assert (merged.text is None) == bool(merged.conflicts)
    resolve(merged, [conflict.theirs for conflict in merged.conflicts])


class Writer:
    """Makes texts of words that occur once, so that a lost or doubled word shows; `owner` starts each of them."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.written = 0

    def word(self, owner: str) -> str:
        self.written += 1
        return owner + "".join(chr(97 + int(digit)) for digit in str(self.written))

    def sentence(self, owner: str) -> str:
        words = " ".join(self.word(owner) for _ in range(self.draw.randint(5, 8)))
        return words.capitalize() + self.draw.choice(".!?")

    def block(self, owner: str) -> list[str]:
        mark = self.draw.choice(["## ", "- ", "- ", "", "", ""])
        count = 1 if mark else self.draw.randint(1, 4)
        sentences = [self.sentence(owner) for _ in range(count)]
        return [mark + sentences[0].rstrip("!?.") if mark == "## " else mark + sentences[0], *sentences[1:]]

    def edit(self, blocks: list[list[str]], owner: str) -> None:
        """One change of one of the kinds that people make."""
        at = self.draw.randrange(len(blocks))
        block = blocks[at]
        prose = not block[0].startswith("#")
        kind = self.draw.choice(["add", "drop", "move", "append", "cut", "split", "join", "swap", "put", "omit"])
        if kind == "add":
            blocks.insert(self.draw.randint(0, len(blocks)), self.block(owner))
        elif kind == "drop" and len(blocks) > 1:
            del blocks[at]
        elif kind == "move":
            blocks.insert(self.draw.randrange(len(blocks)), blocks.pop(at))
        elif kind == "append" and prose:
            block.insert(self.draw.randint(1, len(block)), self.sentence(owner))
        elif kind == "cut" and len(block) > 1:
            del block[self.draw.randrange(1, len(block))]
        elif kind == "split" and len(block) > 1:
            blocks[at : at + 1] = [block[:1], block[1:]]
        elif kind == "join" and prose and at + 1 < len(blocks) and blocks[at + 1][0][0] not in "#-":
            blocks[at : at + 2] = [block + blocks[at + 1]]
        elif kind in ("swap", "put", "omit"):
            words = block[-1].split(" ")
            place = self.draw.randrange(2, len(words) - 1)
            words[place : place + (kind != "put")] = [] if kind == "omit" else [self.word(owner)]
            block[-1] = " ".join(words)

    def render(self, blocks: list[list[str]]) -> str:
        text = ""
        for number, block in enumerate(blocks):
            tight = number and block[0].startswith("- ") and blocks[number - 1][0].startswith("- ")
            text += ("" if not number else "\n" if tight else "\n\n") + " ".join(block)
        return text + self.draw.choice(["", "\n"])


def words(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in words_of(text) if word[0].isalpha())


@given(st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_nothing_is_lost_doubled_or_glued_whatever_two_people_do(draw: random.Random) -> None:
    writer = Writer(draw)
    blocks = [writer.block("b") for _ in range(draw.randint(1, 7))]
    sides = {}
    for owner in "ot":
        mine = [list(block) for block in blocks]
        for _ in range(draw.randint(1, 3)):
            writer.edit(mine, owner)
        sides[owner] = writer.render(mine)
    base, ours, theirs = writer.render(blocks), sides["o"], sides["t"]
    merged = merge(base, ours, theirs)
    assert bool(merged.conflicts) == bool(merge(base, theirs, ours).conflicts)
    before, mine_words, other_words = words(base), words(ours), words(theirs)
    if merged.text is None:
        for side, theirs_or_ours in (("ours", mine_words), ("theirs", other_words)):
            chosen = words(resolve(merged, [getattr(conflict, side) for conflict in merged.conflicts]))
            assert not (theirs_or_ours - before) - chosen
        return
    kept = before & mine_words & other_words
    assert words(merged.text) == kept + (mine_words - before) + (other_words - before)
    headings = {key for text in (base, ours, theirs) for key in _headings(text)}
    assert all(key in headings or len(words(key)) >= 3 for key in _headings(merged.text))
    assert not any("#" in key[1:].lstrip("#") for key in sentences_in(merged.text).keys)


def _headings(text: str) -> list[str]:
    cut = sentences_in(text)
    return [key for key, kind in zip(cut.keys, cut.kinds, strict=True) if kind == "heading"]


@pytest.mark.parametrize("shape", ["paragraphs", "one paragraph", "one sentence", "list", "han", "marks"])
def test_the_longest_texts_merge_within_a_second(shape: str) -> None:
    draw = random.Random(shape)
    vocabulary = ["word" + "".join(draw.choices("abcdefgh", k=4)) for _ in range(3_000)]

    def text() -> str:
        if shape == "list":
            return "\n".join(f"- {draw.choice(vocabulary)} {draw.choice(vocabulary)}" for _ in range(2_000))
        if shape == "han":
            return "".join(chr(draw.randrange(0x4E00, 0x4F00)) for _ in range(21_000))
        if shape == "marks":
            return ". " * 31_000 + draw.choice(vocabulary)
        ends = {"paragraphs": ".\n\n", "one paragraph": ". ", "one sentence": " "}[shape]
        return ends.join(" ".join(draw.choices(vocabulary, k=12)).capitalize() for _ in range(550))

    texts = text(), text(), text()
    started = time.process_time()
    merge(*texts)
    assert time.process_time() - started < 2  # processors differ; it takes half a second at most
