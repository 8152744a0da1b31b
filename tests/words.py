"""Find the interface's words in the templates, and keep the catalogue for translators up to date with them."""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "app" / "web" / "locale" / "messages.pot"
OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true", "extensions": "jinja2.ext.i18n"}}


def collect() -> str:
    """The catalogue as text: every message once, in order, with the templates it stands in."""
    catalogue = Catalog(project="Message Workshop", fuzzy=False)
    found = extract_from_dir(ROOT / "templates", [("**.html", "jinja2")], OPTIONS)
    for name, _line, message, comments, context in found:
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
