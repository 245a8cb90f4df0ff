//! `--sql`: a script in psql or sqlite3 does what a run does.

#![cfg(test)]

mod support;

use migration::{Migrator, PROJECT};
use sea_orm::DbBackend;
use sea_orm_migration::MigratorTrait;
use sea_orm_revisions::Target;
use std::io::Write;
use std::process::{Command, Stdio};
use support::catalogue::{Names, differences, schema_lines};
use support::v09_data::{MANAGED_TABLES, insert_rows};
use support::{TestDatabase, rows, run, texts};

const V09: &str = "m20250101_000003";

/// As `on_both`, for tests that need `sqlite3` and `psql`.
macro_rules! on_both_programs {
    ($(async fn $name:ident($db:ident: TestDatabase) $body:block)+) => { $(
        mod $name {
            use super::*;
            async fn body($db: TestDatabase) $body

            #[tokio::test]
            #[ignore = "needs sqlite3"]
            async fn sqlite() {
                body(TestDatabase::sqlite()).await;
            }

            #[tokio::test]
            #[ignore = "needs psql"]
            async fn postgres() {
                body(TestDatabase::postgres().await).await;
            }
        }
    )+ };
}

on_both_programs! {
    async fn a_script_migrates_from_nothing_to_the_head_and_back(db: TestDatabase) {
        pipe(&db, true, "head").await.unwrap();
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert!(drift.is_clean(true), "{drift}");
        let other = another(&db).await;
        other.up(Target::End).await;
        let tables = [
            "users", "videos", "watch_history", "sessions", "refresh_tokens", "ended_sessions", "sign_in_limits", "seaql_migrations",
        ];
        let expected = schema_lines(&other.connect().await, &tables, Names::Shown).await;
        assert_eq!(differences(&expected, &schema_lines(&db.connect().await, &tables, Names::Shown).await), [""; 0]);
        let (state, expected) = (PROJECT.status(&db.url).await.unwrap(), PROJECT.status(&other.url).await.unwrap());
        assert_eq!(state, expected);
        // A second run of the script fails and changes nothing.
        assert!(pipe(&db, true, "head").await.is_err());
        assert_eq!(PROJECT.status(&db.url).await.unwrap(), expected);

        pipe(&db, false, "head:base").await.unwrap();
        assert!(PROJECT.status(&db.url).await.unwrap().applied.is_empty());
        db.up(Target::End).await;
    }

    async fn a_script_converts_rows_as_a_run_does(db: TestDatabase) {
        let other = another(&db).await;
        for db in [&db, &other] {
            let connection = db.at_v09().await;
            insert_rows(&connection).await;
            run(&connection, ASCII_NAMES_ONLY).await;
            connection.close().await.unwrap();
        }
        let before = contents(&db).await;
        pipe(&db, true, &format!("{V09}:head")).await.unwrap();
        other.up(Target::End).await;
        assert_eq!(contents(&db).await, contents(&other).await);
        pipe(&db, false, &format!("head:{V09}")).await.unwrap();
        assert_eq!(contents(&db).await, before);
    }

    async fn a_row_that_a_script_cannot_convert_stops_it(db: TestDatabase) {
        let mut obstacles = vec!["UPDATE users SET username = 'Zoë' WHERE id = 1", "UPDATE videos SET duration = -1"];
        if !db.is_postgres() {
            obstacles.extend([
                "UPDATE videos SET published_at = 'yesterday' WHERE id = 5",
                "ALTER TABLE videos ADD COLUMN note TEXT",
                "CREATE TRIGGER t AFTER DELETE ON users BEGIN SELECT 1; END",
            ]);
        }
        for obstacle in obstacles {
            let db = another(&db).await;
            let connection = db.at_v09().await;
            insert_rows(&connection).await;
            run(&connection, ASCII_NAMES_ONLY).await;
            run(&connection, obstacle).await;
            connection.close().await.unwrap();
            let before = contents(&db).await;
            let said = pipe(&db, true, &format!("{V09}:head")).await.unwrap_err();
            assert!(said.contains("this database has rows, columns or triggers that this script cannot keep"), "{obstacle}: {said}");
            assert_eq!(contents(&db).await, before, "{obstacle}");
        }
    }
}

#[tokio::test]
async fn a_range_is_from_and_to() {
    let script = async |up, range: &str| PROJECT.script(up, range, DbBackend::Sqlite).await;
    let one = script(true, "m20250101_000003:+1").await.unwrap();
    assert!(
        one.starts_with(
            "-- Playhead's schema, from m20250101_000003_create_watch_history_v09 to m20261101_000001_drop"
        )
    );
    assert_eq!(one.matches("INSERT INTO \"seaql_migrations\"").count(), 1);
    assert_eq!(script(true, ":head").await.unwrap(), script(true, "base:head").await.unwrap());
    let back = script(false, "-1").await.unwrap();
    let head = Migrator::migrations().last().unwrap().name().to_owned();
    assert!(back.contains(&format!("DELETE FROM \"seaql_migrations\" WHERE \"version\" = '{head}'")), "{back}");
    assert!(script(true, "head:base").await.unwrap_err().to_string().contains("the wrong way"));
    assert!(script(false, "base:head").await.unwrap_err().to_string().contains("the wrong way"));
    assert!(script(true, "head:+1").await.unwrap_err().to_string().contains("no migration +1"));
}

const ASCII_NAMES_ONLY: &str = "DELETE FROM watch_history WHERE id = 20; DELETE FROM videos WHERE id = 6; \
    DELETE FROM users WHERE id = 8; UPDATE users SET username = 'Zoe', email = 'aerger@example.org' WHERE id = 7";

async fn another(db: &TestDatabase) -> TestDatabase {
    if db.is_postgres() { TestDatabase::postgres().await } else { TestDatabase::sqlite() }
}

async fn contents(db: &TestDatabase) -> Vec<String> {
    let connection = db.connect().await;
    let mut all = texts(&connection, "SELECT version FROM seaql_migrations ORDER BY 1").await;
    for table in MANAGED_TABLES {
        all.extend(rows(&connection, table).await);
    }
    all
}

/// Pipes the script into `sqlite3` or `psql`. Returns the error output if that fails.
async fn pipe(db: &TestDatabase, up: bool, range: &str) -> Result<(), String> {
    let dialect = if db.is_postgres() { DbBackend::Postgres } else { DbBackend::Sqlite };
    let script = PROJECT.script(up, range, dialect).await.unwrap();
    let mut command = Command::new(db.either("sqlite3", "psql"));
    match db.url.strip_prefix("sqlite://") {
        Some(file) => command.arg(file.trim_end_matches("?mode=rwc")),
        None => command.args(["--no-psqlrc", "--quiet", &db.url]),
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program may stop reading after an error.
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    if output.status.success() {
        assert_eq!(said, "");
        Ok(())
    } else {
        Err(said)
    }
}
