"""One request, one session, one transaction, committed before the answer is sent."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from app.database import Database

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class WriteGate:
    """Lets as many writing requests take a thread as there are connections: on SQLite one.

    Without it the holder of the write lock waits for a thread that those waiting for the lock hold.
    """

    def __init__(self, database: Database) -> None:
        self._places = asyncio.Semaphore(1 if database.is_sqlite else max(1, database.pool_size - 2))

    async def __aenter__(self) -> None:
        await self._places.acquire()

    async def __aexit__(self, *exc: object) -> None:
        self._places.release()


async def pass_write_gate(request: Request) -> AsyncIterator[None]:
    """Wait for a place before a thread is taken; requests that only read go straight through."""
    if request.method in SAFE_METHODS:
        yield
        return
    async with request.app.state.write_gate:
        yield


def get_session(
    request: Request, _gate: Annotated[None, Depends(pass_write_gate, scope="function")]
) -> Iterator[Session]:
    """Committed when the endpoint returns, rolled back when it raises. Safe methods only read."""
    database: Database = request.app.state.database
    with database.transaction(writing=request.method not in SAFE_METHODS) as session:
        yield session


def get_reading_session(request: Request) -> Iterator[Session]:
    """For a POST that saves nothing: it waits for no writer and keeps none waiting."""
    database: Database = request.app.state.database
    with database.transaction(writing=False) as session:
        yield session


ReadingDep = Annotated[Session, Depends(get_reading_session, scope="function")]

SessionDep = Annotated[Session, Depends(get_session, scope="function")]
"""`function` scope: the commit happens before the answer, so a failed one is never acknowledged."""
