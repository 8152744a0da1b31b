"""The word diff as accessible HTML; every character of the texts is escaped here."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from app.revisions.diff import Diff, Excerpt
from app.revisions.diff_words import Part
from app.revisions.segments import Kind
from app.words import _, _n, language

# The signs that make a heading, where words follow them; signs alone are what changed, so they are shown.
_HEADING_MARK = re.compile(r"(^|<(?:ins|del)[^>]*>(?:<span class=\"vh\"[^>]*>[^<]*</span>)?)(#{1,6}[ \t]+)(?=[^\s<])")
_TAGS = (("delete", "del"), ("insert", "ins"))

FOLD = 3
"""The fewest unchanged paragraphs in a row that are folded away."""


def html(diff: Diff, context: int = 1) -> str:
    """All paragraphs with their changes marked, safe to be put into a page as it is.

    Changes are `<del>` and `<ins>` in an element with the id `change-1`, `change-2` …, each starting with a word for
    screen readers in an element of class `vh`. `context` paragraphs on either side of a change stay open; further
    unchanged ones are folded. Without `del` and `.vh` the text is the new text, character for character.
    """
    blocks = [list(block) for _number, block in groupby(diff.parts, lambda part: part.block)]
    changed = [at for at, block in enumerate(blocks) if any(part.change for part in block)]
    shown = {near for at in changed for near in range(at - context, at + context + 1)}
    seen: set[int] = set()
    pieces: list[str] = []
    for is_shown, run in groupby(enumerate(blocks), lambda numbered: numbered[0] in shown):
        paragraphs = [_paragraph(block, seen) for _at, block in run]
        if is_shown or len(paragraphs) < FOLD:
            pieces += paragraphs
        else:
            folded = _n("{n:,} unchanged paragraph", "{n:,} unchanged paragraphs", len(paragraphs))
            summary = f"<summary>{escape(folded.format(n=len(paragraphs)))}</summary>"
            pieces += '<details class="unchanged">', summary, *paragraphs, "</details>"
    return f'<div class="diff">{"".join(pieces)}</div>'


def excerpt_html(excerpt: Excerpt) -> str:
    """One changed paragraph for a card, safe to be put into a page as it is; without ids, as cards stand together."""
    content = _marked(excerpt.parts)
    if excerpt.parts[0].kind == Kind.HEADING:
        content = _HEADING_MARK.sub(r"\1<span hidden>\2</span>", content)
    return f'<p class="diff" dir="auto">{content}</p>'


def _paragraph(block: Sequence[Part], seen: set[int]) -> str:
    """One paragraph; empty lines after it that did not change stand behind it, where they take no room."""
    gap = ""
    if block[-1].op == "equal":
        text = block[-1].text.rstrip()
        gap = block[-1].text[len(text) :]
        block = [*block[:-1], block[-1]._replace(text=text)]
    content = _marked(block, seen)
    if block[0].kind == Kind.HEADING:
        content = _HEADING_MARK.sub(r"\1<span hidden>\2</span>", content)
    kind = block[0].kind.name.lower().replace("_", "-")
    return (f'<p class="is-{kind}" dir="auto">{content}</p>' if content else "") + gap


def _marked(parts: Iterable[Part], seen: set[int] | None = None) -> str:
    """The parts as inline HTML. The first element of each change that is not in `seen` gets its id; None: no ids."""
    pieces: list[str] = []
    for (change, away, minor), run in groupby(parts, lambda part: (part.change, part.away, part.minor)):
        texts = {"equal": "", "delete": "", "insert": "", "move": ""}
        for part in run:
            texts[part.op] += part.text
        if minor:
            pieces += (f"<{tag} hidden>{texts[op]}</{tag}>" for op, tag in _TAGS if texts[op])
        elif away:
            pieces.append(_moved_away(texts["move"], change, linked=seen is not None))
        elif change:
            pieces.append(_change(texts, change, seen))
        else:
            pieces.append(escape(texts["equal"]))
    return "".join(pieces)


def _change(texts: dict[str, str], change: int, seen: set[int] | None) -> str:
    place = ""
    if seen is not None and change not in seen:
        seen.add(change)
        place = f' id="change-{change}" tabindex="-1"'
    marks = _mark("del", _("removed"), texts["delete"]) + _mark("ins", _("added"), texts["insert"])
    marks += _mark("ins", _("moved here"), texts["move"], ' class="moved"')
    return f'<span class="change"{place}>{marks}</span>'


def _moved_away(text: str, change: int, *, linked: bool) -> str:
    words = escape(_("moved to change {number}").format(number=change))
    link = f'<a href="#change-{change}" dir="{language().direction}">{words}</a>' if linked else ""
    return _mark("del", _("moved away"), text, ' class="moved"', link)


def _mark(tag: str, word: str, text: str, attributes: str = "", link: str = "") -> str:
    """The text as added, removed or moved; nothing for no text. Line ends after it are kept but not shown."""
    if not text:
        return ""
    shown = text.rstrip("\n")
    if not shown.strip():
        word, attributes, shown = _("{removed_or_added} spacing").format(removed_or_added=word), ' class="space"', text
    ends = text[len(shown) :]
    hidden = f"<span hidden>{ends}</span>" if ends else ""
    # The direction of its own keeps the hidden word from deciding that of the paragraph.
    said = f'<span class="vh" dir="{language().direction}">{escape(word)} </span>'
    return f"<{tag}{attributes}>{said}{escape(shown)}{link}{hidden}</{tag}>"
