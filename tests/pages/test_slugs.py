"""Titles become addresses that can be typed, never empty, never mistaken for another."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refused
from app.pages.slugs import MAX_LENGTH, RESERVED, check_slug, looks_like, skeleton, slug_of, spell


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Housing", "housing"),
        ("Housing & Care", "housing-care"),
        ("  Council -- Tax!  ", "council-tax"),
        ("constituencies/horsham", "constituencies-horsham"),
        ("foreign_policy", "foreign-policy"),
        ("v1.2.html", "v1-2-html"),
        ("1,000 homes", "1000-homes"),
        ("Café Über ß Łódź Þór", "cafe-uber-ss-lodz-thor"),
        ("Cafe\u0301", "cafe"),
        ("İstanbul ışık", "istanbul-isik"),
        ("Gəncə", "gence"),
        ("ﬁne Ｗｉｄｅ Ⅷ CO₂", "fine-wide-viii-co2"),
        ("&lt;b&gt;", "lt-b-gt"),
        ("住宅政策 2025", "住宅政策-2025"),
        ("Tシャツ", "tシャツ"),
        ("हिन्दी नीति", "हिन्दी-नीति"),
        ("می\u200cخواهم", "میخواهم"),
        ("Жильё", "жильё"),
        ("ΟΔΟΣ", "οδος"),
        ("hou\u200bsing", "housing"),
        ("🏠", "page"),
        ("", "page"),
        ("…", "page"),
        ("New", "new-page"),
        ("edit", "edit-page"),
    ],
)
def test_a_title_becomes_an_address(title: str, slug: str) -> None:
    assert slug_of(title) == slug
    assert check_slug(slug) == slug


def test_long_titles_are_cut_between_words() -> None:
    slug = slug_of("word " * 40)
    assert len(slug) <= MAX_LENGTH
    assert set(slug.split("-")) == {"word"}
    assert len(slug_of("住" * 200)) == MAX_LENGTH


@settings(max_examples=300)
@given(st.text(max_size=120))
def test_an_address_is_small_letters_digits_and_single_hyphens(title: str) -> None:
    slug = slug_of(title)
    assert slug == slug_of(slug) == unicodedata.normalize("NFC", slug)
    assert slug not in RESERVED
    assert 0 < len(slug) <= MAX_LENGTH
    assert not set(slug) & set("./\\?#%&<>\"' _ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert all(slug.split("-"))


def test_words_without_letters_or_digits_spell_nothing() -> None:
    assert spell("!?") == ""


@pytest.mark.parametrize(
    ("slug", "advice"),
    [
        ("new", "new-page"),
        ("edit", "edit-page"),
        ("Housing", "“housing”"),
        ("council--tax", "“council-tax”"),
        ("-tax-", "“tax”"),
        ("a.b", "“a-b”"),
        ("../etc", "“etc”"),
        ("café", "“cafe”"),
        ("hou\u200bsing", "“housing”"),
        ("жильё".replace("ё", "е\u0308"), "“жильё”"),  # not in NFC
        ("", "“page”"),
        ("x" * (MAX_LENGTH + 1), f"{MAX_LENGTH} characters"),
    ],
)
def test_what_is_no_address_is_refused_with_one_that_is(slug: str, advice: str) -> None:
    with pytest.raises(Refused) as refused:
        check_slug(slug, pointer="/slug")
    assert advice in refused.value.detail
    assert refused.value.pointer == "/slug"


@pytest.mark.parametrize(
    ("slug", "word"),
    [
        ("hоusing", "hоusing"),  # Cyrillic о
        ("fair-hοusing", "hοusing"),  # Greek ο
        ("жильe", "жильe"),  # Latin e
        ("հousing", "հousing"),  # Armenian հ
    ],
)
def test_a_word_that_mixes_alphabets_is_refused(slug: str, word: str) -> None:
    with pytest.raises(Refused, match="different alphabets") as refused:
        check_slug(slug)
    assert f"“{word}”" in refused.value.detail


@pytest.mark.parametrize(
    "slug", ["жильё-housing", "αθήνα-2025", "tシャツ", "ai時代", "パーティー", "한국-漢字", "人々の声", "g20"]
)
def test_scripts_may_meet_in_an_address_and_in_east_asian_words(slug: str) -> None:
    assert check_slug(slug) == slug


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("hоusing", "housing"),
        ("сосо", "coco"),  # all Cyrillic
        ("ԀАІԀ", "daid"),
        ("ΑΒΕΝΖΟΡΤ", "abenzopt"),  # all Greek
        ("plan-1o", "plan-10"),
        ("plan-l", "plan-1"),
        ("José", "jose"),
        ("ｈｏｕｓｉｎｇ", "housing"),
        ("hou\u200dsing", "housing"),
        ("ニュース-力", "二ュース-カ"),
        ("Housing", "housing"),
    ],
)
def test_names_that_can_be_taken_for_each_other_look_alike(name: str, other: str) -> None:
    assert looks_like(name, other)
    assert looks_like(other, name)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("housing", "housing"),  # the same is not merely alike
        ("mail", "mall"),
        ("modern", "modem"),
        ("мой", "мои"),
        ("か", "が"),
        ("plan-1", "plan-2"),
        ("tax", "taxes"),
    ],
)
def test_different_words_do_not_look_alike(name: str, other: str) -> None:
    assert not looks_like(name, other)


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_a_skeleton_is_its_own_skeleton(name: str) -> None:
    assert skeleton(skeleton(name)) == skeleton(name)
