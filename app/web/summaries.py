"""Summaries that the workshop offers or writes itself: kept in English, read by everybody in their own language."""

from app.words import N_, _

BROUGHT_IN = N_("Brought in the approved text")
CARRIED = N_("Carried forward onto the new approved text")
JOINED = N_("Joined two versions into one")
REASONS = (
    ("typo", N_("Fix a typo")),
    ("clearer", N_("Clearer")),
    ("fact", N_("New fact")),
    ("shorter", N_("Shorter")),
    ("tone", N_("Better tone")),
)
"""What an editor offers for a tap: its value in the form, and what it says."""

_OWN = frozenset({BROUGHT_IN, CARRIED, JOINED, *(words for _value, words in REASONS)})


def summary_words(summary: str) -> str:
    """A summary as it is shown: the workshop's in the reader's language, people's as they wrote them."""
    return _(summary) if summary in _OWN else summary
