//! The schema that the entities ask for: the only place of this package that looks at them.
//!
//! Nobody reads an entity's attributes twice: SeaORM makes the tables in a throw-away place, and they are read back by the same
//! words as the live ones.

use crate::facts::{self, Facts};
use crate::state::Chain;
use sea_orm::sea_query::IndexCreateStatement;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, MockDatabase, MockExecResult, Schema, SchemaBuilder, TransactionTrait,
};
use sea_orm_migration::SchemaManager;

/// Makes the tables of some entities, in the words of one database.
pub type Entities = fn(DbBackend) -> Wanted;

/// Tables, and the indexes that stand on more than one column of theirs or on some rows only.
pub struct Wanted {
    /// The tables.
    pub tables: SchemaBuilder,
    /// Their further indexes.
    pub indexes: Vec<IndexCreateStatement>,
    /// What makes the tables that no entity can describe, because the two databases hold them differently.
    pub statements: Vec<&'static str>,
}

/// Playhead's own. A new entity is added here, and only here.
pub fn entities(backend: DatabaseBackend) -> Wanted {
    let tables = Schema::new(backend)
        .builder()
        .register(::entity::user::Entity)
        .register(::entity::video::Entity)
        .register(::entity::watch_history::Entity)
        .register(::entity::session::Entity)
        .register(::entity::ended_session::Entity)
        .register(::entity::refresh_token::Entity)
        .register(::entity::sign_in_limit::Entity)
        .register(::entity::deleted_file::Entity);
    let mut indexes = vec![::entity::watch_history::continue_watching_index()];
    indexes.extend(::entity::video::list_indexes());
    Wanted { tables, indexes, statements: ::entity::video_search::tables(backend).to_vec() }
}

impl Wanted {
    async fn apply(self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        self.tables.apply(db).await?;
        for index in &self.indexes {
            db.execute(index).await?;
        }
        for statement in &self.statements {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

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
