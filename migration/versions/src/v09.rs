//! Columns as the reference's v0.9 defines them: on PostgreSQL by its Alembic chain, on SQLite by
//! SQLAlchemy's `create_all`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The tables of v0.9 that Playhead keeps, parents before children.
pub(crate) const TABLES: [&str; 3] = ["users", "videos", "watch_history"];

/// The columns of v0.9 whose type a later migration changes.
pub(crate) const RETYPED_COLUMNS: [(&str, &[&str]); 8] = [
    ("users", &["id"]),
    ("videos", &["id", "user_id"]),
    ("watch_history", &["id", "user_id", "video_id"]),
    ("users", &["created_at", "updated_at", "last_login"]),
    ("videos", &["created_at", "updated_at", "published_at"]),
    ("watch_history", &["last_watched_at", "created_at", "updated_at"]),
    ("users", &["role"]),
    ("videos", &["status"]),
];

/// The enum types of v0.9 that a later migration drops.
pub(crate) const DROPPED_TYPES: [&str; 2] = ["userrole", "videostatus"];

/// `SERIAL` on PostgreSQL. On SQLite the row id, which may come back after a deletion.
pub(crate) fn id(db: DbBackend) -> ColumnDef {
    typed("id", db, "serial", "INTEGER").not_null().primary_key().take()
}

/// A timestamp in UTC, without a time zone.
pub(crate) fn time(name: &'static str, db: DbBackend) -> ColumnDef {
    typed(name, db, "timestamp", "DATETIME")
}

/// A column whose type has another name on each database.
pub(crate) fn typed(name: &'static str, db: DbBackend, postgres: &'static str, sqlite: &'static str) -> ColumnDef {
    let kind = if db == DbBackend::Postgres { postgres } else { sqlite };
    ColumnDef::new(name).custom(kind).take()
}
