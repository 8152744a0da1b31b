"""The carrying benchmark on one small page: what is alive is counted, and approving takes nobody's place."""

from random import Random

from bench.carrying import approve, by_line, by_rule, measure

NEWEST = "One a is here. Two b is here.\n\nThree c is here.\n"
ONE, OTHER = NEWEST.replace("One a", "One x"), NEWEST.replace("One a", "One y")
BESIDE, BELOW = NEWEST.replace("Two b", "Two z"), NEWEST.replace("Three c", "Three z")


def test_a_rewrite_of_the_same_sentence_dies_and_of_another_one_lives() -> None:
    assert by_rule(NEWEST, OTHER, ONE) is None
    assert by_rule(NEWEST, BESIDE, ONE) == NEWEST.replace("One a", "One x").replace("Two b", "Two z")
    assert by_line(NEWEST, BESIDE, ONE) is None
    assert by_line(NEWEST, ONE, ONE) is None


def test_shares_are_of_those_that_were_not_approved() -> None:
    pages = {"page": (NEWEST, [ONE, OTHER, BESIDE, BELOW])}
    assert measure("rule", pages, by_rule).pairs_alive == 10 / 12
    assert approve(NEWEST, [ONE, OTHER], 1, by_rule, Random(0)) == (0, 1)
    assert approve(NEWEST, [ONE, OTHER], 2, by_rule, Random(0)) == (0, 1)
    assert approve(NEWEST, [BESIDE, BELOW], 1, by_rule, Random(0)) == (1, 1)
