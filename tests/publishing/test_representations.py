"""Plain text is the text without its marks, and each form of a text is chosen and named as HTTP says."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.pages.plain import plain_text
from app.pages.sections import sections_of
from app.publishing.representations import (
    MEDIA_TYPES,
    Representation,
    accepts_gzip,
    etag_of,
    html_document,
    if_none_match,
    negotiate,
)

HASH = "ab" * 32


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("", ""),
        ("\n\nWords.\n\n\n\nMore.\n", "Words.\n\nMore."),
        ("*a* _b_ **c** __d__ ***e*** `g` ``h ` i``", "a b c d e g h ` i"),
        ("Vote on ~~3~~ 4 May ~~or **[never](https://x.example)**~~", "Vote on 4 May"),
        ("~~Old~~ New~~er~~, a~~b~~c\n~~all~~\nof it ~~x~~ ~~y~~ z", "New, ac\n\nof it z"),
        ("snake_case 2 * 3 * 4 a*b c~d", "snake_case 2 * 3 * 4 a*b c~d"),  # no marks
        ("\\*a\\* \\# \\[b\\]", "*a* # [b]"),
        ("&amp; &copy; &#8364; &lt;b&gt; &nope;", "& © € <b> &nope;"),
        ("a  \nb\\\nc\nd", "a\nb\nc\nd"),  # hard and soft line breaks stay
        ("   a\n   b", "a\nb"),
        ("# A\n## *B* ##\n### C\nd\n\nE\n===\nF\n---", "A\n\nB\n\nC\n\nd\n\nE\n\nF"),
        ("#\n\na", "a"),
        ("a\n\n---\n\n***\n\nb", "a\n\nb"),
        ("[a *b*](https://example.org/x?y=1&z=2 'title')", "a b (https://example.org/x?y=1&z=2)"),
        ("[a](https://example.org/住宅) [b](<x y>)", "a (https://example.org/住宅) b (x y)"),  # as typed
        ("[a][1] [1][] [1]\n\n[1]: https://example.org 'title'", "a (https://example.org) 1 (https://example.org) 1 (https://example.org)"),
        ("<https://example.org> <a@example.org>", "https://example.org a@example.org"),
        ("[https://example.org](https://example.org) [+44 1](tel:+44%201)", "https://example.org +44 1 (tel:+44%201)"),
        ("[a@example.org](mailto:a@example.org)", "a@example.org"),
        ("[write](mailto:a@example.org)", "write (mailto:a@example.org)"),
        ("[](https://example.org) [a]()", "https://example.org a"),
        ("![a *b*](x.png 'title') ![](y.png)", "a b (x.png) y.png"),
        ("[![a](x.png)](https://example.org)", "a (x.png) (https://example.org)"),
        ("[[Council Tax]] [[housing|homes]]", "Council Tax (/pages/council-tax) homes (/pages/housing)"),
        ("- a\n- b\n- c", "- a\n- b\n- c"),
        ("* a\n* b\n\n+ c", "- a\n- b\n\n- c"),
        ("- a\n\n- b", "- a\n\n- b"),  # as wide as they were written
        ("- a\n  b\n- c", "- a\n  b\n- c"),
        ("- a\n  - b\n    - c\n- d", "- a\n  - b\n    - c\n- d"),
        ("- a\n\n  b\n\n  > c\n- d", "- a\n\n  b\n\n  c\n\n- d"),
        ("-\n- a", "-\n- a"),
        ("1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
        ("9) a\n10) b\n    c\n11) d", "9) a\n10) b\n    c\n11) d"),
        ("1. a\n   - b\n   - c\n2. d", "1. a\n   - b\n   - c\n2. d"),
        ("- [ ] a\n- [x] b", "- [ ] a\n- [x] b"),
        ("> a\n> b\n>\n> - c\n\nd", "a\nb\n\n- c\n\nd"),
        ("> > a", "a"),
        ("```python\n*a*\n\n    b\n```\n\n    c\n     d", "*a*\n\n    b\n\nc\n d"),
        ("- ```\n  a\n\n\n  b\n  ```", "- a\n\n\n  b"),
        ("|a|*b*|\n|-|:-:|\n|[c](x)|`d`|\n|e|", "a\tb\nc (x)\td\ne\t"),
        ("<b>a</b> <!-- c -->", "<b>a</b> <!-- c -->"),  # HTML is words here
        ("[a](javascript:b)", "[a](javascript:b)"),  # no link, so no marks
        ("---\ntitle: T\n---\n\na", "a"),
        ("---\n\na\n\n---", "a"),
        ("日本語の*文章*です。", "日本語の文章です。"),
        ("שלום **עולם**", "שלום עולם"),
    ],
)  # fmt: skip
def test_marks_are_removed_and_words_stay(markdown: str, plain: str) -> None:
    assert plain_text(markdown) == plain


def test_a_section_finds_its_addresses_in_the_whole() -> None:
    whole = "## A\n\n[x][1]\n\n## B\n\nb\n\n[1]: https://example.org\n"
    assert plain_text("[x][1]", within=whole) == "x (https://example.org)"
    assert plain_text("---\na: b\n\n---", within=whole) == "a: b"


def test_a_text_too_tangled_to_read_stays_as_it_is() -> None:
    tangled = "> " * 9 + "*x*"
    assert plain_text(f"---\na: b\n---\n\n{tangled}\n") == tangled


WORD = st.text("abcXYZéß住宅שع", min_size=1, max_size=6).filter(lambda word: word.isprintable())
SPAN = WORD.flatmap(
    lambda word: st.sampled_from(
        [
            (word, word),
            (f"*{word}*", word),
            (f"**{word}**", word),
            (f"`{word}`", word),
            (f"[{word}](https://example.org/x)", f"{word} (https://example.org/x)"),
            (f"[**{word}**](#x)", f"{word} (#x)"),
            (f"![{word}](x.png)", f"{word} (x.png)"),
            (f"\\*{word}&amp;", f"*{word}&"),
        ]
    )
)
LINE = st.lists(SPAN, min_size=1, max_size=4).map(
    lambda spans: tuple(" ".join(side) for side in zip(*spans, strict=True))
)
LINES = st.lists(LINE, min_size=1, max_size=3)


def _block(kind: str, lines: list[tuple[str, ...]]) -> tuple[str, str]:
    typed, plain = [line[0] for line in lines], [line[1] for line in lines]
    match kind:
        case "list":
            return "\n".join(f"* {line}" for line in typed), "\n".join(f"- {line}" for line in plain)
        case "numbers":
            return "\n".join(f"1. {line}" for line in typed), "\n".join(
                f"{n}. {line}" for n, line in enumerate(plain, 1)
            )
        case "quote":
            return "\n".join(f"> {line}" for line in typed), "\n".join(plain)
        case "table":
            rows = [typed[0], "-", *typed[1:]]
            return "\n".join(f"|{row}|" for row in rows), "\n".join(plain)
        case "fence":
            return "\n".join(["```x", *typed, "```"]), "\n".join(typed)
    return "\n".join(typed), "\n".join(plain)


BLOCK = st.builds(_block, st.sampled_from(["words", "list", "numbers", "quote", "table", "fence"]), LINES)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(LINE, BLOCK), min_size=1, max_size=4))
def test_no_marks_are_left_of_any_structure(parts: list[tuple[tuple[str, ...], tuple[str, str]]]) -> None:
    markdown = "\n\n".join(f"## {heading[0]}\n\n{block[0]}" for heading, block in parts)
    assert plain_text(markdown) == "\n\n".join(f"{heading[1]}\n\n{block[1]}" for heading, block in parts)


SENTENCE = (
    st.text("abc XYZ é住宅ש .,;:?!'\"()%/", min_size=1, max_size=40)
    .map(str.strip)
    .filter(lambda text: text[:1].isalpha())
)


@settings(max_examples=80)
@given(st.lists(st.lists(SENTENCE, min_size=1, max_size=3).map("\n".join), min_size=1, max_size=4).map("\n\n".join))
def test_plain_paragraphs_stay_as_they_are(text: str) -> None:
    assert plain_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        ("## Section\n\n" + "Some *words* with a [link](https://example.org). " * 12 + "\n\n- one\n- two\n\n") * 90,
        "[" * 64_000,
        "> " * 8 + "a\n" * 4_900,
    ],
    ids=["a long page", "brackets", "quotes"],
)
def test_no_text_of_64_kib_takes_a_second(text: str) -> None:
    began = time.process_time()
    plain_text(text)
    assert time.process_time() - began < 4


def test_all_sections_of_a_long_page_take_little_more_than_the_whole() -> None:
    whole = "## A\n\n[x]\n\n" * 2_000 + "[x]: https://example.org"
    began = time.process_time()
    plain = {plain_text(section.text, within=whole) for section in sections_of(whole)}
    assert time.process_time() - began < 8
    assert plain == {"x (https://example.org)"}


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)


def test_the_html_form_is_a_document_of_its_own() -> None:
    document = html_document(
        "---\na: b\n---\n# Homes & <more>\n\n## Now\n\n*x*", title="Homes & <more>", lang='en"><script>'
    )
    assert document.startswith(
        '<!doctype html>\n<html lang="en&#34;&gt;&lt;script&gt;">\n<head>\n<meta charset="utf-8">'
    )
    assert "<title>Homes &amp; &lt;more&gt;</title>" in document
    assert '<h1 dir="auto">Homes &amp; &lt;more&gt;</h1>\n<h2 id="u-now" dir="auto">Now</h2>' in document
    assert Tags(document).opened == ["html", "head", "meta", "meta", "title", "body", "h1", "h2", "p", "em"]
    assert html_document("x", title="T").startswith("<!doctype html>\n<html>\n")


@pytest.mark.parametrize(
    ("form", "encoding", "etag"),
    [
        (Representation.MARKDOWN, "", f'"{HASH}"'),
        (Representation.JSON, "", f'"{HASH}-json-41"'),
        (Representation.TEXT, "", f'"{HASH}-txt"'),
        (Representation.HTML, "", f'"{HASH}-html"'),
        (Representation.MARKDOWN, "gz", f'"{HASH}-gz"'),
        (Representation.JSON, "gz", f'"{HASH}-json-41-gz"'),
    ],
)
def test_each_form_and_encoding_has_a_tag_of_its_own(form: Representation, encoding: str, etag: str) -> None:
    assert etag_of(HASH, 41, form, encoding) == etag


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (None, False),
        ("", False),
        ("*", True),
        (" * ", True),
        ('"a-json"', True),
        ('W/"a-json"', True),
        ('"b", "a-json"', True),
        ('"b",W/"a-json" , "c"', True),
        ('"a"', False),
        ('"a-json-gz"', False),
        ("a-json", False),
        ('"xa-json"', False),
        ('"A-JSON"', False),
        ('"b, a-json"', False),
        ('"b\\"a-json"', False),
        ('"', False),
        ('"*"', False),
    ],
)
def test_a_client_that_knows_the_text_is_recognised(header: str | None, known: bool) -> None:
    assert if_none_match(header, '"a-json"') is known


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "json"),
        ("", "json"),
        ("  ", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("application/*", "json"),
        ("APPLICATION/JSON; charset=utf-8", "json"),
        ("text/plain", "txt"),
        ("text/*", "txt"),
        ("text/markdown", "md"),
        ("text/html", "html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),  # a browser
        ("application/json, text/plain, */*", "json"),
        ("text/markdown, */*", "md"),
        ("text/plain;q=0.5, text/html;q=0.4", "txt"),
        ("text/plain;q=0.5, text/html;q=0.50", "txt"),
        ("text/plain; q=0.001", "txt"),
        ("text/*;q=0.9, text/plain;q=0.1", "md"),  # the nearest range counts, not the largest weight
        ("*/*, application/json;q=0, text/plain;q=0", "md"),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("image/png", None),
        ("text", None),
        ("text/html;q=2", None),
        ("text/html;q=abc, text/plain;q=0.1", "txt"),
        ("text/html;level=1;q=0.2", "html"),
        (",,;q=1,", None),
    ],
)
def test_the_form_is_what_the_client_weighs_most(accept: str | None, form: str | None) -> None:
    assert negotiate(accept) == form


@pytest.mark.parametrize("form", list(Representation))
def test_a_suffix_decides_whatever_is_accepted(form: Representation) -> None:
    assert negotiate("image/png", f".{form}") is form
    assert negotiate(None, str(form)) is form
    assert form in MEDIA_TYPES


def test_an_unknown_suffix_is_no_form() -> None:
    assert negotiate("*/*", ".pdf") is None
    assert negotiate("*/*", ".JSON") is None


@pytest.mark.parametrize(
    ("header", "welcome"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("*", True),
        ("br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("*, gzip;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("identity;q=0.5, *;q=0.6", True),
        ("br;q=1.0, gzip;q=0.001", True),
    ],
)
def test_gzip_is_sent_to_whoever_welcomes_it(header: str | None, welcome: bool) -> None:
    assert accepts_gzip(header) is welcome
