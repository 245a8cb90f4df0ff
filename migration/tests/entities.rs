//! The migrated database has exactly the tables of the entities.

#![cfg(test)]

mod support;

use migration::Target;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbErr, Schema, TransactionTrait};
use std::collections::BTreeSet;
use support::catalogue::{Names, differences, facts};
use support::{TestDatabase, run, texts};

const TABLES: [&str; 5] = ["users", "videos", "watch_history", "sessions", "refresh_tokens"];

on_both! {
    async fn the_migrated_tables_are_those_of_the_entities(db: TestDatabase) {
        db.up(Target::End).await;
        let connection = db.connect().await;
        assert_eq!(drift(&db, &connection).await, Vec::<String>::new());
    }

    async fn indexes_keep_their_names_and_new_ones_follow_them(db: TestDatabase) {
        db.up(Target::End).await;
        let indexes = db.either(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
            "SELECT indexname::text FROM pg_indexes WHERE indexname LIKE 'ix%' ORDER BY 1",
        );
        let wanted = [
            "ix_refresh_tokens_session_id", "ix_refresh_tokens_token_hash", "ix_sessions_user_id", "ix_users_email",
            "ix_users_email_key", "ix_users_username", "ix_users_username_key", "ix_videos_created_at",
            "ix_videos_file_path", "ix_videos_title", "ix_videos_user_id",
            "ix_watch_history_video_id",
        ];
        assert_eq!(texts(&db.connect().await, indexes).await, wanted);
        let unique = db.either(
            "SELECT 'there' FROM sqlite_master WHERE sql LIKE '%CONSTRAINT \"uq_user_video_watch_history\" UNIQUE%'",
            "SELECT 'there' FROM pg_constraint WHERE conname = 'uq_user_video_watch_history' AND contype = 'u'",
        );
        assert_eq!(texts(&db.connect().await, unique).await, ["there"]);
    }

    async fn every_tampering_is_named(db: TestDatabase) {
        let writable = |from: &str, to: &str| format!(
            "PRAGMA writable_schema = ON; \
             UPDATE sqlite_master SET sql = replace(sql, '{from}', '{to}') WHERE name = 'videos'; \
             PRAGMA schema_version = 1000; PRAGMA writable_schema = OFF"
        );
        let tamperings = [
            ("ALTER TABLE users ADD COLUMN stray integer".to_owned(), String::new(), "users.stray"),
            ("DROP INDEX ix_users_email_key".to_owned(), String::new(), "- users unique index (email_key)"),
            ("CREATE INDEX another ON videos (codec)".to_owned(), String::new(), "+ videos index (codec)"),
            (
                "ALTER TABLE videos DROP CONSTRAINT videos_user_id_fkey, \
                 ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE RESTRICT".to_owned(),
                writable("ON DELETE CASCADE", "ON DELETE RESTRICT"),
                "- videos foreign key (user_id) references users",
            ),
            (
                "ALTER TABLE videos ALTER title TYPE varchar(254)".to_owned(),
                writable("\"title\" varchar(255)", "\"title\" varchar(254)"),
                "- videos.title",
            ),
            (
                "ALTER TABLE videos ALTER title DROP NOT NULL".to_owned(),
                writable("\"title\" varchar(255) NOT NULL", "\"title\" varchar(255)"),
                "- videos.title",
            ),
            (
                "ALTER TABLE videos ALTER view_count SET DEFAULT 1".to_owned(),
                writable("DEFAULT 0", "DEFAULT 1"),
                "- videos.view_count",
            ),
            (
                "ALTER TABLE videos DROP CONSTRAINT videos_duration_check".to_owned(),
                writable("CHECK (duration >= 0)", ""),
                "- videos check",
            ),
            (
                "ALTER SEQUENCE videos_id_seq AS integer".to_owned(),
                writable(" AUTOINCREMENT", ""),
                "- videos.id",
            ),
        ];
        for (postgres, sqlite, named) in tamperings {
            let db = if db.is_postgres() { TestDatabase::postgres().await } else { TestDatabase::sqlite() };
            db.up(Target::End).await;
            let connection = db.connect().await;
            let tampering = if db.is_postgres() || sqlite.is_empty() { &postgres } else { &sqlite };
            run(&connection, tampering).await;
            connection.close().await.unwrap();
            let drift = drift(&db, &db.connect().await).await;
            assert!(drift.iter().any(|line| line.contains(named)), "{tampering}: {drift:?}");
        }
    }

    async fn every_user_and_video_column_goes_with_its_row(db: TestDatabase) {
        db.up(Target::End).await;
        let facts = facts(&db.connect().await, &TABLES, Names::Hidden).await;
        for (column, parent) in [("user_id", "users"), ("video_id", "videos")] {
            let holders: Vec<&&str> =
                TABLES.iter().filter(|table| facts.iter().any(|fact| fact.starts_with(&format!("{table}.{column} ")))).collect();
            assert!(!holders.is_empty());
            for table in holders {
                let mut keys = facts.iter().filter(|fact| fact.starts_with(&format!("{table} foreign key ({column})")));
                let key = keys.next().unwrap_or_else(|| panic!("{table}.{column} refers to nothing"));
                assert!(key.contains(&format!("references {parent}")) && key.contains("on delete cascade"), "{key}");
            }
        }
    }
}

/// What the database of this connection has beside the entities, and the other way round.
async fn drift(db: &TestDatabase, connection: &DatabaseConnection) -> Vec<String> {
    let found = facts(connection, &TABLES, Names::Hidden).await;
    let wanted = if db.is_postgres() { wanted_on_postgres(connection).await } else { wanted_on_sqlite().await };
    assert!(wanted.len() > 50, "{wanted:?}");
    differences(&wanted, &found)
}

async fn wanted_on_sqlite() -> BTreeSet<String> {
    let memory = Database::connect("sqlite::memory:").await.unwrap();
    create_from_entities(&memory).await.unwrap();
    facts(&memory, &TABLES, Names::Hidden).await
}

/// In a schema that nobody else ever sees.
async fn wanted_on_postgres(connection: &DatabaseConnection) -> BTreeSet<String> {
    let txn = connection.begin().await.unwrap();
    run(&txn, "CREATE SCHEMA throw_away").await;
    run(&txn, "SET LOCAL search_path = throw_away").await;
    create_from_entities(&txn).await.unwrap();
    let wanted = facts(&txn, &TABLES, Names::Hidden).await;
    txn.rollback().await.unwrap();
    assert_eq!(texts(connection, "SELECT current_schema()::text").await, ["public"]);
    wanted
}

async fn create_from_entities(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    Schema::new(db.get_database_backend())
        .builder()
        .register(::entity::user::Entity)
        .register(::entity::video::Entity)
        .register(::entity::watch_history::Entity)
        .register(::entity::session::Entity)
        .register(::entity::refresh_token::Entity)
        .apply(db)
        .await
}
