"""Words that code says to readers are messages too: nothing that reads like a sentence or a title stands bare."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.problems import all_kinds

APP = Path(__file__).resolve().parent.parent.parent / "app"

FOR_OPERATORS = ("app/cli.py", "app/demo/", "app/transfer/", "app/database.py", "app/schema.py", "app/settings.py")
"""Said in a terminal in English, or content of the example."""
FOR_PROGRAMMERS = ("app/web/help.py", "app/web/openapi.py", "app/web/docs.py", "app/web/static.py")

MESSAGES = {"_", "_n", "N_", "Nn_"}
TOLD_ELSEWHERE = {
    *("Field", "Query", "Path", "Header", "ValueError", "TypeError", "RuntimeError", "LookupError", "CorruptDelta"),
    *("BadNote", "NoLedgerKey", "NoSecretKey"),
}
"""Calls whose words stand in the documentation of the API, or only ever in a log."""
DOCUMENTED = {"description", "example", "pointer", "_EXAMPLES", "_HEADERS"}
"""What stands under these names is read by programmers."""
SAYING = {kind.__name__ for kind in all_kinds()} | {"DomainError", "Clash", "SignInFailed", "_conflict"}
TABLES = {
    "BROUGHT_IN",
    "CARRIED",
    "FAULT",
    "FILTERS",
    "NO_INDEX",
    "ONLY_WITHOUT",
    "PLAIN",
    "REASONS",
    "ROLES",
    "RULES",
    "SHORT_START",
    "SOME_WORDS",
    "STATUS_WORDS",
    "TOO_LONG",
    "TOO_MANY",
    "TOO_TANGLED",
    "_AHEAD",
    "_NAMED",
    "_PLACED",
    "_SAID",
    "_STATES",
    "_WAYS_ON",
}
"""What modules keep for readers, to be translated where it is shown."""

SAYING_MODULES = ("consensus/explain.py", "consensus/panel.py", "revisions/diff_sentence.py", "revisions/wording.py")
"""Put together from clauses what readers are told."""

MODULES = sorted(
    path for path in APP.rglob("*.py") if not f"app/{path.relative_to(APP)}".startswith(FOR_OPERATORS + FOR_PROGRAMMERS)
)


def bare_words(source: str, *, said: bool = False) -> list[str]:
    """Literals that readers would see in English whatever their language is; `said`: clauses count too."""
    return [_text(node) for node in _bare(ast.parse(source), said=said)]


def _bare(node: ast.AST, *, said: bool) -> Iterator[ast.expr]:
    """The bare literals in a piece of code; where something is `said`, single words count as well as sentences."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        words = re.sub(r"<[^>]*>", "", _text(node))
        if _is_sentence(words) or (said and _is_said(words)):
            yield node
    elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):  # that is a docstring
        for part, is_said in _parts(node, said):
            yield from _bare(part, said=is_said)


def _parts(node: ast.AST, said: bool) -> Iterator[tuple[ast.AST, bool]]:
    """What a piece of code is made of, without what only programmers read, and whether each part is said."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        if name not in MESSAGES | TOLD_ELSEWHERE:
            yield node.func, said
            yield from ((part, said or name in SAYING) for part in node.args)
            yield from ((keyword.value, False) for keyword in node.keywords if keyword.arg not in DOCUMENTED)
    elif isinstance(node, ast.ClassDef) and node.name in SAYING:
        for part in node.body:
            yield part, isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "title"
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        target = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        if node.value is not None and target not in DOCUMENTED:
            yield node.value, said or target in TABLES
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if not (isinstance(key, ast.Constant) and key.value in DOCUMENTED):
                yield value, said
    else:
        yield from ((part, said) for part in ast.iter_child_nodes(node))


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)[2:-1]


def _is_sentence(words: str) -> bool:
    return re.match(r"[\"“{A-Z].* .*[a-z}”)][.!?]$", words) is not None


def _is_said(words: str) -> bool:
    """Words with a space between, or one with a capital; names of fields and addresses have neither."""
    return re.search(r"[a-z},]+ [a-z{“]|^[A-Z][a-z]+", words) is not None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(APP).as_posix())
def test_every_word_that_code_says_can_be_translated(path: Path) -> None:
    said = path.relative_to(APP).as_posix() in SAYING_MODULES
    assert bare_words(path.read_text(), said=said) == []


@pytest.mark.parametrize(
    "source",
    [
        'raise Refused("Write more.")',
        'raise Refused(f"{name} is too long", pointer="/name")',
        'raise drafts.DraftClosed("too late for this")',
        'raise Refused("{name} is too long".format(name=name))',
        'class Gone(DomainError):\n    title = "No more"',
        'REASONS = (("typo", "Fix a typo"),)',
        'STATUS_WORDS = {"draft": "Draft"}',
        'def say(n):\n    return f"It needs {n} more."',
        'problem = "A newer version was approved. Look again."',
        'return_ = [_conflict(group, compared, "Both rewrote it")]',
    ],
)
def test_a_bare_word_in_code_is_noticed(source: str) -> None:
    assert len(bare_words(source)) == 1


def test_messages_and_documentation_are_no_bare_words() -> None:
    documented = 'x = Field(description="It is so.")'
    source = f'"""A module."""\nraise Refused(_("Write {{n}} more.").format(n=n), pointer="/text")\n{documented}'
    assert bare_words(source) == []
