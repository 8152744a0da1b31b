"""Which language a screen is read in: the best of those that have a catalogue, by what the browser asks for."""

import re
from collections.abc import Mapping, Sequence
from gettext import GNUTranslations
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.problems import is_for_programs
from app.words import ENGLISH, Language, speaking

FOLDER = Path(__file__).resolve().parent / "locale"
"""Holds `<code>/LC_MESSAGES/messages.mo` for each language, compiled from `messages.pot`."""

_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")

MAX_ASKED = 20
"""Languages that are read of one request; nobody reads more."""


def installed(folder: Path) -> dict[str, Language]:
    """English and every language with a compiled catalogue, by their codes in small letters, such as `pt-br`."""
    found = [ENGLISH]
    for compiled in sorted(folder.glob("*/LC_MESSAGES/messages.mo")):
        with compiled.open("rb") as catalogue:
            code = compiled.parent.parent.name.replace("_", "-")
            found.append(Language(code, GNUTranslations(catalogue)))
    return {language.code.lower(): language for language in found}


def choose(asked: str, known: Mapping[str, Language]) -> Language:
    """The known language that an Accept-Language header asks for first, `pt` standing in for `pt-br`; else English."""
    for code in _in_order(asked):
        while code:
            if code in known:
                return known[code]
            code = code.rpartition("-")[0]
    return ENGLISH


def _in_order(asked: str) -> Sequence[str]:
    """The codes in the header, the most wanted first, without those whose weight is 0 or cannot be read."""
    weighed: list[tuple[float, str]] = []
    for part in asked.lower().split(",")[:MAX_ASKED]:
        code, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((piece.removeprefix("q=") for piece in parameters if piece.startswith("q=")), "1")
        if _WEIGHT.fullmatch(weight):
            weighed.append((float(weight), code))
    return [code for weight, code in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]


class ReadersLanguage:
    """Lets all that is done for a screen speak the reader's language. Programs are always answered in English."""

    def __init__(self, app: ASGIApp, known: Mapping[str, Language]) -> None:
        self._app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or len(self._known) < 2 or is_for_programs(Request(scope)):
            await self._app(scope, receive, send)
            return

        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.add_vary_header("Accept-Language")
            await send(message)

        with speaking(choose(Headers(scope=scope).get("accept-language", ""), self._known)):
            await self._app(scope, receive, send_with_vary)
