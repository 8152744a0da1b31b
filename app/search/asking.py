"""What the API and the screen both need of a request to search."""

from typing import Annotated

from fastapi import Depends, Request

from app.search.engine import Engine, Place
from app.web.cursors import decode_cursor


def get_engine(request: Request) -> Engine:
    """The engine that this program was put together with."""
    engine: Engine = request.app.state.search
    return engine


EngineDep = Annotated[Engine, Depends(get_engine)]


def read_place(cursor: str | None) -> Place | None:
    """The place that a cursor of a search stands for."""
    place = decode_cursor(cursor, int, int, int)
    return Place(*place[:3]) if place else None
