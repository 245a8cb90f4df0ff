//! The schema that the entities, or the migrations, describe.
//!
//! SeaORM creates the tables in a temporary place, and they are reflected like those of the live
//! database. So this crate does not interpret the attributes of entities a second time.

use crate::entities::Entities;
use crate::project::Chain;
use crate::schema::{self, Schema};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, MockDatabase,
    MockExecResult, TransactionTrait,
};
use sea_orm_migration::SchemaManager;

/// The schema of these entities on the kind of database that `db` is. `db` is not changed.
///
/// # Errors
/// An error of the database.
pub async fn schema<C: ConnectionTrait + TransactionTrait<Transaction = DatabaseTransaction>>(
    db: &C,
    entities: Entities,
) -> Result<Schema, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return sqlite_schema(entities).await;
    }
    let txn = db.begin().await?;
    let schema = postgres_schema(&txn, entities).await;
    txn.rollback().await?;
    schema
}

/// The schema of the entities on SQLite, created in memory.
pub(crate) async fn sqlite_schema(entities: Entities) -> Result<Schema, DbErr> {
    let memory = in_memory_database().await?;
    entities(DbBackend::Sqlite).apply(&memory).await?;
    let schema = schema::read(&memory).await;
    memory.close().await?;
    schema
}

/// The schema that the migrations create, on SQLite.
pub(crate) async fn schema_of_chain(chain: Chain) -> Result<Schema, DbErr> {
    let memory = in_memory_database_for_migrations().await?;
    let manager = SchemaManager::new(&memory);
    for migration in chain() {
        migration.up(&manager).await?;
    }
    let schema = schema::read(&memory).await;
    memory.close().await?;
    schema
}

/// As [`in_memory_database`], without foreign keys: migrations rebuild tables.
pub(crate) async fn in_memory_database_for_migrations() -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).sqlx_logging(false).map_sqlx_sqlite_opts(|sqlite| sqlite.foreign_keys(false));
    Database::connect(options).await
}

/// A SQLite database in memory, whose statements are not logged.
pub(crate) async fn in_memory_database() -> Result<DatabaseConnection, DbErr> {
    Database::connect(ConnectOptions::new("sqlite::memory:").sqlx_logging(false).to_owned()).await
}

/// Creates temporary tables: any role may do so, unlike a schema, and no other connection sees
/// them.
async fn postgres_schema(txn: &DatabaseTransaction, entities: Entities) -> Result<Schema, DbErr> {
    txn.execute_unprepared("SET LOCAL search_path = pg_temp").await?;
    entities(DbBackend::Postgres).apply(txn).await?;
    schema::read(txn).await
}

/// The statements that create the tables on PostgreSQL. Needs no server.
pub(crate) async fn postgres_ddl(entities: Entities) -> Result<Vec<String>, DbErr> {
    let results = std::iter::repeat_n(MockExecResult::default(), 10_000);
    let db = MockDatabase::new(DbBackend::Postgres).append_exec_results(results).into_connection();
    entities(DbBackend::Postgres).apply(&db).await?;
    let log = db.into_transaction_log();
    Ok(log.iter().flat_map(|transaction| transaction.statements()).map(|statement| statement.sql.clone()).collect())
}
