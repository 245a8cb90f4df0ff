//! Concurrent programs, and programs that are killed.

#![cfg(test)]

mod support;

use migration::{Migrator, PROJECT};
use sea_orm::{Database, TransactionTrait};
use sea_orm_migration::MigratorTrait;
use sea_orm_revisions::Target;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};
use support::program::{program, run_program, succeed};
use support::{TestDatabase, V09, run, texts};

on_both! {
    async fn of_five_concurrent_programs_one_applies_the_migrations(db: TestDatabase) {
        for round in 0..20 {
            let db = if db.is_postgres() { TestDatabase::postgres().await } else { TestDatabase::sqlite() };
            let started: Vec<_> = (0..5).map(|_| program(&db, &["up"]).spawn().unwrap()).collect();
            let mut applied = 0;
            for child in started {
                let output = child.wait_with_output().unwrap();
                let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                assert_eq!(output.status.code(), Some(0), "round {round}: {err}");
                match out.lines().filter(|line| line.starts_with("applied")).count() {
                    0 => assert_eq!(out, "nothing to do\n"),
                    all => {
                        assert_eq!(all, Migrator::migrations().len());
                        applied += 1;
                    }
                }
            }
            assert_eq!(applied, 1, "round {round}");
        }
    }

    async fn after_a_kill_in_a_migration_of_v09_the_next_run_completes(db: TestDatabase) {
        let names = names();
        for name in &names[..V09] {
            kill_at(&db, &["up"], name, 0);
            succeed(&db, &["up", &names[V09 - 1]]);
            succeed(&db, &["down", "base", "--yes"]);
        }
    }

    async fn after_a_kill_at_the_start_of_a_migration_the_next_run_completes(db: TestDatabase) {
        kill_in_each_migration(&db, 0).await;
    }

    async fn after_a_kill_8_ms_into_a_migration_the_next_run_completes(db: TestDatabase) {
        kill_in_each_migration(&db, 8).await;
    }

    async fn after_a_kill_40_ms_into_a_migration_the_next_run_completes(db: TestDatabase) {
        kill_in_each_migration(&db, 40).await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_waiting_run_names_the_holder_of_the_lock() {
    let db = TestDatabase::postgres().await;
    let other = Database::connect(format!("{}?application_name=night%20job", db.url)).await.unwrap();
    let txn = other.begin().await.unwrap();
    run(&txn, &format!("SELECT pg_advisory_xact_lock({})", i64::from_be_bytes(*b"playhead"))).await;
    let pid = texts(&txn, "SELECT pg_backend_pid()::text").await.concat();
    let started = Instant::now();
    let waited = run_program(program(&db, &["up", "--lock-timeout", "1"]));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(waited.code, Some(1));
    assert!(waited.err.contains("waiting for another migration"), "{}", waited.err);
    assert_eq!(waited.err.matches(&format!("pid {pid} (night job, from ")).count(), 2, "{}", waited.err);
    let doctor = run_program(program(&db, &["doctor"]));
    assert!(doctor.out.contains(&format!("FIX   a migration is running: pid {pid} (night job")), "{}", doctor.out);
    txn.rollback().await.unwrap();
    succeed(&db, &["up"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_migration_that_waits_for_a_reader_does_not_block_others() {
    let db = TestDatabase::postgres().await;
    db.up(Target::Steps(V09)).await;
    let reader = db.connect().await;
    let reading = reader.begin().await.unwrap();
    texts(&reading, "SELECT title FROM videos").await;

    let refused = run_program(program(&db, &["up", "--lock-timeout", "1"]));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("still locked after 1 s, by pid"), "{}", refused.err);

    let mut waiting = program(&db, &["up", "--lock-timeout", "60"]).spawn().unwrap();
    let site = db.connect().await;
    let until = Instant::now() + Duration::from_secs(9);
    let mut slowest = Duration::ZERO;
    while Instant::now() < until {
        let asked = Instant::now();
        texts(&site, "SELECT title FROM videos").await;
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    assert!(waiting.try_wait().unwrap().is_none());
    reading.rollback().await.unwrap();
    assert!(waiting.wait().unwrap().success());
    assert!(PROJECT.status(&db.url).await.unwrap().pending.is_empty());
}

fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// Kills the program so many milliseconds after the start of each migration since v0.9, on the way
/// up and on the way down. Each time the next run must complete and no row may be lost.
async fn kill_in_each_migration(db: &TestDatabase, milliseconds: u64) {
    let names = names();
    let v09 = names[V09 - 1].as_str();
    succeed(db, &["up", v09]);
    let connection = db.connect().await;
    run(&connection, &many_rows(db)).await;
    let before = texts(&connection, DIGEST).await;
    connection.close().await.unwrap();
    let mut kills = 0;
    for name in &names[V09..] {
        kills += usize::from(kill_at(db, &["up", "--no-backup"], name, milliseconds));
        succeed(db, &["up", "--no-backup"]);
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert!(drift.is_clean(true), "{name}: {drift}");
        assert_eq!(texts(&db.connect().await, DIGEST).await, before, "{name}");
        kills += usize::from(kill_at(db, &["down", v09, "--yes", "--no-backup"], name, milliseconds));
        succeed(db, &["down", v09, "--yes", "--no-backup"]);
        assert_eq!(texts(&db.connect().await, DIGEST).await, before, "{name}");
    }
    // A run that ended before the kill proves nothing.
    assert!(kills >= names.len() - V09, "{kills}");
}

/// Starts the program, and kills it so many milliseconds after it starts the migration. Returns
/// whether it was still running.
fn kill_at(db: &TestDatabase, words: &[&str], name: &str, milliseconds: u64) -> bool {
    let mut child = program(db, words).env("RUST_LOG", "sea_orm_revisions=debug").spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with(&format!(" {name}"))), "{name} was never begun");
    std::thread::sleep(Duration::from_millis(milliseconds));
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

const DIGEST: &str = "
SELECT 'users ' || count(*) || ' ' || sum(id) || ' ' || sum(length(email)) FROM users
UNION ALL SELECT 'videos ' || count(*) || ' ' || sum(id * user_id) || ' ' || sum(length(title)) FROM videos
UNION ALL SELECT 'history ' || count(*) || ' ' || sum(id * user_id * video_id) || ' ' || sum(watch_position) FROM watch_history";

/// So many rows that a migration takes some time.
fn many_rows(db: &TestDatabase) -> String {
    let to = |many: u32| match db.is_postgres() {
        true => format!("generate_series(1, {many}) AS numbers (n)"),
        false => format!(
            "(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {many}) SELECT n FROM numbers)"
        ),
    };
    let at = "'2024-03-01 00:00:00.000001'";
    let at = if db.is_postgres() { format!("timestamp {at}") } else { at.to_owned() };
    let (role, status) = if db.is_postgres() { ("::userrole", "::videostatus") } else { ("", "") };
    format!(
        "INSERT INTO users (id, email, username, hashed_password, role, is_active, is_verified, created_at, updated_at)
             SELECT n, 'u' || n || '@example.org', 'User ' || n, '$2b$12$x', 'USER'{role}, TRUE, FALSE, {at}, {at} FROM {};
         INSERT INTO videos (id, user_id, title, file_path, status, view_count, created_at, updated_at)
             SELECT n, 1 + n % 1000, 'Video ' || n, 'a/' || n, 'READY'{status}, n, {at}, {at} FROM {};
         INSERT INTO watch_history (id, user_id, video_id, watch_position, watch_duration, completed, last_watched_at,
             created_at, updated_at) SELECT n, 1 + n % 1000, 1 + n / 1000, n, n, FALSE, {at}, {at}, {at} FROM {}",
        to(1000), to(2000), to(10_000)
    )
}
