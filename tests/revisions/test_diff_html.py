"""The word diff as HTML: nothing is lost, nothing of the texts is markup, and it can be heard and jumped through."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.revisions.diff import changes_only, word_diff
from app.revisions.diff_html import excerpt_html, html

FLAT = "Nobody should pay half a wage for a flat. "
ALLOWED = {
    "div": {"class"},
    "details": {"class"},
    "summary": set(),
    "p": {"class", "dir"},
    "span": {"class", "dir", "hidden", "id", "tabindex"},
    "ins": {"class", "hidden"},
    "del": {"class", "hidden"},
    "a": {"href", "dir"},
}
PIECES = st.sampled_from(
    [
        *("Nobody should pay half a wage for a flat. ", "We count on you to vote next Tuesday. "),
        *(
            "rent ",
            "homes. ",
            "\n\n",
            "# Topline\n\n",
            "* ",
            "<b>",
            "&amp;",
            '"',
            "'",
            "</ins>",
            "<!--",
            "שלום ",
            "👩‍👩‍👧 ",
        ),
    ]
)
TEXTS = st.lists(PIECES | st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=25).map("".join)


class Reader(HTMLParser):
    """What a page shows: all tags with their attributes, and the text without what a side leaves out."""

    def __init__(self, source: str, without: str = "") -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._left_out: list[bool] = [False]
        self._without = without
        self.feed(source)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.open.append(tag)
        self.tags.append((tag, attributes))
        extra = attributes.get("class") == "vh" or tag in ("summary", "a", self._without)
        self._left_out.append(self._left_out[-1] or extra)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._left_out.pop()

    def handle_data(self, data: str) -> None:
        self.text += "" if self._left_out[-1] else data

    def ids(self) -> list[str | None]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


@settings(max_examples=80)
@given(TEXTS, TEXTS)
@example(f"{FLAT}0{FLAT}", f"0{FLAT}{FLAT}")
def test_the_page_holds_both_texts_and_no_markup_of_theirs(old: str, new: str) -> None:
    source = html(word_diff(old, new))
    assert Reader(source, without="del").text == new
    assert Reader(source, without="ins").text == old
    for tag, attributes in Reader(source).tags:
        assert tag in ALLOWED
        assert set(attributes) <= ALLOWED[tag]


@settings(max_examples=60)
@given(TEXTS, TEXTS)
def test_every_change_has_one_place_to_jump_to(old: str, new: str) -> None:
    diff = word_diff(old, new)
    page = Reader(html(diff))
    assert page.ids() == [f"change-{number}" for number in range(1, diff.counts.changes + 1)]
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert {str(link).removeprefix("#") for link in links} <= set(page.ids())


@settings(max_examples=40)
@given(TEXTS, TEXTS)
def test_cards_escape_everything_and_carry_no_ids(old: str, new: str) -> None:
    for excerpt in changes_only(word_diff(old, new)):
        card = Reader(excerpt_html(excerpt))
        assert {tag for tag, _ in card.tags} <= {"p", "span", "ins", "del"}
        assert card.ids() == []
        assert Reader(excerpt_html(excerpt), without="del").text == "".join(
            op.text for op in excerpt.ops if op.op != "delete"
        )


def test_a_replaced_word_is_marked_and_named_for_screen_readers() -> None:
    assert html(word_diff("Cut <b>rents</b>.", "Cap <b>rents</b>.")) == (
        '<div class="diff"><p class="is-paragraph" dir="auto">'
        '<span class="change" id="change-1" tabindex="-1">'
        '<del><span class="vh" dir="ltr">removed </span>Cut</del>'
        '<ins><span class="vh" dir="ltr">added </span>Cap</ins></span>'
        " &lt;b&gt;rents&lt;/b&gt;.</p></div>"
    )


def test_a_moved_sentence_is_struck_out_with_a_link_to_its_new_place() -> None:
    rest = "All are welcome.\n\nBring a friend.\n\n"
    source = html(word_diff(f"We meet on Monday.\n\n{rest}", f"{rest}We meet on Monday.\n\n"))
    assert (
        '<del class="moved"><span class="vh" dir="ltr">moved away </span>We meet on Monday.'
        '<a href="#change-1" dir="ltr">moved to change 1</a><span hidden>\n\n</span></del>'
    ) in source
    assert (
        ' id="change-1" tabindex="-1"><ins class="moved">'
        '<span class="vh" dir="ltr">moved here </span>We meet on Monday.<span hidden>\n\n</span></ins></span>'
    ) in source


def test_changed_spacing_is_named_and_spacing_that_follows_another_change_is_hidden() -> None:
    assert '<ins class="space"><span class="vh" dir="ltr">added spacing </span> </ins>' in html(
        word_diff("a  b", "a b")
    )
    source = html(word_diff("* One.\n\nEnd.", "* One.\n* Two.\n\nEnd."))
    assert "<del hidden>\n\n</del><ins hidden>\n</ins>" in source
    assert "spacing" not in source


def test_hidden_words_do_not_decide_the_direction_of_a_paragraph() -> None:
    page = Reader(html(word_diff("שלום לכולם.", "ברוכים הבאים לכולם.")))
    assert all(attributes.get("dir") == "auto" for tag, attributes in page.tags if tag == "p")
    assert all(attributes.get("dir") == "ltr" for _, attributes in page.tags if attributes.get("class") == "vh")


@pytest.mark.parametrize(
    ("changed", "context", "folded"),
    [
        (0, 1, ["8 unchanged paragraphs"]),
        (5, 1, ["4 unchanged paragraphs", "3 unchanged paragraphs"]),
        (5, 2, ["3 unchanged paragraphs"]),  # two after it are not worth a click
        (5, 9, []),
    ],
)
def test_long_unchanged_stretches_are_folded(changed: int, context: int, folded: list[str]) -> None:
    old = "".join(f"Paragraph {number} says so.\n\n" for number in range(10))
    new = old.replace(f"Paragraph {changed} ", "Chapter one ")
    source = html(word_diff(old, new), context=context)
    assert [piece.split("</summary>")[0] for piece in source.split("<summary>")[1:]] == folded


def test_each_paragraph_says_what_kind_it_is() -> None:
    text = "# Head\n\nText.\n\n* Item\n\n| a |\n|---|\n\n```\ncode\n```\n"
    classes = [attributes["class"] for tag, attributes in Reader(html(word_diff(text, text))).tags if tag == "p"]
    assert classes == ["is-heading", "is-paragraph", "is-item", "is-row", "is-row", "is-code"]
