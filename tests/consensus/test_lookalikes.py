"""When two changes say nearly the same: in any script, whatever the case and the marks, and never by luck."""

import random
import subprocess
import sys

import pytest

from app.consensus.lookalikes import MOST_APART, Likeness, likeness_of
from app.consensus.spots import change_between

ENGLISH = (
    "# Rent\n\n## Topline\n\nRents rose by half. Nobody should pay a third of it for a room.\n\n## Notes\n\nAsk.\n"
)
JAPANESE = "# 家賃\n\n## 要点\n\n家賃は上がりました。誰もが安心して暮らせる家が必要です。\n"
CHINESE = "# 房租\n\n房租涨得太快。每个人都需要一个家。\n"
ARABIC = "# الإيجار\n\nارتفعت الإيجارات كثيرا. كل إنسان يحتاج إلى بيت.\n"
THAI = "# ค่าเช่า\n\nค่าเช่าบ้านแพง\n\nถามเรา\n"
KHMER = "# ថ្លៃជួល\n\nថ្លៃជួលផ្ទះឡើងថ្លៃ។\n"
REPLACED = {
    ENGLISH: "Rents rose by half.",
    JAPANESE: "家賃は上がりました。",
    CHINESE: "房租涨得太快。",
    ARABIC: "ارتفعت الإيجارات كثيرا.",
    THAI: "ค่าเช่าบ้านแพง",
    KHMER: "ថ្លៃជួលផ្ទះឡើងថ្លៃ។",
}


def said(base: str, old: str, new: str) -> Likeness:
    assert old in base
    return likeness_of(change_between(base, base.replace(old, new)))


ALIKE = [
    (ENGLISH, "Rents have risen by half in ten years.", "Rents have grown by half in ten years."),
    (ENGLISH, "RENTS have risen by half, in ten years!", "Rents have risen by half in ten years."),
    (ENGLISH, "We ask you: come along, bring a friend.", "We ask you to come along and bring a friend."),
    (JAPANESE, "この街の家賃はこの十年で大きく上がりました。", "この町の家賃はこの十年で大きく上がりました。"),
    (CHINESE, "我们城市的房租在过去几年里涨得太快。", "我们城市的房租在过去几年里涨得很快。"),
    (ARABIC, "ارتفعت الإيجارات في مدينتنا كثيرا هذا العام.", "ارتفعت الإيجارات في مدينتنا كثيرا جدا هذا العام."),
    (THAI, "ค่าเช่าบ้านในเมืองของเราแพงขึ้นมากในสิบปี", "ค่าเช่าบ้านในเมืองของเราแพงขึ้นเยอะในสิบปี"),
    (KHMER, "ថ្លៃជួលផ្ទះនៅទីក្រុងរបស់យើងឡើងថ្លៃខ្លាំង។", "ថ្លៃជួលផ្ទះនៅទីក្រុងរបស់យើងឡើងថ្លៃពេក។"),
    (JAPANESE, "家賃は Tokyo でこの十年に大きく上がりました。", "家賃は Tokyo でこの十年に随分上がりました。"),
]
DIFFERENT = [
    (ENGLISH, "Rents have risen by half in ten years.", "The city should build homes again."),
    (ENGLISH, "Rents rose by 50 % in ten long years.", "Rents rose by 60 % in ten long years."),
    (ENGLISH, "We should raise the rents in town.", "We should not raise the rents in town."),
    (JAPANESE, "この街の家賃は大きく上がりました。", "給料はほとんど増えずにいます。"),
    (JAPANESE, "この街の家賃を上げる。", "この街の家賃を上げない。"),
    (ARABIC, "يجب أن نرفع الإيجارات في مدينتنا.", "لا يجب أن نرفع الإيجارات في مدينتنا."),
    (THAI, "ค่าเช่าบ้านในเมืองของเราแพงขึ้นมากในสิบปี", "ทุกคนควรมีบ้านที่ดีอยู่ใกล้ที่ทำงาน"),
]


@pytest.mark.parametrize(("base", "one", "other"), ALIKE)
def test_nearly_the_same_words_are_alike_and_found(base: str, one: str, other: str) -> None:
    first, second = said(base, REPLACED[base], one), said(base, REPLACED[base], other)
    assert first.is_like(second)
    assert second.is_like(first)
    assert set(first.bands) & set(second.bands)


@pytest.mark.parametrize(("base", "one", "other"), DIFFERENT)
def test_other_words_numbers_and_negations_are_not_alike(base: str, one: str, other: str) -> None:
    first, second = said(base, REPLACED[base], one), said(base, REPLACED[base], other)
    assert not first.is_like(second)
    assert not second.is_like(first)


def test_only_the_change_counts_not_the_page_it_is_made_on() -> None:
    other = ENGLISH.replace("# Rent", "# Homes").replace("Nobody should pay", "None of us should pay")
    new = "Rents have risen by half in ten years."
    assert said(ENGLISH, REPLACED[ENGLISH], new) == said(other, "Rents rose by half.", new)
    assert not said(ENGLISH, REPLACED[ENGLISH], new).is_like(said(ENGLISH, "Ask.", "Talk."))


def test_two_that_remove_the_same_are_alike_but_not_one_that_writes_it() -> None:
    sentence = " Nobody should pay a third of it for a room."
    removed = said(ENGLISH, sentence, "")
    both = likeness_of(change_between(ENGLISH, ENGLISH.replace(sentence, "").replace("Ask.", "Ask!")))
    without = ENGLISH.replace(sentence, "")
    assert removed.is_like(said(ENGLISH.replace("# Rent", "# Homes"), sentence, ""))
    assert removed.is_like(both)
    assert not removed.is_like(likeness_of(change_between(without, ENGLISH)))


def test_a_change_that_says_nothing_is_like_no_other() -> None:
    nothing = likeness_of(change_between(ENGLISH, ENGLISH))
    assert not nothing.shingles
    assert nothing.bands == []
    assert not nothing.is_like(nothing)


def test_the_share_in_common_is_counted_not_estimated() -> None:
    order = random.Random(1)
    for _round in range(200):
        one, other = (frozenset(order.sample(range(40), order.randint(1, 40))) for _side in range(2))
        share = len(one & other) / len(one | other)
        assert Likeness(one).in_common(Likeness(other)) == pytest.approx(share)
        assert Likeness(one).is_like(Likeness(other)) == (
            share >= 0.6 - 1e-12 and len(one | other) - len(one & other) <= MOST_APART
        )


def test_two_long_texts_that_differ_in_a_paragraph_are_not_alike() -> None:
    long = frozenset(range(1000))
    assert Likeness(long).is_like(Likeness(long | {-n for n in range(1, MOST_APART + 1)}))
    assert not Likeness(long).is_like(Likeness(long | {-n for n in range(1, MOST_APART + 2)}))


def test_those_that_are_alike_share_a_band_and_others_seldom() -> None:
    order = random.Random(2)
    missed = found = 0
    for _round in range(500):
        common = [order.getrandbits(60) for _shingle in range(24)]
        at_the_edge = [Likeness(frozenset(common + [order.getrandbits(60) for _own in range(8)])) for _side in range(2)]
        assert at_the_edge[0].is_like(at_the_edge[1])
        missed += not set(at_the_edge[0].bands) & set(at_the_edge[1].bands)
        apart = [Likeness(frozenset(common[:4] + [order.getrandbits(60) for _own in range(18)])) for _side in range(2)]
        found += bool(set(apart[0].bands) & set(apart[1].bands))
    assert missed <= 2
    assert found <= 50


def test_what_is_stored_is_read_back() -> None:
    likeness = said(ENGLISH, "Ask.", "Ask us anything.")
    assert Likeness.unpacked(likeness.packed) == likeness
    assert len(likeness.packed) == 8 * len(likeness.shingles)


CHECK = """
from app.consensus.lookalikes import likeness_of
from app.consensus.spots import change_between
print(likeness_of(change_between("Ask.\\n", "Ask us for a home.\\n")).bands[:3])
"""
BANDS = "[-9017793146674825341, -8613843993095128644, -8057843479902066518]"


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_bands_are_the_same_in_every_process(seed: str) -> None:
    """Stored bands would find nothing any more if they moved, on another machine or in another release."""
    done = subprocess.run(
        [sys.executable, "-c", CHECK], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == BANDS
