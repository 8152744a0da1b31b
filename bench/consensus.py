"""Rules of approval on real votes: how many good and bad texts each approves, and what an attack on it costs.

`python -m bench.consensus --data DIR [--joining] [--json]`, DIR being a folder of conversations (bench/opinions.py).

The voters of a conversation are split in two by a hash. One half's votes are replayed in order of time against a rule
with a waiting time of an hour; a later vote of a person takes the place of the one before. The other half judges, then
they change places. Each voter is in one of five chapters of 40, 25, 15, 12 and 8 %: with probability 1/2 in one that
their opinion group was dealt, else in any. All voters of the deciding half are its electorate, and no vote ends before
its votes do. Every seed splits and deals anew; figures are over all texts of all seeds.
"""

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.attacks import Cost, count_alone, push_costs, veto_costs
from bench.learned import Learned
from bench.opinions import VERDICTS, Conversation, Half, NoConversationsError, Verdict, halves_of, read_folder
from bench.rule_speed import Speed, measure_speed
from bench.rules import MAJORITY, PRODUCT, THREE_TO_ONE, WILSON, AnyRule

SEEDS = (0, 1, 2, 3, 4, 5)
ATTACKED_SEEDS = SEEDS[:2]

RULES: Sequence[AnyRule] = (MAJORITY, WILSON, PRODUCT, Learned(), THREE_TO_ONE)

DEFINITIONS = {
    "good": "at least 60 % of the votes, passes among them, are for it in every opinion group of 8 or more in the"
    " judging half; where no group is so large, of all votes",
    "bad": "in such a group, or in all, more of the judging half are against it than for it",
    "left out": "fewer than 8 votes in the judging half, or fewer than 4 in such a group",
    "recall": "share of the good texts approved at some moment",
    "false": "share of the bad texts approved at some moment",
    "votes": "median number of voters (for, against or pass) that a good text had when it was approved",
    "push_one_chapter": "for a bad text that honest votes leave unapproved in the end: supporters from the largest"
    " chapter, on top of the honest ones, until it passes, as a multiple of the honest votes for and against; the"
    " median, null (never) where not even 100 times as many are enough",
    "veto_one_chapter": "for a good text that honest votes approve in the end: opposers from the largest chapter,"
    " until it does not pass; the same multiple",
    "cheapest": "the same for the chapter that takes the fewest colluders, found text by text",
    "pushed": "share of the bad texts attacked that can be pushed at all from the largest chapter",
}


@dataclass(frozen=True)
class Row:
    """One rule's line of the table. None: there was nothing to count, or for the costs, never."""

    rule: str
    recall: float | None
    false: float | None
    votes: float | None
    push_one_chapter: float | None
    veto_one_chapter: float | None

    def figures(self) -> dict[str, str | float | None]:
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Attack:
    """More on what an attack on one rule costs."""

    rule: str
    push_cheapest: float | None
    veto_cheapest: float | None
    pushed: float | None
    texts: tuple[int, int]
    """Attacked to push and to veto."""


def share(outcomes: Iterable[bool]) -> float | None:
    listed = list(outcomes)
    return sum(listed) / len(listed) if listed else None


def middle(values: Iterable[float]) -> float | None:
    """The median; None when there is none or it is infinite."""
    listed = list(values)
    found = statistics.median_high(listed) if listed else math.inf
    return None if math.isinf(found) else float(found)


Approved = Sequence[tuple[Half, Mapping[str, int]]]
"""Halves, and the texts of each that a rule approves, with the voters they had by then."""


def measure(rule: AnyRule, approved: Approved, attacked: Sequence[Half], *, joining: bool) -> tuple[Row, Attack]:
    push, veto = push_costs(rule, attacked, joining=joining), veto_costs(rule, attacked, joining=joining)
    row = Row(
        rule=rule.name,
        recall=_approved(approved, "good"),
        false=_approved(approved, "bad"),
        votes=middle(texts[text] for half, texts in approved for text in half.judged("good") if text in texts),
        push_one_chapter=middle(cost.largest for cost in push),
        veto_one_chapter=middle(cost.largest for cost in veto),
    )
    return row, Attack(rule.name, _cheapest(push), _cheapest(veto), _pushed(push), (len(push), len(veto)))


def _approved(approved: Approved, verdict: Verdict) -> float | None:
    return share(text in texts for half, texts in approved for text in half.judged(verdict))


def _cheapest(costs: Sequence[Cost]) -> float | None:
    return middle(cost.cheapest for cost in costs)


def _pushed(costs: Sequence[Cost]) -> float | None:
    return share(math.isfinite(cost.largest) for cost in costs)


@dataclass(frozen=True)
class Column:
    """How a figure is printed; `nothing` stands for None."""

    name: str
    width: int
    digits: int
    nothing: str

    def write(self, value: float | None) -> str:
        return f"{self.nothing if value is None else f'{value:.{self.digits}f}':>{self.width}}"


@dataclass(frozen=True)
class Report:
    rows: list[Row]
    attacks: list[Attack]
    by_seed: list[tuple[float | None, float | None]]
    """Recall and false of the shipped rule with each seed alone."""
    alone: tuple[int, int]
    """Chapters tried alone while others count, and those that got a text approved."""
    counted: dict[str, int]


def run(conversations: Sequence[Conversation], seeds: Sequence[int] = SEEDS, *, joining: bool = False) -> Report:
    halves = {seed: [half for each in conversations for half in halves_of(each, seed)] for seed in seeds}
    attacked = [half for seed in seeds if seed in ATTACKED_SEEDS for half in halves[seed]]
    measured, by_seed = [], []
    for rule in RULES:
        approved = {seed: [(half, rule.approvals(half)) for half in halves[seed]] for seed in seeds}
        measured.append(measure(rule, [pair for seed in seeds for pair in approved[seed]], attacked, joining=joining))
        if rule is THREE_TO_ONE:
            by_seed = [(_approved(approved[seed], "good"), _approved(approved[seed], "bad")) for seed in seeds]
    everything = [half for seed in seeds for half in halves[seed]]
    verdicts = [verdict for half in everything for verdict in half.verdicts.values()]
    counted = {"conversations": len(conversations), "votes": sum(len(each.votes) for each in conversations)}
    return Report(
        rows=[row for row, _ in measured],
        attacks=[attack for _, attack in measured],
        by_seed=by_seed,
        alone=count_alone(everything),
        counted=counted | {verdict: verdicts.count(verdict) for verdict in VERDICTS},
    )


COLUMNS = (
    Column("recall", 6, 3, "–"),
    Column("false", 6, 3, "–"),
    Column("votes", 5, 0, "–"),
    Column("push", 5, 2, "never"),
    Column("veto", 5, 2, "never"),
    Column("cheapest push", 13, 2, "never"),
    Column("veto", 5, 2, "never"),
    Column("pushed", 6, 2, "–"),
)


def print_report(report: Report, speeds: Sequence[Speed]) -> None:
    print(", ".join(f"{count} {name}" for name, count in report.counted.items()), end="; ")
    print(f"texts are counted once for each half and seed; seeds {SEEDS}, attacks {ATTACKED_SEEDS}\n")
    print(f"{'rule':22}", *(f"{column.name:>{column.width}}" for column in COLUMNS), sep="  ")
    for row, attack in zip(report.rows, report.attacks, strict=True):
        numbers = (row.recall, row.false, row.votes, row.push_one_chapter, row.veto_one_chapter)
        more = (attack.push_cheapest, attack.veto_cheapest, attack.pushed)
        cells = zip(COLUMNS, (*numbers, *more), strict=True)
        print(f"{row.rule:22}", *(column.write(value) for column, value in cells), sep="  ")
    alone = ", ".join("/".join(COLUMNS[0].write(figure).strip() for figure in figures) for figures in report.by_seed)
    print(f"\nthree to one, recall/false seed by seed: {alone}")
    tried, passed = report.alone
    print(f"one chapter alone, all its members for it, while others count: {tried} tried, {passed} approved\n")
    print("members  chapters  µs per vote  ms per decision: passing  lacking  ratio to a majority")
    for speed in speeds:
        print(
            f"{speed.members:7,}  {speed.chapters:8}  {speed.us_per_vote:11.2f}  {speed.ms_passing:24.2f}"
            f"  {speed.ms_lacking:7.2f}  {speed.ratio:19.0f}"
        )
    print()
    for name, meaning in DEFINITIONS.items():
        print(f"{name}: {meaning}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.consensus", description="Rules of approval on real votes.")
    parser.add_argument("--data", type=Path, required=True, help="a folder of conversations")
    parser.add_argument("--json", action="store_true")
    joining = "count colluders as members when the vote opens, so that the number needed grows with them"
    parser.add_argument("--joining", action="store_true", help=joining)
    asked = parser.parse_args()
    try:
        conversations = read_folder(asked.data)
    except NoConversationsError as nothing:
        print(nothing, file=sys.stderr)
        return 2
    report, speeds = run(conversations, joining=asked.joining), measure_speed()
    if asked.json:
        listed = {
            "rows": [row.figures() for row in report.rows],
            "seeds": SEEDS,
            "definitions": DEFINITIONS,
            "counted": report.counted,
            "attacks": [asdict(attack) for attack in report.attacks],
            "by_seed": report.by_seed,
            "alone": dict(zip(("tried", "approved"), report.alone, strict=True)),
            "speed": [asdict(speed) for speed in speeds],
        }
        print(json.dumps(listed, indent=1, ensure_ascii=False))
    else:
        print_report(report, speeds)
    return 1 if report.alone[1] else 0


if __name__ == "__main__":
    sys.exit(main())
