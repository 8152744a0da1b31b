"""What an organiser does from the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.accounts import service as accounts
from app.accounts.models import User
from app.cli import cli, opened_database
from app.permissions import Role

PASSWORD = "four unrelated words"
NEW_PASSWORD = "five other words"


@pytest.fixture
def run(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("WORKSHOP_DATABASE_URL", f"sqlite:///{tmp_path / 'workshop.db'}")
    monkeypatch.setenv("WORKSHOP_DATA_DIR", str(tmp_path))
    return CliRunner()


def test_people_are_added_listed_and_given_a_role(run: CliRunner) -> None:
    assert run.invoke(cli, ["chapter", "add", "north", "--name", "The North"]).exit_code == 0
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    added = run.invoke(cli, ["user", "add", "Ada", "--chapter", "north"], input=typed)
    assert "Ada can sign in now, as member." in added.output
    assert PASSWORD not in added.output
    assert run.invoke(cli, ["user", "role", "ada", "writer"]).output == "Ada is a writer now.\n"
    with opened_database() as database, database.transaction(writing=True) as session:
        accounts.add_user(session, "a name in an imported history", None, role=Role.NAME)
    (listed,) = run.invoke(cli, ["user", "list"]).output.splitlines()
    assert listed.startswith("Ada\twriter\tnorth\t20")
    assert run.invoke(cli, ["chapter", "list"]).output == "north\tThe North\t1\n"


def test_a_forgotten_password_is_replaced(run: CliRunner) -> None:
    run.invoke(cli, ["user", "add", "Ada", "--password", PASSWORD])
    short = run.invoke(cli, ["user", "password", "Ada", "--password", "short"])
    assert (short.exit_code, "8 to 256 characters" in short.output) == (1, True)
    unknown = run.invoke(cli, ["user", "password", "Bea", "--password", PASSWORD])
    assert (unknown.exit_code, "Nobody here is called “Bea”." in unknown.output) == (1, True)
    done = run.invoke(cli, ["user", "password", "Ada", "--password", NEW_PASSWORD])
    assert done.output == "Ada signs in with the new password from now on.\n"
    with opened_database() as database, database.transaction(writing=True) as session:
        tried = [
            accounts.check_password(session, "Ada", word, address="", tries=9) for word in (PASSWORD, NEW_PASSWORD)
        ]
        assert [isinstance(found, User) for found in tried] == [False, True]
