"""Put the program together: database, follower, routes. No logic."""

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI

from app import health
from app.accounts import routes as accounts
from app.accounts import screens as accounts_screens
from app.accounts.chapters import MoveFollower
from app.accounts.seasoning import Seasoning
from app.activity import routes as activity
from app.activity import screens as activity_screens
from app.activity.follower import Follower
from app.consensus import (
    change_screens,
    join_screens,
    rival_screens,
    rule_routes,
    rule_screens,
    stop_routes,
    stop_screens,
    voiding_routes,
    voiding_screens,
)
from app.consensus import routes as consensus
from app.consensus import screens as consensus_screens
from app.consensus.follower import CandidateFollower
from app.consensus.rule import Rule
from app.consensus.rule_settings import SETTINGS as RULE_SETTINGS
from app.database import Clock, Database, utc_now
from app.drafts import routes as drafts
from app.drafts import screens as drafts_screens
from app.drafts.standing import Standings
from app.ledger import routes as ledger
from app.ledger import screens as ledger_screens
from app.ledger.head import LedgerHead
from app.ledger.keys import KeyFile
from app.live import routes as live
from app.live.hub import Hub
from app.outbound import parse_networks
from app.pages import routes as pages
from app.pages import screens as pages_screens
from app.publishing import embed_pages, feed_routes
from app.publishing import routes as publishing
from app.publishing.hot import HotApproved
from app.revisions import routes as revisions
from app.revisions import screens as revisions_screens
from app.revisions.authorship import Blames
from app.search import routes as search
from app.search import screens as search_screens
from app.search.indexer_process import engine_of
from app.settings import Settings
from app.web import deprecation, design, docs, help, languages, openapi, problems, static
from app.web.door import Door
from app.web.headers import SecurityHeaders
from app.web.languages import ReadersLanguage
from app.web.methods import HeadAsGet
from app.web.rates import SharedCounts
from app.web.session import WriteGate
from app.web.strict import check_request
from app.webhooks import program_screens
from app.webhooks import routes as webhooks
from app.webhooks import screens as webhooks_screens
from app.webhooks.courier import Courier, Manner
from app.webhooks.keys import SecretKey

API_PREFIX = "/api/v1"
ENDPOINTS = (
    accounts,
    activity,
    pages,
    revisions,
    drafts,
    ledger,
    consensus,
    stop_routes,
    rule_routes,
    voiding_routes,
    publishing,
    search,
    live,
    webhooks,
)
SCREENS = (
    pages_screens,
    revisions_screens,
    drafts_screens,
    consensus_screens,
    join_screens,
    rival_screens,
    stop_screens,
    rule_screens,
    change_screens,
    voiding_screens,
    search_screens,
    ledger_screens,
    activity_screens,
    accounts_screens,
    program_screens,
    webhooks_screens,
    design,
    docs,
    help,
)


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    follow: bool = True,
    locale: Path = languages.FOLDER,
    deprecated: Sequence[deprecation.Deprecated] = deprecation.DEPRECATED,
) -> FastAPI:
    """The program; what a server runs is its `state.front`. Without `follow`, somebody else calls `state.follower`.

    `locale` is the folder of the catalogues that screens are translated with, `deprecated` what of the API will end.
    """
    database = open_database(settings, clock=clock)
    head = LedgerHead(database)
    follower = Follower(database, [head, CandidateFollower(), MoveFollower()])
    hub = Hub(database, most=settings.streams, most_per_address=settings.streams_per_address)
    manner = Manner(settings.base_url, settings.webhook_timeout, parse_networks(settings.webhook_networks))
    courier = Courier(database, database.info["secret_key"], manner)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        collect_less_garbage()
        if follow:
            follower.start()
            courier.start()
        async with hub.running():
            yield
        if follow:
            courier.stop()
            follower.stop()
        database.dispose()

    app = FastAPI(
        title="Message Workshop",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        webhooks=webhooks.messages,
    )
    app.state.settings, app.state.database, app.state.follower = settings, database, follower
    app.state.courier = courier
    app.state.write_gate, app.state.hub = WriteGate(database), hub
    app.state.search = engine_of(settings)
    app.state.ledger_head = head
    app.router.routes.extend(every_route().routes)
    problems.install(app)
    openapi.install(app, deprecated)
    app.add_middleware(static.PackPages)
    app.add_middleware(deprecation.TellDeprecation, table=deprecated)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Door, settings=settings, counts=SharedCounts(database))
    app.add_middleware(SecurityHeaders, base_url=settings.base_url)
    app.state.front = HotApproved(
        ReadersLanguage(app, languages.installed(locale)), database.published, database.entered
    )
    return app


@cache
def every_route() -> APIRouter:
    """All that can be asked for, put together once for a process, as it takes a quarter of a second."""
    router = APIRouter(generate_unique_id_function=openapi.name_operation)
    for package in ENDPOINTS:
        router.include_router(package.api, prefix=API_PREFIX, dependencies=[Depends(check_request)])
    router.include_router(feed_routes.api, dependencies=[Depends(check_request)])
    # Without the check: whoever asks by oEmbed sends parameters of its own along.
    router.include_router(embed_pages.api)
    router.include_router(embed_pages.site)
    for screens in SCREENS:
        router.include_router(screens.site)
    router.include_router(health.api)
    router.mount(static.ADDRESS, static.LastingFiles())
    return router


def collect_less_garbage() -> None:
    """Leave what is loaded by now out of collections, and collect less often: each one holds up a request."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def open_database(settings: Settings, *, clock: Clock = utc_now) -> Database:
    """The database with the rule that the settings ask for, and the names of those that the environment gives."""
    database = Database(settings.database_url, pool_size=settings.pool_size, clock=clock)
    database.info["rule"] = Rule(
        wait_routine=settings.wait_routine,
        wait_rapid=settings.wait_rapid,
        neighbour_wait=settings.neighbour_wait,
        active_days=settings.active_days,
        rapid_lasts=settings.rapid_lasts,
    )
    database.info["seasoning"] = Seasoning(
        settings.seasoning_hours, settings.vouches, settings.founders, settings.chapter_days
    )
    database.info["fixed_settings"] = frozenset(settings.model_fields_set & RULE_SETTINGS.keys())
    key_file = settings.ledger_key_file or settings.data_dir / "ledger.key"
    database.info["ledger_key"] = KeyFile(key_file, base_url=settings.base_url)
    given = settings.secret_key.get_secret_value() if settings.secret_key else None
    database.info["secret_key"] = SecretKey(settings.data_dir / "secret.key", given)
    database.info["standings"] = Standings()
    database.info["blames"] = Blames()
    return database
