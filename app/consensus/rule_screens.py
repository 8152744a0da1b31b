"""The rule of this workshop in plain words, with the numbers in force, and the changes proposed to them."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from app.accounts import chapters, saved, seasoning
from app.accounts.actors import Viewer
from app.consensus import decisions, rapid, rule_changes, stopping, trial
from app.consensus.rule import need_of
from app.consensus.rule_telling import tell_changes, tell_numbers
from app.consensus.tallies import count_tally
from app.errors import DomainError, Refused
from app.permissions import Actor, SignInNeeded
from app.web.problems import status_of
from app.web.schemas import PathId
from app.web.session import SessionDep
from app.web.templates import render
from app.words import _, duration_in_words

site = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]

PAST_SHOWN = 50
EXAMPLES = (2, 5, 12, 30, 100, 1_000, 10_000)


@site.get("/rule")
def show_rule(request: Request, session: SessionDep, viewer: Viewer) -> Response:
    """Who is asked, how many are needed, how long is waited, what can undo it, and who sets that: for a vote now."""
    return _show_numbers(request, session, viewer)


@site.get("/rule/changes/{change_id}")
def show_change(request: Request, session: SessionDep, viewer: Viewer, change_id: PathId) -> Response:
    """One proposal; while it is open, with what it would have made of past votes."""
    change = rule_changes.get_change(session, change_id)
    row = change.proposal
    is_open = change.state is rule_changes.ChangeState.OPEN
    context = {
        "change": tell_changes(session, [change], viewer)[0],
        "tried": change.setting.in_words(row.value) if is_open else None,
        "found": trial.try_value(session, row.setting, row.value) if is_open else None,
        "limits": (trial.LOOKS_BACK.days, trial.MOST_DECISIONS),
    }
    return render(request, "consensus/rule_change.html", context)


@site.post("/rule/changes/{change_id}")
def end_change(request: Request, session: SessionDep, viewer: Viewer, change_id: PathId, do: Field = "") -> Response:
    """Confirm it, or take it back."""
    try:
        with session.begin_nested():
            if do == "take-back":
                rule_changes.take_back(session, viewer, change_id)
            elif do == "confirm":
                rule_changes.confirm(session, viewer, change_id)
            else:
                raise Refused(_("Choose whether to confirm it or to take it back."), pointer="/do")
    except SignInNeeded:
        raise
    except DomainError as error:
        saved.read_again(session)
        return _show_numbers(request, session, viewer, problem=error.detail, status=status_of(type(error)))
    return RedirectResponse("/rule#open", 303)


def _show_numbers(
    request: Request, session: Session, viewer: Actor | None, *, problem: str | None = None, status: int = 200
) -> Response:
    rule = decisions.rule_in_force(session)
    count = count_tally({}, decisions.electorate_of(session, None))
    listed = rule_changes.list_changes(session, limit=PAST_SHOWN)
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
        "numbers": tell_numbers(session),
        "open": tell_changes(session, rule_changes.list_open(session), viewer),
        "past": [told for told in tell_changes(session, listed, viewer) if not told.is_open],
        "lasts": duration_in_words(rule_changes.LASTS),
        "problem": problem,
    }
    return render(request, "consensus/rule.html", context, status=status)
