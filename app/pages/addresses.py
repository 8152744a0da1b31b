"""The page an address in the API leads to, and the way on from its former ones."""

from urllib.parse import quote

from fastapi import Request
from sqlmodel import Session
from starlette.exceptions import HTTPException

from app.pages import service
from app.pages.models import Page
from app.web.session import SAFE_METHODS

MOVED_CACHING = "public, max-age=5"
"""A page can go back to an address it had; a redirect kept for ever would then lead in circles."""


def page_here(session: Session, request: Request, slug: str) -> Page:
    """The page whose address stands in the request's path. Reading at a former address is sent on with 308."""
    page = service.get_page(session, slug)
    if page.slug != slug and request.method in SAFE_METHODS:
        path = quote(request.url.path.replace(f"/pages/{slug}", f"/pages/{page.slug}", 1))
        query = f"?{request.url.query}" if request.url.query else ""
        raise HTTPException(308, headers={"Location": path + query, "Cache-Control": MOVED_CACHING})
    return page
