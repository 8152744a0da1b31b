"""For `make check`: the migrations lead to the tables that the models describe."""

import sys
import tempfile

from app import schema
from app.database import Database


def main() -> int:
    """0 when they agree."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/workshop.db")
        schema.upgrade(database)
        difference = schema.difference(database)
        database.dispose()
    if difference:
        sys.stderr.write(difference)
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
