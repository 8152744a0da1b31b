"""A small campaign on a server of its own, for tests of what programs outside of it do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from app.activity import service as activity
from app.activity.follower import Follower
from app.main import open_database
from app.permissions import Actor, Role, Scope
from app.settings import Settings
from tests.factories import HOUSING, Workshop
from tests.servers import NO_CERTIFICATES, Server


@dataclass(frozen=True)
class Running:
    """Anna (a writer), Bob and the moderator Mo; votes need no waiting time. `housing` is approved."""

    server: Server
    folder: Path
    workshop: Workshop
    anna: Actor
    bob: Actor
    mo: Actor

    @property
    def url(self) -> str:
        return self.server.url

    def token(self, actor: Actor, *scopes: Scope) -> str:
        return self.workshop.token(actor, *scopes)

    def page(self, title: str, text: str = HOUSING) -> str:
        """The address of a new page with an approved text."""
        page = self.workshop.page(self.anna, title, text)
        self._approve(self.workshop.shared_head(page))
        return page.slug

    def approve_change(self, slug: str, old: str, new: str) -> None:
        """Approve another wording in place of the present one; a server that runs serves it from then on."""
        draft = self.workshop.fork(self.anna, self.workshop.get_page(slug), (old, new))
        with self.workshop.reading() as session:
            before = activity.newest_position(session)
        self._approve(draft.head_id or 0)
        with suppress(httpx.TransportError):
            # It was approved behind the server's back. Whoever reads of it there is served the new text.
            httpx.get(f"{self.url}/api/v1/changes", params={"since": before}, verify=NO_CERTIFICATES)

    def _approve(self, revision_id: int) -> None:
        self.workshop.vote(self.anna, revision_id)
        self.workshop.vote(self.bob, revision_id)


@contextmanager
def running_campaign(folder: Path, template: Path, **settings: object) -> Iterator[Running]:
    """The campaign while its server runs, on SQLite."""
    shutil.copy(template, folder / "workshop.db")
    url = f"sqlite:///{folder / 'workshop.db'}"
    database = open_database(Settings(database_url=url, data_dir=folder, wait_routine=0))
    # Votes are opened behind the server; none waits a day to replace what was approved a moment ago.
    database.info["rule"] = replace(database.info["rule"], rival_window=0)
    workshop = Workshop(database, Follower(database, []))
    anna = workshop.member("anna", chapter="north", role=Role.WRITER)
    bob = workshop.member("bob", chapter="south")
    mo = workshop.member("mo", chapter="west", role=Role.MODERATOR)
    found = Running(Server(url, folder, wait_routine=0, **settings), folder, workshop, anna, bob, mo)
    found.page("Housing")
    found.server.start()
    try:
        yield found
    finally:
        found.server.kill()
        database.dispose()
