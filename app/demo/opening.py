"""What has to be right before the example is served: settings, a free port, and a database of its own."""

import errno
import os
import socket
from collections.abc import MutableMapping
from enum import Enum, auto

from sqlmodel import Session

from app import schema
from app.accounts import chapters
from app.database import Database
from app.demo.campaign import LAST, act_out
from app.demo.people import CHAPTERS, PEOPLE
from app.demo.stage import StageClock
from app.drafts import service as drafts
from app.errors import Conflict, Refused
from app.pages import service as pages
from app.transfer.git_history import Progress

WAITING_SECONDS = 600


class Contents(Enum):
    """What a database holds, as far as the example is concerned."""

    NOTHING = auto()
    ALL = auto()
    A_PART = auto()
    SOMETHING_ELSE = auto()


def settle_environment(environment: MutableMapping[str, str], host: str, port: int) -> None:
    """Set what the example runs with, wherever the environment does not say otherwise."""
    for name, value in {
        "WORKSHOP_DATABASE_URL": "sqlite:///var/demo.db",
        "WORKSHOP_DATA_DIR": os.path.join("var", "demo"),
        "WORKSHOP_BASE_URL": address_of(host, port),
        "WORKSHOP_SITE_NAME": "Shore Plan Workshop",
        "WORKSHOP_WAIT_ROUTINE": str(WAITING_SECONDS),
        "WORKSHOP_NEIGHBOUR_WAIT": str(WAITING_SECONDS),
        "WORKSHOP_FOUNDERS": str(len(PEOPLE)),
    }.items():
        environment.setdefault(name, value)


def address_of(host: str, port: int) -> str:
    """What to type into a browser to reach a server that listens on this host and port."""
    if host in ("0.0.0.0", "::"):
        host = _address_in_the_network()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _address_in_the_network() -> str:
    """The address of this machine that others in its network see; connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def check_port(host: str, port: int) -> None:
    """Raise `Refused` with the way out when no server can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            another = (
                f"Choose another port: .venv/bin/workshop demo --port {port + 1 if 1024 <= port < 65535 else 8001}"
            )
            if error.errno == errno.EADDRINUSE:
                raise Refused(
                    f"Port {port} is taken: another program listens there, perhaps this one. Nothing was changed.\n"
                    f"Open {address_of(host, port)} to see what it is, or stop it. {another}"
                ) from error
            raise Refused(f"Nothing can listen at {host}, port {port}: {error.strerror}.\n{another}") from error


def prepare(database: Database, clock: StageClock, *, fresh: bool, progress: Progress) -> bool:
    """See to it that the database holds the whole example; returns whether it was filled now.

    What a visitor did is kept unless `fresh`. Raises `Conflict`, and changes nothing, when the database holds anything
    else, or a part of the example: the rest may be on its way.
    """
    schema.upgrade(database)
    with database.transaction(writing=False) as session:
        contents = contents_of(session)
    if contents is Contents.SOMETHING_ELSE:
        raise Conflict(
            f"The database {database.url.render_as_string()} holds something other than the example. It was left as "
            "it is. Unset WORKSHOP_DATABASE_URL, or name a new database in it."
        )
    if contents is Contents.A_PART and not fresh:
        raise Conflict(
            "The example is not filled to its end: another start is filling it right now, or was interrupted. "
            "To begin again: .venv/bin/workshop demo --fresh"
        )
    if contents is Contents.ALL and not fresh:
        return False
    if contents is not Contents.NOTHING:
        schema.downgrade(database, "base")
        schema.upgrade(database)
    act_out(database, clock, progress)
    return True


def contents_of(session: Session) -> Contents:
    """Whether the database is empty, the example's, or somebody's."""
    found = {chapter.slug for chapter in chapters.list_chapters(session)}
    if found >= CHAPTERS.keys():
        page = pages.find_page(session, LAST.slug)
        names = {draft.name for draft in drafts.list_drafts(session, page.id)} if page else set()
        return Contents.ALL if LAST.draft in names else Contents.A_PART
    if found or chapters.count_members(session) or pages.list_pages(session, limit=1):
        return Contents.SOMETHING_ELSE
    return Contents.NOTHING
