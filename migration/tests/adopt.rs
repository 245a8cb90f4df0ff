//! `adopt`: databases as Alembic left them are taken over unchanged, or not at all.

#![cfg(test)]

#[path = "support/spoiled_v09.rs"]
mod spoiled_v09;
mod support;

use migration::{Migrator, PROJECT};
use sea_orm::DatabaseConnection;
use sea_orm_migration::MigratorTrait;
use sea_orm_revisions::{AdoptOptions, AdoptReport, Error, Operation, RunOptions, Target, schema};
use spoiled_v09::spoil;
use support::v09_data::{add_extra_objects, give_defaults, insert_rows};
use support::{TestDatabase, V09, rows, run, texts};

const NOTHING: AdoptOptions = AdoptOptions { plan: false, upgrade: false };
const PLAN: AdoptOptions = AdoptOptions { plan: true, upgrade: false };
const UPGRADE: AdoptOptions = AdoptOptions { plan: false, upgrade: true };

on_both! {
    async fn a_database_at_v09_is_adopted_once(db: TestDatabase) {
        as_alembic_left_it(&db, "2f1e7b15dd7f").await.close().await.unwrap();
        let adoption = adopted(&db, NOTHING).await;
        assert_eq!((adoption.stamped.len(), adoption.already), (V09, false), "{adoption}");
        assert_eq!((adoption.findings.len(), adoption.left_alone.len()), (0, 0), "{adoption}");
        let connection = db.connect().await;
        let state = PROJECT.state(&connection).await.unwrap();
        assert_eq!((state.applied.len(), state.pending), (V09, adoption.pending.clone()));
        assert_eq!(PROJECT.adopted_at(&connection).await.unwrap().as_deref(), state.applied.last().map(String::as_str));
        let before = whole_schema(&db, &connection).await;

        let again = adopted(&db, NOTHING).await;
        assert_eq!((again.already, again.stamped.len(), &again.pending), (true, 0, &adoption.pending));
        assert!(again.to_string().contains("was adopted before"), "{again}");
        assert_eq!(whole_schema(&db, &connection).await, before);

        assert_eq!(adopted(&db, UPGRADE).await.applied, adoption.pending);
        let last = adopted(&db, UPGRADE).await;
        assert_eq!((last.already, last.applied.len(), last.pending.len()), (true, 0, 0));
        assert_eq!(texts(&connection, "SELECT version_num FROM alembic_version").await, ["2f1e7b15dd7f"]);
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert!(drift.is_clean(false), "{drift}");
    }

    async fn the_plan_lists_everything_and_changes_nothing(db: TestDatabase) {
        let connection = as_alembic_left_it(&db, "2f1e7b15dd7f").await;
        insert_rows(&connection).await;
        let before = whole_schema(&db, &connection).await;
        let plan = adopted(&db, PLAN).await;
        assert_eq!(whole_schema(&db, &connection).await, before);
        let text = plan.to_string();
        let names = [
            "would mark as applied:\n  m20250101_000001_create_users_v09", "would apply:\n  m20261101_000001",
            "Alembic is at 2f1e7b15dd7f", "users", "4 rows", "nothing was changed",
        ];
        for name in names {
            assert!(text.contains(name), "{name}: {text}");
        }
        assert_eq!(adopted(&db, UPGRADE).await.stamped, plan.stamped);
    }

    async fn extra_objects_are_listed_and_left_alone(db: TestDatabase) {
        let connection = as_alembic_left_it(&db, "2f1e7b15dd7f").await;
        give_defaults(&db, &connection).await;
        add_extra_objects(&db, &connection).await;
        run(&connection, "CREATE UNIQUE INDEX one_file ON videos (file_path)").await;
        let ratings = rows(&connection, "ratings").await;
        connection.close().await.unwrap();
        let adoption = adopted(&db, UPGRADE).await;
        let text = adoption.left_alone.join("\n");
        let further = [
            "tags: table", "audit: table", "top_shelf: view", "videos.category_id: integer", "videos.note: text",
            "of mine", "ix_videos_status_view_count", "told_videos", "users.Odd, \"name: varchar(20)", "unique index one_file",
        ];
        for name in further {
            // The triggers have other names on PostgreSQL.
            let name = if db.is_postgres() { name.replace("told_videos", "told_never") } else { name.to_owned() };
            assert!(text.contains(&name), "{name} is not in {text}");
        }
        assert!(!text.contains("alembic_version") && !text.contains("seaql"), "{text}");
        assert!(adoption.pending.is_empty() && adoption.recounted.is_empty(), "{adoption}");
        let connection = db.connect().await;
        assert_eq!(rows(&connection, "ratings").await, ratings);
        let indexes = db.either(
            "SELECT name FROM sqlite_master WHERE name IN ('one_file', 'of mine', 'ix_videos_status_view_count')",
            "SELECT indexname::text FROM pg_indexes WHERE indexname IN ('one_file', 'of mine', 'ix_videos_status_view_count')",
        );
        assert_eq!(texts(&connection, indexes).await.len(), 3);
    }

    async fn every_difference_is_named_and_nothing_is_changed(db: TestDatabase) {
        let connection = as_alembic_left_it(&db, "2f1e7b15dd7f").await;
        let names = spoil(&db, &connection).await;
        let before = whole_schema(&db, &connection).await;
        let refused = refused(&db).await;
        assert_eq!(whole_schema(&db, &connection).await, before);
        for name in &names {
            let named = refused.findings.iter().filter(|finding| finding.contains(name)).count();
            assert_eq!(named, 1, "{name} is named {named} times in {:#?}", refused.findings);
        }
        assert_eq!(refused.findings.len(), names.len(), "{:#?}", refused.findings);
        assert!(refused.to_string().contains("because of these obstacles"), "{refused}");
    }

    async fn rows_that_cannot_be_kept_are_named_together(db: TestDatabase) {
        let connection = as_alembic_left_it(&db, "a1b2c3d4e5f6").await;
        insert_rows(&connection).await;
        run(&connection, "UPDATE videos SET duration = -1 WHERE id = 2").await;
        run(&connection, "UPDATE watch_history SET watch_position = -5").await;
        let mut expected = vec!["1 row of videos WHERE duration < 0", "3 rows of watch_history WHERE watch_position < 0"];
        if db.is_postgres() {
            run(&connection, "UPDATE users SET last_login = 'infinity' WHERE id = 3").await;
            expected.push("users.last_login of row 3 holds \"infinity\"");
        } else {
            run(&connection, "UPDATE users SET last_login = 'soon', role = 'BOSS' WHERE id = 3").await;
            let junk = "created_at = '2024-13-01 00:00:00', published_at = iif(id = 2, 1700000000, NULL)";
            run(&connection, &format!("UPDATE videos SET {junk}")).await;
            expected.extend([
                "users.last_login of row 3 holds \"soon\"", "1 row of users WHERE NOT",
                "videos.created_at of row 2 holds \"2024-13-01 00:00:00\", which is not a valid timestamp (2 more rows)",
                "videos.published_at of row 2 holds \"1700000000\"",
            ]);
        }
        let refused = refused(&db).await;
        for name in &expected {
            assert!(refused.findings.iter().any(|finding| finding.contains(name)), "{name}: {:#?}", refused.findings);
        }
        assert_eq!(refused.findings.len(), expected.len(), "{:#?}", refused.findings);
    }

    async fn names_that_later_migrations_need_must_be_free(db: TestDatabase) {
        let connection = as_alembic_left_it(&db, "2f1e7b15dd7f").await;
        run(&connection, "CREATE TABLE sessions (id INTEGER); ALTER TABLE users ADD COLUMN email_key TEXT").await;
        let refused = refused(&db).await;
        assert_eq!(refused.findings.len(), 2, "{refused}");
        assert!(refused.findings.iter().any(|finding| finding.starts_with("sessions:")), "{refused}");
        assert!(refused.findings.iter().any(|finding| finding.starts_with("users.email_key:")), "{refused}");
    }

    async fn the_indexes_of_the_later_revision_are_required_and_kept(db: TestDatabase) {
        let connection = as_alembic_left_it(&db, "a1b2c3d4e5f6").await;
        run(&connection, "DROP INDEX ix_videos_status_created_at; DROP INDEX ix_ratings_video_id").await;
        let lacking = refused(&db).await;
        assert_eq!(lacking.findings.len(), 2, "{lacking}");
        assert!(lacking.findings.iter().any(|finding| finding.contains("index (status, created_at)")), "{lacking}");
        assert!(lacking.findings.iter().any(|finding| finding.starts_with("ratings: index (video_id)")), "{lacking}");
        run(&connection, LATER_INDEXES).await;
        connection.close().await.unwrap();
        assert_eq!(adopted(&db, UPGRADE).await.pending, [""; 0]);
        let indexes = db.either(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix_%'",
            "SELECT indexname::text FROM pg_indexes",
        );
        let indexes = texts(&db.connect().await, indexes).await;
        let lists = ["ix_videos_view_count", "ix_videos_status_view_count", "ix_videos_status_created_at"];
        for name in lists.into_iter().chain(["ix_ratings_video_id"]) {
            assert!(indexes.iter().any(|index| index == name), "{name}: {indexes:?}");
        }
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert!(drift.is_clean(false) && !drift.is_clean(true), "{drift}");
    }

    async fn an_unexpected_alembic_version_is_refused_in_one_line(db: TestDatabase) {
        let connection = as_alembic_left_it(&db, "2f1e7b15dd7f").await;
        let cases = [
            ("DELETE FROM alembic_version", "alembic_version is empty"),
            ("INSERT INTO alembic_version VALUES ('fef8a2c2eebc')", "before v0.9: run `alembic upgrade 2f1e7b15dd7f`"),
            ("UPDATE alembic_version SET version_num = 'deadbeef'", "deadbeef, which cannot be taken over: only v0.9"),
            ("INSERT INTO alembic_version VALUES ('a1b2c3d4e5f6')", "several heads (a1b2c3d4e5f6, deadbeef)"),
            ("DROP TABLE alembic_version", "no table alembic_version"),
        ];
        for (change, named) in cases {
            run(&connection, change).await;
            let line = PROJECT.adopt(&db.url, &NOTHING, &RunOptions::default()).await.unwrap_err().to_string();
            assert!(line.contains(named) && !line.contains('\n'), "{line}");
        }
        assert_eq!(PROJECT.adopted_at(&connection).await.unwrap(), None);
    }

    async fn other_commands_refuse_a_database_before_adoption(db: TestDatabase) {
        let connection = as_alembic_left_it(&db, "2f1e7b15dd7f").await;
        // SeaORM's own command line creates this table even if it only reads.
        run(&connection, "CREATE TABLE seaql_migrations (version VARCHAR(255) PRIMARY KEY, applied_at BIGINT)").await;
        let before = whole_schema(&db, &connection).await;
        let errors = [
            PROJECT.upgrade(&db.url, &Target::End, &RunOptions::default()).await.unwrap_err(),
            PROJECT.run(&db.url, &Operation::Fresh, &RunOptions::default()).await.unwrap_err(),
            PROJECT.stamp(&db.url, "head", &RunOptions::default()).await.unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("2f1e7b15dd7f") && error.to_string().contains("migrate adopt"), "{error}");
        }
        assert_eq!(whole_schema(&db, &connection).await, before);
        assert_eq!(adopted(&db, UPGRADE).await.pending, [""; 0]);
    }

    async fn no_command_goes_below_the_adoption(db: TestDatabase) {
        let connection = as_alembic_left_it(&db, "2f1e7b15dd7f").await;
        insert_rows(&connection).await;
        connection.close().await.unwrap();
        adopted(&db, UPGRADE).await;
        let past_adoption = Migrator::migrations().len() - support::V09 + 1;
        let works = [Operation::Down(Target::End), Operation::Down(Target::Steps(past_adoption)), Operation::Refresh, Operation::Fresh];
        for work in works {
            let error = PROJECT.run(&db.url, &work, &RunOptions::default()).await.unwrap_err();
            assert!(matches!(error, Error::Adopted(_)), "{work:?}: {error}");
        }
        db.down_to_v09().await;
        let error = PROJECT.downgrade(&db.url, &Target::Steps(1), &RunOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::Adopted(_)), "{error}");
        assert_eq!(rows(&db.connect().await, "users").await.len(), 4);
    }

    async fn a_database_that_playhead_created_is_not_adopted(db: TestDatabase) {
        db.up(Target::End).await;
        let error = PROJECT.adopt(&db.url, &UPGRADE, &RunOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::Adoption(_)), "{error}");
        assert!(error.to_string().contains("already recorded"), "{error}");
    }

    async fn of_five_concurrent_adoptions_exactly_one_adopts(db: TestDatabase) {
        as_alembic_left_it(&db, "2f1e7b15dd7f").await.close().await.unwrap();
        let options = RunOptions::default();
        let one = || PROJECT.adopt(&db.url, &UPGRADE, &options);
        let (a, b, c, d, e) = tokio::join!(one(), one(), one(), one(), one());
        let all = [a.unwrap(), b.unwrap(), c.unwrap(), d.unwrap(), e.unwrap()];
        assert_eq!(all.iter().filter(|adoption| !adoption.already).count(), 1);
        assert_eq!(all.iter().filter(|adoption| !adoption.applied.is_empty()).count(), 1);
        assert!(PROJECT.status(&db.url).await.unwrap().pending.is_empty());
    }
}

#[tokio::test]
async fn a_missing_file_is_not_created() {
    let db = TestDatabase::sqlite();
    PROJECT.adopt(&db.url, &NOTHING, &RunOptions::default()).await.unwrap_err();
    let error = PROJECT.adopt(&db.url, &PLAN, &RunOptions::default()).await.unwrap_err().to_string();
    assert!(error.ends_with("run `playhead migrate up` to create it"), "{error}");
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let url = "sqlite:///tmp/no such folder/site.db";
    let error = PROJECT.upgrade(url, &Target::End, &RunOptions::default()).await.unwrap_err().to_string();
    assert!(error.ends_with("there is no folder /tmp/no such folder; make it first"), "{error}");
}

/// The tables and indexes that the revision after v0.9 adds.
const LATER_INDEXES: &str = "
CREATE INDEX IF NOT EXISTS ix_videos_view_count ON videos (view_count);
CREATE INDEX IF NOT EXISTS ix_videos_status_view_count ON videos (status, view_count);
CREATE INDEX IF NOT EXISTS ix_videos_status_created_at ON videos (status, created_at);
CREATE TABLE IF NOT EXISTS ratings (id INTEGER PRIMARY KEY, video_id INTEGER REFERENCES videos (id) ON DELETE CASCADE);
CREATE INDEX IF NOT EXISTS ix_ratings_video_id ON ratings (video_id)";

/// Tables of v0.9 with the table of Alembic instead of `seaql_migrations`.
async fn as_alembic_left_it(db: &TestDatabase, revision: &str) -> DatabaseConnection {
    let connection = db.at_v09().await;
    run(&connection, "DROP TABLE seaql_migrations; CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        .await;
    run(&connection, &format!("INSERT INTO alembic_version VALUES ('{revision}')")).await;
    if revision == "a1b2c3d4e5f6" {
        run(&connection, LATER_INDEXES).await;
    }
    connection
}

async fn adopted(db: &TestDatabase, wish: AdoptOptions) -> AdoptReport {
    let adoption = PROJECT.adopt(&db.url, &wish, &RunOptions::default()).await.unwrap();
    assert_eq!(adoption.findings, [""; 0]);
    adoption
}

/// A refused adoption. The plan must have the same findings.
async fn refused(db: &TestDatabase) -> AdoptReport {
    let plan = PROJECT.adopt(&db.url, &PLAN, &RunOptions::default()).await.unwrap();
    let refused = PROJECT.adopt(&db.url, &UPGRADE, &RunOptions::default()).await.unwrap();
    assert_eq!(plan.findings, refused.findings);
    assert!(!refused.is_recorded() && refused.stamped.is_empty() && refused.applied.is_empty(), "{refused}");
    assert_eq!(PROJECT.adopted_at(&db.connect().await).await.unwrap(), None);
    refused
}

/// The whole schema and the recorded migrations, as text.
async fn whole_schema(db: &TestDatabase, connection: &DatabaseConnection) -> String {
    let recorded = match texts(
        connection,
        db.either(
            "SELECT name FROM sqlite_master WHERE name = 'seaql_migrations'",
            "SELECT relname::text FROM pg_class WHERE relname = 'seaql_migrations'",
        ),
    )
    .await
    .len()
    {
        0 => vec![],
        _ => texts(connection, "SELECT version FROM seaql_migrations ORDER BY 1").await,
    };
    format!("{recorded:?} {:?}", schema::read(connection).await.unwrap())
}
