"""The `workshop` command."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import rich.progress
import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from sqlmodel import Session

from app import schema
from app.accounts import chapters, tokens
from app.accounts import service as accounts
from app.consensus import ledger
from app.database import Database, utc_now
from app.demo import guide, opening
from app.demo.stage import StageClock
from app.errors import DomainError
from app.ledger.keys import NoLedgerKey
from app.main import create_app, open_database
from app.permissions import Role, Scope
from app.search.indexer import reindex
from app.search.indexer_process import engine_of, start_indexer
from app.settings import ROOT, Settings
from app.transfer.git_history import Progress
from app.transfer.git_import import import_git
from app.transfer.verification import verify_database

FOUND_WRONG, MISUSE = 1, 2

OUTSIDE = ROOT / "docs" / "verify.py"
"""Checks a ledger from outside. A program of its own, so that it shares nothing with what it checks."""

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Message Workshop.")
user_cli = typer.Typer(no_args_is_help=True, help="People who may sign in.")
chapter_cli = typer.Typer(no_args_is_help=True, help="Chapters that members vote in.")
token_cli = typer.Typer(no_args_is_help=True, help="API tokens.")
import_cli = typer.Typer(no_args_is_help=True, help="Bring in what exists.")
db_cli = typer.Typer(no_args_is_help=True, help="The shape of the database.")
for name, group in {
    "user": user_cli,
    "chapter": chapter_cli,
    "token": token_cli,
    "import": import_cli,
    "db": db_cli,
}.items():
    cli.add_typer(group, name=name)


class RoleName(StrEnum):
    """What `--role` takes."""

    MEMBER = "member"
    WRITER = "writer"
    MODERATOR = "moderator"
    ADMIN = "admin"


NewPassword = Annotated[
    str,
    typer.Option(
        prompt=True, hide_input=True, confirmation_prompt=True, help="At least 8 characters; asked for when left out."
    ),
]


def fail(message: str, code: int = FOUND_WRONG) -> NoReturn:
    """End with a message on the error stream."""
    print(message, file=sys.stderr)
    raise typer.Exit(code)


def read_settings() -> Settings:
    """The settings, or an end that names the one that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"WORKSHOP_{str(entry['loc'][0]).upper()}: {entry['msg']}" for entry in error.errors()]
        fail("These settings cannot be used:\n" + "\n".join(lines), MISUSE)


@contextmanager
def opened_database() -> Iterator[Database]:
    """The database of the settings, in this program's shape."""
    database = open_database(read_settings())
    schema.upgrade(database)
    yield database
    database.dispose()


@contextmanager
def writing() -> Iterator[Session]:
    """One transaction; a domain error ends the command with its words."""
    with opened_database() as database:
        try:
            with database.transaction(writing=True) as session:
                yield session
        except DomainError as error:
            fail(error.detail)


def begin_ledger(database: Database) -> None:
    """Begin the ledger where there is none yet; ends where the key that signed it is missing."""
    try:
        ledger.begin(database)
    except NoLedgerKey as error:
        fail(str(error))


def create_from_environment() -> object:
    """What the server runs: one program per process, settings from the environment."""
    return create_app(read_settings()).state.front


@cli.command()
def serve(host: str = "127.0.0.1", port: int = 8000, workers: int = 1) -> None:
    """Serve the site and the API."""
    with opened_database() as database:  # brought to this program's shape before any process serves it
        begin_ledger(database)
    indexer = start_indexer(read_settings())
    try:
        uvicorn.run(
            "app.cli:create_from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    finally:
        indexer.stop()


@cli.command()
def demo(
    host: str = "127.0.0.1",
    port: int = 8000,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what visitors did, and fill it anew.")] = False,
) -> None:
    """Fill an invented campaign, once, and serve it."""
    try:
        opening.check_port(host, port)
        opening.settle_environment(os.environ, host, port)
        clock = StageClock(utc_now())
        story = open_database(read_settings(), clock=clock)
        with progress_bar(show=True) as progress:
            opening.prepare(story, clock, fresh=fresh, progress=progress)
        story.dispose()
    except DomainError as error:
        fail(error.detail)
    with opened_database() as database, database.transaction(writing=False) as session:
        print(guide.describe(session, read_settings().base_url), flush=True)
    serve(host=host, port=port)


@user_cli.command("add")
def add_user(
    name: str,
    password: NewPassword,
    chapter: Annotated[str | None, typer.Option(help="Address of their home chapter.")] = None,
    role: RoleName = RoleName.MEMBER,
) -> None:
    """Add someone who may sign in."""
    with writing() as session:
        chapter_id = chapters.get_chapter(session, chapter).id if chapter else None
        user = accounts.add_user(session, name, password, role=Role[role.upper()], chapter_id=chapter_id)
        print(f"{user.name} can sign in now, as {role}.")


@user_cli.command("list")
def list_users() -> None:
    """Print everyone who may sign in, a line each: name, role, chapter, and the day they were last active."""
    with opened_database() as database, database.transaction(writing=False) as session:
        homes = chapters.slugs_by_id(session)
        for user in accounts.list_users(session):
            home = homes.get(user.chapter_id or 0, "-")
            print(user.name, Role(user.role).name.lower(), home, user.last_active_at.date(), sep="\t")


@user_cli.command("password")
def set_password(name: str, password: NewPassword) -> None:
    """Give someone who forgot theirs a new password, and sign them out everywhere."""
    with writing() as session:
        user = accounts.get_user(session, name)
        accounts.set_password(session, user, password)
        print(f"{user.name} signs in with the new password from now on.")


@user_cli.command("role")
def set_role(name: str, role: RoleName) -> None:
    """Change what someone may do."""
    with writing() as session:
        user = accounts.get_user(session, name)
        accounts.set_role(session, user, Role[role.upper()])
        print(f"{user.name} is a {role} now.")


@chapter_cli.command("list")
def list_chapters() -> None:
    """Print the chapters, a line each: address, name, and how many members it has."""
    with opened_database() as database, database.transaction(writing=False) as session:
        members = chapters.count_members(session)
        for chapter in chapters.list_chapters(session):
            print(chapter.slug, chapter.name, members.get(chapter.id, 0), sep="\t")


@chapter_cli.command("add")
def add_chapter(slug: str, name: Annotated[str, typer.Option(help="What people call it.")]) -> None:
    """Add a chapter."""
    with writing() as session:
        chapter = chapters.add_chapter(session, slug, name)
        print(f"{chapter.name} is a chapter now, at /chapters/{chapter.slug}.")


@token_cli.command("create")
def create_token(user: str, scope: Annotated[list[Scope], typer.Option(help="May be given more than once.")]) -> None:
    """Print a new API token of USER, alone on a line. It is shown this once."""
    with writing() as session:
        print(tokens.create(session, accounts.actor_of(accounts.get_user(session, user)), scope)[1])


@import_cli.command("git")
def import_from_git(
    path: Path,
    drafts: Annotated[str | None, typer.Option(help="Pattern of refs whose unmerged heads become forks.")] = None,
    approve: Annotated[bool, typer.Option(help="What stands on the main branch becomes the approved text.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Bring in the history of a repository or bundle. Repeating it adds only what is new."""
    with opened_database() as database, progress_bar(show=not as_json) as progress:
        try:
            report = import_git(database, path, drafts_glob=drafts, approve=approve, progress=progress)
        except DomainError as error:
            fail(error.detail)
    print(json.dumps(report.to_json(), indent=2) if as_json else report.in_words())


@contextmanager
def progress_bar(*, show: bool) -> Iterator[Progress]:
    """A bar on the error stream; does nothing where nobody looks."""
    bar = rich.progress.Progress(console=Console(stderr=True), disable=not show)
    with bar:
        tasks: dict[str, rich.progress.TaskID] = {}

        def tick(done: int, total: int, what: str) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what.capitalize(), total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tick


@cli.command()
def verify(
    checkpoint: Annotated[Path | None, typer.Argument(help="With --remote: a checkpoint kept from before.")] = None,
    remote: Annotated[str | None, typer.Option(metavar="URL", help="Check the ledger there, from outside.")] = None,
) -> None:
    """Check every text, delta, approval, carry-forward and ledger entry; names what is wrong."""
    if remote is not None:
        asked = [remote] if checkpoint is None else [remote, str(checkpoint)]
        raise typer.Exit(subprocess.run([sys.executable, str(OUTSIDE), *asked], check=False).returncode)
    if checkpoint is not None:
        fail("A checkpoint is compared with --remote URL.", MISUSE)
    with opened_database() as database, progress_bar(show=True) as progress:
        begin_ledger(database)
        report = verify_database(database, progress)
    for fault in report.faults:
        print(fault)
    if report.faults:
        fail(f"{len(report.faults)} things are wrong.")
    print(report.in_words())


@cli.command("reindex")
def make_index_anew() -> None:
    """Make the search index anew; searches go on in the old one meanwhile."""
    with opened_database() as database, progress_bar(show=True) as progress:
        reindex(database, engine_of(read_settings()), lambda done, total: progress(done, total, "reading pages"))


@db_cli.command("upgrade")
def upgrade(revision: str = "head") -> None:
    """Bring the database to this program's shape."""
    database = open_database(read_settings())
    schema.upgrade(database, revision)


@db_cli.command("downgrade")
def downgrade(revision: str) -> None:
    """Go back to an earlier shape; `base` removes every table."""
    database = open_database(read_settings())
    schema.downgrade(database, revision)


@db_cli.command("check")
def check() -> None:
    """Say whether the database has this program's shape."""
    difference = schema.difference(open_database(read_settings()))
    if difference:
        fail(difference)
    print("The database has this program's shape.")


def main() -> None:
    """Run the command named on the command line."""
    cli()


if __name__ == "__main__":
    main()
