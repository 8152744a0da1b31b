"""How the site looks for one reader: the form in which they choose."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.web.looks import COOKIE, DAYS, THEMES, Look, own_address
from app.web.templates import render

site = APIRouter(include_in_schema=False)


@site.get("/design")
def show_design(request: Request) -> Response:
    """Every part that screens are made of, in every state, for whoever changes one."""
    return render(request, "design.html", {})


@site.get("/look")
def show_look(request: Request, next: str = "/") -> Response:
    """The form to choose in; it needs no account."""
    return render(request, "look.html", {"next": own_address(next), "themes": THEMES})


@site.post("/look")
def choose_look(
    request: Request,
    theme: Annotated[str, Form()] = "system",
    strong: Annotated[bool, Form()] = False,
    keys: Annotated[bool, Form()] = False,
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Remember the choice in this browser and go back."""
    chosen = Look(theme if theme in THEMES else "system", strong, keys)
    answer = RedirectResponse(own_address(next), 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, chosen.as_cookie(), max_age=DAYS * 86_400, httponly=True, samesite="lax", secure=secure)
    return answer
