//! Drops the database defaults that only some databases of v0.9 have, so that types can change and
//! every database gets the same defaults later. The downgrade restores none: v0.9 needs none.

use crate::m20250101_000001_create_users_v09::users;
use crate::m20250101_000002_create_videos_v09::videos;
use crate::m20250101_000003_create_watch_history_v09::watch_history;
use crate::v09::TABLES;
use operations::sql;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // On SQLite the next migration rebuilds the tables without defaults.
        if !sql::is_postgres(manager) {
            return Ok(());
        }
        let definitions = [users(DbBackend::Postgres), videos(DbBackend::Postgres), watch_history(DbBackend::Postgres)];
        for (table, definition) in TABLES.iter().zip(definitions) {
            let columns = definition.column_names().into_iter().filter(|column| column != "id");
            let drops: Vec<String> = columns.map(|column| format!("ALTER COLUMN \"{column}\" DROP DEFAULT")).collect();
            sql::execute(manager, &format!("ALTER TABLE \"{table}\" {}", drops.join(", "))).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
