//! Creates the table of related videos, which recommendations are made of.

use operations::TableDef;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TableDef::new("related_videos")
            .column(ColumnDef::new("video_id").big_integer().not_null())
            .column(ColumnDef::new("related_id").big_integer().not_null())
            .column(ColumnDef::new("score").double().not_null())
            .column(ColumnDef::new("viewers").integer().not_null())
            .primary_key(["video_id", "related_id"])
            .belongs_to("video_id", "videos")
            .belongs_to("related_id", "videos")
            .index("related_id")
            .create(manager)
            .await
    }

    /// The rows are computed again.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("related_videos").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
