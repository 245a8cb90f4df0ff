"""Alembic runs this before its versions."""

import os

from alembic import context
from database import engine
from models import Base

with engine(os.environ["DATABASE_URL"]).connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
