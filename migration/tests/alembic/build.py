"""build.py URL [REVISION] [--defaults]: creates a database as the reference does.

PostgreSQL by the whole Alembic chain; SQLite by `create_all` and a stamp, because the chain runs only on PostgreSQL.
"""

import argparse
import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import DefaultClause, text

from database import engine
from models import DEFAULTS, Base, later_indexes

V09, LATER = "2f1e7b15dd7f", "a1b2c3d4e5f6"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("revision", nargs="?", default=V09)
    parser.add_argument("--defaults", action="store_true", help="with database defaults")
    arguments = parser.parse_args()
    os.environ["DATABASE_URL"] = arguments.url
    config = Config(Path(__file__).with_name("alembic.ini"))
    target = engine(arguments.url)
    if target.dialect.name == "sqlite":
        create_all(target, arguments)
        command.stamp(config, arguments.revision)
    else:
        command.upgrade(config, arguments.revision)
        if arguments.defaults:
            alter(target)


def create_all(target, arguments) -> None:
    for table, columns in DEFAULTS.items() if arguments.defaults else ():
        for column, default in columns.items():
            Base.metadata.tables[table].c[column].server_default = DefaultClause(text(default))
    if arguments.revision == LATER:
        later_indexes()
    Base.metadata.create_all(target)


def alter(target) -> None:
    with target.begin() as connection:
        for table, columns in DEFAULTS.items():
            for column, default in columns.items():
                connection.execute(text(f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}"))


main()
