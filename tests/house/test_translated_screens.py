"""In a language without Latin letters, nothing on a screen has any but what people wrote."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from app.accounts import tokens
from app.consensus.models import Value
from app.drafts import joining
from app.main import create_app
from app.permissions import Actor, Scope
from app.settings import Settings
from app.webhooks import outbox
from app.webhooks import service as webhooks
from app.webhooks.outbox import Job, Outcome
from app.words import Language, speaking
from tests.conftest import MovableClock, connect
from tests.contract.campaign import Campaign, fill
from tests.factories import Workshop

NAMES = (
    *("Message Workshop", "North", "anna", "cara", "cara’s draft", "Housing", "Schools", "Traffic", "Long", "Marked"),
    *("Topline", "Key points", "Story", "housing", "rents", "re", "not-one", "nowhere", "base", "day"),
)
"""What people called things or typed, and the fields of forms."""
_NO_WORDS = re.compile(rf"{{\w+}}|\b(?:{'|'.join(sorted(NAMES, key=len, reverse=True))})\b")
PEOPLES_TAGS = {"bdi", "textarea", "kbd", "option", "mark"}
PEOPLES_CLASSES = {"sheet", "words", "diff", "slug"}
SAID_TO_LISTENERS = "vh"
WORDS_IN_ATTRIBUTES = re.compile(
    "title|placeholder|aria-label|alt|data-(?:announce|copied|editing|found|here|here_only|kept|leave|list|many|moved|"
    "offline|one|saved|saving|sent|signed-out|take)"
)
ALONE = {"br", "hr", "img", "input", "link", "meta"}
_KEPT = re.compile(r"\{[^}]*\}|%\(\w+\)s|<[^>]*>|&#?\w+;")


def disguise(message: str) -> str:
    """The message in another alphabet; its fields and tags stay."""
    kept = _KEPT.findall(message)
    pieces = [re.sub("[A-Za-z]", "ж", piece) for piece in _KEPT.split(message)]
    return "⟦" + "".join(piece + field for piece, field in zip(pieces, [*kept, ""], strict=True)) + "⟧"


class Disguised(NullTranslations):
    """A language in which no message has a Latin letter."""

    def gettext(self, message: str) -> str:
        return disguise(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return disguise(msgid1 if n == 1 else msgid2)


class _Bare(HTMLParser):
    """Collects words in Latin letters that no person wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            if WORDS_IN_ATTRIBUTES.fullmatch(name) and (tag, name) != ("time", "title"):
                self._collect(value)
        if tag not in ALONE:
            classes = set(given.get("class", "").split())
            within = bool(self._open) and self._open[-1][1]
            peoples = within or tag in PEOPLES_TAGS or bool(classes & PEOPLES_CLASSES)
            self._open.append((tag, peoples and SAID_TO_LISTENERS not in classes and tag != "summary"))

    def handle_endtag(self, tag: str) -> None:
        while tag not in ALONE and self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not (self._open and self._open[-1][1]):
            self._collect(data)

    def _collect(self, text: str) -> None:
        self.words += re.findall("[A-Za-z]{2,}", _NO_WORDS.sub("", text))


def bare_words(page: str) -> list[str]:
    """The words that a page shows in English whatever its reader's language is."""
    found = _Bare()
    found.feed(page)
    return found.words


@pytest.fixture
def campaign(sqlite_template: Path, tmp_path: Path, clock: MovableClock) -> Iterator[Campaign]:
    (tmp_path / "workshop.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{tmp_path / 'workshop.db'}"
    settings = Settings(database_url=url, data_dir=tmp_path, base_url="http://workshop.test", wait_routine=0)
    app = create_app(settings, clock=clock, follow=False)
    yield fill(app, clock)
    app.state.database.dispose()


SCREENS = (
    "/",
    "/pages/housing",
    "/pages/schools",
    "/pages/transport/history",
    "/pages/housing/history",
    "/pages/housing/drafts",
    "/pages/housing/drafts?show=voting",
    "/pages/housing/edit",
    "/pages/housing/edit?section=topline",
    "/revisions/{candidate}",
    "/revisions/{first}",
    "/revisions/{second}/blame",
    "/compare?from={first}&to={candidate}",
    "/drafts/{fork}/edit",
    "/drafts/{fork}/merge",
    "/drafts/{fork}/join?with={near}",
    "/revisions/{near_text}",
    "/changes",
    "/ledger",
    "/ledger/2",
    "/changes?page=housing",
    "/search",
    "/search?q=housing",
    "/search?q=re*+housing",
    "/search?q=-rents",
    "/login",
    "/join",
    "/join/nothing",
    "/review",
    "/review?text={candidate}&said=changed",
    "/me",
    "/me/programs",
    "/me/programs?said=removed",
    "/me/programs?said=taken-back",
    "/me/programs/tokens",
    "/me/programs/tokens/{key}/take-back",
    "/me/programs/webhooks",
    *(f"/me/programs/webhooks/{{webhook}}{step}" for step in ("", "/secret", "/remove", "?said=since", "?test={test}")),
    "/chapters",
    "/chapters/north",
    "/chapters/nowhere",
    "/look",
    "/new",
    "/nothing",
    "/pages/nowhere",
    "/pages/housing/at?day=2020-01-01",
)
FORMS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/login", {"name": "anna", "password": "wrong"}),
    ("/join/nothing", {"name": "x", "password": "y"}),
    ("/new", {"title": "", "text": ""}),
    ("/new", {"title": "A", "text": "B", "slug": "Not One"}),
    ("/revisions/{candidate}/vote", {"value": "maybe"}),
    ("/revisions/{candidate}/vote", {"value": "support", "sha256": "0"}),
    ("/review", {"revision": "{candidate}", "value": "maybe"}),
    ("/pages/housing/edit", {"base": "{first}", "text": "All of it is new.", "action": "preview"}),
    ("/pages/housing/edit", {"base": "{first}", "text": "x" * 70_000}),
    ("/pages/housing/edit", {"text": "no base"}),
    ("/pages/housing/edit", {"base": "{first}", "text": "# Housing\n\n## Topline\n\nNothing is like it was.\n"}),
    ("/drafts/{fork}/edit", {"base": "{first}", "text": "Not mine."}),
    ("/me/chapter", {"chapter": "nowhere"}),
    ("/me/invite", {}),
    ("/me/programs/tokens", {"name": "", "scopes": "read"}),
    ("/me/programs/tokens", {"name": "Long", "scopes": "read"}),
    ("/me/programs/webhooks", {"url": "nowhere", "kinds": "page.held"}),
    ("/me/programs/webhooks", {"url": "https://192.0.2.1/"}),
    ("/me/programs/webhooks/{webhook}", {"url": "https://example.org/hook", "page": "nowhere"}),
    ("/me/programs/webhooks/{webhook}/again", {"delivery": "9"}),
    ("/me/programs/webhooks/{webhook}/secret", {}),
    ("/logout", {}),
)


def programs(workshop: Workshop, owner: Actor) -> dict[str, int]:
    """A token, a webhook that fails, and what became of a test."""
    with workshop.writing() as session:
        key, _secret = tokens.create(session, owner, [Scope.READ], expires_at=workshop.database.clock() + timedelta(1))
        webhook, _secret = webhooks.add_webhook(session, owner, url="https://example.org/hook")
        test = webhooks.send_test(session, owner, webhook.id)
        outbox.note(session, [Outcome(Job(test.id, webhook, test.message, "", True), test.created_at, 5, status=500)])
        webhooks.send_test(session, owner, webhook.id)
        return {"key": key.id, "webhook": webhook.id, "test": test.id}


@pytest.mark.anyio
@pytest.mark.parametrize("signed_in", [False, True])
async def test_every_word_on_a_screen_is_a_message_or_somebodys(campaign: Campaign, signed_in: bool) -> None:
    ids = {name: getattr(campaign, name) for name in ("first", "second", "fork", "candidate")}
    workshop = Workshop(campaign.app.state.database, campaign.app.state.follower)
    near = workshop.fork(campaign.owner, workshop.get_page("housing"), ("Anna moved", "Anna had to move house"))
    workshop.vote(campaign.owner, near.head_id or 0, Value.PASS)
    with workshop.writing() as session:
        joining.join(session, campaign.owner, ids["fork"], near.id, resolutions=["All of it is new."])
    ids |= {"near": near.id, "near_text": near.head_id or 0}
    ids |= programs(workshop, campaign.owner)
    token = workshop.token(campaign.owner, *Scope)
    found: dict[str, list[str]] = {}
    async with connect(campaign.app) as client:
        await client.get("/pages/housing/drafts")  # what is remembered of it stays in English
    with speaking(Language("x-disguised", Disguised())):
        async with connect(campaign.app, token if signed_in else None) as client:
            for screen in SCREENS:
                answer = await client.get(screen.format(**ids))
                found |= _seen(screen, answer)
            for address, form in FORMS:
                data = {name: value.format(**ids) for name, value in form.items()}
                answer = await client.post(address.format(**ids), data=data)
                found |= _seen(f"{address} {form}"[:200], answer)
    assert not found, json.dumps(found, indent=1)


def _seen(name: str, answer: httpx.Response) -> dict[str, list[str]]:
    if answer.is_redirect:
        return {}
    assert '<html lang="x-disguised"' in answer.text, name
    words = bare_words(answer.text)
    return {f"{answer.status_code} {name}": words} if words else {}
