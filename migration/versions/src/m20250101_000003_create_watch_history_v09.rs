//! Creates the table of watch positions as v0.9 has it (Alembic's `2f1e7b15dd7f`).

use crate::v09::{id, time};
use operations::TableDef;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        watch_history(manager.get_database_backend()).create(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("watch_history").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

pub(crate) fn watch_history(db: DbBackend) -> TableDef {
    TableDef::new("watch_history")
        .column(&mut id(db))
        .column(ColumnDef::new("user_id").integer().not_null())
        .column(ColumnDef::new("video_id").integer().not_null())
        .column(ColumnDef::new("watch_position").integer().not_null())
        .column(ColumnDef::new("watch_duration").integer().not_null())
        .column(ColumnDef::new("completed").boolean().not_null())
        .column(time("last_watched_at", db).not_null())
        .column(time("created_at", db).not_null())
        .column(time("updated_at", db).not_null())
        .unique("uq_user_video_watch_history", ["user_id", "video_id"])
        .belongs_to("user_id", "users")
        .belongs_to("video_id", "videos")
        .index("id")
}
