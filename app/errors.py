"""What can go wrong, in the domain's own words; `web.STATUS` alone knows which HTTP status each kind is."""

from collections.abc import Mapping
from typing import Any, ClassVar

from app.words import N_


class DomainError(Exception):
    """A fact that stops a use case. Nothing it did is kept.

    `slug` names the help page under `/problems/`. `title` is the same for every occurrence, in English, and translated
    where it is shown. `detail` says in the reader's language what happened, what is safe and what to do. `extra` holds
    further members for the problem document.
    """

    slug: ClassVar[str] = "problem"
    title: ClassVar[str] = N_("Something stopped this")

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra: Mapping[str, Any] = extra


class NotFound(DomainError):
    """No such thing, or none that this viewer may know of."""

    slug = "not-found"
    title = N_("There is nothing here")


class NotAllowed(DomainError):
    """The actor may not do this; the anonymous are asked to sign in."""

    slug = "not-allowed"
    title = N_("You cannot do this")


class Conflict(DomainError):
    """It no longer fits what others did meanwhile, or what already exists."""

    slug = "conflict"
    title = N_("Someone else was here first")


class Refused(DomainError):
    """The input cannot be used as it is. `pointer` names the field as a JSON pointer."""

    slug = "refused"
    title = N_("This cannot be used as it is")

    def __init__(self, detail: str, *, pointer: str = "", **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.pointer = pointer


class Gone(DomainError):
    """It was here and is no more."""

    slug = "gone"
    title = N_("This is no longer here")
