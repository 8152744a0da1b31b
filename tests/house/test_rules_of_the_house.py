"""What must hold of the code as a whole, whoever adds to it."""

import ast
import re
from pathlib import Path

import jinja2
import pytest
from sqlmodel import SQLModel

from app import schema
from app.database import Database
from app.errors import DomainError
from app.settings import ROOT, Settings
from app.web import problems
from app.web.templates import FOLDER, environment
from tests.conftest import create_postgres_database

MODULES = sorted((ROOT / "app").rglob("*.py"))
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
MAX_LINES = 400
MAX_FUNCTION_LINES = 60


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_says_what_lives_there_and_fits_its_limits(module: Path) -> None:
    source = module.read_text()
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "a module begins with one sentence on what lives there"
    assert len(source.splitlines()) <= MAX_LINES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION_LINES, f"{node.name} is longer than one screen"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_only_the_database_module_commits(module: Path) -> None:
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    if module.name not in {"database.py", "schema.py"}:
        assert not calls & {"commit", "rollback"}


PURE = {
    "pages": ("text", "slugs", "sections", "markdown", "markup"),
    "revisions": ("segments", "align", "merge", "meaning", "diff", "diff_words", "diff_html", "delta", "blame"),
    "consensus": ("rule", "tallies", "missing", "explain", "facts", "spots", "carry", "matching", "parts", "nearness"),
    "publishing": ("representations",),
    "search": ("query", "analysis", "snippets"),
    "accounts": ("passwords",),
    "webhooks": ("schedule", "signing", "keys"),
    "ledger": ("merkle", "notes", "canonical", "wording"),
}


@pytest.mark.parametrize("name", [f"{package}/{module}" for package, found in PURE.items() for module in found])
def test_the_pure_core_knows_neither_database_nor_http(name: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse((ROOT / "app" / f"{name}.py").read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert not imported & {"sqlmodel", "sqlalchemy", "fastapi", "starlette", "whoosh"}


@pytest.mark.parametrize("kind", list(problems.all_kinds()), ids=lambda kind: kind.__name__)
def test_every_domain_error_has_a_status_and_words(kind: type[DomainError]) -> None:
    status = problems.status_of(kind)
    assert 400 <= status < 500
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
    assert kind.title[0].isupper()


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles_and_has_one_parent(name: str) -> None:
    source = (FOLDER / name).read_text()
    environment.get_template(name)
    assert "|safe" not in source.replace(" ", ""), "HTML is made in one place for texts and one for word diffs"
    inline = r"<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle="
    assert not re.search(inline, source), "the content policy stops inline code"


def test_a_template_that_lacks_a_name_fails_loudly() -> None:
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ nobody_gave_this }}").render()


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    missing = [name for name in Settings.model_fields if f"`WORKSHOP_{name.upper()}`" not in page]
    assert not missing


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_migrations_go_up_and_down_and_leave_what_the_models_want(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if engine == "sqlite":
        url = f"sqlite:///{tmp_path / 'workshop.db'}"
    else:
        url = create_postgres_database(request.getfixturevalue("postgres"), "up_and_down")
    database = Database(url)
    schema.upgrade(database)
    assert schema.difference(database) is None
    schema.downgrade(database, "base")
    schema.upgrade(database)
    assert schema.difference(database) is None
    assert set(SQLModel.metadata.tables) >= {"page", "revision", "draft", "candidate", "vote", "approval", "activity"}
    database.dispose()
