//! Locks, targets, errors and status of a run.

#![cfg(test)]

mod support;

use migration::{Migrator, PROJECT};
use sea_orm::{DatabaseConnection, TransactionTrait};
use sea_orm_migration::MigratorTrait;
use sea_orm_revisions::environment::redacted;
use sea_orm_revisions::{Error, RunOptions, RunReport, SchemaState, Target};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use support::{TestDatabase, V09, run, texts};

on_both! {
    async fn of_five_concurrent_runners_one_applies(db: TestDatabase) {
        let options = RunOptions::default();
        let one = || PROJECT.upgrade(&db.url, &Target::End, &options);
        let (a, b, c, d, e) = tokio::join!(one(), one(), one(), one(), one());
        let reports: Vec<RunReport> = [a, b, c, d, e].into_iter().map(Result::unwrap).collect();
        let mut lengths: Vec<usize> = reports.iter().map(|report| report.applied.len()).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [0, 0, 0, 0, Migrator::migrations().len()]);
    }

    async fn a_runner_that_gets_no_lock_says_so(db: TestDatabase) {
        db.up(Target::Steps(V09)).await;
        let other = db.connect().await;
        let txn = other.begin().await.unwrap();
        if db.is_postgres() {
            run(&txn, &format!("SELECT pg_advisory_xact_lock({})", i64::from_be_bytes(*b"playhead"))).await;
        } else {
            run(&txn, "DELETE FROM users").await;
        }
        record_logs();
        let options = RunOptions { lock_timeout: Duration::from_millis(300), ..RunOptions::default() };
        let error = PROJECT.upgrade(&db.url, &Target::End, &options).await.unwrap_err();
        assert!(matches!(error, Error::Locked { .. }), "{error}");
        assert!(LOGGED.lock().unwrap().iter().any(|line| line.starts_with("waiting for another migration or writer")));
        txn.rollback().await.unwrap();
        assert_eq!(PROJECT.upgrade(&db.url, &Target::End, &options).await.unwrap().applied.len(), names().len() - V09);
    }

    async fn an_error_in_the_middle_changes_nothing(db: TestDatabase) {
        let connection = db.at_v09().await;
        // A late migration fails, because its table exists already.
        run(&connection, "CREATE TABLE refresh_tokens (note text)").await;
        let before = schema(&db, &connection).await;
        let line = db.refusal(true).await;
        assert!(line.starts_with("m20261101_000007_create_sessions cannot run, nothing was changed"), "{line}");
        assert_eq!(schema(&db, &connection).await, before);
        run(&connection, "DROP TABLE refresh_tokens").await;
        connection.close().await.unwrap();
        assert_eq!(db.up(Target::End).await.len(), names().len() - V09);
    }

    async fn a_database_ahead_of_the_program_is_not_changed(db: TestDatabase) {
        db.up(Target::End).await;
        let connection = db.connect().await;
        run(&connection, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_later', 0)").await;
        for up in [true, false] {
            let line = db.refusal(up).await;
            assert!(line.contains("ahead of this program, which does not know m20990101_000001_later"), "{line}");
        }
        let state = PROJECT.state(&connection).await.unwrap();
        assert_eq!(state, SchemaState { pending: vec![], unknown: vec!["m20990101_000001_later".to_owned()], applied: names(), alembic: None });
    }

    async fn a_target_can_be_a_number_or_a_name(db: TestDatabase) {
        assert_eq!(db.up(Target::Steps(1)).await, names()[..1]);
        assert_eq!(db.up(Target::Name(names()[4].clone())).await, names()[1..5]);
        let mut taken_back = names()[2..5].to_vec();
        taken_back.reverse();
        assert_eq!(db.down(Target::Name(names()[1].clone())).await, taken_back);
        let nowhere = Target::Name("m1_nowhere".to_owned());
        let error = PROJECT.upgrade(&db.url, &nowhere, &RunOptions::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "there is no migration m1_nowhere: `status` lists them");
        assert_eq!(db.down(Target::End).await.len(), 2);
        assert_eq!(db.up(Target::End).await, names());
        assert_eq!(db.up(Target::End).await, [""; 0]);
    }

    async fn status_changes_nothing(db: TestDatabase) {
        let untouched = SchemaState { pending: names(), ..SchemaState::default() };
        assert_eq!(PROJECT.status(&db.url).await.unwrap(), untouched);
        if db.is_postgres() {
            let connection = db.connect().await;
            assert!(schema(&db, &connection).await.is_empty());
            assert_eq!(PROJECT.state(&connection).await.unwrap(), untouched);
        } else {
            let file = db.url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc");
            assert!(!Path::new(file).exists());
        }
        db.up(Target::Steps(V09)).await;
        let state = PROJECT.status(&db.url).await.unwrap();
        assert_eq!((state.applied.as_slice(), state.pending.as_slice()), names().split_at(V09));
    }
}

#[test]
fn names_are_sorted_and_unique() {
    let mut sorted = names();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted, names());
    assert!(Migrator::migrations().iter().all(|migration| migration.use_transaction() == Some(true)));
}

#[tokio::test]
async fn no_error_contains_a_password() {
    let secret = "geh%24eim";
    for url in [
        format!("postgres://ann:{secret}@localhost:1/name"),
        format!("postgres://localhost:1/name?password={secret}"),
        format!("postgres://ann:{secret}@localhost:port/name"),
        format!("mysql://ann:{secret}@localhost/name"),
        format!("ann:{secret}@localhost"),
        format!("sqlite://{secret}?mode=nix"),
    ] {
        let error = PROJECT.upgrade(&url, &Target::End, &RunOptions::default()).await.unwrap_err();
        assert!(!error.to_string().contains("eim") && !format!("{error:?}").contains("eim"), "{error}");
    }
    let redacted = redacted(&format!("postgres://ann:{secret}@host:5432/name?sslmode=require"));
    assert_eq!(redacted, "postgres://host:5432/name");
}

#[tokio::test]
async fn a_rebuild_with_enforced_foreign_keys_is_refused() {
    let db = TestDatabase::sqlite();
    let connection = db.at_v09().await;
    let error = Migrator::up(&connection, None).await.unwrap_err().to_string();
    assert!(error.contains("this connection enforces foreign keys"), "{error}");
}

/// The log records since the first call of `record_logs`.
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn record_logs() {
    struct LogRecorder;
    impl log::Log for LogRecorder {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            LOGGED.lock().unwrap().push(record.args().to_string());
        }
        fn flush(&self) {}
    }
    // The second call fails: the logger is set already.
    let _ = log::set_logger(&LogRecorder);
    log::set_max_level(log::LevelFilter::Info);
}

fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// The names and definitions of all objects in the database.
async fn schema(db: &TestDatabase, connection: &DatabaseConnection) -> Vec<String> {
    let postgres = "SELECT relname || ' ' || coalesce(attname || ' ' || format_type(atttypid, atttypmod), '') \
                    FROM pg_class LEFT JOIN pg_attribute ON attrelid = pg_class.oid \
                    WHERE relnamespace = 'public'::regnamespace ORDER BY 1";
    texts(connection, db.either("SELECT name || coalesce(sql, '') FROM sqlite_master ORDER BY 1", postgres)).await
}
