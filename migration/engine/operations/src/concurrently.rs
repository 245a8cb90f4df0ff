//! Indexes that are created and dropped while the application goes on writing: `CREATE INDEX
//! CONCURRENTLY`.
//!
//! Use them for a large table on PostgreSQL. PostgreSQL refuses CONCURRENTLY inside a transaction:
//! the migration returns `Some(false)` from `use_transaction()` and does nothing else. The build
//! reads the table twice, waits for older transactions, and blocks no writer. On SQLite these are
//! plain statements, which hold the write lock while the index is built.

use crate::sql;
use sea_orm_migration::prelude::*;

/// Creates the index if it does not exist.
///
/// An interrupted build leaves an INVALID index on PostgreSQL. It is dropped and built again, so
/// the migration can be repeated.
///
/// # Errors
/// An error of the database.
pub async fn create_index(manager: &SchemaManager<'_>, index: &IndexCreateStatement) -> Result<(), DbErr> {
    let mut index = index.clone();
    index.if_not_exists();
    if !sql::is_postgres(manager) {
        return manager.create_index(index).await;
    }
    let name = index.get_index_spec().get_name().unwrap_or_default().replace('\'', "''");
    let invalid = format!(
        "SELECT quote_ident(relname) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
         WHERE relname = '{name}' AND relnamespace = current_schema()::regnamespace AND NOT indisvalid"
    );
    for row in sql::query(manager, &invalid).await? {
        sql::execute(manager, &format!("DROP INDEX CONCURRENTLY {}", row.try_get_by_index::<String>(0)?)).await?;
    }
    manager.create_index(index.concurrently().take()).await
}

/// Drops the index if it exists.
///
/// # Errors
/// An error of the database.
pub async fn drop_index(manager: &SchemaManager<'_>, name: &str) -> Result<(), DbErr> {
    let concurrently = if sql::is_postgres(manager) { "CONCURRENTLY " } else { "" };
    sql::execute(manager, &format!("DROP INDEX {concurrently}IF EXISTS \"{}\"", name.replace('"', "\"\""))).await
}
