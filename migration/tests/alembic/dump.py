"""dump.py URL: every row of every table as JSON, so that two states of a database can be compared.

Times are instants in UTC however they are stored; roles and states are told in lower case, as the site's API told them.
"""

import json
import sys
from datetime import UTC, datetime

from sqlalchemy import MetaData, text

from database import engine

TIMES = ("_at", "last_login")
WORDS = {("users", "role"), ("videos", "status")}


def plain(table: str, column: str, value):
    # The seconds in our own bookkeeping are numbers.
    if column.endswith(TIMES) and value is not None and not isinstance(value, int):
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()
    if (table, column) in WORDS:
        return value.lower()
    return value


def main() -> None:
    target = engine(sys.argv[1])
    metadata = MetaData()
    metadata.reflect(target)
    rows = {}
    with target.connect() as connection:
        # Of an index for full-text search on SQLite there are tables that only its engine reads.
        for name, table in ((name, table) for name, table in metadata.tables.items() if not name.startswith("video_grams")):
            # As text, so that what is stored is seen rather than what SQLAlchemy makes of it.
            found = connection.execute(text(f'SELECT * FROM "{name}"')).mappings()
            rows[name] = [{column: plain(name, column, row[column]) for column in sorted(row)} for row in found]
    json.dump(rows, sys.stdout)


main()
