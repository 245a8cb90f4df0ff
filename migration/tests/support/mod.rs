//! A database for each test, and helpers to use it.
#![allow(dead_code, reason = "each test file uses its share")]

pub(crate) mod catalogue;
pub(crate) mod program;
pub(crate) mod v09_data;

use migration::PROJECT;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use sea_orm_revisions::{RunOptions, Target};
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of migrations that create v0.9.
pub(crate) const V09: usize = 3;

/// One test body on both databases: `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! on_both {
    ($(async fn $name:ident($db:ident: TestDatabase) $body:block)+) => { $(
        mod $name {
            use super::*;
            async fn body($db: TestDatabase) $body

            #[tokio::test]
            async fn sqlite() {
                body(TestDatabase::sqlite()).await;
            }

            #[tokio::test]
            #[ignore = "needs PostgreSQL"]
            async fn postgres() {
                body(TestDatabase::postgres().await).await;
            }
        }
    )+ };
}

/// A database that is dropped at the end of the test.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// A file that does not exist yet.
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/play head.db?mode=rwc", folder.path().display());
        Self { url, _folder: Some(folder) }
    }

    /// A new database beside the one that TEST_POSTGRES_URL names.
    pub(crate) async fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = server_url();
        let name = format!("migration_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let db = Database::connect(&server).await.unwrap();
        db.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        db.close().await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{base}/{name}"), _folder: None }
    }

    /// An address without a database.
    pub(crate) fn nowhere(url: &str) -> Self {
        Self { url: url.to_owned(), _folder: Some(tempfile::tempdir().unwrap()) }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self._folder.is_none()
    }

    /// The text for this kind of database.
    pub(crate) fn either<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        if self.is_postgres() { postgres } else { sqlite }
    }

    /// A connection as the server opens it, with foreign keys on.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(1).map_sqlx_sqlite_opts(|sqlite: SqliteConnectOptions| sqlite.foreign_keys(true));
        Database::connect(options).await.unwrap()
    }

    /// A new database at v0.9, and a connection to it.
    pub(crate) async fn at_v09(&self) -> DatabaseConnection {
        self.up(Target::Steps(V09)).await;
        self.connect().await
    }

    pub(crate) async fn up(&self, target: Target) -> Vec<String> {
        PROJECT.upgrade(&self.url, &target, &RunOptions::default()).await.unwrap().applied
    }

    pub(crate) async fn down(&self, target: Target) -> Vec<String> {
        PROJECT.downgrade(&self.url, &target, &RunOptions::default()).await.unwrap().reverted
    }

    /// Downgrades to v0.9.
    pub(crate) async fn down_to_v09(&self) {
        self.down(Target::Name("m20250101_000003_create_watch_history_v09".to_owned())).await;
    }

    /// The one-line error of an upgrade to the head, or of a downgrade to v0.9.
    pub(crate) async fn refusal(&self, up: bool) -> String {
        let options = RunOptions::default();
        let v09 = Target::Name("m20250101_000003_create_watch_history_v09".to_owned());
        let result = match up {
            true => PROJECT.upgrade(&self.url, &Target::End, &options).await,
            false => PROJECT.downgrade(&self.url, &v09, &options).await,
        };
        let line = result.unwrap_err().to_string();
        assert!(!line.contains('\n'), "{line}");
        line
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some((_, name)) = self.url.rsplit_once('/').filter(|_| self.is_postgres()) else { return };
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        // The runtime of the test ends, so this needs its own.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let db = Database::connect(server_url()).await.unwrap();
                db.execute_unprepared(&drop).await.unwrap();
            });
        });
        dropped.join().unwrap();
    }
}

fn server_url() -> String {
    std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL names a PostgreSQL database")
}

/// Executes statements.
pub(crate) async fn run(db: &impl ConnectionTrait, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// The first column of all rows, as text.
pub(crate) async fn texts(db: &impl ConnectionTrait, select: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), select);
    let rows = db.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{error}: {select}"));
    rows.iter().map(|row| row.try_get_by_index(0).unwrap_or_else(|error| panic!("{error}: {select}"))).collect()
}

/// Every row of a table as JSON with sorted names, in the order of the ids.
pub(crate) async fn rows(db: &impl ConnectionTrait, table: &str) -> Vec<String> {
    if db.get_database_backend() == DbBackend::Postgres {
        return texts(db, &format!("SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")).await;
    }
    let pairs = "SELECT quote(name) || ', \"' || replace(name, '\"', '\"\"') || '\"' FROM pragma_table_info('{table}') ORDER BY name";
    let pairs = texts(db, &pairs.replace("{table}", table)).await;
    texts(db, &format!("SELECT json_object({}) FROM {table} ORDER BY 1", pairs.join(", "))).await
}
