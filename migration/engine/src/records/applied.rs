//! `seaql_migrations`, the table of the applied migrations, as SeaORM's own migrator keeps it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ActiveValue::Set;
use sea_orm_migration::sea_orm::{DbBackend, EntityTrait, QueryFilter, Statement};
use sea_orm_migration::seaql_migrations::{ActiveModel, Entity};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// SeaORM creates its table through a migrator; this one has no migrations.
struct Installer;

impl MigratorTrait for Installer {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Vec::new()
    }
}

/// Creates the table if it is missing.
pub(crate) async fn install(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    Installer::install(db).await
}

/// Records that the migration was applied now.
pub(crate) async fn record(db: &impl ConnectionTrait, name: &str) -> Result<(), DbErr> {
    let record = ActiveModel { version: Set(name.to_owned()), applied_at: Set(now()) };
    Entity::insert(record).exec_without_returning(db).await.map(|_| ())
}

/// Removes the record of the migration.
pub(crate) async fn remove(db: &impl ConnectionTrait, name: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Expr::col("version").eq(name)).exec(db).await.map(|_| ())
}

/// The recorded migrations, each with the time of its run in seconds since 1970.
pub(crate) async fn read(db: &impl ConnectionTrait) -> Result<BTreeMap<String, i64>, DbErr> {
    let backend = db.get_database_backend();
    let exists = match backend {
        DbBackend::Postgres => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    };
    let mut recorded = BTreeMap::new();
    if db.query_one_raw(Statement::from_string(backend, exists)).await?.is_some() {
        let rows = Query::select().columns(["version", "applied_at"]).from("seaql_migrations").take();
        for row in db.query_all(&rows).await? {
            recorded.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    Ok(recorded)
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed()
}
