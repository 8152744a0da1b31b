"""Find the interface's words in templates and code, and keep the catalogue for translators up to date with them."""

import sys
from io import BytesIO
from itertools import chain
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "app" / "web" / "locale" / "messages.pot"
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "N_": None, "_n": (1, 2), "Nn_": (1, 2)}
OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true", "extensions": "jinja2.ext.i18n"}}


def collect() -> str:
    """The catalogue as text: every message once, in order, with the templates and modules it stands in."""
    catalogue = Catalog(project="Message Workshop", fuzzy=False)
    in_templates = extract_from_dir(ROOT / "templates", [("**.html", "jinja2")], OPTIONS)
    in_code = extract_from_dir(ROOT / "app", [("**.py", "python")], keywords=KEYWORDS)
    for name, _line, message, comments, context in chain(in_templates, in_code):
        catalogue.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    with BytesIO() as written:
        write_po(written, catalogue, omit_header=True, sort_output=True, include_lineno=False)
        return written.getvalue().decode()


def main() -> int:
    CATALOGUE.parent.mkdir(exist_ok=True)
    CATALOGUE.write_text(collect())
    return 0


if __name__ == "__main__":
    sys.exit(main())
