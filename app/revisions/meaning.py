"""What a sentence must not lose when two people edit it: numbers, negations, names and quotations."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from app.words import N_, _

_NAMED = {
    "number": N_("the number {text}"),
    "negation": N_("the negation “{text}”"),
    "name": N_("the name “{text}”"),
    "quotation": N_("the quotation “{text}”"),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A piece that decides what a sentence says. `what` is "number", "negation", "name" or "quotation"."""

    what: str
    text: str

    def __str__(self) -> str:
        return _(_NAMED[self.what]).format(text=self.text)


# Written as words; in scripts without spaces between words, as parts of words. Too many rather than too few: a needless
# question costs a minute, a lost "not" an election.
_NEGATIONS = {
    "en": r"not|no|nor|none|never|neither|nobody|nothing|nowhere|without|cannot|\p{L}+n['’]t",
    "de": r"nicht|nichts|nie|niemals|niemand\p{L}*|nirgend\p{L}*|kein\p{L}*|weder|ohne|nein",
    "fr": r"ne|n['’]\p{L}+|pas|non|jamais|rien|aucune?s?|personne|ni|sans",
    "es": r"no|nunca|jamás|nada|nadie|ning[uú]n\p{L}*|ni|sin|tampoco",
    "it": r"non|mai|niente|nulla|nessun\p{L}*|né|senza",
    "pt": r"não|nunca|jamais|nada|ninguém|nenhu\p{L}+|nem|sem",
    "nl": r"niet|niets|geen|nooit|niemand|nergens|zonder",
    "pl": r"nie|nigdy|nikt|nic|żad\p{L}+|bez",
    "ru": r"не|нет|ни|никогда|никто|ничего|нельзя|без",
    "tr": r"değil\p{L}*|yok|hiç\p{L}*|hayır|olmadan",
    "ar": r"[وف]?(?:لا|لم|لن|ليس\p{L}*|لست\p{L}*|غير|بلا|بدون|دون)",
    "hi": r"नहीं|न|मत|बिना|कभी नहीं",
}
_NEGATIONS_INSIDE = {
    "ja": r"ない|なく|なかっ|なけれ|なし|ません|まい|ずに|せず|ざる|べからず|不|無|非|未",
    "zh": r"不|没|沒|无|無|非|未|别|別|勿|莫",
    "th": r"ไม่|มิได้|มิใช่|ปราศจาก",
    "ko": r"않|못|없|아니|\b안\b",
}
_NUMBER = regex.compile(r"[$€£¥₹]?\p{N}+(?:[.,:'’\u066B\u066C\u00A0\u202F]\p{N}+)*(?:[ \u00A0\u202F]?[%％٪‰$€£¥₹])?")
_NEGATION = regex.compile(
    rf"\b(?:{'|'.join(_NEGATIONS.values())})\b|{'|'.join(_NEGATIONS_INSIDE.values())}", regex.IGNORECASE
)
_CAPITALISED = regex.compile(r"\b\p{Lu}[\p{L}\p{M}\p{N}'’\-]*")
_QUOTATION = regex.compile(
    r"“[^”“]*”|„[^“”„]*[“”]|«[^»]*»|»[^«]*«|\"[^\"]*\"|「[^」]*」|『[^』]*』|‘[^’\n]*’(?!\p{L})|‚[^‘]*‘"
    r"|(?<![\p{L}\p{N}])'[^'\n]+'(?![\p{L}\p{N}])|[“”„«»「」『』\"]"
)
# What Markdown puts before a sentence and a reader does not count as part of it.
_MARKERS = regex.compile(r"\s*(?:#{1,6}[ \t]|>[ \t]?|[-*+][ \t]|\d{1,9}[.)][ \t]|\[[ xX]\][ \t]|\[\^?[^\]\n]+\]:|\s)*")
_ADDRESS = regex.compile(r"https?://\S+|\]\([^)\s]*\)?|\[\^[^\]\s]+\]")
_FIRST_WORD = regex.compile(r"[^\p{L}\p{N}]*[\p{L}\p{M}\p{N}'’\-]+")


def loaded_in(sentence: str) -> Iterator[Loaded]:
    """The numbers, negations, names (capitalised, not the first word) and quotations of a sentence, kind by kind.

    Numbers are those written in digits of any script; list numbers, footnote marks and web addresses do not count.
    Quotation marks without a partner count too: the quotation goes on in another sentence.
    """
    body = _ADDRESS.sub(" ", sentence[_MARKERS.match(sentence).end() :])
    for number in _NUMBER.finditer(body):
        yield Loaded("number", " ".join(number[0].split()))
    for negation in _NEGATION.finditer(body):
        yield Loaded("negation", negation[0])
    for quotation in _QUOTATION.finditer(body):
        yield Loaded("quotation", quotation[0].strip("“”„«»\"'‘’‚「」『』") or quotation[0])
    first = _FIRST_WORD.match(body)
    for name in _CAPITALISED.finditer(body, first.end() if first else 0):
        if name[0] != "I" and not name[0].startswith(("I'", "I’")):
            yield Loaded("name", name[0])


def guard(base: str, ours: str, theirs: str, *, only_altered: bool = False) -> Loaded | None:
    """What makes it unsafe to combine two edits of one sentence without asking, None if nothing does.

    It is the first loaded piece that any of the three versions holds; with `only_altered`, the first that one of the
    two edits added or removed.
    """
    held = [Counter(loaded_in(version)) for version in (base, ours, theirs)]
    if only_altered:
        altered = ((side - held[0]) + (held[0] - side) for side in held[1:])
        return next((piece for pieces in altered for piece in pieces), None)
    return next((piece for pieces in (held[1], held[2], held[0]) for piece in pieces), None)
