//! The search table: the folded texts of a video and their grams.
//!
//! It is not an entity, because the databases differ: PostgreSQL stores the grams in the row, with
//! a GIN index; SQLite stores them in an FTS5 table.

use sea_orm::DbBackend;

/// The name of the table.
pub const TABLE: &str = "video_search";
/// The FTS5 table of SQLite, whose `rowid` is the row's `place`.
pub const GRAMS_TABLE: &str = "video_grams";

/// The statements that create the table.
pub fn tables(backend: DbBackend) -> &'static [&'static str] {
    match backend {
        DbBackend::Postgres => &POSTGRES,
        _ => &SQLITE,
    }
}

const SQLITE: [&str; 5] = [
    "CREATE TABLE video_search (\
        video_id integer NOT NULL PRIMARY KEY REFERENCES videos (id) ON DELETE CASCADE, \
        place bigint NOT NULL, title text NOT NULL, description text NOT NULL, uploader text NOT NULL, \
        video_updated_at timestamp_with_timezone_text)",
    "CREATE INDEX ix_video_search_place ON video_search (place)",
    "CREATE INDEX ix_video_search_title ON video_search (substr(title, 1, 200), video_id)",
    "CREATE INDEX ix_video_search_stale ON video_search (video_id) WHERE video_updated_at IS NULL",
    "CREATE VIRTUAL TABLE video_grams USING fts5 (grams, content = '', detail = none, tokenize = 'ascii')",
];

const POSTGRES: [&str; 5] = [
    "CREATE TABLE video_search (\
        video_id bigint NOT NULL PRIMARY KEY REFERENCES videos (id) ON DELETE CASCADE, \
        place bigint NOT NULL, title text COLLATE \"C\" NOT NULL, description text COLLATE \"C\" NOT NULL, \
        uploader text COLLATE \"C\" NOT NULL, video_updated_at timestamp with time zone, grams integer[] NOT NULL)",
    "CREATE INDEX ix_video_search_place ON video_search (place)",
    "CREATE INDEX ix_video_search_title ON video_search (substr(title, 1, 200), video_id)",
    "CREATE INDEX ix_video_search_stale ON video_search (video_id) WHERE video_updated_at IS NULL",
    "CREATE INDEX ix_video_search_grams ON video_search USING gin (grams)",
];
