//! A migrated database for every test: a copy of one that was migrated once.

use migration::{PROJECT, RunOptions, Target};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The database engine of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// The database of one test. It is deleted when it is dropped.
pub struct TestDatabase {
    pub url: String,
    postgres: Option<String>,
}

impl TestDatabase {
    pub async fn new(engine: Engine, folder: &Path) -> Self {
        match engine {
            Engine::Sqlite => {
                let file = folder.join("playhead.db");
                std::fs::copy(sqlite_template().await, &file).unwrap();
                Self { url: format!("sqlite://{}?mode=rwc", file.display()), postgres: None }
            }
            Engine::Postgres => {
                static NEXT: AtomicU32 = AtomicU32::new(0);
                let name = format!("playhead_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
                let template = postgres_template().await;
                let server = postgres("postgres").await;
                execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                execute(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
                server.close().await.unwrap();
                Self { url: postgres_url(&name), postgres: Some(name) }
            }
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(name) = self.postgres.take() else { return };
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = postgres("postgres").await;
                execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                server.close().await.unwrap();
            });
        });
        // A database that is left over is no failure of the test.
        let _ = dropping.join();
    }
}

async fn sqlite_template() -> &'static Path {
    static TEMPLATE: OnceCell<TempDir> = OnceCell::const_new();
    let folder = TEMPLATE.get_or_init(|| async {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("template.db").display());
        PROJECT.upgrade(&url, &Target::End, &RunOptions::default()).await.unwrap();
        folder
    });
    static FILE: OnceCell<std::path::PathBuf> = OnceCell::const_new();
    let folder = folder.await.path();
    FILE.get_or_init(|| async { folder.join("template.db") }).await
}

async fn postgres_template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let make = || async {
        let name = format!("playhead_template_{}", std::process::id());
        let server = postgres("postgres").await;
        execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        execute(&server, &format!("CREATE DATABASE {name}")).await;
        server.close().await.unwrap();
        PROJECT.upgrade(&postgres_url(&name), &Target::End, &RunOptions::default()).await.unwrap();
        name
    };
    TEMPLATE.get_or_init(make).await
}

async fn postgres(database: &str) -> DatabaseConnection {
    Database::connect(postgres_url(database)).await.unwrap()
}

/// The URL of a database on the server that `TEST_POSTGRES_URL` names.
fn postgres_url(database: &str) -> String {
    let server = std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL must name a server, such as postgres://postgres@127.0.0.1:5432/postgres");
    let (server, parameters) = server.split_once('?').map_or((&*server, String::new()), |(s, p)| (s, format!("?{p}")));
    let (host, _) = server.rsplit_once('/').expect("TEST_POSTGRES_URL must end in /NAME");
    format!("{host}/{database}{parameters}")
}

async fn execute(server: &DatabaseConnection, sql: &str) {
    server.execute_unprepared(sql).await.unwrap();
}
