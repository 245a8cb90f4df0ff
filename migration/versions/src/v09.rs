//! How the reference's v0.9 writes the columns that all its tables have: on PostgreSQL as its Alembic chain does, on SQLite as
//! SQLAlchemy's `create_all` does.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Our tables that v0.9 has as well, parents first.
pub(crate) const TABLES: [&str; 3] = ["users", "videos", "watch_history"];

/// The columns of v0.9 that get another type later, each list in the migration that does it.
pub(crate) const RETYPED: [(&str, &[&str]); 8] = [
    ("users", &["id"]),
    ("videos", &["id", "user_id"]),
    ("watch_history", &["id", "user_id", "video_id"]),
    ("users", &["created_at", "updated_at", "last_login"]),
    ("videos", &["created_at", "updated_at", "published_at"]),
    ("watch_history", &["last_watched_at", "created_at", "updated_at"]),
    ("users", &["role"]),
    ("videos", &["status"]),
];

/// The types of v0.9 that go later.
pub(crate) const TYPES: [&str; 2] = ["userrole", "videostatus"];

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
