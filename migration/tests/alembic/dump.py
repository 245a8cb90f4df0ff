"""dump.py URL: every row of every table as JSON, so that two states of a database can be compared.

Times are printed in UTC, roles and states in lower case, however they are stored.
"""

import json
import sys
from datetime import UTC, datetime

from sqlalchemy import MetaData, text

from database import engine

TIMES = ("_at", "last_login")
WORDS = {("users", "role"), ("videos", "status")}


def plain(table: str, column: str, value):
    # The times in `seaql_migrations` are numbers of seconds.
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
        # Only the full-text engine of SQLite reads the tables of its index.
        for name, table in ((name, table) for name, table in metadata.tables.items() if not name.startswith("video_grams")):
            # As text: the stored value, not what SQLAlchemy converts it to.
            found = connection.execute(text(f'SELECT * FROM "{name}"')).mappings()
            rows[name] = [{column: plain(name, column, row[column]) for column in sorted(row)} for row in found]
    json.dump(rows, sys.stdout)


main()
