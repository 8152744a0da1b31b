"""Addresses made of words: how a title becomes one, what is refused, and which of them look alike."""

import unicodedata

import regex
from slugify import slugify

from app.errors import Refused
from app.words import _

MAX_LENGTH = 80
RESERVED = frozenset({"new", "edit"})
"""Words that stand for a form right below /pages/, /chapters/ and their like."""

_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_LATIN = regex.compile(r"\p{Latin}[\p{Latin}\p{M}]*")

# Letters of other scripts that pass for a Latin one (capitals too, where only the capital does) and digits that do;
# then Japanese signs that pass for a Chinese one. A short form of the table in Unicode Technical Standard 39.
_LOOKS_LIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјкмнорстухһԁԛԝёӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορτυχωϲϳՕՍՏօոսցհզյ01ニカロエタトハヘー",
    "abesijkmhopctyxaesijkmhopctyxhdqwelabezhikmnoptyxaikvoptuxwcjousonughqjol二力口工夕卜八へ一",
)
# Scripts that one word of Chinese, Japanese or Korean may mix, Latin included.
_EAST_ASIAN = {"LATIN", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO", "HANGUL"}


def spell(words: str) -> str:
    """Words as an address: lower case, hyphens between; Latin letters become a-z, other scripts keep theirs.

    At most `MAX_LENGTH` characters, in NFC; empty when there is neither letter nor digit.
    """
    folded = _fold_latin(_IGNORABLE.sub("", unicodedata.normalize("NFKC", words)))
    slug = slugify(
        folded,
        entities=False,
        decimal=False,
        hexadecimal=False,
        allow_unicode=True,
        max_length=MAX_LENGTH,
        word_boundary=True,
        save_order=True,
        algorithm="modern",
    )
    return unicodedata.normalize("NFC", slug)


def slug_of(title: str) -> str:
    """The address a title gets: never empty, never a reserved word."""
    slug = spell(title) or "page"
    return f"{slug}-page" if slug in RESERVED else slug


def check_slug(slug: str, *, pointer: str = "/slug") -> str:
    """The address, if it can be one.

    Raises `Refused` when it is reserved, is not written the way `slug_of` writes, or mixes alphabets within a word.
    """
    if slug in RESERVED:
        raise Refused(
            _("The address “{slug}” stands for a form here. Choose another, such as “{slug}-page”.").format(slug=slug),
            pointer=pointer,
        )
    written = slug_of(slug)
    if slug != written:
        raise Refused(
            _(
                "An address is made of small letters, digits and single hyphens, at most {most} "
                "characters. Write this one as “{written}”."
            ).format(most=MAX_LENGTH, written=written),
            pointer=pointer,
        )
    for word in slug.split("-"):
        scripts = _scripts_of(word)
        if len(scripts) > 1 and not scripts <= _EAST_ASIAN:
            names = _(" and ").join(sorted(script.capitalize() for script in scripts))
            raise Refused(
                _(
                    "The word “{word}” mixes letters of different alphabets ({names}), so it can pass for "
                    "another word. Write it in one alphabet."
                ).format(word=word, names=names),
                pointer=pointer,
            )
    return slug


def skeleton(name: str) -> str:
    """What a name looks like at a glance: two names with the same skeleton can be taken for each other.

    Case, accents on Latin letters, invisible characters and the alphabet of look-alike letters make no difference.
    Method of Unicode Technical Standard 39, section 4, with a table for the letters of addresses and names.
    """
    # Capitals are looked up before they become small, where some look like nothing else.
    seen = unicodedata.normalize("NFKC", name).translate(_LOOKS_LIKE).casefold()
    seen = _IGNORABLE.sub("", unicodedata.normalize("NFKC", seen)).translate(_LOOKS_LIKE)
    return unicodedata.normalize("NFC", _fold_latin(seen))


def looks_like(name: str, other: str) -> bool:
    """Whether two different names can be taken for each other."""
    return name != other and skeleton(name) == skeleton(other)


def _fold_latin(words: str) -> str:
    """Latin letters without accents, small; letters with no counterpart in a-z become hyphens."""
    if words.isascii():
        return words
    folded: str = _LATIN.sub(lambda match: slugify(match[0].replace("ə", "e"), algorithm="modern"), words)
    return folded


def _scripts_of(word: str) -> set[str]:
    """The scripts a word's letters belong to, as the first words of their Unicode names."""
    names = (unicodedata.name(letter, "UNKNOWN").split()[0] for letter in word if letter.isalpha())
    return {name for name in names if name != "MODIFIER"}
