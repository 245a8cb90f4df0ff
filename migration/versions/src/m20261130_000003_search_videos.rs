//! Creates the tables of the search, and indexes for lists: by age, by views, and of one uploader.
//!
//! The service fills `video_search`, because it alone knows how it normalizes texts. It looks for
//! missing rows when it starts.

use operations::sql;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Name and columns of each index of `videos`.
const INDEXES: [(&str, &str); 3] = [
    ("ix_videos_ready_created_at", "(created_at DESC, id DESC) WHERE status = 'ready'"),
    ("ix_videos_ready_view_count", "(view_count DESC, id DESC) WHERE status = 'ready'"),
    ("ix_videos_uploader_created_at", "(user_id, created_at DESC, id DESC) WHERE status <> 'deleted'"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in INDEXES {
            sql::execute(manager, &format!("CREATE INDEX {name} ON videos {columns}")).await?;
        }
        for statement in if sql::is_postgres(manager) { POSTGRES } else { SQLITE } {
            sql::execute(manager, statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !sql::is_postgres(manager) {
            sql::execute(manager, "DROP TABLE video_grams").await?;
        }
        sql::execute(manager, "DROP TABLE video_search").await?;
        for (name, _) in INDEXES {
            sql::execute(manager, &format!("DROP INDEX {name}")).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const SQLITE: [&str; 5] = [
    "CREATE TABLE \"video_search\" (\
        video_id integer NOT NULL PRIMARY KEY REFERENCES videos (id) ON DELETE CASCADE, \
        place bigint NOT NULL, title text NOT NULL, description text NOT NULL, uploader text NOT NULL, \
        video_updated_at timestamp_with_timezone_text)",
    "CREATE INDEX ix_video_search_place ON video_search (place)",
    "CREATE INDEX ix_video_search_title ON video_search (substr(title, 1, 200), video_id)",
    "CREATE INDEX ix_video_search_stale ON video_search (video_id) WHERE video_updated_at IS NULL",
    "CREATE VIRTUAL TABLE \"video_grams\" USING fts5 (grams, content = '', detail = none, tokenize = 'ascii')",
];

const POSTGRES: [&str; 5] = [
    "CREATE TABLE \"video_search\" (\
        video_id bigint NOT NULL PRIMARY KEY REFERENCES videos (id) ON DELETE CASCADE, \
        place bigint NOT NULL, title text COLLATE \"C\" NOT NULL, description text COLLATE \"C\" NOT NULL, \
        uploader text COLLATE \"C\" NOT NULL, video_updated_at timestamp with time zone, grams integer[] NOT NULL)",
    "CREATE INDEX ix_video_search_place ON video_search (place)",
    "CREATE INDEX ix_video_search_title ON video_search (substr(title, 1, 200), video_id)",
    "CREATE INDEX ix_video_search_stale ON video_search (video_id) WHERE video_updated_at IS NULL",
    "CREATE INDEX ix_video_search_grams ON video_search USING gin (grams)",
];
