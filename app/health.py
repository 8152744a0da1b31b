"""Whether the program lives, and whether it can serve: for whatever starts, watches and balances it."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from app import schema
from app.web.openapi import can_fail
from app.web.schemas import Out

api = APIRouter(tags=["Operating"])


class HealthOut(Out):
    status: Literal["ok"] = Field(examples=["ok"])


@api.get("/healthz")
def is_alive() -> HealthOut:
    """The program answers. It says nothing about the database."""
    return HealthOut(status="ok")


@api.get("/readyz", responses=can_fail(503))
def is_ready(request: Request) -> HealthOut:
    """The database answers and has this program's shape."""
    try:
        ready = schema.is_current(request.app.state.database)
    except SQLAlchemyError:
        ready = False
    if not ready:
        raise HTTPException(503, headers={"Retry-After": "5"})
    return HealthOut(status="ok")
