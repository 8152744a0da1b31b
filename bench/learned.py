"""A rule learned from all votes: each voter and text has a leaning and a place on one axis; leaning decides.

A vote (1, 0 or -1) is taken to be the mean of all votes + the voter's leaning + the text's leaning + the product of
their places. A text passes when its own leaning is at least .25: it is liked beyond what its place explains. Fitted by
least squares in turns, with a penalty on each number.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.consensus.tallies import Counts
from bench.opinions import Half, Vote
from bench.rules import WAIT, Stands

LEAST_LEANING = 0.25
PENALTY, PLACE_PENALTY = 1.0, 0.2
FITS, FITS_IN_THE_END, TURNS, TURNS_ALONE = 20, 5, 4, 5
COPIED = 30
"""Members of a chapter whose votes colluders copy, at most."""


class Numbers(NamedTuple):
    """A voter's or a text's."""

    leaning: float
    place: float


class Sums(NamedTuple):
    """What the least squares of one voter or text need of the votes, each a surprise and the other side's place."""

    votes: float = 0.0
    places: float = 0.0
    squares: float = 0.0
    surprises: float = 0.0
    products: float = 0.0

    def add(self, surprise: float, place: float, times: float = 1) -> "Sums":
        return Sums(
            self.votes + times,
            self.places + times * place,
            self.squares + times * place * place,
            self.surprises + times * surprise,
            self.products + times * surprise * place,
        )

    def solve(self) -> Numbers:
        own, along = self.votes + PENALTY, self.squares + PLACE_PENALTY
        determinant = own * along - self.places * self.places
        return Numbers(
            (self.surprises * along - self.products * self.places) / determinant,
            (own * self.products - self.places * self.surprises) / determinant,
        )


Side = dict[str, dict[str, int]]


@dataclass
class Model:
    """Fitted to the votes cast so far; fitting goes on from where it was."""

    seed: int = 0
    by_text: Side = field(default_factory=lambda: defaultdict(dict))
    by_voter: Side = field(default_factory=lambda: defaultdict(dict))
    texts: dict[str, Numbers] = field(default_factory=dict)
    voters: dict[str, Numbers] = field(default_factory=dict)
    mean: float = 0.0

    def cast(self, votes: Iterable[Vote]) -> None:
        for vote in votes:
            self.by_text[vote.text][vote.voter] = vote.choice
            self.by_voter[vote.voter][vote.text] = vote.choice

    def fit(self) -> None:
        draw = random.Random(self.seed)
        for voter in self.by_voter:
            self.voters.setdefault(voter, Numbers(0.0, draw.uniform(-0.5, 0.5)))
        choices = [choice for cast in self.by_text.values() for choice in cast.values()]
        self.mean = sum(choices) / len(choices) if choices else 0.0
        for _ in range(TURNS):
            self._fit_side(self.by_text, self.texts, self.voters)
            self._fit_side(self.by_voter, self.voters, self.texts)

    def _fit_side(self, side: Side, own: dict[str, Numbers], others: Mapping[str, Numbers]) -> None:
        """`Sums` written out, as this is where the time goes."""
        mean = self.mean
        for name, cast in side.items():
            places = squares = surprises = products = 0.0
            for other, choice in cast.items():
                leaning, place = others[other]
                surprise = choice - mean - leaning
                places += place
                squares += place * place
                surprises += surprise
                products += surprise * place
            own[name] = Sums(len(cast), places, squares, surprises, products).solve()

    def sums_of_voter(self, voter: str, *, without: str) -> Sums:
        sums = Sums()
        for text, choice in self.by_voter.get(voter, {}).items():
            if text != without:
                leaning, place = self.texts[text]
                sums = sums.add(choice - self.mean - leaning, place)
        return sums

    def sums_of_text(self, text: str) -> Sums:
        sums = Sums()
        for voter, choice in self.by_text.get(text, {}).items():
            leaning, place = self.voters[voter]
            sums = sums.add(choice - self.mean - leaning, place)
        return sums


class Learned:
    """Fitted anew after every twentieth of a half's votes; a text waits for an hour from the fit at which it passed."""

    name = "learned one-factor"

    def approvals(self, half: Half) -> dict[str, int]:
        votes = sorted((vote for cast in half.votes.values() for vote in cast), key=lambda vote: vote.at)
        model, since, approved = Model(), dict[str, float](), dict[str, int]()
        judged = [*half.judged("good"), *half.judged("bad")]
        for number in range(FITS):
            part = votes[number * len(votes) // FITS : (number + 1) * len(votes) // FITS]
            if not part:
                continue
            model.cast(part)
            model.fit()
            at, is_last = part[-1].at / 1000, number == FITS - 1
            for text in judged:
                if text in approved:
                    continue
                if text not in model.texts or model.texts[text].leaning < LEAST_LEANING:
                    since.pop(text, None)
                elif is_last or at - since.setdefault(text, at) >= WAIT:
                    approved[text] = len(model.by_text[text])
        return approved

    def standing(self, half: Half, *, joining: bool) -> Stands:
        """Colluders copy all other votes of the members of their chapter, one after the other.

        They and the text are fitted anew, everybody and everything else stays as it was fitted to all honest votes.
        There is no electorate that `joining` could change.
        """
        model = Model()
        model.cast(vote for cast in half.votes.values() for vote in cast)
        for _ in range(FITS_IN_THE_END):
            model.fit()
        copied: dict[tuple[str, int], list[Sums]] = {}

        def stands(text: str, chapter: int, added: Counts) -> bool:
            if (text, chapter) not in copied:
                members = [voter for voter, own in half.chapters.items() if own == chapter]
                copied[text, chapter] = [model.sums_of_voter(voter, without=text) for voter in members[:COPIED]] or [
                    Sums()
                ]
            return _leaning(model, text, copied[text, chapter], added) >= LEAST_LEANING

        return stands


def _leaning(model: Model, text: str, copied: Sequence[Sums], added: Counts) -> float:
    """The text's, once so many voters with these other votes have joined those who voted on it."""
    honest = model.sums_of_text(text)
    numbers = honest.solve()
    colluders, choice = (added.support, 1) if added.support else (added.oppose, -1)
    copies = [(sums, len(range(at, colluders, len(copied)))) for at, sums in enumerate(copied[:colluders])]
    for _ in range(TURNS_ALONE if copies else 0):
        sums = honest
        for other, times in copies:
            own = other.add(choice - model.mean - numbers.leaning, numbers.place).solve()
            sums = sums.add(choice - model.mean - own.leaning, own.place, times)
        numbers = sums.solve()
    return numbers.leaning
