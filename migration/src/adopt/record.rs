//! What a database says of its past: Alembic's own table, and ours that tells where it was taken over.

use crate::check::BOOKKEEPING;
use crate::{Error, facts};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, QueryResult, Statement};

/// Our record of an adoption, one row at most.
pub const TABLE: &str = "playhead_adoption";
/// Alembic's record of where it is. It is read and never changed.
pub(crate) const ALEMBIC: &str = "alembic_version";

/// The migration at which the database was taken over from Alembic. `downgrade` never goes below it.
pub async fn adopted_at(db: &impl ConnectionTrait) -> Result<Option<String>, Error> {
    if !exists(db, TABLE).await? {
        return Ok(None);
    }
    let adoption = Query::select().column("migration").from(TABLE).take();
    Ok(db.query_one(&adoption).await?.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// The revisions that Alembic has recorded; `None` when it never was here.
pub async fn alembic_revisions(db: &impl ConnectionTrait) -> Result<Option<Vec<String>>, Error> {
    if !exists(db, ALEMBIC).await? {
        return Ok(None);
    }
    let heads = Query::select().column("version_num").from(ALEMBIC).order_by("version_num", Order::Asc).take();
    let heads: Result<_, DbErr> = db.query_all(&heads).await?.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(Some(heads?))
}

/// Writes down that the database was taken over at `migration`.
pub(super) async fn record(db: &impl ConnectionTrait, migration: &str, revision: &str, now: i64) -> Result<(), DbErr> {
    let create = Table::create()
        .table(TABLE)
        .col(ColumnDef::new("migration").string_len(255).not_null().primary_key())
        .col(ColumnDef::new("alembic_revision").string_len(32).not_null())
        .col(ColumnDef::new("adopted_at").big_integer().not_null())
        .take();
    db.execute(&create).await?;
    let insert = Query::insert()
        .into_table(TABLE)
        .columns(["migration", "alembic_revision", "adopted_at"])
        .values_panic([migration.into(), revision.into(), now.into()])
        .take();
    db.execute(&insert).await.map(|_| ())
}

async fn exists(db: &impl ConnectionTrait, table: &str) -> Result<bool, DbErr> {
    let select = match db.get_database_backend() {
        DbBackend::Postgres => format!("SELECT 1 WHERE to_regclass('{table}') IS NOT NULL"),
        _ => format!("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{table}'"),
    };
    Ok(!rows(db, &select).await?.is_empty())
}

/// How many rows each of these tables has.
pub(super) async fn counts(db: &impl ConnectionTrait, facts: &facts::Facts) -> Result<Vec<(String, i64)>, DbErr> {
    let mut counts = Vec::new();
    let is_bookkeeping = |name: &str| name == ALEMBIC || BOOKKEEPING.contains(&name);
    for name in facts.tables.keys().filter(|name| !is_bookkeeping(name)) {
        let select = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        for row in rows(db, &select).await? {
            counts.push((name.clone(), row.try_get_by_index(0)?));
        }
    }
    Ok(counts)
}

pub(super) async fn rows(db: &impl ConnectionTrait, select: &str) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await
}
