"""Who may do what: one table. Services `require`, templates ask `allows`, routes do neither."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from app.errors import NotAllowed
from app.words import N_, _


class Role(IntEnum):
    """Each role may do what the ones before it may. A name is an imported author: no membership, no vote."""

    NAME = 0
    MEMBER = 1
    WRITER = 2
    MODERATOR = 3
    ADMIN = 4


ROLES = {
    Role.NAME: N_("names"),
    Role.MEMBER: N_("members"),
    Role.WRITER: N_("writers"),
    Role.MODERATOR: N_("moderators"),
    Role.ADMIN: N_("admins"),
}
"""Those who have a role, or a higher one."""


class Scope(StrEnum):
    """What an API token may be used for."""

    READ = "read"
    WRITE = "write"
    VOTE = "vote"
    WEBHOOKS = "webhooks"
    MODERATE = "moderate"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in doer. `scopes` is None in a web session, which may do all its role allows."""

    id: int
    name: str
    role: Role
    chapter_id: int | None
    scopes: frozenset[Scope] | None = None


class Owned(Protocol):
    """Something that may have one owner, such as a draft; the shared draft has none."""

    @property
    def owner_id(self) -> int | None: ...


class Action(StrEnum):
    """Verbs that need permission. Reading needs none unless the instance is private."""

    EDIT_DRAFT = N_("edit this draft")
    AUTOSAVE = N_("keep words that are not sent yet")
    FORK = N_("fork a draft")
    MANAGE_FORK = N_("withdraw, reopen or update this fork")
    PUT_FORWARD = N_("put a text forward")
    VOTE = N_("vote")
    CALL_RAPID = N_("call for rapid mode")
    STOP_TEXT = N_("stop a text")
    CHANGE_RULE = N_("change the rule")
    VOID_VOTES = N_("void votes")
    REVIEW = N_("see what needs your vote")
    INVITE = N_("invite people")
    VOUCH = N_("vouch for somebody")
    CHOOSE_CHAPTER = N_("choose a chapter")
    MANAGE_TOKENS = N_("manage your tokens")
    MANAGE_WEBHOOKS = N_("manage webhooks")
    CHANGE_WEBHOOK = N_("change this webhook")
    REMOVE_WEBHOOK = N_("remove this webhook")
    SEE_ALL_WEBHOOKS = N_("see the webhooks of others")
    CREATE_PAGE = N_("create a page")
    RENAME_PAGE = N_("rename a page")
    MANAGE_CHAPTERS = N_("manage chapters")
    MANAGE_USERS = N_("manage users")


def _anyone(_actor: Actor, _subject: Owned | None) -> bool:
    return True


def _owner_or_shared(actor: Actor, subject: Owned | None) -> bool:
    return subject is None or subject.owner_id is None or subject.owner_id == actor.id


def _owner(actor: Actor, subject: Owned | None) -> bool:
    return subject is not None and subject.owner_id == actor.id


def _owner_or_admin(actor: Actor, subject: Owned | None) -> bool:
    return actor.role == Role.ADMIN or _owner(actor, subject)


@dataclass(frozen=True, slots=True)
class _Rule:
    role: Role
    scope: Scope
    fits: Callable[[Actor, Owned | None], bool] = _anyone
    otherwise: str = ""


RULES: dict[Action, _Rule] = {
    Action.EDIT_DRAFT: _Rule(
        Role.MEMBER,
        Scope.WRITE,
        _owner_or_shared,
        N_("Only its owner edits a fork. Fork it to go on from there; your text is kept in the form."),
    ),
    Action.AUTOSAVE: _Rule(Role.MEMBER, Scope.WRITE),
    Action.FORK: _Rule(Role.MEMBER, Scope.WRITE),
    Action.MANAGE_FORK: _Rule(Role.MEMBER, Scope.WRITE, _owner, N_("Only its owner can do this with a fork.")),
    Action.PUT_FORWARD: _Rule(
        Role.MEMBER, Scope.WRITE, _owner_or_shared, N_("Only its owner puts a fork forward. You can vote on it.")
    ),
    Action.VOTE: _Rule(Role.MEMBER, Scope.VOTE),
    Action.CALL_RAPID: _Rule(Role.MEMBER, Scope.VOTE),
    Action.STOP_TEXT: _Rule(Role.MODERATOR, Scope.MODERATE),
    Action.CHANGE_RULE: _Rule(Role.MODERATOR, Scope.MODERATE),
    Action.VOID_VOTES: _Rule(Role.MODERATOR, Scope.MODERATE),
    Action.REVIEW: _Rule(Role.MEMBER, Scope.READ),
    Action.INVITE: _Rule(Role.MEMBER, Scope.WRITE),
    Action.VOUCH: _Rule(Role.MEMBER, Scope.WRITE),
    Action.CHOOSE_CHAPTER: _Rule(Role.MEMBER, Scope.WRITE),
    Action.MANAGE_TOKENS: _Rule(Role.MEMBER, Scope.ADMIN),
    Action.MANAGE_WEBHOOKS: _Rule(Role.MEMBER, Scope.WEBHOOKS),
    Action.CHANGE_WEBHOOK: _Rule(
        Role.MEMBER, Scope.WEBHOOKS, _owner, N_("Only its owner changes a webhook. An admin can remove it.")
    ),
    Action.REMOVE_WEBHOOK: _Rule(
        Role.MEMBER, Scope.WEBHOOKS, _owner_or_admin, N_("Only its owner or an admin can remove a webhook.")
    ),
    Action.SEE_ALL_WEBHOOKS: _Rule(Role.ADMIN, Scope.WEBHOOKS),
    Action.CREATE_PAGE: _Rule(Role.WRITER, Scope.WRITE),
    Action.RENAME_PAGE: _Rule(Role.WRITER, Scope.WRITE),
    Action.MANAGE_CHAPTERS: _Rule(Role.ADMIN, Scope.ADMIN),
    Action.MANAGE_USERS: _Rule(Role.ADMIN, Scope.ADMIN),
}


class SignInNeeded(NotAllowed):
    """Nobody is signed in, so the answer is a way to sign in, not a refusal."""

    slug = "sign-in-needed"
    title = N_("Sign in to do this")


class ScopeMissing(NotAllowed):
    slug = "scope-missing"
    title = N_("This token may not do this")


def allows(actor: Actor | None, action: Action, subject: Owned | None = None) -> bool:
    """Whether `actor` may; nobody may do nothing."""
    return actor is not None and _refusal(actor, action, subject) is None


def require(actor: Actor | None, action: Action, subject: Owned | None = None) -> Actor:
    """The actor, if they may; raises `NotAllowed` with the way in otherwise."""
    if actor is None:
        raise SignInNeeded(_("Sign in to {action}. What you typed is kept.").format(action=_(action)))
    refusal = _refusal(actor, action, subject)
    if refusal is not None:
        raise refusal
    return actor


def usable_scopes(actor: Actor) -> list[Scope]:
    """What a token of this actor can be of use for: what the role needs, and of that no more than the actor's own."""
    by_role = {rule.scope for rule in RULES.values() if actor.role >= rule.role}
    return [scope for scope in Scope if scope in by_role and (actor.scopes is None or scope in actor.scopes)]


def _refusal(actor: Actor, action: Action, subject: Owned | None) -> NotAllowed | None:
    rule = RULES[action]
    if actor.role < rule.role:
        return NotAllowed(
            _("Only {who} can {action}. Ask an admin of this workshop for that role.").format(
                who=_(ROLES[rule.role]), action=_(action)
            )
        )
    if actor.scopes is not None and rule.scope not in actor.scopes:
        return ScopeMissing(
            _("This token lacks the scope “{scope}”, which it takes to {action}. Make one that has it.").format(
                scope=rule.scope, action=_(action)
            )
        )
    if not rule.fits(actor, subject):
        return NotAllowed(_(rule.otherwise))
    return None
