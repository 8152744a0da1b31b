"""Nothing that people write runs as a script, loads from elsewhere or stops the page, and any script reads right."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.pages import markup
from app.pages.markup import render_markdown

TAGS = {
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "img",
    "li",
    "ol",
    "p",
    "pre",
} | {*("s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul")}
ATTRIBUTES = {"href", "title", "rel", "src", "alt", "loading", "id", "dir", "class", "start"}
CLASSES = {"align-left", "align-center", "align-right", "note"}


class Witness(HTMLParser):
    """Reads HTML and objects to whatever could run, load from elsewhere or meet the page's own ids."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        names = [name for name, _ in attrs]
        assert set(names) <= ATTRIBUTES, names
        assert len(names) == len(set(names)), names
        for name, value in attrs:
            assert value is not None
            self.check(tag, name, value)
        assert tag != "a" or dict(attrs)["rel"] == "ugc nofollow noopener"

    def check(self, tag: str, name: str, value: str) -> None:
        if name in {"href", "src"}:
            # As browsers do it: tabs and line ends dropped anywhere, spaces and controls at the beginning.
            address = re.sub(r"[\t\r\n]", "", value).strip("".join(map(chr, range(33))))
            scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", address)
            assert scheme is None or scheme[1].lower() in {"http", "https", "mailto", "tel"}, address
            assert tag != "img" or (scheme is None and not re.match(r"[/\\]{2}", address)), address
        if name == "id":
            assert value.startswith("u-")
            self.ids.append(value)
        if name == "dir":
            assert value == "auto"
        if name == "class":
            assert value in CLASSES

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a section: {data}")


def harmless(text: str) -> str:
    """The text as HTML, after a look at each tag and attribute by a parser that shares nothing with the sanitiser."""
    html = str(render_markdown(text))
    witness = Witness()
    witness.feed(html)
    witness.close()
    assert len(witness.ids) == len(set(witness.ids))
    return html


ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "\x01javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "java&Tab;script:alert(1)",
    "java&NewLine;script:alert(1)",
    "java&#9;script:alert(1)",
    "java&#x0A;script:alert(1)",
    "java\u200bscript:alert(1)",
    "java\u00adscript:alert(1)",
    "\u00a0javascript:alert(1)",
    "\u3000javascript:alert(1)",
    "\ufeffjavascript:alert(1)",
    "ｊavascript:alert(1)",
    "javascript&colon;alert(1)",
    "javascript&#58;alert(1)",
    "javascript&#0000058alert(1)",
    "javascript&#x3A;alert(1)",
    "&#106;avascript:alert(1)",
    "&#x6a;avascript:alert(1)",
    "&#0000106avascript:alert(1)",
    "javascript\\:alert(1)",
    "java\\script:alert(1)",
    "javascript%3Aalert(1)",
    "%6Aavascript:alert(1)",
    "javascript://example.org/%0Aalert(1)",
    "javascript:/*--></title></style>'\"><svg/onload=alert(1)//",
    "x-javascript:alert(1)",
    "vbscript:msgbox(1)",
    "livescript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml;base64,PHN2Zz4=",
    "data:image/png;base64,iVBORw0KGgo=",
    "DATA:application/xhtml+xml,x",
    "blob:https://example.org/1",
    "file:///etc/passwd",
    "filesystem:https://example.org/x",
    "feed:javascript:alert(1)",
    "view-source:javascript:alert(1)",
    "jar:https://example.org!/x",
    "ws://example.org",
    "about:blank",
    "intent://x#Intent;scheme=javascript;end",
    "ms-word:ofe|u|https://example.org",
    "?:javascript:alert(1)",
    '#"onclick="alert(1)',
    '/"onclick="alert(1)',
    'https://example.org/"onmouseover="alert(1)',
    "https://example.org/'onmouseover='alert(1)",
    "https://example.org/`onmouseover=alert(1)",
    "https://example.org/<script>alert(1)</script>",
    "https://user:pass@example.org:80/:javascript:",
    "//example.org/x.png",
    "/\\example.org/x.png",
    "\\\\example.org\\x.png",
    "/\t/example.org/x.png",
    "///example.org/x.png",
    "https:example.org/x.png",
    "https://example.org/x.png",
    "http://[::1]/x.png",
    "http://[x.png",
    "/api/v1/stream",
    "/search?q=x.png",
    "/x.png?token=1",
    "../x.png#y",
]

AROUND_ADDRESSES = [
    "[x]({})",
    "[x](<{}>)",
    "[x]( {} 'title')",
    "![x]({})",
    "![x](<{}>)",
    "[![x]({})](https://example.org)",
    "<{}>",
    "[x]\n\n[x]: {}",
    "[x][]\n\n[x]: <{}> (title)",
    "![x][y]\n\n[y]: {}",
    "[[{}]]",
    "[[x|{}]]",
    "[[{}|x]]",
    "# [x]({})",
    "- [x]({})",
    "> ![x]({})",
    "|[x]({})|\n|-|\n|![x]({})|",
    "[x\n]({})",
    "{}",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_leads_nowhere_dangerous_however_it_is_written(address: str) -> None:
    for around in AROUND_ADDRESSES:
        harmless(around.replace("{}", address))


WORDS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//example.org/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)//",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=//example.org/x.swf>",
    "<base href=//example.org/>",
    "<meta http-equiv=refresh content='0;url=//example.org'>",
    "<link rel=stylesheet href=//example.org/x.css>",
    "<style>@import '//example.org/x.css';</style>",
    '<div style="background:url(javascript:alert(1))">',
    "<form action=//example.org><input name=password>",
    "<button formaction=javascript:alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<body onload=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<a href=javascript:alert(1)>x</a>",
    "<a id=main name=login>x</a>",
    "<textarea></textarea><script>alert(1)</script>",
    "<title></title><script>alert(1)</script>",
    "<plaintext>",
    "<xmp><script>alert(1)</script></xmp>",
    "<!--<script>alert(1)</script>-->",
    "<!--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<!DOCTYPE html [<!ENTITY x 'y'>]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "<%= 1 %><script>",
    "{{ 7 * 7 }}{% raw %}",
    "</p></div></main><script>alert(1)</script>",
    "</code></pre><script>alert(1)</script>",
    "</li></ul></td></table><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "' onmouseover=alert(1) x='",
    '" onmouseover="alert(1)" x="',
    "` onmouseover=alert(1)`",
    'x" id="main',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&lt;img src=x onerror=alert(1)&gt;",
    "\\<script\\>alert(1)\\</script\\>",
    "＜script＞alert(1)＜/script＞",
    "\u2028<script>alert(1)</script>",
    "<\u200bscript>alert(1)</script>",
    "\x00<scr\x00ipt>alert(1)</script>",
    "<script\x0c>alert(1)</script>",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") + "<script>alert(1)</script>",
    "ſcript <ſcript>alert(1)</ſcript>",
    "<İmg src=x onerror=alert(1)>",
    "__proto__ constructor",
    "u-main",
]

AROUND_WORDS = [
    "{}",
    "# {}",
    "{}\n===",
    "## {}\n\n## {}",
    "- {}",
    "> {}",
    "|{}|\n|:-:|\n|{}|",
    "`{}`",
    "```\n{}\n```",
    "```{}\nx\n```",
    "~~~ {} x\nx\n~~~",
    "    {}",
    "**{}** ~~{}~~",
    "[{}](https://example.org)",
    '[x](https://example.org "{}")',
    "[x](https://example.org '{}')",
    "[x](https://example.org ({}))",
    "[x](https://example.org/{})",
    "[x](<{}>)",
    "[x](#{})",
    "![{}](/static/x.png)",
    "![{}](https://example.org/x.png)",
    '![x](/static/x.png "{}")',
    "![x](/static/{}.png)",
    "[![{}](/static/x.png)](https://example.org)",
    "<https://example.org/{}>",
    "<{}@example.org>",
    '[{}]\n\n[{}]: https://example.org "{}"',
    "[[{}]]",
    "[[housing|{}]]",
    "---\ntitle: {}\n---\n\n{}",
    "---\n{}\n---",
    "1. {}\n\n   {}",
]


@pytest.mark.parametrize("words", WORDS)
def test_html_in_a_text_is_words_wherever_it_stands(words: str) -> None:
    for around in AROUND_WORDS:
        harmless(around.replace("{}", words))
    assert "<script" not in harmless(words).lower()


@pytest.mark.parametrize("words", WORDS)
def test_the_second_wall_holds_should_the_first_one_fall(words: str) -> None:
    witness = Witness()
    witness.feed(markup._SANITISER.clean(f"<p class=x style=y onclick=z id=w>{words}</p>"))
    for address in ADDRESSES[:50]:
        witness.feed(markup._SANITISER.clean(f'<a href="{address}" target=_blank>x</a>'))


def test_a_text_too_tangled_to_read_is_shown_as_typed_and_says_so() -> None:
    html = harmless("> " * 9 + "<script>alert(1)</script> *x* & {0}")
    assert html == (
        '<p class="note">This text is too tangled to lay out, so it is shown as it was typed.</p>\n'
        '<pre dir="auto">' + "&gt; " * 9 + "&lt;script&gt;alert(1)&lt;/script&gt; *x* &amp; {0}</pre>\n"
    )


PIECES = [
    *"#>*_`[]()!|<>&;:/\\\"'=-+~ \n\t.",
    *[
        "\n\n",
        "- ",
        "1. ",
        "```",
        "[[",
        "](",
        "\n|-|\n",
        "\n---\n",
        "---\na: b\n---\n",
        "[a]: ",
        "<script>",
        " onerror=x ",
    ],
    *["javascript:", "data:", "https://", "//", "mailto:", "x.png", "&Tab;", "&colon;", "&#x3c;", "a", "é", "住", "ع"],
    *["\u200b", "\u202e", "\u2028", "\U000e0041", "\ufffe", "🏠"],
]


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join))
def test_whatever_is_typed_comes_out_harmless(text: str) -> None:
    harmless(text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "Words *and* **more** ~~less~~ `code`.",
            "<p>Words <em>and</em> <strong>more</strong> <s>less</s> <code>code</code>.</p>",
        ),
        ("a  \nb\\\nc\nd", "<p>a<br>\nb<br>\nc\nd</p>"),
        ("- a\n- b\n\n3. c", '<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<ol start="3">\n<li>c</li>\n</ol>'),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>"),
        ("---", "<hr>"),
        ("```html\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
        ("&copy; &lt;", "<p>© &lt;</p>"),
        ("[x](https://example.org/a?b=c&d)", '<p><a href="https://example.org/a?b=c&amp;d">x</a></p>'),
        ("[x](https://münchen.example/ß)", '<p><a href="https://xn--mnchen-3ya.example/%C3%9F">x</a></p>'),
        (
            "[x](tel:+441234) <a@example.org>",
            '<p><a href="tel:+441234">x</a> <a href="mailto:a@example.org">a@example.org</a></p>',
        ),
        (
            "[x](other) [y](/pages/y) [z](#key-points)",
            '<p><a href="other">x</a> <a href="/pages/y">y</a> <a href="#u-key-points">z</a></p>',
        ),
        ("[x](javascript:y)", "<p>[x](javascript:y)</p>"),
        ("[x](/y&Tab;z)", "<p>[x](/y\tz)</p>"),
        ("<b>x</b> <!-- y -->", "<p>&lt;b&gt;x&lt;/b&gt; &lt;!-- y --&gt;</p>"),
        ("[[Council Tax]]", '<p><a href="/pages/council-tax">Council Tax</a></p>'),
        ("[[住宅|homes]]", '<p><a href="/pages/%E4%BD%8F%E5%AE%85">homes</a></p>'),
        (
            "[[1]](https://example.org) [[!]] `[[x]]`",
            '<p><a href="https://example.org">[1]</a> [[!]] <code>[[x]]</code></p>',
        ),
        ("[a [[b]] c](https://example.org)", '<p>[a <a href="/pages/b">b</a> c](https://example.org)</p>'),
        ("![a *b*](/static/x.png)", '<p><img src="/static/x.png" alt="a b" loading="lazy"></p>'),
        ("![a *b*](https://example.org/x.png)", '<p><a href="https://example.org/x.png">a b</a></p>'),
        ("![](https://example.org/x)", '<p><a href="https://example.org/x">https://example.org/x</a></p>'),
        ("![a](/api/v1/stream)", '<p><a href="/api/v1/stream">a</a></p>'),
        ("[![a](//example.org/x.png)](/y)", '<p><a href="/y">a</a></p>'),
        ("---\ntitle: T\n---\n\nx", "<p>x</p>"),
        ("---\n\nx\n\n---", "<hr>\n<p>x</p>\n<hr>"),
    ],
)
def test_markdown_is_laid_out(text: str, html: str) -> None:
    rendered = harmless(text).replace(' rel="ugc nofollow noopener"', "").replace(' dir="auto"', "")
    assert rendered == html + "\n"


def test_columns_are_aligned_by_class_because_styles_are_forbidden() -> None:
    html = harmless("|a|b|c|d|\n|:-|:-:|-:|-|\n|1|2|3|4|")
    assert '<th dir="auto" class="align-left">a</th>' in html
    assert (
        '<td dir="auto" class="align-center">2</td>\n<td dir="auto" class="align-right">3</td>\n<td dir="auto">4</td>'
        in html
    )


def test_each_block_reads_in_the_direction_of_its_script() -> None:
    html = harmless("# שלום\n\nabc\n\n- a\n\n- ب\n\n> x\n\n|a|\n|-|\n|ب|")
    for block in ('<h2 id="u-שלום"', "<p", "<li", "<blockquote", "<th", "<td"):
        assert f'{block} dir="auto"' in html
    assert '<li dir="auto">\n<p>' in html  # the item decides, so that its marker stands on the side of its words


@pytest.mark.parametrize(
    ("text", "title", "headings"),
    [
        ("## A\n### B", "", ["h2 u-a", "h3 u-b"]),
        ("# A\n## B\n###### C", "", ["h2 u-a", "h3 u-b", "h6 u-c"]),  # level 1 is the page's own title
        ("# Housing\n## A", "Housing", ["h2 u-a"]),  # which is not said twice
        ("# Homes\n## A", "Housing", ["h2 u-homes", "h3 u-a"]),
        ("# A\n## B\n# A", "A", ["h2 u-a", "h3 u-b", "h2 u-a-2"]),
        ("x\n# A", "A", ["h2 u-a"]),
        ("### A\n## A\n## A", "", ["h3 u-a-3", "h2 u-a", "h2 u-a-2"]),  # sections have the first choice
        ("x\n## Intro\n## !", "", ["h2 u-intro-2", "h2 u-section"]),
        ("> ## A\n\n## A", "", ["h2 u-a-2", "h2 u-a"]),
    ],
)
def test_headings_keep_level_1_for_the_page_and_carry_their_keys(text: str, title: str, headings: list[str]) -> None:
    html = render_markdown(text, title=title)
    assert [" ".join(found) for found in re.findall(r'<(h\d) id="([^"]*)"', html)] == headings


def test_a_section_finds_its_addresses_in_the_whole_and_hides_nothing() -> None:
    whole = "## A\n\n[x][1]\n\n## B\n\n---\na: b\n***\n\n[1]: https://example.org\n"
    assert 'href="https://example.org"' in render_markdown("[x][1]", within=whole)
    assert "a: b" in render_markdown("---\na: b\n\n---", within=whole)


def test_the_same_text_is_laid_out_once() -> None:
    text = "once *and* again"
    assert render_markdown(text) is render_markdown(text)


def test_threads_lay_out_alike() -> None:
    texts = [f"## {number}\n\n[a](https://example.org/{number}) *b*\n\n|x|\n|-|\n|{number}|" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(render_markdown, texts * 4))
    markup._render.cache_clear()
    assert together == [render_markdown(text) for text in texts] * 4


HOSTILE = {
    "wide table, short rows": "|a" * 3000 + "\n" + "|-" * 3000 + "\n" + "a\n" * 1500,
    "table at the limit": "|a" * 48 + "|\n" + "|-" * 48 + "|\n" + "a\n" * 95,
    "many little tables": ("a|\n-|\n" + "|\n" * 20 + "\n") * 100,
    "brackets": "[" * 6000,
    "20,000 brackets": "[" * 20_000,
    "open brackets before many words": "[" * 40 + "= " * 24_000,
    "open pictures": "![" * 40 + "*a* " * 2400 + "= " * 19_000,
    "pictures in pictures": ("![" * 50 + "a" + "](b)" * 50 + "\n\n") * 140,
    "deep quotes": "> " * 30 + "a\n" + "a\n" * 30_000,
    "quotes at the limit": "> " * 8 + "a\n" + "x y z\n" * 4_900,
    "deep lists on a line": ("- " * 40 + "a\n") * 800,
    "deep lists": "".join("  " * depth + "- a\n" for depth in range(250)),
    "list items": "- a\n" * 16_000,
    "headings": "## *a*\n" * 2_400,
    "paragraphs": "a\n\n" * 21_000,
    "emphasis": "*_" * 32_000,
    "emphasis at the limit": "*a* " * 4_900,
    "backticks": "".join("`" * length + "a" for length in range(1, 360)),
    "addresses": "<a@b.cc> " * 7_000,
    "one long address": "[a](http://" + "ü" * 20_000 + ".example)",
    "front matter without end": "---\na: b\n" + "x: y\n" * 12_000,
    "accents": "a" + "\u0301" * 30_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_of_64_kib_takes_a_second(name: str) -> None:
    began = time.process_time()
    harmless_html = render_markdown(HOSTILE[name][: 64 * 1024])
    assert time.process_time() - began < 4
    assert harmless_html
