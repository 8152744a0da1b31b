"""Screens come in the language that the browser asks for, where there is a catalogue; programs are told in English."""

from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from app.web.languages import FOLDER, choose, installed
from app.web.static import ADDRESS
from app.words import ENGLISH, Language, _, _n, language, speaking
from tests.conftest import MovableClock, connect

KNOWN = {code.lower(): Language(code, NullTranslations()) for code in ("en", "de", "pt", "pt-BR", "zh-Hant")}
GERMAN = {
    "There is no such page": "Diese Seite gibt es nicht",
    "No page is called “{slug}”. Search for a word of it, or look at the list of pages.": "Keine Seite heißt „{slug}“.",
    "Go to the first page": "Zur ersten Seite",
}


@pytest.fixture
def locale(tmp_path: Path) -> Path:
    """A folder with catalogues in German and Arabic."""
    for code in ("de", "ar"):
        catalogue = Catalog(locale=code)
        for message, translated in GERMAN.items():
            catalogue.add(message, translated)
        catalogue.add(("{n} vote", "{n} votes"), tuple(f"Form {number}" for number in range(catalogue.num_plurals)))
        folder = tmp_path / "locale" / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        with (folder / "messages.mo").open("wb") as compiled:
            write_mo(compiled, catalogue)
    return tmp_path / "locale"


@pytest.fixture
def translated(locale: Path, settings: Settings, clock: MovableClock) -> Iterator[FastAPI]:
    """The program with these catalogues."""
    program = create_app(settings, clock=clock, follow=False, locale=locale)
    yield program
    program.state.database.dispose()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("en-GB, de;q=0.9", "en"),
        ("fr, nl;q=0.5", "en"),
        ("fr, de;q=0.5", "de"),
        ("de;q=0.2, pt;q=0.7", "pt"),
        ("PT-br", "pt-BR"),
        ("pt-PT", "pt"),
        ("zh-Hant-TW", "zh-Hant"),
        ("zh", "en"),
        ("de;q=0, pt;q=0.1", "pt"),
        ("de;q=x, pt;q=0.1", "pt"),
        ("de;q=1.5, pt;q=0.1", "pt"),
        ("de;q=abc, pt;q=0.1", "pt"),
        ("de;q=, pt;q=0.1", "pt"),
        ("de;q=-1, pt;q=0.1", "pt"),
        ("de;q=nan, pt;q=inf", "en"),
        ("de;q=1.000, pt;q=0.999", "de"),
        ("de; q=0.5 ;q=1, pt;q=0.7", "pt"),
        ("*", "en"),
        (";;,,=", "en"),
    ],
)
def test_the_language_is_the_best_of_those_there_are(asked: str, code: str) -> None:
    assert choose(asked, KNOWN).code == code


def test_a_catalogue_speaks_until_the_end_of_its_block(locale: Path) -> None:
    known = installed(locale)
    assert set(known) == {"en", "de", "ar"}
    with speaking(known["ar"]):
        assert (_("Go to the first page"), language().direction) == ("Zur ersten Seite", "rtl")
        assert (_n("{n} vote", "{n} votes", 1), _n("{n} vote", "{n} votes", 3)) == ("Form 1", "Form 3")
    assert (_("Go to the first page"), language()) == ("Go to the first page", ENGLISH)


def test_without_catalogues_there_is_english() -> None:
    assert installed(FOLDER) == {"en": ENGLISH}


@pytest.mark.anyio
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_screen_comes_in_the_readers_language(translated: FastAPI) -> None:
    async with connect(translated) as client:
        german = await client.get("/pages/nowhere", headers={"Accept-Language": "de-AT"})
        odd = [
            await client.get("/pages/nowhere", headers={"Accept-Language": f"de;q={weight}"})
            for weight in ("1.5", "abc", "", "\x00", "9" * 5000)
        ]
        arabic = await client.get("/pages/nowhere", headers={"Accept-Language": "ar"})
        french = await client.get("/pages/nowhere", headers={"Accept-Language": "fr"})
        styles = await client.get(f"{ADDRESS}/app.css", headers={"Accept-Language": "de"})
    # The error is raised in a thread, its page made outside of it.
    for words in (
        "Keine Seite heißt „nowhere“.",
        "Diese Seite gibt es nicht",
        "Zur ersten Seite",
        '<html lang="de" dir="ltr"',
    ):
        assert words in german.text
    assert '<html lang="ar" dir="rtl"' in arabic.text
    assert [(answer.status_code, '<html lang="en"' in answer.text) for answer in odd] == [(404, True)] * len(odd)
    assert '<html lang="en" dir="ltr"' in french.text
    assert "No page is called “nowhere”" in french.text
    assert all("Accept-Language" in answer.headers["vary"] for answer in (german, arabic, french))
    assert "Accept-Language" not in styles.headers.get("vary", "")


@pytest.mark.anyio
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_programs_are_answered_in_english(translated: FastAPI) -> None:
    asked = {"Accept-Language": "de", "Accept": "application/json"}
    async with connect(translated) as client:
        from_api = await client.get("/api/v1/pages/nowhere", headers=asked)
        from_screen = await client.get("/pages/nowhere", headers=asked)
    for answer in (from_api, from_screen):
        assert answer.json()["title"] == "There is no such page"
        assert answer.json()["detail"].startswith("No page is called “nowhere”.")
        assert "Accept-Language" not in answer.headers.get("vary", "")


@pytest.mark.anyio
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_fault_is_told_in_the_readers_language(translated: FastAPI) -> None:
    translated.state.search = None  # what asks it breaks
    async with connect(translated) as client:
        broken = await client.get("/search?q=homes", headers={"Accept-Language": "de"})
    assert broken.status_code == 500
    assert "Zur ersten Seite" in broken.text
