"""The forms an approved text is served in, and how HTTP chooses and names them."""

import re
from enum import StrEnum

from markupsafe import escape

from app.pages.markup import render_markdown


class Representation(StrEnum):
    """A form of a text, by the suffix of its address; the first is served to whoever welcomes all alike."""

    JSON = "json"
    TEXT = "txt"
    MARKDOWN = "md"
    HTML = "html"


MEDIA_TYPES = {
    Representation.JSON: "application/json",
    Representation.TEXT: "text/plain; charset=utf-8",
    Representation.MARKDOWN: "text/markdown; charset=utf-8",
    Representation.HTML: "text/html; charset=utf-8",
}

_ENTITY_TAG = re.compile(r'"[^"]*"')
_WEIGHT = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")


def html_document(text: str, *, title: str, lang: str = "", within: str = "") -> str:
    """A text as a small HTML document of its own, with the title as its one level-1 heading and no style or script."""
    language = f' lang="{escape(lang)}"' if lang else ""
    return (
        f"<!doctype html>\n<html{language}>\n<head>\n"
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n"
        f'<h1 dir="auto">{escape(title)}</h1>\n{render_markdown(text, title=title, within=within)}</body>\n</html>\n'
    )


def etag_of(sha256: str, approval_id: int, representation: Representation, encoding: str = "") -> str:
    """The entity tag, quotes included: the hash alone for Markdown as it is, else followed by `-txt`, `-gz` …

    JSON says what the text rests on as well, so its tag names the approval: the same text can be approved again, or
    stand as contested.
    """
    form = "" if representation is Representation.MARKDOWN else f"-{representation}"
    if representation is Representation.JSON:
        form += f"-{approval_id}"
    return f'"{sha256}{form}{"-" if encoding else ""}{encoding}"'


def if_none_match(header: str | None, etag: str) -> bool:
    """Whether the client has this already: RFC 9110, section 13.1.2, with the weak comparison it asks for."""
    if not header:
        return False
    return header.strip() == "*" or etag in _ENTITY_TAG.findall(header)


def negotiate(accept: str | None, suffix: str = "") -> Representation | None:
    """The form to serve: what the suffix says, else what `Accept` weighs most; None if there is no such form.

    Of forms that weigh the same one named in full wins over one meant by a wildcard. RFC 9110, section 12.5.1.
    """
    if suffix:
        return next((form for form in Representation if form == suffix.removeprefix(".")), None)
    if not accept or not accept.strip():
        return Representation.JSON
    weights = _read_weights(accept)

    def welcome(form: Representation) -> tuple[float, int]:
        full = MEDIA_TYPES[form].partition(";")[0]
        for exactness, media_range in ((2, full), (1, f"{full.partition('/')[0]}/*"), (0, "*/*")):
            if media_range in weights:
                return weights[media_range], exactness
        return 0.0, 0

    best = max(Representation, key=welcome)
    return best if welcome(best)[0] > 0 else None


def accepts_gzip(header: str | None) -> bool:
    """Whether `Accept-Encoding` welcomes gzip at least as much as no encoding. RFC 9110, section 12.5.3."""
    weights = _read_weights(header or "")
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _read_weights(header: str) -> dict[str, float]:
    """What a header lists, with its `q`; entries whose `q` is no weight are passed over."""
    weights: dict[str, float] = {}
    for entry in header.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        named = dict(parameter.partition("=")[::2] for parameter in parameters)
        weight = named.get("q", "1").strip()
        if name and _WEIGHT.fullmatch(weight):
            weights[name] = max(float(weight), weights.get(name, 0.0))
    return weights
