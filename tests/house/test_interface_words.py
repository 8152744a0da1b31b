"""Every word of the interface is a message that translators can find, and the catalogue has them all."""

import re
from html.parser import HTMLParser

import pytest

from app.consensus.facts import State
from app.drafts.models import DraftState
from app.search.service import DOUBTS, STATUS
from app.web.templates import FOLDER, STATUS_WORDS, environment
from tests.words import CATALOGUE, collect

FOR_PROGRAMMERS = {"docs.html", "problem.html", "problems.html", "design.html"}
"""Written in English for whoever builds on it; what they show comes from code."""

TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))


class _Shown(HTMLParser):
    """Collects what people read or hear: text, and the attributes that are words."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += re.findall(r"[A-Za-z]{3,}", data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"title", "placeholder", "aria-label", "alt"}:
                self.handle_data(value or "")


def bare_words(source: str) -> list[str]:
    """Words in a template that stand outside every message."""
    inside, opening = False, False
    pieces: list[str] = []
    for _, kind, value in environment.lex(source):
        if kind == "block_begin":
            opening = True
        elif kind == "name" and opening:
            inside = {"trans": True, "endtrans": False, "endblock": False}.get(value, inside)
            opening = False
        elif (kind, value) == ("name", "main_attributes"):
            inside = True
        elif kind == "data" and not inside:
            pieces.append(value)
    shown = _Shown()
    shown.feed("".join(pieces))
    return shown.words


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name not in FOR_PROGRAMMERS])
def test_every_word_can_be_translated(name: str) -> None:
    assert bare_words((FOLDER / name).read_text()) == []


def test_a_bare_word_is_noticed() -> None:
    source = '<p class="note" title="Bare">{{ _("Fine") }} {% trans %}Fine too{% endtrans %} words</p>'
    assert bare_words(source) == ["Bare", "words"]


def test_the_catalogue_is_up_to_date() -> None:
    assert CATALOGUE.read_text() == collect(), "run `make words`"


@pytest.mark.parametrize(
    "message",
    [
        'msgid "Skip to the text"',
        'msgid "There is no such page"',
        'msgid "There is no chapter called “{slug}”."',
        'msgid "{n:,} word added"\nmsgid_plural "{n:,} words added"',
        'msgid "{n} supporter"\nmsgid_plural "{n} supporters"',
    ],
)
def test_the_catalogue_has_the_words_of_templates_and_code(message: str) -> None:
    assert f"\n{message}\n" in CATALOGUE.read_text()


def test_every_state_has_words() -> None:
    assert {*State, "new", "rapid", *DraftState, *STATUS.values(), *DOUBTS} == set(STATUS_WORDS)
