//! Raw SQL in migrations, and refusals: checks that stop a migration before it loses rows.
//!
//! Begin each query with SELECT or WITH. Do not begin any other statement with these words.
//! `up --sql` runs a migration without a database: every query returns no rows, and the other
//! statements become the script.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, QueryResult, Statement};

/// Whether the database is PostgreSQL; otherwise it is SQLite.
pub fn is_postgres(manager: &SchemaManager<'_>) -> bool {
    manager.get_database_backend() == DbBackend::Postgres
}

/// Executes raw SQL that changes something. It may hold several statements, separated by
/// semicolons.
///
/// # Errors
/// An error of the database.
pub async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(|_| ())
}

/// Executes a raw SELECT and returns its rows.
///
/// # Errors
/// An error of the database.
pub async fn query(manager: &SchemaManager<'_>, select: &str) -> Result<Vec<QueryResult>, DbErr> {
    let db = manager.get_connection();
    db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await
}

/// Counts the rows of `from_where`, for example `users WHERE email IS NULL`.
///
/// # Errors
/// An error of the database.
pub async fn count(manager: &SchemaManager<'_>, from_where: &str) -> Result<i64, DbErr> {
    match query(manager, &format!("SELECT count(*) FROM {from_where}")).await?.first() {
        Some(row) => row.try_get_by_index(0),
        None => Ok(0),
    }
}

/// Refuses the migration if `from_where` has rows: the new schema could not keep them.
///
/// Call it before the first change. It costs one `count(*)`. `fix` tells the reader what to do with
/// the rows.
///
/// # Errors
/// [`DbErr::Migration`] with the number of rows and `fix`, or an error of the database.
pub async fn refuse_rows(manager: &SchemaManager<'_>, from_where: &str, fix: &str) -> Result<(), DbErr> {
    refuse(row_obstacle(manager, from_where, fix).await?)
}

/// The message of [`refuse_rows`] as a value, for a caller that collects all obstacles. `None` if
/// there are no such rows.
///
/// # Errors
/// An error of the database.
pub async fn row_obstacle(manager: &SchemaManager<'_>, from_where: &str, fix: &str) -> Result<Option<String>, DbErr> {
    Ok(match count(manager, from_where).await? {
        0 => None,
        1 => Some(format!("1 row of {from_where} cannot be kept: {fix}")),
        many => Some(format!("{many} rows of {from_where} cannot be kept: {fix}")),
    })
}

/// Refuses the migration if there is any obstacle.
///
/// # Errors
/// [`DbErr::Migration`] with the first obstacle.
pub fn refuse(obstacles: impl IntoIterator<Item = String>) -> Result<(), DbErr> {
    obstacles.into_iter().next().map_or(Ok(()), |first| Err(DbErr::Migration(first)))
}
