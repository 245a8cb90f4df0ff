//! Tables of v0.9 that differ from those that Alembic created.

use super::support::{TestDatabase, run, texts};
use sea_orm::DatabaseConnection;

/// Changes the tables in many ways. Returns the text by which each change must be named.
pub(crate) async fn spoil(db: &TestDatabase, connection: &DatabaseConnection) -> Vec<&'static str> {
    run(connection, "DROP INDEX ix_users_email; DROP INDEX ix_videos_title").await;
    run(connection, "ALTER TABLE videos DROP COLUMN codec").await;
    let mut named = vec![
        "users: unique index (email) in v0.9, missing",
        "videos: index (title) in v0.9, missing",
        "videos.codec: varchar(50) in v0.9, missing",
        "videos.title: varchar(255) in v0.9, varchar(99)",
        "videos.file_path: NOT NULL in v0.9, may be NULL",
        "users.full_name: may be NULL in v0.9, NOT NULL",
        "users.must: text, NOT NULL in the database, unknown",
        "on delete cascade in v0.9, foreign key (video_id)",
        "watch_history: unique index (user_id, video_id) in v0.9, missing",
        "check (",
        "videos.fps: ",
        "watch_history.completed: boolean in v0.9, ",
    ];
    if db.is_postgres() {
        run(connection, SPOIL_POSTGRES).await;
        named.extend([
            "users.role: one of ADMIN, PREMIUM, USER in v0.9, one of ADMIN, BOSS, PREMIUM, USER",
            "users.created_at: timestamp without time zone in v0.9, timestamp with time zone",
            "watch_history.id: auto-increment",
        ]);
        return named;
    }
    run(connection, "PRAGMA writable_schema = ON").await;
    let changes = [
        ("videos", "\"title\" varchar(255)", "\"title\" varchar(99)"),
        ("videos", "\"file_path\" varchar(500) NOT NULL", "\"file_path\" varchar(500)"),
        ("videos", "\"fps\" FLOAT", "\"fps\" VARCHAR(9)"),
        ("users", "\"full_name\" varchar(255)", "\"full_name\" varchar(255) NOT NULL, must text NOT NULL"),
        ("users", "\"role\" VARCHAR(7) NOT NULL", "\"role\" VARCHAR(7) NOT NULL CHECK (role IN (''USER'', ''ADMIN''))"),
        ("watch_history", "REFERENCES \"videos\" (\"id\") ON DELETE CASCADE", "REFERENCES \"videos\" (\"id\")"),
        ("watch_history", "\"completed\" boolean", "\"completed\" integer"),
    ];
    for (table, from, to) in changes {
        let change = format!("UPDATE sqlite_master SET sql = replace(sql, '{from}', '{to}') WHERE name = '{table}'");
        run(connection, &change).await;
    }
    run(connection, "PRAGMA schema_version = 1000; PRAGMA writable_schema = OFF").await;
    // SQLite drops a UNIQUE constraint only with its table.
    run(connection, "PRAGMA foreign_keys = OFF").await;
    let create = texts(connection, "SELECT sql FROM sqlite_master WHERE name = 'watch_history'").await.concat();
    let unique = "CONSTRAINT \"uq_user_video_watch_history\" UNIQUE (\"user_id\", \"video_id\"), ";
    assert!(create.contains(unique), "{create}");
    run(connection, "DROP TABLE watch_history").await;
    run(connection, &create.replace(unique, "")).await;
    run(connection, "CREATE INDEX ix_watch_history_id ON watch_history (id); PRAGMA foreign_keys = ON").await;
    named
}

const SPOIL_POSTGRES: &str = "
ALTER TABLE videos ALTER title TYPE varchar(99), ALTER file_path DROP NOT NULL, ALTER fps TYPE varchar(9);
ALTER TABLE users ALTER full_name SET NOT NULL, ADD COLUMN must text NOT NULL, ALTER created_at TYPE timestamptz;
ALTER TABLE users ADD CHECK (role IN ('USER', 'ADMIN'));
ALTER TABLE watch_history DROP CONSTRAINT watch_history_video_id_fkey, ADD FOREIGN KEY (video_id) REFERENCES videos;
ALTER TABLE watch_history DROP CONSTRAINT uq_user_video_watch_history, ALTER completed TYPE integer USING 0;
ALTER TABLE watch_history ALTER id DROP DEFAULT;
ALTER TYPE userrole ADD VALUE 'BOSS'";
