//! The schema that the entities ask for.
//!
//! Nobody reads an entity's attributes twice: SeaORM makes the tables in a throw-away place, and they are read back by the same
//! words as the live ones.

use crate::entities::Entities;
use crate::facts::{self, Facts};
use crate::project::Chain;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, MockDatabase,
    MockExecResult, TransactionTrait,
};
use sea_orm_migration::SchemaManager;

/// What the tables of these entities look like in a database of the kind of `db`, which is left as it is.
pub async fn facts<C: ConnectionTrait + TransactionTrait<Transaction = DatabaseTransaction>>(
    db: &C,
    entities: Entities,
) -> Result<Facts, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return sqlite_facts(entities).await;
    }
    let txn = db.begin().await?;
    let facts = postgres_facts(&txn, entities).await;
    txn.rollback().await?;
    facts
}

/// In memory.
pub(crate) async fn sqlite_facts(entities: Entities) -> Result<Facts, DbErr> {
    let memory = memory().await?;
    entities(DbBackend::Sqlite).apply(&memory).await?;
    let facts = facts::read(&memory).await;
    memory.close().await?;
    facts
}

/// What the migrations themselves make, in SQLite's words.
pub(crate) async fn made_by(chain: Chain) -> Result<Facts, DbErr> {
    let memory = memory_for_migrations().await?;
    let manager = SchemaManager::new(&memory);
    for migration in chain() {
        migration.up(&manager).await?;
    }
    let facts = facts::read(&memory).await;
    memory.close().await?;
    facts
}

/// As [`memory`], for migrations, which rebuild tables.
pub(crate) async fn memory_for_migrations() -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).sqlx_logging(false).map_sqlx_sqlite_opts(|sqlite| sqlite.foreign_keys(false));
    Database::connect(options).await
}

/// A database of our own that leaves no trace, not even in the log.
pub(crate) async fn memory() -> Result<DatabaseConnection, DbErr> {
    Database::connect(ConnectOptions::new("sqlite::memory:").sqlx_logging(false).to_owned()).await
}

/// As temporary tables, which any role may make, unlike a schema, and nobody else sees.
async fn postgres_facts(txn: &DatabaseTransaction, entities: Entities) -> Result<Facts, DbErr> {
    txn.execute_unprepared("SET LOCAL search_path = pg_temp").await?;
    entities(DbBackend::Postgres).apply(txn).await?;
    facts::read(txn).await
}

/// The statements that make the tables on PostgreSQL, without a server.
pub(crate) async fn postgres_statements(entities: Entities) -> Result<Vec<String>, DbErr> {
    let results = std::iter::repeat_n(MockExecResult::default(), 10_000);
    let db = MockDatabase::new(DbBackend::Postgres).append_exec_results(results).into_connection();
    entities(DbBackend::Postgres).apply(&db).await?;
    let log = db.into_transaction_log();
    Ok(log.iter().flat_map(|transaction| transaction.statements()).map(|statement| statement.sql.clone()).collect())
}
