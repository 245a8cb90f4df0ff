//! The database that is tested, and the store in front of it.

use crate::databases::{Engine, TestDatabase};
use crate::store::{Store, StoreKind};
use sea_orm::ConnectionTrait;
use service::Database;
use service::progress::ProgressRules;
use service::storage::Durability;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// One database for many stories.
pub struct TestSite {
    pub db: Database,
    pub store: Store,
    pub rules: ProgressRules,
    _database: TestDatabase,
    _folder: TempDir,
    /// With a single thread, concurrent requests are queued before any of them is answered: on
    /// PostgreSQL always, on SQLite, whose batch workers are threads, most of them.
    pub runtime: Runtime,
}

impl TestSite {
    pub fn new(engine: Engine, kind: StoreKind) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let rules = ProgressRules::default();
        let (database, db, store) = runtime.block_on(async {
            let database = TestDatabase::new(engine, folder.path()).await;
            if engine == Engine::Postgres {
                disable_synchronous_commit(&database.url).await;
            }
            let db = Database::connect(&database.url, Durability::Normal).await.unwrap();
            let store = Store::open(kind, &db, rules);
            (database, db, store)
        });
        Self { db, store, rules, _database: database, _folder: folder, runtime }
    }
}

/// These tests crash nothing, and run faster when no commit waits for the disk.
async fn disable_synchronous_commit(url: &str) {
    let server = sea_orm::Database::connect(url).await.unwrap();
    let disable =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$";
    server.execute_unprepared(disable).await.unwrap();
    server.close().await.unwrap();
}
