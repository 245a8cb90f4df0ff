//! The examples work on both databases, and the page about them shows their code.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::duplicate_mod, reason = "each example is a program of its own, and brings along what they share")]
#![allow(dead_code, reason = "the mains of the examples are for the programs that cargo builds of them")]

#[path = "../../examples/addresses.rs"]
mod addresses;
#[path = "../../examples/bookmarks.rs"]
mod bookmarks;
#[path = "../../examples/camshaft_project/src/main.rs"]
mod camshaft_project;
#[path = "../../examples/camshafts/main.rs"]
mod camshafts;
mod decimals;
#[path = "../../examples/documents/main.rs"]
mod documents;
#[path = "../../examples/idioms.rs"]
mod idioms;
mod page;
#[path = "../../examples/parent_child.rs"]
mod parent_child;
mod revisions;
#[path = "../../examples/transactions.rs"]
mod transactions;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbErr, Statement};
use std::path::Path;

macro_rules! on_both {
    ($($example:ident)*) => {
        mod on_sqlite { $(
            #[tokio::test]
            async fn $example() {
                crate::$example::run("sqlite::memory:").await.unwrap();
            }
        )* }

        mod on_postgres { $(
            #[tokio::test]
            #[ignore = "needs PostgreSQL"]
            async fn $example() {
                crate::assert_leaves_nothing(stringify!($example), crate::$example::run).await;
            }
        )* }

        const EXAMPLES: &[&str] = &[$(stringify!($example)),*];
    };
}

on_both! { addresses bookmarks camshafts documents idioms parent_child transactions }

/// The URL of the PostgreSQL server for the tests.
fn server() -> String {
    std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL must name a server, such as postgres://postgres@127.0.0.1:5432/postgres")
}

/// Runs an example twice in a database that already has a table whose name most examples use.
async fn assert_leaves_nothing(example: &str, run: impl AsyncFn(&str) -> Result<(), DbErr> + Send + 'static) {
    let server = server();
    let name = format!("playhead_example_{example}_{}", std::process::id());
    let (host, _) = server.rsplit_once('/').expect("TEST_POSTGRES_URL must end in /NAME");
    let url = format!("{host}/{name}");
    let server = Database::connect(&server).await.unwrap();
    server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();

    let db = Database::connect(&url).await.unwrap();
    db.execute_unprepared("CREATE TABLE users (id INTEGER); INSERT INTO users VALUES (42)").await.unwrap();
    let before = contents(&db).await;
    // In another thread, so that the database is deleted even if the example panics.
    let twice = move || {
        let runtime = tokio::runtime::Handle::current();
        [runtime.block_on(run(&url)), runtime.block_on(run(&url))]
    };
    let runs = tokio::task::spawn_blocking(twice).await;
    let after = contents(&db).await;
    db.close().await.unwrap();
    server.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();

    assert_eq!(runs.unwrap(), [Ok(()), Ok(())]);
    assert_eq!(before, after);
}

/// Tables, extensions, and the rows of the test's own table.
async fn contents(db: &DatabaseConnection) -> Vec<String> {
    let sql = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relpersistence = 'p'
               UNION ALL SELECT extname::text FROM pg_extension UNION ALL SELECT id::text FROM users ORDER BY 1";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// A new example is run by the tests too.
#[test]
fn every_example_is_run() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let programs = paths.filter(|path| path.is_file() || path.join("main.rs").is_file());
    let mut names: Vec<_> = programs.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, EXAMPLES);
}

#[test]
fn every_example_is_short() {
    for example in EXAMPLES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
        let files = match std::fs::read_dir(&path) {
            Ok(folder) => folder.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => vec![path.with_extension("rs")],
        };
        let lines: usize = files.iter().map(|file| std::fs::read_to_string(file).unwrap().lines().count()).sum();
        assert!(lines <= 200, "{example} has {lines} lines");
    }
}
