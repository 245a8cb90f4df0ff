"""Addresses as Playhead writes them, opened by SQLAlchemy."""

import sqlalchemy


def engine(url: str) -> sqlalchemy.Engine:
    if url.startswith("sqlite:"):
        file = url.removeprefix("sqlite:").removeprefix("//").split("?")[0]
        address = sqlalchemy.URL.create("sqlite", database=file)
    else:
        address = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
    return sqlalchemy.create_engine(address)
