"""The rule of this workshop in plain words, with the numbers in force."""

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts import chapters, seasoning
from app.accounts.actors import Viewer
from app.consensus import decisions, rapid, stopping
from app.consensus.rule import need_of
from app.consensus.tallies import count_tally
from app.web.session import SessionDep
from app.web.templates import render
from app.words import duration_in_words

site = APIRouter(include_in_schema=False)

EXAMPLES = (2, 5, 12, 30, 100, 1_000, 10_000)


@site.get("/rule")
def show_rule(request: Request, session: SessionDep, viewer: Viewer) -> Response:
    """Who is asked, how many are needed, how long is waited, and what can undo it: for a vote that opens now."""
    rule = decisions.rule_in_force(session)
    count = count_tally({}, decisions.electorate_of(session, None))
    context = {
        "rule": rule,
        "count": count,
        "names": chapters.names_by_id(session),
        "needs": [(active, need_of(active)) for active in EXAMPLES],
        "seasoning": seasoning.seasoning_of(session),
        "routine": duration_in_words(rule.wait("routine", count.need)),
        "rapid": duration_in_words(rule.wait("rapid", count.need)),
        "rapid_lasts": duration_in_words(timedelta(seconds=rule.rapid_lasts)),
        "neighbour": duration_in_words(timedelta(seconds=rule.neighbour_wait)),
        "rivals": duration_in_words(timedelta(seconds=rule.rival_window)),
        "vote_lasts": duration_in_words(timedelta(seconds=rule.vote_lasts)),
        "hold": duration_in_words(stopping.HOLD_LASTS),
        "call": duration_in_words(rapid.CALL_LASTS),
        "move_days": chapters.MOVE_DAYS,
    }
    return render(request, "consensus/rule.html", context)
