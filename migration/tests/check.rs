//! `check` names every difference between the entities and a live database, and nothing else.

#![cfg(test)]

#[path = "support/drift_cases.rs"]
mod drift_cases;
mod support;

use drift_cases::{IGNORED, POSTGRES_TRIGGER, SQLITE_TRIGGER, on_postgres, on_sqlite};
use migration::PROJECT;
use sea_orm::TransactionTrait;
use sea_orm_revisions::check::Drift;
use sea_orm_revisions::{Target, schema};
use support::{TestDatabase, run};

on_both! {
    async fn every_difference_made_by_hand_is_named(db: TestDatabase) {
        let changes: Vec<(String, &str)> = if db.is_postgres() { on_postgres() } else { on_sqlite() };
        assert!(changes.len() >= 20);
        for (change, named) in changes {
            let drift = drift_after(&db, &change).await;
            let lines: Vec<String> = drift.differences.iter().map(ToString::to_string).collect();
            assert_eq!(lines, named.split('\n').collect::<Vec<_>>(), "{change}");
            assert!(drift.extra.is_empty() && !drift.is_clean(false), "{drift}");
        }
    }

    async fn extra_objects_count_only_with_strict(db: TestDatabase) {
        for (change, named) in IGNORED {
            let change = change.replace("{trigger}", db.either(SQLITE_TRIGGER, POSTGRES_TRIGGER));
            let drift = drift_after(&db, &change).await;
            let lines: Vec<String> = drift.extra.iter().map(ToString::to_string).collect();
            let named: Vec<&str> = named.split('\n').collect();
            assert_eq!(lines, named, "{change}");
            assert!(drift.is_clean(false) && !drift.is_clean(true), "{drift}");
        }
    }

    async fn an_object_that_refuses_rows_is_not_ignored(db: TestDatabase) {
        let refusing = [
            ("CREATE TABLE kinds (id integer PRIMARY KEY); \
              ALTER TABLE users ADD COLUMN kind integer NOT NULL DEFAULT 1; CREATE UNIQUE INDEX a ON users (kind)",
             "users: unique index a (kind) in the database, unknown to the entities"),
            ("CREATE UNIQUE INDEX a ON videos (title)",
             "videos: unique index a (title) in the database, unknown to the entities"),
        ];
        for (change, named) in refusing {
            let drift = drift_after(&db, change).await;
            assert_eq!(drift.differences.iter().map(ToString::to_string).collect::<Vec<_>>(), [named], "{change}");
        }
    }

    async fn down_to_the_base_and_up_again_leaves_no_difference(db: TestDatabase) {
        db.up(Target::End).await;
        let tables = schema::read(&db.connect().await).await.unwrap().tables;
        db.down(Target::End).await;
        let missing = PROJECT.check(&db.url).await.unwrap();
        let lines: Vec<String> = missing.differences.iter().map(ToString::to_string).collect();
        let ours = tables.iter().filter(|(table, _)| *table != "seaql_migrations");
        let named = ours.map(|(name, table)| format!("{name}: {} in the entities, missing in the database", table.kind));
        assert_eq!(lines, named.collect::<Vec<_>>());
        db.up(Target::End).await;
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert!(drift.is_clean(true), "{drift}");
        assert_eq!(drift.to_string(), "no differences: the database has the tables of the entities\n");
    }

    async fn check_changes_nothing_and_works_in_a_transaction(db: TestDatabase) {
        db.up(Target::End).await;
        let connection = db.connect().await;
        let before = schema::read(&connection).await.unwrap();
        let txn = connection.begin().await.unwrap();
        run(&txn, "DROP INDEX ix_videos_title").await;
        let drift = PROJECT.check_on(&txn).await.unwrap();
        assert_eq!(drift.differences.len(), 1, "{drift}");
        // The transaction works before and after the check.
        run(&txn, "CREATE INDEX ix_videos_title ON videos (title)").await;
        assert!(PROJECT.check_on(&txn).await.unwrap().is_clean(true));
        txn.commit().await.unwrap();
        let after = schema::read(&connection).await.unwrap();
        assert_eq!(schema::compare(&before, &after), []);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn check_reads_the_tables_of_the_search_path() {
    let db = TestDatabase::postgres().await;
    db.up(Target::End).await;
    let connection = db.connect().await;
    // Without `users` and `seaql_migrations`.
    let others = schema::read(&connection).await.unwrap().tables.len() - 2;
    run(&connection, "ALTER SCHEMA public RENAME TO elsewhere; CREATE SCHEMA public; CREATE TABLE users (id text)")
        .await;
    // The other tables are missing; `users` lacks 17 columns, the type of the id, the key, 5
    // indexes and 3 checks.
    assert_eq!(PROJECT.check(&db.url).await.unwrap().differences.len(), others + 17 + 1 + 1 + 5 + 3);
    let elsewhere = format!("{}?options=-csearch_path%3Delsewhere", db.url);
    let drift = PROJECT.check(&elsewhere).await.unwrap();
    assert!(drift.is_clean(true), "{drift}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_role_that_cannot_create_a_schema_can_check() {
    let db = TestDatabase::postgres().await;
    db.up(Target::End).await;
    let role = format!("reader_{}", std::process::id());
    let connection = db.connect().await;
    run(&connection, &format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")).await;
    let url = db.url.replacen("postgres@", &format!("{role}@"), 1);
    let drift = PROJECT.check(&url).await;
    run(&connection, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    let drift = drift.unwrap();
    assert!(drift.is_clean(true), "{drift}");
}

/// The drift after these statements. On PostgreSQL they are rolled back, on SQLite the database is
/// a new one.
async fn drift_after(db: &TestDatabase, change: &str) -> Drift {
    if db.is_postgres() {
        db.up(Target::End).await;
        let txn = db.connect().await.begin().await.unwrap();
        run(&txn, change).await;
        return PROJECT.check_on(&txn).await.unwrap();
    }
    let db = TestDatabase::sqlite();
    db.up(Target::End).await;
    let connection = db.connect().await;
    run(&connection, change).await;
    connection.close().await.unwrap();
    PROJECT.check(&db.url).await.unwrap()
}
