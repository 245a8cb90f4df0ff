//! Creates the counter of the changes of what lists show of videos.

use operations::TableDef;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TableDef::new("video_revision")
            .column(ColumnDef::new("id").big_integer().not_null().primary_key())
            .column(ColumnDef::new("latest").big_integer().not_null())
            .create(manager)
            .await
    }

    /// The counter begins anew.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("video_revision").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
