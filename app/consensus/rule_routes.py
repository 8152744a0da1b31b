"""The numbers of the rule and how they are changed, for programs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlmodel import Session

from app.accounts import chapters, saved, seasoning
from app.accounts.actors import Viewer
from app.accounts.idempotency import OnceRoute
from app.consensus import decisions, rule_changes
from app.consensus.rule_changes import Change
from app.consensus.rule_settings import SETTINGS
from app.consensus.schemas import RuleOut, Slugs, name_chapter
from app.errors import Conflict, NotFound
from app.permissions import Scope
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor, listing
from app.web.openapi import can_fail, needs
from app.web.schemas import Id, In, Listing, Moment, Out, PathId
from app.web.session import SessionDep

api = APIRouter(tags=["The rule"], route_class=OnceRoute)

SettingName = Annotated[str, Field(max_length=80, examples=["wait_routine"])]
SettingValue = Annotated[int | None, Field(examples=[86_400], description="Times are seconds; null is by size.")]
_MODERATES = needs(Scope.MODERATE)


class ProposalIn(In):
    """Another value of one setting, and why, in a sentence that everybody can read."""

    setting: SettingName
    value: SettingValue
    reason: Annotated[str, Field(max_length=2_000, examples=["Nights count too."])]


class RuleChangeOut(Out):
    """A proposal and what became of it. `proposed_by` and `confirmed_by` are chapters; who they are is not told.

    `until` is when it lapses by itself, `ended_at` when a moderator confirmed it or took it back, `ledger` its entry in
    the public log.
    """

    id: Id
    setting: SettingName
    value: SettingValue
    reason: str = Field(examples=["Nights count too."])
    state: Literal["open", "confirmed", "taken_back", "lapsed", "replaced"]
    proposed_at: Moment
    proposed_by: str = Field(examples=["north"])
    until: Moment
    ended_at: Moment | None = Field(examples=[None])
    confirmed_by: str | None = Field(examples=[None])
    ledger: int | None = Field(examples=[None])

    @classmethod
    def of(cls, change: Change, slugs: Slugs) -> "RuleChangeOut":
        """The change, its chapters by their addresses."""
        row, end = change.proposal, change.end
        confirmed = end if end is not None and end.entry is not None else None
        return cls(
            id=row.id,
            setting=row.setting,
            value=row.value,
            reason=row.reason,
            state=change.state.value,
            proposed_at=row.at,
            proposed_by=name_chapter(row.chapter_id, slugs),
            until=change.until,
            ended_at=end.at if end else None,
            confirmed_by=name_chapter(confirmed.chapter_id, slugs) if confirmed else None,
            ledger=confirmed.entry if confirmed else None,
        )


class SettingOut(Out):
    """One number that can be set, where it comes from, and what it may be. `changed` is what moderators confirmed."""

    name: SettingName
    value: SettingValue
    source: Literal["default", "environment", "moderators"]
    least: int = Field(examples=[0])
    most: int = Field(examples=[2_592_000])
    changed: RuleChangeOut | None = Field(examples=[None])


class SeasoningOut(Out):
    """Whose votes count, and from when."""

    hours: int = Field(examples=[72], description="Hours after joining.")
    vouches: int = Field(examples=[2], description="Members who vouch for a newcomer.")
    founders: int = Field(examples=[20], description="The first members, whose votes count at once.")
    chapter_days: int = Field(examples=[14], description="Days until a new chapter is counted by itself.")


class WholeRuleOut(Out):
    """The rule for a vote that opens now, where each number comes from, and what is proposed."""

    rule: RuleOut
    seasoning: SeasoningOut
    settings: list[SettingOut]
    proposals: list[RuleChangeOut]


@api.get("/rule")
def get_rule(session: SessionDep) -> WholeRuleOut:
    """The numbers in force, where each comes from, and the changes that wait for a second moderator."""
    slugs = chapters.slugs_by_id(session)
    asked = seasoning.seasoning_of(session)
    fixed, changed = saved.fixed_settings(session), rule_changes.list_in_force(session)
    values = rule_changes.values_in_force(session)
    return WholeRuleOut(
        rule=RuleOut.of(decisions.rule_in_force(session)),
        seasoning=SeasoningOut(
            hours=asked.hours, vouches=asked.vouches, founders=asked.founders, chapter_days=asked.chapter_days
        ),
        settings=[
            SettingOut(
                name=name,
                value=values[name],
                source="environment" if name in fixed else "moderators" if name in changed else "default",
                least=setting.least,
                most=setting.most,
                changed=RuleChangeOut.of(changed[name], slugs) if name in changed else None,
            )
            for name, setting in SETTINGS.items()
        ],
        proposals=[RuleChangeOut.of(change, slugs) for change in rule_changes.list_open(session)],
    )


@api.get("/rule/changes")
def list_rule_changes(
    request: Request, response: Response, session: SessionDep, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Listing[RuleChangeOut]:
    """Every change that was ever proposed and what became of it, newest first."""
    place = decode_cursor(cursor, int)
    found = rule_changes.list_changes(session, before=place[0] if place else None, limit=limit + 1)
    slugs = chapters.slugs_by_id(session)
    rows = [RuleChangeOut.of(change, slugs) for change in found[:limit]]
    return listing(request, response, rows, encode_cursor(rows[-1].id) if len(found) > limit else None)


@api.get("/rule/changes/{change_id}", responses=can_fail(NotFound))
def get_rule_change(session: SessionDep, change_id: PathId) -> RuleChangeOut:
    """One change and what became of it."""
    return _present(session, rule_changes.get_change(session, change_id))


@api.post("/rule/changes", status_code=201, responses=can_fail(Conflict), openapi_extra=_MODERATES)
def propose_rule_change(response: Response, session: SessionDep, viewer: Viewer, body: ProposalIn) -> RuleChangeOut:
    """Propose another value of one setting. Nothing changes until a moderator of another chapter confirms it."""
    change = rule_changes.propose(session, viewer, body.setting, body.value, reason=body.reason)
    response.headers["Location"] = f"/api/v1/rule/changes/{change.proposal.id}"
    return _present(session, change)


@api.post("/rule/changes/{change_id}/confirm", responses=can_fail(NotFound, Conflict), openapi_extra=_MODERATES)
def confirm_rule_change(session: SessionDep, viewer: Viewer, change_id: PathId) -> RuleChangeOut:
    """Confirm what a moderator of another chapter proposed. It holds for votes that open from now on."""
    return _present(session, rule_changes.confirm(session, viewer, change_id))


@api.delete("/rule/changes/{change_id}", responses=can_fail(NotFound, Conflict), openapi_extra=_MODERATES)
def take_back_rule_change(session: SessionDep, viewer: Viewer, change_id: PathId) -> RuleChangeOut:
    """Take your own proposal back. It stays in the list."""
    return _present(session, rule_changes.take_back(session, viewer, change_id))


def _present(session: Session, change: Change) -> RuleChangeOut:
    return RuleChangeOut.of(change, chapters.slugs_by_id(session))
