"""Blame: every word has one first writer, found through edits, moves, forks, merges and restored texts."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.revisions.blame import Attribution, BlamedSentence, Run, Version, attribute, blame, by_sentence, runs_of
from app.revisions.segments import words_of


def history(*versions: tuple[int, tuple[int, ...], str]) -> list[Version]:
    return [Version(*version) for version in versions]


def said(runs: Sequence[Run]) -> list[tuple[str, int]]:
    return [(run.text, run.origin) for run in runs]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        pytest.param([(1, (), "")], [], id="no text"),
        pytest.param([(1, (), "Cap rents.")], [("Cap rents.", 1)], id="one author"),
        pytest.param(
            [(1, (), "Cap rents now."), (2, (1,), "Cap all rents now.")],
            [("Cap ", 1), ("all ", 2), ("rents now.", 1)],
            id="a word inserted",
        ),
        pytest.param(
            [(1, (), "Cap rents now."), (2, (1,), "Cut rents now."), (3, (2,), "Cut rents today.")],
            [("Cut", 2), (" rents ", 1), ("today", 3), (".", 1)],
            id="each word its last writer",
        ),
        pytest.param(
            [(1, (), "We meet on Monday.\n\nAll come.\n\nBe early.\n"),
             (2, (1,), "All come.\n\nBe early.\n\nWe meet on Monday.\n")],
            [("All come.\n\nBe early.\n\nWe meet on Monday.\n", 1)],
            id="a moved sentence keeps its author",
        ),
        pytest.param(
            [(1, (), "One.\n\nTwo.\n"), (2, (1,), "One and more.\n\nTwo.\n"), (3, (1,), "One.\n\nTwo and more.\n"),
             (4, (2, 3), "One and more.\n\nTwo and more.\n")],
            [("One", 1), (" and more", 2), (".\n\nTwo", 1), (" and more", 3), (".\n", 1)],
            id="a merge writes nothing",
        ),
        pytest.param(
            [(1, (), "Cap rents.\n"), (2, (1,), "Cap all rents.\n"), (3, (1,), "Cap all rents.\n\nNow.\n"),
             (4, (2, 3), "Cap all rents.\n\nNow or never.\n")],
            [("Cap ", 1), ("all ", 2), ("rents.\n\n", 1), ("Now", 3), (" or never", 4), (".\n", 3)],
            id="of two parents with the same words the first",
        ),
        pytest.param(
            [(1, (), "Cap rents."), (2, (1,), "Spam spam spam."), (3, (2,), "Cap rents.")],
            [("Cap rents.", 1)],
            id="a restored text keeps its writers",
        ),
        pytest.param(
            [(1, (), "Cap rents now."), (2, (1,), "Cap now."), (3, (2,), "Cap rents now!")],
            [("Cap ", 1), ("rents ", 3), ("now", 1), ("!", 3)],
            id="a word that comes back is its bringer's",
        ),
        pytest.param(
            [(1, (), "Cap rents."), (2, (1,), "Cap fares."), (3, (1,), "Cap fares."), (4, (3, 2), "Cap fares.")],
            [("Cap ", 1), ("fares", 3), (".", 1)],
            id="the same words in a fork are its own, and a merge prefers its first parent",
        ),
    ],
)  # fmt: skip
def test_every_word_belongs_to_whoever_first_wrote_it(
    versions: list[tuple[int, tuple[int, ...], str]], expected: list[tuple[str, int]]
) -> None:
    assert said(blame(history(*versions), versions[-1][0])) == expected


def test_a_rewritten_sentence_is_its_rewriters_down_to_the_small_words() -> None:
    old = "We demand that councils everywhere reopen the neighbourhood libraries this very year."
    new = "We demand that ministers promptly refund the emergency shelters this very year."
    assert said(blame(history((1, (), old), (2, (1,), new)), 2)) == [
        ("We demand that ", 1),
        ("ministers promptly refund the emergency shelters", 2),
        (" this very year.", 1),
    ]


def test_any_revision_can_be_asked_for_not_only_the_newest() -> None:
    versions = history((1, (), "One."), (2, (1,), "One two."), (3, (1,), "One three."))
    assert said(blame(versions, 2)) == [("One", 1), (" two", 2), (".", 1)]
    assert said(blame(versions, 3)) == [("One", 1), (" three", 3), (".", 1)]


def test_a_merge_of_the_second_parent_takes_over_its_writers() -> None:
    ours: tuple[str, Attribution] = ("Cap rents.\n", ((0, 11, 1),))
    theirs: tuple[str, Attribution] = ("Cap rents.\n\nBuild homes.\n", ((0, 12, 1), (12, 25, 7)))
    assert attribute("Cap rents.\n\nBuild homes.\n", [ours, theirs], 9) == ((0, 12, 1), (12, 25, 7))
    assert attribute("Cap rents.\n\nBuild homes.\n", [ours], 9) == ((0, 10, 1), (10, 25, 9))


def test_sentences_name_whoever_wrote_most_of_them_first() -> None:
    runs = [
        Run("# Rents\n\nCap ", 1),
        Run("all the rents", 4),
        Run(" now. Build", 1),
        Run(" more", 5),
        Run(" homes.\n", 1),
    ]
    assert by_sentence(runs) == [
        BlamedSentence("# Rents\n\n", 0, (Run("# Rents\n\n", 1),), (1,)),
        BlamedSentence(
            "Cap all the rents now. ", 1, (Run("Cap ", 1), Run("all the rents", 4), Run(" now. ", 1)), (4, 1)
        ),
        BlamedSentence("Build more homes.\n", 1, (Run("Build", 1), Run(" more", 5), Run(" homes.\n", 1)), (1, 5)),
    ]


SENTENCES = [
    "Cap the rents now. ",
    "Build homes! ",
    "Nobody should pay half a wage. ",
    "\n\n",
    "# Topline\n\n",
    "all ",
    "家賃",
]
TEXTS = st.lists(st.sampled_from(SENTENCES), max_size=8).map("".join)


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    """Up to eight revisions, each with none, one or two of the earlier ones as parents."""
    versions: list[Version] = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        earlier = [version.id for version in versions]
        parents = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)) if earlier else []
        versions.append(Version(number, tuple(parents), draw(TEXTS)))
    return versions


def ancestors_of(versions: Sequence[Version], of: int) -> set[int]:
    parents = {version.id: version.parents for version in versions}
    return {of}.union(*(ancestors_of(versions, parent) for parent in parents[of]))


@settings(max_examples=60)
@given(histories())
def test_runs_are_the_text_and_name_ancestors_that_hold_those_words(versions: list[Version]) -> None:
    texts = {version.id: version.text for version in versions}
    for version in versions:
        runs = blame(versions, version.id)
        assert "".join(run.text for run in runs) == version.text
        assert {run.origin for run in runs} <= ancestors_of(versions, version.id)
        assert all(one.origin != other.origin for one, other in pairwise(runs))
        for run in runs:
            assert {word for word in words_of(run.text) if not word.isspace()} <= set(words_of(texts[run.origin]))


@settings(max_examples=60)
@given(st.lists(TEXTS, min_size=1, max_size=6, unique=True))
def test_revision_by_revision_gives_the_same_as_all_at_once(texts: list[str]) -> None:
    kept: list[tuple[str, Attribution]] = []
    for number, text in enumerate(texts):
        kept = [(text, attribute(text, kept, number))]
    versions = [Version(number, (number - 1,) if number else (), text) for number, text in enumerate(texts)]
    assert runs_of(*kept[0]) == blame(versions, len(texts) - 1)


@settings(max_examples=60)
@given(histories())
def test_sentences_together_are_the_text(versions: list[Version]) -> None:
    sentences = by_sentence(blame(versions, versions[-1].id))
    assert "".join(sentence.text for sentence in sentences) == versions[-1].text
    for sentence in sentences:
        assert "".join(run.text for run in sentence.runs) == sentence.text
        assert set(sentence.origins) == {run.origin for run in sentence.runs if run.text.strip()}
