"""Propose another number for the rule, and see first what it would have made of past votes."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from app.accounts import saved
from app.accounts.actors import Viewer
from app.consensus import rule_changes, trial
from app.consensus.rule_settings import DAY, HOUR, MINUTE, Setting, Unit, get_setting
from app.errors import DomainError, Refused
from app.permissions import Action, SignInNeeded, require
from app.web.problems import status_of
from app.web.session import SessionDep
from app.web.templates import render
from app.words import N_, _

site = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]

UNITS = {"seconds": (1, N_("seconds")), "minutes": (MINUTE, N_("minutes")), "hours": (HOUR, N_("hours"))}
UNITS["days"] = (DAY, N_("days"))


@site.get("/rule/propose")
def show_form(request: Request, session: SessionDep, viewer: Viewer, setting: str = "wait_routine") -> Response:
    """The form for one number, with what it is now."""
    require(viewer, Action.CHANGE_RULE)
    chosen = get_setting(setting)
    number, unit = _split(chosen, rule_changes.value_in_force(session, setting))
    return _form(request, session, chosen, {"number": number, "unit": unit, "reason": ""})


@site.post("/rule/propose")
def try_or_propose(
    request: Request,
    session: SessionDep,
    viewer: Viewer,
    setting: Field = "",
    number: Field = "",
    unit: Field = "",
    reason: Field = "",
    do: Field = "",
) -> Response:
    """Say what the number would have made of past votes; the second time, propose it."""
    require(viewer, Action.CHANGE_RULE)
    chosen = get_setting(setting)
    typed = {"number": number, "unit": unit, "reason": reason}
    try:
        with session.begin_nested():
            value = _read(chosen, number, unit)
            if do == "propose":
                rule_changes.propose(session, viewer, setting, value, reason=reason)
                return RedirectResponse("/rule#open", 303)
            rule_changes.check(session, setting, value)
    except SignInNeeded:
        raise
    except DomainError as error:
        return _form(request, session, chosen, typed, problem=error.detail, status=status_of(type(error)))
    found = trial.try_value(session, setting, value)
    return _form(request, session, chosen, typed, tried=chosen.in_words(value), found=found)


def _form(
    request: Request,
    session: Session,
    setting: Setting,
    typed: dict[str, str],
    *,
    problem: str | None = None,
    status: int = 200,
    tried: str | None = None,
    found: trial.Trial | None = None,
) -> Response:
    context = {
        "setting": setting,
        "now": setting.in_words(rule_changes.value_in_force(session, setting.name)),
        "units": [(name, _(words)) for name, (_seconds, words) in UNITS.items()] if setting.unit is Unit.TIME else [],
        "is_fixed": setting.name in saved.fixed_settings(session),
        "typed": typed,
        "problem": problem,
        "tried": tried,
        "found": found,
        "limits": (trial.LOOKS_BACK.days, trial.MOST_DECISIONS),
    }
    return render(request, "consensus/rule_propose.html", context, status=status)


def _read(setting: Setting, number: str, unit: str) -> int | None:
    """What somebody typed, in seconds where it is a time; nothing typed leaves it to the tiers by size."""
    number = number.strip()
    if not number and setting.by_size:
        return None
    if not (number.isascii() and number.isdecimal()) or len(number) > 9:
        raise Refused(_("Write a whole number, in digits. Nothing was changed."), pointer="/number")
    if setting.unit is not Unit.TIME:
        return int(number)
    if unit not in UNITS:
        raise Refused(_("Choose what the number counts: minutes, hours or days."), pointer="/unit")
    return int(number) * UNITS[unit][0]


def _split(setting: Setting, value: int | None) -> tuple[str, str]:
    """A value as the form shows it: the number, and the largest unit that says it whole."""
    if value is None:
        return "", "minutes"
    if setting.unit is not Unit.TIME:
        return str(value), ""
    fitting = [
        (name, seconds) for name, (seconds, _words) in UNITS.items() if value % seconds == 0 and value >= seconds
    ]
    name, seconds = fitting[-1] if fitting else ("hours", HOUR)
    return str(value // seconds), name
