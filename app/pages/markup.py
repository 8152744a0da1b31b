"""Markdown to safe HTML: the one place where people's text becomes HTML."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.token import Token
from markupsafe import Markup

from app.pages.markdown import LINK_SCHEMES, TOO_TANGLED, TooTangled, body_start, headings_in, read, words_of
from app.pages.sections import INTRO, Section, cut_sections, name_key, sections_of
from app.words import _

ID_PREFIX = "u-"
"""Before every id in people's text, so that none meets an id of the page around it."""

CACHED_TEXTS = 128
"""About 3 MB with pages of 8 KB; under 100 MB should every one of them be 64 KiB of list items."""

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_CELLS = {"td", "th"}
_READS_EITHER_WAY = _HEADINGS | _CELLS | {"p", "li", "blockquote"}
_ALIGNED = {f"text-align:{side}": f"align-{side}" for side in ("left", "center", "right")}
# Nothing but picture files: the address of a stream or a search would make every reader call it.
_OWN_PICTURE = re.compile(r"/?[\w.~%-]+(?:/[\w.~%-]+)*\.(?:png|jpe?g|gif|webp|avif|svg)", re.IGNORECASE)

_SECTION_HEADING = re.compile(r'<(?P<tag>h[23])\b[^>]*? id="u-(?P<key>[^"]+)"[^>]*>.*?</(?P=tag)>', re.DOTALL)

_MARKDOWN = MarkdownIt("js-default", {"html": False})
_SANITISER = nh3.Cleaner(
    tags=_READS_EITHER_WAY
    | {"a", "br", "code", "em", "hr", "img", "ol", "pre", "s", "strong", "table", "tbody", "thead", "tr", "ul"},
    attributes={
        "a": {"href", "title"},
        "img": {"src", "alt", "title", "loading"},
        "ol": {"start"},
        **{heading: {"id"} for heading in _HEADINGS},
    },
    tag_attribute_values={tag: {"dir": {"auto"}} for tag in _READS_EITHER_WAY},
    allowed_classes={cell: set(_ALIGNED.values()) for cell in _CELLS},
    url_schemes=set(LINK_SCHEMES),
    link_rel="ugc nofollow noopener",
    id_prefix=ID_PREFIX,
)


def with_section_links(
    html: Markup, text: str, links_of: Callable[[Section], Markup], notes: Mapping[str, Markup]
) -> Markup:
    """The rendered text with what can be done with each section beside its heading.

    `notes` is what is to be known of a section, by its key, and stands below its heading.
    """
    sections = {section.key: section for section in sections_of(text)}

    def add(match: re.Match[str]) -> str:
        section = sections.pop(match["key"], None)
        if section is None:
            return match[0]
        return f'<div class="heading">{match[0]}{links_of(section)}</div>{notes.get(section.key, "")}'

    linked = _SECTION_HEADING.sub(add, html)
    intro = sections.get(INTRO)
    above = f'<div class="heading">{links_of(intro)}</div>' if intro else ""
    return Markup(above + linked)


def render_markdown(text: str, *, title: str = "", within: str = "") -> Markup:
    """A text as HTML that holds no script, no foreign picture and no id but those beginning with `u-`.

    Front matter is left out. The page shows its `title` itself: a lone level-1 heading of the same words is left out,
    other level-1 headings become level 2 and those below move down with them. Each heading's id is `u-` and its key.
    `within` is the whole text, if this is a section of it. Too tangled a text is shown as it was typed, with a line
    that says so.
    """
    return _render(text, title, within, _(TOO_TANGLED))


@lru_cache(maxsize=CACHED_TEXTS)
def _render(text: str, title: str, within: str, too_tangled: str) -> Markup:
    body = text if within else text[body_start(text) :]
    try:
        tokens = read(body, within=within)
    except TooTangled:
        return Markup('<p class="note">{}</p>\n<pre dir="auto">{}</pre>\n').format(too_tangled, text)
    keys = [] if within else _section_keys(text, tokens)
    _leave_out_title(tokens, title)
    _settle_headings(tokens, keys)
    _settle_blocks(tokens)
    return Markup(_SANITISER.clean(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})))


def _section_keys(text: str, tokens: list[Token]) -> list[str]:
    headings = headings_in(tokens)
    sections = cut_sections(text, headings)
    count = sum(heading.level == 2 for heading in headings)
    return [section.key for section in sections[len(sections) - count :]]


def _leave_out_title(tokens: list[Token], title: str) -> None:
    tops = [number for number, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h1"]
    if title and tops == [0] and words_of(tokens[1]) == " ".join(title.split()):
        del tokens[:3]


def _settle_headings(tokens: list[Token], keys: list[str]) -> None:
    """Give each heading its id, the sections' own `keys` first, and keep level 1 for the page's title."""
    step = any(token.tag == "h1" for token in tokens)
    coming = iter(keys)
    taken = dict.fromkeys(keys, 1)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            is_section = opening.tag == "h2" and opening.level == 0
            key = next(coming, "") if is_section else ""
            opening.attrs["id"] = key or name_key(words_of(inline), taken)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + step)}"


def _settle_blocks(tokens: list[Token]) -> None:
    """Let each block read in the direction of its script, and settle links and pictures within."""
    parent = ""
    for token in tokens:
        if token.tag in _READS_EITHER_WAY and token.nesting == 1 and (token.tag, parent) != ("p", "li"):
            token.attrs["dir"] = "auto"
        if token.tag in _CELLS and "style" in token.attrs:
            token.attrs["class"] = _ALIGNED[str(token.attrs.pop("style"))]
        if token.type == "inline":
            token.children = list(_settled(token.children or []))
        parent = token.tag


def _settled(children: Iterable[Token]) -> Iterator[Token]:
    in_link = False
    for token in children:
        if token.type in {"link_open", "link_close"}:
            in_link = token.nesting == 1
            if in_link:
                token.attrs["href"] = _address(str(token.attrs["href"]))
            yield token
        elif token.type != "image":
            yield token
        elif _OWN_PICTURE.fullmatch(source := str(token.attrs["src"])):
            token.attrs |= {"src": normalizeLink(source), "loading": "lazy"}
            yield token
        elif in_link:
            yield Token("text", "", 0, content=words_of(token))
        else:
            yield Token("link_open", "a", 1, attrs={"href": _address(source)})
            yield Token("text", "", 0, content=words_of(token) or source)
            yield Token("link_close", "a", -1)


def _address(typed: str) -> str:
    """Where a link leads: within the text by the ids given here, elsewhere percent-encoded."""
    return normalizeLink(f"#{ID_PREFIX}{typed[1:]}" if typed.startswith("#") else typed)
