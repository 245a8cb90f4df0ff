//! How the reference's v0.9 writes the columns that all its tables have: on PostgreSQL as its Alembic chain does, on SQLite as
//! SQLAlchemy's `create_all` does.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Our tables that v0.9 has as well, parents first.
pub(crate) const TABLES: [&str; 3] = ["users", "videos", "watch_history"];

/// `SERIAL`, or SQLite's row id, which may be used again after a deletion.
pub(crate) fn id(db: DbBackend) -> ColumnDef {
    typed("id", db, "serial", "INTEGER").not_null().primary_key().take()
}

/// A time in UTC, without a zone.
pub(crate) fn time(name: &'static str, db: DbBackend) -> ColumnDef {
    typed(name, db, "timestamp", "DATETIME")
}

/// A column whose type each database names in its own way.
pub(crate) fn typed(name: &'static str, db: DbBackend, postgres: &'static str, sqlite: &'static str) -> ColumnDef {
    let kind = if db == DbBackend::Postgres { postgres } else { sqlite };
    ColumnDef::new(name).custom(kind).take()
}
