//! Alembic's own table, and the table that records an adoption.

use super::applied::now;
use crate::project::LegacyRules;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, Statement};

/// Alembic's table of its revision. It is read and never changed.
pub(crate) const ALEMBIC: &str = "alembic_version";

/// The migration at which the database was adopted. `downgrade` never goes below it.
pub(crate) async fn adopted_at(
    db: &impl ConnectionTrait,
    legacy: Option<LegacyRules>,
) -> Result<Option<String>, DbErr> {
    let Some(LegacyRules { table, .. }) = legacy else { return Ok(None) };
    if !exists(db, table).await? {
        return Ok(None);
    }
    let adoption = Query::select().column("migration").from(table).take();
    db.query_one(&adoption).await?.map(|row| row.try_get_by_index(0)).transpose()
}

/// The revisions in Alembic's table; `None` if there is no such table.
pub(crate) async fn alembic_revisions(db: &impl ConnectionTrait) -> Result<Option<Vec<String>>, DbErr> {
    if !exists(db, ALEMBIC).await? {
        return Ok(None);
    }
    let heads = Query::select().column("version_num").from(ALEMBIC).order_by("version_num", Order::Asc).take();
    let heads: Result<_, DbErr> = db.query_all(&heads).await?.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(Some(heads?))
}

/// Records that the database was adopted at Alembic's `revision` and the migration of the rules.
pub(crate) async fn record(db: &impl ConnectionTrait, legacy: &LegacyRules, revision: &str) -> Result<(), DbErr> {
    let create = Table::create()
        .table(legacy.table)
        .col(ColumnDef::new("migration").string_len(255).not_null().primary_key())
        .col(ColumnDef::new("alembic_revision").string_len(32).not_null())
        .col(ColumnDef::new("adopted_at").big_integer().not_null())
        .take();
    db.execute(&create).await?;
    let insert = Query::insert()
        .into_table(legacy.table)
        .columns(["migration", "alembic_revision", "adopted_at"])
        .values_panic([legacy.migration.into(), revision.into(), now().into()])
        .take();
    db.execute(&insert).await.map(|_| ())
}

async fn exists(db: &impl ConnectionTrait, table: &str) -> Result<bool, DbErr> {
    let select = match db.get_database_backend() {
        DbBackend::Postgres => format!("SELECT 1 WHERE to_regclass('{table}') IS NOT NULL"),
        _ => format!("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{table}'"),
    };
    let backend = db.get_database_backend();
    Ok(db.query_one_raw(Statement::from_string(backend, select)).await?.is_some())
}
