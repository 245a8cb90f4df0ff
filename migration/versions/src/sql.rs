//! The few words that every migration says to the database.
//!
//! Whatever reads begins with SELECT or WITH, whatever changes something does not: printed without a database (where every
//! read answers nothing), the changes alone are the script.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, QueryResult, Statement};

/// Whether this is PostgreSQL; otherwise it is SQLite.
pub(crate) fn on_postgres(manager: &SchemaManager<'_>) -> bool {
    manager.get_database_backend() == DbBackend::Postgres
}

/// Changes something by raw SQL, which may hold several statements.
pub(crate) async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(|_| ())
}

/// Reads rows by raw SQL.
pub(crate) async fn rows(manager: &SchemaManager<'_>, select: &str) -> Result<Vec<QueryResult>, DbErr> {
    let db = manager.get_connection();
    db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await
}

/// How many rows `from_where` (`users WHERE …`) has.
pub(crate) async fn count(manager: &SchemaManager<'_>, from_where: &str) -> Result<i64, DbErr> {
    match rows(manager, &format!("SELECT count(*) FROM {from_where}")).await?.first() {
        Some(row) => row.try_get_by_index(0),
        None => Ok(0),
    }
}

/// Stops the migration when `from_where` has rows, with their number and what to do about them.
pub(crate) async fn refuse_rows(manager: &SchemaManager<'_>, from_where: &str, mend: &str) -> Result<(), DbErr> {
    refuse(obstacle(manager, from_where, mend).await?)
}

/// The rows of `from_where`, if there are any, as what is in the way of a migration.
pub(crate) async fn obstacle(
    manager: &SchemaManager<'_>,
    from_where: &str,
    mend: &str,
) -> Result<Option<String>, DbErr> {
    Ok(match count(manager, from_where).await? {
        0 => None,
        1 => Some(format!("1 row of {from_where} cannot be kept: {mend}")),
        many => Some(format!("{many} rows of {from_where} cannot be kept: {mend}")),
    })
}

/// Stops the migration at the first of these obstacles.
pub(crate) fn refuse(obstacles: impl IntoIterator<Item = String>) -> Result<(), DbErr> {
    obstacles.into_iter().next().map_or(Ok(()), |first| Err(DbErr::Migration(first)))
}
