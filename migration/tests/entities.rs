//! The migrated database has exactly the tables of the entities.

#![cfg(test)]

mod support;

use migration::PROJECT;
use sea_orm_revisions::{Target, schema};
use support::{TestDatabase, texts};

on_both! {
    async fn the_migrated_tables_are_those_of_the_entities(db: TestDatabase) {
        db.up(Target::End).await;
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert!(drift.is_clean(true), "{drift}");
        let schema = schema::read(&db.connect().await).await.unwrap();
        let tables: Vec<&String> = schema.tables.keys().collect();
        let ours = [
            "background_jobs", "changed_videos", "deleted_files", "ended_sessions", "forgotten_entries", "history_resets", "plays", "refresh_tokens", "related_videos", "revisions", "seaql_migrations", "sessions", "sign_in_limits", "users", "video_revision", "video_search", "videos",
            "watch_history",
        ];
        // On SQLite the index of the search is a table.
        let others = tables.iter().map(|name| name.as_str()).filter(|name| !ours.contains(name));
        assert_eq!(others.collect::<Vec<_>>(), if db.is_postgres() { vec![] } else { vec!["video_grams"] });
        assert!(ours.iter().all(|name| schema.tables.contains_key(*name)));
        let columns = |name: &&str| schema.tables[*name].columns.len();
        let grams = if db.is_postgres() { 1 } else { 0 };
        assert_eq!(ours.iter().map(columns).sum::<usize>(), 80 + 16 + 16 + 4 + 10 + 2 + grams);
    }

    async fn indexes_keep_their_names_and_new_ones_follow_them(db: TestDatabase) {
        db.up(Target::End).await;
        let indexes = db.either(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
            "SELECT indexname::text FROM pg_indexes WHERE indexname LIKE 'ix%' ORDER BY 1",
        );
        let expected = [
            "ix_changed_videos_changed_at", "ix_forgotten_entries_forgotten_at", "ix_forgotten_entries_video_id", "ix_plays_user_id_started_at", "ix_refresh_tokens_session_id", "ix_refresh_tokens_token_hash", "ix_related_videos_related_id", "ix_sessions_user_id", "ix_users_email",
            "ix_users_email_key", "ix_users_username", "ix_users_username_key", "ix_users_username_skeleton", "ix_video_search_grams",
            "ix_video_search_place", "ix_video_search_stale", "ix_video_search_title", "ix_videos_created_at",
            "ix_videos_file_path", "ix_videos_ready_created_at", "ix_videos_ready_view_count", "ix_videos_title",
            "ix_videos_uploader_created_at", "ix_videos_user_id",
            "ix_watch_history_completed", "ix_watch_history_list", "ix_watch_history_video_id",
        ];
        let expected = expected.iter().filter(|name| db.is_postgres() || **name != "ix_video_search_grams");
        assert_eq!(texts(&db.connect().await, indexes).await, expected.copied().collect::<Vec<_>>());
        let schema = schema::read(&db.connect().await).await.unwrap();
        let mut uniques = schema.tables["watch_history"].indexes.iter().filter(|index| index.constraint);
        assert_eq!(uniques.next().unwrap().name, "uq_user_video_watch_history");
    }

    async fn every_user_and_video_column_has_a_cascading_key(db: TestDatabase) {
        db.up(Target::End).await;
        let schema = schema::read(&db.connect().await).await.unwrap();
        for (column, parent) in [("user_id", "users"), ("video_id", "videos")] {
            let holders: Vec<_> = schema.tables.iter().filter(|(_, table)| table.column(column).is_some()).collect();
            assert!(!holders.is_empty());
            for (name, table) in holders {
                let mut keys = table.foreign_keys.iter().filter(|key| key.columns == [column]);
                let key = keys.next().unwrap_or_else(|| panic!("{name}.{column} refers to nothing"));
                assert_eq!((key.parent.as_str(), key.on_delete.as_str()), (parent, "cascade"), "{name}.{column}");
            }
        }
    }
}
