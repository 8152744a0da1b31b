"""A program whose webhooks may reach this machine, and whose clock begins with the real time.

The official verifier compares a message's time with the real one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from app.accounts import service as accounts
from app.permissions import Actor, Role
from app.settings import Settings
from app.webhooks import service
from app.webhooks.models import Webhook
from tests.conftest import MovableClock, connect
from tests.factories import Workshop

Add = Callable[..., tuple[Webhook, str]]
SignIn = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

PASSWORD = "four unrelated words"


@pytest.fixture
def clock() -> MovableClock:
    found = MovableClock()
    found.moment = datetime.now(UTC)
    return found


@pytest.fixture
def settings(settings: Settings) -> Settings:
    changed = {"webhook_networks": "127.0.0.0/8", "webhook_timeout": 1, "wait_routine": 0}
    return settings.model_copy(update=changed)


@pytest.fixture
def add(workshop: Workshop) -> Add:
    """Makes a webhook of an actor and returns it with its secret."""

    def make(actor: Actor, url: str, **wanted: object) -> tuple[Webhook, str]:
        with workshop.writing() as session:
            return service.add_webhook(session, actor, url=url, **wanted)  # type: ignore[arg-type]

    return make


@pytest.fixture
def deliver(app: FastAPI) -> Callable[[], int]:
    """Sends what is due by the test's clock, once, and waits for the answers; returns how many were tried."""
    return lambda: asyncio.run(app.state.courier.deliver_due())


@pytest.fixture
def sign_in(app: FastAPI, workshop: Workshop) -> SignIn:
    """Opens a browser's session of a member, who is made when first named."""

    @asynccontextmanager
    async def open_session(name: str, role: Role = Role.MEMBER) -> AsyncIterator[httpx.AsyncClient]:
        with workshop.writing() as session:
            accounts.add_user(session, name, PASSWORD, role=role)
        async with connect(app) as client:
            await client.post("/login", data={"name": name, "password": PASSWORD})
            yield client

    return open_session
