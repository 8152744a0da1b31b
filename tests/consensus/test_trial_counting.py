"""Counting past votes anew: each is looked at once, however many there are."""

import time
from datetime import UTC, datetime, timedelta

from app.consensus import trial
from app.consensus.models import Candidate, Value
from app.consensus.rule import Counts, Electorate, Rule
from app.consensus.trial import Outcome

OPENED = datetime(2026, 11, 1, tzinfo=UTC)


def cast(member: int, chapter: int | None, value: Value | None, second: int) -> trial._Cast:
    return trial._Cast(member, chapter, value, OPENED + timedelta(seconds=second))


def test_each_member_is_counted_with_their_last_vote_in_the_chapter_it_was_cast_in() -> None:
    casts = [
        cast(1, 1, Value.SUPPORT, 1),
        cast(2, 1, Value.OPPOSE, 2),
        cast(1, 2, Value.PASS, 3),
        cast(2, 1, None, 4),
        cast(3, None, Value.SUPPORT, 9),  # a newcomer's, from when it counts
        cast(1, 2, Value.SUPPORT, 6),
    ]
    moments = [OPENED + timedelta(seconds=second) for second in (0, 2, 3, 4, 6, 9)]
    assert list(trial._tallies(casts, moments)) == [
        {},
        {1: Counts(1, 1, 0)},
        {1: Counts(0, 1, 0), 2: Counts(0, 0, 1)},
        {2: Counts(0, 0, 1)},
        {2: Counts(1, 0, 0)},
        {2: Counts(1, 0, 0), None: Counts(1, 0, 0)},
    ]


def test_very_many_votes_on_one_text_take_a_moment() -> None:
    candidate = Candidate(
        page_id=1,
        draft_id=1,
        revision_id=1,
        opened_at=OPENED,
        electorate=Electorate(dict.fromkeys(range(20), 2_500)).to_json(),
        put_forward_at=OPENED,
        changed_at=OPENED,
    )
    casts = [cast(n, n % 20, Value.SUPPORT if n % 2 else Value.OPPOSE, n) for n in range(2_000)]
    began = time.process_time()
    found, _at = trial._count_anew(candidate, Rule(), Rule(), "routine", casts, OPENED + timedelta(days=20))
    assert found is Outcome.NEITHER
    assert time.process_time() - began < 4, "with all votes at each vote, and what is missing at each, it took 15 s"
