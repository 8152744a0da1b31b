"""What people type about a webhook, and what makes a form count once."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Form

from app.outbound import TargetRefused
from app.webhooks.telling import ABOUT_USE

Field = Annotated[str, Form()]
Fields = Annotated[list[str], Form(default_factory=list)]


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into the form of a webhook."""

    url: str = ""
    kinds: tuple[str, ...] = tuple(ABOUT_USE)
    page: str = ""
    tag: str = ""
    description: str = ""

    @property
    def page_slug(self) -> str | None:
        """The page's address, also where the whole of it was pasted; None for every page."""
        before, within, after = self.page.strip().partition("/pages/")
        return (after.partition("/")[0] if within else before) or None

    def as_wanted(self) -> dict[str, Any]:
        """As the services take it."""
        return {
            "url": self.url,
            "kinds": self.kinds,
            "page": self.page_slug,
            "tag": self.tag or None,
            "description": self.description,
        }


def read_typed(kinds: Fields, url: Field = "", page: Field = "", tag: Field = "", description: Field = "") -> Typed:
    """The form of a webhook as it came."""
    return Typed(url.strip(), tuple(kinds), page, tag, description)


TypedDep = Annotated[Typed, Depends(read_typed)]


def find_problem(check: Callable[[], None]) -> TargetRefused | None:
    """What speaks against an address, for the form that it was typed into."""
    try:
        check()
    except TargetRefused as refused:
        return refused
    return None


def new_once() -> str:
    """What makes a form that shows a secret count once, however often it is sent."""
    return secrets.token_urlsafe(18)
