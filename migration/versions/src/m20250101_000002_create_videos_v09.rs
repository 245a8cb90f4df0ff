//! Creates the table of videos as v0.9 has it, without `category_id`: Playhead has no categories.

use crate::v09::{id, time, typed};
use operations::{TableDef, sql};
use sea_orm_migration::prelude::extension::postgres::Type;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_status_type(manager).await?;
        videos(manager.get_database_backend()).create(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("videos").take()).await?;
        drop_status_type(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

pub(crate) fn videos(db: DbBackend) -> TableDef {
    TableDef::new("videos")
        .column(&mut id(db))
        .column(ColumnDef::new("user_id").integer().not_null())
        .column(ColumnDef::new("title").string_len(255).not_null())
        .column(ColumnDef::new("description").text())
        .column(ColumnDef::new("file_path").string_len(500).not_null())
        .column(&mut typed("file_size", db, "bigint", "BIGINT"))
        .column(ColumnDef::new("duration").integer())
        .column(ColumnDef::new("width").integer())
        .column(ColumnDef::new("height").integer())
        .column(&mut typed("fps", db, "double precision", "FLOAT"))
        .column(ColumnDef::new("codec").string_len(50))
        .column(ColumnDef::new("bitrate").integer())
        .column(typed("status", db, "videostatus", "VARCHAR(10)").not_null())
        .column(ColumnDef::new("view_count").integer().not_null())
        .column(time("created_at", db).not_null())
        .column(time("updated_at", db).not_null())
        .column(&mut time("published_at", db))
        .column(ColumnDef::new("thumbnail_path").string_len(500))
        .belongs_to("user_id", "users")
        .index("id")
        .index("created_at")
        .index("status")
        .index("title")
}

/// Creates the enum type of states on PostgreSQL; SQLite has no such types.
pub(crate) async fn create_status_type(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if sql::is_postgres(manager) {
        let labels = ["PROCESSING", "READY", "FAILED", "DELETED"];
        manager.create_type(Type::create().as_enum("videostatus").values(labels).to_owned()).await?;
    }
    Ok(())
}

pub(crate) async fn drop_status_type(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if sql::is_postgres(manager) {
        manager.drop_type(Type::drop().name("videostatus").to_owned()).await?;
    }
    Ok(())
}
