"""Gather the facts about a candidate and ask the rule."""

from collections.abc import Iterable
from datetime import timedelta
from fractions import Fraction

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.accounts import chapters
from app.consensus import candidates
from app.consensus.models import Candidate, Dependency, Value, Vote, WrittenSentence
from app.consensus.rule import Counts, Decision, Electorate, Rule, decide
from app.database import now
from app.revisions import service as revisions


def rule_in_force(session: Session) -> Rule:
    """The rule for votes opened now, from the settings."""
    rule: Rule = session.info["rule"]
    return rule


def count_votes(session: Session, candidate_ids: Iterable[int]) -> dict[int, dict[int | None, Counts]]:
    """The tally of each candidate: support, oppose and pass per chapter. This is where votes are counted."""
    rows = session.exec(
        select(Vote.candidate_id, Vote.chapter_id, Vote.value, func.count())
        .where(col(Vote.candidate_id).in_(list(candidate_ids)))
        .group_by(col(Vote.candidate_id), col(Vote.chapter_id), col(Vote.value))
    )
    tallies: dict[int, dict[int | None, dict[str, int]]] = {}
    for candidate_id, chapter_id, value, count in rows:
        tallies.setdefault(candidate_id, {}).setdefault(chapter_id, {})[value] = count
    return {
        candidate_id: {
            chapter_id: Counts(found.get(Value.SUPPORT, 0), found.get(Value.OPPOSE, 0), found.get(Value.PASS, 0))
            for chapter_id, found in tally.items()
        }
        for candidate_id, tally in tallies.items()
    }
