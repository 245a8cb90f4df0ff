//! An index that is made while the site goes on writing.

use crate::sql;
use sea_orm_migration::prelude::*;

/// Makes the index; on PostgreSQL CONCURRENTLY, for which the migration says `use_transaction() == Some(false)` and does
/// nothing else. One that a killed run left behind half-made, which PostgreSQL calls INVALID, is dropped first. Call it again
/// and again: nothing more happens.
pub async fn create_index(manager: &SchemaManager<'_>, index: &IndexCreateStatement) -> Result<(), DbErr> {
    let mut index = index.clone();
    index.if_not_exists();
    if !sql::on_postgres(manager) {
        return manager.create_index(index).await;
    }
    let name = index.get_index_spec().get_name().unwrap_or_default().replace('\'', "''");
    let half_made = format!(
        "SELECT quote_ident(relname) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
         WHERE relname = '{name}' AND relnamespace = current_schema()::regnamespace AND NOT indisvalid"
    );
    for row in sql::rows(manager, &half_made).await? {
        sql::run(manager, &format!("DROP INDEX CONCURRENTLY {}", row.try_get_by_index::<String>(0)?)).await?;
    }
    manager.create_index(index.concurrently().take()).await
}

/// Drops the index; on PostgreSQL CONCURRENTLY, on the same condition.
pub async fn drop_index(manager: &SchemaManager<'_>, name: &str) -> Result<(), DbErr> {
    let how = if sql::on_postgres(manager) { "CONCURRENTLY " } else { "" };
    sql::run(manager, &format!("DROP INDEX {how}IF EXISTS \"{}\"", name.replace('"', "\"\""))).await
}
